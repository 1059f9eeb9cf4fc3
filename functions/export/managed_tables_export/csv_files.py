"""Write CSV: for programs (rfc4180), or as Excel in Brazil opens it (excel-br)."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from managed_tables.exports.formats import Dialect
from managed_tables.schema import Column
from managed_tables_export.destination import ExportObject
from managed_tables_export.query import BRAZILIAN_TEXTS, ISO_TEXTS, Texts, safe_label, select_texts
from managed_tables_export.snapshot import ExportSource

BOM = b"\xef\xbb\xbf"  # by which Excel knows UTF-8
_UTC = "UTC"


@dataclass(frozen=True)
class Style:
    """How a dialect writes: `has_labels` says that the header is for people."""

    delimiter: str
    texts: Texts
    start: bytes
    has_labels: bool
    is_local: bool


STYLES: dict[Dialect, Style] = {
    "rfc4180": Style(",", ISO_TEXTS, b"", has_labels=False, is_local=False),
    "excel-br": Style(";", BRAZILIAN_TEXTS, BOM, has_labels=True, is_local=True),
}


def write_csv(
    source: ExportSource, destination: ExportObject, _folder: Path, report: Callable[[int], None]
) -> int:
    """Write the rows as CSV and return how many; lines end with CRLF, as RFC 4180 has them."""
    style = STYLES[source.request.dialect or "rfc4180"]
    source.set_zone(source.snapshot.zone if style.is_local else _UTC)
    destination.write(
        style.start + _header(source.selection.columns, style, is_safe=source.request.formula_safe)
    )
    query = select_texts(
        source.snapshot.table, source.selection, style.texts, safe=source.request.formula_safe
    )
    options = sql.SQL("(FORMAT csv, DELIMITER {})").format(style.delimiter)
    return source.write(query, options, destination, report, b"\r\n")


def _header(columns: Sequence[Column], style: Style, *, is_safe: bool) -> bytes:
    names = [column.display_name if style.has_labels else column.name for column in columns]
    line = io.StringIO()
    csv.writer(line, delimiter=style.delimiter).writerow(
        [safe_label(name) if is_safe else name for name in names]
    )
    return line.getvalue().encode()
