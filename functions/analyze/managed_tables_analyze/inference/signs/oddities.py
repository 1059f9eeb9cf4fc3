"""Find odd cells of a column over all rows: each oddity is a test and a code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.cells import ERROR_VALUES
from managed_tables.conversion.sql_text import BLANK, choose, literal, matches, trimmed
from managed_tables.conversion.times import SHORT_YEAR_DATE
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.messages.findings import MAX_LINES, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.signs.mojibake import has_mojibake
from managed_tables_analyze.inference.tallies import HEAD, ask_columns, cell_name

# A spreadsheet shows a whole number of 12 digits or more this way, and exports what it shows: the digits left
# out are lost, and the number that remains looks as good as any.
_SHORTENED = r"[+-]?[1-9](?:[.,][0-9]{1,14})?E\+(?:1[1-9]|[2-9][0-9])"
_PADDED_DAY_BYTES = 10  # `31/12/2024`, a time may follow: no year of two digits
_BLANKS_AT_END = (" ", "\u00a0")


@dataclass(frozen=True)
class Found:
    """How many cells of a column are odd, the first of them, and where they are.

    `lines` are the first lines or rows, in `file` (the index) and `sheet`: all are left out if there is more
    than one file or sheet.
    """

    count: int
    example: str
    lines: tuple[int, ...] = ()
    file: int | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Oddity:
    """A test that few cells pass, asked of columns of some types; it begins with a cheap check."""

    code: WarningCode
    types: frozenset[ColumnType]
    test: Callable[[str], str]

    def is_asked_of(self, column_type: ColumnType, is_proven: bool) -> bool:
        """Return whether a column may have such cells; `is_proven` says that all are of its type."""
        return column_type in self.types and not (is_proven and self.code is WarningCode.ERROR_CELLS)


def _if(cheap: str, test: str) -> str:
    """Return a test that is run only if a cheap one holds: DuckDB runs both sides of an AND."""
    return choose((cheap, test), otherwise="false")


def _is_shortened(cell: str) -> str:
    return _if(f"contains({cell}, 'E+')", matches(trimmed(cell), _SHORTENED))


def _is_error(cell: str) -> str:
    return _if(f"starts_with({cell}, '#')", matches(cell, f"{ERROR_VALUES}{BLANK}*"))


def _has_blanks_around(cell: str) -> str:
    starts = f"{cell} < '!'"  # a blank or a tab: no visible character sorts before it
    ends = [f"ends_with({cell}, {literal(blank)})" for blank in _BLANKS_AT_END]
    return _if(" OR ".join([starts, *ends]), f"{trimmed(cell)} <> ''")


def _has_short_year(cell: str) -> str:
    after_day = f"substr({cell}, {_PADDED_DAY_BYTES + 1}, 1)"
    has_long_year = f"strlen({cell}) = {_PADDED_DAY_BYTES} OR {after_day} IN (' ', 'T')"
    return choose((has_long_year, "false"), otherwise=matches(cell, SHORT_YEAR_DATE))


_ODDITIES = (
    Oddity(WarningCode.MOJIBAKE, frozenset({ColumnType.TEXT}), has_mojibake),
    Oddity(WarningCode.SHORTENED_NUMBERS, frozenset({ColumnType.TEXT, ColumnType.DECIMAL}), _is_shortened),
    Oddity(WarningCode.ERROR_CELLS, frozenset(ColumnType), _is_error),
    Oddity(WarningCode.SURROUNDING_BLANKS, frozenset({ColumnType.TEXT}), _has_blanks_around),
    Oddity(WarningCode.TWO_DIGIT_YEARS, frozenset({ColumnType.DATE, ColumnType.DATETIME}), _has_short_year),
)


def find_oddities(
    connection: DuckDBPyConnection, staged: Path, types: Sequence[ColumnType], proven: Sequence[bool]
) -> list[dict[WarningCode, Found]]:
    """Return the oddities of each column, by code; if all cells are proven, none holds an error."""
    found: list[dict[WarningCode, Found]] = [{} for _ in types]
    kinds = list(zip(types, proven, strict=True))
    for kind in dict.fromkeys(kinds):
        oddities = [oddity for oddity in _ODDITIES if oddity.is_asked_of(*kind)]
        columns = [column for column, one in enumerate(kinds) if one == kind]
        if not oddities:
            continue
        counts = ask_columns(connection, staged_rows(staged), columns, partial(_counts, oddities))
        for column, row in counts.items():
            for oddity, count in zip(oddities, row, strict=True):
                if count:
                    found[column][oddity.code] = _look_up(connection, staged, column, oddity.test, count)
    return found


def _counts(oddities: Sequence[Oddity], cell: str) -> list[str]:
    return [f"count(*) FILTER ({oddity.test(cell)})" for oddity in oddities]


def _look_up(
    connection: DuckDBPyConnection, staged: Path, column: int, test: Callable[[str], str], count: int
) -> Found:
    cell = cell_name(column)
    row = connection.execute(
        f"SELECT arg_min({cell}, {ROW_NUMBER}), min(line, {MAX_LINES}), min(file), max(file), "  # noqa: S608
        f"count(DISTINCT coalesce(sheet, '')), any_value(sheet) "
        f"FROM {staged_rows(staged)} WHERE {test(cell)}"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    example, lines, first, last, sheets, sheet = row
    if first != last or sheets > 1:
        return Found(count, example)
    return Found(count, example, tuple(lines), first, sheet)


def find_example(
    connection: DuckDBPyConnection, staged: Path, column: int, test: Callable[[str], str]
) -> str:
    """Return the first cell of a column that passes a test, as written: the head has most of them."""
    cell = cell_name(column)
    for rows in (HEAD, staged_rows(staged)):
        found = connection.execute(
            f"SELECT {cell} FROM {rows} WHERE {test(cell)} ORDER BY {ROW_NUMBER} LIMIT 1"  # noqa: S608
        ).fetchone()
        if found:
            return str(found[0])
    return ""
