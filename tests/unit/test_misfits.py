"""Values that cannot be loaded: all are counted, the first twenty are listed row by row."""

from pathlib import Path

import duckdb
from staged_objects import Rows, write_staged

from managed_tables.conversion.columns import Formats
from managed_tables.schema import Column, ColumnType
from managed_tables_insert.misfits import write_rejects
from managed_tables_insert.plan import LoadedColumn, LoadPlan

WIDE = 45


def plan_of(tmp_path: Path, rows: Rows, *types: ColumnType, nullable: bool = True) -> LoadPlan:
    columns = tuple(
        LoadedColumn(
            Column(name=f"k{number}", display_name=f"k{number}", type=kind, nullable=nullable),
            f"c{number}",
            Formats(),
            number,
        )
        for number, kind in enumerate(types)
    )
    staged = write_staged(tmp_path / "staged.parquet", rows)
    labels = tuple(f"k{number}" for number in range(len(types)))
    return LoadPlan(staged, columns, ("vendas.csv",), len(rows), "UTC", labels)


def test_the_first_twenty_misfits_are_listed_in_row_order_across_columns(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [[*["1"] * (WIDE - 1), f"x{number}"] for number in range(30)]
    rows[3][0] = rows[25][1] = "a"
    with duckdb.connect() as connection:
        found = write_rejects(
            connection, plan_of(tmp_path, rows, *[ColumnType.INTEGER] * WIDE), tmp_path / "rejects"
        )
    listed = [(one["line"], one["column"]) for one in found.details]
    every = [(line, f"k{WIDE - 1}") for line in range(2, 21)]
    assert (found.rows, found.values) == (30, 32)
    assert listed == [*every[:3], (5, "k0"), *every[3:]]


def test_a_long_value_is_cut_and_an_empty_one_has_its_own_code(tmp_path: Path) -> None:
    rows: Rows = [["x" * 500], [None], [" "]]
    with duckdb.connect() as connection:
        found = write_rejects(
            connection, plan_of(tmp_path, rows, ColumnType.DATE, nullable=False), tmp_path / "rejects"
        )
    shown = [(len(one.get("value") or ""), one["code"]) for one in found.details]
    assert shown == [(200, "NOT_A_DATE"), (0, "REQUIRED"), (1, "REQUIRED")]
