"""Writes staged objects: rows of text, as analyze's readers write them."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

Rows = Sequence[Sequence[str | None]]


def write_staged(path: Path, rows: Rows, *, sheet: str | None = None) -> Path:
    """Write rows of cells as the staged object of one file whose header is on line 1."""
    width = len(rows[0]) if rows else 1
    columns = [f"c{number} VARCHAR" for number in range(width)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t (file INTEGER, sheet VARCHAR, line BIGINT, {', '.join(columns)})")
        cells = ", ".join(f"unnest(${number + 2})" for number in range(width))
        lists = [list(range(2, len(rows) + 2)), *map(list, zip(*rows, strict=True))]
        if rows:
            connection.execute(f"INSERT INTO t SELECT 0, {_literal(sheet)}, unnest($1), {cells}", lists)
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def column_of(*cells: str | None) -> list[list[str | None]]:
    """Return rows with one column."""
    return [[cell] for cell in cells]


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
