"""Choose the code page of a text that is not UTF-8 by what each page makes of its bytes beyond ASCII.

Each character is judged by how common it is and by its place: the two characters before it, the two after it.
"""

import re
from collections import Counter

_CODE_PAGES = ("cp1252", "cp850", "mac_roman")  # the most common first: it wins a tie
_MARGIN = 0.2  # how much better another page must be than the usual one, which is far more common
_IN_CONTEXT = re.compile(rb"(?s)(?=(..[\x80-\xff]..))")

# How likely a character is in its usual place, in files of Brazil and Western Europe: Portuguese letters;
# signs; letters of other languages; rare ones. The others, such as box drawing, are likely nowhere.
_LIKELIHOODS = {
    **dict.fromkeys("ãçáéíóêõúâôàÃÇÁÉÍÓÊÕÚÂÔÀ", 1.0),
    **dict.fromkeys("“”„‘’«»…•†™®©–—\xa0£€°±‰×÷¹²³ºªµ§œŒŠŽ", 0.85),
    **dict.fromkeys("èäëïöüñßøåæîûšžÈÄËÏÖÜÑØÅÆÎÛ´¥¶¼½¾", 0.75),
    **dict.fromkeys("‚‹›‡·¬¦¨¸ˆ˜ƒ¢¿¡ìòùÌÒÙÿýðþŸÝÐÞ", 0.6),
}
# The share of it that is left in another place, and for a letter beside no other.
_ODD = 0.4
_LONE = 0.5  # `(ú)` is rather `(£)` in another page

# A context's shape: A for a capital, a for a small letter, 0 for a digit, a blank, - for anything else.
_KINDS = (("A", str.isupper), ("a", str.isalpha), ("0", str.isdigit), (" ", str.isspace))
_SHAPES = {
    ord(character): next((kind for kind, is_kind in _KINDS if is_kind(character)), "-")
    for page in _CODE_PAGES
    for character in bytes(range(256)).decode(page, "replace")
}
_ALONE = re.compile(".[^aA].[^aA]")
_LONE_WORDS = re.compile(r"(?s).\W(é\W|[àÀèÈÉ] [^\W\d_])")  # only `é` ends a sentence
_ODD_CAPITALS = re.compile("..aA|AAa|.aA|.AAa")  # `AéCAR`, `VOVâ`, `JosÚ`, `DŽbito`
# No Portuguese word has `õ` before another letter than `e`, or `ç` before a consonant or after two.
_VOWELS = "aeiouáâãéêíóôõú"
_ODD_NEIGHBOURS = re.compile(
    rf"(?is)..(õ[^e]|ç[^{_VOWELS}]|œ[^eiu]|à[^\Wqs])|(.[bdfghjkmqstvwxyz]|[^{_VOWELS}][clnpr])ç"
)

_USUAL_PLACES = (
    ("“„‘‚«»‹¿¡´©†‡•", re.compile(".[ -].[^ ]")),  # before a word
    ("”’“‘«»›´™®†‡…ºª°¹²³", re.compile(".[^ ].[ -]")),  # after a word
    ("«»©†‡•¬¦·§¶¨¸ˆ˜", re.compile(".[ -].[ -]")),  # apart
    ("£€¥¢ƒ°±‰×÷¹²³¼½¾µ–—\xa0", re.compile(".0|...0|.[ -].([^aA]|.[^aA])")),  # beside a digit or unit: `£k`
)
_SIGNS = frozenset("".join(signs for signs, _ in _USUAL_PLACES))
_WITHIN_WORD = re.compile(".[aA].[aA]")
_JOINING = {**dict.fromkeys("–—\xa0", 0.75), **dict.fromkeys("’´", _ODD)}  # the share within a word
# `d’Or`, `qu’il`, `O’Brien`, `John’s`, `we’ll`
_ELISION = re.compile(rf"(?is)(\W[cdjlmnst]|qu|rd)[’´][h{_VOWELS}]|\Wo[’´]\w|..[’´]([dmst]\W|ll|re)")


def choose_code_page(sample: bytes, usual: str | None = None) -> str:
    """Return the code page that makes the most likely text of the bytes beyond ASCII.

    Where they hardly decide it is the `usual` one of such files, cp1252 unless that is known.
    """
    usual = usual if usual in _CODE_PAGES else "cp1252"
    contexts = Counter(_IN_CONTEXT.findall(b"\n\n" + sample + b"\n\n"))
    total = contexts.total() or 1
    scores = {page: _score(page, contexts) / total for page in _CODE_PAGES}
    best = max(_CODE_PAGES, key=lambda page: scores[page])
    return best if scores[best] > scores[usual] + _MARGIN else usual


def _score(page: str, contexts: Counter[bytes]) -> float:
    found = ((context.decode(page, "replace"), count) for context, count in contexts.items())
    return sum(count * _likelihood(context) for context, count in found)


def _likelihood(context: str) -> float:
    """Return how likely the middle one of five characters is there, from 0 to 1."""
    share = _share_of_sign if context[2] in _SIGNS else _share_of_letter
    return _LIKELIHOODS.get(context[2], 0.0) * share(context, context.translate(_SHAPES))


def _share_of_sign(context: str, shape: str) -> float:
    sign = context[2]
    if any(sign in signs and place.match(shape) for signs, place in _USUAL_PLACES) or _ELISION.match(context):
        return 1.0
    return _JOINING.get(sign, 0.0 if _WITHIN_WORD.match(shape) else _ODD)


def _share_of_letter(context: str, shape: str) -> float:
    if _ODD_CAPITALS.match(shape) or _ODD_NEIGHBOURS.match(context):
        return _ODD
    return _LONE if _ALONE.match(shape) and not _LONE_WORDS.match(context) else 1.0
