"""Find text that was written in UTF-8 and read as Windows-1252 before it was sent: `JoÃ£o`."""

import re

from managed_tables.conversion.sql_text import choose, literal

# What Windows-1252 makes of UTF-8's bytes: `Ã£`, `Ã‰`, `Â°`. A capital Ã is a letter of Portuguese, so
# only what follows it shows mojibake.
_FIRST = ("Ã", "Â")
_PAIR = "Ã(?:[\u0080-\u00bf]|[\u2013-\u203a][A-Za-zÃ]|€|ƒ)|Â[\u00a0-\u00bf]"
_WORD = re.compile(rf"\S*(?:{_PAIR})\S*")


def has_mojibake(cell: str) -> str:
    """Return the SQL test that a text has such letters; a cheap test rules out nearly all texts."""
    suspects = " OR ".join(f"contains({cell}, {literal(letter)})" for letter in _FIRST)
    return choose((suspects, f"regexp_matches({cell}, {literal(_PAIR)})"), otherwise="false")


def find_mojibake(text: str) -> str | None:
    """Return the first word with such letters, None if there is none."""
    found = _WORD.search(text)
    return found[0] if found else None
