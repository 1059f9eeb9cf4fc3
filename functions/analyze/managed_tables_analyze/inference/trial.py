"""Owns the trial of each column: hypotheses from the object's head, then counted over all its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.counting import (
    ROW_NUMBER,
    Nothing,
    Question,
    Tally,
    cell_name,
    count_cells,
    staged_rows,
)
from managed_tables_analyze.inference.hypotheses import Hypothesis, ladder

_HEAD_CELLS = 60_000  # over all columns: what is judged before the full scan stays a small part of it
_HEAD_ROWS_MAX = 3_000
_HEAD_ROWS_MIN = 100
_SPARSE_VALUES = 200  # of a column that the head shows empty
_COLUMNS_PER_SCAN = 200  # of whether they hold anything at all
_WORTH_EXPLAINING = 0.5
_LETTERS_BY_CHANCE = 0.9  # half of a column of F and M looks like a boolean
HEAD = "inference_head"

NOTHING = Nothing()


@dataclass
class Trial:
    """One column's hypotheses under test.

    `rungs` are the groups still to be counted, narrowest first; `tallies` hold what was counted over all
    rows; `verdict` is the group of which some hypothesis holds, if any. `lead` explains a column of text;
    `is_seen` tells that the head held something to judge.
    """

    column: int
    rungs: list[tuple[Hypothesis, ...]] = field(default_factory=list)
    lead: Hypothesis | None = None
    is_seen: bool = False
    tallies: dict[Hypothesis | Nothing, Tally] = field(default_factory=dict)
    verdict: tuple[Hypothesis, ...] = ()

    def holds(self, hypothesis: Hypothesis) -> bool:
        """Tell whether the hypothesis was counted over all rows and no cell contradicts it."""
        return hypothesis in self.tallies and self.tallies[hypothesis].holds

    def next_questions(self) -> list[Hypothesis | Nothing]:
        """Return what to count now: a rung, or what explains a text column; empty when all is known."""
        if self.verdict:
            return []
        if self.rungs:
            return list(self.rungs[0])
        return [] if self.tallies else [self.lead or NOTHING]

    def settle(self) -> None:
        """Take the rung that was just counted: it decides, or it is dropped."""
        if self.rungs:
            rung = self.rungs.pop(0)
            self.verdict = tuple(hypothesis for hypothesis in rung if self.holds(hypothesis))


def try_columns(connection: DuckDBPyConnection, staged: Path, width: int, timezone: str) -> list[Trial]:
    """Return each column's finished trial; leaves the object's head in the temporary table `HEAD`."""
    rungs = ladder(timezone)
    rows = staged_rows(staged)
    head_rows = max(_HEAD_ROWS_MIN, min(_HEAD_ROWS_MAX, _HEAD_CELLS // max(width, 1)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {HEAD} AS FROM {rows} LIMIT {head_rows}")
    trials = [Trial(column) for column in range(width)]
    _propose(connection, HEAD, trials, rungs)
    unseen = [trial for trial in trials if not trial.is_seen]
    for trial, has_value in zip(unseen, _have_values(connection, rows, unseen), strict=True):
        if has_value:
            _propose(connection, _sparse_values(rows, trial.column), [trial], rungs)
    while questions := [(trial, what) for trial in trials for what in trial.next_questions()]:
        asked = [Question(trial.column, what) for trial, what in questions]
        for (trial, what), tally in zip(questions, count_cells(connection, rows, asked), strict=True):
            trial.tallies[what] = tally
        for trial in {id(trial): trial for trial, _ in questions}.values():
            trial.settle()
    return trials


def count_all(
    connection: DuckDBPyConnection, staged: Path, wanted: Sequence[tuple[Trial, Hypothesis]]
) -> None:
    """Count more hypotheses over all rows, into their trials."""
    asked = [Question(trial.column, hypothesis) for trial, hypothesis in wanted]
    tallies = count_cells(connection, staged_rows(staged), asked)
    for (trial, hypothesis), tally in zip(wanted, tallies, strict=True):
        trial.tallies[hypothesis] = tally


def _propose(
    connection: DuckDBPyConnection,
    relation: str,
    trials: Sequence[Trial],
    rungs: Sequence[tuple[Hypothesis, ...]],
) -> None:
    """Give each trial the hypotheses that no cell of `relation` contradicts, else the best of the others."""
    every = [hypothesis for rung in rungs for hypothesis in rung]
    asked = [Question(trial.column, what) for trial in trials for what in every]
    tallies = count_cells(connection, relation, asked)
    for number, trial in enumerate(trials):
        found = dict(zip(every, tallies[number * len(every) :], strict=False))
        alive = [tuple(what for what in rung if found[what].holds) for rung in rungs]
        trial.is_seen = found[every[0]].judged > 0
        trial.rungs = [rung for rung in alive if rung]
        likely = [what for what in every if found[what].share >= _worth_explaining(what)]
        if not trial.rungs and likely:
            trial.lead = max(likely, key=lambda what, found=found: found[what].share)  # type: ignore[misc]


def _worth_explaining(hypothesis: Hypothesis) -> float:
    """Return the share of fitting cells from which a person would ask why a column is text."""
    return _LETTERS_BY_CHANCE if hypothesis.type is ColumnType.BOOLEAN else _WORTH_EXPLAINING


def _have_values(connection: DuckDBPyConnection, rows: str, trials: Sequence[Trial]) -> list[bool]:
    """Return of each column whether any of its cells holds something: most that the head shows empty are."""
    found: list[bool] = []
    for start in range(0, len(trials), _COLUMNS_PER_SCAN):
        batch = trials[start : start + _COLUMNS_PER_SCAN]
        tests = ", ".join(f"coalesce(bool_or({cell_name(trial.column)} <> ''), false)" for trial in batch)
        found += connection.execute(f"SELECT {tests} FROM {rows}").fetchall()[0]  # noqa: S608 - own SQL
    return found


def _sparse_values(rows: str, column: int) -> str:
    """Return a relation of the first values of a column that is empty in the head."""
    cell = cell_name(column)
    wanted = f"SELECT {ROW_NUMBER}, {cell} FROM {rows} WHERE {cell} <> '' LIMIT {_SPARSE_VALUES}"  # noqa: S608
    return f"({wanted})"
