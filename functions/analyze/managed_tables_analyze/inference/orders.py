"""Choose the order of days and months where a column allows both: another column may prove it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.day_forms import DateOrder
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
    count_all(connection, staged, [(trial, other) for trial in dated if (other := trial.month_first)])
    both = {trial.column: other for trial in dated if (other := trial.month_first) and trial.holds(other)}
    proven = _orders_of([trial for trial in dated if trial.column not in both])
    if any(kept[column] != proven[column] for column in kept.keys() & proven.keys()):
        kept = NO_ORDERS
    proofs = {order: column for column, order in reversed(proven.items())}
    found = list(readings)
    for column, month_first in both.items():
        if column in kept:
            found[column] = _in_order(found[column], kept[column], month_first, None)
        else:
            found[column] = _proven(found[column], proofs, month_first)
    return found


def _proven(reading: Reading, proofs: Mapping[DateOrder, int], month_first: Hypothesis) -> Reading:
    """Return the reading in the only order that other columns prove."""
    if len(proofs) != 1:
        return reading
    [(order, proof)] = proofs.items()
    return _in_order(reading, order, month_first, proof)


def _orders_of(trials: Sequence[Trial]) -> dict[int, DateOrder]:
    return {trial.column: trial.verdict[0].formats.date_order for trial in trials}


def _in_order(reading: Reading, order: DateOrder, month_first: Hypothesis, proof: int | None) -> Reading:
    if order != "mdy":
        return replace(reading, order_proof=proof)
    formats = replace(reading.formats, date_order=order)
    return replace(reading, hypothesis=month_first, formats=formats, order_proof=proof)
