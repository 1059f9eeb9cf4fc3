"""Lines that are quoted as a whole, each in one cell: a CSV file kept in one column of a spreadsheet."""

import re
from collections.abc import Iterable, Iterator, Sequence

_WRAPPED = re.compile(r'"((?:[^"\r\n]|"")*+)"([\r\n]*)')


def unwrap(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines (with their ends), those that are one quoted cell without its quotes."""
    for line in lines:
        wrapped = _WRAPPED.fullmatch(line) if line.startswith('"') else None
        yield line if wrapped is None else wrapped[1].replace('""', '"') + wrapped[2]


def count_wrapped(lines: Sequence[str]) -> int:
    """Return how many lines are one quoted cell."""
    return sum(line.startswith('"') and _WRAPPED.fullmatch(line) is not None for line in lines)
