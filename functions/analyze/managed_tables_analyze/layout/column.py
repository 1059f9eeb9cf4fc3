"""The kind under which the cells of a column cost the fewest bits."""

from collections import Counter

from managed_tables_analyze.layout import weights
from managed_tables_analyze.layout.looks import NULL, PLAIN_KINDS, QUANTITY, TEXT, Look

_KINDS = 4  # of a column, that are tried


class ColumnCost:
    """What the cells of one column cost under each kind, learnt cell by cell."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._bits: Counter[str] = Counter()
        self._texts: Counter[str] = Counter()

    def add(self, one: Look) -> None:
        """Take one more cell into account."""
        kind = one.kind
        if kind:
            self._counts[kind] += 1
            self._bits[kind] += one.bits  # type: ignore[assignment]
            self._texts[kind] += one.as_text  # type: ignore[assignment]

    def kind(self) -> str:
        """Return the kind that describes the cells in the fewest bits."""
        values = self._counts.total() - self._counts[NULL]
        best, fewest = TEXT, 0.0
        for kind, count in self._counts.most_common(_KINDS):
            if kind in (TEXT, NULL) or count * 2 < values:
                continue
            bits = self._bits[kind] - self._texts[kind] + weights.EXCEPTION * (values - count)
            bits += _naming_bits(kind)
            if bits < fewest:
                best, fewest = kind, bits
        return best


def _naming_bits(kind: str) -> float:
    """Return what it costs to name a kind, once for all cells of a column: a unit by its letters."""
    if kind.startswith(QUANTITY):
        return weights.SHAPE + weights.CHARACTER * (len(kind) - len(QUANTITY))
    return weights.KINDS.get(kind, 0.0 if kind in PLAIN_KINDS else weights.SHAPE)
