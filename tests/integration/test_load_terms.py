"""The terms on which rows are loaded: how columns are filled, and what happens to misfits."""

from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from loading_jobs import JobMaker, column

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.statements import LoadTerms
from managed_tables.jobs.rejects import rejects_keys
from managed_tables.services import Services
from managed_tables_analyze.analysis import analyze
from managed_tables_insert.handler import run_job
from managed_tables_reader.reading_files import SourceFile

SCHEMA = [column("n", "integer", nullable=False), column("valor", "decimal"), column("texto")]
ROWS = [
    ["1", "1,50", "bom"],
    ["dois", "2,50", "=1+1"],
    ["3", "x", "-2"],
    ["", "4,50", "'aspa"],
    ["5", "5,50", "fim"],
]
SKIP = LoadTerms(on_misfit="skip")


@pytest.fixture
def maker(services: Services, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    """A job maker for a company with an empty database."""
    return JobMaker(services, company, tmp_path)


def run(maker: JobMaker, job_id: str) -> str:
    return str(run_job(maker.services, maker.company.company_id, job_id)["outcome"])


def rejects_of(maker: JobMaker, job_id: str) -> bytes:
    keys, services = rejects_keys(maker.job(job_id)), maker.services
    assert keys
    if services.storage.find_json(keys[1]) is None:
        return b""
    found = services.s3.get_object(Bucket=services.settings.bucket_name, Key=keys[0])
    return bytes(found["Body"].read())


def test_cells_are_read_as_stated(maker: JobMaker) -> None:
    schema = [
        column("valor", "decimal"),
        column("dia", "date"),
        column("ativo", "boolean"),
        column("texto"),
        column("quando", "datetime"),
        column("ali", "datetime"),
    ]
    rows = [
        ["1.500", "02/03/2024", "ok", "  a ", "2024-01-01 10:00:00", "2024-01-01 10:00:00"],
        ["s/d", "12/31/2024", "FORA", "s/d", "2024-07-01", "2024-01-01 10:00:00Z"],
    ]
    terms = LoadTerms(
        choices={
            "valor": ColumnChoice(decimal_mark=".", null_tokens=("s/d",)),
            "dia": ColumnChoice(date_order="mdy"),
            "ativo": ColumnChoice(true_tokens=("OK",), false_tokens=("fora",)),
            "texto": ColumnChoice(trim=True, null_tokens=("s/d",), true_tokens=("a",)),  # once a boolean
            "quando": ColumnChoice(timezone="America/Sao_Paulo"),
            "ali": ColumnChoice(timezone="Asia/Tokyo"),
        }
    )
    assert run(maker, maker.inserting(rows, schema, terms=terms)) == "done"
    found = maker.query(
        "SELECT valor::text, dia::text, ativo, texto, (quando AT TIME ZONE 'UTC')::text,"
        " (ali AT TIME ZONE 'UTC')::text FROM vendas ORDER BY id"
    )
    assert found == [
        ("1.500", "2024-02-03", True, "a", "2024-01-01 13:00:00", "2024-01-01 01:00:00"),
        (None, "2024-12-31", False, None, "2024-07-01 03:00:00", "2024-01-01 10:00:00"),
    ]


def test_without_null_tokens_the_usual_ones_are_misfits(maker: JobMaker) -> None:
    rows = [["1"], ["2"], ["N/A"]]
    schema = [column("n", "integer")]
    assert run(maker, maker.inserting(rows, schema)) == "done"
    terms = LoadTerms(choices={"n": ColumnChoice(null_tokens=())})
    assert run(maker, maker.inserting(rows, schema, terms=terms, display_name="outra")) == "rejected"


def test_a_column_is_filled_from_another_of_the_file(maker: JobMaker) -> None:
    first = maker.inserting(ROWS[:1], SCHEMA)
    assert run(maker, first) == "done"
    table_id = maker.job(first).user_table_id
    staged = [column("codigo", "integer"), column("vlr", "decimal")]
    wanted = [column("n", "integer", nullable=False), column("valor", "decimal")]
    terms = LoadTerms(choices={"n": ColumnChoice(source="codigo"), "valor": ColumnChoice(source="vlr")})
    job_id = maker.inserting(
        [["7", "9,75"]], staged, mode="append", table_id=table_id, wanted=wanted, terms=terms
    )
    assert run(maker, job_id) == "done"
    assert maker.query("SELECT n, valor::text, texto FROM vendas ORDER BY id")[-1] == (7, "9.75", None)


def test_rejected_rows_are_left_out_and_can_be_fetched(maker: JobMaker) -> None:
    job_id = maker.inserting(ROWS, SCHEMA, terms=SKIP)
    assert run(maker, job_id) == run(maker, job_id) == "done"
    assert maker.query("SELECT n FROM vendas ORDER BY id") == [(1,), (5,)]
    result = maker.job(job_id).result
    assert result
    assert (result.inserted, result.rejected) == (2, 3)
    content = rejects_of(maker, job_id)
    assert content.startswith("\ufeff".encode())
    header, *lines = content.decode("utf-8-sig").splitlines()
    assert header == "n;valor;texto;arquivo;aba;linha;motivo"
    assert lines == [
        "dois;2,50;'=1+1;vendas.csv;;3;n: não é um número inteiro",
        "3;x;-2;vendas.csv;;4;valor: não é um número",
        ";4,50;''aspa;vendas.csv;;5;n: vazio em uma coluna que não aceita vazios",
    ]


def test_a_corrected_file_of_rejected_rows_loads(maker: JobMaker, tmp_path: Path) -> None:
    job_id = maker.inserting(ROWS, SCHEMA, terms=SKIP)
    assert run(maker, job_id) == "done"
    rejects, content = tmp_path / "rejects.csv", rejects_of(maker, job_id).decode("utf-8-sig")
    text = content.replace("dois", "2").replace("3;x", "3;3").replace("\n;4", "\n4;4")
    rejects.write_text(text, "utf-8-sig")
    found = analyze([SourceFile(rejects, "rejeitadas.csv")], tmp_path, ZoneInfo("UTC"))
    assert found.labels == ["n", "valor", "texto"]
    assert [finding.code for finding in found.findings] == ["REJECTED_ROWS"]
    rows = duckdb.execute(f"SELECT c0, c1, c2 FROM read_parquet('{found.staged}')").fetchall()  # noqa: S608
    assert rows == [("2", "2,50", "=1+1"), ("3", "3", "-2"), ("4", "4,50", "'aspa")]


def test_a_rejected_load_keeps_its_rejects_and_one_without_misfits_has_none(maker: JobMaker) -> None:
    job_id = maker.inserting(ROWS, SCHEMA)
    assert run(maker, job_id) == "rejected"
    assert rejects_of(maker, job_id)
    assert maker.query("SELECT to_regclass('public.vendas')") == [(None,)]
    fits = maker.inserting(ROWS[:1], SCHEMA, terms=SKIP, display_name="outra")
    assert run(maker, fits) == "done"
    assert not rejects_of(maker, fits)


def test_a_table_is_opened_to_the_files_empty_cells(maker: JobMaker) -> None:
    first = maker.inserting(ROWS[:1], SCHEMA)
    assert run(maker, first) == "done"
    table_id = maker.job(first).user_table_id or ""
    rows = [["", "4,50", "x"]]
    refused = maker.inserting(rows, SCHEMA, mode="append", table_id=table_id)
    assert run(maker, refused) == "rejected"
    terms = LoadTerms(make_nullable=("n",))
    job_id = maker.inserting(rows, SCHEMA, mode="append", table_id=table_id, terms=terms)
    assert run(maker, job_id) == "done"
    assert maker.query("SELECT n, texto FROM vendas ORDER BY id") == [(1, "bom"), (None, "x")]
    table = maker.services.tables.find(maker.company.company_id, table_id)
    assert table
    assert [one.nullable for one in table.columns] == [True, True, True]
