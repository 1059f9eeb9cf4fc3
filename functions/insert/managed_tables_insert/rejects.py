"""Write the file of rejected rows: their cells as in the file, then their place and the reason.

Corrected and uploaded again it loads: analyze recognises it by its last four labels, leaves these columns
out, and removes the apostrophe that keeps a spreadsheet from running a text as a formula.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.jobs.rejected_rows import PLACE_LABELS, guarded
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables_insert.plan import REPEATED_KEYS, LoadPlan

_FETCHED_ROWS = 2_000
_BOM = "\ufeff"


def write_rejects(connection: DuckDBPyConnection, plan: LoadPlan, target: Path) -> int:
    """Write the rows with values that cannot be loaded and return how many there are."""
    count = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        out.write(_BOM)
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*map(guarded, plan.labels), *PLACE_LABELS])
        for cells, place, reasons in _find_rows(connection, plan):
            file, sheet, line = place
            why = guarded("; ".join(reasons))
            writer.writerow(
                [*(guarded(cell or "") for cell in cells), guarded(file), guarded(sheet), line, why]
            )
            count += 1
    return count


def _find_rows(
    connection: DuckDBPyConnection, plan: LoadPlan
) -> Iterator[tuple[Sequence[str | None], tuple[str, str, int], list[str]]]:
    """Yield each row's cells, its place, and why it does not fit, in the order of the file."""
    width = len(plan.labels)
    cells = ", ".join(unmarked(f"c{number}") for number in range(width))
    tests = ", ".join(
        f"({column.is_misfit()}) AS m{number}, {column.conversion.empty} AS e{number}"
        for number, column in enumerate(plan.columns)
    )
    repeated = "NULL"
    if plan.skips_repeated:
        repeated = f"(SELECT any_value(reason) FROM {REPEATED_KEYS} WHERE number = {ROW_NUMBER})"  # noqa: S608
    rows = connection.execute(
        f"SELECT file, sheet, line, {repeated}, {cells}, {tests} FROM {plan.rows} "  # noqa: S608 - own SQL
        f"WHERE {plan.has_misfit} ORDER BY {ROW_NUMBER}"
    )
    while batch := rows.fetchmany(_FETCHED_ROWS):
        for file, sheet, line, why_repeated, *rest in batch:
            texts, flags = rest[:width], rest[width:]
            reasons = [
                f"{column.column.display_name}: "
                + column.fault_of(texts[int(column.raw[1:])], is_empty=is_empty).reason
                for column, is_misfit, is_empty in zip(plan.columns, flags[::2], flags[1::2], strict=True)
                if is_misfit
            ]
            reasons += [why_repeated] if why_repeated else []
            yield texts, (plan.files[file], sheet or "", line), reasons
