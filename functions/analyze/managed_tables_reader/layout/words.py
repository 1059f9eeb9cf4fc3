"""Recognise what a row is by its words: a total, a note, units, a comment."""

import re
from collections.abc import Sequence

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import GridRow

COMMENT = "#"
COMMENT_STARTS = (f"{COMMENT} ", f"{COMMENT}{COMMENT}")
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
_NOTE_WORD = re.compile(r"\(?\*+\)?:?|(fontes?|notas?|obs|observaç(ão|ões)|legenda)\.?:?", re.IGNORECASE)
_NOTE_COLON = re.compile(r"(fontes?|notas?|obs(ervaç(ão|ões))?|source|notes?|elaboração)\s*:", re.IGNORECASE)
UNIT = re.compile(r"[(\[].*[)\]]|%|R\$|US\$|kg|un|m²")


def below_bits(row: GridRow, width: int) -> float:
    """Return the bits against a row of data, for words of totals and notes."""
    if width < 2 or not row.filled:
        return 0.0
    first, *others = row.filled
    is_note = _NOTE_COLON.match(first) and not first.endswith(":")
    if is_note or (not others and _NOTE.match(first)) or _TOTAL.fullmatch(first):
        return weights.NOTE
    return weights.NOTE_OF_CELLS if others and _NOTE_WORD.fullmatch(first) else 0.0


def is_sure_comment(cells: Sequence[str]) -> bool:
    """Return whether a record that begins with `#` is none of data: `#vendas;20` may be a row."""
    return len(cells) == 1 or cells[0].startswith(COMMENT_STARTS)


def is_comment(row: GridRow) -> bool:
    """Return whether a row begins like a comment."""
    first = (row.cells[0] or "").lstrip()
    return first.startswith(COMMENT) and first.rstrip() != COMMENT


def is_units(row: GridRow) -> bool:
    """Return whether all filled cells of a row are units of measure; a remark fills the first cell alone."""
    if row.extent < 2 < len(row.cells):
        return False
    filled = [(cell, one) for cell, one in zip(row.cells, row.looks, strict=True) if one.kind]
    return all(not one.is_value and UNIT.fullmatch((cell or "").strip()) for cell, one in filled)
