"""Read files of every kind as tables of text: what the rows are, and how that was decided.

`read` (of `tables`) is the door for everybody, `reading_files.FileReader` the product's. Nothing here knows
AWS or jobs: a table's rows are a text (`Part`), its reading is data. This module imports nothing until `read`
is asked for: each workbook starts a process that imports it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from managed_tables_reader.tables import Note, ReadError, Reading, Table, read

__all__ = ["Note", "ReadError", "Reading", "Table", "read"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from managed_tables_reader import tables

    return getattr(tables, name)
