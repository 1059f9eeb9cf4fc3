"""Keep a spreadsheet from running a text of somebody else's as a formula."""

import re

# What a spreadsheet may run, also by full-width signs or behind blanks; for Python and PostgreSQL.
FORMULA = r"^(\s*[=+@＝＋－＠-]|[\t\r\n])"
GUARD = "'"


def guarded(text: str) -> str:
    """Return a cell's text so that no spreadsheet runs it: behind an apostrophe, but for signed numbers."""
    is_formula = re.match(FORMULA, text) and not re.fullmatch(r"\s*[+-][\d.,]+%?\s*", text)
    return GUARD + text if is_formula or text.startswith(GUARD) else text
