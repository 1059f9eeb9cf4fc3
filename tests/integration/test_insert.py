"""The inserting step: every row once, in file order, or nothing and the reason."""

import threading
from pathlib import Path

import psycopg
import pytest
from loading_jobs import USER_ID, JobMaker, column

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import StepOutcome
from managed_tables.documents.statements import Additions, LoadTerms
from managed_tables.errors import JOB_FAULT, JobError
from managed_tables.jobs.ending import resolve
from managed_tables.services import Services
from managed_tables.tables import operations as operations_module
from managed_tables.tables.definitions import ColumnChange
from managed_tables.tables.operations import TableChange
from managed_tables.values import datetime_parser
from managed_tables_insert import handler as job_module
from managed_tables_insert.handler import run_job

SCHEMA = [column("n", "integer", nullable=False), column("valor", "decimal"), column("texto")]
ROWS = [["1", "1.234,50", "São 'Paulo'"], ["2", "", 'aspas " e\nlinha'], ["3", "R$ -0,10", "\\."]]
FOUND = "SELECT n, valor, texto FROM vendas ORDER BY id"


@pytest.fixture
def maker(services: Services, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    """A job maker for a company with an empty database."""
    return JobMaker(services, company, tmp_path)


def run(maker: JobMaker, job_id: str) -> StepOutcome:
    """Run the step once, as the state machine does."""
    return run_job(maker.services, maker.company.company_id, job_id)


def counted(maker: JobMaker) -> int:
    """Return the row count stored in the database."""
    return int(maker.query("SELECT coalesce(sum(row_count), 0) FROM managed_tables.row_counts")[0][0])


def test_a_new_table_holds_the_rows_exactly_and_in_order(maker: JobMaker) -> None:
    job_id = maker.inserting(ROWS, SCHEMA)
    assert run(maker, job_id) == {"outcome": "done"}
    found = [(n, str(valor) if valor is not None else None, texto) for n, valor, texto in maker.query(FOUND)]
    assert found == [(1, "1234.50", ROWS[0][2]), (2, None, ROWS[1][2]), (3, "-0.10", ROWS[2][2])]
    job = maker.job(job_id)
    assert (job.status, job.error, counted(maker)) == ("done", None, 3)
    table = maker.services.tables.find(maker.company.company_id, job.user_table_id or "")
    assert table is not None
    assert (table.state, table.source, table.display_name) == ("ready", "upload", "vendas")


KEYED = Additions(title="Vendas", description="Do ERP", key=["n"])


def test_a_new_table_has_the_title_the_key_and_the_defaults_that_were_confirmed(maker: JobMaker) -> None:
    valor = SCHEMA[1].model_copy(update={"default": "1.5"})
    job_id = maker.inserting(ROWS, [SCHEMA[0], valor, SCHEMA[2]], additions=KEYED)
    assert run(maker, job_id) == {"outcome": "done"}
    table = maker.services.tables.find(maker.company.company_id, maker.job(job_id).user_table_id or "")
    assert table is not None
    assert (table.title, table.description, table.key) == ("Vendas", "Do ERP", ("n",))
    with pytest.raises(psycopg.errors.UniqueViolation):
        maker.query("INSERT INTO vendas (id, n) VALUES (gen_random_uuid(), 1)")
    found = maker.query("INSERT INTO vendas (id, n) VALUES (gen_random_uuid(), 9) RETURNING valor::text")
    assert found == [("1.5",)]


def test_rows_that_repeat_the_key_of_a_new_table_are_named_or_left_out(maker: JobMaker) -> None:
    rows = [*ROWS, ["2", "7", "outra"]]
    job_id = maker.inserting(rows, SCHEMA, additions=KEYED)
    assert run(maker, job_id) == {"outcome": "rejected"}
    error = maker.job(job_id).error or {}
    assert (error["code"], [one["value"] for one in error["details"]]) == ("DUPLICATE_KEY", ["2"])
    assert maker.query("SELECT to_regclass('public.vendas')") == [(None,)]
    skipping = maker.inserting(rows, SCHEMA, additions=KEYED, terms=LoadTerms(on_misfit="skip"))
    assert run(maker, skipping) == {"outcome": "done"}
    result = maker.job(skipping).result
    assert result is not None
    assert (result.inserted, result.rejected) == (3, 1)


def test_row_ids_are_version_7_in_the_order_of_the_file(maker: JobMaker) -> None:
    rows = [[str(number), "", ""] for number in range(30_000)]
    assert run(maker, maker.inserting(rows, SCHEMA)) == {"outcome": "done"}
    found = maker.query("SELECT id, n FROM vendas ORDER BY id")
    assert [n for _, n in found] == list(range(30_000))
    assert {(one.version, one.variant) for one, _ in found} == {(7, "specified in RFC 4122")}


def test_a_repeated_run_does_nothing(maker: JobMaker) -> None:
    job_id = maker.inserting(ROWS, SCHEMA)
    assert [run(maker, job_id), run(maker, job_id)] == [{"outcome": "done"}] * 2
    assert counted(maker) == len(maker.query(FOUND)) == 3


def test_a_run_killed_between_commit_and_metadata_is_finished_by_the_next(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = maker.inserting(ROWS, SCHEMA)

    def die(*_arguments: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(type(maker.services.reconciliation), "end_reservation", die)
        with pytest.raises(SystemExit):
            run(maker, job_id)
    assert maker.job(job_id).status == "inserting"
    assert run(maker, job_id) == {"outcome": "done"}
    assert counted(maker) == len(maker.query(FOUND)) == 3
    assert maker.job(job_id).status == "done"


def test_runs_at_the_same_time_load_the_rows_once(maker: JobMaker) -> None:
    job_id = maker.inserting([[str(number), "1,5", "x"] for number in range(50_000)], SCHEMA)
    outcomes: list[dict[str, object]] = []
    threads = [threading.Thread(target=lambda: outcomes.append(run(maker, job_id))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [{"outcome": "done"}] * 3
    assert counted(maker) == len(maker.query(FOUND)) == 50_000


def test_misfits_are_counted_and_nothing_is_inserted(maker: JobMaker) -> None:
    rows = [[str(number), "1,5", "x"] for number in range(100)]
    bad = [["", "1,5", "x"], *[["01", "1,5", "x"]] * 24]
    job_id = maker.inserting([*rows, *bad], SCHEMA)
    assert run(maker, job_id) == {"outcome": "rejected"}
    error = maker.job(job_id).error
    assert error is not None
    assert error["code"] == "VALUES_NOT_CONVERTED"
    assert error["message"].startswith("Valores que não puderam ser convertidos: 25; nada foi inserido. ")
    assert len(error["details"]) == 20
    place = {"in": "file", "file": "vendas.csv", "column": "n"}
    assert error["details_total"] == 25
    assert error["details"][:2] == [
        {
            **place,
            "line": 102,
            "value": "",
            "code": "REQUIRED",
            "reason": "vazio em uma coluna que não aceita vazios",
        },
        {
            **place,
            "line": 103,
            "value": "01",
            "code": "NOT_AN_INTEGER",
            "reason": "começa com zero: é um código, e o zero se perderia em um número",
        },
    ]
    assert maker.query("SELECT to_regclass('public.vendas')") == [(None,)]


def test_a_rejected_job_is_confirmed_again_with_other_types(maker: JobMaker) -> None:
    job_id = maker.inserting([["01", "1", "x"]], SCHEMA)
    assert [run(maker, job_id), run(maker, job_id)] == [{"outcome": "rejected"}] * 2
    maker.confirm(job_id, [column("n"), *SCHEMA[1:]])
    assert run(maker, job_id) == {"outcome": "done"}
    assert maker.query("SELECT n FROM vendas") == [("01",)]


def test_a_character_that_postgresql_cannot_hold_is_named(maker: JobMaker) -> None:
    job_id = maker.inserting([["1", "1", "a\x00b"]], SCHEMA)
    assert run(maker, job_id) == {"outcome": "rejected"}
    error = maker.job(job_id).error
    assert error is not None
    assert error["details"][0]["reason"] == "contém o caractere NUL, que o banco não guarda"


def made_table(maker: JobMaker) -> str:
    """Return the id of a table that holds ROWS."""
    job_id = maker.inserting(ROWS, SCHEMA)
    assert run(maker, job_id) == {"outcome": "done"}
    return maker.job(job_id).user_table_id or ""


def test_an_append_adds_rows_after_the_others(maker: JobMaker) -> None:
    table_id = made_table(maker)
    job_id = maker.inserting([["4", "x"]], [SCHEMA[0], SCHEMA[2]], mode="append", table_id=table_id)
    assert run(maker, job_id) == {"outcome": "done"}
    assert [n for n, *_ in maker.query(FOUND)] == [1, 2, 3, 4]
    assert counted(maker) == 4


def test_an_append_adds_new_columns(maker: JobMaker) -> None:
    table_id = made_table(maker)
    columns = [*SCHEMA, column("dia", "date")]
    job_id = maker.inserting([["4", "1", "x", "31/12/2024"]], columns, mode="append", table_id=table_id)
    assert run(maker, job_id) == {"outcome": "done"}
    found = maker.query("SELECT n, dia::text FROM vendas ORDER BY id DESC LIMIT 2")
    assert found == [(4, "2024-12-31"), (3, None)]
    table = maker.services.tables.find(maker.company.company_id, table_id)
    assert table is not None
    assert [one.name for one in table.columns] == ["n", "valor", "texto", "dia"]


@pytest.mark.parametrize("use", [None, "filled", "stated", "loaded"])
def test_a_failed_jobs_unused_new_column_is_removed(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch, use: str | None
) -> None:
    """A column that the job added stays once somebody puts a value in it or declares it."""
    table_id, columns = made_table(maker), [*SCHEMA, column("dia", "date")]
    new_row = [["4", "1", "x", "31/12/2024"]]
    job_id = maker.inserting(new_row, columns, mode="append", table_id=table_id)
    with monkeypatch.context() as patch:
        patch.setattr(job_module.Load, "run", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(maker, job_id)
    if use == "filled":
        with maker.services.open_company(maker.company) as connection:
            connection.execute("UPDATE vendas SET dia = '2024-12-31' WHERE n = 3")
    elif use == "stated":
        stated = [ColumnChange(**{**one.model_dump(), "display_name": "Outro"}) for one in columns]
        maker.services.table_operations.update(maker.company, table_id, TableChange(columns=stated))
    elif use == "loaded":
        run(maker, maker.inserting([["5", "", "", ""]], columns, mode="append", table_id=table_id))
    resolve(maker.services, maker.job(job_id), JobError(JOB_FAULT))
    assert maker.job(job_id).status == "failed"
    table = maker.services.tables.find(maker.company.company_id, table_id)
    assert table is not None
    assert [one.name for one in table.columns] == ["n", "valor", "texto", *["dia"] * (use is not None)]
    assert counted(maker) == len(maker.query(FOUND))


@pytest.mark.parametrize("becomes", [None, "preco"])
def test_a_column_hidden_or_renamed_after_confirmation_is_not_added_again(
    maker: JobMaker, becomes: str | None
) -> None:
    """Otherwise the file's values would be in a second column of that name, apart from the earlier ones."""
    operations = maker.services.table_operations
    table_id = operations.create(maker.company, USER_ID, "vendas", SCHEMA).table_id
    job_id = maker.inserting(ROWS, SCHEMA, mode="append", table_id=table_id)
    kept = [ColumnChange(**one.model_dump()) for one in SCHEMA if one.name != "valor"]
    if becomes:
        kept.append(ColumnChange(**{**SCHEMA[1].model_dump(), "name": becomes}, previous_name="valor"))
    operations.update(maker.company, table_id, TableChange(columns=kept))
    assert run(maker, job_id)["outcome"] == "failed"
    assert (maker.job(job_id).error or {"code": ""})["code"] == "TABLE_CHANGED"
    table = maker.services.tables.find(maker.company.company_id, table_id)
    assert table
    assert {one.name for one in table.columns} == {"n", "texto", *([becomes] if becomes else [])}
    assert counted(maker) == 0


def test_new_columns_wait_for_a_reader_and_finally_say_why(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A BI tool's open transaction blocks new columns: the job waits, then fails with no internal fault."""
    monkeypatch.setattr(operations_module, "LOCK_WAIT_SECONDS", 0)
    monkeypatch.setattr(operations_module, "DDL_LOCK_TIMEOUT_MS", 50)
    table_id = maker.services.table_operations.create(maker.company, USER_ID, "vendas", SCHEMA[:2]).table_id
    first, second = (maker.inserting(ROWS, SCHEMA, mode="append", table_id=table_id) for _ in range(2))
    with maker.services.databases.company_connection(maker.company) as reader, reader.transaction():
        reader.execute("SELECT * FROM vendas")
        assert run(maker, first) == {"outcome": "busy"}
        assert maker.job(first).status == "inserting"
        ended = run_job(maker.services, maker.company.company_id, second, is_last_attempt=True)
    assert ended["outcome"] == "failed"
    assert (maker.job(second).error or {"code": ""})["code"] == "TABLE_LOCKED"
    assert run(maker, first) == {"outcome": "done"}
    assert counted(maker) == len(ROWS)


def test_a_rejected_append_adds_no_columns(maker: JobMaker) -> None:
    table_id = made_table(maker)
    columns = [*SCHEMA, column("dia", "date")]
    job_id = maker.inserting([["4", "1", "x", "31/02/2024"]], columns, mode="append", table_id=table_id)
    assert run(maker, job_id) == {"outcome": "rejected"}
    table = maker.services.tables.find(maker.company.company_id, table_id)
    assert table is not None
    assert [one.name for one in table.columns] == ["n", "valor", "texto"]


def test_a_replace_leaves_only_the_new_rows(maker: JobMaker) -> None:
    table_id = made_table(maker)
    job_id = maker.inserting([["9", "1", "x"]], SCHEMA, mode="replace", table_id=table_id)
    assert [run(maker, job_id), run(maker, job_id)] == [{"outcome": "done"}] * 2
    assert [n for n, *_ in maker.query(FOUND)] == [9]
    assert counted(maker) == 1


def test_a_failed_replace_keeps_the_old_rows(maker: JobMaker) -> None:
    table_id = made_table(maker)
    job_id = maker.inserting([["9", "1", "x"], ["y", "1", "x"]], SCHEMA, mode="replace", table_id=table_id)
    assert run(maker, job_id) == {"outcome": "rejected"}
    assert [n for n, *_ in maker.query(FOUND)] == [1, 2, 3]
    assert counted(maker) == 3


def test_readers_see_all_old_rows_or_all_new_ones_during_a_replace(maker: JobMaker) -> None:
    table_id = made_table(maker)
    rows = [[str(number), "1", "x"] for number in range(100, 60_100)]
    job_id = maker.inserting(rows, SCHEMA, mode="replace", table_id=table_id)
    seen: set[tuple[int, int]] = set()
    loader = threading.Thread(target=run, args=(maker, job_id))
    with maker.services.databases.open_company_connection(maker.company) as reader:
        loader.start()
        while loader.is_alive():
            row = reader.execute("SELECT count(*), min(n) FROM vendas").fetchone()
            assert row is not None
            seen.add((row[0], row[1]))
        loader.join()
    assert seen <= {(3, 1), (60_000, 100)}
    assert len(maker.query(FOUND)) == counted(maker) == 60_000


def test_the_readers_locks_do_not_block_a_replace(maker: JobMaker) -> None:
    """A replacement waits for no advisory lock that the company's read-only role can take."""
    table_id = made_table(maker)
    job_id = maker.inserting([["9", "1", "x"]], SCHEMA, mode="replace", table_id=table_id)
    with maker.services.databases.company_connection(maker.company) as connection:
        connection.execute("SELECT pg_advisory_lock(7205759, hashtext(%s))", [table_id])
        assert run(maker, job_id) == {"outcome": "done"}
        slots = connection.execute(
            "SELECT slot, row_count FROM managed_tables.row_counts WHERE table_id = %s", [table_id]
        ).fetchall()
    assert [count for _, count in slots] == [1]
    assert all(slot >= 0 for slot, _ in slots)


def test_two_simultaneous_replaces_leave_the_rows_of_one(maker: JobMaker) -> None:
    table_id = made_table(maker)
    jobs = [
        maker.inserting(
            [[str(first + n), "1", "x"] for n in range(20_000)], SCHEMA, mode="replace", table_id=table_id
        )
        for first in (100_000, 200_000)
    ]
    threads = [threading.Thread(target=run, args=(maker, job_id)) for job_id in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {maker.job(job_id).status for job_id in jobs} == {"done"}
    assert len(maker.query(FOUND)) == counted(maker) == 20_000


def test_a_table_deleted_meanwhile_fails_the_job(maker: JobMaker) -> None:
    table_id = made_table(maker)
    job_id = maker.inserting(ROWS, SCHEMA, mode="append", table_id=table_id)
    maker.services.table_operations.delete(maker.company, table_id)
    outcome = run(maker, job_id)
    assert outcome["outcome"] == "failed"
    error = maker.job(job_id).error
    assert error is not None
    assert (error["code"], maker.job(job_id).status) == ("TABLE_GONE", "failed")


def test_a_row_wider_than_a_postgresql_page_fails_the_job(maker: JobMaker) -> None:
    columns = [column(f"c{number}") for number in range(500)]
    job_id = maker.inserting([["31 bytes: too few to compress !"] * 500], columns)
    assert run(maker, job_id)["outcome"] == "failed"
    error = maker.job(job_id).error
    assert error is not None
    assert error["code"] == "ROW_TOO_LARGE"
    assert maker.services.tables.find_holder(maker.company.company_id, "vendas") is None


def test_times_without_a_zone_are_in_the_deployments_zone(maker: JobMaker) -> None:
    settings = maker.services.settings
    maker.services.settings = settings.model_copy(update={"default_timezone": "America/Sao_Paulo"})
    schema = [column("n", "integer"), column("quando", "datetime")]
    twice = "2018-02-17T23:30:00"
    rows = [
        ["1", "01/06/2024 10:00"],
        ["2", "2024-06-01T10:00:00Z"],
        ["3", "04/11/2018 00:30"],  # skipped
        ["4", twice],
    ]
    assert run(maker, maker.inserting(rows, schema)) == {"outcome": "done"}
    found = maker.query("SELECT (quando AT TIME ZONE 'UTC')::text FROM vendas ORDER BY id")
    assert [text for (text,) in found] == [
        "2024-06-01 13:00:00",
        "2024-06-01 10:00:00",
        "2018-11-04 03:30:00",
        "2018-02-18 02:30:00",
    ]
    parse = datetime_parser(maker.services.settings.zone)
    assert [parse(text) for text in ("2018-11-04T00:30:00", twice)] == [
        "2018-11-04T03:30:00+00:00",
        "2018-02-18T02:30:00+00:00",
    ]
