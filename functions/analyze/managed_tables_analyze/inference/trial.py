"""Try each column: hypotheses from the first rows, then counted over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats
from managed_tables.conversion.sql_text import literal
from managed_tables.conversion.times import Shape
from managed_tables.conversion.units import NUMBER_PERHAPS_WITH_UNIT, PERCENT, find_unit, is_known_unit
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.hypotheses import Hypothesis, Rungs, ladder, unit_rung
from managed_tables_analyze.inference.signs.labels import names_day
from managed_tables_analyze.inference.tallies import (
    HEAD,
    CellTally,
    Condition,
    Nothing,
    Pattern,
    Question,
    cell_name,
    count_cells,
)

_HEAD_CELLS = 60_000  # over all columns: keeps the work before the full scan small
_HEAD_ROWS_MAX = 3_000
_HEAD_ROWS_MIN = 100
_SPARSE_VALUES = 200  # of a column that is empty in the head
_FEW_COLUMNS = 15  # so few that they are asked column by column
_COLUMNS_PER_SCAN = 200  # for what they hold at all, and for the first values of sparse ones
_WORTH_EXPLAINING = 0.5
_LETTERS_BY_CHANCE = 0.9  # half of a column of F and M looks like a boolean
_MONTHS_BY_CHANCE = 6  # amounts whose cents are all from 01 to 12: one time in 300,000
_SPARSE = "inference_sparse"

NOTHING = Nothing()
_MAY_HAVE_UNIT = Pattern(NUMBER_PERHAPS_WITH_UNIT)
_MAX_UNITS = 20  # more than one reason needs


@dataclass
class Trial:
    """One column's hypotheses under test.

    `plain` are the formats that all hypotheses share, `ladder` is what the column may be; `rungs` are the
    groups still to be counted, narrowest first; `tallies` are the counts over all rows; `verdict` is the
    group in which some hypothesis holds, if any. `lead` explains a column of text; `is_seen`: the first rows
    had values; `units` are those of its numbers ("" for none), if all are numbers. `is_percent`: a workbook
    shows the column's numbers as percentages.
    """

    column: int
    plain: Formats = field(default_factory=Formats)
    ladder: Rungs = ()
    rungs: list[tuple[Hypothesis, ...]] = field(default_factory=list)
    lead: Hypothesis | None = None
    is_seen: bool = False
    tallies: dict[Hypothesis | Nothing, CellTally] = field(default_factory=dict)
    verdict: tuple[Hypothesis, ...] = ()
    units: tuple[str, ...] = ()
    is_percent: bool = False

    @property
    def is_ordered(self) -> bool:
        """Whether it is a column of dates whose day and month have an order."""
        if not self.verdict or not self.verdict[0].type.is_time:
            return False
        chosen = self.verdict[0]
        return chosen.shape is Shape.DAY and chosen.formats.date_order != "ymd"

    @property
    def month_first(self) -> Hypothesis | None:
        """The month-first hypothesis of a day-first column, None if the head rules it out."""
        chosen = self.verdict[0]
        other = replace(chosen, formats=replace(chosen.formats, date_order="mdy"))
        is_alive = any(other in rung for rung in self.rungs)
        return other if other != chosen and is_alive else None

    def holds(self, hypothesis: Hypothesis) -> bool:
        """Return whether the hypothesis was counted over all rows and no cell contradicts it."""
        return hypothesis in self.tallies and self.tallies[hypothesis].holds

    def next_questions(self) -> dict[Hypothesis | Nothing, Question]:
        """Return what to count now: a rung, or what explains a text column; empty when all is known."""
        asked: Sequence[Hypothesis | Nothing] = ()
        if not self.verdict:
            asked = self.rungs[0] if self.rungs else () if self.tallies else [self.lead or NOTHING]
        return {what: Question(self.column, what) for what in asked}

    def take(
        self, asked: Mapping[Hypothesis | Nothing, Question], counted: Mapping[Question, CellTally]
    ) -> None:
        """Take what was counted; of the rung that was asked, the hypotheses that hold are the verdict."""
        self.tallies |= {what: counted[one] for what, one in asked.items()}
        if self.rungs:
            rung = self.rungs.pop(0)
            self.verdict = tuple(hypothesis for hypothesis in rung if self.holds(hypothesis))


def try_columns(
    connection: DuckDBPyConnection,
    staged: Path,
    labels: Sequence[str],
    plain: Formats,
    percents: Sequence[bool] = (),
) -> list[Trial]:
    """Return each column's finished trial; leaves the object's head in the temporary table `HEAD`.

    `plain` are the formats that all hypotheses share; `percents` says which columns a workbook shows as
    percentages (empty: none).
    """
    rows = staged_rows(staged)
    head_rows = max(_HEAD_ROWS_MIN, min(_HEAD_ROWS_MAX, _HEAD_CELLS // max(len(labels), 1)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {HEAD} AS FROM {rows} LIMIT {head_rows}")
    trials = _new_trials(labels, plain, percents or [False] * len(labels))
    [(row_count,)] = connection.execute(f"SELECT count(*) FROM {HEAD}").fetchall()  # noqa: S608 - own SQL
    is_whole = row_count < head_rows
    in_head = _propose(connection, HEAD, _filled(connection, HEAD, trials), is_whole=is_whole)
    known = in_head if is_whole else {}
    _propose_unseen(connection, rows, [trial for trial in trials if not trial.is_seen])
    while asked := [(trial, questions) for trial in trials if (questions := trial.next_questions())]:
        every = chain.from_iterable(questions.values() for _, questions in asked)
        unknown = [one for one in every if one not in known]
        known |= zip(unknown, count_cells(connection, rows, unknown), strict=True)
        for trial, questions in asked:
            trial.take(questions, known)
    return trials


def _new_trials(labels: Sequence[str], plain: Formats, percents: Sequence[bool]) -> list[Trial]:
    trials = []
    for column, (label, is_percent) in enumerate(zip(labels, percents, strict=True)):
        rungs = ladder(plain, may_be_compact=names_day(label))
        if is_percent:
            rungs = (*rungs, unit_rung(plain, PERCENT))
        trials.append(Trial(column, plain, rungs, is_percent=is_percent))
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
    connection: DuckDBPyConnection, relation: str, trials: Sequence[Trial], *, is_whole: bool = False
) -> dict[Question, CellTally]:
    """Give each trial the hypotheses that no cell of `relation` contradicts, else the best of the others.

    Return what was counted in `relation`; `is_whole`: there are no other rows.
    """
    if is_whole and len(trials) <= _FEW_COLUMNS:
        ladders = _narrowed(connection, relation, trials)
    else:
        ladders = {trial.column: trial.ladder for trial in trials}
    asked = [Question(one.column, what) for one in trials for what in _asked_of(ladders[one.column])]
    found = dict(zip(asked, count_cells(connection, relation, asked), strict=True))
    for trial in trials:
        ladder = ladders[trial.column]
        every = {what: found[Question(trial.column, what)] for rung in ladder for what in rung}
        _propose_rungs(trial, ladder, every)
        if not trial.rungs and found.get(Question(trial.column, _MAY_HAVE_UNIT), CellTally()).holds:
            _propose_unit(connection, relation, trial)
        if not trial.rungs:
            _propose_lead(trial, every)
    return found


def _narrowed(connection: DuckDBPyConnection, relation: str, trials: Sequence[Trial]) -> dict[int, Rungs]:
    """Return the columns' ladders without rungs that no cell fits, or that fit where a narrower one does.

    Planning their tests costs more than looking for what they need, unless many columns are asked as one.
    Where more rows follow, a wider rung may be what all of them fit.
    """
    needs = dict.fromkeys(need for trial in trials for rung in trial.ladder for need in rung[0].needs)
    having = {
        need: _columns_where(connection, relation, trials, f"regexp_matches({{cell}}, {literal(need)})")
        for need in needs
    }
    return {
        trial.column: tuple(
            rung for rung in trial.ladder if all(trial.column in having[need] for need in rung[0].needs)
        )
        for trial in trials
    }


def _propose_rungs(trial: Trial, ladder: Rungs, every: Mapping[Hypothesis, CellTally]) -> None:
    """Give a trial the hypotheses that hold."""
    trial.is_seen = any(tally.judged for tally in every.values())
    alive = (tuple(what for what in rung if _is_likely(what, every[what])) for rung in ladder)
    trial.rungs = [rung for rung in alive if rung]


def _is_likely(hypothesis: Hypothesis, tally: CellTally) -> bool:
    """Return whether all cells fit, and not by chance."""
    fewest = _MONTHS_BY_CHANCE if hypothesis.shape is Shape.YEAR_MONTH else 0
    return tally.holds and tally.judged >= fewest


def _propose_lead(trial: Trial, every: Mapping[Hypothesis, CellTally]) -> None:
    """Give a trial of text what most of its cells are, if that is worth explaining."""
    likely = {what: tally for what, tally in every.items() if tally.share >= _worth_explaining(what)}
    if likely:
        trial.lead = max(likely, key=lambda what: likely[what].share)


def _asked_of(ladder: Rungs) -> list[Condition]:
    """Return the conditions to count for a column: where no cell can be a number, none has a unit, either."""
    hypotheses = [what for rung in ladder for what in rung]
    return [*hypotheses, _MAY_HAVE_UNIT] if any(what.type.is_number for what in hypotheses) else [*hypotheses]


def _propose_unit(connection: DuckDBPyConnection, relation: str, trial: Trial) -> None:
    """Give a trial the hypothesis that all its numbers carry one unit, or the units that they carry."""
    cell = cell_name(trial.column)
    # One number of each sort is enough, and there are few sorts.
    sorts = f"regexp_replace({cell}, '[0-9.,]+', '1', 'g')"
    found = connection.execute(
        f"SELECT DISTINCT {sorts} FROM {relation} WHERE regexp_matches({cell}, '[0-9]') LIMIT {_MAX_UNITS}"  # noqa: S608
    ).fetchall()
    trial.units = tuple(sorted({find_unit(text) or "" for (text,) in found}))
    if len(trial.units) == 1 and is_known_unit(trial.units[0]):
        trial.rungs = [unit_rung(trial.plain, trial.units[0])]


def _worth_explaining(hypothesis: Hypothesis) -> float:
    """Return the share of fitting cells from which a person would ask why a column is text."""
    return _LETTERS_BY_CHANCE if hypothesis.type is ColumnType.BOOLEAN else _WORTH_EXPLAINING


def _propose_unseen(connection: DuckDBPyConnection, rows: str, trials: Sequence[Trial]) -> None:
    """Propose hypotheses for columns that are empty in the head, by their first values, if any."""
    filled = _filled(connection, rows, trials)
    [(row_count,)] = connection.execute(f"SELECT count(*) FROM {rows}").fetchall()  # noqa: S608 - own SQL
    columns = {trial.column for trial in filled}
    for trial in trials:
        if trial.column not in columns:
            trial.tallies[NOTHING] = CellTally(empty=row_count)
    for start in range(0, len(filled), _COLUMNS_PER_SCAN):
        batch = filled[start : start + _COLUMNS_PER_SCAN]
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SPARSE} AS {_first_values(rows, batch)}")
        _propose(connection, _SPARSE, batch)


def _filled(connection: DuckDBPyConnection, relation: str, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials whose columns hold something in `relation`."""
    columns = _columns_where(connection, relation, trials, "{cell} <> ''")
    return [trial for trial in trials if trial.column in columns]


def _columns_where(
    connection: DuckDBPyConnection, relation: str, trials: Sequence[Trial], condition: str
) -> set[int]:
    """Return the columns of trials in which some `{cell}` meets an SQL condition."""
    found: set[int] = set()
    for start in range(0, len(trials), _COLUMNS_PER_SCAN):
        columns = [trial.column for trial in trials[start : start + _COLUMNS_PER_SCAN]]
        tests = (f"coalesce(bool_or({condition.format(cell=cell_name(one))}), false)" for one in columns)
        [row] = connection.execute(f"SELECT {', '.join(tests)} FROM {relation}").fetchall()  # noqa: S608
        found.update(column for column, is_met in zip(columns, row, strict=True) if is_met)
    return found


def _first_values(rows: str, trials: Sequence[Trial]) -> str:
    """Return a query of the first values, side by side, of columns that are empty in the first rows."""
    names = [cell_name(trial.column) for trial in trials]
    first = ", ".join(
        f"arg_min({name}, {ROW_NUMBER}, {_SPARSE_VALUES}) FILTER ({name} <> '') AS {name}" for name in names
    )
    cells = ", ".join(f"unnest({name}) AS {name}" for name in names)
    numbers = f"unnest(range({_SPARSE_VALUES})) AS {ROW_NUMBER}"
    return f"SELECT {numbers}, {cells} FROM (SELECT {first} FROM {rows})"  # noqa: S608 - own SQL
