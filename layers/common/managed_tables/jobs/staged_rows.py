"""What one step writes for another: the rows of a staged object, and the file of rows that did not fit.

The staged object is the Parquet file that analyze makes of a job's files, and that insert loads. Its columns
are `file` (the number of the file within the job), `sheet`, `line`, and the cells as text, `c0`, `c1`, ….
Where a file's lines are its rows, `line` is the first one's, below zero, in every row: to number them while
the file is read would keep DuckDB to one thread. Rejected rows insert writes, the API offers, and analyze
reads again.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from managed_tables.catalog.job_records import JobRecord
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


PLACE_LABELS = ("arquivo", "aba", "linha", "motivo")
_CONFIRMED = "/confirmed-"
_REJECTS = "/rejects-"
# What a spreadsheet runs as a formula; a number that begins with a sign is not one.
_RUNS = re.compile(r"\s*[=@＝＠＋－\t\r\n]|\s*[+-](?![\d.,]+%?\s*$)")
GUARD = "'"


def guarded(text: str) -> str:
    """Return a cell's text so that no spreadsheet runs it: behind an apostrophe where it would."""
    return GUARD + text if _RUNS.match(text) or text.startswith(GUARD) else text


def are_rejects(labels: Sequence[str | None]) -> bool:
    """Return whether a file is one of rejected rows, by its last labels."""
    return len(labels) > len(PLACE_LABELS) and tuple(labels[-len(PLACE_LABELS) :]) == PLACE_LABELS


def rejects_keys(job: JobRecord) -> tuple[str, str] | None:
    """Return the keys of a confirmation's file of rejected rows, and of its summary."""
    if job.confirmed_key is None:
        return None
    base = job.confirmed_key.replace(_CONFIRMED, _REJECTS).removesuffix(".json")
    return f"{base}.csv", f"{base}.json"
