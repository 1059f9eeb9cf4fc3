"""Recognise consecutive labels: the days of a month, months, years, closing dates."""

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.looks import TEXT, YEAR, look

_FEWEST = {"number": 4, "year": 2, "month": 2, "date": 2, "named": 2}
"""How many consecutive values are no coincidence."""
_MANY = 12  # months, days
_PATTERNS = {
    "number": re.compile(r"(?P<number>\d{1,3})"),
    "year": re.compile(YEAR),
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
    """Return whether consecutive numbers are labels: they start at 0 or 1 and are many, or next to a word."""
    if _are_labelled(row, columns):
        return False
    first = _place(row.cells[columns[0]])[1]
    right = [one.is_value for other in below for one in other.looks[columns[-1] + 1 :]]
    if first > 1 or len(columns) >= _MANY or (columns[-1] + 1 < len(row.looks) and right and all(right)):
        return first <= 1
    places = _places(columns, below)
    small = sum(kind == "number" and number <= first + len(columns) for kind, number in places)
    return len(columns) < len(row.looks) and small * 2 <= len(places)


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
    steps = {after - before for (_, before), (_, after) in pairwise(places)}
    if kind == "number":
        is_sequence = steps == {1}
    elif kind in ("year", "named"):
        is_sequence = True
    else:
        is_sequence = min(steps) > 0 or max(steps) < 0
    return (columns, kind) if is_sequence else ([], "")


def _fewest(kind: str, above: Sequence[str | None], column: int) -> int:
    """Return how many labels are no coincidence; below a label one year is none."""
    has_label = column < len(above) and look(above[column]).kind == TEXT
    return 1 if kind == "year" and has_label else _FEWEST.get(kind, 1_000)


def _place(cell: str | None) -> tuple[str, int]:
    """Return the kind of label that a value may be (empty: none), and its ordinal in that kind."""
    for kind, pattern in _PATTERNS.items():
        if match := pattern.fullmatch((cell or "").strip()):
            found = {name: int(text) for name, text in match.groupdict().items()}
            if "number" in found:
                return kind, found["number"]
            if kind == "month":
                year, month = found.values()
                return (kind, year * 100 + month) if month <= 12 or month == (year + 1) % 100 else ("", 0)
            try:
                return "date", date(**found).toordinal()
            except ValueError:
                return "", 0
    return "", 0
