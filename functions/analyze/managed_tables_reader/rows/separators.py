"""Recognise separator lines, which reports and consoles print between rows."""

import re
from collections.abc import Sequence

# Possessive, since backtracking over a long line that ends in a word would take too long.
_SEPARATOR = re.compile(r"[\s:|+]*+(?:[-=_]{2,}+[\s:|+]*+)++")
STROKES = ("---", "===", "___")
_STROKE = re.compile(r"([-=_])\1\1|:--|--:")  # `--` alone is an empty value


def is_separator(cells: Sequence[str | None]) -> bool:
    """Return whether a row is only a separator line."""
    filled = [cell for cell in cells if cell is not None and cell and not cell.isspace()]
    return all(map(_SEPARATOR.fullmatch, filled)) and any(_STROKE.search(cell) for cell in filled)
