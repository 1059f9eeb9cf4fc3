"""Ask questions about columns' cells, over the sample or over all rows, in few passes."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from duckdb import DuckDBPyConnection

from managed_tables.conversion.cells import empty_cell, empty_text
from managed_tables.conversion.sql_text import choose, matches
from managed_tables.jobs.staged_rows import ROW_NUMBER

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


class Condition:
    """A test of a cell; hashable, so that columns with the same test are counted together."""

    def test(self, cell: str) -> str:
        """Return the SQL test, never NULL for a cell that is not."""
        raise NotImplementedError

    def empty(self, cell: str) -> str:
        """Return the SQL test that a cell which fails `test` holds nothing to judge."""
        return empty_cell(cell, null_tokens=True)


@dataclass(frozen=True)
class Pattern(Condition):
    """The condition that the whole cell matches a regular expression."""

    pattern: str

    def test(self, cell: str) -> str:
        """Return the SQL test of `cell`."""
        return matches(cell, self.pattern)


class _Nothing(Condition):
    """The condition that no cell meets: its tally counts empty cells and others."""

    def test(self, cell: str) -> str:  # noqa: ARG002 - no cell meets it
        return "false"


NOTHING = _Nothing()
Question = tuple[int, Condition]
"""A column, and a condition that its cells may meet."""


@dataclass(frozen=True)
class CellTally:
    """How a column's cells answered: each cell counts once, as the first that applies.

    `empty`: no cell, no characters but blanks, or an error value. `fits`: passed the test. `blank`: a null
    token, or other text with no value of the type. `exceptions`: failed. `filled`: not NULL.
    """

    fits: int = 0
    empty: int = 0
    blank: int = 0
    exceptions: int = 0
    filled: int = 0

    @property
    def judged(self) -> int:
        """The number of cells that hold something to judge."""
        return self.fits + self.exceptions

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


def cell_name(column: int) -> str:
    """Return the SQL of a cell of the staged object's column, counted from 0."""
    return f"c{column}"


def long_column(relation: str, columns: Sequence[int]) -> str:
    """Return a relation of `number` (of the column), `cell` and row number: the columns below one another."""
    cells = ", ".join(map(cell_name, columns))
    numbers = ", ".join(f"{column}::SMALLINT" for column in columns)
    return f"(SELECT {ROW_NUMBER}, unnest([{numbers}]) AS number, unnest([{cells}]) AS cell FROM {relation})"  # noqa: S608


def count_cells(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question]
) -> list[CellTally]:
    """Return one tally for each question, in order."""

    def counts(condition: Condition, cell: str) -> str:
        return f"[count(*), count({cell}), sum({_kind(condition, cell)})]"

    answers = ask(connection, relation, questions, counts)
    return [_tally(*answer) if answer else CellTally() for answer in answers]


def find_exceptions(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question]
) -> list[list[int]]:
    """Return, for each question, the row numbers of its first exceptions, in order."""

    def first(condition: Condition, cell: str) -> str:
        return f"min({ROW_NUMBER}, {EXCEPTIONS_KEPT}) FILTER ({_kind(condition, cell)} = {_OTHER})"

    return [rows or [] for rows in ask(connection, relation, questions, first)]


def ask_columns(
    connection: DuckDBPyConnection, relation: str, columns: Sequence[int], *aggregates: Aggregate
) -> dict[int, tuple[Any, ...]]:
    """Return the aggregates of each column's cells, all columns in few passes; None if there are no rows."""
    asked = [(column, aggregate) for column in columns for aggregate in aggregates]
    answers = iter(ask(connection, relation, asked, lambda aggregate, cell: aggregate(cell)))
    return {column: tuple(next(answers) for _ in aggregates) for column in columns}


def columns_where(
    connection: DuckDBPyConnection, relation: str, columns: Sequence[int], test: Aggregate
) -> set[int]:
    """Return the columns of whose cells an aggregate holds."""
    answers = ask_columns(connection, relation, columns, test)
    return {column for column, (holds,) in answers.items() if holds}


_T = TypeVar("_T", bound=Hashable)


def ask(
    connection: DuckDBPyConnection,
    relation: str,
    questions: Sequence[tuple[int, _T]],
    aggregate: Callable[[_T, str], str],
) -> list[Any]:
    """Return what each column answers to what is asked of it, of which `aggregate` makes the SQL."""
    if len(questions) > MANY_QUESTIONS:
        return _ask_as_one_column(connection, relation, questions, aggregate)
    answers: list[Any] = []
    for start in range(0, len(questions), QUESTIONS_PER_SCAN):
        batch = questions[start : start + QUESTIONS_PER_SCAN]
        asked = ", ".join(aggregate(what, cell_name(column)) for column, what in batch)
        answers += connection.execute(f"SELECT {asked} FROM {relation}").fetchall()[0]  # noqa: S608 - own SQL
    return answers


def _ask_as_one_column(
    connection: DuckDBPyConnection,
    relation: str,
    questions: Sequence[tuple[int, _T]],
    aggregate: Callable[[_T, str], str],
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
        size = len(of) if relation == HEAD else COLUMNS_PER_SCAN
        for start in range(0, len(of), size):
            cells = long_column(relation, of[start : start + size])
            rows = connection.execute(f"SELECT number, {aggregates} FROM {cells} GROUP BY number")  # noqa: S608
            for number, *answers in rows.fetchall():
                found |= zip([(number, what) for what in asked], answers, strict=True)
    return [found.get(question) for question in questions]


def _kind(condition: Condition, cell: str) -> str:
    return choose(
        (f"{cell} IS NULL OR {cell} = ''", f"{_EMPTY}::BIGINT"),
        (condition.test(cell), f"{_FITS}::BIGINT"),
        (empty_text(cell), f"{_EMPTY}::BIGINT"),
        (condition.empty(cell), f"{_BLANK}::BIGINT"),
        otherwise=f"{_OTHER}::BIGINT",
    )


def _tally(cells: int, filled: int, total: int | None) -> CellTally:
    """Return the counts that add up to `total` over so many cells."""
    mask = (1 << _BITS) - 1
    empty, blank, exceptions = ((total or 0) >> place * _BITS & mask for place in range(3))
    return CellTally(cells - empty - blank - exceptions, empty, blank, exceptions, filled)
