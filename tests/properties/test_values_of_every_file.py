"""The same values through CSV, XLSX by two writers, XLS and ODS: as exact as the file itself."""

import csv
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from table_writers import WRITERS, CsvDialect, Value, write_csv

from managed_tables.conversion.columns import build_conversion
from managed_tables.schema import ColumnType
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_analyze.inference.profiles import format_instant
from managed_tables_reader.reading_files import SourceFile

ZONE = ZoneInfo("America/Sao_Paulo")
INT64 = range(-(2**63), 2**63)
DOUBLE_DIGITS = 15
OF_DOUBLES = ("openpyxl", "xlsxwriter", "xlwt")  # they write numbers as doubles
FIRST_DAY = {name: date(1900, 3, 1) for name in OF_DOUBLES}  # before it, Excel has no dates or different ones
COLUMNS = {
    "numero": ColumnType.INTEGER,
    "valor": ColumnType.DECIMAL,
    "dia": ColumnType.DATE,
    "quando": ColumnType.DATETIME,
    "pago": ColumnType.BOOLEAN,
    "ativo": ColumnType.BOOLEAN,
    "nome": ColumnType.TEXT,
}

edges = [sign * (2**power + near) for power in range(53, 64) for near in (-1, 0, 1) for sign in (1, -1)]
integers = st.one_of(
    st.sampled_from([one for one in edges if one in INT64]),
    st.sampled_from([INT64[0], INT64[-1], 0, -1]),
    st.integers(INT64[0], INT64[-1]),
)
decimals = st.one_of(
    st.decimals(-(10**12), 10**12, places=2),
    st.decimals(-(10**6), 10**6, places=9),
    st.integers(-(10**17), 10**17).map(lambda n: Decimal(n).scaleb(-4)),
    st.integers(10**39, 10**40).map(lambda n: Decimal(n).scaleb(-20)),
)
characters = st.characters(
    exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
)
texts = st.text(characters, max_size=12).map(lambda text: f"É{text}z").filter(lambda text: "_x" not in text)
latin_texts = st.text("abcxyzçãéõüÑ ;,|\t\"'.-0123456789", max_size=12).map(lambda text: f"É{text}z")
booleans = st.sampled_from(["sim", "não", "Sim", "NÃO", "nao"])
dialects = st.builds(
    CsvDialect,
    delimiter=st.sampled_from([";", ",", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\r\n", "\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    decimal_mark=st.sampled_from([",", "."]),
    groups=st.booleans(),
    day=st.sampled_from(
        [
            "{day:02d}/{month:02d}/{year:04d}",
            "{day}-{month}-{year:04d}",
            "{day:02d}.{month:02d}.{year:04d}",
            "{month:02d}/{day:02d}/{year:04d}",
            "{year:04d}-{month:02d}-{day:02d}",
            "{year:04d}/{month}/{day}",
        ]
    ),
    truths=st.sampled_from([("falso", "verdadeiro"), ("False", "TRUE"), ("n", "S"), ("no", "yes")]),
)


def rows_for(writer: str) -> st.SearchStrategy[list[tuple[Value, ...]]]:
    """Return tables of rows that the writer can write; any but texts and booleans may be missing."""
    first = FIRST_DAY.get(writer, date.min)
    moments: st.SearchStrategy[datetime] = st.datetimes(
        datetime(first.year, first.month, first.day), datetime(9999, 12, 30)
    ).map(lambda at: at.replace(microsecond=0))
    if writer == "csv":
        offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
        moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=offsets)
    days = st.dates(first, date(9999, 12, 30))
    # The largest ones round up to 2^63 as doubles, which is out of range for an integer.
    whole = integers.filter(lambda n: writer not in OF_DOUBLES or int(float(_in_file(writer, n))) in INT64)
    gaps = [st.one_of(one, one, one, st.none()) for one in (whole, decimals, days, moments)]
    row = st.tuples(*gaps, st.booleans(), booleans, latin_texts if writer == "csv" else texts)
    return st.lists(row, min_size=20, max_size=40).filter(_has_every_truth)


def _has_every_truth(rows: Sequence[tuple[Value, ...]]) -> bool:
    """Return whether both booleans occur: a column of only one is not inferred as boolean."""
    return {row[4] for row in rows} == {True, False}


@pytest.fixture(scope="module", params=WRITERS)
def writer(request: pytest.FixtureRequest) -> str:
    """A kind of file and its writer."""
    name: str = request.param
    return name


def test_values_come_back_as_they_were_written(writer: str, pytestconfig: pytest.Config) -> None:
    """Integers, decimals, dates, times, booleans and texts, in their types."""

    @settings(
        max_examples=pytestconfig.getoption("values"),
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(rows_for(writer), dialects if writer == "csv" else st.none())
    def check(rows: list[tuple[Value, ...]], dialect: CsvDialect | None) -> None:
        table = [tuple(COLUMNS), *rows]
        name, write = WRITERS[writer]
        found = read(name, write(table) if dialect is None else write_csv(table, dialect))
        for number, (written, got) in enumerate(zip(rows, found, strict=True)):
            for column, value, cell in zip(COLUMNS, written, got, strict=True):
                assert is_same(writer, COLUMNS[column], value, cell), (number, column, value, cell, dialect)

    check()


def read(name: str, content: bytes) -> list[tuple[str | None, ...]]:
    """Analyze the file, and return its values as loaded into PostgreSQL with the inferred schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "00"
        path.write_bytes(content)
        found = analyze([SourceFile(path, name)], Path(folder), ZONE)
        columns = found.document.inferred_schema.columns
        types = {column.name: column.type for column in columns}
        beyond = {"numero": ColumnType.DECIMAL}  # if a double rounds the greatest one up to 2^63
        assert types in (COLUMNS, COLUMNS | beyond), types
        return _converted(found)


def _converted(found: Analysis) -> list[tuple[str | None, ...]]:
    values = []
    for number, (kind, staged) in enumerate(zip(COLUMNS.values(), found.document.columns, strict=True)):
        conversion = build_conversion(f"c{number}", kind, staged.formats)
        values.append(f"CASE WHEN {conversion.converts} THEN {conversion.value} END")
    query = f"SELECT {', '.join(values)} FROM read_parquet('{found.staged}')"  # noqa: S608
    return duckdb.execute(query).fetchall()


def is_same(writer: str, column_type: ColumnType, written: Value, got: str | None) -> bool:
    """Return whether the value came back: exactly, or as the double that its file holds."""
    if got is None or written is None:
        return got is written
    match column_type:
        case ColumnType.INTEGER:
            assert isinstance(written, int)
            in_file = _in_file(writer, written) if writer in OF_DOUBLES else str(written)
            # With an exponent, it is a typed number of 15 digits, or a double in full.
            return int(got) == Decimal(in_file) or (writer in OF_DOUBLES and int(got) == int(float(in_file)))
        case ColumnType.DECIMAL:
            assert isinstance(written, Decimal)
            return _is_same_decimal(writer, written, Decimal(got))
        case ColumnType.DATETIME:
            assert isinstance(written, datetime)
            local = written if written.tzinfo else written.replace(tzinfo=ZONE)
            return datetime.fromisoformat(format_instant(got, ZONE)) == local.astimezone(UTC)
        case ColumnType.DATE:
            assert isinstance(written, date)
            return got == written.isoformat()
        case ColumnType.BOOLEAN:
            return got == ("true" if written in (True, "sim", "Sim") else "false")
        case ColumnType.TEXT:
            return got == written


def _is_same_decimal(writer: str, written: Decimal, got: Decimal) -> bool:
    if got == written:
        return True
    if len(str(abs(written)).replace(".", "").strip("0")) <= DOUBLE_DIGITS:
        return False
    if writer in OF_DOUBLES:
        return float(got) == float(_in_file(writer, written))
    # A double in full, as Excel writes it, stands for the number with 15 digits.
    return writer == "ods" and float(got) == float(written)


def _in_file(writer: str, value: int | Decimal) -> str:
    """Return the number as a writer of doubles writes it."""
    if writer == "xlwt":
        return repr(float(value))
    return f"{value:.16G}" if writer == "xlsxwriter" else f"{float(value):.16G}"
