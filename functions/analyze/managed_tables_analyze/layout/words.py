"""Words that tell what a row is: totals, notes, units, comments."""

import re

from managed_tables_analyze.layout import weights
from managed_tables_analyze.layout.grid import GridRow

COMMENT = "#"
COMMENT_STARTS = (f"{COMMENT} ", f"{COMMENT}{COMMENT}")  # of comments for sure: `#20` may be a cell
_FEWEST_BLANKS = 3
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
_UNIT = re.compile(r"[(\[].*[)\]]|%|R\$|US\$|kg|un|m²")


def below_bits(row: GridRow, width: int, *, short_tells: bool) -> float:
    """Return what speaks against a row's being one of the table by its words."""
    filled = row.filled
    if width < 2 or not filled:
        return 0.0
    first = filled[0]
    bits = weights.UNITS if is_units(row) else 0.0
    bits += weights.TOTAL if _TOTAL.fullmatch(first) else 0.0
    if (len(filled) == 1 and _NOTE.match(first)) or (_NOTE_COLON.match(first) and not first.endswith(":")):
        bits += weights.NOTE
    elif len(filled) > 1 and _NOTE_WORD.fullmatch(first):
        bits += weights.NOTE_OF_CELLS
    if (
        len(filled) == len(row.written or row.cells) == 1
        and short_tells
        and first.count(" ") >= _FEWEST_BLANKS
    ):
        bits += weights.SENTENCE
    return bits


def is_comment(row: GridRow) -> bool:
    """Return whether a row begins as comments do."""
    first = (row.cells[0] or "").lstrip()
    return first.startswith(COMMENT) and first.rstrip() != COMMENT


def is_units(row: GridRow) -> bool:
    """Return whether all that a row has are units of measure."""
    filled = [(cell, one) for cell, one in zip(row.cells, row.looks, strict=True) if one.kind]
    return all(not one.is_value and _UNIT.fullmatch((cell or "").strip()) for cell, one in filled)


def is_form(row: GridRow) -> bool:
    """Return whether a row is one of a form: a name with a colon and its value."""
    filled = row.filled
    return len(filled) == 2 and filled[0].endswith(":") and not filled[1].endswith(":")
