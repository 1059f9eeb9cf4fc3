"""Write CSV: for programs (rfc4180), or as Excel in Brazil opens it (excel-br)."""

import csv
import io
from pathlib import Path

from psycopg import sql

from managed_tables_export.destination import ExportObject
from managed_tables_export.query import BRAZILIAN_TEXTS, ISO_TEXTS, safe_label, select_texts
from managed_tables_export.snapshot import ExportSource

BOM = b"\xef\xbb\xbf"  # by which Excel knows UTF-8


def write_csv(source: ExportSource, destination: ExportObject, _folder: Path) -> int:
    """Write the rows as CSV and return how many; lines end with CRLF, as RFC 4180 has them."""
    query, delimiter, is_local = compose(source)
    columns = source.selection.columns
    labels = [column.display_name if is_local else column.name for column in columns]
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter).writerow(
        map(safe_label, labels) if source.request.formula_safe else labels
    )
    destination.write((BOM if is_local else b"") + line.getvalue().encode())
    options = sql.SQL("(FORMAT csv, DELIMITER {})").format(delimiter)
    return source.write(query, options, destination, line_end=b"\r\n")


def compose(source: ExportSource) -> tuple[sql.Composed, str, bool]:
    """Return the query of the dialect's texts, its delimiter, and whether it writes for people."""
    is_local = source.request.dialect == "excel-br"
    source.set_zone(source.snapshot.zone if is_local else "UTC")
    texts = BRAZILIAN_TEXTS if is_local else ISO_TEXTS
    query = select_texts(source, texts, safe=source.request.formula_safe)
    return query, ";" if is_local else ",", is_local
