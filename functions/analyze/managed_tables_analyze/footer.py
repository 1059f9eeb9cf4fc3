"""Owns what stands below a table and is not part of it: notes, sources, a line of totals."""

import re
from collections.abc import Sequence

from managed_tables_analyze.cells import is_blank, is_value
from managed_tables_analyze.sheets import Row

MAX_FOOTER_ROWS = 12  # notes longer than this are taken for data, and show as such

_TOTAL = re.compile(
    r"(sub)?(total|totais)(\s+(geral|general|global))?\s*:?|grand\s+total\s*:?|soma\s*:?", re.IGNORECASE
)
_NOTE = re.compile(
    r"(fontes?|notas?|obs(ervaç(ão|ões))?|source|notes?|elaboraç(ão|ado)|elaborado|atualizado|extra[ií]do"
    r"|gerado|emitido|data (de|da) (extração|atualização|emissão)|legenda|total de registros)\b|\*|\(\d\)",
    re.IGNORECASE,
)


def footer_length(rows: Sequence[Row], width: int) -> int:
    """Return how many of the last rows are below the table, blank ones among them included.

    `rows` are the last of the table, none of them its header; `width` its number of cells.
    """
    length = 0
    for index in range(len(rows) - 1, max(-1, len(rows) - 1 - MAX_FOOTER_ROWS), -1):
        cells = rows[index][1]
        after_blank = index > 0 and (
            _is_blank_row(rows[index - 1][1]) or rows[index][0] > rows[index - 1][0] + 1
        )
        if _is_blank_row(cells):
            continue
        if not (_is_total(cells, width) or _is_note(cells, width, after_blank=after_blank or length > 0)):
            break
        length = len(rows) - index
    return length


def _is_blank_row(cells: Sequence[str | None]) -> bool:
    return all(is_blank(cell) for cell in cells)


def _is_total(cells: Sequence[str | None], width: int) -> bool:
    first = next((cell.strip() for cell in cells if cell is not None and not is_blank(cell)), "")
    return width > 1 and _TOTAL.fullmatch(first) is not None


def _is_note(cells: Sequence[str | None], width: int, *, after_blank: bool) -> bool:
    """Tell whether a row of one filled cell is a note: by its words, or by where it stands."""
    filled = [cell.strip() for cell in cells if cell is not None and not is_blank(cell)]
    if width < 2 or len(filled) != 1 or is_value(filled[0]):
        return False
    if _NOTE.match(filled[0]):
        return True
    cut_short = len(cells) < width
    return after_blank and (cut_short or width > 2) and (" " in filled[0] or len(cells) == 1)
