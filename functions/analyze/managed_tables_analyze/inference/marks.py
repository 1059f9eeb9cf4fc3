"""Choose the decimal mark of a column whose cells leave it open.

`1.234` may be 1234 or 1.234. The column's other cells decide; if they do not, their currency does, then the
file's other columns, then days before months and the delimiter (programs write `;` where the comma is the
decimal mark). A column that its cells do not decide gets a warning. A workbook's own numbers are exact and
have no mark: only its texts do.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from managed_tables.conversion.columns import DecimalMark
from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables.conversion.numbers import is_currency
from managed_tables.conversion.sql_text import matches
from managed_tables.messages.findings import Finding
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.tallies import Cells, Hypothesis
from managed_tables_analyze.inference.trial import Trial, count_all

_BY_COLUMNS = "columns"
_BY_DAYS = "days"
_WITH_COMMA = ("R$", "BRL", "€", "EUR")
_BY_THOUSANDS = "thousands"
_HAS_MARK = r"[^,.]*[,.](?s:.*)"
_HAS_TEXT_MARK = rf"[^,{TEXT_SIGN}]*[,{TEXT_SIGN}](?s:.*)"
_HAS_REAL = r"[^$]*[Rr][$](?s:.*)"
# Four digits in a row where others have separators: then these do not separate thousands.
_UNGROUPED_THOUSAND = r"\s*[+-]?[1-9][0-9]{3,}\s*"


def choose_marks(rows: Cells, trials: Sequence[Trial], delimiter: str | None) -> None:
    """Choose how each column is read; only the order of dates may still change.

    Where its cells leave the mark open, a column has the one again that it had in such files before, without
    a doubt, unless some column of this file shows another.
    """
    found = _ask_open(rows, trials)
    mark, doubt = _by_file(trials, delimiter)
    marks = [(trial.kept.decimal_mark, certain_mark(trial)) for trial in trials]
    is_kept = not any(before and own == _other(before) for before, own in marks)
    for trial in trials:
        kept = trial.kept.decimal_mark if is_kept else None
        if not trial.is_number:
            trial.chosen = trial.verdict[0] if trial.verdict else None
            formats = trial.chosen.formats if trial.chosen else trial.plain
            trial.formats = replace(formats, decimal_mark=kept or mark)
        elif own := certain_mark(trial) or kept:
            trial.choose(_of_mark(trial, own))
        else:
            _choose_open(trial, found, mark, doubt)


def _ask_open(rows: Cells, trials: Sequence[Trial]) -> set[tuple[int, str]]:
    """Return the patterns that some cells match, for columns of numbers whose mark may be open."""
    # The reading in which the separator is the decimal mark.
    others = [
        (trial, _decimal(trial, _other(trial.verdict[0].formats.decimal_mark)))
        for trial in trials
        if _is_grouped(trial)
    ]
    count_all(rows, others)
    asked = [(trial.column, pattern) for trial in trials for pattern in _open_questions(trial)]
    answers = rows.ask(asked, lambda pattern, cell: f"bool_or({matches(cell, pattern)})")
    return {question for question, holds in zip(asked, answers, strict=True) if holds}


def _choose_open(trial: Trial, found: set[tuple[int, str]], mark: DecimalMark, doubt: str) -> None:
    """Choose the reading of a column of numbers of which some cells may have either mark, if any has one."""
    verdict = trial.verdict[0]
    marked = {(trial.column, _HAS_MARK), (trial.column, _HAS_TEXT_MARK)}
    if not _is_grouped(trial) and found.isdisjoint(marked):
        trial.choose(_of_mark(trial, mark))
        return
    if (trial.column, _UNGROUPED_THOUSAND) in found:
        decimal = _decimal(trial, _other(verdict.formats.decimal_mark))
        trial.choose(decimal, _BY_THOUSANDS, verdict)
        return
    unit = verdict.formats.unit
    currency = "R$" if (trial.column, _HAS_REAL) in found else unit if is_currency(unit) else None
    if currency:
        mark, doubt = ("," if currency in _WITH_COMMA else "."), currency
    trial.choose(_of_mark(trial, mark), doubt, _of_mark(trial, _other(mark)))


def _by_file(trials: Sequence[Trial], delimiter: str | None) -> tuple[DecimalMark, str]:
    """Return the mark of columns that leave it open, and what decided it."""
    ranked = Counter(mark for mark in map(certain_mark, trials) if mark).most_common(2)
    if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
        return ranked[0][0], _BY_COLUMNS
    if delimiter in (";", None):
        return ",", delimiter or ""
    days_first = any(map(_proves_day_first, trials))
    return (",", _BY_DAYS) if days_first else (".", delimiter or "")


def _proves_day_first(trial: Trial) -> bool:
    """Return whether a column's days surely come before their months, as where commas are decimal."""
    return trial.is_ordered and trial.order == "dmy" and trial.month_first is None


def describe_doubt(trial: Trial, example: str) -> Finding:
    """Return the finding about a column that both marks would fit; `example` is one of its cells."""
    mark = trial.formats.decimal_mark
    values = {
        "example": example,
        "taken": _written_out(example, mark),
        "other": _written_out(example, _other(mark)),
        "mark": mark,
    }
    if trial.doubt == _BY_THOUSANDS:
        return Finding("UNGROUPED_THOUSANDS", values)
    return Finding("AMBIGUOUS_MARK", {**values, "because": trial.doubt})


def _written_out(cell: str, mark: DecimalMark) -> str:
    """Return a number without thousands separators, its decimal mark a comma, as written in Brazil."""
    digits = "".join(character for character in cell if character.isdigit() or character in "-.,")
    number = digits.replace(_other(mark), "").replace(mark, ",")
    return number.rstrip("0").rstrip(",") if "," in number else number


def _other(mark: DecimalMark) -> DecimalMark:
    return "." if mark == "," else ","


def _decimal(trial: Trial, mark: DecimalMark) -> Hypothesis:
    return Hypothesis(ColumnType.DECIMAL, replace(trial.verdict[0].formats, decimal_mark=mark))


def _of_mark(trial: Trial, mark: DecimalMark) -> Hypothesis:
    """Return the narrowest hypothesis known to hold for a column of numbers under `mark`."""
    own = (hypothesis for hypothesis in trial.verdict if hypothesis.formats.decimal_mark == mark)
    return next(own, _decimal(trial, mark))


def _is_grouped(trial: Trial) -> bool:
    """Return whether integers have separators: those that fit both marks contain neither."""
    return trial.is_number and trial.verdict[0].type is ColumnType.INTEGER and len(trial.verdict) == 1


def certain_mark(trial: Trial) -> DecimalMark | None:
    """Return the only mark that the column's own cells allow, None where they allow both or it has none."""
    if not trial.is_number or len(trial.verdict) != 1:
        return None
    mark = trial.verdict[0].formats.decimal_mark
    if _is_grouped(trial) and trial.holds(_decimal(trial, _other(mark))):
        return None
    return mark


def _open_questions(trial: Trial) -> tuple[str, ...]:
    """Return what to ask about all cells of a column of numbers whose mark they leave open."""
    if not trial.is_number or certain_mark(trial) is not None:
        return ()
    is_workbook = trial.verdict[0].formats.workbook
    if trial.verdict[0].type is ColumnType.DECIMAL:
        return (_HAS_TEXT_MARK if is_workbook else _HAS_MARK, _HAS_REAL)
    return (_UNGROUPED_THOUSAND,) if _is_grouped(trial) and not is_workbook else ()
