"""Exports: what each format holds, to the last digit; which rows, in which order; how exports end."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from exporting import ExportMaker, column
from openpyxl import load_workbook
from psycopg import sql
from rows_client import RowsClient, RowsCompany

from managed_tables.catalog.keys import EXPORT, item_key
from managed_tables.exports import ExportRequest
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.schema import ColumnFormat, ColumnType
from managed_tables.tables.definitions import TableChange
from managed_tables_api.auth import Caller
from managed_tables_api.calls import known_export
from managed_tables_export import snapshot, workbook
from managed_tables_reader.workbooks.xlsx.strings import unescape_hex

COLUMNS = [
    column("nome", "text", "Nome do Produto"),
    column("n", "integer"),
    column("v", "decimal", "Preço (R$)"),
    column("pago", "boolean"),
    column("dia", "date"),
    column("quando", "datetime"),
]
WIDE_ROWS = 2_500  # two vectors
BIG = "123456789012345678901234567890.123456789012345678901234567890"
ROWS: list[list[str | None]] = [
    ["Café; forte", "1", "1234.50", "true", "2026-01-31", "2026-01-31 10:30:00+00"],
    ['diz "olá"\ne mais', "-9007199254740993", "-0.01", "false", "0001-01-01", "2026-01-31 10:30:00.25+00"],
    [None, None, None, None, None, None],
    ["", "9223372036854775807", BIG, "true", "9999-12-31", "1999-12-31 23:59:59.123456+00"],
    ["=1+1", "0", "100000000000000000000", "false", "1900-02-28", "1850-06-01 12:00:00+00"],
]


@pytest.fixture
def maker(rows_company: RowsCompany) -> Iterator[ExportMaker]:
    yield ExportMaker(rows_company.services, rows_company.company)
    rows_company.drop_tables()


def parquet(raw: bytes, folder: Path) -> duckdb.DuckDBPyRelation:
    """Return the rows of a Parquet file."""
    file = folder / "a.parquet"
    file.write_bytes(raw)
    return duckdb.read_parquet(str(file))


def test_rfc4180_has_names_points_and_iso(maker: ExportMaker) -> None:
    text = maker.export(maker.table(COLUMNS, ROWS), format="csv", dialect="rfc4180").decode()
    assert text.split("\r\n") == [
        "nome,n,v,pago,dia,quando",
        "Café; forte,1,1234.50,true,2026-01-31,2026-01-31T10:30:00Z",
        '"diz ""olá""\ne mais",-9007199254740993,-0.01,false,0001-01-01,2026-01-31T10:30:00.25Z',
        ",,,,,",
        f'"",9223372036854775807,{BIG},true,9999-12-31,1999-12-31T23:59:59.123456Z',
        "=1+1,0,100000000000000000000,false,1900-02-28,1850-06-01T12:00:00Z",
        "",
    ]


def test_excel_br_has_labels_commas_brazilian_dates_and_no_formulas(maker: ExportMaker) -> None:
    table = maker.table(COLUMNS, ROWS)
    raw = maker.export(table, format="csv", dialect="excel-br", formula_safe=True)
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode("utf-8-sig").split("\r\n") == [
        "Nome do Produto;N;Preço (R$);Pago;Dia;Quando",
        '"Café; forte";1;1234,50;VERDADEIRO;31/01/2026;31/01/2026 10:30:00',
        '"diz ""olá""\ne mais";-9007199254740993;-0,01;FALSO;01/01/0001;31/01/2026 10:30:00,25',
        ";;;;;",
        f'"";9223372036854775807;{BIG.replace(".", ",")};VERDADEIRO;31/12/9999;31/12/1999 23:59:59,123456',
        "'=1+1;0;100000000000000000000;FALSO;28/02/1900;01/06/1850 12:00:00",
        "",
    ]
    assert b"\r\n=1+1;" in maker.export(table, format="csv", dialect="excel-br", formula_safe=False)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " ="])
def test_a_text_that_a_spreadsheet_would_run_has_an_apostrophe(maker: ExportMaker, start: str) -> None:
    table = maker.table([column("t", "text", f"{start}x")], [[f"{start}1+1"], ["1=1"]])
    text = maker.export(table, format="csv", dialect="excel-br", formula_safe=True).decode("utf-8-sig")
    assert text.count(f"'{start}") == 2
    assert "'1=1" not in text


def test_json_lines_have_every_digit(maker: ExportMaker) -> None:
    lines = maker.export(maker.table(COLUMNS, ROWS), format="jsonl").decode().splitlines()
    found = [json.loads(line, parse_float=Decimal) for line in lines]
    assert list(found[0]) == ["nome", "n", "v", "pago", "dia", "quando"]
    assert found[1] == {
        "nome": 'diz "olá"\ne mais',
        "n": -9007199254740993,
        "v": Decimal("-0.01"),
        "pago": False,
        "dia": "0001-01-01",
        "quando": "2026-01-31T10:30:00.25Z",
    }
    assert set(found[2].values()) == {None}
    assert (found[3]["v"], found[3]["nome"]) == (Decimal(BIG), "")


def test_parquet_has_types_that_hold_the_values(maker: ExportMaker, tmp_path: Path) -> None:
    table = maker.table(COLUMNS, ROWS)
    found = parquet(maker.export(table, format="parquet"), tmp_path)
    assert dict(zip(found.columns, map(str, found.types), strict=True)) == {
        "nome": "VARCHAR",
        "n": "BIGINT",
        "v": "VARCHAR",  # of 60 digits, more than a Parquet decimal holds
        "pago": "BOOLEAN",
        "dia": "DATE",
        "quando": "TIMESTAMP WITH TIME ZONE",
    }
    rows = found.project("* REPLACE (epoch_us(quando) AS quando)").fetchall()
    assert [(row[0], row[1], row[2]) for row in rows] == [
        (nome, int(n) if n else None, v) for nome, n, v, *_ in ROWS
    ]
    assert rows[1][3:5] == (False, date(1, 1, 1))
    assert rows[0][5] == int(datetime.fromisoformat("2026-01-31T10:30:00+00:00").timestamp()) * 1_000_000


def test_parquet_holds_text_of_any_characters(maker: ExportMaker, tmp_path: Path) -> None:
    """Backslashes, line ends, tabs, what means NULL or an escape elsewhere, the empty text."""
    texts = [
        "\\N", "\\", "\\\\", "\\n", "\\\\n\n", "a\tb\nc\rd\ve\ff\bg", "", " ", None, "\ufeffx",
        '"', "'", ",", "\\.", "\\x41",
    ]  # fmt: skip
    table = maker.table([column("texto", "text")], [[text] for text in texts])
    assert parquet(maker.export(table, format="parquet"), tmp_path).fetchall() == [(text,) for text in texts]


def test_decimals_that_fit_are_decimals_in_parquet(maker: ExportMaker, tmp_path: Path) -> None:
    columns = [column("v", "decimal"), column("w", "decimal")]
    table = maker.table(columns, [["12.50", None], ["-1234.125", None]])
    found = parquet(maker.export(table, format="parquet"), tmp_path)
    assert list(map(str, found.types)) == ["DECIMAL(7,3)", "DECIMAL(1,0)"]
    assert found.project("v").fetchall() == [(Decimal("12.500"),), (Decimal("-1234.125"),)]


def cells(raw: bytes) -> list[list[Any]]:
    book = load_workbook(io.BytesIO(raw))
    return [[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()]


def test_a_workbook_has_real_numbers_dates_and_texts(maker: ExportMaker) -> None:
    table, rename = maker.table(COLUMNS, ROWS), maker.services.table_operations.update
    table = rename(maker.company, table.table_id, TableChange(display_name="history"))
    raw = maker.export(table, format="xlsx")
    assert cells(raw) == [
        ["Nome do Produto", "N", "Preço (R$)", "Pago", "Dia", "Quando"],
        ["Café; forte", 1, 1234.5, True, datetime(2026, 1, 31), datetime(2026, 1, 31, 10, 30)],
        [
            'diz "olá"\ne mais', "-9007199254740993", -0.01, False, "0001-01-01",
            datetime(2026, 1, 31, 10, 30, 0, 250_000),
        ],
        [None] * 6,
        [
            None, "9223372036854775807", BIG, True, datetime(9999, 12, 31),
            "1999-12-31T23:59:59.123456",
        ],
        ["=1+1", 0, 1e20, False, "1900-02-28", "1850-06-01T12:00:00.000000"],
    ]  # fmt: skip
    sheet = load_workbook(io.BytesIO(raw)).worksheets[0]
    assert (sheet.title, sheet.freeze_panes) == ("history_1", "A2")  # Excel keeps the plain name
    assert sheet["A6"].data_type == "s"  # not a formula
    assert (sheet["E2"].number_format, sheet["F2"].number_format) == ("dd/mm/yyyy", "dd/mm/yyyy hh:mm:ss")


def test_a_workbook_looks_like_the_table(maker: ExportMaker) -> None:
    """Currencies, decimals, thousands, percents, days are as the columns' formats say; heads filter."""
    formats: list[tuple[ColumnType, dict[str, Any], str, str]] = [
        (ColumnType.DECIMAL, {"currency": "BRL"}, "1234.5", '"R$" #,##0.00'),
        (ColumnType.DECIMAL, {"decimals": 3, "thousands": False}, "1234.5", "0.000"),
        (ColumnType.DECIMAL, {"percent": True, "decimals": 1}, "0.875", "#,##0.0%"),
        (ColumnType.DECIMAL, {"thousands": True}, "12.3456789", "General"),
        (ColumnType.INTEGER, {"thousands": True}, "1234", "#,##0"),
        (ColumnType.DATE, {"date": "month"}, "2026-01-01", "mm/yyyy"),
        (ColumnType.DATETIME, {"date": "time"}, "2026-01-01 10:30:00-03", "dd/mm/yyyy hh:mm:ss"),
    ]
    columns = [
        column(f"c{at}", kind.value).model_copy(update={"format": ColumnFormat.model_validate(shown)})
        for at, (kind, shown, *_) in enumerate(formats)
    ]
    row = [text for _, _, text, _ in formats]
    raw = maker.export(maker.table(columns, [row, row]), format="xlsx")
    sheet = load_workbook(io.BytesIO(raw)).worksheets[0]
    assert [cell.number_format for cell in sheet[2]] == [wanted for *_, wanted in formats]
    assert sheet.auto_filter.ref == "A1:G3"


@pytest.mark.parametrize("limit", [{"SHEET_ROWS": 3}, {"SHEET_BYTES": 1, "BATCH_ROWS": 3}], ids=str)
def test_rows_beyond_one_sheet_go_to_more_sheets(
    maker: ExportMaker, monkeypatch: pytest.MonkeyPatch, limit: dict[str, int]
) -> None:
    for name, value in limit.items():
        monkeypatch.setattr(workbook, name, value)
    table = maker.table([column("n", "integer")], [[str(number)] for number in range(7)])
    book = load_workbook(io.BytesIO(maker.export(table, format="xlsx")))
    assert book.sheetnames == [table.display_name + suffix for suffix in ("", "_2", "_3")]
    assert [[cell.value for (cell,) in sheet.iter_rows()] for sheet in book] == [
        ["N", 0, 1, 2],
        ["N", 3, 4, 5],
        ["N", 6],
    ]


@pytest.mark.parametrize(
    "text", ["a\x01b", "a\rb\r\nc", "_x000D_", "\ufffe", " a ", "=SUM(A1)", "#N/A", "x" * 32_767]
)
def test_any_text_is_the_same_in_a_workbook(maker: ExportMaker, text: str) -> None:
    raw = maker.export(maker.table([column("t")], [[text]]), format="xlsx")
    [[_], [found]] = cells(raw)
    assert unescape_hex(found) == text  # as Excel and our reader do; openpyxl leaves it encoded


def test_a_text_too_long_for_a_cell_fails_the_export(maker: ExportMaker) -> None:
    table = maker.table([column("t")], [["x"], ["😀" * 16_384]])
    export = maker.queue(table, format="xlsx")
    assert maker.run(export) == {"outcome": "failed"}
    found = maker.find(export)
    assert found.error is not None
    assert found.error["code"] == "EXPORT_TEXT_TOO_LONG"
    assert maker.objects(export) == []


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "jsonl"])
def test_an_empty_table_makes_a_file(maker: ExportMaker, form: str) -> None:
    export = maker.queue(maker.table(COLUMNS), format=form)
    assert maker.run(export) == {"outcome": "done"}
    assert (maker.find(export).rows, len(maker.objects(export))) == (0, 1)


def test_where_fields_and_sort_choose_what_is_exported(maker: ExportMaker) -> None:
    rows = [["b", "2"], ["a", "2"], ["c", None], ["d", "1"], ["é", "9"]]
    table = maker.table([column("t"), column("n", "integer")], rows)
    where = {"not": {"column": "n", "op": "gt", "value": 5}}
    text = maker.export(table, format="csv", where=where, fields=["n", "t"], sort=["-n", "t"]).decode()
    assert text.split("\r\n") == ["n,t", "2,a", "2,b", "1,d", ",c", ""]
    by_id = maker.export(table, format="csv", fields=["id"], sort=["-id"]).decode().split("\r\n")
    assert by_id[:2] == ["id", "00000000-0000-7000-8000-000000000004"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "jsonl"])
def test_every_format_accepts_a_filter(maker: ExportMaker, form: str) -> None:
    table = maker.table([column("t"), column("v", "decimal")], [["a", "1.5"], ["b", "2.5"], ["a", "3"]])
    where = {"column": "t", "op": "eq", "value": "a"}
    for asked, count in (({"where": where}, 2), ({"q": "2,5"}, 1), ({"where": where, "q": "2,5"}, 0)):
        export = maker.queue(table, format=form, **asked)
        assert (maker.run(export), maker.find(export).rows) == ({"outcome": "done"}, count)


def test_a_deleted_or_changed_table_is_reported(maker: ExportMaker) -> None:
    table = maker.table([column("t")], [["a"]])
    changed, deleted = maker.queue(table, format="csv"), maker.queue(table, format="csv")
    operations = maker.services.table_operations
    operations.update(maker.company, table.table_id, TableChange(display_name=f"{table.display_name}_2"))
    assert maker.run(changed) == {"outcome": "failed"}
    operations.delete(maker.company, table.table_id)
    assert maker.run(deleted) == {"outcome": "failed"}
    codes = [(maker.find(one).error or {}).get("code") for one in (changed, deleted)]
    assert codes == ["EXPORT_TABLE_CHANGED", "EXPORT_TABLE_GONE"]


def test_a_request_that_is_refused_is_not_tried_again(
    maker: ExportMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """It was valid when it was made; the release that runs it refuses it, logs why, and raises the alarm."""
    export = maker.queue(maker.table([column("t")], [["a"]]), format="csv", fields=["n"])
    assert maker.run(export) == {"outcome": "fault"}
    assert (maker.find(export).error or {"code": ""})["code"] == "EXPORT_FAULT"
    assert maker.objects(export) == []
    assert [one.levelname for one in caplog.records if one.exc_info] == ["ERROR"]


def test_a_run_without_enough_time_says_so(maker: ExportMaker) -> None:
    rows = [["x" * 1_000] for _ in range(400)]
    export = maker.queue(maker.table([column("t")], rows), format="csv")
    assert maker.run(export, stop_at=0) == {"outcome": "failed"}
    assert (maker.find(export).error or {"code": ""})["code"] == "EXPORT_TOO_LARGE"
    assert maker.objects(export) == []


def test_a_cluster_that_is_away_is_waited_for(maker: ExportMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run, when the cluster is there, writes the file."""
    export = maker.queue(maker.table([column("t")], [["x"]]), format="csv")
    services, gone = maker.services, maker.services.postgres_secret.model_copy(update={"port": 1})
    away = replace(services.databases, address=lambda _cluster: gone, connect_deadline_seconds=0.1)
    with monkeypatch.context() as patch:
        patch.setitem(services.__dict__, "databases", away)
        assert maker.run(export) == {"outcome": "busy"}
    assert maker.run(export) == {"outcome": "done"}


def test_a_second_run_changes_nothing(maker: ExportMaker) -> None:
    export = maker.queue(maker.table([column("t")], [["a"]]), format="csv")
    assert [maker.run(export), maker.run(export)] == [{"outcome": "done"}] * 2
    assert maker.objects(export) == [maker.find(export).key]


def test_rows_written_meanwhile_are_not_in_the_snapshot(
    maker: ExportMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export shows one moment: a row committed after its snapshot began is not exported."""
    table = maker.table([column("t")], [["antes"]])
    select = ExportRequest.select

    def select_late(*arguments: Any) -> Any:
        maker.insert(table, [["depois"]], first=1)  # once the snapshot is open
        return select(*arguments)

    monkeypatch.setattr(ExportRequest, "select", select_late)
    assert maker.export(table, format="csv").decode().split("\r\n") == ["t", "antes", ""]


def test_a_late_run_deletes_what_it_wrote(maker: ExportMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run has taken over the export: only its file is there."""
    export = maker.queue(maker.table([column("t")], [["a"]]), format="csv")
    select = ExportRequest.select
    others: list[Any] = []

    def select_after_another(*arguments: Any) -> Any:
        if not others:
            others.append("begun")
            others.append(maker.run(export))
        return select(*arguments)

    monkeypatch.setattr(ExportRequest, "select", select_after_another)
    assert maker.run(export) == {"outcome": "done"}
    assert others[1] == {"outcome": "done"}
    assert maker.objects(export) == [maker.find(export).key]


def test_progress_is_recorded_while_rows_are_exported(
    maker: ExportMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("managed_tables.catalog.job_records.PROGRESS_SECONDS", 0)
    monkeypatch.setattr(snapshot, "BATCH_BYTES", 10)
    export = maker.queue(maker.table([column("t")], [["x" * 10] for _ in range(4)]), format="csv")
    seen = []
    keep = maker.services.exports.report_progress
    monkeypatch.setattr(
        maker.services.exports, "report_progress", lambda *given: (seen.append(given[1]), keep(*given))[1]
    )
    maker.run(export)
    assert [one.processed_rows for one in seen] == [1, 2, 3, 4]
    assert seen[1].as_json() == {"phase": "writing", "processed_rows": 2, "total_rows": 4, "percent": 50}
    assert maker.find(export).progress is None


def test_an_export_that_does_not_end_is_shown_as_failed(maker: ExportMaker) -> None:
    export = maker.queue(maker.table([column("t")]), format="csv", deadline="2020-01-01T00:00:00.000Z")
    caller = Caller("", export.company_id, frozenset())
    found = known_export(export.export_id, caller, maker.services)
    assert (found.status, (found.error or {"code": ""})["code"]) == ("failed", "EXPORT_EXPIRED")


def test_exports_are_listed_newest_first(rows_company: RowsCompany, maker: ExportMaker) -> None:
    """Of one table and of all, in pages, each as it is shown alone; those that are gone are not listed."""

    def listed(table_id: str, path: str, **query: Any) -> Any:
        client = RowsClient(maker.services, maker.company, rows_company.http, table_id)
        url = f"/v1/managed-tables{path}"
        answer = rows_company.http.get(url, params=query, headers=client.headers())
        return answer.status_code, answer.json()

    first, second = maker.table([column("t")], [["x"]]), maker.table([column("t")])
    tables = (first, second, first)
    done, other, overdue = made = [maker.queue(one, format="csv") for one in tables[:2]] + [
        maker.queue(first, format="xlsx", deadline="2020-01-01T00:00:00.000Z")
    ]
    maker.run(done)
    gone = maker.queue(first, format="csv")
    maker.services.items.change(
        item_key(gone.company_id, EXPORT, gone.export_id),
        {"status": "failed", "ended_at": "2020-01-01T00:00:00.000Z"},
    )
    status, answer = listed(first.table_id, f"/{first.table_id}/exports")
    assert (status, answer["total"], answer["quantity"]) == (200, 2, 2)
    assert [one["_id"] for one in answer["records"]] == [overdue.export_id, done.export_id]
    assert [one["status"] for one in answer["records"]] == ["failed", "done"]
    assert answer["records"][1]["url"].startswith("http")
    ids = [one.export_id for one in made[::-1]]
    _, everything = listed(first.table_id, "/exports", per_page=100)
    assert [one["_id"] for one in everything["records"]][:3] == ids
    _, page = listed(first.table_id, "/exports", page=2, per_page=1)
    assert (page["total"], [one["_id"] for one in page["records"]]) == (
        everything["total"],
        [other.export_id],
    )
    status, answer = listed(first.table_id, f"/{maker.company.company_id}/exports")
    assert (status, answer["code"]) == (404, "TABLE_NOT_FOUND")
    assert listed(first.table_id, "/exports", per_page=101)[0] == 422


def test_the_widest_table_is_exported_as_parquet(maker: ExportMaker, tmp_path: Path) -> None:
    """Its row groups are small enough to fit in the writer's memory."""
    columns = [column(f"c{number}") for number in range(MAX_COLUMNS)]
    table = maker.table(columns)
    cells = sql.SQL(", ").join([sql.SQL("(i % 97)::text")] * MAX_COLUMNS)
    fill = sql.SQL("INSERT INTO {} SELECT gen_random_uuid(), {} FROM generate_series(1, {}) AS i")
    with maker.services.databases.company_connection(maker.company) as connection:
        connection.execute(fill.format(sql.Identifier(table.display_name), cells, sql.Literal(WIDE_ROWS)))
    found = parquet(maker.export(table, format="parquet"), tmp_path)
    assert found.aggregate("count(*), count(DISTINCT c0), max(c1::integer)").fetchall() == [
        (WIDE_ROWS, 97, 96)
    ]
