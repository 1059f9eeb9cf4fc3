"""Open the DuckDB that converts the rows of a staged object."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

CONVERTER_MEMORY = "1GB"  # of DuckDB: half of the function's; more goes to the temporary folder


@contextmanager
def open_converter(folder: Path) -> Iterator[DuckDBPyConnection]:
    """Open the DuckDB that converts: bounded memory, the rest in `folder`, nothing fetched from outside."""
    with duckdb.connect(
        config={
            "memory_limit": CONVERTER_MEMORY,
            "temp_directory": str(folder),
            "threads": os.cpu_count() or 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # A row's place in the file is in its id: two threads need not wait for each other, nor hold rows.
            "preserve_insertion_order": False,
        }
    ) as connection:
        connection.execute("SET enable_progress_bar = false")  # it would be drawn into the log
        yield connection
