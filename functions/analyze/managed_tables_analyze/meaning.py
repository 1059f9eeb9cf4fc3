"""Compare what a file's column holds with what the table's column held in all loads that it remembers."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from managed_tables.documents.pictures import Picture
from managed_tables.wording import number

_FEW_ROWS = 2  # of which any may be empty
_EMPTIER = 0.25  # the share of empty cells beyond the greatest of a load
_FULLER = 0.6
_FEWEST = 10  # values, below which only what is very far off is told
_FAR, _VERY_FAR = 5.0, 20.0  # times the medians
_BEYOND = 10.0  # times the greatest number
_SIGNED = 0.2  # the least share of negative numbers of every load, so that one without any is odd
_REACH_DAYS = 100  # around the table's days, or as long as these are
_SPAN_TIMES, _SPAN_DAYS = 3, 31  # how much longer the days of one file may be than of any load
_UNKNOWN = 0.3  # the share of texts that are other ones, or of another shape


class Change(NamedTuple):
    """What is far beyond the table's values, in words; what was and is; whether that is writing."""

    what: str
    before: Any = None
    after: Any = None
    is_writing: bool = False


def find_changes(known: Picture, found: Picture, shares: "Shares") -> Iterator[Change]:
    """Yield what is far beyond all loads; `shares` are of texts, since a picture of many holds none."""
    yield from _empties(known, found)
    if not found.filled or not known.filled:
        if found.filled and known.rows:
            yield Change("a coluna sempre esteve vazia, e agora não está")
        return
    if known.negative and found.negative:
        yield from _numbers(known, found)
    elif known.span is not None and found.span is not None:
        yield from _days(known, found)
    else:
        yield from _texts(known, shares)


class Shares(NamedTuple):
    """Of a column's filled texts: the share that is no known category, and none of the known shapes."""

    unknown: float = 0.0
    misshapen: float = 0.0
    example: str | None = None


def _empties(known: Picture, found: Picture) -> Iterator[Change]:
    beyond = found.emptiest - known.emptiest
    if found.rows and not found.filled and known.filled:
        yield Change(f"{1:.0%} das células estão vazias, antes {known.emptiest:.0%}", 0, 1)
    elif beyond > _EMPTIER and found.rows > _FEW_ROWS:
        words = f"{found.emptiest:.0%} das células estão vazias, antes {known.emptiest:.0%}"
        yield Change(words, round(known.emptiest, 2), round(found.emptiest, 2))
    elif found.fullest - known.fullest > _FULLER and found.rows >= _FEWEST:
        words = f"{found.emptiest:.0%} das células estão vazias, antes {1 - known.fullest:.0%}"
        yield Change(words, round(1 - known.fullest, 2), round(found.emptiest, 2))


def _numbers(known: Picture, found: Picture) -> Iterator[Change]:
    enough = min(known.filled, found.filled) >= _FEWEST
    yield from _signs(known, found, enough=enough)
    if known.medians and found.medians:
        yield from _sizes(known, found, _FAR if enough else _VERY_FAR)


def _signs(known: Picture, found: Picture, *, enough: bool) -> Iterator[Change]:
    low, high = known.negative or (0.0, 0.0)
    share, _ = found.negative or (0.0, 0.0)
    if not high and share:
        yield Change("há números negativos, e antes nenhum era", 0, round(share, 2))
    elif low == 1 and share < 1:
        yield Change("há números positivos, e antes todos eram negativos", 1, round(share, 2))
    elif enough and low >= _SIGNED and not share:
        yield Change("nenhum número é negativo, e antes parte deles era", round(low, 2), 0)


def _sizes(known: Picture, found: Picture, far: float) -> Iterator[Change]:
    (least, most), (median, _) = known.medians or (1, 1), found.medians or (1, 1)
    if median >= most * far or median * far <= least:
        before = most if median > most else least
        is_more = median > before
        times = median / before if is_more else before / median
        size = f"{times:.0f} vezes maiores" if is_more else f"{times:.0f} vezes menores"
        yield Change(f"em geral são {size} (como {number(median)}, antes {number(before)})", before, median)
    elif known.greatest and (found.greatest or 0) > _BEYOND * known.greatest:
        words = f"há {number(found.greatest or 0)}, e o maior era {number(known.greatest)}"
        yield Change(words, known.greatest, found.greatest)


def _days(known: Picture, found: Picture) -> Iterator[Change]:
    assert known.least is not None and known.greatest is not None  # noqa: S101, PT018 - it has a span
    assert found.least is not None and found.greatest is not None  # noqa: S101, PT018
    reach = max(_REACH_DAYS, known.greatest - known.least)
    if found.least < known.least - reach or found.greatest > known.greatest + reach:
        yield Change("há datas longe das que a tabela tem")
    elif (found.span or 0) > _SPAN_TIMES * (known.span or 0) + _SPAN_DAYS:
        before, after = number(known.span or 0), number(found.span or 0)
        days = f"as datas vão de um dia a {after} dias depois, antes a {before}"
        yield Change(days, known.span, found.span)


def _texts(known: Picture, shares: Shares) -> Iterator[Change]:
    if known.shapes is not None and shares.misshapen > _UNKNOWN:
        has_zeros = any(text.startswith("9") and text.isdecimal() for text in known.shapes)
        words = f"{shares.misshapen:.0%} dos textos têm outra forma que os de antes (como {shares.example})"
        yield Change(words, known.shapes[0], shares.example, is_writing=has_zeros)
    elif known.categories is not None and shares.unknown > _UNKNOWN:
        yield Change(f"{shares.unknown:.0%} dos textos são outros que os de antes", None, shares.unknown)
