"""Owns lines that are quoted as a whole, each in one cell: a CSV file kept in one column of a spreadsheet."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from managed_tables_analyze.cells import is_value
from managed_tables_analyze.records import Lines, RecordReader
from managed_tables_analyze.sniffer import sniff

_WRAPPED = re.compile(r'"((?:[^"\r\n]|"")*+)"([\r\n]*)')
_FEWEST_CELLS = 3  # fewer, without a value among them, are one column of texts with a comma in each
_AGREEMENT = 0.9  # share of the lines that have the usual number of cells


def unwrap(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines (with their ends), those that are one quoted cell without its quotes."""
    for line in lines:
        wrapped = _WRAPPED.fullmatch(line) if line.startswith('"') else None
        yield line if wrapped is None else wrapped[1].replace('""', '"') + wrapped[2]


def are_wrapped(sample: Sequence[str]) -> bool:
    """Tell whether the lines that are one quoted cell hold as many cells as the others have."""
    lines = [line for line in sample if line.strip()]
    plain = list(unwrap(lines))
    wrapped = [after for before, after in zip(lines, plain, strict=True) if after != before]
    if not wrapped:
        return False
    dialect = sniff(plain)
    if not dialect.delimiter or any(dialect.delimiter not in line for line in wrapped):
        return False
    records = [record.cells for record in RecordReader(Lines(iter(plain)), dialect)]
    width, count = Counter(map(len, records)).most_common(1)[0]
    cut = list(RecordReader(Lines(iter(wrapped)), dialect))
    if count < _AGREEMENT * len(records) or any(len(record.cells) != width for record in cut):
        return False
    has_values = any(is_value(cell) for cells in records[1:] for cell in cells)
    return len(records[0]) == width and (width >= _FEWEST_CELLS or has_values)
