"""Try each column: what it may be, by its first rows, then counted over all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain

from managed_tables.conversion.columns import ColumnChoice, DecimalMark, Formats, empty_cell
from managed_tables.conversion.numbers import NUMBER_PERHAPS_WITH_UNIT, PERCENT, find_unit, is_known_unit
from managed_tables.conversion.sql_text import literal, matches
from managed_tables.conversion.times import ORDERS, DateOrder, Shape
from managed_tables.documents.analyses import OrderSign
from managed_tables.documents.recipes import FormerColumn
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.signs import names_day
from managed_tables_analyze.inference.tallies import HEAD, Cells, CellTally, Hypothesis, Question

MARKS: tuple[DecimalMark, ...] = (",", ".")

# What some cell of a column must have for a type or a shape to fit any: cheap to look for.
_NUMBER = "[0-9$]"  # `R$ -` is nothing, as accountants write it
_LETTER, _TIME = "[A-Za-z]", ":"
_DAY = "[-/.][0-9]+[-/.]"
_NEEDS = {
    Shape.DAY: _DAY,
    Shape.NAMED: _LETTER,  # days in digits fit a narrower hypothesis
    Shape.MONTH: f"[0-9][-/]|{_LETTER}|{_DAY}",
    Shape.YEAR_MONTH: "[0-9][.][01][0-9]",
    Shape.COMPACT: _NUMBER,
}

_HEAD_CELLS = 60_000  # over all columns: keeps the work before the full scan small
_HEAD_ROWS_MAX = 3_000
_HEAD_ROWS_MIN = 100
_SPARSE_VALUES = 200  # of a column that is empty in the head
_FEW_COLUMNS = 15  # so few that they are asked column by column
_COLUMNS_PER_SCAN = 200  # for the first values of sparse ones
_WORTH_EXPLAINING = 0.5  # share of fitting cells from which a person would ask why a column is text
_LETTERS_BY_CHANCE = 0.9  # half of a column of F and M looks like a boolean
_MONTHS_BY_CHANCE = 6  # amounts whose cents are all from 01 to 12: one time in 300,000
_SPARSE = "inference_sparse"

_MAX_UNITS = 20  # more than one reason needs


def _needs(what: Hypothesis) -> tuple[str, ...]:
    """Return patterns that each match some cell of such a column, unless a narrower type fits, too."""
    if what.type.is_time and what.shape:
        return (_NEEDS[what.shape], _TIME) if what.type is ColumnType.DATETIME else (_NEEDS[what.shape],)
    return (_NUMBER,) if what.type.is_number else ()


Rungs = tuple[tuple[Hypothesis, ...], ...]


@cache
def _ladder(plain: Formats, *, may_be_compact: bool) -> Rungs:
    """Return the groups of hypotheses, narrowest first; those of one group are counted together.

    `plain` are the shared formats. Eight digits are days only where the label says so (`may_be_compact`).
    """
    shapes = (Shape.COMPACT, Shape.YEAR_MONTH, Shape.MONTH)
    compact, year_months, months = ((Hypothesis(ColumnType.DATE, plain, shape),) for shape in shapes)
    days, moments = (
        (
            *((Hypothesis(kind, replace(plain, date_order=order)),) for order in ORDERS),
            (Hypothesis(kind, plain, Shape.NAMED),),
        )
        for kind in (ColumnType.DATE, ColumnType.DATETIME)
    )
    return (
        *((compact,) if may_be_compact else ()),
        year_months,
        _marked(ColumnType.INTEGER, plain),
        _marked(ColumnType.DECIMAL, plain),
        (Hypothesis(ColumnType.BOOLEAN, plain),),
        *days,
        months,
        *moments,
    )


@cache
def _unit_rung(plain: Formats, unit: str) -> tuple[Hypothesis, ...]:
    """Return the hypotheses that every number of a column carries this unit."""
    return _marked(ColumnType.DECIMAL, replace(plain, unit=unit))


def _marked(column_type: ColumnType, formats: Formats) -> tuple[Hypothesis, ...]:
    return tuple(Hypothesis(column_type, replace(formats, decimal_mark=mark)) for mark in MARKS)


@dataclass(frozen=True)
class OrderShown:
    """One thing in the file that shows in which order days and months stand: a column or a label, by name."""

    by: OrderSign
    order: DateOrder
    name: str = ""


@dataclass(frozen=True)
class ShownOrder:
    """What shows the order of a column's days and months; nothing where the file leaves it open.

    `because` is why that order was taken, where a person is to look at it: "columns", "kept", "mixed" (signs
    of both orders) or "custom"; `proof` is the column of that order.
    """

    signs: Sequence[OrderShown] = ()
    because: str | None = None
    proof: str = ""


@dataclass
class Trial:
    """What is known of one column: its hypotheses under test, then how it is read."""

    column: int
    label: str
    name: str
    plain: Formats  # which all hypotheses share
    is_percent: bool = False  # a workbook shows the column's numbers as percentages
    before: FormerColumn | None = None  # how such a column was read before
    rungs: list[tuple[Hypothesis, ...]] = field(default_factory=list)  # still to be counted, narrowest first
    lead: Hypothesis | None = None  # which explains a column of text
    is_seen: bool = False  # the first rows had values
    tallies: dict[Hypothesis | None, CellTally] = field(default_factory=dict)  # over all rows
    verdict: tuple[Hypothesis, ...] = ()  # the rung in which some hypothesis holds, if any
    units: tuple[str, ...] = ()  # of its numbers ("" for none), if all are numbers
    chosen: Hypothesis | None = None  # of the verdict; None: text
    formats: Formats = field(default_factory=Formats)  # of what is chosen
    # What decided the mark where the cells alone did not: "columns", "thousands", a currency, "days" or the
    # delimiter ("" for none).
    doubt: str | None = None
    alternative: Hypothesis | None = None  # what it might be as well, in doubt
    shown: ShownOrder | None = None  # of days and months, if they have an order

    @property
    def ladder(self) -> Rungs:
        """What the column may be."""
        rungs = _ladder(self.plain, may_be_compact=names_day(self.label))
        return (*rungs, _unit_rung(self.plain, PERCENT)) if self.is_percent else rungs

    @property
    def kept(self) -> ColumnChoice:
        """The decimal mark, and the order of days and months, that such a column had before."""
        return (self.before and self.before.kept) or ColumnChoice()

    @property
    def order(self) -> DateOrder:
        """The order of days and months of its verdict."""
        return self.verdict[0].formats.date_order

    @property
    def is_number(self) -> bool:
        """Whether it is a column of numbers."""
        return bool(self.verdict) and self.verdict[0].type.is_number

    @property
    def is_ordered(self) -> bool:
        """Whether it is a column of dates whose day and month have an order."""
        if not self.verdict or not self.verdict[0].type.is_time:
            return False
        return self.verdict[0].shape is Shape.DAY and self.order != "ymd"

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

    def choose(
        self, hypothesis: Hypothesis, doubt: str | None = None, alternative: Hypothesis | None = None
    ) -> None:
        """Read the column by a hypothesis that holds."""
        self.chosen, self.formats = hypothesis, hypothesis.formats
        self.doubt, self.alternative = doubt, alternative

    def next_questions(self) -> list[Question]:
        """Return what to count now: a rung, or what explains a text column; empty when all is known."""
        if self.verdict or (not self.rungs and self.tallies):
            return []
        return [(self.column, what) for what in (self.rungs[0] if self.rungs else [self.lead])]

    def take(self, counted: Mapping[Question, CellTally]) -> None:
        """Take what was counted; of the rung that was asked, the hypotheses that hold are the verdict."""
        self.tallies |= {what: counted[column, what] for column, what in self.next_questions()}
        if self.rungs and not self.verdict:
            rung = self.rungs.pop(0)
            self.verdict = tuple(hypothesis for hypothesis in rung if self.holds(hypothesis))


def try_columns(head: Cells, rows: Cells, trials: Sequence[Trial]) -> None:
    """Finish the trials of all columns; makes the head's temporary table."""
    head_rows = max(_HEAD_ROWS_MIN, min(_HEAD_ROWS_MAX, _HEAD_CELLS // max(len(trials), 1)))
    rows.connection.execute(f"CREATE OR REPLACE TEMP TABLE {HEAD} AS FROM {rows.relation} LIMIT {head_rows}")
    is_whole = head.count_rows() < head_rows
    in_head = _propose(head, _filled(head, trials), is_whole=is_whole)
    known = in_head if is_whole else {}
    _propose_unseen(rows, [trial for trial in trials if not trial.is_seen])
    while asked := [question for trial in trials for question in trial.next_questions()]:
        unknown = [one for one in asked if one not in known]
        known |= zip(unknown, rows.count(unknown), strict=True)
        for trial in trials:
            trial.take(known)


def count_all(rows: Cells, wanted: Sequence[tuple[Trial, Hypothesis]]) -> None:
    """Count more hypotheses over all rows, into their trials."""
    tallies = rows.count([(trial.column, hypothesis) for trial, hypothesis in wanted])
    for (trial, hypothesis), tally in zip(wanted, tallies, strict=True):
        trial.tallies[hypothesis] = tally


def _propose(cells: Cells, trials: Sequence[Trial], *, is_whole: bool = False) -> dict[Question, CellTally]:
    """Give each trial the hypotheses that no cell contradicts, else the best of the others.

    Return what was counted; `is_whole`: there are no other rows.
    """
    ladders = {trial.column: trial.ladder for trial in trials}
    if is_whole and len(trials) <= _FEW_COLUMNS:
        ladders = _narrowed(cells, ladders)
    hypotheses = {column: list(chain(*ladder)) for column, ladder in ladders.items()}
    asked: list[Question] = [(column, what) for column, found in hypotheses.items() for what in found]
    known = dict(zip(asked, cells.count(asked), strict=True))
    for trial in trials:
        every = {what: known[trial.column, what] for what in hypotheses[trial.column]}
        _propose_rungs(trial, ladders[trial.column], every)
        if not trial.rungs:
            _propose_lead(trial, every)
    _propose_units(cells, {trial.column: trial for trial in trials if not trial.rungs})
    return known


def _narrowed(cells: Cells, ladders: Mapping[int, Rungs]) -> dict[int, Rungs]:
    """Return the columns' ladders without rungs that no cell fits, or that fit where a narrower one does.

    Planning their tests costs more than looking for what they need, unless many columns are asked as one.
    Where more rows follow, a wider rung may be what all of them fit.
    """

    def has(need: str) -> Callable[[str], str]:
        return lambda cell: f"bool_or(regexp_matches({cell}, {literal(need)}))"

    needs = dict.fromkeys(need for ladder in ladders.values() for rung in ladder for need in _needs(rung[0]))
    having = {need: cells.columns_where(list(ladders), has(need)) for need in needs}
    return {
        column: tuple(rung for rung in ladder if all(column in having[need] for need in _needs(rung[0])))
        for column, ladder in ladders.items()
    }


def _propose_rungs(trial: Trial, ladder: Rungs, every: Mapping[Hypothesis, CellTally]) -> None:
    """Give a trial the hypotheses that all cells fit, and not by chance."""
    trial.is_seen = any(tally.judged for tally in every.values())
    likely = {
        what
        for what, tally in every.items()
        if tally.holds and (what.shape is not Shape.YEAR_MONTH or tally.judged >= _MONTHS_BY_CHANCE)
    }
    alive = (tuple(what for what in rung if what in likely) for rung in ladder)
    trial.rungs = [rung for rung in alive if rung]


def _propose_units(cells: Cells, texts: Mapping[int, Trial]) -> None:
    """Give columns of numbers the hypothesis that all carry one unit, or the units that they carry."""
    for column in cells.columns_where(list(texts), _may_have_units):
        # One number of each sort is enough, and there are few sorts.
        cell, trial = f"c{column}", texts[column]
        found = cells.connection.execute(
            f"SELECT DISTINCT regexp_replace({cell}, '[0-9.,]+', '1', 'g') FROM {cells.relation} "  # noqa: S608
            f"WHERE regexp_matches({cell}, '[0-9]') LIMIT {_MAX_UNITS}"
        ).fetchall()
        trial.units = tuple(sorted({find_unit(text) or "" for (text,) in found}))
        if len(trial.units) == 1 and is_known_unit(trial.units[0]):
            trial.rungs, trial.lead = [_unit_rung(trial.plain, trial.units[0])], None


def _may_have_units(cell: str) -> str:
    is_number = matches(cell, NUMBER_PERHAPS_WITH_UNIT)
    return f"bool_and({is_number}) FILTER (NOT {empty_cell(cell, null_tokens=True)})"


def _propose_lead(trial: Trial, every: Mapping[Hypothesis, CellTally]) -> None:
    """Give a trial of text what most of its cells are, if that is worth explaining."""
    letters, others = _LETTERS_BY_CHANCE, _WORTH_EXPLAINING
    likely = {
        what: tally.share
        for what, tally in every.items()
        if tally.share >= (letters if what.type is ColumnType.BOOLEAN else others)
    }
    trial.lead = max(likely, key=likely.__getitem__, default=None)


def _propose_unseen(rows: Cells, trials: Sequence[Trial]) -> None:
    """Propose hypotheses for columns that are empty in the head, by their first values, if any."""
    filled = _filled(rows, trials)
    columns, nothing = {trial.column for trial in filled}, CellTally(empty=rows.count_rows())
    for trial in trials:
        if trial.column not in columns:
            trial.tallies[None] = nothing
    for start in range(0, len(filled), _COLUMNS_PER_SCAN):
        batch = filled[start : start + _COLUMNS_PER_SCAN]
        values = _first_values(rows.relation, batch)
        rows.connection.execute(f"CREATE OR REPLACE TEMP TABLE {_SPARSE} AS {values}")
        _propose(Cells(rows.connection, _SPARSE), batch)


def _filled(cells: Cells, trials: Sequence[Trial]) -> list[Trial]:
    columns = cells.columns_where([trial.column for trial in trials], lambda cell: f"bool_or({cell} <> '')")
    return [trial for trial in trials if trial.column in columns]


def _first_values(rows: str, trials: Sequence[Trial]) -> str:
    """Return a query of the first values, side by side, of columns that are empty in the first rows."""
    names = [f"c{trial.column}" for trial in trials]
    first = ", ".join(
        f"arg_min({name}, {ROW_NUMBER}, {_SPARSE_VALUES}) FILTER ({name} <> '') AS {name}" for name in names
    )
    cells = ", ".join(f"unnest({name}) AS {name}" for name in names)
    numbers = f"unnest(range({_SPARSE_VALUES})) AS {ROW_NUMBER}"
    no_place = "NULL AS file, NULL AS sheet, NULL AS line"  # values of one row are of several
    return f"SELECT {numbers}, {no_place}, {cells} FROM (SELECT {first} FROM {rows})"  # noqa: S608 - own SQL
