"""Choose the code page of a text that is not UTF-8 by what each page makes of its bytes beyond ASCII."""

import re
from collections import Counter

_CODE_PAGES = ("cp1252", "cp850", "mac_roman")  # the most common first: it wins a tie

# What the right code page makes of the bytes: letters of Western Europe, Portuguese ones first.
_LIKELY = frozenset("ãçáéíóêõúâôàÃÇÁÉÍÓÊÕÚÂÔÀ")
_POSSIBLE = frozenset("èìòùäëïöüÿñßøåæÈÙÄËÏÖÜÑØÅÆºª°€£§–—‘’“”…•©®\xa0²³·½¼¡¿´")
_POSSIBLE_SCORE = 0.8  # of a character, against 1 for a likely one
_LONE_SCORE = 0.7  # of a letter beside no other: `(ú)` is rather `(£)` in another page
_LONE_WORDS = frozenset("àéÀÉ")
_LONE_SIGNS = frozenset("¢µ")  # beside a letter they are rather letters of another page: `C¢digo`
_NEVER_IN_WORD = frozenset("€£§©°½¼¡¿²³•")
_MARGIN = 0.15  # how much better than cp1252 another page must be: cp1252 is far more common
_IN_CONTEXT = re.compile(rb"(?s)(?=(.[\x80-\xff].))")


def choose_code_page(sample: bytes) -> str:
    """Return the code page that makes the most likely text of the bytes beyond ASCII."""
    contexts = Counter(_IN_CONTEXT.findall(b"\n" + sample + b"\n"))
    total = contexts.total() or 1
    scores = {page: _score(page, contexts) / total for page in _CODE_PAGES}
    best = max(_CODE_PAGES, key=lambda page: scores[page])
    return best if scores[best] > scores["cp1252"] + _MARGIN else "cp1252"


def _score(page: str, contexts: Counter[bytes]) -> float:
    found = ((context.decode(page, "replace"), count) for context, count in contexts.items())
    return sum(count * _likelihood(*characters) for characters, count in found)


def _likelihood(before: str, character: str, after: str) -> float:
    """Return how likely a character is between its neighbours, from 0 to 1."""
    is_lone = not before.isalpha() and not after.isalpha()
    if character in _LIKELY:
        return _LONE_SCORE if is_lone and character not in _LONE_WORDS else 1.0
    # A sign between capitals is a letter of another page: `A€ÚCAR`.
    if character in _NEVER_IN_WORD and "A" <= before <= "Z" and "A" <= after <= "Z":
        return 0.0
    is_possible = character in _POSSIBLE or (is_lone and character in _LONE_SIGNS)
    return _POSSIBLE_SCORE if is_possible else 0.0
