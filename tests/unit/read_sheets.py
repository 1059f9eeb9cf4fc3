"""Shared by the tests of workbook readers: sheets with their rows read."""

from collections.abc import Iterator

from managed_tables_reader.workbooks.raw import RawSheet


class Read:
    """A sheet with its rows read; `numbered` pairs each row with its number."""

    def __init__(self, sheet: RawSheet) -> None:
        self.name, self.visible, self.tally = sheet.name, sheet.visible, sheet.tally
        self.labels, self.types = sheet.labels, sheet.types
        self.numbered: list[tuple[int, list[str | None]]] = [
            row for batch in sheet.storable() for row in batch.rows()
        ]
        self.rows = [cells for _, cells in self.numbered]


def read(sheets: Iterator[RawSheet]) -> list[Read]:
    """Return the sheets with their rows read."""
    return [Read(sheet) for sheet in sheets]
