"""The contract's "Required permission" lines, and the clarifications, "Who may do what"."""

import uuid
from typing import NamedTuple

import pytest
from client import Console, column, new_id

LONG_AGO, FAR_AHEAD = 1_577_836_800, 4_102_444_800  # 2020 and 2100, in seconds

PERMISSIONS = ("create", "list", "update", "delete", "upload", "data-read", "data-write", "connect")
ROWS = {"rows": [{"produto": "X"}]}
FILES = {"files": [{"name": "a.csv", "size_bytes": 1}]}
TABLE = {"display_name": "outra", "columns": [column("produto")]}


class Route(NamedTuple):
    """An operation of the contract and the permission that it states."""

    method: str
    path: str
    permission: str
    body: object = None


ROUTES = (
    Route("POST", "/provision", "create"),
    Route("GET", "/status", "list"),
    Route("GET", "/connection", "connect"),
    Route("POST", "/connection/rotate", "connect"),
    Route("GET", "", "list"),
    Route("GET", "/{id}", "list"),
    Route("POST", "", "create", TABLE),
    Route("PUT", "/{id}", "update", {"status": "active"}),
    Route("PATCH", "/{id}", "update", {"status": "active"}),
    Route("DELETE", "/{id}", "delete"),
    Route("POST", "/upload", "upload", FILES),
    Route("POST", "/{id}/upload", "upload", FILES),
    Route("POST", "/upload/form", "upload"),
    Route("POST", "/{id}/upload/form", "upload"),
    Route("GET", "/upload-jobs", "list"),
    Route("GET", "/upload-jobs/active", "list"),
    Route("GET", "/upload-jobs/{id}", "list"),
    Route("POST", "/upload-jobs/{id}/confirm", "upload", TABLE),
    Route("DELETE", "/upload-jobs/{id}", "upload"),
    Route("POST", "/upload-jobs/{id}/undo", "delete", {}),
    Route("POST", "/upload-jobs/{id}/reanalyze", "upload", {"tables": []}),
    Route("GET", "/upload-jobs/{id}/preview", "list"),
    Route("GET", "/upload-jobs/{id}/misfits", "list"),
    Route("GET", "/upload-jobs/{id}/rejects", "list"),
    Route("GET", "/{id}/data", "data-read"),
    Route("POST", "/{id}/data", "data-write", ROWS),
    Route("PATCH", "/{id}/data", "data-write", {"where": {}, "set": {"produto": "X"}, "all": True}),
    Route("POST", "/{id}/data/query", "data-read", {}),
    Route("POST", "/{id}/data/delete", "data-write", {"all": True}),
    Route("GET", "/{id}/data/{row}", "data-read"),
    Route("PUT", "/{id}/data/{row}", "data-write", {"produto": "X"}),
    Route("PATCH", "/{id}/data/{row}", "data-write", {"produto": "X"}),
    Route("DELETE", "/{id}/data/{row}", "data-write"),
    Route("POST", "/{id}/exports", "data-read", {"format": "csv"}),
    Route("GET", "/exports/{id}", "data-read"),
    Route("GET", "/{id}/exports", "data-read"),
    Route("GET", "/exports", "data-read"),
    Route("PUT", "/upload-jobs/{id}/draft", "upload", {}),
    Route("GET", "/{id}/data/{row}/history", "data-read"),
    Route("GET", "/{id}/data/{row}/origin", "data-read"),
    Route("GET", "/{id}/history", "data-read"),
    Route("GET", "/{id}/trash", "data-read"),
    Route("POST", "/{id}/trash/restore", "data-write", {"deleted_after": "2020-01-01"}),
    Route("GET", "/{id}/columns/hidden", "list"),
    Route("POST", "/{id}/columns/{id}/restore", "update"),
    Route("GET", "/{id}/recipe", "list"),
    Route("PUT", "/{id}/recipe", "update", {"mode": "append"}),
    Route("DELETE", "/{id}/recipe", "update"),
    Route("GET", "/{id}/contract", "list"),
    Route("PUT", "/{id}/contract", "update", {}),
    Route("POST", "/{id}/rules/check", "data-read", {}),
    Route("GET", "/{id}/rules/proposals", "data-read"),
    Route("POST", "/{id}/rules/proposals/dismiss", "update", {"rule": {}}),
    Route("GET", "/{id}/views", "data-read"),
    Route("POST", "/{id}/views", "data-read", {"name": "x"}),
    Route("GET", "/{id}/views/{id}", "data-read"),
    Route("PUT", "/{id}/views/{id}", "data-read", {"name": "x"}),
    Route("DELETE", "/{id}/views/{id}", "data-read"),
)
every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


def fill(path: str) -> str:
    return path.format(id=new_id(), row=uuid.uuid4())


@every_route
def test_every_route_requires_a_token(console: Console, route: Route) -> None:
    """Without a token, every route is 401, with `WWW-Authenticate: Bearer`, as HTTP requires."""
    answer = console.call(route.method, fill(route.path), route.body, token="")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


@every_route
def test_every_route_requires_its_permission(console: Console, route: Route) -> None:
    """With every permission but the stated one, a route is 403, whether or not its resource exists."""
    others = [f"managed-tables:{one}" for one in PERMISSIONS if one != route.permission]
    user = console.with_permissions(*others)
    assert user.call(route.method, fill(route.path), route.body).status == 403


@every_route
def test_the_stated_permission_is_enough(console: Console, route: Route) -> None:
    """With only the stated permission, a route is neither 401 nor 403."""
    user = console.with_permissions(f"managed-tables:{route.permission}")
    assert user.call(route.method, fill(route.path), route.body).status not in {401, 403}


@pytest.mark.parametrize(
    "permission", ["*", "list", "managed-tables", "managed-tables:", "data-api:list", "managed-tables:LIST"]
)
def test_other_permissions_grant_nothing(console: Console, permission: str) -> None:
    """A permission is matched as a whole: part of one, or another product's, grants nothing."""
    assert console.with_permissions(permission).call("GET").status == 403


def test_a_refusal_does_not_reveal_whether_a_table_exists(company: Console) -> None:
    """A caller without the permission learns nothing about what exists: the 403 is the same."""
    table_id = company.create_table()["_id"]
    user = company.with_permissions("managed-tables:upload")
    known, unknown = user.call("GET", f"/{table_id}"), user.call("GET", f"/{new_id()}")
    assert (known.status, known.json) == (403, unknown.json)


def test_401_comes_before_everything(console: Console) -> None:
    """A bad token is 401 even if the permission, table and body are wrong too."""
    answer = console.call("PUT", f"/{new_id()}", text="{", token="x")
    assert answer.status == 401


def test_403_comes_before_404_and_422(console: Console) -> None:
    """Without the permission it is 403 even if the table and body are wrong too."""
    answer = console.with_permissions().call("PUT", f"/{new_id()}", text="{")
    assert answer.status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/{id}"),
        ("PATCH", "/{id}"),
        ("POST", "/{id}/upload"),
        ("POST", "/upload-jobs/{id}/confirm"),
        ("POST", "/upload-jobs/{id}/reanalyze"),
        ("POST", "/upload-jobs/{id}/undo"),
        ("POST", "/{id}/data"),
        ("PUT", "/{id}/data/{row}"),
        ("PATCH", "/{id}/data/{row}"),
    ],
)
@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"rows": 1}'])
def test_404_comes_before_422(company: Console, method: str, path: str, text: str) -> None:
    """An unknown id in the path is 404 even if the body is wrong or is not JSON."""
    assert company.call(method, fill(path), text=text).status == 404


def test_404_comes_before_the_query(company: Console) -> None:
    """An unknown table is 404 even if the query is wrong too."""
    assert company.call("GET", f"/{new_id()}/data", params={"page": 0}).status == 404


def test_an_unknown_row_comes_before_its_body(company: Console) -> None:
    """An unknown row of a known table is 404 even if the body is wrong."""
    table_id = company.create_table()["_id"]
    for row_id in (uuid.uuid4(), "x"):
        answer = company.call("PUT", f"/{table_id}/data/{row_id}", text="{")
        assert (answer.status, answer.error) == (404, "Linha não encontrada")


@pytest.mark.parametrize("path", ["", "/upload"])
def test_the_body_comes_before_the_state(console: Console, path: str) -> None:
    """A body that is not JSON is 422."""
    console.provision()
    assert console.call("POST", path, text="{").status == 422


def test_a_valid_token_is_accepted(console: Console) -> None:
    """A JWT with `sub`, `company_id`, `permissions` and `exp` is accepted; the scheme is case-insensitive."""
    assert console.call("GET").status == 200
    header = {"Authorization": f"bearer {console.token()}"}
    assert console.call("GET", token="", headers=header).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": LONG_AGO},
        {"exp": "amanhã"},
        {"sub": None},
        {"sub": "joana"},
        {"sub": "a" * 23},
        {"sub": "g" * 24},
        {"sub": "a" * 24 + "\n"},
        {"company_id": None},
        {"company_id": "empresa"},
        {"company_id": "a" * 25},
        {"company_id": 7},
        {"iss": "https://outro.example"},
        {"aud": "outra"},
        {"nbf": FAR_AHEAD},
    ],
    ids=lambda claims: "=".join(f"{name}={value}"[:30] for name, value in claims.items()),
)
def test_a_token_with_wrong_claims_is_401(console: Console, claims: dict[str, object]) -> None:
    """Expired, without `exp`, another issuer or audience, an id that is not 24 hex digits: 401."""
    assert console.call("GET", token=console.token(**claims)).status == 401


@pytest.mark.parametrize("permissions", ["managed-tables:list", None, {"managed-tables:list": True}])
def test_permissions_are_a_list(console: Console, permissions: object) -> None:
    """`permissions` other than a list of strings grant nothing: 401 or 403."""
    assert console.call("GET", token=console.token(permissions=permissions)).status in {401, 403}


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer  x y", "Bearer x", "Bearer a.b.c", "Basic dXNlcjp4", "x"]
)
def test_anything_but_a_bearer_token_is_401(console: Console, value: str) -> None:
    """Anything but a bearer token in the Authorization header is 401."""
    assert console.call("GET", token="", headers={"Authorization": value}).status == 401
