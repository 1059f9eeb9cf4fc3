"""Find rows that seem to be totals of others: reported, but kept, since they may be data.

Totals below a table are its footer (`layout/search.py`); here are those between the rows, one for each group.
"""

from collections.abc import Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.sql_text import choose, literal, trimmed
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import MAX_LINES, Finding, WarningCode, about_lines
from managed_tables.schema import ColumnType

_FIRST_COLUMNS = 3  # among which the word is sought
_COLUMNS_COMPARED = 30  # among which a total leaves some empty
_WORD = r"(?i)(?:sub[- ]?)?tota(?:l|is)(?:\s+(?:geral|parcial))?\s*:?"
_WORD_AND_NAME = r"(?i)(?:sub[- ]?)?total\s+\S.*"
_STARTS = ("tot", "sub")


def find_totals(
    connection: DuckDBPyConnection,
    staged: Path,
    types: Sequence[ColumnType],
    files: Sequence[str],
    first: int = 0,
) -> list[Finding]:
    """Return a finding for each file or sheet with rows that begin like a total in a column of text.

    The columns from `first` on are the files' own. Where all rows do, the word names what they all are.
    """
    columns = [f"c{index}" for index in range(first, min(len(types), _COLUMNS_COMPARED))]
    texts = [column for column, kind in zip(columns, types[first:], strict=False) if kind is ColumnType.TEXT]
    named = [column for column in columns[:_FIRST_COLUMNS] if column in texts]
    if len(columns) == 1 or not named:  # nothing to sum, or no word for it
        return []
    has_gap = " OR ".join(f"{column} IS NULL OR {column} = ''" for column in columns)
    is_total = " OR ".join(_is_total(column, has_gap) for column in named)
    found = connection.execute(
        f"SELECT file, sheet, count(*) FILTER (t), min(line, {MAX_LINES}) FILTER (t) "  # noqa: S608
        f"FROM (SELECT file, sheet, line, {is_total} AS t FROM {staged_rows(staged)}) "
        f"GROUP BY file, sheet HAVING bool_or(t) AND NOT bool_and(t) ORDER BY file, sheet"
    ).fetchall()
    return [
        about_lines(WarningCode.TOTAL_ROWS, lines, count).at(files[file], sheet)
        for file, sheet, count, lines in found
    ]


def _is_total(column: str, has_gap: str) -> str:
    start = f"lower(left(ltrim({column}), 3)) IN ({', '.join(map(literal, _STARTS))})"
    cell = trimmed(column)
    word = f"regexp_full_match({cell}, {literal(_WORD)})"
    named = f"regexp_full_match({cell}, {literal(_WORD_AND_NAME)}) AND ({has_gap})"
    return choose((start, f"({word}) OR ({named})"), otherwise="false")
