"""Write Parquet by DuckDB, which reads PostgreSQL's rows from a pipe, as texts in COPY's own format.

That format has a line a row and a tab between values, whatever they hold: line ends, tabs and backslashes are
escaped. DuckDB's reader of CSV is not exact about line ends inside values, and its reader of JSON keeps all
that it has read from a pipe in memory.
"""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
from psycopg import sql

from managed_tables.conditions.composition import condition_parameters, condition_sql
from managed_tables.conversion.marked_cells import EXACT_DECIMALS
from managed_tables.conversion.sql_text import identifier, literal, rows_of_group
from managed_tables.databases.statements import compose
from managed_tables.errors import EXPORT_ROW_TOO_LARGE, JobError
from managed_tables.schema import Column, ColumnType
from managed_tables_export.destination import ExportObject
from managed_tables_export.snapshot import BATCH_BYTES, ExportSource
from managed_tables_export.texts import TABLE, select_fields, value

WRITER_MEMORY = "400MB"  # of DuckDB, which takes 256 KiB a column at least; few columns take a quarter
MAX_ROW_BYTES = 8 * 1_048_576  # of a row as text; DuckDB reserves twice as much for each of its buffers
ROW_GROUP_ROWS = 20_480  # which are kept in memory until they are written; fewer of a wide table
MAX_DECIMAL_DIGITS = 38  # of Parquet's decimals; what has more goes out as text

_NULL = r"\N"
_ROW_START = "row"  # a cell before the others: no line is empty, nor begins with a byte order mark
# Escapes of COPY's format: the character after a backslash, and its meaning.
_ESCAPES = {"b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_TEXT = "VARCHAR"
_TYPES = {
    ColumnType.TEXT: _TEXT,
    ColumnType.INTEGER: "BIGINT",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMPTZ",
}


def write_parquet(source: ExportSource, destination: ExportObject, folder: Path) -> int:
    """Write the rows as Parquet and return how many."""
    source.set_zone("UTC")
    target = folder / "rows.parquet"
    types = {column.name: _type(column, source) for column in source.selection.columns}
    decimals = [one.name for one in source.selection.columns if one.type is ColumnType.DECIMAL]
    exact = [name for name in decimals if types[name] == _TEXT]
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1, thread_name_prefix="parquet") as pool:
        written = pool.submit(_write, reading, _statement(reading, target, types, exact), folder)
        try:
            rows = _feed(source, writing)
        except BrokenPipeError:
            rows = 0  # the writer has ended, and says why
        finally:
            os.close(writing)
    try:
        written.result()
    except duckdb.OutOfMemoryException as error:
        raise JobError(EXPORT_ROW_TOO_LARGE) from error
    with target.open("rb") as file:
        while chunk := file.read(BATCH_BYTES):
            destination.write(chunk)
    return rows


def _write(reading: int, statement: str, folder: Path) -> None:
    """Run the statement; its end of the pipe is closed in any case, so that whoever feeds it ends, too."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": WRITER_MEMORY,
        "threads": 1,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
    }
    try:
        with duckdb.connect(config=config) as connection:
            connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
            connection.execute(statement)
    finally:
        os.close(reading)


def _type(column: Column, source: ExportSource) -> str:
    """Return DuckDB's type of the column: a decimal as wide as the values that go out."""
    if column.type is not ColumnType.DECIMAL:
        return _TYPES[column.type]
    condition = source.selection.condition
    query = compose(
        "SELECT max(length(trunc(abs({v}))::text)), max(scale({v})) FROM {table} AS {alias} WHERE {where}",
        v=value(column),
        table=source.table,
        alias=TABLE,
        where=condition_sql(condition, TABLE),
    )
    parameters = condition_parameters(condition)
    row = source.connection.execute(query, parameters).fetchone()
    whole, scale = row if row and row[0] is not None else (1, 0)
    return f"DECIMAL({whole + scale}, {scale})" if whole + scale <= MAX_DECIMAL_DIGITS else _TEXT


def _statement(reading: int, target: Path, types: Mapping[str, str], exact: Sequence[str]) -> str:
    """Return the statement that reads columns `c0`, `c1`, … from the pipe and writes the file.

    The file says which of its texts are decimals (`exact`): `1.000` alone may be one thousand.
    """
    fields = ", ".join(
        f"CAST({_unescaped(f'c{place}') if kind == _TEXT else f'c{place}'} AS {kind}) AS {identifier(name)}"
        for place, (name, kind) in enumerate(types.items())
    )
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in (_ROW_START, *(f"c{n}" for n in range(len(types)))))
    # Not /dev/fd: a Lambda's /dev has nothing of descriptors that are opened later.
    source = (
        f"read_csv('/proc/self/fd/{reading}', auto_detect = false, header = false, delim = '\t', quote = '',"
        f" escape = '', nullstr = '{_NULL}', compression = 'none', max_line_size = {MAX_ROW_BYTES},"
        f" buffer_size = {2 * MAX_ROW_BYTES}, columns = {{{columns}}})"
    )
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows_of_group(len(types), ROW_GROUP_ROWS)}"
    if exact:
        options += f", KV_METADATA {{{literal(EXACT_DECIMALS)}: {literal(json.dumps(exact))}}}"
    return f"COPY (SELECT {fields} FROM {source}) TO {literal(str(target))} ({options})"  # noqa: S608


def _unescaped(cell: str) -> str:
    """Return the SQL of the text that COPY escaped: once doubled backslashes are cut at, others escape."""
    part = "part"
    for letter, code in _ESCAPES.items():
        part = rf"replace({part}, '\{letter}', chr({code}))"
    parts = rf"list_transform(string_split({cell}, '\\'), lambda part: {part})"
    return rf"CASE WHEN contains({cell}, '\') THEN array_to_string({parts}, '\') ELSE {cell} END"


def _feed(source: ExportSource, writing: int) -> int:
    """Write the rows into the pipe, each value as text, and return how many."""
    fields = select_fields(source, lambda column: sql.SQL("{}::text").format(value(column)))
    query = sql.SQL('SELECT {}, "$row".* FROM ({}) AS "$row"').format(_ROW_START, fields)
    with open(writing, "wb", closefd=False) as pipe:
        return source.write(query, sql.SQL(""), pipe, row_max_bytes=MAX_ROW_BYTES)
