"""Choose decimal marks: by all cells of a column, else by the other columns.

`1.234` may be 1234 or 1.234. The column's other cells decide; if they do not, their currency does, then the
file's other columns, then days before months and the delimiter (programs write `;` where the comma is the
decimal mark). A column
that its cells do not decide gets a warning. A workbook's own numbers are exact and have no mark: only its
texts do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import DecimalMark, Formats
from managed_tables.conversion.units import is_currency
from managed_tables.conversion.workbook_cells import TEXT_SIGN
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import Finding, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.hypotheses import Hypothesis
from managed_tables_analyze.inference.tallies import Condition, Pattern, Question, count_cells
from managed_tables_analyze.inference.trial import Trial, count_all

NO_MARKS: Mapping[int, DecimalMark] = {}
_BY_COLUMNS = "columns"
_BY_DAYS = "days"
_WITH_COMMA = ("R$", "BRL", "€", "EUR")
_BY_THOUSANDS = "thousands"
_HAS_MARK = Pattern(r"[^,.]*[,.](?s:.*)")
_HAS_TEXT_MARK = Pattern(rf"[^,{TEXT_SIGN}]*[,{TEXT_SIGN}](?s:.*)")
_HAS_REAL = Pattern(r"[^$]*[Rr][$](?s:.*)")
# Four digits in a row where others have separators: then these do not separate thousands.
_UNGROUPED_THOUSAND = Pattern(r"\s*[+-]?[1-9][0-9]{3,}\s*")


@dataclass(frozen=True)
class Reading:
    """How a column is read: its hypothesis (None: text) and its formats.

    `doubt` is what decided the mark where the cells alone did not: "columns", "thousands", a currency,
    "days" or the delimiter ("" for none). `order_proof` is the column that proves the order of its days.
    """

    hypothesis: Hypothesis | None
    formats: Formats
    doubt: str | None = None
    alternative: Hypothesis | None = None
    order_proof: int | None = None


def choose_marks(
    connection: DuckDBPyConnection,
    staged: Path,
    trials: Sequence[Trial],
    delimiter: str | None,
    kept: Mapping[int, DecimalMark] = NO_MARKS,
) -> list[Reading]:
    """Return one reading for each column, in order.

    `kept` are the marks that columns had in such files before. Where their cells leave it open they have them
    again, without a doubt, unless some column of this file shows another.
    """
    _count_other_readings(connection, staged, trials)
    marked = _columns_with(connection, staged, trials)
    mark, doubt = _by_file(trials, delimiter)
    if any(_contradicts(trial, kept) for trial in trials):
        kept = NO_MARKS
    return [_read(trial, mark, doubt, marked, kept.get(trial.column)) for trial in trials]


def _contradicts(trial: Trial, kept: Mapping[int, DecimalMark]) -> bool:
    """Return whether a column's own cells allow only the other mark than it had before."""
    return trial.column in kept and _certain_mark(trial) == _other(kept[trial.column])


def _by_file(trials: Sequence[Trial], delimiter: str | None) -> tuple[DecimalMark, str]:
    """Return the mark of columns that leave it open, and what decided it."""
    votes = Counter(mark for mark in map(_certain_mark, trials) if mark)
    days_first = any(map(_proves_day_first, trials))
    custom: DecimalMark = "," if delimiter in (";", None) or days_first else "."
    ranked = votes.most_common(2)
    is_decided = bool(ranked) and (len(ranked) == 1 or ranked[0][1] > ranked[1][1])
    mark: DecimalMark = ranked[0][0] if is_decided else custom
    by_custom = _BY_DAYS if days_first and delimiter not in (";", None) else delimiter or ""
    doubt = _BY_COLUMNS if is_decided else by_custom
    return mark, doubt


def describe_doubt(reading: Reading, example: str) -> Finding:
    """Return the finding about a column that both marks would fit; `example` is one of its cells."""
    mark = reading.formats.decimal_mark
    values = {
        "example": example,
        "taken": _written_out(example, mark),
        "other": _written_out(example, _other(mark)),
        "mark": mark,
    }
    if reading.doubt == _BY_THOUSANDS:
        return Finding(WarningCode.UNGROUPED_THOUSANDS, values)
    return Finding(WarningCode.AMBIGUOUS_MARK, {**values, "because": reading.doubt})


def _written_out(cell: str, mark: DecimalMark) -> str:
    """Return a number without thousands separators, its decimal mark a comma, as written in Brazil."""
    digits = "".join(character for character in cell if character.isdigit() or character in "-.,")
    number = digits.replace(_other(mark), "").replace(mark, ",")
    return number.rstrip("0").rstrip(",") if "," in number else number


def _other(mark: DecimalMark) -> DecimalMark:
    return "." if mark == "," else ","


def _decimal(trial: Trial, mark: DecimalMark) -> Hypothesis:
    return Hypothesis(ColumnType.DECIMAL, replace(trial.verdict[0].formats, decimal_mark=mark))


def _proves_day_first(trial: Trial) -> bool:
    """Return whether a column's days surely come before their months, as where commas are decimal."""
    return trial.is_ordered and trial.verdict[0].formats.date_order == "dmy" and trial.month_first is None


def _is_number(trial: Trial) -> bool:
    return bool(trial.verdict) and trial.verdict[0].type.is_number


def _count_other_readings(connection: DuckDBPyConnection, staged: Path, trials: Sequence[Trial]) -> None:
    """Count, for columns of grouped integers, the reading in which the separator is the decimal mark."""
    wanted = [
        (trial, _decimal(trial, _other(trial.verdict[0].formats.decimal_mark)))
        for trial in trials
        if _is_number(trial) and trial.verdict[0].type is ColumnType.INTEGER and len(trial.verdict) == 1
    ]
    count_all(connection, staged, wanted)


@dataclass(frozen=True)
class _Marked:
    """Columns (by number) in which some cell has a comma or a point, a thousand without separator, `R$`."""

    with_mark: frozenset[int]
    with_ungrouped: frozenset[int]
    with_real: frozenset[int]


def _columns_with(connection: DuckDBPyConnection, staged: Path, trials: Sequence[Trial]) -> _Marked:
    numbers = [trial for trial in trials if _is_number(trial) and _certain_mark(trial) is None]
    # Integers that fit both marks contain neither; those that fit only one contain a mark.
    grouped = [
        trial for trial in numbers if trial.verdict[0].type is ColumnType.INTEGER and len(trial.verdict) == 1
    ]
    asked = [
        question for trial in numbers for question in _mark_questions(trial, is_grouped=trial in grouped)
    ]
    tallies = count_cells(connection, staged_rows(staged), asked)
    found = [question for question, tally in zip(asked, tallies, strict=True) if tally.fits]

    def columns(*conditions: Condition) -> frozenset[int]:
        return frozenset(one.column for one in found if one.condition in conditions)

    return _Marked(
        columns(_HAS_MARK, _HAS_TEXT_MARK).union(trial.column for trial in grouped),
        columns(_UNGROUPED_THOUSAND),
        columns(_HAS_REAL),
    )


def _mark_questions(trial: Trial, *, is_grouped: bool) -> list[Question]:
    """Return what to ask about all cells of a column of numbers whose mark they leave open."""
    hypothesis = trial.verdict[0]
    if hypothesis.type is ColumnType.DECIMAL:
        has_mark = _HAS_TEXT_MARK if hypothesis.formats.workbook else _HAS_MARK
        return [Question(trial.column, has_mark), Question(trial.column, _HAS_REAL)]
    if is_grouped and not hypothesis.formats.workbook:
        return [Question(trial.column, _UNGROUPED_THOUSAND)]
    return []


def _certain_mark(trial: Trial) -> DecimalMark | None:
    """Return the only mark that the column's own cells allow, None where they allow both or it has none."""
    if not _is_number(trial) or len(trial.verdict) != 1:
        return None
    mark = trial.verdict[0].formats.decimal_mark
    if trial.verdict[0].type is ColumnType.INTEGER and trial.holds(_decimal(trial, _other(mark))):
        return None
    return mark


def _read(trial: Trial, mark: DecimalMark, doubt: str, marked: _Marked, kept: DecimalMark | None) -> Reading:
    if not _is_number(trial):
        return _read_other(trial, kept or mark)
    own = _certain_mark(trial) or kept
    if own is not None:
        return _reading(_of_mark(trial, own))
    if trial.column not in marked.with_mark:
        return _reading(_of_mark(trial, mark))
    if trial.column in marked.with_ungrouped:
        decimal = _decimal(trial, _other(trial.verdict[0].formats.decimal_mark))
        return Reading(decimal, decimal.formats, _BY_THOUSANDS, trial.verdict[0])
    currency = _currency(trial, marked)
    if currency:
        mark, doubt = ("," if currency in _WITH_COMMA else "."), currency
    return _reading(_of_mark(trial, mark), doubt, _of_mark(trial, _other(mark)))


def _currency(trial: Trial, marked: _Marked) -> str | None:
    unit = trial.verdict[0].formats.unit
    if trial.column in marked.with_real:
        return "R$"
    return unit if is_currency(unit) else None


def _reading(
    hypothesis: Hypothesis, doubt: str | None = None, alternative: Hypothesis | None = None
) -> Reading:
    return Reading(hypothesis, hypothesis.formats, doubt, alternative)


def _of_mark(trial: Trial, mark: DecimalMark) -> Hypothesis:
    """Return the narrowest hypothesis known to hold for a column of numbers under `mark`."""
    own = (hypothesis for hypothesis in trial.verdict if hypothesis.formats.decimal_mark == mark)
    return next(own, _decimal(trial, mark))


def _read_other(trial: Trial, mark: DecimalMark) -> Reading:
    if not trial.verdict:
        return Reading(None, replace(trial.plain, decimal_mark=mark))
    hypothesis = trial.verdict[0]
    return Reading(hypothesis, replace(hypothesis.formats, decimal_mark=mark))
