"""Owns the finding of numbers that a spreadsheet has shortened: `7,89123E+12` was a code of 13 digits.

A spreadsheet shows a whole number of 12 digits or more so, and writes what it shows. What it left out is
lost; a person must be told, since the number that is left looks as good as any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.sql_text import literal, matches, trimmed
from managed_tables.wording import counted
from managed_tables_analyze.inference.counting import cell_name, staged_rows

_SIGN = "E+"  # cheap to look for; most cells have none
_SHORTENED = r"[+-]?[1-9](?:[.,][0-9]{1,14})?E\+(?:1[1-9]|[2-9][0-9])"
_COLUMNS_PER_SCAN = 60


@dataclass(frozen=True)
class Shortened:
    """How many cells of a column are shortened numbers, and one of them."""

    count: int
    example: str

    def warning(self) -> str:
        """Return what a person is told."""
        values = counted(self.count, "valor está", "valores estão")
        return (
            f"{values} em notação científica (como {self.example}): se são códigos, uma planilha já trocou "
            "os últimos algarismos por zeros; exporte de novo com a coluna como texto"
        )


def find_shortened(
    connection: DuckDBPyConnection, staged: Path, columns: Sequence[int]
) -> dict[int, Shortened]:
    """Return, of these columns, those that have shortened numbers."""
    found: dict[int, Shortened] = {}
    for start in range(0, len(columns), _COLUMNS_PER_SCAN):
        batch = columns[start : start + _COLUMNS_PER_SCAN]
        sums = ", ".join(
            f"count(*) FILTER ({_test(column)}), min({cell_name(column)}) FILTER ({_test(column)})"
            for column in batch
        )
        row = connection.execute(f"SELECT {sums} FROM {staged_rows(staged)}").fetchone()  # noqa: S608
        assert row is not None  # noqa: S101 - an aggregate has one row
        for number, column in enumerate(batch):
            count, example = row[2 * number : 2 * number + 2]
            if count:
                found[column] = Shortened(count, example.strip())
    return found


def _test(column: int) -> str:
    cell = cell_name(column)
    return f"contains({cell}, {literal(_SIGN)}) AND {matches(trimmed(cell), _SHORTENED)}"
