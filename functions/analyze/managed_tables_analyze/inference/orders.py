"""Choose the order of days and months where a column allows both: another column may prove it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.times import DateOrder
from managed_tables_analyze.inference.hypotheses import Hypothesis
from managed_tables_analyze.inference.marks import Reading
from managed_tables_analyze.inference.trial import Trial, count_all

NO_ORDERS: Mapping[int, DateOrder] = {}


def choose_orders(
    connection: DuckDBPyConnection,
    staged: Path,
    trials: Sequence[Trial],
    readings: Sequence[Reading],
    kept: Mapping[int, DateOrder] = NO_ORDERS,
) -> list[Reading]:
    """Return the readings; those that allow both orders get the one that another column proves.

    If columns prove both orders, or none proves any, the day comes first. `kept` are the orders that columns
    had in such files before: they hold unless some column of this file proves another.
    """
    dated = [trial for trial in trials if trial.is_ordered]
    # The head of nearly every column has a day after the twelfth: only the others are counted over all rows.
    others = [(trial, other) for trial in dated if (other := trial.month_first)]
    count_all(connection, staged, others)
    both = {trial.column: other for trial, other in others if trial.holds(other)}
    proven = _proven(dated, both)
    if not all(kept.get(column, order) == order for column, order in proven.items()):
        kept = NO_ORDERS
    by_others = _of_others(proven)
    found = list(readings)
    for column, month_first in both.items():
        known = (kept[column], None) if column in kept else by_others
        found[column] = _in_order(found[column], known, month_first)
    return found


def _proven(dated: Sequence[Trial], open_: Container[int]) -> dict[int, DateOrder]:
    """Return the orders of the columns that allow only one."""
    return {one.column: one.verdict[0].formats.date_order for one in dated if one.column not in open_}


_Known = tuple[DateOrder, int | None] | None
"""An order, and the column that proves it, if one does."""


def _of_others(proven: Mapping[int, DateOrder]) -> _Known:
    """Return the only order that columns prove, by the first of them."""
    orders = {*proven.values()}
    return (orders.pop(), next(iter(proven))) if len(orders) == 1 else None


def _in_order(reading: Reading, known: _Known, month_first: Hypothesis) -> Reading:
    if known is None:
        return reading
    order, proof = known
    if order != "mdy":
        return replace(reading, order_proof=proof)
    formats = replace(reading.formats, date_order=order)
    return replace(reading, hypothesis=month_first, formats=formats, order_proof=proof)
