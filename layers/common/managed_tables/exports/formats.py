"""Name the kinds of file that an export can be, and size the row groups that DuckDB writes of Parquet."""

from typing import Literal

from managed_tables.uploads import MIME_TYPES

ExportFormat = Literal["csv", "xlsx", "parquet", "jsonl"]
Dialect = Literal["rfc4180", "excel-br"]
CONTENT_TYPES: dict[ExportFormat, str] = {
    "csv": f"{MIME_TYPES['csv']}; charset=utf-8",
    "xlsx": MIME_TYPES["xlsx"],
    "parquet": MIME_TYPES["parquet"],
    "jsonl": MIME_TYPES["jsonl"],
}


VECTOR_ROWS = 2_048  # that DuckDB processes at once, of all columns
_GROUP_CELLS = 6_000_000  # held in memory until the group is written: a wide table has fewer rows in one


def rows_of_group(width: int, most: int) -> int:
    """Return how many rows of `width` cells a group takes: `most`, or as many vectors as fit in memory."""
    fitting = _GROUP_CELLS // max(width, 1) // VECTOR_ROWS * VECTOR_ROWS
    return min(most, max(VECTOR_ROWS, fitting))
