"""The contract, "Error codes": every error has the same shape, the framework's included.

`client.Console.call` asserts that shape on every error in every end-to-end test.
"""

import pytest
from client import Console, column, new_id

PORTUGUESE = {"404": "Rota não encontrada", "405": "Método não permitido"}


@pytest.mark.gateway
@pytest.mark.parametrize(
    "path", ["/upload-jobs/a/nada", f"/{'a' * 24}/nada", f"/{'a' * 24}/data/x/y", "/upload-jobs/a/b/c"]
)
def test_an_unknown_route_has_the_error_shape(console: Console, path: str) -> None:
    """An unknown route is 404 in the error shape (or 405 where the path has another method)."""
    answer = console.call("GET", path)
    assert answer.status in {404, 405}
    assert answer.error


@pytest.mark.gateway
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/upload-jobs/{'a' * 24}/confirm"),
        ("PUT", ""),
        ("DELETE", "/upload-jobs/active"),
        ("PATCH", "/upload-jobs/x/confirm"),
    ],
)
def test_a_wrong_method_has_the_error_shape(console: Console, method: str, path: str) -> None:
    """A method that a route does not have is 405 in the error shape."""
    answer = console.call(method, path)
    assert answer.status == 405
    assert answer.error == PORTUGUESE["405"]


@pytest.mark.gateway
def test_a_head_request_is_a_wrong_method(console: Console) -> None:
    """No route has `HEAD`: it is 405 with `Allow`, and without a body."""
    answer = console.call("HEAD", "/status")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("GET", "/{id}", "Tabela não encontrada"),
        ("GET", "/{id}/data", "Tabela não encontrada"),
        ("GET", "/upload-jobs/{id}", "Job não encontrado"),
        ("DELETE", "/{table}/data/{id}", "Linha não encontrada"),
    ],
)
def test_404_says_what_was_not_found(company: Console, method: str, path: str, sentence: str) -> None:
    """404 has the contract's message for what was not found, and a stable code."""
    table_id = company.create_table()["_id"]
    answer = company.call(method, path.format(id=new_id(), table=table_id))
    assert (answer.status, answer.error) == (404, sentence)
    assert answer.code.endswith("_NOT_FOUND")


def test_sentences_are_english_for_whoever_prefers_it(console: Console) -> None:
    """`Accept-Language: en` gives errors in English, their codes unchanged; any other gives Portuguese."""
    body = {"display_name": 1, "columns": []}
    english = console.call("POST", "", body, headers={"Accept-Language": "fr, en-US;q=0.9, pt;q=0.5"})
    other = console.call("POST", "", body, headers={"Accept-Language": "de"})
    assert english.error.startswith("Invalid schema: display_name: ")
    assert other.error.startswith("Esquema inválido: display_name: ")
    assert [one.headers["content-language"] for one in (english, other)] == ["en", "pt-BR"]
    assert "Accept-Language" in english.headers["vary"]
    assert [one["code"] for one in english.details] == [one["code"] for one in other.details]
    assert not {one["reason"] for one in english.details} & {one["reason"] for one in other.details}


def test_codes_are_stable_across_errors(console: Console) -> None:
    """Each kind of error has its own code."""
    unprovisioned = console.call("POST", "", {"display_name": "a", "columns": [column("a")]})
    console.provision()
    console.create_table("a")
    answers = [
        unprovisioned,
        console.call("GET", token=""),
        console.with_permissions().call("GET"),
        console.call("GET", f"/{new_id()}"),
        console.call("POST", "", {"display_name": "a", "columns": [column("a")]}),
        console.call("POST", "", {"display_name": "A", "columns": [column("a")]}),
    ]
    assert [answer.status for answer in answers] == [400, 401, 403, 404, 400, 422]
    assert len({answer.code for answer in answers}) == len(answers)


def test_a_browser_of_another_origin_may_call(console: Console) -> None:
    """A console on another origin may call: CORS allows the Authorization header, errors included."""
    origin = {"Origin": "https://console.example"}
    asked = origin | {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = console.call("OPTIONS", f"/{new_id()}", token="", headers=asked)
    assert preflight.status in {200, 204}
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-origin" in console.call("GET", token="", headers=origin).headers
