"""Owns the finding of numbers that a spreadsheet has shortened: `7,89123E+12` was a code of 13 digits.

A spreadsheet shows a whole number of 12 digits or more so, and writes what it shows. What it left out is
lost; a person must be told, since the number that is left looks as good as any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion.sql_text import literal, matches, trimmed
from managed_tables.findings import Finding, WarningCode
from managed_tables_analyze.inference.counting import cell_name, staged_rows

_SIGN = "E+"
_SHORTENED = r"[+-]?[1-9](?:[.,][0-9]{1,14})?E\+(?:1[1-9]|[2-9][0-9])"
_COLUMNS_PER_SCAN = 60


@dataclass(frozen=True)
class Shortened:
    """How many cells of a column are shortened numbers, and one of them."""

    count: int
    example: str

    def warning(self) -> Finding:
        """Return what a person is told."""
        return Finding(WarningCode.SHORTENED_NUMBERS, {"example": self.example}, count=self.count)


def find_shortened(
    connection: DuckDBPyConnection, staged: Path, columns: Sequence[int]
) -> dict[int, Shortened]:
    """Return, of these columns, those that have shortened numbers."""
    found: dict[int, Shortened] = {}
    for start in range(0, len(columns), _COLUMNS_PER_SCAN):
        batch = columns[start : start + _COLUMNS_PER_SCAN]
        signs = [f"coalesce(bool_or({_has_sign(cell_name(column))}), false)" for column in batch]
        suspects = [column for column, has in zip(batch, _ask(connection, staged, signs), strict=True) if has]
        for column in suspects:
            count, example = _ask(connection, staged, _count_and_example(cell_name(column)))
            if count:
                found[column] = Shortened(count, example.strip())
    return found


def _ask(connection: DuckDBPyConnection, staged: Path, aggregates: Sequence[str]) -> Sequence[Any]:
    row = connection.execute(f"SELECT {', '.join(aggregates)} FROM {staged_rows(staged)}").fetchone()  # noqa: S608
    assert row is not None  # noqa: S101 - an aggregate has one row
    return row


def _has_sign(cell: str) -> str:
    """Return a test that is cheap, and that the cells of nearly all columns fail."""
    return f"contains({cell}, {literal(_SIGN)})"


def _count_and_example(cell: str) -> list[str]:
    test = f"{_has_sign(cell)} AND {matches(trimmed(cell), _SHORTENED)}"
    return [f"count(*) FILTER ({test})", f"min({cell}) FILTER ({test})"]
