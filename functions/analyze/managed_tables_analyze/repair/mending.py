"""The one call behind which records that do not fit the table are mended; without a mender none is."""

from managed_tables_analyze.repair.columns import Columns
from managed_tables_analyze.repair.grouping import by_other_delimiters, regroup
from managed_tables_analyze.text.dialect import Dialect
from managed_tables_analyze.text.scanner import Scanner


class Mender:
    """Mends records of a table of `width` cells; `columns` tell what they look like, None where unknown."""

    def __init__(self, dialect: Dialect, width: int, columns: Columns | None = None) -> None:
        self._dialect = dialect
        self.width = width
        self._columns = columns

    def mend(self, text: str, cells: list[str] | None, *, stray: bool = False) -> list[str] | None:
        """Return the cells that the table's other rows speak for, None where the strict ones stand.

        `cells` are those, None where the line is malformed; `stray` says that a quote stands amid one.
        """
        if cells is not None and len(cells) == self.width:
            doubtful = stray and self._columns is not None and self._columns.doubt(cells)
            return self._by_columns(text, cells) if doubtful else None
        if self._dialect.quote in text:
            return self._regrouped(text, cells)
        if self.width < 2:
            return None
        return self._by_other_delimiter(text) or self._by_columns(text, cells)

    def _by_other_delimiter(self, text: str) -> list[str] | None:
        """Return the cells by the delimiter with which they fit the columns, else by the first."""
        found = list(by_other_delimiters(text, self._dialect, self.width))
        fitting = (cells for cells in found if self._columns is not None and self._columns.fit(cells))
        return next(fitting, found[0] if found else None)

    def _by_columns(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Read a line that lacks a delimiter, or has blanks for delimiters, as the columns would have it."""
        if self._columns is None:
            return None
        split = self._columns.split(text, cells, self._dialect)
        if split is not None:
            return split
        delimiter = self._dialect.delimiter
        joined = self._columns.join(cells, delimiter) if cells and self._is_too_long(cells) else None
        if joined is not None or delimiter == " ":
            return joined
        scanner = Scanner(Dialect(" ", self._dialect.quote))
        pieces = scanner.cells if text.count(" ") >= self.width and scanner.feed(text) else None
        return self._columns.join(pieces, " ") if pieces else None

    def _is_too_long(self, cells: list[str]) -> bool:
        """Return whether a row has more cells than the table, other than empty ones at its end."""
        return any(cells[self.width :]) or not (self._columns and self._columns.fit(cells[: self.width]))

    def _regrouped(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Cut a line with quotes anew. A short one keeps its cells, unless it fits only without."""
        found = self._by_columns(text, cells)
        if found is not None:
            return found
        mended = regroup(text, self._dialect, self.width)
        if mended is None or cells is None or len(cells) > self.width:
            return mended
        if self._columns is None:
            return self._by_other_delimiter(text)
        return mended if self._columns.fit(mended) and not self._columns.fit(cells) else None
