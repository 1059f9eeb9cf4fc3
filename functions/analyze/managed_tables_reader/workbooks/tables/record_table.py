"""Turn a sheet whose columns are named by its file into a part: every row is one, and no layout is sought."""

from dataclasses import replace
from pathlib import Path

from managed_tables.errors import TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.schema import ColumnType
from managed_tables_reader.rows.notes import Extent
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.reading import LineMask, Overrides
from managed_tables_reader.rows.sheets import Sheet
from managed_tables_reader.rows.writer import QUOTE, PartWriter


def stage_records(sheet: Sheet, labels: list[str], name: str, target: Path, overrides: Overrides) -> Part:
    """Write the rows to `target`, those that the overrides leave out excepted; no line can be the header."""
    if len(labels) > MAX_COLUMNS:
        raise JobError(TOO_MANY_COLUMNS, file=name, count=len(labels), line=1, limit=MAX_COLUMNS)
    mask = LineMask(replace(overrides, header_line=None))
    extent = Extent()
    with PartWriter(target, len(labels)) as writer:
        for batch in mask.batches(sheet.batches):
            extent.take_numbers(batch.numbers)
            writer.write_batch(batch)
    extent.skip(mask.below)
    return Part(
        path=target,
        labels=labels,
        width=len(labels),
        delimiter=writer.delimiter,
        quote=QUOTE,
        escape=QUOTE,
        has_line=True,
        data_line=1,
        header_line=None,
        sheet=sheet.name,
        expected_rows=writer.rows,
        max_record_bytes=writer.longest * 4,
        has_numbers=True,
        has_breaks=writer.has_breaks,
        trim=bool(overrides.trim),
        keeps_last=True,
        extent=extent,
        findings=sheet.findings,
        types=[*map(ColumnType, sheet.types)] if sheet.types else None,
    )
