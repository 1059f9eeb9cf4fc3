"""The contract, "File upload", from `queued` to `done`: jobs listed, polled and confirmed."""

import re
from typing import Any

import pytest
from client import Console, column, new_id, plain

pytestmark = pytest.mark.flow

JOB_FIELDS = {
    "_id",
    "company_id",
    "user_table_id",
    "files",
    "mode",
    "status",
    "inferred_schema",
    "confirmed_schema",
    "progress",
    "error",
    "created_at",
    "updated_at",
}
CSV = "produto;preço;quando\nCafé;1,50;02/01/2026\nChá;12,00;31/01/2026\n"
ROWS = [
    {"produto": "Café", "preco": "1.50", "quando": "2026-01-02"},
    {"produto": "Chá", "preco": "12.00", "quando": "2026-01-31"},
]
MANY = 120_000  # rows: enough for the load to be seen while it runs
UTC_MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def values(company: Console, table_id: str) -> list[dict[str, Any]]:
    """Return the table's rows without their ids, numbers as strings."""
    return [
        {name: value for name, value in row.items() if name != "id"}
        for row in company.rows(table_id, numbers="string")
    ]


def path_of(job: dict[str, Any]) -> str:
    return f"/upload-jobs/{job['_id']}/confirm"


# --- the job's record ---------------------------------------------------------------------------------
def test_a_job_from_upload_to_rows(company: Console) -> None:
    """upload → waiting_confirm → confirm → done: the contract's fields at each step, the rows at the end."""
    job = company.analyzed({"Vendas 2026.csv": CSV})
    assert set(job) >= JOB_FIELDS
    assert (job["company_id"], job["mode"], job["user_table_id"]) == (company.company_id, "create", None)
    assert (job["confirmed_schema"], job["result"], job["error"]) == (None, None, None)
    assert (job["origin"], job["progress"]) == ("upload", {"phase": "waiting", "percent": 100})
    assert UTC_MILLISECONDS.fullmatch(job["expires_at"])
    assert job["expires_at"] > job["updated_at"]
    assert UTC_MILLISECONDS.fullmatch(job["created_at"])
    [file] = job["files"]
    assert set(file) == {"original_name", "storage_path", "size_bytes", "mime_type"}
    assert (file["original_name"], file["size_bytes"]) == ("Vendas 2026.csv", len(CSV.encode()))
    assert file["mime_type"] == "text/csv"
    assert file["storage_path"].startswith("uploads/")

    schema = job["inferred_schema"]
    columns = plain(schema["columns"])
    assert schema | {"columns": columns} == {
        "suggested_table_name": "vendas_2026",
        "columns": [
            {"name": "produto", "display_name": "produto", "type": "text", "nullable": False},
            {"name": "preco", "display_name": "preço", "type": "decimal", "nullable": False},
            {"name": "quando", "display_name": "quando", "type": "date", "nullable": False},
        ],
        "sample_rows": schema["sample_rows"],
        "total_row_count_estimate": 2,
    }
    assert [str(row["preco"]) for row in schema["sample_rows"]] == ["1.50", "12.00"]
    assert schema["sample_rows"][0]["quando"] == "2026-01-02"
    assert company.ok("GET", "/upload-jobs/active") == {"records": [job]}
    assert company.ok("GET")["total"] == 0

    answer = company.confirm(job)
    assert (answer.status, answer.json) == (200, {"status": "inserting"})
    done = company.wait(job["_id"], "done")
    assert (done["error"], done["user_id"]) == (None, company.user_id)
    assert done["confirmed_schema"]["display_name"] == "vendas_2026"
    assert plain(done["confirmed_schema"]["columns"]) == columns
    table = company.table(done["user_table_id"])
    assert (table["display_name"], plain(table["columns"])) == ("vendas_2026", columns)
    assert (table["source"], table["row_count"], table["status"]) == ("upload", 2, "active")
    assert table["created_by_user_id"] == company.user_id
    assert values(company, table["_id"]) == ROWS
    assert company.ok("GET", "/upload-jobs/active") == {"records": []}


def test_a_jobs_sentences_are_read_in_either_language(company: Console) -> None:
    """What was stored in Portuguese is English on request; the ETag of one language is not the other's."""
    job = company.analyzed({"vendas.csv": f"Relatório\n\n{CSV}"})
    path, english = f"/upload-jobs/{job['_id']}", {"Accept-Language": "en"}
    tag = company.call("GET", path).headers["etag"]
    answer = company.call("GET", path, headers=english | {"If-None-Match": tag})
    assert (answer.status, answer.headers["content-language"]) == (200, "en")
    assert answer.json["warnings"][0]["text"].startswith("1 line above the table was not imported (line 1)")
    assert answer.json["inferred_schema"]["columns"][1]["inference"]["evidence"].startswith(
        "2 of 2 are of type "
    )
    same = company.call("GET", path, headers=english | {"If-None-Match": answer.headers["etag"]})
    assert (same.status, same.headers["vary"]) == (304, answer.headers["vary"])
    assert company.ok("GET", "/upload-jobs/active", headers=english)["records"] == [answer.json]


def test_a_job_that_has_not_started_is_active(company: Console) -> None:
    """A queued job is in the active listing, in the same shape as GET of one job."""
    body = {"files": [{"name": "a.csv", "size_bytes": 1}]}
    job = company.job(company.ok("POST", "/upload", body)["job_id"])
    assert set(job) >= JOB_FIELDS
    assert (job["status"], job["inferred_schema"], job["error"]) == ("queued", None, None)
    assert company.ok("GET", "/upload-jobs/active") == {"records": [job]}


@pytest.mark.parametrize("job_id", ["a" * 24, "x", "1"])
def test_an_unknown_job(company: Console, job_id: str) -> None:
    """An unknown or malformed job is 404 with the contract's message."""
    for method, path in (("GET", ""), ("POST", "/confirm")):
        answer = company.call(method, f"/upload-jobs/{job_id}{path}")
        assert (answer.status, answer.error) == (404, "Job não encontrado")


def test_a_blank_file_fails_the_job(company: Console) -> None:
    """A file with neither header nor rows fails the job: `error` has code, message and details."""
    job = company.wait(company.upload({"vazio.csv": "\n\n \n"}), "failed")
    assert set(job["error"]) == {"code", "message", "details"}
    assert "vazio.csv" in job["error"]["message"]
    assert company.ok("GET", "/upload-jobs/active") == {"records": []}
    assert (
        company.confirm(job | {"inferred_schema": {"suggested_table_name": "a", "columns": []}}).status >= 400
    )


def test_a_header_without_rows_is_accepted(company: Console) -> None:
    """A file with a header and no rows makes a table without rows."""
    done = company.loaded({"vazia.csv": "produto;preço\n"})
    assert done["inferred_schema"]["total_row_count_estimate"] == 0
    assert company.rows(done["user_table_id"]) == []


def test_an_invalid_confirmation_is_refused(company: Console) -> None:
    """An invalid name or column, a column not inferred: 422; a taken name: 400; the job still waits."""
    company.create_table("tomada")
    job = company.analyzed({"vendas.csv": CSV})
    good = job["inferred_schema"]["columns"]
    for display_name, columns, status in (
        ("Vendas", good, 422),
        ("vendas\n", good, 422),
        ("pg_vendas", good, 422),
        ("a" * 64, good, 422),
        (7, good, 422),
        ("vendas", [], 422),
        ("vendas", [column("Produto")], 422),
        ("vendas", [column("produto", "varchar")], 422),
        ("vendas", [*good, column("nova")], 422),
        ("vendas", [*good, good[0]], 422),
        ("tomada", good, 400),
    ):
        answer = company.call("POST", path_of(job), {"display_name": display_name, "columns": columns})
        assert answer.status == status, f"{display_name!r} {columns}: {answer.text}"
        if status == 400:
            assert answer.code == "MANAGED_TABLE_DUPLICATE_NAME"
    for text in ("{", "[]", "{}"):
        assert company.call("POST", path_of(job), text=text).status == 422
    assert company.job(job["_id"]) == job
    assert company.ok("GET")["total"] == 1


def test_a_confirmation_chooses_columns_order_types_and_labels(company: Console) -> None:
    """A subset drops the other columns; order, types, nullability and labels are the user's."""
    job = company.analyzed({"vendas.csv": CSV})
    chosen = [
        {"name": "quando", "display_name": "Data", "type": "text", "nullable": True},
        {"name": "preco", "display_name": "Preço (R$)", "type": "text", "nullable": True},
    ]
    assert company.confirm(job, "minhas_vendas", chosen).status == 200
    table_id = company.wait(job["_id"], "done")["user_table_id"]
    table = company.table(table_id)
    assert (table["display_name"], table["columns"]) == ("minhas_vendas", chosen)
    assert values(company, table_id) == [
        {"quando": "02/01/2026", "preco": "1,50"},
        {"quando": "31/01/2026", "preco": "12,00"},
    ]


def test_values_that_do_not_convert_can_be_corrected(company: Console) -> None:
    """Nothing is inserted, and the job waits again with `error` so that other types can be confirmed."""
    rows = [f'"linha\n{number}";{"x" if number > 4 else number}' for number in range(30)]
    job = company.analyzed({"vendas.csv": "nome;valor\n" + "\n".join(rows) + "\n"})
    columns = [column("nome", nullable=False), column("valor", "integer", nullable=False)]
    assert company.confirm(job, "vendas", columns).status == 200
    rejected = company.wait(job["_id"], "waiting_confirm")
    error = rejected["error"]
    assert set(error) == {"code", "message", "details", "details_total"}
    assert error["details_total"] == 25
    assert "25" in error["message"]
    assert len(error["details"]) == 20
    first = error["details"][0]
    assert set(first) == {"in", "file", "line", "column", "value", "code", "reason"}
    assert (first["in"], first["code"]) == ("file", "NOT_AN_INTEGER")
    assert (first["file"], first["line"]) == ("vendas.csv", 12)
    assert (first["column"], first["value"]) == ("valor", "x")
    assert first.get("sheet") is None
    assert company.ok("GET")["total"] == 0
    assert company.create_table("livre")["status"] == "active"

    assert company.confirm(rejected, "vendas").status == 200
    done = company.wait(job["_id"], "done")
    assert done["error"] is None
    assert company.table(done["user_table_id"])["row_count"] == 30


def test_empty_cells_in_a_required_column_are_named(company: Console) -> None:
    """An empty cell in a column confirmed as not nullable sends the job back to `waiting_confirm`."""
    job = company.analyzed({"vendas.csv": "nome;valor\na;1\nb;\n"})
    assert [one["nullable"] for one in job["inferred_schema"]["columns"]] == [False, True]
    columns = [column("nome"), column("valor", "integer", nullable=False)]
    assert company.confirm(job, "vendas", columns).status == 200
    rejected = company.wait(job["_id"], "waiting_confirm")
    [detail] = rejected["error"]["details"]
    assert (detail["line"], detail["column"]) == (3, "valor")


def test_progress_and_confirming_twice(company: Console) -> None:
    """A repeated confirmation gets the same answer while the job runs; `progress` says how far it is."""
    body = "\n".join(f"{number};nome {number};{number},50" for number in range(MANY))
    job = company.analyzed({"muitas.csv": f"numero;nome;valor\n{body}\n"})
    assert job["inferred_schema"]["total_row_count_estimate"] == MANY
    assert len(job["inferred_schema"]["sample_rows"]) == 20
    answers = [company.confirm(job) for _ in range(2)]
    assert [(one.status, one.json) for one in answers] == [(200, {"status": "inserting"})] * 2
    seen = []
    while (now := company.job(job["_id"]))["status"] == "inserting":
        seen.append(now["progress"])
    assert now["status"] == "done", now["error"]
    for progress in filter(None, seen):
        assert set(progress) == {"phase", "processed_rows", "total_rows", "percent"}
        assert 0 <= progress["processed_rows"] <= progress["total_rows"] == MANY
        assert 0 <= progress["percent"] <= 100
    assert any(seen)
    assert company.table(now["user_table_id"])["row_count"] == MANY
    assert company.confirm(job).status == 400
    numbers = [row["numero"] for row in company.rows(now["user_table_id"])]
    assert numbers == list(range(1_000))


def test_append_needs_the_required_columns(company: Console) -> None:
    """A confirmation without one of the table's non-nullable columns is 422."""
    table = company.create_table("vendas", column("produto"), column("preco", nullable=False))
    job = company.analyzed({"novas.csv": "produto\nCafé\n"}, table["_id"])
    answer = company.confirm(job)
    assert answer.status == 422
    assert "preco" in f"{answer.error} {answer.details}"


def test_a_job_belongs_to_its_company(company: Console) -> None:
    """Other companies' jobs are not in any listing."""
    company.ok("POST", "/upload", {"files": [{"name": "a.csv", "size_bytes": 1}]})
    other = company.other_company()
    other.provision()
    assert other.ok("GET", "/upload-jobs/active") == {"records": []}
    assert other.call("GET", f"/upload-jobs/{new_id()}").status == 404
