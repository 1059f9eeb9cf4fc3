"""Lines cut otherwise than the dialect says: pieces joined into the table's cells, or another delimiter."""

import re
from collections.abc import Iterator

from managed_tables_analyze.layout.looks import look
from managed_tables_analyze.text.dialect import Dialect
from managed_tables_analyze.text.scanner import MALFORMED, Scanner, oddity, unquote

_MAX_PIECES = 400  # joining is quadratic in pieces
_ANY_DELIMITER = re.compile(r"[;,\t|]")
_OTHER_DELIMITERS = (";", ",", "\t", "|", " ")


def regroup(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """Cut one line into exactly `width` cells, the least odd way; None where there is no likely one."""
    pieces = dialect.split(text)
    if width < 2:
        return None
    if width <= len(pieces) <= _MAX_PIECES:
        groups = _group(pieces, dialect, width)
        if groups is not None:
            return [unquote(group, dialect) for group in groups]
    return next(by_other_delimiters(text, dialect, width), None)


def _group(pieces: list[str], dialect: Dialect, width: int) -> list[str] | None:
    """Join neighbouring pieces into `width` cells at the least cost (dynamic programming)."""
    slack = len(pieces) - width
    delimiter = dialect.delimiter
    # best[i] for the current number of cells: the cost of reading the first i pieces so, and how
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0.0, ())}
    for cell in range(1, width + 1):
        following: dict[int, tuple[float, tuple[str, ...]]] = {}
        for start, (cost, cells) in best.items():
            group = ""
            for stop in range(start + 1, min(cell + slack, len(pieces)) + 1):
                group = pieces[start] if stop == start + 1 else group + delimiter + pieces[stop - 1]
                total = cost + oddity(group, dialect, stop - start)
                if total < MALFORMED and total < following.get(stop, (MALFORMED, ()))[0]:
                    following[stop] = (total, (*cells, group))
        best = following
    found = best.get(len(pieces))
    return list(found[1]) if found else None


def by_other_delimiters(
    text: str, dialect: Dialect, width: int, *, labels: bool = False
) -> Iterator[list[str]]:
    """Yield the cells of a line that was written with another delimiter than the rest, `width` of them.

    Blanks cut words as well as cells: what they cut must hold a value, unless `labels` are sought.
    """
    if width < 2 or (dialect.delimiter and text.count(dialect.delimiter) * 2 >= width):
        return
    for delimiter in _OTHER_DELIMITERS:
        if delimiter == dialect.delimiter or text.count(delimiter) < width - 1:
            continue
        scanner = Scanner(Dialect(delimiter, dialect.quote))
        if not scanner.feed(text) or len(scanner.cells) != width:
            continue
        if delimiter != " " or labels or any(look(cell).is_value for cell in scanner.cells):
            yield scanner.cells


def cut_labels(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """Cut a header that was written with another delimiter than the rows, or with several."""
    found = next(by_other_delimiters(text, dialect, width, labels=True), None)
    if found is None and dialect.quote not in text:
        pieces = _ANY_DELIMITER.split(text)
        found = pieces if len(pieces) == width > 1 and all(map(str.strip, pieces)) else None
    return found
