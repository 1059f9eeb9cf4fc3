"""Name the formats of exports: how each is written, and its media type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from managed_tables.exports.formats import ExportFormat
from managed_tables_export.csv_files import write_csv
from managed_tables_export.destination import Destination
from managed_tables_export.json_lines import write_json_lines
from managed_tables_export.parquet import write_parquet
from managed_tables_export.snapshot import Source
from managed_tables_export.workbook import write_workbook

Report = Callable[[int], None]
Write = Callable[[Source, Destination, Path, Report], int]


@dataclass(frozen=True)
class Format:
    """How a format is written, by way of a folder where it needs one, and its media type."""

    content_type: str
    write: Write


FORMATS: Mapping[ExportFormat, Format] = {
    "csv": Format("text/csv; charset=utf-8", write_csv),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_workbook),
    "parquet": Format("application/vnd.apache.parquet", write_parquet),
    "jsonl": Format("application/jsonl", write_json_lines),
}
