"""Another company gets nothing: every operation of the OpenAPI document, with another company's ids.

The operations come from the document that the stack serves, so that a new route is in the matrix at
once, or the test says that it has no body here.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from client import Console, column, new_id

from managed_tables.errors import EXPORT_NOT_FOUND, VIEW_NOT_FOUND

PREFIX = "/v1/managed-tables"
FILES = {"files": [{"name": "a.csv", "size_bytes": 4}]}
TABLE = {"display_name": "roubada", "columns": [column("produto")]}

# A valid body for each operation, so that only the id can be the reason for a refusal
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/{table_id}/upload"): FILES,
    ("POST", "/{table_id}/data"): {"rows": [{"produto": "roubada"}]},
    ("PUT", "/{table_id}"): {"display_name": "roubada"},
    ("PATCH", "/{table_id}"): {"display_name": "roubada"},
    ("PUT", "/{table_id}/data/{row_id}"): {"produto": "roubada"},
    ("PATCH", "/{table_id}/data/{row_id}"): {"produto": "roubada"},
    ("PATCH", "/{table_id}/data"): {"where": {"and": []}, "set": {"produto": "roubada"}, "all": True},
    ("POST", "/{table_id}/data/delete"): {"where": {"and": []}, "all": True},
    ("POST", "/{table_id}/data/query"): {"fields": ["produto"]},
    ("POST", "/{table_id}/exports"): {"format": "csv"},
    ("POST", "/{table_id}/trash/restore"): {"deleted_after": "2020-01-01"},
    ("POST", "/{table_id}/views"): {"name": "roubada"},
    ("PUT", "/{table_id}/views/{view_id}"): {"name": "roubada"},
    ("PUT", "/{table_id}/recipe"): {"mode": "append"},
    ("PUT", "/upload-jobs/{job_id}/draft"): {"display_name": "roubada"},
    ("POST", "/upload-jobs/{job_id}/confirm"): TABLE,
    ("POST", "/upload-jobs/{job_id}/reanalyze"): {"tables": [{"file": 0, "sheet": None}]},
    ("POST", "/upload-jobs/{job_id}/undo"): {"force": True},
}
# Operations without a company's ids: these see only the caller's company
WITHOUT_IDS = {
    ("GET", ""),
    ("POST", ""),
    ("POST", "/provision"),
    ("GET", "/status"),
    ("POST", "/upload"),
    ("POST", "/upload/form"),
    ("GET", "/upload-jobs"),
    ("GET", "/upload-jobs/active"),
    ("GET", "/connection"),
    ("POST", "/connection/rotate"),
    ("GET", "/exports"),
}
SENTENCES = {
    "Tabela não encontrada",
    "Job não encontrado",
    "Linha não encontrada",
    EXPORT_NOT_FOUND.sentence,
    VIEW_NOT_FOUND.sentence,
}


@dataclass(frozen=True)
class Belongings:
    """What a company has: the ids used in paths."""

    table_id: str
    row_id: str
    job_id: str
    export_id: str
    view_id: str

    def fill(self, path: str, **others: str) -> str:
        return path.format(**(vars(self) | others))


def operations(console: Console) -> list[tuple[str, str]]:
    """Return method and path (without the prefix) of every operation that requires a token."""
    document = console.ok("GET", "/openapi.json", token="")
    return [
        (method.upper(), path.removeprefix(PREFIX))
        for path, found in document["paths"].items()
        for method, operation in found.items()
        if method in {"get", "post", "put", "patch", "delete"} and operation.get("security")
    ]


def create_belongings(console: Console) -> Belongings:
    """Give a company a table with a row and a job that waits for confirmation."""
    console.provision()
    table_id = console.create_table("vendas", column("produto"))["_id"]
    console.insert(table_id, {"produto": "Café"})
    job = console.analyzed({"a.csv": "produto\nLeite\n"})
    export = console.ok("POST", f"/{table_id}/exports", {"format": "csv"})
    view = console.ok("POST", f"/{table_id}/views", {"name": "minha"})
    return Belongings(table_id, console.rows(table_id)[0]["id"], job["_id"], export["export_id"], view["_id"])


def picture(console: Console) -> Any:
    """Return everything that the API shows of a company."""
    tables = console.ok("GET", params={"per_page": 100})
    jobs = console.ok("GET", "/upload-jobs/active")
    return tables, jobs, [console.ok("GET", f"/{one['_id']}/data") for one in tables["records"]]


@pytest.fixture
def victim(console: Console) -> Console:
    return console


@pytest.mark.flow
def test_every_operation_with_another_companys_ids_is_404(victim: Console) -> None:
    """Any mix of another company's ids and the caller's is 404, and nothing of the other company changes."""
    theirs = create_belongings(victim)
    thief = victim.other_company()
    own = create_belongings(thief)
    before = picture(victim), picture(thief)
    matrix = operations(victim)
    assert {(method, path) for method, path in matrix if "{" not in path} == WITHOUT_IDS
    tried = 0
    for method, path in matrix:
        names = [name for name in vars(theirs) if f"{{{name}}}" in path]
        assert bool(names) == ("{" in path), f"unknown parameter in {path}"
        for stolen in itertools.product([True, False], repeat=len(names)):
            if not any(stolen):
                continue
            ids = {
                name: getattr(theirs if taken else own, name)
                for name, taken in zip(names, stolen, strict=True)
            }
            for form in (str, str.upper):
                answer = thief.call(
                    method,
                    path.format(name="produto", **{name: form(value) for name, value in ids.items()}),
                    BODIES.get((method, path)),
                )
                assert (answer.status, answer.error in SENTENCES) == (404, True), (method, path, answer.text)
                tried += 1
    assert tried >= 2 * 15
    assert (picture(victim), picture(thief)) == before


def test_the_same_answer_whether_it_exists_or_not(company: Console) -> None:
    """Nothing in the answer tells another company's id from an invented one."""
    table_id = company.create_table()["_id"]
    thief = company.other_company()
    thief.provision()
    for method, path in operations(company):
        if path.count("{") == 1 and "{table_id}" in path:
            body = BODIES.get((method, path))
            one, other = (thief.call(method, path.format(table_id=key), body) for key in (table_id, new_id()))
            assert (one.status, one.text) == (other.status, other.text) == (404, other.text)


def test_routes_without_ids_see_only_the_callers_company(company: Console) -> None:
    """Another company's listings, status and provisioning show and change nothing of this company."""
    company.create_table("vendas")
    company.ok("POST", "/upload", FILES)
    mine = company.ok("GET", "/status")["connection_id"]
    stranger = company.other_company()
    assert stranger.ok("GET")["records"] == []
    assert stranger.ok("GET", "/upload-jobs/active")["records"] == []
    assert stranger.ok("GET", "/status")["connection_id"] != mine
    assert stranger.provision() != mine
    assert stranger.create_table("vendas")["display_name"] == "vendas"


def test_a_search_and_a_cursor_stay_inside_the_company(company: Console) -> None:
    """Query parameters reach no other company either: a search, a cursor at another company's row."""
    table_id = company.create_table("vendas")["_id"]
    company.insert(table_id, *({"produto": f"p{number}"} for number in range(3)))
    page = company.ok("GET", f"/{table_id}/data", params={"per_page": 1})
    thief = company.other_company()
    thief.provision()
    own = thief.create_table("vendas")["_id"]
    assert thief.ok("GET", params={"search": "vendas"})["total"] == 1
    cursor = page.get("next_cursor")
    if cursor:
        answer = thief.call("GET", f"/{own}/data", params={"cursor": cursor})
        assert answer.status in {200, 422}
        assert "p0" not in answer.text


# --- presigned posts ---------------------------------------------------------------------------------
@pytest.mark.parametrize("change", ["other company", "other job", "up a folder", "jobs", "inbox", "absolute"])
def test_a_presigned_post_writes_its_own_key_only(company: Console, change: str) -> None:
    """One file's form allows no other key: not in another company, another job or another folder."""
    upload = company.ok("POST", "/upload", FILES)["uploads"][0]
    key = upload["fields"]["key"]
    other = {
        "other company": key.replace(company.company_id, new_id()),
        "other job": "/".join([*key.split("/")[:2], new_id(), "00.csv"]),
        "up a folder": f"{key}/../01.csv",
        "jobs": key.replace("uploads/", "jobs/"),
        "inbox": key.replace("uploads/", "inbox/"),
        "absolute": f"/{key}",
    }[change]
    forged = {**upload, "fields": {**upload["fields"], "key": other}}
    assert 400 <= company.post_to_s3(forged, b"a\n1\n").status_code < 500


@pytest.mark.parametrize(
    "tampered", ["policy", "x-amz-signature", "x-amz-credential", "x-amz-date", "x-amz-algorithm"]
)
def test_a_presigned_post_is_refused_when_tampered_with(company: Console, tampered: str) -> None:
    """No field of the signature can be changed or left out."""
    upload = company.ok("POST", "/upload", FILES)["uploads"][0]
    fields = {name.lower(): value for name, value in upload["fields"].items()}
    assert tampered in fields
    changed = {**fields, tampered: fields[tampered][:-2] + "xx"}
    missing = {name: value for name, value in fields.items() if name != tampered}
    for forged in (changed, missing):
        assert 400 <= company.post_to_s3({**upload, "fields": forged}, b"a\n1\n").status_code < 500


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.csv",
        "..\\..\\windows\\system32.csv",
        "/absolute.csv",
        "uploads/5f0000000000000000000001/x.csv",
        "%2e%2e%2fx.csv",
        "x.csv/../../../y.csv",
        "$(id).csv",
        "'; DROP TABLE vendas; --.csv",
        "a b\u202evsc.csv".replace("\u202e", ""),
        "…………….csv",
        ".csv",
        "..csv",
    ],
)
def test_a_file_name_never_reaches_the_key(company: Console, name: str) -> None:
    """The object's key consists of ids and a number, whatever the file's name."""
    answer = company.call("POST", "/upload", {"files": [{"name": name, "size_bytes": 4}]})
    if answer.status == 422:
        return
    assert answer.status == 201
    key = answer.json["uploads"][0]["fields"]["key"]
    assert key == f"uploads/{company.company_id}/{answer.json['job_id']}/00.csv"


def test_nobody_reads_the_bucket(company: Console) -> None:
    """Without the account's credentials, objects cannot be read, listed or overwritten."""
    upload = company.ok("POST", "/upload", FILES)["uploads"][0]
    assert company.post_to_s3(upload, b"a\n1\n").status_code == 204
    where = f"{upload['url'].rstrip('/')}/{upload['fields']['key']}"
    for method, url in (("GET", where), ("PUT", where), ("DELETE", where), ("GET", upload["url"])):
        assert company.http.request(method, url, content=b"x").status_code == 403
