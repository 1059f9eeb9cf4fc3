"""Name the sheets and files that became one table; give each row a column of its sheet's or file's name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from managed_tables.conversion.sql_text import literal
from managed_tables.documents.statements import OriginLabels
from managed_tables.messages.findings import Finding, GroundCode, WarningCode

SheetPlace = tuple[int, str | None]
"""The number of a file, and the name of its sheet; None for a text."""


@dataclass(frozen=True)
class OriginColumn:
    """A column of names: its label, the SQL of its cells in a staged part, and what it holds."""

    label: str
    cells: str
    ground: GroundCode
    nullable: bool


def origin_columns(
    origins: OriginLabels, places: Sequence[SheetPlace], files: Sequence[str]
) -> list[OriginColumn]:
    """Return the columns that a person wants in front of the others."""
    names = f"([{', '.join(map(literal, files))}])[file + 1]"
    found = []
    if origins.sheet is not None:
        has_texts = any(sheet is None for _, sheet in places)
        found.append(OriginColumn(origins.sheet, "sheet", GroundCode.SHEET_NAMES, has_texts))
    if origins.file is not None:
        found.append(OriginColumn(origins.file, names, GroundCode.FILE_NAMES, nullable=False))
    return found


def find_joined(
    places: Sequence[SheetPlace], files: Sequence[str], origins: OriginLabels
) -> Iterator[Finding]:
    """Yield the finding that several sheets or files became one table, unless a column tells them apart."""
    told_apart = {(origins.file and file, origins.sheet and sheet) for file, sheet in places}
    if len(told_apart) == len(places):
        return
    names = [_name(place, places, files) for place in places]
    yield Finding(WarningCode.JOINED_SHEETS, {"names": names}, count=len(names))


def _name(place: SheetPlace, places: Sequence[SheetPlace], files: Sequence[str]) -> str:
    """Return what tells a sheet or file from the others: its sheet's name, its file's or both."""
    file, sheet = place
    if sheet is None or sum(other == file for other, _ in places) == 1:
        return files[file]
    return sheet if all(other == file for other, _ in places) else f"{files[file]} ({sheet})"
