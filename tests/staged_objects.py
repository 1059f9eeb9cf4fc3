"""Writes staged objects: rows of text, as analyze's readers write them."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb

Rows = Sequence[Sequence[str | None]]


def open_session() -> duckdb.DuckDBPyConnection:
    """Return a session of the process's database, with temporary tables of its own: a new one takes 14 ms."""
    return _database(os.getpid()).cursor()


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:  # the threads of another do not survive a fork
    return duckdb.connect(config={"enable_external_file_cache": False})  # paths are written again at once


def write_staged(path: Path, rows: Rows, *, sheet: str | None = None) -> Path:
    """Write rows of cells as the staged object of one file whose header is on line 1."""
    width = len(rows[0]) if rows else 1
    columns = ", ".join(f"c{number} VARCHAR" for number in range(width))
    with open_session() as connection:
        connection.execute(f"CREATE TEMP TABLE t (file INTEGER, sheet VARCHAR, line BIGINT, {columns})")
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
