"""Recognise consecutive labels: the days of a month, months, years, closing dates."""

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.looks import TEXT, YEAR, is_year, look

_FEWEST = {"number": 4, "year": 2, "month": 2, "date": 2, "named": 2}
"""How many consecutive values are no coincidence."""
_MANY = 12  # months, days
_PATTERNS = {
    "number": re.compile(r"(?P<number>\d{1,3})(?:\.0)?"),
    "year": re.compile(rf"{YEAR}|(?P<marked>(?:19|20)\d\d)\d"),  # 20171: a footnote's mark, once raised
    "month": re.compile(r"(?P<year>(?:19|20)\d\d)(?:[-/.]|(?=0[1-9]|1[0-2]))(?P<month>\d\d)"),  # also 2012/13
    "named": re.compile(r"(?P<number>\d{1,2})[-/ ]?[A-Za-zç]{3,9}\.?[-/ ,]?\s*\d{2,4}"),  # 31 Mar 2012
    "date": re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"),
    "day": re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})"),
}


def count_labels(row: GridRow, below: Sequence[GridRow]) -> frozenset[int]:
    """Return the columns of a row's consecutive values, none if a row below has such values, too."""
    columns, kind = _count(row)
    if not columns or not below or any(_count(other)[1] == kind for other in below):
        return frozenset()
    if kind == "number":
        are_labels = _are_numbered(row, columns, below)
    else:  # hardly any value below is of the same kind
        kinds = [found for found, _ in _places(columns, below)]
        are_labels = kinds.count(kind) * 10 <= len(kinds)
    return frozenset(columns if are_labels else ())


def _are_numbered(row: GridRow, columns: Sequence[int], below: Sequence[GridRow]) -> bool:
    """Return whether consecutive numbers are labels: from 0 or 1 on if they are many, or next to a word."""
    first, is_named = _place(row.cells[columns[0]])[1], _names_values(row, below)
    if _are_labelled(row, columns) or first > 1:
        return first > 1 and is_named
    if is_named or len(columns) >= _MANY:
        return True
    places = _places(columns, below)
    small = sum(kind == "number" and number <= first + len(columns) for kind, number in places)
    return len(columns) < len(row.looks) and small * 2 <= len(places)


def _names_values(row: GridRow, below: Sequence[GridRow]) -> bool:
    """Return whether a word stands above values only."""
    words = [column for column, one in enumerate(row.looks) if one.kind == TEXT]
    lower = [[other.looks[column] for other in below if column < len(other.looks)] for column in words]
    return any(looks and all(one.is_value for one in looks) for looks in lower)


def _are_labelled(row: GridRow, columns: Sequence[int]) -> bool:
    """Return whether each of the columns has a label of its own right above the row."""
    uppers = {row.above[column] for column in columns if column < len(row.above)} - {None, ""}
    return len(uppers) == len(columns) and not any(look(upper).is_value for upper in uppers)


def _places(columns: Sequence[int], rows: Sequence[GridRow]) -> list[tuple[str, int]]:
    return [_place(row.cells[column]) for row in rows for column in columns if column < len(row.cells)]


def _count(row: GridRow) -> tuple[list[int], str]:
    """Return the columns and the kind of a row's values if they are consecutive, else nothing."""
    columns = [column for column, one in enumerate(row.looks) if one.is_value]
    places = [_place(row.cells[column]) for column in columns]
    kind = places[0][0] if places else ""
    if {found for found, _ in places} != {kind} or len(places) < _fewest(kind, row.above, columns[0]):
        return [], ""
    return (columns, kind) if _are_consecutive(kind, [row.cells[column] for column in columns]) else ([], "")


def _are_consecutive(kind: str, cells: Sequence[str | None]) -> bool:
    """Return whether labels of a kind follow each other: dates either way, years in any order."""
    if kind == "named" or all(map(is_year, cells)):
        return True
    steps = {after - before for (_, before), (_, after) in pairwise(map(_place, cells))}
    if kind in ("number", "year"):
        return steps == {1}
    return min(steps) > 0 or max(steps) < 0


def _fewest(kind: str, above: Sequence[str | None], column: int) -> int:
    """Return how many labels are no coincidence; below a label one year is none."""
    has_label = column < len(above) and look(above[column]).kind == TEXT
    return 1 if kind == "year" and has_label else _FEWEST.get(kind, 1_000)


def _place(cell: str | None) -> tuple[str, int]:
    """Return the kind of label that a value may be (empty: none), and its ordinal in that kind."""
    for kind, pattern in _PATTERNS.items():
        if match := pattern.fullmatch((cell or "").strip()):
            found = {name: int(text) for name, text in match.groupdict().items() if text}
            if kind in ("number", "year", "named"):
                return kind, next(iter(found.values()))
            if kind == "month":
                year, month = found.values()
                return (kind, year * 100 + month) if month <= 12 or month == (year + 1) % 100 else ("", 0)
            try:
                return "date", date(**found).toordinal()
            except ValueError:
                return "", 0
    return "", 0
