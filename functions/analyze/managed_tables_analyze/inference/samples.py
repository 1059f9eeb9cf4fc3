"""Read the first rows of the staged object in their inferred types, for people to look at."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from duckdb import DuckDBPyConnection

from managed_tables.conversion import Formats, build_conversion
from managed_tables.conversion.sql_text import choose
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.counting import HEAD, ROW_NUMBER, long_column

SAMPLE_ROWS = 20
SHOWN_CHARACTERS = 500  # of a text: a sample is looked at, 1,500 columns of it travel in one answer

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>\S+)?"
)


def read_sample_rows(
    connection: DuckDBPyConnection,
    names: Sequence[str],
    types: Sequence[tuple[ColumnType, Formats]],
    zone: ZoneInfo,
) -> list[dict[str, Any]]:
    """Return up to 20 rows by column name: str, int, Decimal, bool, None; dates as text, datetimes in UTC.

    They are the first of the object's head, which inference has left in the connection.
    """
    columns_by_kind: dict[tuple[ColumnType, Formats], list[int]] = defaultdict(list)
    for column, kind in enumerate(types):
        columns_by_kind[kind].append(column)
    cells: dict[tuple[int, int], Any] = {}
    for kind, columns in columns_by_kind.items():
        for row, column, text in _read_texts(connection, kind, columns):
            cells[row, column] = sample_value(text, kind[0], zone)
    return [
        {name: cells[row, column] for column, name in enumerate(names)}
        for row in sorted({row for row, _ in cells})
    ]


def _read_texts(
    connection: DuckDBPyConnection, kind: tuple[ColumnType, Formats], columns: Sequence[int]
) -> list[tuple[int, int, str | None]]:
    """Return (row, column, canonical text) of columns of one kind: one short query, however many they are."""
    conversion = build_conversion("cell", *kind)
    value = (
        f"left({conversion.value}, {SHOWN_CHARACTERS})" if kind[0] is ColumnType.TEXT else conversion.value
    )
    text = choose((conversion.empty, "NULL"), (conversion.converts, value), otherwise="NULL")
    cells = long_column(f"(FROM {HEAD} LIMIT {SAMPLE_ROWS})", columns)
    return connection.execute(f"SELECT {ROW_NUMBER}, number, {text} FROM {cells}").fetchall()  # noqa: S608


def sample_value(text: str | None, column_type: ColumnType, zone: ZoneInfo) -> Any:
    """Return a value as an answer shows it, given its canonical text."""
    if text is None:
        return None
    match column_type:
        case ColumnType.INTEGER:
            return int(text)
        case ColumnType.DECIMAL:
            return Decimal(text)
        case ColumnType.BOOLEAN:
            return text == "true"
        case ColumnType.DATETIME:
            return format_instant(text, zone)
        case ColumnType.TEXT | ColumnType.DATE:
            return text


def format_instant(text: str, zone: ZoneInfo) -> str:
    """Return the canonical text of a datetime (`yyyy-mm-dd [time [zone]]`) in UTC with `Z`."""
    day, _, clock = text.partition(" ")
    year, month, date = map(int, day.split("-"))
    parts = _CLOCK.fullmatch(clock or "0:00")
    if parts is None:
        raise ValueError(f"not a canonical datetime: {text!r}")
    hour, microsecond = int(parts["hour"]), int((parts["fraction"] or "")[:6].ljust(6, "0"))
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"].upper() == "PM" else 0)
    local = datetime(year, month, date, hour, int(parts["minute"]), int(parts["second"] or 0), microsecond)
    offset = _offset_of(parts["zone"]) if parts["zone"] else _offset_in(local, zone)
    try:
        instant = local.replace(tzinfo=UTC) - offset
    except OverflowError:  # of the first or last day of the calendar, in a zone beyond it
        return text
    fraction = f".{instant.microsecond:06d}".rstrip("0") if instant.microsecond else ""
    return f"{instant.year:04d}{instant:-%m-%dT%H:%M:%S}{fraction}Z"


def _offset_of(zone: str) -> timedelta:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _offset_in(local: datetime, zone: ZoneInfo) -> timedelta:
    """Return the zone's offset as PostgreSQL takes it where the clocks change: the smaller of the two.

    An hour that is skipped has the offset from before the change, one that comes twice has the later.
    """
    both = [local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    return min(offset for offset in both if offset is not None)
