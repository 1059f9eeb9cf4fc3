"""Labels that count on: the days of a month, months, years, closing dates."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from itertools import pairwise

from managed_tables_analyze.layout.grid import GridRow

_FEWEST_NUMBERS = 4  # that follow one another by more than chance
_FEWEST = 2
_PLAINLY_LABELS = 12  # months, days
_NUMBER = re.compile(r"\d{1,3}")
_YEAR = re.compile(r"(?:18|19|20|21)\d\d")
_MONTH = re.compile(r"((?:19|20)\d\d)[-/.]?(0[1-9]|1[0-2])")
_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DATE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")


def count_labels(row: GridRow, below: Sequence[GridRow]) -> frozenset[int]:
    """Return the columns in which a row's values follow one another, where those of the rows below do not."""
    columns, kind = _counted(row)
    if not columns or not below or any(_counted(other)[1] == kind for other in below):
        return frozenset()
    if kind in ("date", "month") and any(_holds(other, columns, kind) for other in below):
        return frozenset()
    if kind == "number" and not _are_numbered_labels(row, columns, below):
        return frozenset()
    return frozenset(columns)


def _are_numbered_labels(row: GridRow, columns: Sequence[int], below: Sequence[GridRow]) -> bool:
    """Return whether numbers that follow one another are labels: from 0 or 1 on, many, or under a word."""
    first = _place((row.cells[columns[0]] or "").strip())[1]
    if first > 1:
        return False
    if len(columns) >= _PLAINLY_LABELS or _names_values(row, columns[-1] + 1, below):
        return True
    texts = [
        (other.cells[column] or "").strip()
        for other in below
        for column in columns
        if column < len(other.cells)
    ]
    small = sum(kind == "number" and number <= first + len(columns) for kind, number in map(_place, texts))
    return len(columns) < len(row.looks) and small * 2 <= len(texts)


def _names_values(row: GridRow, column: int, below: Sequence[GridRow]) -> bool:
    """Return whether a word right of the numbers names a column of values: `Total`."""
    others = [one for other in below for one in other.looks[column:]]
    return len(row.looks) > column and bool(others) and all(one.is_value for one in others)


def _holds(row: GridRow, columns: Sequence[int], kind: str) -> bool:
    texts = [(row.cells[column] or "").strip() for column in columns if column < len(row.cells)]
    return any(_place(text)[0] == kind for text in texts)


def _counted(row: GridRow) -> tuple[list[int], str]:
    """Return the columns of a row's values, and their kind, where they follow one another."""
    columns = [column for column, one in enumerate(row.looks) if one.is_value]
    places = [_place((row.cells[column] or "").strip()) for column in columns]
    kinds = {kind for kind, _ in places}
    if len(columns) < _FEWEST or len(kinds) > 1:
        return [], ""
    [kind] = kinds
    steps = {after - before for (_, before), (_, after) in pairwise(places)}
    return (columns, kind) if _is_sequence(kind, steps, len(places)) else ([], "")


def _is_sequence(kind: str, steps: Collection[int], count: int) -> bool:
    """Return whether labels of a kind follow one another by these steps."""
    match kind:
        case "number":
            return count >= _FEWEST_NUMBERS and steps == {1}
        case "year":
            return steps in ({1}, {-1})
        case "date" | "month":
            return min(steps) > 0 or max(steps) < 0
    return False


def _place(text: str) -> tuple[str, int]:
    """Return what kind of label a value may be, and where it stands among those of its kind."""
    if _NUMBER.fullmatch(text):
        return "number", int(text)
    if _YEAR.fullmatch(text):
        return "year", int(text)
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
