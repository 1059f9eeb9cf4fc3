"""Hostile input is stored and returned unchanged, or refused; none of it is executed."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from client import Console, column, json_text, new_id

INJECTIONS = (
    "'; DROP TABLE vendas; --",
    "' OR '1'='1",
    '"; DROP SCHEMA public CASCADE; --',
    "$$; SELECT pg_sleep(10); $$",
    "%s %(a)s %% {0} {a}",
    "\\'; --",
    "=HYPERLINK('http://127.0.0.1')",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    '-1+1|"x"',
    '\nERROR {"level":"ERROR","message":"forged"}\r\n',
    "../../../etc/passwd",
    "$(id) `id` |id ;id &id",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}} <script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "a\u0301 \ufeff \u200b \u200d",
    "\x01\x02\x1b[31m\x7f\x85",
    "😀",
    "\\N",
    "\\.",
    "\t;,|\"'",
)
NAMES = (
    "vendas; drop",
    'ven"das',
    "ven'das",
    "vendas\n",
    "vendas\u0000",
    "\u202evendas",
    "véndas",
    "VENDAS",
    "vendas--",
    "../vendas",
    "pg_class",
    "information_schema.tables",
    "a" * 64,
    " vendas",
    "ve\u200bndas",
    "ｖendas",
    "$vendas",
    "deleted$vendas",
)


@pytest.mark.app
def test_values_come_back_as_they_went_in(company: Console) -> None:
    """Values are only ever text: inserted, sorted, updated and read, character for character."""
    table_id = company.create_table("vendas", column("produto"))["_id"]
    company.insert(table_id, *({"produto": value} for value in INJECTIONS))
    rows = company.rows(table_id)
    assert [row["produto"] for row in rows] == list(INJECTIONS)
    for row, value in zip(rows, reversed(INJECTIONS), strict=True):
        company.ok("PUT", f"/{table_id}/data/{row['id']}", {"produto": value})
    assert [row["produto"] for row in company.rows(table_id)] == list(reversed(INJECTIONS))
    assert len(company.rows(table_id, sort_by="produto")) == len(INJECTIONS)


@pytest.mark.app
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_refused(company: Console, name: str) -> None:
    """Names of tables and columns use one alphabet; anything else is 422, also in a rename."""
    table_id = company.create_table("vendas", column("produto"))["_id"]
    columns = [column("produto"), {**column("x"), "name": name}]
    for method, path, body in (
        ("POST", "", {"display_name": name, "columns": [column("a")]}),
        ("PUT", f"/{table_id}", {"display_name": name}),
    ):
        assert company.call(method, path, body).status == 422
    if name != "pg_class":  # a column may have this name
        assert company.call("PUT", f"/{table_id}", {"columns": columns}).status == 422
    assert [one["display_name"] for one in company.ok("GET")["records"]] == ["vendas"]


@pytest.mark.app
@pytest.mark.parametrize("value", INJECTIONS)
def test_labels_are_text(company: Console, value: str) -> None:
    """A column's label may be any text and is shown unchanged; text that cannot be stored is refused."""
    table = {"display_name": "vendas", "columns": [{**column("a"), "display_name": value}]}
    answer = company.call("POST", "", table)
    if answer.status == 201:
        assert company.table(answer.json["_id"])["columns"][0]["display_name"] == value
    else:
        assert answer.status == 422


@pytest.mark.app
@pytest.mark.parametrize("param", ["search", "sort_by", "order", "page", "per_page", "cursor", "numbers"])
def test_query_parameters_are_values(company: Console, param: str) -> None:
    """No query parameter is run as SQL: the answer is 200 or 422, and the table is still there."""
    table_id = company.create_table("vendas", column("produto"))["_id"]
    company.insert(table_id, {"produto": "Café"})
    for value in INJECTIONS:
        for path in ("", f"/{table_id}/data"):
            assert company.call("GET", path, params={param: value}).status in {200, 422}
    assert len(company.rows(table_id)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/{id}'--",
        "/{id}%00",
        "/{id}%0a",
        "/..%2f..%2fv1",
        "/{id}/data/%27%20OR%201=1",
        "/upload-jobs/%2e%2e",
        "/{id}%20",
        "/" + "a" * 5_000,
        "/{id}/data/" + "0" * 5_000,
        "/%ff%fe",
    ],
)
def test_hostile_paths_are_404(company: Console, path: str) -> None:
    """A path that does not hold an existing id is 404."""
    table_id = company.create_table()["_id"]
    for method in ("GET", "DELETE"):
        answer = company.call(method, path.replace("{id}", table_id))
        assert answer.status in {404, 405}, answer.text
    assert company.table(table_id)["_id"] == table_id


@pytest.mark.parametrize(
    "body",
    [
        b'{"rows": ' + b"[" * 50_000,
        b'{"rows": [{"produto": ' + b'{"a":' * 50_000,
        b'{"rows": [{"produto": "\xff\xfe"}]}',
        b'{"rows": [{"produto": "a", "produto": "b"}]}',
        b'{"rows": [{"produto": "a"}], "rows": []}',
        b'{"rows": [{"produto": 1e999999}]}',
        b'{"rows": [{"valor": 1e99999999999}]}',
        b'{"rows": [{"valor": ' + b"9" * 200_000 + b"}]}",
        b'{"rows": [{"valor": NaN}]}',
        b'{"rows": [{"__proto__": {"a": 1}}]}',
        '{"rows": []}'.encode("utf-16"),
        '{"rows": []}'.encode("utf-32"),
        b"\0" * 1_000,
        b"",
    ],
    ids=range(14),
)
def test_hostile_bodies_are_422(company: Console, body: bytes) -> None:
    """Deep, repeated, unterminated or not UTF-8: refused, and nothing is stored."""
    table_id = company.create_table("vendas", column("produto"), column("valor", "decimal"))["_id"]
    assert company.call("POST", f"/{table_id}/data", text=body).status == 422
    assert company.rows(table_id) == []


def test_a_huge_body_is_413(served_company: Console) -> None:
    """More than the limit is refused while it arrives, declared or not."""
    table_id = served_company.create_table()["_id"]
    path = f"{served_company.base_url}/v1/managed-tables/{table_id}/data"
    headers = {"Authorization": f"Bearer {served_company.token()}", "Content-Type": "application/json"}
    declared = served_company.http.post(path, content=b"x" * 7_000_000, headers=headers)
    undeclared = served_company.http.post(path, content=iter([b"x" * 1_000_000] * 7), headers=headers)
    assert (declared.status_code, undeclared.status_code) == (413, 413)


def test_input_cannot_forge_log_lines(company: Console, stack_file: Path) -> None:
    """The server's log is one JSON object a line, whatever the paths and headers hold."""
    forged = '%0a{"level":"ERROR","message":"forged"}'
    company.call("GET", f"/{forged}", headers={"X-Forwarded-For": '"}\\n{"a":"b'})
    company.call("POST", "/upload", {"files": [{"name": 'a\n{"forged":1}.csv', "size_bytes": 1}]})
    lines = (stack_file.parent / "server.log").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("{"):
            assert "forged" not in json.loads(line).get("level", "")
    assert not [line for line in lines if line.startswith('{"level":"ERROR","message":"forged"')]


@pytest.mark.flow
def test_a_hostile_file_is_loaded_as_text(company: Console) -> None:
    """Names, headers and cells with injections arrive as plain text, in plainly named columns."""
    headers = ["a; DROP TABLE x; --", "$(id)", "=1+1", "ctid", "\u202evalor", "../../a"]
    cells = [value for value in INJECTIONS if not set(value) & set("\n\r\x01\x85\ufeff")]
    lines = [headers, *([value] * len(headers) for value in cells)]
    text = "".join(",".join('"' + one.replace('"', '""') + '"' for one in line) + "\n" for line in lines)
    job = company.loaded({"'; DROP TABLE x; --.csv": text})
    rows = company.rows(job["user_table_id"])
    names = [one["name"] for one in company.table(job["user_table_id"])["columns"]]
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in names)
    assert [row[names[1]] for row in rows] == cells
    assert json_text(job["files"][0]["original_name"]) == json_text("'; DROP TABLE x; --.csv")


@pytest.mark.app
@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "'; SELECT 1; --"},
        {"kid": ["a"]},
        {"kid": "a" * 5_000},
        {"jku": "http://127.0.0.1:9/keys"},
        {"jwk": {"kty": "oct", "k": ""}},
        {"x5u": "http://127.0.0.1:9/x"},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"typ": "at+jwt"},
        {"cty": "JWT"},
    ],
)
def test_a_tokens_header_does_not_choose_its_key(console: Console, header: dict[str, Any]) -> None:
    """Neither a key id nor a URL in a token chooses its key: signed with another key, it is 401."""
    claims = {
        "sub": new_id(),
        "company_id": new_id(),
        "permissions": ["managed-tables:*"],
        "exp": 4_102_444_800,
        "iss": console.stack.issuer,
        "aud": console.stack.audience,
    }
    for secret in (b"", b"another secret, of 32 bytes or more, that is not it"):
        assert console.call("GET", token=_sign(claims, header, secret)).status == 401


def _sign(claims: dict[str, Any], header: dict[str, Any], secret: bytes) -> str:
    """Sign with any key and header, because PyJWT refuses to make such tokens."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    body = f"{part(json.dumps({'alg': 'HS256', **header}).encode())}.{part(json.dumps(claims).encode())}"
    return f"{body}.{part(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


@pytest.mark.app
@pytest.mark.parametrize(
    "audience", [["managed-tables", "other"], ["other"], [], {}, "other", 1, ["managed-tables", 1]]
)
def test_an_audience_is_ours_or_401(console: Console, audience: object) -> None:
    """A list with our audience is accepted; anything else is 401, never 500."""
    claims = {"sub": new_id(), "company_id": new_id(), "permissions": ["managed-tables:*"]}
    answer = console.call("GET", token=console.stack.token(**claims, aud=audience))
    good = audience == [console.stack.audience, "other"]
    assert answer.status == (200 if good else 401)
