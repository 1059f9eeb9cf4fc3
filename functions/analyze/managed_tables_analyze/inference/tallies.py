"""Count how many of a column's cells pass a test, over the sample or over all rows, in few passes."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class Condition(Protocol):
    """A test of a cell; hashable, so that columns with the same test are counted together."""

    def test(self, cell: str) -> str:
        """Return the SQL test, never NULL for a cell that is not."""
        ...

    def empty(self, cell: str) -> str:
        """Return the SQL test, never NULL, that a cell which fails `test` holds nothing to judge."""
        ...

    def __hash__(self) -> int: ...


class AnyCondition:
    """A condition under which blanks, null tokens and error values are nothing to judge."""

    def empty(self, cell: str) -> str:
        """Return the SQL test that a cell holds nothing."""
        return empty_cell(cell, null_tokens=True)


@dataclass(frozen=True)
class Pattern(AnyCondition):
    """The condition that the whole cell matches a regular expression."""

    pattern: str

    def test(self, cell: str) -> str:
        """Return the SQL test of `cell`."""
        return matches(cell, self.pattern)


@dataclass(frozen=True)
class Nothing(AnyCondition):
    """The condition that no cell meets: its tally counts empty cells and others."""

    def test(self, cell: str) -> str:  # noqa: ARG002 - the signature is the protocol's
        """Return the SQL test of `cell`."""
        return "false"


@dataclass(frozen=True)
class Question:
    """A condition asked of a column's cells."""

    column: int
    condition: Condition


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


def count_cells(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question]
) -> list[CellTally]:
    """Return one tally for each question, in order."""
    answers = _ask(connection, relation, questions, _COUNTS)
    return [_tally(*answer) if answer else CellTally() for answer in answers]


def find_exceptions(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question]
) -> list[tuple[int, ...]]:
    """Return, for each question, the row numbers of its first exceptions, in order."""
    answers = _ask(connection, relation, questions, _FIRST_EXCEPTIONS)
    return [tuple(answer[0] or ()) if answer else () for answer in answers]


# The aggregates that answer a question
_COUNTS = ("count(*)", "count({cell})", "sum({kind})")
_FIRST_EXCEPTIONS = (f"min({ROW_NUMBER}, {EXCEPTIONS_KEPT}) FILTER ({{kind}} = {_OTHER})",)
_Answer = tuple[Any, ...]  # their values; empty where there was no cell


def _ask(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question], wanted: Sequence[str]
) -> list[_Answer]:
    if len(questions) > MANY_QUESTIONS:
        return _ask_as_one_column(connection, relation, questions, wanted)
    answers: list[_Answer] = []
    for start in range(0, len(questions), QUESTIONS_PER_SCAN):
        batch = questions[start : start + QUESTIONS_PER_SCAN]
        answers += _ask_by_column(connection, relation, batch, wanted)
    return answers


def _ask_by_column(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question], wanted: Sequence[str]
) -> list[_Answer]:
    cells = [cell_name(question.column) for question in questions]
    kinds = [
        f"{_kind(cell, question.condition)} AS k{number}"
        for number, (cell, question) in enumerate(zip(cells, questions, strict=True))
    ]
    aggregates = [
        one.format(cell=cell, kind=f"k{number}") for number, cell in enumerate(cells) for one in wanted
    ]
    inner = ", ".join([ROW_NUMBER, *dict.fromkeys(cells), *kinds])
    rows = connection.execute(
        f"SELECT {', '.join(aggregates)} FROM (SELECT {inner} FROM {relation})"  # noqa: S608 - own SQL
    ).fetchall()
    return _grouped(rows[0], len(wanted))


def _ask_as_one_column(
    connection: DuckDBPyConnection, relation: str, questions: Sequence[Question], wanted: Sequence[str]
) -> list[_Answer]:
    columns_by_condition: dict[Condition, set[int]] = defaultdict(set)
    for question in questions:
        columns_by_condition[question.condition].add(question.column)
    conditions_by_columns: dict[tuple[int, ...], list[Condition]] = defaultdict(list)
    for condition, columns in columns_by_condition.items():
        conditions_by_columns[tuple(sorted(columns))].append(condition)
    found: dict[Question, _Answer] = {}
    for asked_columns, conditions in conditions_by_columns.items():
        for batch in _scans(relation, asked_columns):
            found |= _ask_of_long_column(connection, relation, batch, conditions, wanted)
    return [found.get(question, ()) for question in questions]


def _ask_of_long_column(
    connection: DuckDBPyConnection,
    relation: str,
    columns: Sequence[int],
    conditions: Sequence[Condition],
    wanted: Sequence[str],
) -> dict[Question, _Answer]:
    kinds = ", ".join(
        f"{_kind('cell', condition)} AS k{number}" for number, condition in enumerate(conditions)
    )
    aggregates = ", ".join(
        one.format(cell="cell", kind=f"k{number}") for number in range(len(conditions)) for one in wanted
    )
    rows = connection.execute(
        f"SELECT number, {aggregates} FROM (SELECT {ROW_NUMBER}, number, cell, {kinds} FROM "  # noqa: S608
        f"{long_column(relation, columns)}) GROUP BY number"
    ).fetchall()
    return {
        Question(number, condition): answer
        for number, *values in rows
        for condition, answer in zip(conditions, _grouped(values, len(wanted)), strict=True)
    }


def _grouped(values: Sequence[Any], width: int) -> list[_Answer]:
    return [tuple(values[start : start + width]) for start in range(0, len(values), width)]


def long_column(relation: str, columns: Sequence[int]) -> str:
    """Return a relation of `number` (of the column), `cell` and row number: the columns below one another."""
    cells = ", ".join(map(cell_name, columns))
    numbers = ", ".join(f"{column}::SMALLINT" for column in columns)
    return f"(SELECT {ROW_NUMBER}, unnest([{numbers}]) AS number, unnest([{cells}]) AS cell FROM {relation})"  # noqa: S608


def ask_columns(
    connection: DuckDBPyConnection,
    relation: str,
    columns: Sequence[int],
    aggregates: Callable[[str], Sequence[str]],
) -> dict[int, tuple[Any, ...]]:
    """Return the aggregates of each column's cells, all columns in few passes; empty if there are no rows.

    `aggregates` makes their SQL from that of a cell.
    """
    wanted = len(aggregates("cell"))
    if wanted * len(columns) > MANY_QUESTIONS:
        return dict(_ask_long(connection, relation, columns, aggregates))
    found: dict[int, tuple[Any, ...]] = {}
    for batch in _batches(columns, max(1, QUESTIONS_PER_SCAN // wanted)):
        asked = ", ".join(sql for column in batch for sql in aggregates(cell_name(column)))
        row = connection.execute(f"SELECT count(*), {asked} FROM {relation}").fetchone()  # noqa: S608 - own SQL
        if row is not None and row[0]:
            found |= {column: row[1 + wanted * n : 1 + wanted * (n + 1)] for n, column in enumerate(batch)}
    return found


def columns_where(
    connection: DuckDBPyConnection, relation: str, columns: Sequence[int], test: Callable[[str], str]
) -> set[int]:
    """Return the columns of whose cells the aggregate holds that `test` makes of the SQL of a cell."""
    answers = ask_columns(connection, relation, columns, lambda cell: [test(cell)])
    return {column for column, (holds,) in answers.items() if holds}


def _ask_long(
    connection: DuckDBPyConnection,
    relation: str,
    columns: Sequence[int],
    aggregates: Callable[[str], Sequence[str]],
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    asked = ", ".join(aggregates("cell"))
    for batch in _scans(relation, columns):
        rows = connection.execute(
            f"SELECT number, {asked} FROM {long_column(relation, batch)} GROUP BY number"  # noqa: S608 - own SQL
        ).fetchall()
        yield from ((number, tuple(values)) for number, *values in rows)


def _scans(relation: str, columns: Sequence[int]) -> Iterator[Sequence[int]]:
    return _batches(columns, max(1, len(columns)) if relation == HEAD else COLUMNS_PER_SCAN)


def _batches(columns: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (columns[start : start + size] for start in range(0, len(columns), size))


def _kind(cell: str, condition: Condition) -> str:
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
