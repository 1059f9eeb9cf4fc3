"""Find in which order days and months stand, and what in the file shows it.

`03/02/2026` is a day of February or of March. A day after the twelfth decides, among the column's own cells
or in another column; so do days that follow one another in one order alone. Other columns' decimal commas,
or commas between thousands, and the language of the labels show the order where they agree. Where nothing
shows it, or the signs contradict one another, dates are read as in such files before, else with the day
first, and a person is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from managed_tables.conversion.sql_text import choose
from managed_tables.conversion.times import DateOrder
from managed_tables_analyze.inference.marks import certain_mark
from managed_tables_analyze.inference.signs import find_order_of_language
from managed_tables_analyze.inference.tallies import Cells, Hypothesis
from managed_tables_analyze.inference.trial import OrderShown, ShownOrder, Trial, count_all

_FEWEST_OF_A_RUN = 5  # days: fewer may follow one another by chance
_FRIDAY, _SATURDAY = 4, 5
_DECIDING = ("running_days", "columns")  # whatever the other signs say

_Days = Sequence[Sequence[str]]
"""The different days of a column: each as it is with the day first, and with the month first."""


def choose_orders(rows: Cells, trials: Sequence[Trial]) -> None:
    """Choose the order of dates that allow both, by what shows it."""
    dated = [trial for trial in trials if trial.is_ordered]
    both = _find_open(rows, dated)
    proofs = [trial for trial in dated if trial.column not in both]
    for trial in proofs:
        trial.shown = ShownOrder([OrderShown("cells", trial.order, trial.name)])
    if not both:
        return
    shown = [*_shown_by_columns(proofs), *_shown_by_marks(rows, trials), *_shown_by_labels(trials)]
    answers = rows.ask([*both.items()], _different_days)
    for (column, month_first), days in zip(both.items(), answers, strict=True):
        trial = trials[column]
        order, trial.shown = _choose_order(trial, days, shown)
        if order == "mdy":
            trial.chosen = month_first
            trial.formats = replace(trial.formats, date_order=order)


def _find_open(rows: Cells, dated: Sequence[Trial]) -> dict[int, Hypothesis]:
    """Return the columns that allow both orders, each with the hypothesis that the month comes first."""
    # The head of nearly every column has a day after the twelfth: only the others are counted over all rows.
    others = [(trial, other) for trial in dated if (other := trial.month_first)]
    count_all(rows, others)
    return {trial.column: other for trial, other in others if trial.holds(other)}


def _different_days(month_first: Hypothesis, cell: str) -> str:
    day_first = replace(month_first, formats=replace(month_first.formats, date_order="dmy"))
    readings = ", ".join(f"left({what.conversion(cell).value}, 10)" for what in (day_first, month_first))
    days = choose((month_first.test(cell), f"[{readings}]"), otherwise="NULL")
    return f"list_filter(list(DISTINCT {days}), lambda days: days IS NOT NULL)"


def has_two_readings(what: Hypothesis, cell: str) -> str:
    """Return the SQL test that a cell is another day in the other order."""
    other: DateOrder = "mdy" if what.formats.date_order == "dmy" else "dmy"
    swapped = replace(what, formats=replace(what.formats, date_order=other))
    differ = f"{what.conversion(cell).value} <> {swapped.conversion(cell).value}"
    return choose((what.test(cell), differ), otherwise="false")


def _choose_order(trial: Trial, days: _Days, shown: Sequence[OrderShown]) -> tuple[DateOrder, ShownOrder]:
    """Return the order of a column whose cells allow both, and what shows it."""
    kept = trial.kept.date_order
    expected = kept or "dmy"
    if not any(map(_differ, days)):
        return expected, ShownOrder([OrderShown("cells", expected, trial.name)])
    run, is_sure = _find_run(days, expected, is_kept=kept is not None)
    signs = [OrderShown("running_days", run), *shown] if run and is_sure else shown
    orders = _speaking(signs, {one for one in (kept, run) if one})
    found = [sign for sign in signs if {sign.order} == orders]
    if found:
        return found[0].order, _explained(found, kept)
    return expected, ShownOrder(because="mixed" if len(orders) > 1 else "kept" if kept else "custom")


def _differ(readings: Sequence[str]) -> bool:
    day_first, month_first = readings
    return day_first != month_first


def _speaking(signs: Sequence[OrderShown], hints: set[DateOrder]) -> set[DateOrder]:
    """Return the orders that count: those of deciding signs, else of all, and what only hints at one."""
    return {sign.order for sign in signs if sign.by in _DECIDING} or {sign.order for sign in signs} | hints


def _explained(found: Sequence[OrderShown], kept: DateOrder | None) -> ShownOrder:
    """Return signs of one order, and why it is doubted: it is not that of before, or only of a column."""
    by = {sign.by: sign.name for sign in reversed(found)}
    if kept == found[0].order or not (kept or ("running_days" not in by and "columns" in by)):
        return ShownOrder(found)
    return ShownOrder(found, next(one for one in _DECIDING if one in by), by.get("columns", ""))


def _find_run(days: _Days, expected: DateOrder, *, is_kept: bool) -> tuple[DateOrder | None, bool]:
    """Return the order in which days follow one another but in the other not, and whether that shows it.

    Working days do. Days of which no weekend is left out are the same day of one month after another in
    the other order: then they follow one another in the expected order, or they contradict it. First days of
    months are too common to do either, unless the order is that of before.
    """
    day_first, month_first = (_weekends_left_out(days, place) for place in (0, 1))
    if (day_first is None) is (month_first is None):
        return None, False
    order: DateOrder = "dmy" if month_first is None else "mdy"
    if day_first or month_first:
        return order, True
    is_of_january = days[0][order == "mdy"][5:7] == "01"  # in the other order: on the first of each month
    if is_of_january and not (is_kept and order == expected):
        return None, False
    return order, order == expected


def _weekends_left_out(days: _Days, place: int) -> int | None:
    """Return how many weekends days leave out that follow one another otherwise; None where they do not."""
    own = sorted({date.fromisoformat(readings[place]) for readings in days})
    steps = [(day.weekday(), (after - day) // timedelta(days=1)) for day, after in pairwise(own)]
    if len(own) < _FEWEST_OF_A_RUN or not all(step in (1, _to_monday(day)) for day, step in steps):
        return None
    return sum(step > 1 for _, step in steps)


def _to_monday(weekday: int) -> int:
    """Return how many days after a Friday or Saturday the next week begins, else one."""
    return {_FRIDAY: 3, _SATURDAY: 2}.get(weekday, 1)


def _shown_by_columns(proofs: Sequence[Trial]) -> Iterator[OrderShown]:
    """Yield the first column of each order that columns prove."""
    first: dict[DateOrder, str] = {trial.order: trial.name for trial in reversed(proofs)}
    for order, name in first.items():
        yield OrderShown("columns", order, name)


def _shown_by_marks(rows: Cells, trials: Sequence[Trial]) -> Iterator[OrderShown]:
    """Yield a column with decimal commas, and one with commas between thousands.

    A bare decimal point is what programs write in every language.
    """
    marks = [(trial, certain_mark(trial)) for trial in trials]
    with_comma = next((trial for trial, mark in marks if mark == ","), None)
    if with_comma:
        yield OrderShown("marks", "dmy", with_comma.name)
    with_point = [trial.column for trial, mark in marks if mark == "."]
    grouped = rows.columns_where(with_point, lambda cell: f"bool_or(contains({cell}, ','))")
    if grouped:
        yield OrderShown("marks", "mdy", trials[min(grouped)].name)


def _shown_by_labels(trials: Sequence[Trial]) -> Iterator[OrderShown]:
    found = find_order_of_language([trial.label for trial in trials])
    if found:
        yield OrderShown("labels", *found)
