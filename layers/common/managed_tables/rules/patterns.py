"""Read a rule's pattern: the part of regular expressions that PostgreSQL, RE2 and browsers understand alike.

That is characters, `.`, classes, groups, alternation, quantifiers and anchors. What is read is written again
in one form for all: `\\d`, `\\w`, `\\s` and `.` as what they hold, since engines differ in the rest.
"""

from collections.abc import Callable

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r" \t\n\r\f\v"}
_CONTROLS = "tnrfv"
_SYNTAX = r"^$\.*+?()[]{}|/"
_ESCAPED = _SYNTAX + "-"
_SPECIAL = r"\]^[-"  # within a class
MOST_REPEATS = 255  # PostgreSQL's limit, which quantifiers inside one another reach together
MOST_GROUPS = 50  # inside one another
_TOO_MANY = "são repetições demais: no máximo 255"


class PatternFault(ValueError):  # noqa: N818 - named for what it tells
    """The pattern holds, at this place counted from 1, what the engines do not understand alike."""

    def __init__(self, place: int, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(reason)


def portable(pattern: str) -> str:
    """Return the pattern as every engine reads it alike; raises PatternFault."""
    reader = _Reader(pattern)
    text, _ = reader.alternation(0)
    if not reader.is_at_end:
        raise reader.fault("há um ) a mais")
    return text


class _Reader:
    """Reads one pattern from left to right; a part comes with how often its parts may be repeated in all."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._pattern)

    def fault(self, reason: str, back: int = 0) -> PatternFault:
        return PatternFault(self._at + 1 - back, reason)

    def alternation(self, depth: int) -> tuple[str, int]:
        if depth > MOST_GROUPS:
            raise self.fault("há grupos demais, um dentro do outro")
        branches, most = [], 1
        while True:
            text, repeats = self._branch(depth)
            branches.append(text)
            most = max(most, repeats)
            if self._next() != "|":
                return "|".join(branches), most
            self._at += 1

    def _branch(self, depth: int) -> tuple[str, int]:
        pieces, most = [], 1
        while not self.is_at_end and self._next() not in "|)":
            text, repeats = self._piece(depth)
            pieces.append(text)
            most = max(most, repeats)
        return "".join(pieces), most

    def _piece(self, depth: int) -> tuple[str, int]:
        is_anchor = self._next() in "^$"
        text, repeats = self._atom(depth)
        quantifier, times = self._quantifier()
        if not quantifier:
            return text, repeats
        if is_anchor:
            raise self.fault("^ e $ não se repetem", len(quantifier))
        if repeats * times > MOST_REPEATS:
            raise self.fault(_TOO_MANY, len(quantifier))
        if self._next() and self._next() in "?+*{":
            raise self.fault("um quantificador não segue outro")
        return text + quantifier, repeats * times

    def _atom(self, depth: int) -> tuple[str, int]:
        readers: dict[str, Callable[[int], tuple[str, int]]] = {"(": self._group, "[": self._class}
        character = self._next()
        if character in readers:
            return readers[character](depth)
        if character in "*+?{}]":
            raise self.fault(f"{character} precisa de uma barra")
        self._at += 1
        if character == "\\":
            held, is_class = self._escape()
            return (f"[{held}]" if is_class else _plain(held)), 1
        if character in "^$":
            return character, 1
        return ("[^\\n\\r]" if character == "." else _plain(character)), 1

    def _group(self, depth: int) -> tuple[str, int]:
        start = self._at
        self._at += 1
        if self._next() == "?":
            if not self._pattern.startswith("?:", self._at):
                raise self.fault("de grupos há só (…) e (?:…)", self._at - start)
            self._at += 2
        text, repeats = self.alternation(depth + 1)
        if self._next() != ")":
            raise self.fault("falta o ) deste grupo", self._at - start)
        self._at += 1
        return f"(?:{text})", repeats

    def _quantifier(self) -> tuple[str, int]:
        """Return the quantifier that follows, if any, and how often it makes the engine copy its atom."""
        character = self._next()
        if character and character in "*+?":
            self._at += 1
            return character, 1
        if character != "{":
            return "", 1
        end = self._pattern.find("}", self._at)
        parts = self._pattern[self._at + 1 : end].split(",") if end > 0 else []
        if len(parts) not in (1, 2) or not _is_number(parts[0]) or not all(map(_is_number_or_none, parts)):
            raise self.fault("a chave precisa de uma barra, ou de um ou dois números")
        least, most = int(parts[0]), int(parts[-1] or parts[0])
        if most < least:
            raise self.fault("o segundo número do quantificador é menor que o primeiro")
        if most > MOST_REPEATS:
            raise self.fault(_TOO_MANY)
        self._at = end + 1
        return "{" + ",".join(parts) + "}", max(least, most, 1)

    def _escape(self) -> tuple[str, bool]:
        """Return the character, or what the class holds, behind a backslash."""
        character = self._next()
        if not character:
            raise self.fault("falta o que vem depois da barra", 1)
        if character not in _ESCAPED and character not in _CONTROLS and character not in _CLASSES:
            raise self.fault(f"\\{character} não existe em todos os bancos e navegadores", 1)
        self._at += 1
        if character in _CLASSES:
            return _CLASSES[character], True
        return (f"\\{character}" if character in _CONTROLS else character), False

    def _class(self, _depth: int) -> tuple[str, int]:
        start = self._at
        self._at += 1
        is_negated = self._next() == "^"
        self._at += is_negated
        held: list[str] = []
        while self._next() != "]":
            if self.is_at_end:
                raise self.fault("falta o ] desta classe", self._at - start)
            held.append(self._member())
        self._at += 1
        if not held:
            raise self.fault("a classe está vazia", self._at - start)
        return f"[{'^' if is_negated else ''}{''.join(held)}]", 1

    def _member(self) -> str:
        """Return what comes next in a class: a character, a range, or all of another class."""
        first, is_class = self._class_character()
        is_range = self._next() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", "")
        if not is_range:
            return first if is_class else _in_class(first)
        self._at += 1
        last, is_other = self._class_character()
        if is_class or is_other or len(first) > 1 or len(last) > 1 or last < first:
            raise self.fault("o intervalo não vai de um caractere a outro maior", 1)
        return f"{_in_class(first)}-{_in_class(last)}"

    def _class_character(self) -> tuple[str, bool]:
        character = self._next()
        if character == "[":
            raise self.fault("[ precisa de uma barra")
        self._at += 1
        return self._escape() if character == "\\" else (character, False)

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MOST_REPEATS))


def _is_number_or_none(text: str) -> bool:
    return text == "" or _is_number(text)


def _plain(character: str) -> str:
    return f"\\{character}" if character in _SYNTAX and character != "/" else character


def _in_class(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL else character
