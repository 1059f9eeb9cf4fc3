"""What is known of files of a kind before one is read: a prior of the search, told by what such files say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile

from managed_tables.identifiers import fold_label

_WORDS = re.compile(r"\w+")
_SPARE = 10  # characters that folding may take away: blanks, accents on their own
_SHARE = 0.5  # of the known labels: more of them make a header


@dataclass(frozen=True)
class Known:
    """How files of this kind were read; `labels` are folded (`fold_label`).

    `stated` are the fields of `Overrides` that were once stated, as they hold where the file allows it.
    `encoding` and `delimiter` were found, `skip_texts` are how lines begin (`beginning`) that are no rows.
    """

    labels: frozenset[str] = frozenset()
    header_lines: int = 1
    encoding: str | None = None
    delimiter: str | None = None
    stated: tuple[tuple[str, object], ...] = ()
    skip_texts: frozenset[str] = frozenset()

    @cached_property
    def _longest(self) -> int:
        return _SPARE + max(map(len, self.labels), default=-_SPARE)

    def places(self, cells: Sequence[str | None]) -> frozenset[int]:
        """Return which of the cells are known labels."""
        return frozenset(
            place
            for place, cell in enumerate(cells)
            if cell and len(cell) <= self._longest and _folded(cell) in self.labels
        )

    def count(self, labels: Sequence[str | None]) -> int:
        """Return how many of these labels are known; 0 where they are too few to be a header of this kind."""
        found = len({_folded(labels[place] or "") for place in self.places(labels)})
        return found if found > _SHARE * len(self.labels) and found > min(1, len(self.labels) - 1) else 0

    def skips(self, text: str) -> bool:
        """Return whether a line of this text is known to be no row."""
        begins = beginning(text)
        return any(begins == one or begins.startswith(f"{one} ") for one in self.skip_texts)

    def allows(self, labels: Sequence[str | None]) -> bool:
        """Return whether a file that is read to have these labels may be one of this kind."""
        return not self.labels or self.count(labels) > 0


NOTHING_KNOWN = Known()


def beginning(text: str) -> str:
    """Return how a line begins, down to its first number or date: the folded words that every month has."""
    return " ".join(takewhile(str.isalpha, _WORDS.findall(fold_label(text))))


@lru_cache(4_096)  # the same first lines are cut by one dialect after another
def _folded(cell: str) -> str:
    return fold_label(cell)
