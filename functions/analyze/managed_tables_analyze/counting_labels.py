"""Owns the recognition of labels that count on: the days of a month, months, closing dates."""

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from managed_tables_analyze.cells import is_value

_FEWEST_NUMBERS = 4  # that follow one another by more than chance
_PLAINLY_LABELS = 12  # months, days
_FEWEST_DATES = 2
_NUMBER = re.compile(r"\d{1,3}")
_MONTH = re.compile(r"((?:19|20)\d\d)[-/.]?(0[1-9]|1[0-2])")
_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DATE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")


def counts_on(row: Sequence[str | None], below: Sequence[Sequence[str | None]]) -> bool:
    """Tell whether the values of a row, words aside, follow one another, and those below it do not."""
    kind = _counted(row)
    if kind is None:
        return False
    if kind == "number":
        return _are_numbered_labels(row, below)
    columns = [column for column, cell in enumerate(row) if cell is not None and is_value(cell)]
    cells = [cells[column] or "" for cells in below for column in columns if column < len(cells)]
    alike = sum(_place(cell.strip())[0] == kind for cell in cells)
    return alike * 10 <= len(cells)


def _are_numbered_labels(row: Sequence[str | None], below: Sequence[Sequence[str | None]]) -> bool:
    """Tell whether numbers that follow one another are labels: from 0 or 1 on, many, or under a word."""
    columns = [column for column, cell in enumerate(row) if cell is not None and is_value(cell)]
    first = _place((row[columns[0]] or "").strip())[1]
    if first > 1 or any(map(_counted, below)):
        return False
    if len(columns) >= _PLAINLY_LABELS:
        return True
    numbers = [
        _place((cells[column] or "").strip()) for cells in below for column in columns if column < len(cells)
    ]
    others = [cells[column] for cells in below for column in range(len(cells)) if column > columns[-1]]
    if len(row) > columns[-1] + 1 and others and all(map(is_value, others)):
        return True  # a word after the numbers names a column of values: `Total`
    small = sum(kind == "number" and number <= first + len(columns) for kind, number in numbers)
    return len(columns) < len(row) and small * 2 <= len(numbers)


def _counted(row: Sequence[str | None]) -> str | None:
    """Return what the values of a row count, where they are all of one kind and follow one another."""
    places = [_place(cell.strip()) for cell in row if cell is not None and is_value(cell)]
    kinds = {kind for kind, _ in places}
    steps = [after - before for (_, before), (_, after) in pairwise(places)]
    if kinds == {"number"}:
        return "number" if len(places) >= _FEWEST_NUMBERS and set(steps) == {1} else None
    if kinds not in ({"month"}, {"date"}) or len(places) < _FEWEST_DATES:
        return None
    return kinds.pop() if all(step > 0 for step in steps) or all(step < 0 for step in steps) else None


def _place(text: str) -> tuple[str, int]:
    """Return what kind of label a value may be, and where it stands among those of its kind."""
    if _NUMBER.fullmatch(text):
        return "number", int(text)
    if match := _MONTH.fullmatch(text):
        return "month", int(match[1]) * 12 + int(match[2])
    if match := _ISO_DATE.fullmatch(text):
        return _day(match[1], match[2], match[3])
    if match := _DATE.fullmatch(text):
        return _day(match[3], match[2], match[1])
    return "other", 0


def _day(year: str, month: str, day: str) -> tuple[str, int]:
    try:
        return "date", date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return "other", 0
