"""Say in English what was worded, and perhaps stored long ago, in Portuguese.

A sentence is recognised by its template in `sentences.json`, and what it names is put into the English one,
whose holes say what stands there: `{x}` text of the user, which stays as it is; `{x:n}` a number in Brazilian
form, `{x:d}` several whole ones, `{x:w}` text without blanks; `{x:s}` a sentence of the catalogue, `{x:l}`
several with commas; `{x:t}` a word of the catalogue, or other text; `{x:names}` names, perhaps cut.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from managed_tables.wording import AND_OTHERS, SHOWN_NAMES, catalogue, choose_form

_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PATTERNS = {"n": re.compile(r"[-\d.,%]+"), "d": re.compile(r"[\d, …]+"), "w": re.compile(r"\S+")}
_SWAPPED = str.maketrans(".,", ",.")
_START = 4  # characters by which a template is looked up
_MAX_CUTS = 500  # tried for one text: hostile values cost no more
_MAX_DEPTH = 5  # of sentences in sentences
_MAX_COMMAS = 12  # within one item of a list


@dataclass(frozen=True)
class _Template:
    """A Portuguese sentence as the texts around its holes, and its English."""

    texts: Sequence[str]
    holes: Sequence[str]
    english: str
    kinds: Mapping[str, str]

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the English sentence with these values."""
        return _HOLE.sub(lambda hole: values[hole[1]], self.english)


@cache
def _catalogue() -> tuple[dict[str, str], dict[str, list[_Template]]]:
    """Return sentences without holes, and templates by how they start, those with the longest texts first."""
    coded = {one["pt"]: one["en"] for one in catalogue()["coded"].values()}
    pairs = {
        choose_form(portuguese, count): choose_form(english, count)
        for portuguese, english in {**coded, **catalogue()["others"]}.items()
        for count in (1, 2)
    }
    sentences: dict[str, str] = {}
    templates: dict[str, list[_Template]] = {}
    for portuguese in sorted(pairs, key=lambda one: len(_HOLE.sub("", one)), reverse=True):
        texts, holes, english = _HOLE.split(portuguese)[::3], _HOLE.findall(portuguese), pairs[portuguese]
        if holes:
            start = texts[0][:_START] if len(texts[0]) >= _START else ""
            template = _Template(texts, [name for name, _ in holes], english, dict(_HOLE.findall(english)))
            templates.setdefault(start, []).append(template)
        else:
            sentences[portuguese] = english
    return sentences, templates


def in_english(text: str) -> str:
    """Return the sentence in English; as it is where the catalogue does not know it."""
    reader = _Reader()
    return reader.find(text, 0) or reader.find_listed(text, ("; ", ", "), 0) or text


class _Reader:
    """Reads one text, which may hold sentences in sentences."""

    def __init__(self) -> None:
        self._sentences, self._templates = _catalogue()
        self._cuts = iter(range(_MAX_CUTS))

    def find(self, sentence: str, depth: int) -> str | None:
        """Return the English of a sentence, None where it has none."""
        known = self._sentences.get(sentence)
        if known is not None or depth > _MAX_DEPTH:
            return known
        templates = (*self._templates.get(sentence[:_START], ()), *self._templates.get("", ()))
        found = (self._read(sentence, template, depth + 1) for template in templates)
        return next((english for english in found if english is not None), None)

    def find_listed(self, text: str, separators: tuple[str, ...], depth: int) -> str | None:
        """Return sentences that stand in one text, in English: evidence is a list of lists."""
        separator, *others = separators
        items, found, start = text.split(separator), list[str](), 0
        while start < len(items):
            for end in range(start + 1, min(len(items), start + _MAX_COMMAS) + 1):
                item = separator.join(items[start:end])
                said = self.find(item, depth) or (others and self.find_listed(item, (*others,), depth))
                if said:
                    found.append(said)
                    start = end
                    break
            else:
                return None
        return separator.join(found)

    def _read(self, sentence: str, template: _Template, depth: int) -> str | None:
        """Return the English of a sentence; None where it is another one, or can be cut in two ways."""
        first, last = template.texts[0], template.texts[-1]
        end = len(sentence) - len(last)
        if end < len(first) or not (sentence.startswith(first) and sentence.endswith(last)):
            return None
        ways = self._values(sentence[:end], len(first), template, 0, depth)
        found = set(map(template.filled, ways))
        return found.pop() if len(found) == 1 else None

    def _values(
        self, sentence: str, start: int, template: _Template, place: int, depth: int
    ) -> Iterator[dict[str, str]]:
        """Yield the English of the holes from `place` on, for each way to cut the sentence."""
        hole, text = template.holes[place], template.texts[place + 1]
        is_last = place == len(template.holes) - 1
        at = len(sentence) if is_last else sentence.find(text, start)
        while at >= 0 and next(self._cuts, None) is not None:
            value = self._say(sentence[start:at], template.kinds[hole], depth)
            if value is not None:
                rest = self._values(sentence, at + len(text), template, place + 1, depth)
                for others in [{}] if is_last else rest:
                    if others.get(hole, value) == value:
                        yield {hole: value, **others}
            at = -1 if is_last else sentence.find(text, at + 1)

    def _say(self, value: str, kind: str, depth: int) -> str | None:
        """Return the English of what stands in a hole; None where it is not of that kind."""
        if kind in _PATTERNS and not _PATTERNS[kind].fullmatch(value):
            return None
        if kind == "s":
            return self.find(value, depth)
        if kind == "l":
            return self.find_listed(value, (", ",), depth)
        if kind == "t":
            return self._sentences.get(value, value)
        if kind == "names" and value.endswith(AND_OTHERS) and value.count(", ") >= SHOWN_NAMES - 1:
            return value.removesuffix(AND_OTHERS) + " and others"
        return value.translate(_SWAPPED) if kind == "n" else value
