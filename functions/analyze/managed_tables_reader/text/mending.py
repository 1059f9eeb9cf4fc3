"""Mend records whose quotes are not doubled: cut at each delimiter, and rejoin the pieces of quoted cells."""

from managed_tables_reader.text.dialect import Dialect

_MALFORMED = 3.0  # the oddity of a malformed cell
_MAX_PIECES = 400  # joining is quadratic in pieces


def regroup(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """Cut a line with quotes into exactly `width` cells in the least odd way; None if no way is likely."""
    pieces = dialect.split(text)
    if not 1 < width <= len(pieces) <= _MAX_PIECES:
        return None
    # best[i] for the current number of cells: the oddity of the first i pieces as cells, and these cells
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0.0, ())}
    for cell in range(1, width + 1):
        following: dict[int, tuple[float, tuple[str, ...]]] = {}
        for start, (before, cells) in best.items():
            # Several pieces only if quoted.
            is_quoted = pieces[start].strip(" ")[:1] in ("", dialect.quote)
            most = cell + len(pieces) - width - start if is_quoted else 1
            for stop in range(start + 1, start + most + 1):
                group = dialect.delimiter.join(pieces[start:stop])
                total = before + _oddity(group, dialect, stop - start)
                if total < following.get(stop, (_MALFORMED, ()))[0]:
                    following[stop] = (total, (*cells, group))
        best = following
    found = best.get(len(pieces))
    return [*map(dialect.unquote, found[1])] if found else None


def _oddity(group: str, dialect: Dialect, pieces: int) -> float:
    """Return how odd a cell of so many pieces would be: 0 well formed, 1 quoted at one edge, 3 malformed."""
    quote = dialect.quote
    text = group.strip(" ")
    edges = text.startswith(quote) + text.endswith(quote)
    if edges < 2 or len(text) < 2:
        return _MALFORMED if pieces > 1 else 0.0 if quote not in text else 1.0 if edges else 0.4
    inner = text[1:-1].replace(quote * 2, "").replace((dialect.escape or quote) + quote, "")
    if pieces > 1 and f"{quote}{dialect.delimiter}{quote}" in inner:
        return _MALFORMED
    return 0.6 + 0.1 * inner.count(quote) + (0.3 if pieces > 1 else 0.0) if quote in inner else 0.0
