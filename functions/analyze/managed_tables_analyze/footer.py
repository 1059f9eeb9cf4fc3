"""Owns what stands below a table and is not part of it: notes, sources, a line of totals."""

import re
from collections.abc import Sequence

from managed_tables_analyze.cells import is_blank, is_null, is_value
from managed_tables_analyze.sheets import Row

MAX_FOOTER_ROWS = 60  # the notes of public statistics have dozens of lines; longer ones show as data
_FEWEST_BLANKS = 3  # of a line without delimiters that is a sentence, not a record cut off
_NARROW = 2  # cells of a footer's own list, such as a legend of signs and their meanings
_ROWS_COMPARED = 20  # above a row that may be a note
_NARROW_SHARE = 0.5  # of the table's cells: what is wider may be a record

_TOTAL = re.compile(
    r"(sub)?(total|totais)(\s+(geral|general|global)|\s+do\s+(dia|mês|per[íi]odo|ano|relatório))?\s*(:.*)?"
    r"|grand\s+total\s*:?|soma\s*:?",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(fontes?|notas?|obs(ervaç(ão|ões))?|source|notes?|elaboraç(ão|ado)|elaborado|atualizado|extra[ií]do"
    r"|\(?\d+ (rows?|linhas?|registros?)\b"
    r"|gerado|emitido|data (de|da) (extração|atualização|emissão)|legenda|total de registros)\b|\*|\(\d\)",
    re.IGNORECASE,
)
# What heads a note whose text stands in the cells beside it.
_NOTE_WORD = re.compile(r"\(?\*+\)?:?|(fontes?|notas?|obs|observaç(ão|ões)|legenda)\.?:?", re.IGNORECASE)


def footer_length(rows: Sequence[Row], width: int, *, short_tells: bool) -> int:
    """Return how many of the last rows are below the table, blank ones among them included.

    `rows` are the last of the table, none of them its header; `width` its number of cells. `short_tells`
    says that a row without delimiters shows as one cell (in a worksheet a row ends at its last value).
    """
    start = len(rows)
    first = max(0, len(rows) - MAX_FOOTER_ROWS)
    while start > first and _may_be_below(rows[start - 1][1], width):
        start -= 1
    while start < len(rows) and not _begins_footer(rows, start, width, short_tells=short_tells):
        start += 1
    other = _other_table(rows, width) if short_tells else None
    return len(rows) - (start if other is None else min(start, other))


def _other_table(rows: Sequence[Row], width: int) -> int | None:
    """Return where a narrower table begins, a blank line below the one above; None where there is none.

    Its labels stand where the rows above have values, and none of its rows is as long as theirs.
    """
    for index in range(len(rows) - 2, 0, -1):
        number, cells = rows[index]
        if max(len(rows[index][1]), len(rows[index + 1][1])) >= width:
            return None
        is_apart = number > rows[index - 1][0] + 1 or not _filled(rows[index - 1][1])
        filled = _filled(cells)
        has_labels = len(filled) == len(cells) > 1 and not any(map(is_value, filled))
        if is_apart and has_labels and _breaks_columns(rows, index):
            return index
    return None


def _may_be_below(cells: Sequence[str | None], width: int) -> bool:
    filled = _filled(cells)
    if not filled or _is_total(cells, width) or _is_spread_note(filled, width):
        return True
    if any(is_value(cell) for cell in filled) and not _is_note(filled[0]):
        return False
    return width > 1 and len(filled) <= max(1, min(_NARROW, width * _NARROW_SHARE))


def _is_spread_note(filled: Sequence[str], width: int) -> bool:
    """Tell whether a row may be a note that has its word in one cell and its text in others."""
    return (
        width > 1 < len(filled) and bool(_NOTE_WORD.fullmatch(filled[0])) and not any(map(is_value, filled))
    )


def _breaks_columns(rows: Sequence[Row], index: int) -> bool:
    """Tell whether the row has words where the rows above it have values: `Fonte` is a product, too."""
    above = [cells for _, cells in rows[max(0, index - _ROWS_COMPARED) : index]]
    for column, cell in enumerate(rows[index][1]):
        values = [cells[column] for cells in above if column < len(cells) and not is_null(cells[column])]
        if not is_null(cell) and not is_value(cell) and values and all(map(is_value, values)):
            return True
    return False


def _begins_footer(rows: Sequence[Row], index: int, width: int, *, short_tells: bool) -> bool:
    """Tell whether the footer begins here: by the row's words, its length, or a blank row above it."""
    number, cells = rows[index]
    filled = _filled(cells)
    if not filled:
        return False
    if _is_total(cells, width):
        return True
    if len(filled) > 1:
        return _is_spread_note(filled, width) and _breaks_columns(rows, index)
    if _is_note(filled[0]):
        return True
    is_short = short_tells and len(cells) == 1
    if is_short and filled[0].count(" ") >= _FEWEST_BLANKS:
        return True
    is_apart = index > 0 and (not _filled(rows[index - 1][1]) or number > rows[index - 1][0] + 1)
    return is_apart and (is_short or width > 2) and (is_short or " " in filled[0])


def _filled(cells: Sequence[str | None]) -> list[str]:
    return [cell.strip() for cell in cells if cell is not None and not is_blank(cell)]


def _is_total(cells: Sequence[str | None], width: int) -> bool:
    filled = _filled(cells)
    return width > 1 and bool(filled) and _TOTAL.fullmatch(filled[0]) is not None


def _is_note(text: str) -> bool:
    return _NOTE.match(text) is not None
