"""Find rows that look like something else, totals or labels of others: kept, since they may be data.

Totals below a table are its footer (`layout/search.py`); here are those between the rows, one for each group,
named or not. A row that is a sum need not say its numbers, only how many rows it sums up. It is one if that
saves more bits than a table of so many rows offers by chance. Totals of totals are found, too: the rows that
a total sums up are left out of the next one. Where a name stands above lines without one, these are a record,
and sums are of the same line of each. The last rows may also hold the least, the greatest or the mean of each
column.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice, pairwise
from math import gcd, log2
from operator import itemgetter
from pathlib import Path
from statistics import fmean as mean
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion.sql_text import choose, literal, trimmed
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import MAX_LINES, MAX_PREVIEW, Finding, about_lines, preview
from managed_tables.schema import ColumnType

_FIRST_COLUMNS = 3  # among which the word is sought
_COLUMNS_COMPARED = 30  # among which a total leaves some empty, and a label all others
_FEWEST_USUAL = 3  # columns that rows fill: a name without its only value is no label
_USUAL = 0.8  # share of the fuller rows that fill a usual column
_SAMPLE_ROWS = 500  # in which sums are sought: enough to see that a file has any
_SUMMED_ROWS = 20_000  # in which all of them are found then
_TOTAL = r"(?:sub[- ]?)?tota(?:l|is)"
_MEAN = r"(?:m[ée]dias?(?: (?:geral|gerais|simples|ponderadas?))?|averages?|mean)"
# What is worked out of other rows, by its whole name; shares are not, since each record may have one.
_WORKED_OUT = (
    r"soma(?:s|t[óo]rio)?|sum|median[ao]?|desvio[- ]padr[ãa]o|standard deviation|std\.? ?dev\.?"
    r"|m[íi]nimo|m[áa]ximo|minimum|maximum|overall"
)
# Of a statement's days and of its end: a sum over its movements would count them.
_BALANCE = (
    r"saldo(?: (?:final|inicial|anterior|atual|total|parcial|bloqueado|dispon[íi]vel"
    r"|(?:d[oe]|em) .*\d.*|do (?:dia|m[êe]s|per[íi]odo)\b.*))?"
)
_NAMED = (
    rf"(?i)(?:.*[\s,(])?{_TOTAL}[\W\d]*|{_TOTAL}\b.*|{_MEAN}[\W\d]*|{_MEAN} (?:d[aeo]s?|of)\b.*"
    rf"|\W*(?:{_WORKED_OUT})(?: (?:geral|gerais|d[aeo]s?|of)\b.*)?[\W\d]*|\W*{_BALANCE}[\W\d]*"
)
_HAS_WORD = rf"(?i)tota|m[ée]di|average|mean|saldo|{_WORKED_OUT}"  # tried first, since it is quick
_MENTIONED = rf"(?i).*[\s,(]{_TOTAL}\b.*"

Cells = Sequence[str | None]
_Numbers = list[int | None]
"""A row's numbers in the smallest unit of each column; None for a cell that is no number."""

_SURE = 6.0  # bits that must be saved besides those that say which row is a sum
_SURE_OF_MEAN = 10.0  # and which is a mean: there are more candidates, and a file that loads itself waits
_MISFIT = 0.5  # of the bits of a number that is no sum: a mean, a share
_FEWEST_ROWS = 2  # to sum: one alone is its own sum
_ANCHORS = 3  # columns by which the rows of a sum are counted
_LONGEST_SUM = 500  # in rows
_FEWEST_OF_MEAN, _LONGEST_MEAN = 3, 40  # of two rows each third number in order is the mean
_ROUNDED = 0.5  # of a column's unit: a mean is written rounded
_MOST_CHARACTERS = 60  # of a number that rows may sum up: what is longer is a code, or a stranger's
_MOST_DECIMALS = 4  # of shares, which are seldom written out
_LAST_ROWS = 6  # that may be statistics of the rows above
_STATISTICS: tuple[Callable[[list[int]], float], ...] = (min, max, mean)
_ALIKE = 0.8  # least share of records of as many lines
_NUMBERS = 0.5  # least share of numbers in a column that is summed
_AROUND = "R$€£%() \t\u00a0\u202f*"  # what may surround the digits of a number
_MARKS = [  # a number, what it says without its marks, and a flag; the decimal mark is a point or a comma
    re.compile(rf"([-+]?)(\d+|[1-9]\d{{,2}}(?:[{group}\s]\d{{3}})+)(?:[{mark}](\d+))?[A-Za-z]?")
    for mark, group in ((".", ","), (",", "."))
]


def find_told_rows(
    connection: DuckDBPyConnection,
    staged: Path,
    types: Sequence[ColumnType],
    files: Sequence[str],
    first: int,
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
    select = f"SELECT file, sheet, line, {', '.join(columns)} FROM {staged_rows(staged)} LIMIT"  # noqa: S608
    sample = connection.execute(f"{select} {_SAMPLE_ROWS}").fetchall()
    sums = list(_find_sums(sample))
    if sums and len(sample) == _SAMPLE_ROWS:
        sums = list(_find_sums(connection.execute(f"{select} {_SUMMED_ROWS}").fetchall()))
    usual = _usual_columns(columns, [cells for _, _, _, *cells in sample]) if sample else []
    is_total, is_label = _is_total(columns, sums), _is_label({column: columns[column] for column in usual})
    text = f"CASE WHEN label THEN concat_ws(' ', {', '.join(columns)}) END"
    found = connection.execute(
        f"SELECT file, sheet, count(*), "  # noqa: S608 - own SQL
        f"count(*) FILTER (total), min(line, {MAX_LINES}) FILTER (total), "
        f"count(*) FILTER (label), min(line, {MAX_LINES}) FILTER (label), "
        f"arg_min({text}, line, {MAX_PREVIEW}) FILTER (label) "
        f"FROM (SELECT *, {is_total} AS total, {is_label} AS label FROM {staged_rows(staged)}) "
        f"GROUP BY file, sheet HAVING bool_or(total) OR bool_or(label) ORDER BY file, sheet"
    ).fetchall()
    return list(_findings(found, files))


def _find_sums(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, str | None, int]]:
    """Yield the file, the sheet and the line of each row that is a sum of others: rows begin with these."""
    for place, part in groupby(rows, key=itemgetter(0, 1)):
        lines, *columns = list(zip(*part, strict=True))[2:]
        for number in sorted(find_subtotals(list(zip(*columns, strict=True)))):
            yield *place, lines[number]


def _usual_columns(columns: Collection[str], rows: Sequence[Cells]) -> list[str]:
    """Return the columns that nearly all rows fill, of the rows that fill most."""
    filled = [[bool(cell and cell.strip()) for cell in cells] for cells in rows]
    counts = sorted(map(sum, filled))
    most = counts[len(counts) * 3 // 4] if counts else 0
    fuller = [one for one in filled if sum(one) * 2 > most]
    totals = map(sum, zip(*fuller, strict=True)) if fuller else [0] * len(columns)
    return [
        column for column, total in zip(columns, totals, strict=True) if total >= max(1, _USUAL * len(fuller))
    ]


def _findings(found: Iterable[tuple[Any, ...]], files: Sequence[str]) -> Iterator[Finding]:
    for file, sheet, rows, totals, total_lines, labels, label_lines, texts in found:
        if totals and totals * 2 <= rows:
            yield about_lines("SUBTOTAL_LINES", total_lines, totals).at(files[file], sheet)
        if labels and labels * 2 <= rows:
            shown = preview([[text] for text in texts])
            yield Finding("GROUP_LINES", {}, labels, tuple(label_lines), shown).at(files[file], sheet)


def _is_total(columns: Mapping[str, ColumnType], sums: Sequence[tuple[int, str | None, int]]) -> str:
    """Return the SQL test that a row is one of the sums, or has the word in one of its first columns."""
    named = [column for column in list(columns)[:_FIRST_COLUMNS] if columns[column] is ColumnType.TEXT]
    filled = [f"nullif({column}, '')" for column in columns]
    has_gap = " OR ".join(f"{cell} IS NULL" for cell in filled)
    named.append(f"coalesce({', '.join(filled)})")  # the first that is filled
    tests = [_names_total(cell, [one for one in columns if one != cell], has_gap) for cell in named]
    if sums:
        places = ", ".join(f"({file}, {literal(sheet or '')}, {line})" for file, sheet, line in sums)
        tests.append(f"(file, coalesce(sheet, ''), line) IN ({places})")
    return " OR ".join(tests) or "false"


def _names_total(column: str, others: Sequence[str], has_gap: str) -> str:
    """Return the SQL test that a cell has the word: at its begin or end, beside numbers, or beside a gap."""
    has_word = f"regexp_matches({column}, {literal(_HAS_WORD)})"
    cell = trimmed(column)
    has_number = f"regexp_matches(concat_ws(' ', {', '.join(others)}), '(^|\\W)[0-9]')"
    named = f"regexp_full_match({cell}, {literal(_NAMED)}) AND {has_number}"
    mentioned = f"regexp_full_match({cell}, {literal(_MENTIONED)}) AND ({has_gap})"
    return choose((has_word, f"({named}) OR ({mentioned})"), otherwise="false")


def _is_label(usual: Mapping[str, ColumnType]) -> str:
    """Return the SQL test that a row fills the first or second usual column alone, or half and no value."""
    if len(usual) < _FEWEST_USUAL:
        return "false"
    empty = {column: f"({column} IS NULL OR {column} = '')" for column in usual}
    first, second, *others = empty.values()
    alone = " AND ".join((f"({first} OR {second})", *others))
    values = [empty[column] for column, kind in usual.items() if kind is not ColumnType.TEXT]
    count = " + ".join(f"{one}::INT" for one in empty.values())
    few = " AND ".join((f"({count}) * 2 >= {len(usual)}", *values))
    return f"({alone}) OR ({few})" if len(values) > 1 else alone


def find_subtotals(rows: Sequence[Cells]) -> set[int]:
    """Return the places of rows that sum up rows right above or below them, or are statistics at the end."""
    columns = [column for cells in zip(*rows, strict=True) if any(column := _scaled(cells))]
    if not columns:
        return set()
    numbers = [list(row) for row in zip(*columns, strict=True)]
    found = {*_sums_both_ways(numbers), *_statistics(numbers)}
    records = _find_records(rows)
    for line in range(max(map(len, records), default=0)):  # each sums up its like: the amounts, the shares
        likes = [record for record in records if line < len(record)]
        sums = _sums_both_ways([numbers[record[line]] for record in likes])
        found.update(place for number in sums for place in likes[number])
    return found


def _find_records(rows: Sequence[Cells]) -> list[range]:
    """Return the rows of each record if most have as many lines, of which the first alone has a name."""
    starts = [place for place, cells in enumerate(rows) if place == 0 or (cells[0] or "").strip()]
    records = [range(*places) for places in pairwise([*starts, len(rows)])]
    [(lines, count)] = Counter(map(len, records)).most_common(1)
    return records if lines > 1 and count >= _ALIKE * len(records) else []


def _sums_both_ways(rows: Sequence[_Numbers]) -> Iterator[int]:
    """Yield the places of rows that sum up rows right above or below them."""
    for way in (_sums, _means):
        yield from way(rows)
        yield from (len(rows) - 1 - place for place in way(rows[::-1]))


def _scaled(cells: Cells) -> _Numbers:
    """Return a column's numbers in its smallest unit; none where few cells are numbers."""
    texts = [(cell or "").strip(_AROUND) for cell in cells]
    short = [text if len(text) <= _MOST_CHARACTERS else "" for text in texts]
    found = max(([*map(pattern.fullmatch, short)] for pattern in _MARKS), key=lambda one: -one.count(None))
    if len(found) - found.count(None) < max(1, _NUMBERS * sum(map(bool, texts))):
        return [None] * len(cells)
    decimals = min(_MOST_DECIMALS, max(map(_decimals, found)))
    values = [one and _number(one, decimals) for one in found]
    unit = gcd(*filter(None, values)) or 1
    return [value if value is None else value // unit for value in values]


def _decimals(match: re.Match[str] | None) -> int:
    return len((match[3] or "").rstrip("0")) if match else 0


def _number(match: re.Match[str], decimals: int) -> int:
    sign, whole, fraction = match.groups()
    digits = "".join(filter(str.isdigit, whole)) + (fraction or "")[:decimals].ljust(decimals, "0")
    return -int(digits) if sign == "-" else int(digits)


def _sums(rows: Sequence[_Numbers]) -> Iterator[int]:
    """Yield the places of rows that sum up rows right above them."""
    sure = _SURE + log2(len(rows))
    above: list[_Numbers] = []
    for place, row in enumerate(rows):
        count = next((count for count in _counts(row, above) if _saved(row, above[-count:]) >= sure), 0)
        if count:
            del above[-count:]
            yield place
        above.append(row)


def _means(rows: Sequence[_Numbers]) -> Iterator[int]:
    """Yield the places of rows that are the mean of rows right above them, which are left out of the next."""
    sure = _SURE_OF_MEAN + 2 * log2(len(rows))  # of how many rows has to be said, too
    above: list[_Numbers] = []
    for place, row in enumerate(rows):
        if any(_saved_by_mean(row, above[-count:]) >= sure for count in _counts_of_mean(row, above)):
            yield place
            above = []
        else:
            above.append(row)


def _counts_of_mean(row: _Numbers, above: Sequence[_Numbers]) -> Iterator[int]:
    """Yield of how many of the last rows above a row may be the mean, judged by its first number."""
    column = next((column for column, number in enumerate(row) if number), 0)
    number, total = row[column] or 0, 0
    for count, upper in enumerate(islice(reversed(above), _LONGEST_MEAN), start=1):
        total += upper[column] or 0
        if count >= _FEWEST_OF_MEAN and abs(total - number * count) <= _ROUNDED * count:
            yield count


def _saved_by_mean(row: _Numbers, parts: Sequence[_Numbers]) -> float:
    """Return the bits that a row's numbers need less if they are given as means; 0 if one is none."""
    bits = 0.0
    for column, number in enumerate(row):
        values = [value for part in parts if (value := part[column]) is not None]
        if number is None and not values:
            continue
        if number is None or len(values) < len(parts) or abs(mean(values) - number) > _ROUNDED:
            return 0.0
        bits += log2(max(values) - min(values) + 1)  # among so many numbers the mean lies
    return bits


def _counts(row: _Numbers, above: Sequence[_Numbers]) -> Iterator[int]:
    """Yield how many of the last rows above may add up to a row, judged by a few of its numbers."""
    anchors = (column for column, number in enumerate(row) if number and abs(number) > 1)
    for column in islice(anchors, _ANCHORS):
        number, total = row[column] or 0, 0
        for count, upper in enumerate(islice(reversed(above), _LONGEST_SUM), start=1):
            total += upper[column] or 0
            if count >= _FEWEST_ROWS and abs(total - number) * 2 <= count:
                yield count
            if abs(total) > 2 * abs(number):
                break


def _saved(row: _Numbers, parts: Sequence[_Numbers]) -> float:
    """Return the bits that a row's numbers need less if they are given as sums of these rows."""
    bits = 0.0
    for column, number in enumerate(row):
        if not number:
            continue
        added = [part[column] for part in parts if part[column]]
        off = abs(sum(filter(None, added)) - number)
        if len(added) < _FEWEST_ROWS or off * 2 > len(parts):  # each may be rounded by half a unit
            bits -= _MISFIT * log2(abs(number) + 1)
        else:
            bits += log2((abs(number) + 1) / (2 * off + 1))
    return bits


def _statistics(rows: Sequence[_Numbers]) -> Iterator[int]:
    """Yield the places of the last rows whose numbers are each the same statistic of their column."""
    above = [*rows[:-_LAST_ROWS]]
    for place, row in enumerate(rows[len(above) :], start=len(above)):
        if above and row not in above and any(_agrees(row, above, one) for one in _STATISTICS):
            yield place
        else:
            above.append(row)


def _agrees(row: _Numbers, above: Sequence[_Numbers], statistic: Callable[[list[int]], float]) -> bool:
    bits = 0.0
    for column, number in enumerate(row):
        values = [upper[column] for upper in above]
        known = [value for value in values if value is not None]
        if number is None or len({*known}) < _FEWEST_ROWS:
            continue
        if abs(statistic(known) - number) > _ROUNDED:
            return False
        bits += log2(len(known) / max(1, known.count(number)))
    return bits >= _SURE
