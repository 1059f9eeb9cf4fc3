"""Read Parquet by DuckDB as a sheet whose labels and types its file states.

Cells are texts that convert exactly: decimals with every digit, times in ISO 8601. Nested values are their
JSON, which DuckDB writes with exact numbers.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import duckdb

from managed_tables.conversion.marked_cells import EXACT_DECIMALS, mark_texts
from managed_tables.conversion.sql_text import literal
from managed_tables.errors import FILE_NOT_TABULAR, WORKBOOK_TOO_LARGE
from managed_tables.schema import ColumnType
from managed_tables_reader.files.archives import MAX_RATIO, RATIO_FREE_BYTES
from managed_tables_reader.rows.sheets import MAX_COLUMNS, Batch
from managed_tables_reader.workbooks.raw import (
    BATCH_CELLS,
    BATCH_ROWS,
    RawSheet,
    Tally,
    WorkbookError,
    storable_text,
)

_MEMORY = "400MB"  # of DuckDB: row groups of a million rows are read page by page
_MAX_DIGITS = 38  # of a decimal: of a longer one DuckDB gives a double
_EXACT = "DECIMAL"  # of any number of digits, in a column of text
_FLOATS = ("FLOAT", "DOUBLE")
_TYPES = {
    _EXACT: ColumnType.DECIMAL,
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), ColumnType.INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER"), ColumnType.INTEGER),
    **dict.fromkeys(("UBIGINT", "HUGEINT", "UHUGEINT", *_FLOATS), ColumnType.DECIMAL),
    "BOOLEAN": ColumnType.BOOLEAN,
    "DATE": ColumnType.DATE,
}


def read_parquet(path: Path, max_characters: int) -> Iterator[RawSheet]:
    """Yield the rows as one sheet, numbered from 1; refuse more text than data would hold."""
    max_characters = min(max_characters, max(RATIO_FREE_BYTES, path.stat().st_size * MAX_RATIO))
    try:
        with duckdb.connect() as connection:
            # One thread: rows come in order, and only one row group is in memory.
            connection.execute(f"SET threads = 1; SET memory_limit = '{_MEMORY}'")
            connection.execute("SET autoload_known_extensions = false")
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            source = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
            columns = connection.execute(f"DESCRIBE FROM {source}").fetchall()
            if len(columns) > MAX_COLUMNS:
                raise WorkbookError(f"tem mais de {MAX_COLUMNS} colunas", FILE_NOT_TABULAR)
            _refuse_long_decimals(connection, path)
            columns = _with_decimals(columns, _exact_decimals(connection, path))
            cells = [_cell(name, kind) for name, kind, *_ in columns]
            rows = connection.execute(f"SELECT {', '.join(cells)}, {_nans(columns)} FROM {source}")  # noqa: S608
            tally = Tally()
            batches = _batches(rows, len(columns), max_characters, tally)
            labels = [storable_text(name) for name, *_ in columns]
            types = [_type(kind).value for _, kind, *_ in columns]
            yield RawSheet(None, True, batches, labels=labels, types=types, tally=tally)
    except duckdb.OutOfMemoryException as error:
        raise WorkbookError(
            f"para ser lido precisa de mais de {_MEMORY} de memória", WORKBOOK_TOO_LARGE
        ) from error
    except duckdb.Error as error:
        raise WorkbookError("é um Parquet danificado ou incompleto", FILE_NOT_TABULAR) from error


def _batches(
    rows: duckdb.DuckDBPyConnection, width: int, max_characters: int, tally: Tally
) -> Iterator[Batch]:
    size = max(1, min(BATCH_ROWS, BATCH_CELLS // width))
    number = characters = 0
    while group := rows.fetchmany(size):
        *columns, nans = [list(column) for column in zip(*group, strict=True)]
        _note_nans(tally, nans)
        characters += len(group) * (width + 1)
        characters += sum(len(cell) for column in columns for cell in column if cell is not None)
        if characters > max_characters:
            raise WorkbookError(
                f"seus dados, como texto, passam de {max_characters >> 20} MB", WORKBOOK_TOO_LARGE
            )
        yield Batch([*range(number + 1, number + len(group) + 1)], columns)
        number += len(group)


def _note_nans(tally: Tally, found: Sequence[Sequence[bool] | None]) -> None:
    """Note the cells that are NaN: they are stored as empty ones."""
    for columns in filter(None, found):
        tally.nans.update(column for column, is_nan in enumerate(columns) if is_nan)


def _refuse_long_decimals(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    query = "SELECT name FROM parquet_schema(?) WHERE precision > ?"
    if found := connection.execute(query, [str(path), _MAX_DIGITS]).fetchone():
        name = storable_text(found[0])
        reason = f"tem decimais de mais de {_MAX_DIGITS} algarismos: grave a coluna {name} como texto"
        raise WorkbookError(reason, FILE_NOT_TABULAR)


def _exact_decimals(connection: duckdb.DuckDBPyConnection, path: Path) -> Collection[str]:
    """Return the columns of text that hold decimals, as our own exports say; anybody may write there."""
    query = "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?"
    try:
        found = connection.execute(query, [str(path), EXACT_DECIMALS]).fetchone()
        names = json.loads(found[0]) if found else []
    except (duckdb.ConversionException, ValueError, RecursionError):
        return ()
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else ()


def _with_decimals(columns: Sequence[tuple[str, ...]], exact: Collection[str]) -> list[tuple[str, str]]:
    """Return the names and kinds of columns; a text that holds decimals has a decimal's kind."""
    texts = {name for name, kind, *_ in columns if kind == "VARCHAR" and name in exact}
    return [(name, _EXACT if name in texts else kind) for name, kind, *_ in columns]


def _type(kind: str) -> ColumnType:
    if kind.startswith("TIMESTAMP"):
        return ColumnType.DATETIME
    if kind.startswith("DECIMAL") and kind.endswith(")"):
        return ColumnType.DECIMAL
    return _TYPES.get(kind, ColumnType.TEXT)


def _nans(columns: Sequence[tuple[str, str]]) -> str:
    """Return the SQL of which columns are NaN in a row; NULL where none is."""
    nan = [
        f"coalesce(isnan({_quoted(name)}), false)" if kind in _FLOATS else "false" for name, kind in columns
    ]
    return f"CASE WHEN {' OR '.join(dict.fromkeys(nan))} THEN [{', '.join(nan)}] END"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str, kind: str) -> str:
    """Return the SQL of a text; old programs write texts as bytes without a type."""
    column = _quoted(name)
    return f"coalesce(try(decode({column})), {column}::VARCHAR)" if kind == "BLOB" else f"{column}::VARCHAR"


def _cell(name: str, kind: str) -> str:
    """Return the SQL of a column's cells as text."""
    column = _quoted(name)
    if kind.endswith("]") or kind.startswith(("STRUCT(", "MAP(", "UNION(", "VARIANT")):
        return f"to_json({column})::VARCHAR"
    if kind in _FLOATS:  # the fewest digits that give the same double
        return f"nullif(upper(regexp_replace({column}::VARCHAR, '[.]0$', '')), 'NAN')"
    if _type(kind) is not ColumnType.TEXT:
        return f"{column}::VARCHAR"
    return mark_texts(f"nullif({_text(name, kind)}, '')")
