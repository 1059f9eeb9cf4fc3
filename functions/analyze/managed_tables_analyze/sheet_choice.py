"""Choose which sheets of a workbook are read, and tell of each how it was read, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from managed_tables.identifiers import make_column_names
from managed_tables_analyze import reasons
from managed_tables_analyze.kinds import Kind
from managed_tables_analyze.parts import Part
from managed_tables_analyze.reading import Reason, TableKind, TableReading
from managed_tables_analyze.sheets import Sheet


@dataclass(frozen=True)
class SheetChoice:
    """The parts to be read, and how every sheet was read; `warnings` name what is left out."""

    chosen: list[Part]
    readings: list[TableReading]
    warnings: list[str]


def choose_sheets(staged: Sequence[tuple[Sheet, Part | None]], kind: Kind) -> SheetChoice:
    """Choose all sheets that have rows where their headers agree, else the first; delete the others.

    A sheet that is hidden or has no cell has no part.
    """
    parts = [part for _, part in staged if part is not None]
    hidden = [sheet.name or "" for sheet, _ in staged if not sheet.visible]
    warnings = [f"planilhas ocultas não importadas: {', '.join(hidden)}"] if hidden else []
    chosen = _choose(parts, warnings)
    for part in parts:
        if part not in chosen:
            part.path.unlink()
    return SheetChoice(chosen, [_reading(*one, chosen, kind) for one in staged], warnings)


def _choose(parts: list[Part], warnings: list[str]) -> list[Part]:
    filled = [part for part in parts if part.expected_rows] or parts[:1]
    names = [make_column_names(part.labels) for part in filled]
    chosen = filled if all(one == names[0] for one in names) else filled[:1]
    if len(chosen) < len(filled):
        left = ", ".join(part.sheet or "" for part in filled[1:])
        warnings.append(f"só a planilha {filled[0].sheet} foi importada; têm outro cabeçalho: {left}")
    bare = [part for part in parts if part not in filled and make_column_names(part.labels) != names[0]]
    if bare:
        left = ", ".join(part.sheet or "" for part in bare)
        warnings.append(f"planilhas só com cabeçalho, sem linhas, não importadas: {left}")
    return chosen


def _reading(sheet: Sheet, part: Part | None, chosen: Sequence[Part], kind: Kind) -> TableReading:
    of_kind = cast("TableKind", kind.value)
    if part is None:
        reason = reasons.SHEET_EMPTY if sheet.visible else reasons.SHEET_HIDDEN
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
        reasons=(reasons.header_detected(part.header_line),),
    )
    return reading if part in chosen else reading.left_out(_why_left_out(part))


def _why_left_out(part: Part) -> Reason:
    return reasons.SHEET_DIFFERS if part.expected_rows else reasons.SHEET_WITHOUT_ROWS
