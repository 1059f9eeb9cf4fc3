"""Find rows whose numbers are computed from other rows: totals within a table, named or not.

A row that is a sum need not say its numbers, only how many rows it sums up. It is one if that saves more bits
than a table of so many rows offers by chance. Totals of totals are found, too: the rows that a total sums up
are left out of the next one. Where a name stands above lines without one, these are a record, and sums are of
the same line of each. The last rows may also hold the least, the greatest or the mean of each column.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from math import gcd, log2
from statistics import fmean as mean

Cells = Sequence[str | None]
_Numbers = list[int | None]
"""A row's numbers in the smallest unit of each column; None for a cell that is no number."""

_SURE = 6.0  # bits that must be saved besides those that say which row is a sum
_MISFIT = 0.5  # of the bits of a number that is no sum: a mean, a share
_FEWEST_ROWS = 2  # to sum: one alone is its own sum
_ANCHORS = 3  # columns by which the rows of a sum are counted
_MOST_ROWS = 500  # of a sum
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
    yield from _sums(rows)
    yield from (len(rows) - 1 - place for place in _sums(rows[::-1]))


def _scaled(cells: Cells) -> _Numbers:
    """Return a column's numbers in its smallest unit; none where few cells are numbers."""
    texts = [(cell or "").strip(_AROUND) for cell in cells]
    found = max(([*map(pattern.fullmatch, texts)] for pattern in _MARKS), key=_count)
    if _count(found) < max(1, _NUMBERS * sum(map(bool, texts))):
        return [None] * len(cells)
    decimals = min(_MOST_DECIMALS, max(map(_decimals, found)))
    values = [one and _number(one, decimals) for one in found]
    unit = gcd(*filter(None, values)) or 1
    return [value if value is None else value // unit for value in values]


def _count(found: Sequence[object]) -> int:
    return sum(map(bool, found))


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


def _counts(row: _Numbers, above: Sequence[_Numbers]) -> Iterator[int]:
    """Yield how many of the last rows above may add up to a row, judged by a few of its numbers."""
    anchors = (column for column, number in enumerate(row) if number and abs(number) > 1)
    for column in islice(anchors, _ANCHORS):
        number, total = row[column] or 0, 0
        for count, upper in enumerate(islice(reversed(above), _MOST_ROWS), start=1):
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
        if abs(statistic(known) - number) > 0.5:  # a mean is written rounded
            return False
        bits += log2(len(known) / max(1, known.count(number)))
    return bits >= _SURE
