"""Owns the settling of decimal marks: per column from all its cells, else by the columns beside it.

`1.234` in every cell can be 1234 or 1.234. Which it is, the column's other cells say; where they do not,
the other columns of the file; where those do not either, the delimiter (`;` is what programs use where
the comma is the decimal mark). A column read in one of the last two ways carries a warning.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion import Formats
from managed_tables.conversion.columns import DecimalMark
from managed_tables.findings import Finding, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.counting import Pattern, Question, count_cells, staged_rows
from managed_tables_analyze.inference.hypotheses import Hypothesis
from managed_tables_analyze.inference.trial import Trial, count_all

_BY_COLUMNS = "columns"
_BY_THOUSANDS = "thousands"
_HAS_POINT = Pattern(r"[^.]*[.](?s:.*)")
_HAS_MARK = Pattern(r"[^,.]*[,.](?s:.*)")
# Four digits in a row where others have separators: then those are no thousands separators.
_UNGROUPED_THOUSAND = Pattern(r"\s*[+-]?[1-9][0-9]{3,}\s*")


@dataclass(frozen=True)
class Reading:
    """How a column is read: its hypothesis (None: text), its formats; `doubt`: what decided,
    where the cells alone did not: "columns", "thousands", or the delimiter ("" for none).

    `mark_is_known` says that no other decimal mark may be thought of, whatever more cells would fit.
    """

    hypothesis: Hypothesis | None
    formats: Formats
    doubt: str | None = None
    alternative: Hypothesis | None = None
    mark_is_known: bool = False


def settle_marks(
    connection: DuckDBPyConnection,
    staged: Path,
    trials: Sequence[Trial],
    delimiter: str | None,
    point_columns: frozenset[int],
) -> list[Reading]:
    """Return one reading a column, in order."""
    point_columns -= _without_points(connection, staged, trials, point_columns)
    _count_other_readings(connection, staged, trials, point_columns)
    marked = _columns_with(connection, staged, trials)
    certain = {trial.column: _certain_mark(trial) for trial in trials}
    votes = Counter(mark for column, mark in certain.items() if mark and column not in point_columns)
    by_delimiter: DecimalMark = "," if delimiter in (";", None) else "."
    ranked = votes.most_common(2)
    is_settled = bool(ranked) and (len(ranked) == 1 or ranked[0][1] > ranked[1][1])
    mark: DecimalMark = ranked[0][0] if is_settled else by_delimiter
    doubt = _BY_COLUMNS if is_settled else delimiter or ""
    readings = []
    for trial in trials:
        if trial.column in point_columns:
            readings.append(_read_with_point(trial, mark))
        else:
            readings.append(_read(trial, mark, doubt, marked))
    return readings


def tell_doubt(reading: Reading, example: str) -> Finding:
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
    """Return a number without thousands separators, its decimal mark a comma, as people in Brazil write."""
    number = cell.replace(_other(mark), "").replace(mark, ",")
    return number.rstrip("0").rstrip(",") if "," in number else number


def _other(mark: DecimalMark) -> DecimalMark:
    return "." if mark == "," else ","


def _decimal(mark: DecimalMark) -> Hypothesis:
    return Hypothesis(ColumnType.DECIMAL, Formats(decimal_mark=mark))


def _is_number(trial: Trial) -> bool:
    return bool(trial.verdict) and trial.verdict[0].type in (ColumnType.INTEGER, ColumnType.DECIMAL)


def _without_points(
    connection: DuckDBPyConnection, staged: Path, trials: Sequence[Trial], point_columns: frozenset[int]
) -> set[int]:
    """Return the columns of numeric cells without any point: whole numbers, and texts with commas."""
    asked = [
        Question(trial.column, _HAS_POINT)
        for trial in trials
        if trial.column in point_columns and _certain_mark(trial) == ","
    ]
    tallies = count_cells(connection, staged_rows(staged), asked)
    return {question.column for question, tally in zip(asked, tallies, strict=True) if not tally.fits}


def _count_other_readings(
    connection: DuckDBPyConnection, staged: Path, trials: Sequence[Trial], point_columns: frozenset[int]
) -> None:
    """Count, for columns of grouped integers, the reading in which the separator is the decimal mark.

    And for columns of numeric cells, the reading with a point.
    """
    wanted = [
        (trial, _decimal(_other(trial.verdict[0].formats.decimal_mark)))
        for trial in trials
        if _is_number(trial) and trial.verdict[0].type is ColumnType.INTEGER and len(trial.verdict) == 1
    ]
    wanted += [
        (trial, _decimal("."))
        for trial in trials
        if trial.column in point_columns and _is_number(trial) and _decimal(".") not in trial.tallies
    ]
    count_all(connection, staged, wanted)


@dataclass(frozen=True)
class _Marked:
    """Columns (by number) in which some cell has a comma or a point, or a thousand without separator."""

    with_mark: frozenset[int]
    with_ungrouped: frozenset[int]


def _columns_with(connection: DuckDBPyConnection, staged: Path, trials: Sequence[Trial]) -> _Marked:
    numbers = [trial for trial in trials if _is_number(trial) and _certain_mark(trial) is None]
    # Integers that fit both marks have no marks; those that fit one have.
    grouped = [trial.column for trial in numbers if len(trial.verdict) == 1]
    decimals = [trial.column for trial in numbers if trial.verdict[0].type is ColumnType.DECIMAL]
    asked = [Question(column, _HAS_MARK) for column in decimals]
    asked += [Question(column, _UNGROUPED_THOUSAND) for column in grouped]
    tallies = count_cells(connection, staged_rows(staged), asked)
    found = {question for question, tally in zip(asked, tallies, strict=True) if tally.fits}
    with_mark = {column for column in decimals if Question(column, _HAS_MARK) in found}
    with_ungrouped = {column for column in grouped if Question(column, _UNGROUPED_THOUSAND) in found}
    return _Marked(frozenset(with_mark.union(grouped)), frozenset(with_ungrouped))


def _certain_mark(trial: Trial) -> DecimalMark | None:
    """Return the only mark that the column's own cells allow, None where they allow both or it has none."""
    if not _is_number(trial) or len(trial.verdict) != 1:
        return None
    mark = trial.verdict[0].formats.decimal_mark
    if trial.verdict[0].type is ColumnType.INTEGER and trial.holds(_decimal(_other(mark))):
        return None
    return mark


def _read_with_point(trial: Trial, mark: DecimalMark) -> Reading:
    """Read a column with numeric cells of a workbook: those carry a point, so nothing else is a mark."""
    candidates = [hypothesis for hypothesis in trial.verdict if hypothesis.formats.decimal_mark == "."]
    if not candidates and trial.holds(_decimal(".")):
        candidates = [_decimal(".")]
    if _is_number(trial):
        chosen = candidates[0] if candidates else None
        return Reading(chosen, Formats(decimal_mark="."), mark_is_known=True)
    return _read_other(trial, mark)


def _read(trial: Trial, mark: DecimalMark, doubt: str, marked: _Marked) -> Reading:
    if not _is_number(trial):
        return _read_other(trial, mark)
    column, own = trial.column, _certain_mark(trial)
    if own is not None:
        return Reading(trial.verdict[0], Formats(decimal_mark=own))
    if column not in marked.with_mark:
        return Reading(_of_mark(trial, mark), Formats(decimal_mark=mark))
    if column in marked.with_ungrouped and trial.verdict[0].type is ColumnType.INTEGER:
        decimal = _decimal(_other(trial.verdict[0].formats.decimal_mark))
        return Reading(decimal, decimal.formats, _BY_THOUSANDS, trial.verdict[0])
    chosen, alternative = _of_mark(trial, mark), _of_mark(trial, _other(mark))
    return Reading(chosen, Formats(decimal_mark=mark), doubt, alternative)


def _of_mark(trial: Trial, mark: DecimalMark) -> Hypothesis:
    """Return the narrowest reading of a column of numbers under `mark`, one that is known to hold."""
    own = (hypothesis for hypothesis in trial.verdict if hypothesis.formats.decimal_mark == mark)
    return next(own, _decimal(mark))


def _read_other(trial: Trial, mark: DecimalMark) -> Reading:
    if not trial.verdict:
        return Reading(None, Formats(decimal_mark=mark))
    hypothesis = trial.verdict[0]
    return Reading(hypothesis, Formats(decimal_mark=mark, date_order=hypothesis.formats.date_order))
