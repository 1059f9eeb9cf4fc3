"""Repeat the value of cells that a worksheet merges downwards in the rows that they cover."""

from collections.abc import Sequence
from dataclasses import replace

from managed_tables.messages.findings import Finding, WarningCode, about_lines
from managed_tables_reader.rows.sheets import MergedRange, letters

_MAX_NAMED = 20
_MAX_LINES = 100_000  # filled in one sheet; a merge of whole columns says nothing about its rows

Fill = tuple[int, int, int]
"""The column (from 0), the row that has the value, the last row that it covers."""


def fills_below(merged: Sequence[MergedRange], data_line: int, last_line: int) -> list[Fill]:
    """Return the merged ranges to fill within the rows of data."""
    fills = [
        (left, top, min(bottom, last_line))
        for top, left, bottom, _ in merged
        if data_line <= top < min(bottom, last_line)
    ]
    return fills if sum(bottom - top for _, top, bottom in fills) <= _MAX_LINES else []


def describe_fills(fills: Sequence[Fill]) -> Finding:
    """Return the finding that names the ranges."""
    names = [f"{letters(column)}{top}:{letters(column)}{bottom}" for column, top, bottom in fills]
    about = about_lines(WarningCode.MERGED_FILLED, [top for _, top, _ in fills])
    places = tuple(sorted({column for column, _, _ in fills}))
    return replace(about, values={"names": names[:_MAX_NAMED]}, places=places)
