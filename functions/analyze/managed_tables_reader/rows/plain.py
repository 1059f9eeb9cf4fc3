"""Read a part's rows without DuckDB: the cells as they stand in the file, None where there is nothing.

What `managed_tables_analyze.staging` does in SQL is done here row by row, and a test compares the two: line
ends on their lines again, merged cells filled, columns without label and value left out, and a last row of
sums left out.
"""

import csv
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from managed_tables.conversion.marked_cells import on_its_lines, unmark_text
from managed_tables.conversion.sql_text import BLANKS
from managed_tables_reader.rows.notes import rows_left_out
from managed_tables_reader.rows.parts import Fill, Part
from managed_tables_reader.rows.sums import is_sum_of

Cells = list[str | None]
_FORMULA, _FORMULA_END = '="', '"'  # around a text that looks like a number
_ASCII_BLANKS = " \t\r\n"


@dataclass
class PlainRows:
    """The rows of a numbered part; `columns` are those that have a label or a value."""

    part: Part

    def __post_init__(self) -> None:
        csv.field_size_limit(sys.maxsize)  # a quoted text may be longer than csv's own limit
        self._last: int | None = None
        if not self.part.keeps_last and len(self.columns) > 1:
            self._leave_out_sum()

    @cached_property
    def columns(self) -> list[int]:
        """The places of the columns that are read."""
        named = {place for place, label in enumerate(self.part.labels) if _is_label(label)}
        empty = self._empty(set(range(self.part.width)) - named)
        if not self.part.labels:
            empty = surplus(self.part.width, empty)
        return [place for place in range(self.part.width) if place not in empty] or [0]

    def _empty(self, places: set[int]) -> set[int]:
        """Return which of these columns have no value in any row."""
        rows = self._numbered() if places else iter(())
        for _, cells in rows:
            places = {place for place in places if not (cells[place] or "").strip(_ASCII_BLANKS)}
            if not places:
                break
        return places

    @property
    def labels(self) -> list[str | None]:
        """The labels as written; None of a column without one."""
        known = dict(enumerate(self.part.labels))
        return [label if _is_label(label := known.get(place)) else None for place in self.columns]

    def __iter__(self) -> Iterator[tuple[int, Cells]]:
        """Yield each row's line and its cells."""
        for line, cells in self._numbered():
            if line == self._last:
                return
            yield line, [cells[place] for place in self.columns]

    def _numbered(self) -> Iterator[tuple[int, Cells]]:
        part, read = self.part, _cell_reader(self.part)
        fill = _Filler(part.fills)
        with part.path.open(encoding="utf-8", newline="\n") as file:
            for number, *texts in csv.reader(file, delimiter=part.delimiter, quotechar=part.quote):
                line, cells = int(number), [read(text) if text else None for text in texts]
                cells += [None] * (part.width - len(cells))
                if part.fills:
                    fill.row(line, cells)
                yield line, cells

    def _leave_out_sum(self) -> None:
        """Leave the last row out if it sums up those above it, and say so in the part."""
        rows = [*deque(self, maxlen=1)]
        if rows and is_sum_of(rows[0][1], (cells for line, cells in self if line != rows[0][0])):
            self._last, cells = rows[0]
            self.part.extent.leave_out_last(self._last, cells)
            if self.part.expected_rows is not None:
                self.part.expected_rows -= 1
            self.part.findings.append(rows_left_out("FOOTER", rows))


class _Filler:
    """Gives cells that a sheet merges downwards the value of the first."""

    def __init__(self, fills: Sequence[Fill]) -> None:
        self._tops = {
            (line, column): (top, column)
            for column, top, bottom in fills
            for line in range(top + 1, bottom + 1)
        }
        self._values: dict[tuple[int, int], str | None] = {(top, column): None for column, top, _ in fills}

    def row(self, line: int, cells: Cells) -> None:
        for place, cell in enumerate(cells):
            if (line, place) in self._values:
                self._values[line, place] = cell
            elif cell is None and (line, place) in self._tops:
                cells[place] = self._values[self._tops[line, place]]


def surplus(width: int, empty: set[int]) -> set[int]:
    """Return the surplus columns of rows without a header: the empty ones after the last filled one."""
    last = max((column for column in range(width) if column not in empty), default=0)
    beyond = {column for column in empty if column > last}
    return beyond if len(beyond) > 1 else set()  # a single one may be a column that was left blank


def _is_label(text: str | None) -> bool:
    return bool(text and text.strip())


def _cell_reader(part: Part) -> Callable[[str], str | None]:
    """Return what makes a text of the copy the cell of the file."""
    steps: Sequence[tuple[bool, Callable[[str], str]]] = (
        (part.has_breaks, on_its_lines),
        (part.has_formulas, _without_formula),
        (part.trim, lambda text: text.strip(BLANKS)),
        (part.has_numbers, unmark_text),
    )
    wanted = [step for is_wanted, step in steps if is_wanted]

    def read(text: str) -> str | None:
        for step in wanted:
            text = step(text)
        return text or None

    return read


def _without_formula(text: str) -> str:
    """Return 00123 of `="00123"`."""
    if not (text.startswith(_FORMULA) and text.endswith(_FORMULA_END)):
        return text
    inner = text[len(_FORMULA) : -len(_FORMULA_END)]
    return text if '"' in inner or len(text) <= len(_FORMULA) else inner
