"""Random tables → exported → uploaded again, or read by DuckDB → the same labels, types and values."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from exporting import ExportMaker, column
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from rows_client import RowsCompany

from managed_tables.conversion.times import ZONED
from managed_tables.schema import Column, ColumnFormat, ColumnType
from managed_tables_analyze.analysis import analyze
from managed_tables_api.services import ApiServices
from managed_tables_insert.plan import make_plan
from managed_tables_reader.reading_files import SourceFile

Table = tuple[list[Column], list[list[Any]]]

ZONES = ("UTC", "America/Sao_Paulo")
ROWS = st.integers(3, 9)

# Texts that are not values of another type and not only blanks: those would lose their type.
_TEXTS = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"]) | st.sampled_from("\n\"';,\t"),
    min_size=1,
    max_size=20,
).map(lambda text: f"x{text}z")
_DATETIMES = st.datetimes(datetime(1850, 1, 1), datetime(2100, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)  # before 1914 offsets had seconds
)
_VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.TEXT: _TEXTS,
    ColumnType.INTEGER: st.integers(-(2**63), 2**63 - 1) | st.integers(-1_000, 1_000),
    ColumnType.DECIMAL: st.decimals(-(10**20), 10**20, places=7) | st.decimals(-999, 999, places=2),
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.DATE: st.dates(date(1, 1, 1), date(9999, 12, 31))
    | st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    ColumnType.DATETIME: _DATETIMES,
}
# The first rows, from which each type can be inferred
_TELLING: dict[ColumnType, list[Any]] = {
    ColumnType.TEXT: ["primeiro", "segundo"],
    ColumnType.INTEGER: [1234, -7],
    ColumnType.DECIMAL: [Decimal("12.5"), Decimal("-0.125")],
    ColumnType.BOOLEAN: [True, False],
    ColumnType.DATE: [date(2024, 1, 31), date(2023, 12, 25)],
    ColumnType.DATETIME: [
        datetime(2024, 1, 31, 10, 30, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),  # .NET's least, in São Paulo still a year before the first
    ],
}


_DUCKDB_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DECIMAL(38, 7)",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMPTZ",
}


_SHOWN: dict[ColumnType, list[dict[str, Any]]] = {
    ColumnType.INTEGER: [{"thousands": True}, {"currency": "BRL"}],
    ColumnType.DECIMAL: [
        {"currency": "BRL"},
        {"currency": "EUR", "decimals": 0},
        {"percent": True, "decimals": 1},
        {"percent": True},
        {"thousands": False, "decimals": 2},
    ],
    ColumnType.DATE: [{"date": "month"}, {"date": "year"}],
    ColumnType.DATETIME: [{"date": kind} for kind in ("date", "time", "month", "year")],
}


def formats_of(kind: ColumnType) -> st.SearchStrategy[ColumnFormat | None]:
    """Draw how a column of the type is shown: what goes out comes back whatever it is."""
    return st.none() | st.sampled_from([ColumnFormat.model_validate(one) for one in _SHOWN.get(kind, [{}])])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw a table of two to six columns; its rows as Python values."""
    types = draw(st.lists(st.sampled_from(list(ColumnType)), min_size=1, max_size=5))
    columns = [
        column(f"c{place}", kind.value, f"Coluna {place}").model_copy(
            update={"format": draw(formats_of(kind))}
        )
        for place, kind in enumerate([ColumnType.TEXT, *types])
    ]
    count = draw(ROWS)
    cells = [
        [*_TELLING[one.type], *draw(st.lists(st.none() | _VALUES[one.type], min_size=count, max_size=count))]
        for one in columns
    ]
    cells[0] = [cell or "nada" for cell in cells[0]]  # a row without any value is not a row
    return columns, [list(row) for row in zip(*cells, strict=True)]


def as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@pytest.fixture(scope="module", params=ZONES)
def maker(request: pytest.FixtureRequest, rows_company: RowsCompany) -> ExportMaker:
    """An export maker for each zone."""
    changed = rows_company.services.settings.model_copy(update={"default_timezone": request.param})
    services = ApiServices(changed)
    for name in ("app_secret", "postgres_secret"):
        services.__dict__[name] = getattr(rows_company.services, name)
    return ExportMaker(services, rows_company.company)


def read_back(raw: bytes, name: str, folder: Path, zone: str) -> Table:
    """Return the labels and types that analyze finds, and the values that insert would load."""
    path = folder / name
    path.write_bytes(raw)
    found = analyze([SourceFile(path, name)], folder, ZoneInfo(zone))
    document = found.document
    columns = [one.column for one in document.inferred_schema.columns]
    plan = make_plan(found.staged, document, columns, zone)
    values = ", ".join(one.value() for one in plan.columns)
    rows = duckdb.execute(f"SELECT {values} FROM {plan.rows} ORDER BY file_row_number").fetchall()  # noqa: S608
    parse = {ColumnType.DECIMAL: Decimal, ColumnType.DATETIME: lambda found: moment(found, zone)}
    parsers = [parse.get(one.type, lambda value: value) for one in columns]
    return columns, [[parsed(read, cell) for read, cell in zip(parsers, row, strict=True)] for row in rows]


def parsed(read: Callable[[Any], Any], cell: Any) -> Any:
    return None if cell is None else read(cell)


def moment(microseconds: int, zone: str) -> datetime:
    """Read a time as PostgreSQL does: in a repeated hour, the later one."""
    has_zone = microseconds >= ZONED // 2
    found = datetime(1970, 1, 1) + timedelta(microseconds=microseconds - ZONED * has_zone)
    return found.replace(tzinfo=UTC if has_zone else ZoneInfo(zone), fold=1).astimezone(UTC)


def test_an_export_can_be_uploaded_again(
    maker: ExportMaker, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Every format, uploaded again; Parquet and JSON lines also read by DuckDB."""
    zone = maker.services.settings.default_timezone

    @seed(zone)  # other tables for each
    @settings(
        derandomize=True,
        max_examples=pytestconfig.getoption("--values"),
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(tables())
    def check(drawn: Table) -> None:
        assert_comes_back(maker, tmp_path, drawn, zone)

    check()


def assert_comes_back(maker: ExportMaker, folder: Path, drawn: Table, zone: str) -> None:
    """Export one table in every format, and read each file."""
    columns, rows = drawn
    table = maker.table(columns, [[as_text(cell) for cell in row] for row in rows])
    files = {}
    for wanted, has_names in (
        ({"format": "csv", "dialect": "rfc4180"}, True),
        ({"format": "csv", "dialect": "excel-br"}, False),
        ({"format": "xlsx"}, False),
        ({"format": "jsonl"}, True),
        ({"format": "parquet"}, True),
    ):
        raw = files[wanted["format"]] = maker.export(table, **wanted)
        found, values = read_back(raw, f"a.{wanted['format']}", folder, zone)
        labels = [one.name if has_names else one.display_name for one in columns]
        assert [one.display_name for one in found] == labels, wanted
        assert [one.type for one in found] == [one.type for one in columns], wanted
        assert values == rows, wanted
    assert_parquet(files["parquet"], folder, drawn)
    assert_json_lines(files["jsonl"], drawn)
    assert_json_lines_of_duckdb(files["jsonl"], folder, drawn)


def assert_parquet(raw: bytes, folder: Path, drawn: Table) -> None:
    columns, rows = drawn
    path = folder / "a.parquet"
    path.write_bytes(raw)
    found = duckdb.read_parquet(str(path)).project(stored(columns)).fetchall()
    assert [tuple(map(as_stored, row)) for row in rows] == found


def assert_json_lines_of_duckdb(raw: bytes, folder: Path, drawn: Table) -> None:
    columns, rows = drawn
    path = folder / "a.jsonl"
    path.write_bytes(raw)
    types = ", ".join(f"{one.name}: '{_DUCKDB_TYPES[one.type]}'" for one in columns)
    source = f"read_json('{path}', format = 'newline_delimited', columns = {{{types}}})"
    found = duckdb.execute(f"SELECT {stored(columns)} FROM {source}").fetchall()  # noqa: S608
    assert [tuple(map(as_stored, row)) for row in rows] == found


def stored(columns: list[Column]) -> str:
    """Return the columns in DuckDB's SQL, times as microseconds since 1970."""
    return ", ".join(
        f"epoch_us({one.name}) AS {one.name}" if one.type is ColumnType.DATETIME else one.name
        for one in columns
    )


def as_stored(value: Any) -> Any:
    """Return a time as microseconds since 1970, as DuckDB counts them."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return value


def assert_json_lines(raw: bytes, drawn: Table) -> None:
    columns, rows = drawn
    lines = [json.loads(line, parse_float=Decimal) for line in raw.decode().splitlines()]
    read = {ColumnType.DATE: date.fromisoformat, ColumnType.DATETIME: datetime.fromisoformat}
    found = [
        [
            read[one.type](line[one.name]) if one.type in read and line[one.name] else line[one.name]
            for one in columns
        ]
        for line in lines
    ]
    assert found == rows


def test_decimals_beyond_parquets_come_back_as_they_were(maker: ExportMaker, tmp_path: Path) -> None:
    """They go out as texts, of which `1.000` could as well be one thousand: the file says that it is one."""
    long = "12345678901234567890123456789012345678901.5"
    table = maker.table([column("v", "decimal")], [["1.000"], [long], [None]])
    raw = maker.export(table, format="parquet")
    columns, found = read_back(raw, "a.parquet", tmp_path, maker.services.settings.default_timezone)
    assert columns[0].type is ColumnType.DECIMAL
    assert [value for [value] in found] == [Decimal("1.000"), Decimal(long), None]
