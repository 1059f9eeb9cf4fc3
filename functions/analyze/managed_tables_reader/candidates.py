"""Weigh the ways to read a file: the best few candidates of each of its tables, with their bits by part."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from managed_tables.documents.analyses import TableReading
from managed_tables_reader.files.archives import Room, gunzip, unpack
from managed_tables_reader.files.kinds import Kind, detect_kind
from managed_tables_reader.files.source import open_source
from managed_tables_reader.layout.search import Grid, Ranked, rank_layouts
from managed_tables_reader.rows.reading import AllOverrides, LineMask, Overrides, stated_places
from managed_tables_reader.text.choosing import align, choose
from managed_tables_reader.text.dialect import NO_QUOTE
from managed_tables_reader.workbooks.opening import read_workbook
from managed_tables_reader.workbooks.sheet_tables import HEAD_ROWS, grid_rows

CANDIDATES = 3


@dataclass(frozen=True)
class Candidate:
    """A way to read a table: its delimiter and quote (None for a worksheet), and its layout with its bits."""

    delimiter: str | None
    quote: str | None
    layout: Ranked


Weighed = dict[tuple[str, str | None], list[Candidate]]
"""The best candidates, best first, of each file and sheet, by name and sheet."""


def weigh(path: Path, name: str, work_dir: Path, overrides: AllOverrides) -> Weighed:
    """Return the best candidates, best first, of each file and sheet that has cells, by name and sheet.

    A file is scored on its first lines; JobError if it cannot be read.
    """
    return {
        (file, sheet): found
        for number, (file, kind, member) in enumerate(_open_files(path, name, work_dir))
        for sheet, found in _weigh_file(member, file, kind, work_dir, number, overrides)
    }


def _open_files(path: Path, name: str, work_dir: Path) -> Iterator[tuple[str, Kind, Path]]:
    kind, _ = detect_kind(path)
    if kind is Kind.GZIP:
        packed, path = path, work_dir / f"{path.name}.unpacked"
        gunzip(packed, name, path, Room())
        kind, _ = detect_kind(path)
    if kind is not Kind.ZIP:
        yield name, kind, path
        return
    with closing(unpack(path, name, work_dir, Room())) as members:
        for member in members:
            yield from _open_files(member.path, f"{name}/{member.name}", work_dir)


def _weigh_file(
    path: Path, name: str, kind: Kind, work_dir: Path, number: int, overrides: AllOverrides
) -> Iterator[tuple[str | None, list[Candidate]]]:
    if kind is Kind.TEXT:
        yield None, _weigh_text(path, name, work_dir, overrides.of(number))
        return
    for sheet in read_workbook(path, kind, name):
        if sheet.labels is not None:
            continue  # nothing to weigh: the file says what it is
        stated = overrides.of(number, sheet.name)
        batches = LineMask(stated).batches(sheet.batches)
        rows = list(islice(chain.from_iterable(batch.rows() for batch in batches), HEAD_ROWS))
        grid = Grid(grid_rows(rows), keeps_ends=False, is_whole=False, known=stated.known)
        if grid.rows:
            found = rank_layouts(grid, stated_places(stated), CANDIDATES)
            yield sheet.name, [Candidate(None, None, one) for one in found]


def _weigh_text(path: Path, name: str, work_dir: Path, overrides: Overrides) -> list[Candidate]:
    source = open_source(path, name, work_dir, overrides)
    stated = stated_places(overrides)
    found: list[Candidate] = []
    for choice in choose(source.sample, overrides, stated, is_whole=source.is_whole)[:CANDIDATES]:
        quote = None if choice.dialect.quote == NO_QUOTE else choice.dialect.quote
        layouts = rank_layouts(choice.grid, stated, CANDIDATES, choice.bits)
        delimiter = "  " if choice.change is align else choice.dialect.delimiter
        found += [Candidate(delimiter, quote, layout) for layout in layouts]
    return sorted(found, key=lambda one: one.layout.total)[:CANDIDATES]


def candidates_of(table: TableReading, weighed: Weighed) -> list[Candidate]:
    """Return the candidates of one table of a reading."""
    return weighed.get((table.name, table.sheet), [])
