"""Uploads into a table with a key (extensions 4): upsert, and how append and replace keep the key."""

import csv
import secrets
from pathlib import Path

import httpx2
import pytest
from loading_jobs import JobMaker
from loading_jobs import column as loaded_column
from loads import Loads
from rows_client import RowsCompany
from tables_client import column, created

from managed_tables.catalog.job_records import JobMode
from managed_tables.catalog.keys import job_key as catalog_key
from managed_tables.documents.statements import LoadTerms
from managed_tables.jobs.rejects import rejects_keys
from managed_tables_insert.handler import run_job

COLUMNS = (column("loja"), column("dia", "date"), column("valor", "decimal"), column("nota"))


@pytest.fixture
def loads(loading_company: RowsCompany, tmp_path: Path) -> Loads:
    """A table with the key (loja, dia) and three rows."""
    table = created(loading_company, *COLUMNS, display_name=f"upsert_{secrets.token_hex(5)}")
    table.rows.insert(
        {"loja": "A", "dia": "2026-01-01", "valor": 1, "nota": "a"},
        {"loja": "A", "dia": "2026-01-02", "valor": 2, "nota": "b"},
        {"loja": "B", "dia": "2026-01-01", "valor": 3, "nota": "c"},
    )
    table.changed(key=["loja", "dia"])
    return Loads(JobMaker(loading_company.services, loading_company.company, tmp_path), table)


def test_rows_whose_key_exists_are_updated_and_others_inserted(loads: Loads) -> None:
    """Only the file's columns change; equal rows count as unchanged; ids stay."""
    before = {row["loja"] + row["dia"]: row["id"] for row in loads.table.rows.list()["records"]}
    rows = [["A", "2026-01-01", "10,5"], ["B", "2026-01-01", "3,0"], ["C", "2026-01-01", "7,25"]]
    assert loads.counts("upsert", rows, "loja", "dia", "valor") == (1, 1, 1)
    assert loads.rows("loja", "dia", "valor", "nota") == [
        ("A", "2026-01-01", 10.5, "a"),
        ("A", "2026-01-02", 2, "b"),
        ("B", "2026-01-01", 3, "c"),
        ("C", "2026-01-01", 7.25, None),
    ]
    after = {row["loja"] + row["dia"]: row["id"] for row in loads.table.rows.list()["records"]}
    assert before.items() <= after.items()


def test_an_empty_cell_is_a_value(loads: Loads) -> None:
    """An empty cell in one of the file's columns becomes NULL."""
    assert loads.counts("upsert", [["A", "2026-01-01", ""]], "loja", "dia", "nota") == (0, 1, 0)
    assert loads.rows("nota")[0] == (None,)


def test_rows_with_an_empty_key_are_matched(loads: Loads) -> None:
    """Loading a file twice makes no row twice, even if part of its key is empty."""
    rows = [["", "2026-01-01", "1"], ["D", "", "2"], ["", "", "3"]]
    assert loads.counts("upsert", rows, "loja", "dia", "valor") == (3, 0, 0)
    assert loads.counts("upsert", rows, "loja", "dia", "valor") == (0, 0, 3)
    assert loads.counts("upsert", [[*row[:2], "9"] for row in rows], "loja", "dia", "valor") == (0, 3, 0)


def test_a_file_of_only_key_columns_inserts_only_new_rows(loads: Loads) -> None:
    """The other rows have nothing to update."""
    assert loads.counts("upsert", [["A", "2026-01-01"], ["Z", "2026-01-01"]], "loja", "dia") == (1, 0, 1)


def test_an_upsert_adds_a_new_column(loads: Loads) -> None:
    """A column not in the table is added and filled."""
    assert loads.counts("upsert", [["A", "2026-01-01", "x"]], "loja", "dia", "extra") == (0, 1, 0)
    assert loads.rows("extra")[:2] == [("x",), (None,)]


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_a_key_that_is_too_long_fails_the_job_and_says_so(loads: Loads, mode: JobMode) -> None:
    """It said that the table had too many columns."""
    job = loads.run(mode, [[secrets.token_hex(9_000), "2026-01-01"]], "loja", "dia")
    assert job.error is not None
    assert (job.error["code"], job.status, job.is_rejected) == ("KEY_TOO_LONG", "failed", False)


def test_a_repeated_upsert_does_nothing(loads: Loads) -> None:
    """The repeated step finds the job done."""
    job = loads.run("upsert", [["A", "2026-01-01", "5"]], "loja", "dia", "valor")
    outcome = run_job(loads.maker.services, loads.maker.company.company_id, job.job_id)
    assert outcome == {"outcome": "done"}
    assert loads.maker.job(job.job_id).result == job.result


@pytest.mark.parametrize("mode", ["upsert", "append", "replace"])
def test_rows_of_one_file_with_the_same_key_are_misfits(loads: Loads, mode: JobMode) -> None:
    """Nothing is loaded, the job waits again, and each repeated row is named with the one that it repeats."""
    rows = [["X", "2026-01-01"], ["Y", "2026-01-01"], ["X", "2026-01-01"], ["X", "2026-01-01"]]
    job = loads.run(mode, rows, "loja", "dia")
    assert job.is_rejected
    assert (job.error["code"], job.error["message"][:45]) == (
        "DUPLICATE_KEY",
        "Linhas do arquivo com uma chave repetida: 2; ",
    )
    assert job.error["details"] == [
        {
            "in": "file",
            "file": "vendas.csv",
            "line": line,
            "value": "X, 2026-01-01",
            "code": "DUPLICATE_KEY",
            "reason": "repete a chave (loja, dia) da linha 2",
        }
        for line in (4, 5)
    ]
    assert len(loads.rows("loja")) == 3


def test_a_repeated_key_that_the_table_has_is_no_choice_of_one_row(loads: Loads) -> None:
    """No index refuses it, as no row is inserted: two values for one row are told, and none is taken."""
    rows = [["A", "2026-01-01", "10"], ["A", "2026-01-01", "20"]]
    job = loads.run("upsert", rows, "loja", "dia", "valor")
    assert (job.is_rejected, job.error["code"]) == (True, "DUPLICATE_KEY")
    assert loads.rows("valor") == [(1,), (2,), (3,)]


SKIPPED: dict[JobMode, tuple[list[str], tuple[int, int, int, int], dict[int, str]]] = {
    "append": (
        ["N", "P"],
        (2, 0, 0, 3),
        {
            3: "a tabela já tem uma linha com esta chave (loja, dia)",
            5: "repete a chave (loja, dia) de outra linha",
        },
    ),
    "upsert": (["N", "P"], (2, 1, 0, 2), {5: "repete a chave (loja, dia) de outra linha"}),
    "replace": (["N", "A", "P"], (3, 0, 0, 2), {5: "repete a chave (loja, dia) de outra linha"}),
}


@pytest.mark.parametrize("mode", SKIPPED)
def test_rows_that_repeat_a_key_may_be_left_out(loads: Loads, mode: JobMode) -> None:
    """With `on_misfit: skip` they are counted and in the rejects file; the first valid row is loaded."""
    new, counts, reasons = SKIPPED[mode]
    rows = [
        ["N", "2026-01-01", "1"],  # line 2
        ["A", "2026-01-01", "2"],
        ["P", "2026-01-01", "x"],
        ["N", "2026-01-01", "4"],
        ["P", "2026-01-01", "5"],
    ]
    job = loads.run(mode, rows, "loja", "dia", "valor", terms=LoadTerms(on_misfit="skip"))
    assert job.status == "done", job.error
    result = job.result
    assert (result.inserted, result.updated, result.unchanged, result.rejected) == counts
    assert result.row_count == len(rows)
    found = {row[0] for row in loads.rows("loja", "valor")}
    assert found >= set(new)
    assert ("P", 5) in loads.rows("loja", "valor")
    file, _ = rejects_keys(job) or ("", "")
    storage = loads.maker.services.storage
    text = storage.client.get_object(Bucket=storage.bucket_name, Key=file)["Body"].read().decode("utf-8-sig")
    rejected = {int(row["linha"]): row["motivo"] for row in csv.DictReader(text.splitlines(), delimiter=";")}
    assert rejected.keys() == {4, *reasons}
    assert {line: rejected[line] for line in reasons} == reasons


def test_appending_a_key_that_the_table_has_is_a_misfit(loads: Loads) -> None:
    """The row and its place are named; nothing is inserted, and there is no internal fault."""
    rows = [["N", "2026-01-01"], ["A", "02/01/2026"]]
    job = loads.run("append", rows, "loja", "dia")
    assert job.is_rejected
    [detail] = job.error["details"]
    assert (detail["line"], detail["value"]) == (3, "A, 02/01/2026")
    assert detail["reason"] == "a tabela já tem uma linha com esta chave (loja, dia)"
    assert len(loads.rows("loja")) == 3
    assert loads.counts("append", rows[:1], "loja", "dia") == (1, 0, 0)


def test_a_replacement_may_bring_the_same_keys(loads: Loads) -> None:
    """The old rows do not count as duplicates."""
    rows = [["A", "2026-01-01", "5"], ["Q", "2026-01-01", "6"]]
    assert loads.counts("replace", rows, "loja", "dia", "valor") == (2, 0, 0)
    assert loads.rows("loja", "valor", "nota") == [("A", 5, None), ("Q", 6, None)]


def test_a_new_row_needs_what_the_table_requires(loads: Loads) -> None:
    """A file without a required column may update rows; a new row in it is a misfit with its place."""
    required = {**column("valor", "decimal"), "nullable": False}
    loads.table.changed(columns=[COLUMNS[0], COLUMNS[1], required, COLUMNS[3]])
    assert loads.counts("upsert", [["A", "2026-01-01", "z"]], "loja", "dia", "nota") == (0, 1, 0)
    job = loads.run("upsert", [["A", "2026-01-01", "y"], ["N", "2026-01-01", "y"]], "loja", "dia", "nota")
    assert job.is_rejected
    [detail] = job.error["details"]
    assert (job.error["code"], detail["line"], detail["column"]) == ("VALUES_NOT_CONVERTED", 3, "valor")
    assert loads.rows("nota")[0] == ("z",)
    required["default"] = 0
    loads.table.changed(columns=[COLUMNS[0], COLUMNS[1], required, COLUMNS[3]])
    assert loads.counts("upsert", [["N", "2026-01-01", "y"]], "loja", "dia", "nota") == (1, 0, 0)


def test_a_key_that_has_changed_since_the_confirmation_stops_the_job(loads: Loads) -> None:
    """Rows are never matched by another key than the one the person saw."""
    columns = [loaded_column(name) for name in ("loja", "nota")]
    job_id = loads.maker.inserting(
        [["A", "x"]], columns, mode="upsert", table_id=loads.table.table_id, display_name=loads.table.name
    )
    loads.table.changed(key=None)
    run_job(loads.maker.services, loads.maker.company.company_id, job_id)
    job = loads.maker.job(job_id)
    assert (job.status, job.error and job.error["code"]) == ("failed", "TABLE_CHANGED")


def test_both_ways_to_upload_accept_the_mode(loads: Loads) -> None:
    """`mode=upsert` in a form and declared in JSON is 201 for a table with a key, else 422."""
    http, headers = loads.table.company.http, loads.table.rows.headers()
    url = f"/v1/managed-tables/{loads.table.table_id}/upload"
    declared = {"files": [{"name": "vendas.csv", "size_bytes": 10}], "mode": "upsert"}
    files = {"files": ("vendas.csv", b"loja;dia\nA;2026-01-01\n", "text/csv")}
    for answer in (
        http.post(url, json=declared, headers=headers),
        http.post(url, data={"mode": "upsert"}, files=files, headers=headers),
    ):
        assert answer.status_code == 201, answer.text
        assert loads.maker.job(answer.json()["job_id"]).mode == "upsert"
    loads.table.changed(key=None)
    for answer in (
        http.post(url, json=declared, headers=headers),
        http.post(url, data={"mode": "upsert"}, files=files, headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "TABLE_WITHOUT_KEY")


def confirmed(loads: Loads, job_id: str, names: list[str], **terms: object) -> httpx2.Response:
    """Confirm a job that is about to load as if it still waited."""
    loads.maker.services.items.change(
        catalog_key(loads.maker.company.company_id, job_id),
        {"status": "waiting_confirm"},
        removals=("task_token",),
    )
    return loads.table.company.http.post(
        f"/v1/managed-tables/upload-jobs/{job_id}/confirm",
        json={
            "display_name": "x",
            "columns": [loaded_column(name).as_document() for name in names],
            **terms,
        },
        headers=loads.table.rows.headers(),
    )


def test_a_confirmation_may_say_another_mode_than_the_upload(loads: Loads) -> None:
    """`mode` of confirm holds in place of the upload's, with what it asks for; a new table has none."""
    maker, names = loads.maker, ["loja", "dia", "nota"]
    columns = [loaded_column(name) for name in names]
    rows = [["A", "2026-01-01", "outra"], ["C", "2026-01-01", "d"]]
    job_id = maker.inserting(rows, columns, mode="append", table_id=loads.table.table_id, display_name="x")
    assert confirmed(loads, job_id, names[::2], mode="upsert").status_code == 422  # without a part of the key
    assert confirmed(loads, job_id, names, mode="upsert").status_code == 200
    run_job(maker.services, maker.company.company_id, job_id)
    job = maker.job(job_id)
    assert (job.status, job.mode, job.result and (job.result.inserted, job.result.updated)) == (
        "done",
        "upsert",
        (1, 1),
    )
    assert loads.rows("loja", "nota") == [("A", "outra"), ("A", "b"), ("B", "c"), ("C", "d")]
    job_id = maker.inserting(rows, columns, display_name="nova")
    answer = confirmed(loads, job_id, names, mode="replace")
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "mode")


@pytest.mark.parametrize(
    ("names", "status", "code"), [(["loja", "dia"], 200, None), (["loja", "nota"], 422, "INVALID_SCHEMA")]
)
def test_a_confirmation_names_every_column_of_the_key(
    loads: Loads, names: list[str], status: int, code: str | None
) -> None:
    """A file without one of the key's columns cannot be confirmed; required others may be missing."""
    maker = loads.maker
    columns = [loaded_column(name) for name in names]
    job_id = maker.inserting(
        [["A", "2026-01-01"]], columns, mode="upsert", table_id=loads.table.table_id, display_name="x"
    )
    answer = confirmed(loads, job_id, names)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    if code:
        assert answer.json()["details"][0]["column"] == "dia"
