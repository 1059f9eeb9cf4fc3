"""Drawn lines, such as reports and consoles set between rows."""

import re
from collections.abc import Sequence

# Possessive: a long line with a word at its end must not be tried in every way.
_SEPARATOR = re.compile(r"[\s:|+]*+(?:[-=_]{2,}+[\s:|+]*+)++")
STROKES = ("---", "===", "___")
_STROKE = re.compile(r"([-=_])\1\1|:--|--:")  # two alone are a sign for nothing


def is_separator(cells: Sequence[str | None]) -> bool:
    """Return whether a row is nothing but a drawn line."""
    filled = [cell for cell in cells if cell is not None and cell and not cell.isspace()]
    return all(map(_SEPARATOR.fullmatch, filled)) and any(_STROKE.search(cell) for cell in filled)
