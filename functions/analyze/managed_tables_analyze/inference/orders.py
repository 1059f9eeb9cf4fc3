"""Choose the order of days and months where a column allows both: another column may prove it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.day_forms import DateOrder
from managed_tables_analyze.inference.hypotheses import Hypothesis
from managed_tables_analyze.inference.marks import Reading
from managed_tables_analyze.inference.trial import Trial, count_all


def choose_orders(
    connection: DuckDBPyConnection, staged: Path, trials: Sequence[Trial], readings: Sequence[Reading]
) -> list[Reading]:
    """Return the readings; those that allow both orders get the one that another column proves.

    If columns prove both orders, or none proves any, the day comes first.
    """
    dated = [trial for trial in trials if trial.is_ordered]
    # The head of nearly every column has a day after the twelfth: only the others are counted over all rows.
    count_all(connection, staged, [(trial, other) for trial in dated if (other := trial.month_first)])
    both = {trial.column: other for trial in dated if (other := trial.month_first) and trial.holds(other)}
    proofs: dict[DateOrder, int] = {}
    for trial in dated:
        if trial.column not in both:
            proofs.setdefault(trial.verdict[0].formats.date_order, trial.column)
    if len(proofs) != 1:
        return list(readings)
    [(order, proof)] = proofs.items()
    return [
        _in_order(reading, order, both[column], proof) if column in both else reading
        for column, reading in enumerate(readings)
    ]


def _in_order(reading: Reading, order: DateOrder, month_first: Hypothesis, proof: int) -> Reading:
    if order == "dmy":
        return replace(reading, order_proof=proof)
    formats = replace(reading.formats, date_order=order)
    return replace(reading, hypothesis=month_first, formats=formats, order_proof=proof)
