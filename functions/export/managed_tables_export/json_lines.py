"""Write JSON lines: a row an object, numbers with every digit."""

from pathlib import Path

from psycopg import sql

from managed_tables_export.destination import ExportObject
from managed_tables_export.query import json_field, select_fields
from managed_tables_export.snapshot import ExportSource

# CSV whose quote and delimiter JSON escapes: no line needs quoting, and each goes out as it is.
LINES = sql.SQL(r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')")


def write_json_lines(source: ExportSource, destination: ExportObject, _folder: Path) -> int:
    """Write the rows as JSON lines and return how many."""
    source.set_zone("UTC")
    query = sql.SQL("SELECT row_to_json({row})::text FROM ({fields}) AS {row}").format(
        row=sql.Identifier("$row"), fields=select_fields(source, json_field)
    )
    return source.write(query, LINES, destination)
