"""Choose which sheets of a workbook are read, and tell of each how it was read, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from managed_tables.findings import Finding, WarningCode
from managed_tables.identifiers import make_column_names
from managed_tables_analyze import reasons
from managed_tables_analyze.kinds import Kind
from managed_tables_analyze.parts import Part
from managed_tables_analyze.reading import Reason, TableKind, TableReading, TableWish


@dataclass(frozen=True)
class StagedSheet:
    """One sheet: its part, None where it is hidden or has no cell, and what is stated of it."""

    name: str | None
    visible: bool
    part: Part | None
    wish: TableWish


@dataclass(frozen=True)
class SheetChoice:
    """The parts to be read, and how every sheet was read; `findings` name what is left out."""

    chosen: list[Part]
    readings: list[TableReading]
    findings: list[Finding]
    has_cells: bool


def choose_sheets(staged: Sequence[StagedSheet], kind: Kind) -> SheetChoice:
    """Choose all sheets that have rows where their headers agree, else the first; delete the others.

    A sheet is read, or is not, as its wish states, whatever the others are.
    """
    parts = [sheet.part for sheet in staged if sheet.part is not None]
    visible = [sheet for sheet in staged if sheet.visible]
    unstated = [sheet for sheet in staged if not sheet.visible and sheet.wish.include is None]
    hidden = [sheet.name or "" for sheet in unstated]
    findings = [_about_sheets(WarningCode.HIDDEN_SHEETS, hidden)] if hidden else []
    found = _choose([sheet.part for sheet in visible if sheet.part is not None], findings)
    chosen = [
        sheet.part
        for sheet in staged
        if sheet.part is not None
        and (sheet.part in found if sheet.wish.include is None else sheet.wish.include)
    ]
    for part in parts:
        if part not in chosen:
            part.path.unlink()
    return SheetChoice(chosen, [_reading(one, chosen, kind) for one in staged], findings, bool(parts))


def _choose(parts: list[Part], findings: list[Finding]) -> list[Part]:
    if not parts:
        return []
    filled = [part for part in parts if part.expected_rows] or parts[:1]
    names = [make_column_names(part.labels) for part in filled]
    chosen = filled if all(one == names[0] for one in names) else filled[:1]
    if len(chosen) < len(filled):
        findings.append(_about_sheets(WarningCode.SHEETS_LEFT_OUT, [part.sheet or "" for part in filled[1:]]))
    bare = [part for part in parts if part not in filled and make_column_names(part.labels) != names[0]]
    if bare:
        findings.append(_about_sheets(WarningCode.EMPTY_SHEETS, [part.sheet or "" for part in bare]))
    return chosen


def _about_sheets(code: WarningCode, names: list[str]) -> Finding:
    """Return the finding about sheets, which is about one where there is one."""
    sheet = names[0] if len(names) == 1 else None
    return Finding(code, {"names": names}, count=len(names), sheet=sheet)


def _reading(sheet: StagedSheet, chosen: Sequence[Part], kind: Kind) -> TableReading:
    of_kind, part = cast("TableKind", kind.value), sheet.part
    if part is None:
        reason = reasons.SHEET_EMPTY if sheet.visible or sheet.wish.include else reasons.SHEET_HIDDEN
        return TableReading(0, sheet.name, False, of_kind, reasons=(reason,))
    reading = TableReading(
        file=0,
        sheet=sheet.name,
        include=True,
        kind=of_kind,
        header_line=part.header_line,
        header_lines=part.header_lines,
        first_line=part.extent.first_line,
        last_line=part.extent.last_line,
        skipped_lines=tuple(sorted(part.extent.skipped)),
        rows=part.expected_rows or 0,
        reasons=reasons.of_header(part.header_line, sheet.wish),
    )
    return reading if part in chosen else reading.left_out(_why_left_out(part, sheet.wish))


def _why_left_out(part: Part, wish: TableWish) -> Reason:
    if wish.include is False:
        return reasons.EXCLUDED
    return reasons.SHEET_DIFFERS if part.expected_rows else reasons.SHEET_WITHOUT_ROWS
