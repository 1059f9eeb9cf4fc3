"""Write a normalised text file to the staged object: SQL for DuckDB, with every parser parameter stated."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from managed_tables.conversion.marked_cells import on_its_lines_sql
from managed_tables.conversion.sql_text import VECTOR_ROWS, literal, rows_of_group, trimmed
from managed_tables.formulas import GUARD
from managed_tables.jobs.staged_rows import lines_from
from managed_tables_reader.rows.parts import Fill, Part

THREADS = 2  # what a Lambda of 2 GB has
MEMORY_LIMIT = "600MB"  # of DuckDB: leaves room for Python in 1 GB
_ROW_GROUP_ROWS = 40_960  # a third of DuckDB's own: it holds several groups until they are written in order
# Of a column's values in a row group: gathering more of them costs more than it saves. 50 bytes for each are
# allocated beforehand.
_DICTIONARY_VALUES = 10_000
_DICTIONARY_SHARE = 8  # rows of a group for each value
# Larger buffers are no faster, except for wide rows: a buffer holds at least one vector of them.
_BUFFER_MIN_BYTES = 8 * 1_024 * 1_024
_BUFFER_MAX_BYTES = 32 * 1_024 * 1_024  # DuckDB's own default
_NO_NULL = "\ufdd2"  # in no text: of a row that is one cell too long, DuckDB ignores a last cell that is null
_LINE_MIN_BYTES = 2 * 1_024 * 1_024  # DuckDB's own default


@contextmanager
def open_duckdb(temp_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB with limited memory that spills into `temp_dir`."""
    connection = duckdb.connect(
        config={
            "threads": THREADS,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(temp_dir / "duckdb"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar_print = false")  # on standard output
        connection.execute("SET enable_progress_bar = true")  # what `watched` asks for
        yield connection
    finally:
        connection.close()


def read_sql(part: Part) -> str:
    """Return the `read_csv(…)` of a part: every column text, nothing sniffed, anything odd an error."""
    names = ["line"] if part.has_line else []
    names += [f"c{index}" for index in range(part.width)]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    line_bytes = max(_LINE_MIN_BYTES, part.max_record_bytes * 2)
    vector_bytes = part.path.stat().st_size // (part.expected_rows or 1) * VECTOR_ROWS
    buffer_bytes = max(_BUFFER_MIN_BYTES, min(_BUFFER_MAX_BYTES, vector_bytes), line_bytes * 2)
    skip, null = (0, "") if part.has_line else (part.data_line - 1, _NO_NULL)
    return (
        f"read_csv({literal(str(part.path))}, columns = {{{columns}}}, auto_detect = false, header = false, "
        f"skip = {skip}, delim = {literal(part.delimiter)}, quote = {literal(part.quote)}, "
        f"escape = {literal(part.escape)}, nullstr = {literal(null)}, strict_mode = true, "
        f"null_padding = {str(part.is_ragged).lower()}, encoding = 'utf-8', "
        f"max_line_size = {line_bytes}, buffer_size = {buffer_bytes})"
    )


def select_sql(part: Part, places: Mapping[int, int]) -> str:
    """Return the query of the staged rows; `places` says which `c<i>` each of the part's columns is."""
    line = "line::INTEGER" if part.has_line else lines_from(part.data_line)
    sheet = "NULL::VARCHAR" if part.sheet is None else f"{literal(part.sheet)}::VARCHAR"
    in_order = sorted(places, key=places.__getitem__)
    cells = [f"{cell_sql(part, column)} AS c{places[column]}" for column in in_order]
    selected = ", ".join([f"{part.file}::USMALLINT AS file", f"{sheet} AS sheet", f"{line} AS line", *cells])
    select = f"SELECT {selected} FROM {read_sql(part)}"  # noqa: S608 - literals quoted above, names are ours
    fills = [(places[column], top, bottom) for column, top, bottom in part.fills if column in places]
    return _fill_down(select, fills) if fills else select


def cell_sql(part: Part, column: int) -> str:
    """Return the SQL of a cell as it stands in the file."""
    cell = f"c{column}" if part.has_line else f"nullif(c{column}, '')"
    if part.has_breaks:
        cell = on_its_lines_sql(cell)
    if part.is_guarded:
        cell = f"CASE WHEN starts_with({cell}, {literal(GUARD)}) THEN substr({cell}, 2) ELSE {cell} END"
    if part.has_formulas:
        inner = f"substr({cell}, 3, length({cell}) - 3)"  # 00123 of `="00123"`
        is_formula = (
            f"""starts_with({cell}, '="') AND ends_with({cell}, '"') AND NOT contains({inner}, '"')"""
        )
        cell = f"CASE WHEN {is_formula} THEN nullif({inner}, '') ELSE {cell} END"
    return f"nullif({trimmed(cell)}, '')" if part.trim else cell


def _fill_down(select: str, fills: Sequence[Fill]) -> str:
    """Return the query of a part's rows with the cells filled; columns are those of the staged object."""
    joins, replaced = [], []
    for column in sorted({column for column, _, _ in fills}):
        lines = ", ".join(
            f"({line}, {top})"
            for one, top, bottom in fills
            if one == column
            for line in range(top + 1, bottom + 1)
        )
        joins.append(
            f"LEFT JOIN (VALUES {lines}) AS f{column} (line, top) ON r.line = f{column}.line "
            f"LEFT JOIN r AS a{column} ON a{column}.line = f{column}.top"
        )
        replaced.append(f"coalesce(r.c{column}, a{column}.c{column}) AS c{column}")
    return (
        f"WITH r AS MATERIALIZED ({select}) SELECT r.* REPLACE ({', '.join(replaced)}) FROM r "  # noqa: S608
        f"{' '.join(joins)} ORDER BY r.line"
    )


def write_parquet(connection: duckdb.DuckDBPyConnection, select: str, target: Path, width: int) -> int:
    """Write the rows of a query of `width` columns, in order, and return how many they were."""
    rows = rows_of_group(width, _ROW_GROUP_ROWS)
    dictionary = min(_DICTIONARY_VALUES, rows // _DICTIONARY_SHARE)
    written = connection.execute(
        f"COPY ({select}) TO {literal(str(target))} "
        f"(FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
        f"ROW_GROUP_SIZE {rows}, DICTIONARY_SIZE_LIMIT {dictionary}, "
        f"WRITE_BLOOM_FILTER false)"
    ).fetchone()
    assert written is not None  # noqa: S101 - COPY returns its count
    return int(written[0])
