"""The contract, "Error codes": every error has the same shape, the framework's included.

`client.Console.call` asserts that shape on every error in every end-to-end test.
"""

import pytest
from client import Console, column, new_id

PORTUGUESE = {"404": "Rota não encontrada", "405": "Método não permitido"}


@pytest.mark.parametrize(
    "path", ["/upload-jobs/a/nada", f"/{'a' * 24}/nada", f"/{'a' * 24}/data/x/y", "/upload-jobs/a/b/c"]
)
def test_an_unknown_route_has_the_error_shape(console: Console, path: str) -> None:
    """An unknown route is 404 in the error shape (or 405 where the path has another method)."""
    answer = console.call("GET", path)
    assert answer.status in {404, 405}
    assert answer.error


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


@pytest.mark.parametrize("text", ["", "{", "[1", "nada", "\x00", '{"display_name": "a",}', "[" * 2_000])
def test_a_body_that_is_not_json_is_422(company: Console, text: str) -> None:
    """A body that is not JSON is 422 in the error shape."""
    assert company.call("POST", "", text=text).status == 422


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "true"])
def test_a_body_that_is_not_an_object_is_422(company: Console, text: str) -> None:
    """A body of another JSON type is 422 in the error shape."""
    assert company.call("POST", "", text=text).status == 422


def test_bytes_that_are_not_utf8_are_422(company: Console) -> None:
    """A body in an encoding other than UTF-8 is 422."""
    assert company.call("POST", "", text=b'{"display_name": "a\xff"}').status == 422


def test_an_error_names_the_wrong_column(company: Console) -> None:
    """A wrong column definition is 422; its details say which one and why."""
    columns = [column("a"), column("b", "varchar")]
    answer = company.call("POST", "", {"display_name": "vendas", "columns": columns})
    assert answer.status == 422
    assert answer.details
    assert "1" in f"{answer.details}" or "b" in f"{answer.details}"


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
