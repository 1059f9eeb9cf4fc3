"""Find rows that look like something else, totals or labels of others: kept, since they may be data.

Totals below a table are its footer (`layout/search.py`); here are those between the rows, one for each group.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.sql_text import choose, literal, trimmed
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import (
    MAX_LINES,
    MAX_PREVIEW,
    Finding,
    WarningCode,
    about_lines,
    preview,
)
from managed_tables.schema import ColumnType

_FIRST_COLUMNS = 3  # among which the word is sought
_COLUMNS_COMPARED = 30  # among which a total leaves some empty, and a label all others
_FEWEST_BESIDE_LABEL = 2  # columns: a name without its only value is no label
_LABELLED = 0.9  # share of the other rows that have a number
_WORD = r"(?i)(?:sub[- ]?)?tota(?:l|is)(?:\s+(?:geral|parcial))?\s*:?"
_WORD_AND_NAME = r"(?i)(?:sub[- ]?)?total\s+\S.*"
_STARTS = ("tot", "sub")
_NUMBERS = (ColumnType.INTEGER, ColumnType.DECIMAL)


def find_told_rows(
    connection: DuckDBPyConnection,
    staged: Path,
    types: Sequence[ColumnType],
    files: Sequence[str],
    first: int = 0,
) -> list[Finding]:
    """Return a finding for each file or sheet with rows that look like totals, or like labels of others.

    The columns from `first` on are the files' own. A total has the word in a column of text; where all rows
    have it, it names what they all are. A label stands alone in the first column, where nearly all other rows
    have a number.
    """
    columns = {f"c{index}": types[index] for index in range(first, min(len(types), _COLUMNS_COMPARED))}
    is_total, is_label = _is_total(columns), _is_label(columns)
    if is_total == is_label:  # neither can be
        return []
    numbers = [column for column, kind in columns.items() if kind in _NUMBERS]
    most = f"greatest(0, {', '.join(f'count({column})' for column in numbers)})" if numbers else "0"
    found = connection.execute(
        f"SELECT file, sheet, NOT bool_and(total), count(*) FILTER (total), "  # noqa: S608 - own SQL
        f"min(line, {MAX_LINES}) FILTER (total), {most}, count(*), "
        f"count(*) FILTER (label), min(line, {MAX_LINES}) FILTER (label), "
        f"arg_min(c{first}, line, {MAX_PREVIEW}) FILTER (label) "
        f"FROM (SELECT *, {is_total} AS total, {is_label} AS label FROM {staged_rows(staged)}) "
        f"GROUP BY file, sheet HAVING bool_or(total) OR bool_or(label) ORDER BY file, sheet"
    ).fetchall()
    return [one.at(files[file], sheet) for file, sheet, *counts in found for one in _findings(*counts)]


def _findings(
    differ: bool,
    totals: int,
    total_lines: Sequence[int],
    numbers: int,
    rows: int,
    labels: int,
    label_lines: Sequence[int],
    texts: Sequence[str],
) -> Iterator[Finding]:
    if totals and differ:
        yield about_lines(WarningCode.SUBTOTAL_LINES, total_lines, totals)
    if labels and labels * 2 <= rows and numbers >= _LABELLED * (rows - labels):
        values = preview([[text] for text in texts])
        yield Finding(WarningCode.GROUP_LINES, {}, labels, tuple(label_lines), values)


def _is_total(columns: dict[str, ColumnType]) -> str:
    """Return the SQL test that a row has the word for a total in one of its first columns of text."""
    named = [column for column in list(columns)[:_FIRST_COLUMNS] if columns[column] is ColumnType.TEXT]
    if len(columns) == 1 or not named:  # nothing to sum, or no word for it
        return "false"
    has_gap = " OR ".join(f"{column} IS NULL OR {column} = ''" for column in columns)
    return " OR ".join(_names_total(column, has_gap) for column in named)


def _names_total(column: str, has_gap: str) -> str:
    start = f"lower(left(ltrim({column}), 3)) IN ({', '.join(map(literal, _STARTS))})"
    cell = trimmed(column)
    word = f"regexp_full_match({cell}, {literal(_WORD)})"
    named = f"regexp_full_match({cell}, {literal(_WORD_AND_NAME)}) AND ({has_gap})"
    return choose((start, f"({word}) OR ({named})"), otherwise="false")


def _is_label(columns: dict[str, ColumnType]) -> str:
    """Return the SQL test that only the first cell of a row is filled, by a text."""
    (label, kind), *others = columns.items()
    may_be = kind is ColumnType.TEXT and any(one in _NUMBERS for _, one in others)
    if not may_be or len(others) < _FEWEST_BESIDE_LABEL:
        return "false"
    return " AND ".join([f"{label} <> ''", *(f"{column} IS NULL" for column, _ in others)])
