"""Turn an XLSX cell into text, from its type, its style and its content."""

from collections.abc import Sequence

from managed_tables.conversion.workbook_cells import mark_text
from managed_tables_reader.rows.sheets import MAX_COLUMNS
from managed_tables_reader.workbooks.failures import WorkbookError
from managed_tables_reader.workbooks.raw import Tally
from managed_tables_reader.workbooks.values.formats import (
    GENERAL,
    FormatKind,
    NumberFormat,
    show_mask,
    shown_date,
)
from managed_tables_reader.workbooks.values.numbers import DOUBLE_DIGITS
from managed_tables_reader.workbooks.values.serials import iso_text, moment_texts, serial_text, serial_texts
from managed_tables_reader.workbooks.xlsx.strings import unescape_hex, unescape_xml

_BOOLEANS = {"1": "TRUE", "0": "FALSE", "true": "TRUE", "false": "FALSE"}
_NUMERIC_KINDS = (FormatKind.NUMBER, FormatKind.MASK)


def column_index(letters: str) -> int:
    """Return the column (from 0) that `A`, `Z`, `AA`, … stand for; raises WorkbookError beyond XFD."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    if not 0 < index <= MAX_COLUMNS:
        raise WorkbookError(f"a coluna {letters} não existe")
    return index - 1


class CellReader:
    """Turns cells into text for one workbook; `tally` is replaced for each sheet.

    `formats` may be the error for which they are unknown, which the first number with a style raises.
    """

    def __init__(
        self,
        strings: Sequence[str | None],
        formats: Sequence[NumberFormat] | WorkbookError,
        *,
        is_1904: bool,
    ) -> None:
        self._strings = strings
        self._formats = formats
        self._is_1904 = is_1904
        self.tally = Tally()

    def text(self, column: int, style: str, cell_type: str, raw: str | None) -> str | None:
        """Return the text of one cell whose XML is already resolved; None if it is empty."""
        if not raw:
            return None
        if cell_type in ("", "n"):
            return self._number(column, style, raw)
        if cell_type == "s":
            return self._shared(raw)
        if cell_type in ("str", "inlineStr"):
            return mark_text(unescape_hex(raw)) or None
        if cell_type == "b":
            return _BOOLEANS.get(raw.strip().lower(), raw)
        if cell_type == "e":
            self.tally.errors[column] += 1
            return None
        if cell_type == "d":
            return iso_text(raw, self.format_of(style).kind)
        raise WorkbookError(f"tipo de célula desconhecido: {cell_type[:20]}")

    def texts(
        self, column: int, style: str, cell_type: str, raws: Sequence[str | None], *, is_plain: bool
    ) -> list[str | None]:
        """Return what `text` returns for each cell of a column, whose XML is not yet resolved.

        `is_plain` says that all are numbers as `TRIMMED_NUMBER` matches them.
        """
        if is_plain and (texts := self._plain_texts(column, self.format_of(style), raws)) is not None:
            return texts
        if cell_type == "s":
            return self._shared_texts(raws)
        if cell_type in ("str", "inlineStr"):
            return _inline_texts(raws)
        if cell_type == "b":
            found = {raw: raw and self.text(column, style, cell_type, unescape_xml(raw)) for raw in set(raws)}
            return [found[raw] for raw in raws]
        return [raw and self.text(column, style, cell_type, unescape_xml(raw)) for raw in raws]

    def _plain_texts(
        self, column: int, number_format: NumberFormat, raws: Sequence[str | None]
    ) -> list[str | None] | None:
        """Return the texts of a column's plain numbers, None where a mask says how each is shown."""
        kind = number_format.kind
        if kind is FormatKind.NUMBER:
            self._note_percent(column, number_format)
            return self._numbers(raws)
        if kind is FormatKind.DATETIME:
            return moment_texts(raws, self._is_1904)
        if kind is FormatKind.MASK:
            return None
        text_of = serial_texts(kind, is_1904=self._is_1904)
        return [raw and text_of(raw) for raw in raws]

    def _numbers(self, raws: Sequence[str | None]) -> list[str | None]:
        filled = [raw for raw in raws if raw is not None]
        if len(max(filled, key=len, default="")) <= DOUBLE_DIGITS:
            return list(raws)
        text = self.tally.number_cells.text
        return [raw if raw is None or len(raw) <= DOUBLE_DIGITS else text(raw) for raw in raws]

    def _shared_texts(self, raws: Sequence[str | None]) -> list[str | None]:
        try:
            return [None if raw is None else self._strings[int(raw)] for raw in raws]
        except IndexError as error:
            raise WorkbookError("um texto compartilhado não existe") from error

    def format_of(self, style: str) -> NumberFormat:
        """Return the number format of a style, General for one that does not exist."""
        if isinstance(self._formats, WorkbookError):
            if style in ("", "0"):  # the style of cells that were never formatted
                return GENERAL
            raise self._formats
        index = int(style) if style.isdigit() else -1
        return self._formats[index] if 0 <= index < len(self._formats) else GENERAL

    def shown_date(self, style: str, raw: str) -> str | None:
        """Return a cell that is a date as the sheet shows it; None for another cell."""
        number_format = self.format_of(style)
        if number_format.kind is not FormatKind.DATE:
            return None
        return shown_date(number_format, serial_text(raw, FormatKind.DATE, self._is_1904))

    def _note_percent(self, column: int, number_format: NumberFormat) -> None:
        if number_format.is_percent:
            self.tally.percents.add(column)

    def _number(self, column: int, style: str, raw: str) -> str | None:
        number_format = self.format_of(style)
        self._note_percent(column, number_format)
        if number_format.kind not in _NUMERIC_KINDS:
            return serial_text(raw, number_format.kind, self._is_1904) or None
        text = self.tally.number_cells.text(raw)
        shown = show_mask(number_format, text) if number_format.masks else None
        if shown is not None:
            return shown
        return text or None

    def _shared(self, raw: str) -> str | None:
        if raw.strip().isdigit() and int(raw) < len(self._strings):
            return self._strings[int(raw)]
        raise WorkbookError(f"o texto compartilhado {raw[:20]} não existe")


def _inline_texts(raws: Sequence[str | None]) -> list[str | None]:
    return [
        (raw or None)
        if not raw or ("." not in raw and "&" not in raw and "_x" not in raw)
        else mark_text(unescape_hex(unescape_xml(raw))) or None
        for raw in raws
    ]
