"""Name the kinds of file that an export can be, and size the row groups that DuckDB writes of Parquet."""

from typing import Literal

ExportFormat = Literal["csv", "xlsx", "parquet", "jsonl"]
Dialect = Literal["rfc4180", "excel-br"]
CONTENT_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/jsonl",
}


VECTOR_ROWS = 2_048  # that DuckDB processes at once, of all columns
_GROUP_CELLS = 6_000_000  # held in memory until the group is written: a wide table has fewer rows in one


def rows_of_group(width: int, most: int) -> int:
    """Return how many rows of `width` cells a group takes: `most`, or as many vectors as fit in memory."""
    fitting = _GROUP_CELLS // max(width, 1) // VECTOR_ROWS * VECTOR_ROWS
    return min(most, max(VECTOR_ROWS, fitting))
