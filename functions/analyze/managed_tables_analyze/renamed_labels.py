"""Find which labels that are gone may stand in a file as other ones, with few comparisons for each.

Labels of surveys are hundreds, and sentences: comparing each with each takes minutes. A label that is gone is
compared only with those that have its words' first letters, that share its rarest words, or that stand in its
place, and never with more than `MAX_COMPARED` of each.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import chain, islice

MAX_COMPARED = 6
_COMPARED_CHARACTERS = 120
_HELD = 0.7  # the likeness of a label whose words are all in the other
_LITTLE_WORDS = frozenset(
    [
        "a",
        "as",
        "com",
        "da",
        "das",
        "de",
        "do",
        "dos",
        "e",
        "em",
        "na",
        "no",
        "o",
        "os",
        "of",
        "per",
        "por",
        "the",
    ]
)
_UNIT = re.compile(r"\([^()]*\)|\[[^][]*\]")


@dataclass(frozen=True)
class Label:
    """A label as `fold_label` has it."""

    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words without little ones, signs, and units in brackets."""
        found = re.findall(r"[^\W_]+", _UNIT.sub(" ", self.text)) or re.findall(r"[^\W_]+", self.text)
        return tuple(word for word in found if word not in _LITTLE_WORDS) or tuple(found)

    @cached_property
    def initials(self) -> str:
        """The first letters of its words, by which abbreviations are found."""
        return "".join(word[0] for word in self.words)

    def is_short_for(self, other: "Label") -> bool:
        """Return whether either's words are those of the other, or abbreviations of them, one by one."""
        if not self.words or not other.words:
            return False
        if len(self.words) == len(other.words):
            return all(map(_is_short, self.words, other.words))
        return (len(self.initials) > 1 and (self.initials,) == other.words) or (
            len(other.initials) > 1 and (other.initials,) == self.words
        )

    def likeness(self, other: "Label") -> float:
        """Return how alike both are, from 0 to 1."""
        if self.is_short_for(other):
            return 1.0
        mine, theirs = self.text[:_COMPARED_CHARACTERS], other.text[:_COMPARED_CHARACTERS]
        alike = SequenceMatcher(None, mine, theirs, autojunk=False).ratio()
        words = {*self.words}, {*other.words}
        is_held = min(map(len, words)) and (words[0] <= words[1] or words[1] <= words[0])
        return max(alike, _HELD) if is_held else alike


def _is_short(one: str, other: str) -> bool:
    """Return whether the shorter of two words has its first letter and its others in the longer's order."""
    short, long = sorted((one, other), key=len)
    letters = iter(long)
    return short == long or (
        short[0] == long[0] and short.isalpha() and long.isalpha() and all(c in letters for c in short)
    )


class Candidates:
    """The new labels, found by their words and by first letters."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_initials: dict[str, list[int]] = defaultdict(list)
        for number, label in enumerate(labels):
            for word in {*label.words}:
                self._by_word[word].append(number)
            for initials in _short_forms(label):
                self._by_initials[initials].append(number)

    def of(self, label: Label) -> set[int]:
        """Return the numbers of the few labels that a label is to be compared with."""
        known = {*label.words} & self._by_word.keys()
        rarest = sorted(known, key=lambda word: (len(self._by_word[word]), word))[:MAX_COMPARED]
        sharing = chain.from_iterable(self._by_word[word][:MAX_COMPARED] for word in rarest)
        found = {*islice(dict.fromkeys(sharing), MAX_COMPARED)}
        for initials in _short_forms(label):
            found.update(self._by_initials.get(initials, ())[:MAX_COMPARED])
        return found


def _short_forms(label: Label) -> set[str]:
    """Return a label's first letters, and the label itself where it may be another's first letters."""
    return {label.initials, *label.words} if len(label.words) == 1 else {label.initials}


def compare_labels(
    before: Sequence[str], after: Sequence[str], places: Mapping[int, int]
) -> Iterator[tuple[float, int, int]]:
    """Yield how alike a label of `before` and one of `after` are, and both their numbers.

    `places` leads from the one that stood in a place to the one that stands there.
    """
    new = list(map(Label, after))
    candidates = Candidates(new)
    for number, label in enumerate(map(Label, before)):
        found = candidates.of(label)
        if number in places:
            found.add(places[number])
        yield from ((label.likeness(new[one]), number, one) for one in sorted(found))
