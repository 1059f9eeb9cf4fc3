"""Ask questions about columns' cells, over the sample or over all rows, in few passes."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Conversion, Formats, build_conversion, empty_cell, empty_text
from managed_tables.conversion.marked_cells import unmarked
from managed_tables.conversion.sql_text import choose
from managed_tables.conversion.times import Shape
from managed_tables.details import MAX_VALUE_CHARACTERS
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.schema import ColumnType

# Planning costs DuckDB 1.6 ms a question, and disproportionately more if one query has many: few questions
# are asked column by column (faster over many rows), many over one long column of cells.
QUESTIONS_PER_SCAN = 20
MANY_QUESTIONS = 60
# A long column of more columns does not fit the processor's cache: 1,500 at once take four times longer.
COLUMNS_PER_SCAN = 100
HEAD = "inference_head"  # the object's first rows, in a temporary table: all columns are one scan
EXCEPTIONS_KEPT = 5  # enough to show a person what is wrong

# What each kind of cell adds to one sum, from which the counts of all kinds are read: one aggregate for each
# kind would cost as much as the tests themselves.
_BITS = 31  # of a count: more rows than any upload unpacks to
_FITS, _EMPTY, _BLANK, _OTHER = 0, 1, 1 << _BITS, 1 << 2 * _BITS

Aggregate = Callable[[str], str]
"""Makes the SQL of an aggregate of a column's cells from that of a cell."""


@dataclass(frozen=True)
class Hypothesis:
    """A type with the formats that matter to it; the other formats are left at their defaults.

    `shape` is how dates are written that suggest it; None where cells need only convert: a person might
    choose the type, though nothing suggests it.
    """

    type: ColumnType
    formats: Formats
    shape: Shape | None = Shape.DAY

    def test(self, cell: str) -> str:
        """Return the SQL test that a cell looks like this, never NULL for a cell that is not."""
        conversion = build_conversion(cell, self.type, self.formats, self.shape or Shape.DAY)
        return conversion.suggests if self.shape else conversion.converts

    def conversion(self, cell: str) -> Conversion:
        """Return the SQL that converts a cell, whatever its shape suggests."""
        return build_conversion(cell, self.type, self.formats)


Question = tuple[int, Hypothesis | None]
"""A column, and what its cells may be; None counts those that are empty, and the others."""


@dataclass(frozen=True)
class CellTally:
    """How a column's cells answered: each cell counts once, as the first that applies."""

    fits: int = 0  # passed the test
    empty: int = 0  # no cell, no characters but blanks, or an error value
    blank: int = 0  # a null token, or other text with no value of the type
    exceptions: int = 0  # failed
    filled: int = 0  # not NULL

    @property
    def judged(self) -> int:
        """The number of cells that hold something to judge."""
        return self.fits + self.exceptions

    @property
    def missing(self) -> int:
        """The number of cells that are NULL."""
        return self.judged + self.empty + self.blank - self.filled

    @property
    def holds(self) -> bool:
        """Whether the test describes the whole column."""
        return self.fits > 0 and self.exceptions == 0

    @property
    def is_proof(self) -> bool:
        """Whether every cell that is not NULL passed the test, blank ones among them."""
        return self.fits == self.filled > 0

    @property
    def share(self) -> float:
        """The share of judged cells that passed, 0 to 1."""
        return self.fits / self.judged if self.judged else 0.0


class FoundCell(TypedDict):
    """A cell of the staged object, by the number of its file; `value` is how it begins, as written."""

    file: int
    sheet: str | None
    line: int
    value: str | None


def beginning(cell: str) -> str:
    """Return the SQL of how a cell begins, as written."""
    return f"left({unmarked(cell)}, {MAX_VALUE_CHARACTERS})"


def first_cells(cell: str, count: int, test: str = "true", **more: str) -> str:
    """Return the SQL of the first `FoundCell`s that pass a test, with more fields: only theirs are cut."""
    fields = {"file": "file", "sheet": "sheet", "line": "line", "value": cell, **more}
    struct = ", ".join(f"'{name}': {field}" for name, field in fields.items())
    found = f"arg_min({{{struct}}}, {ROW_NUMBER}, {count}) FILTER ({test})"
    return f"[struct_update(one, value := {beginning('one.value')}) FOR one IN {found}]"


def long_column(relation: str, columns: Sequence[int]) -> str:
    """Return a relation of places, `number` (of the column) and `cell`: the columns below one another."""
    cells = ", ".join(f"c{column}" for column in columns)
    numbers = ", ".join(f"{column}::SMALLINT" for column in columns)
    place = f"{ROW_NUMBER}, file, sheet, line"
    return f"(SELECT {place}, unnest([{numbers}]) AS number, unnest([{cells}]) AS cell FROM {relation})"  # noqa: S608


_T = TypeVar("_T", bound=Hashable)


@dataclass(frozen=True)
class Cells:
    """The cells of a staged object, or of its head: the rows of an SQL relation."""

    connection: DuckDBPyConnection
    relation: str

    def count(self, questions: Sequence[Question]) -> list[CellTally]:
        """Return one tally for each question, in order."""
        found = self.ask(questions, lambda what, cell: f"[count(*), count({cell}), sum({_kind(what, cell)})]")
        return [_tally(*answer) if answer else CellTally() for answer in found]

    def find_exceptions(self, questions: Sequence[Question]) -> list[list[FoundCell]]:
        """Return, for each question, the first cells that are exceptions."""

        def first(what: Hypothesis | None, cell: str) -> str:
            return first_cells(cell, EXCEPTIONS_KEPT, f"{_kind(what, cell)} = {_OTHER}")

        return [cells or [] for cells in self.ask(questions, first)]

    def count_rows(self) -> int:
        """Return the number of rows."""
        [(count,)] = self.connection.execute(f"SELECT count(*) FROM {self.relation}").fetchall()  # noqa: S608
        return int(count)

    def find_first(self, column: int, test: Aggregate) -> str | None:
        """Return the first cell of a column that passes a test, as written."""
        cell = f"c{column}"
        found = self.connection.execute(
            f"SELECT {cell} FROM {self.relation} WHERE {test(cell)} ORDER BY {ROW_NUMBER} LIMIT 1"  # noqa: S608
        ).fetchone()
        return str(found[0]) if found else None

    def columns_where(self, columns: Sequence[int], test: Aggregate) -> set[int]:
        """Return the columns of whose cells an aggregate holds."""
        return {column for column, (holds,) in self.ask_columns(columns, test).items() if holds}

    def ask_columns(self, columns: Sequence[int], *aggregates: Aggregate) -> dict[int, tuple[Any, ...]]:
        """Return the aggregates of each column's cells, all columns in few passes; None if no rows."""
        asked = [(column, aggregate) for column in columns for aggregate in aggregates]
        answers = iter(self.ask(asked, lambda aggregate, cell: aggregate(cell)))
        return {column: tuple(next(answers) for _ in aggregates) for column in columns}

    def ask(self, questions: Sequence[tuple[int, _T]], aggregate: Callable[[_T, str], str]) -> list[Any]:
        """Return what each column answers to what is asked of it, of which `aggregate` makes the SQL."""
        if len(questions) > MANY_QUESTIONS:
            return self._ask_as_one_column(questions, aggregate)
        answers: list[Any] = []
        for start in range(0, len(questions), QUESTIONS_PER_SCAN):
            batch = questions[start : start + QUESTIONS_PER_SCAN]
            asked = ", ".join(aggregate(what, f"c{column}") for column, what in batch)
            answers += self.connection.execute(f"SELECT {asked} FROM {self.relation}").fetchall()[0]  # noqa: S608
        return answers

    def _ask_as_one_column(
        self, questions: Sequence[tuple[int, _T]], aggregate: Callable[[_T, str], str]
    ) -> list[Any]:
        columns_of: dict[_T, dict[int, None]] = defaultdict(dict)
        for column, what in questions:
            columns_of[what][column] = None
        asked_of: dict[tuple[int, ...], list[_T]] = defaultdict(list)
        for what, columns in columns_of.items():
            asked_of[tuple(sorted(columns))].append(what)
        found: dict[tuple[int, _T], Any] = {}
        for of, asked in asked_of.items():
            aggregates = ", ".join(aggregate(what, "cell") for what in asked)
            size = len(of) if self.relation == HEAD else COLUMNS_PER_SCAN
            for start in range(0, len(of), size):
                cells = long_column(self.relation, of[start : start + size])
                rows = self.connection.execute(
                    f"SELECT number, {aggregates} FROM {cells} GROUP BY number"  # noqa: S608 - own SQL
                )
                for number, *answers in rows.fetchall():
                    found |= zip([(number, what) for what in asked], answers, strict=True)
        return [found.get(question) for question in questions]


def _kind(what: Hypothesis | None, cell: str) -> str:
    test = what.test(cell) if what else "false"
    no_value = what.conversion(cell).empty if what else empty_cell(cell, null_tokens=True)
    return choose(
        (f"{cell} IS NULL OR {cell} = ''", f"{_EMPTY}::BIGINT"),
        (test, f"{_FITS}::BIGINT"),
        (empty_text(cell), f"{_EMPTY}::BIGINT"),
        (no_value, f"{_BLANK}::BIGINT"),
        otherwise=f"{_OTHER}::BIGINT",
    )


def _tally(cells: int, filled: int, total: int | None) -> CellTally:
    """Return the counts that add up to `total` over so many cells."""
    mask = (1 << _BITS) - 1
    empty, blank, exceptions = ((total or 0) >> place * _BITS & mask for place in range(3))
    return CellTally(cells - empty - blank - exceptions, empty, blank, exceptions, filled)
