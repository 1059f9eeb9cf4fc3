"""Write JSON lines: a row an object, numbers with every digit."""

from collections.abc import Callable
from pathlib import Path

from psycopg import sql

from managed_tables_export.destination import ExportObject
from managed_tables_export.query import json_field, select_fields
from managed_tables_export.snapshot import ExportSource

# CSV whose quote and delimiter JSON escapes: no line needs quoting, and each goes out as it is.
LINES = sql.SQL(r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')")


def write_json_lines(
    source: ExportSource, destination: ExportObject, _folder: Path, report: Callable[[int], None]
) -> int:
    """Write the rows as JSON lines and return how many."""
    source.set_zone("UTC")
    fields = select_fields(source.snapshot.table, source.selection, json_field)
    query = sql.SQL("SELECT row_to_json({row})::text FROM ({fields}) AS {row}").format(
        row=sql.Identifier("$row"), fields=fields
    )
    return source.write(query, LINES, destination, report)
