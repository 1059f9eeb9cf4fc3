"""Owns lines that are quoted as a whole, each in one cell: a CSV file kept in one column of a spreadsheet."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from managed_tables_analyze.cells import is_value
from managed_tables_analyze.records import Lines, RecordReader
from managed_tables_analyze.sniffer import sniff

_WRAPPED = re.compile(r'"((?:[^"\r\n]|"")*+)"([\r\n]*)')
_FEWEST_CELLS = 3  # fewer are one column of texts with a comma in each
_AGREEMENT = 0.9  # share of the lines that have the usual number of cells, or are wrapped where all are


def unwrap(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines (with their ends), those that are one quoted cell without its quotes."""
    for line in lines:
        wrapped = _WRAPPED.fullmatch(line) if line.startswith('"') else None
        yield line if wrapped is None else wrapped[1].replace('""', '"') + wrapped[2]


def are_wrapped(sample: Sequence[str]) -> bool:
    """Tell whether the lines that are one quoted cell hold as many cells as the others have.

    A cell may well be quoted for a delimiter in it: a decimal, a sentence, a note. Cells that are quoted
    themselves inside show that a line is none; so do values in at least three columns of nearly every line.
    """
    lines = [line for line in sample if line.strip()]
    plain = list(unwrap(lines))
    wrapped = [after for before, after in zip(lines, plain, strict=True) if after != before]
    if not wrapped:
        return False
    dialect = sniff(plain)
    if not dialect.delimiter or any(dialect.delimiter not in line for line in wrapped):
        return False
    if not _has_quoted_cells(wrapped, dialect.delimiter) and not _are_cut(wrapped, lines, dialect.delimiter):
        return False
    records = [record.cells for record in RecordReader(Lines(iter(plain)), dialect)]
    width, count = Counter(map(len, records)).most_common(1)[0]
    cut = list(RecordReader(Lines(iter(wrapped)), dialect))
    if count < _AGREEMENT * len(records) or any(len(record.cells) != width for record in cut):
        return False
    return len(records[0]) == width


def _has_quoted_cells(wrapped: Sequence[str], delimiter: str) -> bool:
    return any(f'{delimiter}"' in line or f'"{delimiter}' in line for line in wrapped)


def _are_cut(wrapped: Sequence[str], lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether nearly all lines are wrapped, and hold cells rather than a sentence or a value."""
    if len(wrapped) < _AGREEMENT * len(lines) or any(f"{delimiter} " in line for line in wrapped):
        return False
    if any(line.count(delimiter) + 1 < _FEWEST_CELLS or is_value(line) for line in wrapped):
        return False
    return any(is_value(cell) for line in wrapped[1:] for cell in line.split(delimiter))
