"""Choose which sheets of a workbook are read, and record for each how it was read, or why not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from managed_tables.documents.analyses import TableReading
from managed_tables.documents.recipes import TableKind
from managed_tables.errors import FILE_EMPTY, JobError
from managed_tables.identifiers import make_column_names
from managed_tables.messages.findings import Finding, WarningCode
from managed_tables_reader.rows import reasons
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.reading import Overrides

_RECORDS = ("json", "jsonl", "parquet")
_COVER_WIDTH = 2  # columns: a title, or names and their values
_COVER_SHARE = 5  # a table has so many times the cells of its cover
_SURE_SHARE = 2  # the same, for a table on several sheets


@dataclass(frozen=True)
class StagedSheet:
    """A sheet: its part (None if it is hidden or has no cell) and the overrides about it."""

    name: str | None
    visible: bool
    part: Part | None
    overrides: Overrides

    @property
    def is_hidden(self) -> bool:
        """Whether the sheet is hidden, and nobody has said whether to read it."""
        return not self.visible and self.overrides.include is None

    def is_wanted(self, is_found: bool) -> bool:
        """Return whether to read the sheet, which was found to be the table or not."""
        return is_found if self.overrides.include is None else self.overrides.include


def choose_sheets(
    staged: Sequence[StagedSheet], kind: TableKind, name: str
) -> tuple[list[tuple[TableReading, Part | None]], list[Finding]]:
    """Choose the first table, or that of the known labels, and all sheets that agree; delete the others.

    Return how every sheet was read, with its part if it is to be imported, and what is to be said of those
    left out. The `include` of a sheet's own overrides decides, whatever the others are.
    """
    findings = list(_about_sheets("HIDDEN_SHEETS", [one.name for one in staged if one.is_hidden]))
    parts = [(sheet, sheet.part) for sheet in staged if sheet.part is not None]
    if not parts:
        raise JobError(FILE_EMPTY, file=name)
    found = _choose([part for sheet, part in parts if sheet.visible], staged, findings)
    chosen = [part for sheet, part in parts if sheet.is_wanted(part in found)]
    tables = [_reading(one, chosen, kind, name) for one in staged]
    return tables, findings if chosen else []


def _choose(parts: list[Part], staged: Sequence[StagedSheet], findings: list[Finding]) -> list[Part]:
    """Return the first table and all with its columns; report the others, one finding for each header."""
    if not parts:
        return []
    filled = [part for part in parts if part.expected_rows] or parts[:1]
    first = _first_table(filled, staged)
    others = [part for part in parts if sorted(_names(part)) != sorted(_names(first))]
    findings += _about_others(first, others)
    empty = [part.sheet for part in others if not part.expected_rows]
    findings += _about_sheets("EMPTY_SHEETS", empty)
    return [part for part in filled if part not in others]


def _first_table(parts: Sequence[Part], staged: Sequence[StagedSheet]) -> Part:
    """Return the table with the most known labels, else the first one that is no cover."""
    counts = [max(sheet.overrides.known.count(part.labels) for sheet in staged) for part in parts]
    if any(counts):
        return parts[counts.index(max(counts))]
    return next((part for part in parts if not _is_cover(part, parts)), parts[0])


def _about_others(first: Part, others: Sequence[Part]) -> Iterator[Finding]:
    """Yield a finding for each header of the sheets left out: their names and the differing columns."""
    names = _names(first)
    filled = [part for part in others if part.expected_rows]
    for header in dict.fromkeys(map(_names, filled)):
        left = [part for part in filled if _names(part) == header]
        [about] = _about_sheets("SHEETS_LEFT_OUT", [part.sheet for part in left])
        labels = dict(zip(names, first.labels, strict=False))
        labels |= dict(zip(header, left[0].labels, strict=False))
        differing = [name for name in (*header, *names) if (name in header) != (name in names)]
        yield replace(about, columns=tuple(labels.get(name, name) for name in differing))


def _names(part: Part) -> tuple[str, ...]:
    return tuple(make_column_names(part.labels))


def _is_cover(part: Part, parts: Sequence[Part]) -> bool:
    """Return whether a sheet is a cover or a note, not a table: narrow, and small next to the others."""
    width = _labelled_width(part)
    if width > _COVER_WIDTH:
        return False
    tables: dict[tuple[str, ...], list[Part]] = defaultdict(list)
    for other in parts:
        tables[tuple(sorted(_names(other)))].append(other)
    del tables[tuple(sorted(_names(part)))]

    def covers(sheets: Sequence[Part]) -> bool:
        is_wider = max(map(_labelled_width, sheets)) > width
        cells = sum((one.expected_rows or 0) * one.width for one in sheets)
        share = _SURE_SHARE if len(sheets) > 1 else _COVER_SHARE
        return (is_wider or len(sheets) > 1) and cells >= share * (part.expected_rows or 0) * width

    return any(map(covers, tables.values()))


def _labelled_width(part: Part) -> int:
    """Return how many columns have a label: a title has one, whatever is below it."""
    return sum(bool((label or "").strip()) for label in part.labels) or part.width


def _about_sheets(code: WarningCode, sheets: Sequence[str | None]) -> Iterator[Finding]:
    """Yield the finding about sheets, if there are any; a single one is also its `sheet`."""
    names = [sheet or "" for sheet in sheets]
    if names:
        yield Finding(code, {"names": names}, count=len(names), sheet=names[0] if len(names) == 1 else None)


def _reading(
    sheet: StagedSheet, chosen: Sequence[Part], kind: TableKind, name: str
) -> tuple[TableReading, Part | None]:
    part, overrides = sheet.part, sheet.overrides
    if part is None:
        nothing = Part(Path(), [], 0, 1, None, file=overrides.file, sheet=sheet.name)
        is_empty = sheet.visible or overrides.include
        why = reasons.SHEET_EMPTY if is_empty else reasons.SHEET_HIDDEN
        return reasons.reading_of(nothing, name, kind, []).left_out(why), None
    of_header = [reasons.OF_RECORDS] if kind in _RECORDS else reasons.of_header(part.header_line, overrides)
    reading = reasons.reading_of(part, name, kind, of_header)
    if part in chosen:
        return reading, part
    part.path.unlink()
    if overrides.include is False:
        return reading.left_out(reasons.EXCLUDED), None
    return reading.left_out(reasons.SHEET_DIFFERS if reading.rows else reasons.SHEET_WITHOUT_ROWS), None
