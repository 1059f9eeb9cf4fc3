"""What analyze writes for insert: the rows of a staged object.

The staged object is the Parquet file that analyze makes of a job's files, and that insert loads. Its columns
are `file` (the number of the file within the job), `sheet`, `line`, and the cells as text, `c0`, `c1`, ….
Where a file's lines are its rows, `line` is the first one's, below zero, in every row: to number them while
the file is read would keep DuckDB to one thread.
"""

from pathlib import Path
from typing import TypedDict

from managed_tables.conversion.sql_text import literal

ROW_NUMBER = "file_row_number"  # of a row in the object, from 0: DuckDB's own


class Origin(TypedDict):
    """Where a row stands; its cells as in the file, in the order of the inferred columns, None for none."""

    file: str
    sheet: str | None
    line: int
    cells: list[str | None]


def lines_from(first: int) -> str:
    """Return the SQL of `line` in an object whose rows are lines that follow one another."""
    return f"{-first}::INTEGER"


def staged_rows(staged: Path) -> str:
    """Return the SQL relation of a staged object's rows, in order, each with its number and its own line."""
    source = f"read_parquet({literal(str(staged))}, {ROW_NUMBER} = true)"
    line = f"CASE WHEN line < 0 THEN {ROW_NUMBER} - line ELSE line END::INTEGER AS line"
    return f"(SELECT * REPLACE ({line}) FROM {source})"  # noqa: S608 - own SQL
