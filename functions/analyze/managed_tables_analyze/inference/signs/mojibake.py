"""Find text that was read in another encoding than it was written in: `JoÃ£o`, or `Ìîñêâà` for Москва."""

import re

from managed_tables.conversion.sql_text import choose, literal

# What Windows-1252 makes of UTF-8's bytes: `Ã£`, `Ã‰`, `Â°`. A capital Ã is a letter of Portuguese, so
# only what follows it shows mojibake.
_PAIR = "Ã(?:[\u0080-\u00bf]|[\u2013-\u203a][A-Za-zÃ]|€|ƒ)|Â[\u00a0-\u00bf]"
# What it makes of Greek, Cyrillic and Chinese: four in a row beyond ASCII, which no language of its own has.
_BEYOND, _LETTER = "[¢-ÿ]", "[À-ÿ]"
_RUN = "|".join("".join(_LETTER if place == at else _BEYOND for place in range(4)) for at in range(4))
_RARE = "[¤-©¬®¯±´¶¸¹]"  # twice about one letter: what Chinese in Big5 becomes
_SIGNS = rf"{_PAIR}|{_RUN}|{_RARE}[À-ÿA-Za-z_@]{_RARE}"
_WORD = re.compile(rf"\S*(?:{_SIGNS})\S*")


def has_mojibake(cell: str) -> str:
    """Return the SQL test that a text has such letters; a cheap test rules out nearly all texts."""
    is_beyond_ascii = f"strlen({cell}) <> length({cell})"
    return choose((is_beyond_ascii, f"regexp_matches({cell}, {literal(_SIGNS)})"), otherwise="false")


def find_mojibake(text: str) -> str | None:
    """Return the first word with such letters, None if there is none."""
    found = _WORD.search(text)
    return found[0] if found else None
