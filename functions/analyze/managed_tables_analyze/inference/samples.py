"""Read the first rows of the staged object in their inferred types, for people to look at."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.sql_text import choose
from managed_tables.documents.document import Scalar
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.tallies import HEAD, long_column

SAMPLE_ROWS = 20
SAMPLE_CHARACTERS = 500  # of a text: enough to look at, and 1,500 columns travel in one answer
SHOWN_CHARACTERS = 100  # of a text beyond the sample
SHOWN = "shown_values"

# Converting rows to look at must cost little compared with the analysis, whose cost grows with the rows.
_SHARE = 50
_MAX_ROWS = 100_000
_MAX_CELLS = 200_000

Kind = tuple[ColumnType, Formats]

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>\S+)?"
)


def convert_first_rows(
    connection: DuckDBPyConnection, staged: Path, kinds: Sequence[Kind], row_count: int
) -> int:
    """Make the temporary table `SHOWN`: `(row, number, v)` of the first rows, `v` in the column's type.

    The rows are those of the object's head, which inference has left in the connection, or a fiftieth of
    all; return how many. Columns of a kind are converted as one: planning a query costs more than running it.
    """
    [(head_rows,)] = connection.execute(f"SELECT count(*) FROM {HEAD}").fetchall()  # noqa: S608 - own SQL
    share = min(row_count // _SHARE, _MAX_ROWS, _MAX_CELLS // max(1, len(kinds)))
    rows: int = max(head_rows, share)
    relation = HEAD if rows == head_rows else f"(FROM {staged_rows(staged)} LIMIT {rows})"
    columns_by_kind: dict[Kind, list[int]] = defaultdict(list)
    for number, kind in enumerate(kinds):
        columns_by_kind[kind].append(number)
    selects = [_select_texts(relation, kind, columns) for kind, columns in columns_by_kind.items()]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {SHOWN} AS {' UNION ALL '.join(selects)}")
    return rows


def _select_texts(relation: str, kind: Kind, columns: Sequence[int]) -> str:
    conversion = build_conversion("cell", *kind)
    value = conversion.value
    if kind[0] is ColumnType.TEXT:
        limit = f"CASE WHEN {ROW_NUMBER} < {SAMPLE_ROWS} THEN {SAMPLE_CHARACTERS} ELSE {SHOWN_CHARACTERS} END"
        value = f"left({value}, {limit})"
    # Every filled cell converts: the type was inferred from all of them.
    text = choose((conversion.empty, "NULL"), otherwise=value)
    cells = long_column(relation, columns)
    return f"SELECT {ROW_NUMBER} AS row, number, {text} AS v FROM {cells}"  # noqa: S608 - own SQL


def read_sample_rows(
    connection: DuckDBPyConnection, names: Sequence[str], kinds: Sequence[Kind], zone: ZoneInfo
) -> list[dict[str, Scalar]]:
    """Return up to 20 rows by column name: str, int, Decimal, bool, None; dates as text, datetimes in UTC.

    They are the first of `SHOWN`, which `convert_first_rows` has made.
    """
    found = connection.execute(
        f"SELECT row, number, v FROM {SHOWN} WHERE row < {SAMPLE_ROWS}"  # noqa: S608 - own SQL
    ).fetchall()
    cells = {(row, number): sample_value(text, kinds[number][0], zone) for row, number, text in found}
    return [
        {name: cells[row, number] for number, name in enumerate(names)}
        for row in sorted({row for row, _ in cells})
    ]


def sample_value(text: str | None, column_type: ColumnType, zone: ZoneInfo) -> Scalar:
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

    A skipped hour has the offset from before the change, a repeated one that from after it.
    """
    both = [local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    return min(offset for offset in both if offset is not None)
