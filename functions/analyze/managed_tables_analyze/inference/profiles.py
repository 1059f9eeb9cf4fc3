"""Show people the first rows in their inferred types: sample rows, and profiles of all columns.

Profiles say how many values there are, which are frequent, and how they are spread. All columns go through a
handful of queries as one long column of `(number, text)`, since planning a query costs more than running it.
From them comes how a column's values are shown: years, orders and codes without a thousands mark.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.numbers import PERCENT
from managed_tables.conversion.sql_text import choose
from managed_tables.documents.analyses import Profile
from managed_tables.documents.document import Scalar
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.schema import ColumnFormat, ColumnType, Currency, json_value
from managed_tables.values import place_moment
from managed_tables_analyze.inference import signs
from managed_tables_analyze.inference.explanation import JudgedColumn
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

_CLOCK = re.compile(r"(\d{1,2})(:\d\d(?::\d\d(?:\.\d+)?)?)\s*([AaPp][Mm])?\s*(\S+)?")

MAX_TOP = 10
MAX_BINS = 20
_ENTRIES = 6_000  # of all columns together: 1,500 of them travel in one answer
_SIGNIFICANT_DIGITS = 12  # of the bounds of a bin of decimals

# The number by which a type's values are ordered and put into bins, from their canonical text.
_NUMBERS = (ColumnType.INTEGER, ColumnType.DECIMAL)
_TYPES_BY_SCALE = {
    "TRY_CAST(v AS DOUBLE)": _NUMBERS,
    "epoch(TRY_CAST(v AS DATE)) / 86400": (ColumnType.DATE,),
    "epoch(TRY_CAST(left(v, 26) AS TIMESTAMP))": (ColumnType.DATETIME,),
}

_LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()  # of the calendar
_OTHER_CLOCK = ":[0-9.]+ ?(?:[A-Za-z]|[+-])"  # a time with a zone, AM or PM
_WHOLE = (ColumnType.INTEGER, ColumnType.DATE)
# Words of labels whose numbers name a thing, and are never added up.
_NUMBER_WORDS = frozenset(
    {
        "id", "num", "numero", "nro", "nr", "no", "number", "ordem", "order", "pedido", "nota", "nf", "os",
        "protocolo", "processo", "contrato", "apolice", "fatura", "boleto", "ticket", "chamado", "registro",
        "seq", "sequencia", "linha", "item", "placa", "cliente", "fornecedor", "loja", "filial",
    }
)  # fmt: skip
_CURRENCIES: dict[str, Currency] = {
    **dict.fromkeys(("R$", "BRL"), "BRL"),
    **dict.fromkeys(("US$", "USD"), "USD"),
    **dict.fromkeys(("€", "EUR"), "EUR"),
}
_SIGNS = ("R$", "US$", "€")  # in a label, where a word could be anything
_YEARS = range(1900, 2100)
_FEWEST_OF_A_SEQUENCE = 10
_CENTS = 2


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
    """Return the first rows of `SHOWN` by column name, dates as text, datetimes in UTC."""
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
    return format_instant(text, zone) if column_type is ColumnType.DATETIME else json_value(text, column_type)


def format_instant(text: str, zone: ZoneInfo) -> str:
    """Return the canonical text of a datetime (`yyyy-mm-dd [time [zone]]`) in UTC with `Z`."""
    day, _, clock = text.partition(" ")
    parts = _CLOCK.fullmatch(clock or "0:00")
    if parts is None:
        raise ValueError(f"not a canonical datetime: {text!r}")
    hour, half, stated = int(parts[1]), parts[3], (parts[4] or "").upper()
    if half:
        hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    offset = "Z" if stated in ("UTC", "GMT") else stated
    moment = datetime.fromisoformat(f"{day}T{hour:02d}{parts[2]}{offset}")
    try:
        instant = (moment if offset else place_moment(moment, zone)).astimezone(UTC)
    except OverflowError:  # of the first or last day of the calendar, in a zone beyond it
        return text
    iso = instant.replace(tzinfo=None).isoformat()
    return f"{iso.rstrip('0') if '.' in iso else iso}Z"


def profile_columns(
    connection: DuckDBPyConnection, kinds: Sequence[Kind], rows: int, zone: ZoneInfo
) -> list[Profile]:
    """Return a profile for each column of these types, of the `rows` that `SHOWN` holds."""
    profiles = [
        Profile(rows=rows, empty=rows, distinct=0, min=None, max=None, top=[], histogram=[]) for _ in kinds
    ]
    _group_values(connection, kinds)
    zones = dict.fromkeys(_place_instants(connection, kinds, zone), ZoneInfo("UTC"))
    for number, distinct, filled, least, greatest in connection.execute(_EXTREMES).fetchall():
        profile, (kind, _) = profiles[number], kinds[number]
        profile.distinct, profile.empty = distinct, rows - filled
        profile.min, profile.max = (sample_value(text, kind, zone) for text in (least, greatest))
    shown = max(2, min(MAX_TOP, _ENTRIES // (2 * max(1, len(kinds)))))
    for number, text, count in connection.execute(_TOP, [shown]).fetchall():
        profiles[number].top.append([sample_value(text, kinds[number][0], zone), count])
    most_bins = max(4, min(MAX_BINS, _ENTRIES // max(1, len(kinds))))
    for number, bins in _histograms(connection, kinds, most_bins):
        profiles[number].histogram = [
            [*(_bound(end, kinds[number][0], zones.get(number, zone)) for end in (low, high)), count]
            for low, high, count in bins
        ]
    connection.execute("DROP TABLE profiled")
    return profiles


_EXTREMES = (
    "SELECT number, count(*), sum(n)::BIGINT, coalesce(arg_min(v, x), min(v)), "
    "coalesce(arg_max(v, x), max(v)) FROM profiled GROUP BY number"
)
_TOP = (
    "SELECT number, v, n FROM profiled QUALIFY row_number() OVER "
    "(PARTITION BY number ORDER BY n DESC, v) <= ? ORDER BY number, n DESC, v"
)


def _group_values(connection: DuckDBPyConnection, kinds: Sequence[Kind]) -> None:
    """Make the table `profiled` of `(number, v, x, n)`: each column's values, their scale and their count."""
    scales = choose(
        *((_is_one_of(kinds, types), scale) for scale, types in _TYPES_BY_SCALE.items()),
        otherwise="NULL::DOUBLE",
    )
    text = choose((_is_one_of(kinds, (ColumnType.TEXT,)), f"left(v, {SHOWN_CHARACTERS})"), otherwise="v")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE profiled AS SELECT number, v, {scales} AS x, n FROM (SELECT number, "  # noqa: S608 - own SQL
        f"{text} AS v, count(*) AS n FROM {SHOWN} WHERE v IS NOT NULL GROUP BY ALL)"
    )


def _place_instants(connection: DuckDBPyConnection, kinds: Sequence[Kind], zone: ZoneInfo) -> set[int]:
    """Scale columns in which a moment has a zone or twelve hours by the instant; return these columns.

    The other columns keep the local time as their scale, which DuckDB reads faster.
    """
    are_moments = _is_one_of(kinds, (ColumnType.DATETIME,))
    columns = f"SELECT number FROM profiled WHERE {are_moments} AND regexp_matches(v, '{_OTHER_CLOCK}')"  # noqa: S608
    found = connection.execute(f"SELECT number, v FROM profiled WHERE number IN ({columns})").fetchall()  # noqa: S608
    if not found:
        return set()
    connection.execute(
        "UPDATE profiled SET x = found.x FROM (SELECT unnest(?::INTEGER[]) AS number, "
        "unnest(?::VARCHAR[]) AS v, unnest(?::DOUBLE[]) AS x) found "
        "WHERE profiled.number = found.number AND profiled.v = found.v",
        [[number for number, _ in found], [v for _, v in found], [_instant(v, zone) for _, v in found]],
    )
    return {number for number, _ in found}


def _instant(text: str, zone: ZoneInfo) -> float | None:
    """Return the seconds since 1970 of a moment, None if it leaves the calendar in UTC."""
    instant = format_instant(text, zone)
    return datetime.fromisoformat(instant).timestamp() if instant.endswith("Z") else None


def _is_one_of(kinds: Sequence[Kind], types: Collection[ColumnType]) -> str:
    """Return the SQL test that a value's column has one of these types."""
    numbers = [str(number) for number, kind in enumerate(kinds) if kind[0] in types]
    return f"number IN ({', '.join(numbers)})" if numbers else "false"


def _histograms(
    connection: DuckDBPyConnection, kinds: Sequence[Kind], most_bins: int
) -> Iterator[tuple[int, list[tuple[float, float, int]]]]:
    """Yield, for each column with a scale, `(low, high, count)` of its bins: no more than it has values.

    Bins of whole numbers and of days have whole bounds: `high` is the last value of a bin.
    """
    step = _is_one_of(kinds, _WHOLE)
    found = connection.execute(
        "WITH spans AS (SELECT number, min(x) AS low, max(x) AS high, "  # noqa: S608 - own SQL
        f"least({most_bins}, count(*)) AS bins FROM profiled WHERE isfinite(x) GROUP BY number), "
        f"widths AS (SELECT *, {step} AS is_whole, CASE WHEN {step} THEN ceil((high - low + 1) / bins) "
        "ELSE (high - low) / bins END AS width FROM spans) "
        "SELECT p.number, low, high, width, is_whole, CASE WHEN width = 0 THEN 0 "
        "ELSE least(bins - 1, floor((x - low) / width)) END::INTEGER AS bin, sum(n)::BIGINT "
        "FROM profiled p JOIN widths USING (number) WHERE isfinite(x) GROUP BY ALL ORDER BY number, bin"
    ).fetchall()
    for (number, low, high, width, is_whole), bins in groupby(found, key=itemgetter(slice(5))):
        counts = {place: count for *_, place, count in bins}
        last = max(counts)
        starts = [low + width * place for place in range(last + 1)]
        ends = [*(low + width * place - is_whole for place in range(1, last + 1)), high]
        yield (
            number,
            [(*bounds, counts.get(place, 0)) for place, bounds in enumerate(zip(starts, ends, strict=True))],
        )


def _bound(scale: float, column_type: ColumnType, zone: ZoneInfo) -> Scalar:
    match column_type:
        case ColumnType.DATE:
            return _moment(scale * 86_400)[:10]
        case ColumnType.DATETIME:
            return sample_value(_moment(scale), column_type, zone)
        case _:
            rounded = Decimal(f"{scale:.{_SIGNIFICANT_DIGITS}g}")
            return int(rounded) if rounded == rounded.to_integral_value() else rounded


def _moment(seconds: float) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=min(round(seconds), _LAST_SECOND))).isoformat(" ")


def propose_format(column: JudgedColumn, label: str, profile: Profile) -> ColumnFormat | None:
    """Return how the column's values are shown; None for texts and booleans."""
    match column.type:
        case ColumnType.DATE:
            return ColumnFormat(date="date")
        case ColumnType.DATETIME:
            return ColumnFormat(date="datetime")
        case ColumnType.INTEGER:
            return _as_money(column, label, profile, thousands=not _names_things(label, profile))
        case ColumnType.DECIMAL if column.unit == PERCENT:
            return ColumnFormat(percent=True)
        case ColumnType.DECIMAL:
            return _as_money(column, label, profile, thousands=True)
    return None


def _names_things(label: str, profile: Profile) -> bool:
    """Return whether whole numbers are years, codes or numbers of orders, by their label or by themselves."""
    if signs.names_year(label):
        return True
    if signs.names_quantity(label):
        return False
    is_number = "º" in label or not _NUMBER_WORDS.isdisjoint(signs.words_of(label))
    if is_number or signs.find_code_in_label(label, signs.LONGEST_CODE):
        return True
    if not isinstance(profile.min, int) or not isinstance(profile.max, int):
        return False
    are_years = profile.min in _YEARS and profile.max in _YEARS
    filled = profile.rows - profile.empty
    is_sequence = profile.distinct == filled >= _FEWEST_OF_A_SEQUENCE
    return are_years or (is_sequence and profile.max - profile.min == filled - 1)


def _as_money(column: JudgedColumn, label: str, profile: Profile, *, thousands: bool) -> ColumnFormat:
    """Return the format with the currency that cells or label carry, with cents unless values have more."""
    named = [sign for sign in _SIGNS if sign in label]
    currency = _CURRENCIES.get(column.unit or (named[0] if len(named) == 1 else ""))
    values = [profile.min, profile.max, *(value for value, _ in profile.top)]
    shows_all = all(_places(value) <= _CENTS for value in values)
    decimals = _CENTS if currency and shows_all else None
    return ColumnFormat(thousands=thousands, currency=currency, decimals=decimals)


def _places(value: Scalar) -> int:
    return -int(value.as_tuple().exponent) if isinstance(value, Decimal) and value.is_finite() else 0
