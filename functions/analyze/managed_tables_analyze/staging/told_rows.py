"""Find rows that look like something else, totals or labels of others: kept, since they may be data.

Totals below a table are its footer (`layout/search.py`); here are those between the rows, one for each group.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
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
from managed_tables_analyze.staging.subtotals import Cells, find_subtotals

_FIRST_COLUMNS = 3  # among which the word is sought
_COLUMNS_COMPARED = 30  # among which a total leaves some empty, and a label all others
_FEWEST_USUAL = 3  # columns that rows fill: a name without its only value is no label
_USUAL = 0.8  # share of the fuller rows that fill a usual column
_SAMPLE_ROWS = 500  # in which sums are sought: enough to see that a file has any
_MOST_ROWS = 20_000  # in which all of them are found then
_TOTAL = r"(?:sub[- ]?)?tota(?:l|is)"
_NAMED = rf"(?i)(?:.*[\s,(])?{_TOTAL}[\W\d]*|{_TOTAL}\b.*"
_MENTIONED = rf"(?i).*[\s,(]{_TOTAL}\b.*"

_Row = tuple[int, str | None, int, list[str | None]]
"""The number of a file, the sheet, the line and the cells."""


def find_told_rows(
    connection: DuckDBPyConnection,
    staged: Path,
    types: Sequence[ColumnType],
    files: Sequence[str],
    first: int = 0,
) -> list[Finding]:
    """Return a finding for each file or sheet with rows that look like totals, or like labels of others.

    The columns from `first` on are the files' own. A total sums up others, or has the word; where most rows
    have it, it names what they are. A label stands alone where the other rows have numbers.
    """
    columns = {
        f"c{index}": types[index] for index in range(first, min(len(types), first + _COLUMNS_COMPARED))
    }
    if len(columns) == 1:  # nothing to sum, and no label beside others
        return []
    sample = _read(connection, staged, columns, _SAMPLE_ROWS)
    sums = _find_sums(sample)
    if sums and len(sample) == _SAMPLE_ROWS:
        sums = _find_sums(_read(connection, staged, columns, _MOST_ROWS))
    usual = _usual_columns(columns, [cells for *_, cells in sample]) if sample else []
    is_total, is_label = _is_total(columns, sums), _is_label(usual)
    text = f"CASE WHEN label THEN concat_ws(' ', {', '.join(columns)}) END"
    found = connection.execute(
        f"SELECT file, sheet, count(*), "  # noqa: S608 - own SQL
        f"count(*) FILTER (total), min(line, {MAX_LINES}) FILTER (total), "
        f"count(*) FILTER (label), min(line, {MAX_LINES}) FILTER (label), "
        f"arg_min({text}, line, {MAX_PREVIEW}) FILTER (label) "
        f"FROM (SELECT *, {is_total} AS total, {is_label} AS label FROM {staged_rows(staged)}) "
        f"GROUP BY file, sheet HAVING bool_or(total) OR bool_or(label) ORDER BY file, sheet"
    ).fetchall()
    return [one.at(files[file], sheet) for file, sheet, *counts in found for one in _findings(*counts)]


def _read(connection: DuckDBPyConnection, staged: Path, columns: Iterable[str], limit: int) -> list[_Row]:
    rows = connection.execute(
        f"SELECT file, sheet, line, {', '.join(columns)} FROM {staged_rows(staged)} LIMIT {limit}"  # noqa: S608
    ).fetchall()
    return [(file, sheet, line, cells) for file, sheet, line, *cells in rows]


def _find_sums(rows: Sequence[_Row]) -> list[tuple[int, str | None, int]]:
    """Return the file, the sheet and the line of each row that is a sum of others."""
    found = []
    for place, part in groupby(rows, key=lambda row: row[:2]):
        parts = list(part)
        sums = find_subtotals([cells for *_, cells in parts])
        found += [(*place, parts[number][2]) for number in sorted(sums)]
    return found


def _usual_columns(columns: Iterable[str], rows: Sequence[Cells]) -> list[str]:
    """Return the columns that nearly all rows fill, of the rows that fill most."""
    filled = [[bool(cell and cell.strip()) for cell in cells] for cells in rows]
    counts = sorted(map(sum, filled))
    most = counts[len(counts) * 3 // 4] if counts else 0
    fuller = [one for one in filled if sum(one) * 2 >= most]
    totals = map(sum, zip(*fuller, strict=True))
    return [column for column, total in zip(columns, totals, strict=True) if total >= _USUAL * len(fuller)]


def _findings(
    rows: int,
    totals: int,
    total_lines: Sequence[int],
    labels: int,
    label_lines: Sequence[int],
    texts: Sequence[str],
) -> Iterator[Finding]:
    if totals and totals * 2 <= rows:
        yield about_lines(WarningCode.SUBTOTAL_LINES, total_lines, totals)
    if labels and labels * 2 <= rows:
        values = preview([[text] for text in texts])
        yield Finding(WarningCode.GROUP_LINES, {}, labels, tuple(label_lines), values)


def _is_total(columns: Mapping[str, ColumnType], sums: Sequence[tuple[int, str | None, int]]) -> str:
    """Return the SQL test that a row is one of the sums, or has the word in one of its first columns."""
    named = [column for column in list(columns)[:_FIRST_COLUMNS] if columns[column] is ColumnType.TEXT]
    has_gap = " OR ".join(f"{column} IS NULL OR {column} = ''" for column in columns)
    tests = [_names_total(column, [one for one in columns if one != column], has_gap) for column in named]
    if sums:
        places = ", ".join(f"({file}, {literal(sheet or '')}, {line})" for file, sheet, line in sums)
        tests.append(f"(file, coalesce(sheet, ''), line) IN ({places})")
    return " OR ".join(tests) or "false"


def _names_total(column: str, others: Sequence[str], has_gap: str) -> str:
    """Return the SQL test that a cell has the word: at its begin or end, beside numbers, or beside a gap."""
    has_word = f"contains(lower({column}), 'tota')"
    cell = trimmed(column)
    has_number = f"regexp_matches(concat_ws(' ', {', '.join(others)}), '(^|\\W)[0-9]')"
    named = f"regexp_full_match({cell}, {literal(_NAMED)}) AND {has_number}"
    mentioned = f"regexp_full_match({cell}, {literal(_MENTIONED)}) AND ({has_gap})"
    return choose((has_word, f"({named}) OR ({mentioned})"), otherwise="false")


def _is_label(usual: Sequence[str]) -> str:
    """Return the SQL test that a row fills at most one of the columns that others do, the first or second."""
    if len(usual) < _FEWEST_USUAL:
        return "false"
    first, second, *others = (f"({column} IS NULL OR {column} = '')" for column in usual)
    return " AND ".join((f"({first} OR {second})", *others))
