"""Combine all parts into one table: columns matched by header, one staged object.

Of each part, a last row is left out whose numbers are the sums or the means of those above it. A total named
by a word is already part of the footer (`layout/grid.py`); here the rows above prove it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from managed_tables.conversion.marked_cells import mark_texts
from managed_tables.conversion.sql_text import literal
from managed_tables.documents.statements import OriginLabels
from managed_tables.documents.workbooks import find_base_id
from managed_tables.identifiers import make_column_names
from managed_tables.jobs.rejects import PLACE_LABELS, are_rejects
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.messages.findings import WARNING_CODES, Finding, GroundCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.staging.sql import cell_sql, read_sql, select_sql, write_parquet
from managed_tables_reader.rows.notes import STROKES, rows_left_out
from managed_tables_reader.rows.parts import Part, check_columns
from managed_tables_reader.rows.plain import surplus
from managed_tables_reader.rows.sheets import Row
from managed_tables_reader.rows.sums import (
    AROUND,
    COLUMNS_COMPARED,
    FEWEST_ROWS,
    MARKS,
    NUMBER,
    ROUNDING,
    TOLERANCE,
    WORD,
)

_BLANKS = literal(" \t\r\n")

SheetPlace = tuple[int, str | None]
"""The number of a file, and the name of its sheet; None for a text."""


def _find_sum(connection: DuckDBPyConnection, staged: Path, columns: Sequence[int]) -> Row | None:
    """Return the last row of a staged part if it sums up those above it, else None.

    Each of its numbers is the sum or the mean of its column, and some column that is filled in all rows above
    is blank in it or names the row (`Média`).
    """
    source, texts = staged_rows(staged), ", ".join(f"coalesce(c{column}, '')" for column in columns)
    last = f"SELECT line, {texts} FROM {source} ORDER BY line DESC LIMIT 1"  # noqa: S608 - own SQL
    found = connection.execute(last).fetchone()
    if found is None:
        return None
    line, *cells = found
    places = dict(zip(columns, cells, strict=True))
    numbers = {column: cell for column, cell in places.items() if NUMBER.fullmatch(cell.strip(AROUND))}
    words = {column: cell.strip() for column, cell in places.items() if column not in numbers}
    above = f"{source} WHERE line < {line}"
    is_sum = (
        numbers
        and all(map(WORD.fullmatch, words.values()))
        and _has_names(connection, above, list(words))
        and all(_is_sum(connection, above, *one) for one in numbers.items())
    )
    return (line, cells) if is_sum else None


def _has_names(connection: DuckDBPyConnection, above: str, columns: Sequence[int]) -> bool:
    """Return whether there are rows to sum, and one of these columns has a value in each of them."""
    counts = [f"count(nullif(trim(c{column}), ''))" for column in columns[:COLUMNS_COMPARED]]
    [found] = connection.execute(f"SELECT {', '.join(['count(*)', *counts])} FROM {above}").fetchall()  # noqa: S608
    return found[0] >= FEWEST_ROWS and found[0] in found[1:]


def _is_sum(connection: DuckDBPyConnection, above: str, column: int, cell: str) -> bool:
    """Return whether a number is the sum or the mean of its column, by either decimal mark."""
    for group, decimal in MARKS:
        digits = cell.strip(AROUND).replace(group, "").replace(decimal, ".")
        if digits.count(".") > 1:
            continue
        value = Decimal(digits)
        number = (
            f"TRY_CAST(replace(replace(trim(c{column}, {literal(AROUND)}), {literal(group)}, ''), "
            f"{literal(decimal)}, '.') AS DECIMAL(28, 10))"
        )
        query = (
            f"SELECT count(nullif(trim(c{column}), '')), count(n), sum(n)::VARCHAR, count(nullif(n, 0)), "  # noqa: S608
            f"min(n) <> max(n) FROM (SELECT c{column}, {number} AS n FROM {above})"
        )
        [(filled, count, total, effective, differ)] = connection.execute(query).fetchall()
        if filled != count or effective < FEWEST_ROWS:  # words among them, or nothing that adds up
            continue
        half = Decimal(1).scaleb(min(0, int(value.as_tuple().exponent))) / 2  # a mean is written rounded
        is_mean = differ and abs(Decimal(total) / count - value) <= max(half, abs(value) * ROUNDING)
        if is_mean or abs(Decimal(total) - value) <= TOLERANCE:
            return True
    return False


class MisreadError(Exception):
    """DuckDB did not read a file as expected: read it exactly instead."""


@dataclass(frozen=True)
class OriginColumn:
    """A column of names: its label, the SQL of its cells in a staged part, and what it holds."""

    label: str
    cells: str
    ground: GroundCode
    nullable: bool


@dataclass(frozen=True)
class StagedPart:
    """The rows of one part, with the columns of the table that they have, in order."""

    path: Path
    place: SheetPlace
    columns: list[int]
    has_numbers: bool
    keeps_texts: bool
    places: Mapping[int, int]  # of the part's columns among the table's

    def shifted(self, count: int) -> dict[int, int]:
        """Return the places behind so many other columns."""
        return {column: place + count for column, place in self.places.items()}


@dataclass
class CombinedTable:
    """The columns so far, and the staged parts in order."""

    work_dir: Path
    connection: duckdb.DuckDBPyConnection
    is_returned: bool = False  # a workbook of ours: its ids count, and its texts are as they were
    names: list[str] = field(default_factory=list)  # which identify columns
    labels: list[str | None] = field(default_factory=list)  # as first written, None without a header
    files: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)  # warnings, and what formats say of columns
    row_count: int = 0
    parts: list[StagedPart] = field(default_factory=list)
    _types: dict[str, ColumnType | None] = field(default_factory=dict)  # by column
    _has_header: bool = False

    @property
    def types(self) -> list[ColumnType | None]:
        """Each column's type if every file with such a column states it."""
        return [self._types.get(name) for name in self.names]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that a person should look at."""
        return [one for one in self.findings if one.code in WARNING_CODES]

    @property
    def is_workbook(self) -> bool:
        """Whether a workbook's own numbers are among the cells."""
        return any(part.has_numbers for part in self.parts)

    @property
    def keeps_texts(self) -> bool:
        """Whether every file distinguishes a text of blanks, or `#N/A`, from nothing."""
        return self.is_returned or all(part.keeps_texts for part in self.parts)

    def add(self, part: Part) -> None:
        """Stage a part's rows; raises MisreadError if DuckDB does not read as many as were counted."""
        kept = self._kept_columns(part)
        named = dict(zip(kept, self._match(part, kept), strict=True))
        names = [*self.names, *(name for name in named.values() if name not in self.names)]
        check_columns(len(names), self.files[part.file], part.header_line or part.data_line)
        places = {column: names.index(name) for column, name in named.items()}
        target = self.work_dir / f"part{len(self.parts):04d}.parquet"
        with _misread(part):
            count = write_parquet(self.connection, select_sql(part, places), target, len(places))
        if part.expected_rows not in (None, count) or self._has_odd_rows(part, target, [*places.values()]):
            raise MisreadError
        self.row_count += count - self._leave_out_sum(part, target, sorted(places.values()))
        part.findings += _find_beside(self.connection, target, places)
        self._take(part, named, names)
        place = part.file, part.sheet
        columns = sorted(places.values())
        self.parts.append(StagedPart(target, place, columns, part.has_numbers, part.keeps_texts, places))

    def _take(self, part: Part, named: dict[int, str], names: list[str]) -> None:
        """Take over a staged part's columns, with which the table has these names, and its findings."""
        fresh = {column: name for column, name in named.items() if name not in self.names}
        missing = [name for name in self.names if name not in named.values()]
        if self.parts and (fresh or missing):
            values = {"new": len(fresh), "missing": len(missing)}
            part.findings.append(Finding("OTHER_HEADER", values, columns=(*fresh.values(), *missing)))
        part.findings += _about_columns(part, named)
        self.findings += (one.named(named).at(self.files[part.file], part.sheet) for one in part.findings)
        self.names, self.labels = names, [*self.labels, *(_label(part, column) for column in fresh)]
        self._has_header = self._has_header or bool(part.labels)
        self._take_types(part, named)

    def _take_types(self, part: Part, named: dict[int, str]) -> None:
        """Take over the types that a part states, where no other part's differ."""
        for column, name in named.items():
            stated = part.types[column] if part.types else None
            self._types[name] = stated if self._types.get(name, stated) is stated else None

    def _match(self, part: Part, kept: Sequence[int]) -> list[str]:
        """Return the names of a part's columns; a part without header is matched by position."""
        if not part.labels and self._has_header and len(kept) == len(self.names):
            part.findings.append(Finding("MATCHED_BY_POSITION"))
            return list(self.names)
        return make_column_names([_label(part, column) or "" for column in kept])

    def _kept_columns(self, part: Part) -> list[int]:
        """Return the part's columns but those without label and value, rejects' places, and our ids."""
        if are_rejects(part.labels):
            part.is_guarded = True
        kept = [column for column in _own_columns(part) if self.is_returned or not _is_of_ids(part, column)]
        unlabelled = [column for column in kept if _label(part, column) is None]
        empty = self._empty(part, unlabelled) if unlabelled else set()
        if not part.labels:
            empty = surplus(len(kept), empty)
        return [column for column in kept if column not in empty] or [0]

    def _empty(self, part: Part, columns: Sequence[int]) -> set[int]:
        """Return which of a part's columns have no value."""
        counts = ", ".join(
            f"count(nullif(trim({cell_sql(part, column)}, {_BLANKS}), ''))" for column in columns
        )
        with _misread(part):
            [found] = self.connection.execute(f"SELECT {counts} FROM {read_sql(part)}").fetchall()  # noqa: S608
        return {column for column, count in zip(columns, found, strict=True) if not count}

    def _has_odd_rows(self, part: Part, staged: Path, indexes: Sequence[int]) -> bool:
        """Return whether a part read as it is has blank rows, repeated heads, separator lines or a mark."""
        if part.has_line:
            return False
        odd = [" AND ".join(f"c{index} IS NULL" for index in indexes)]
        if len(part.labels) > 1:
            labels = [literal(label) if label else "NULL" for label in part.labels]
            pairs = zip(indexes, labels, strict=False)
            odd.append(" AND ".join(f"c{index} IS NOT DISTINCT FROM {label}" for index, label in pairs))
        starts = ("\ufeff", *part.head_starts, *(STROKES if len(indexes) > 1 else ()))
        odd += (f"starts_with(c{indexes[0]}, {literal(start)})" for start in starts)
        source = f"read_parquet({literal(str(staged))})"
        query = f"SELECT 1 FROM {source} WHERE ({') OR ('.join(odd)}) LIMIT 1"  # noqa: S608 - own SQL
        return self.connection.execute(query).fetchone() is not None

    def _leave_out_sum(self, part: Part, staged: Path, indexes: Sequence[int]) -> int:
        """Remove a last row that sums up those above it from a staged part; return how many were removed."""
        if part.keeps_last or part.is_guarded or len(indexes) < 2:
            return 0
        row = _find_sum(self.connection, staged, indexes)
        if row is None:
            return 0
        line = row[0]
        whole = staged.with_suffix(".whole")
        staged.rename(whole)
        select = f"SELECT * EXCLUDE ({ROW_NUMBER}) FROM {staged_rows(whole)} WHERE line < {line}"  # noqa: S608
        write_parquet(self.connection, select, staged, len(indexes))
        whole.unlink()
        part.extent.leave_out_last(line, row[1])
        part.expected_rows = None if part.expected_rows is None else part.expected_rows - 1
        part.findings.append(rows_left_out("FOOTER", [row]))
        return 1

    def finish(self, target: Path, origins: Sequence[OriginColumn] = ()) -> None:
        """Write the staged object: all parts in order, every column in each, those of `origins` first."""
        width = len(self.names)
        if len(self.parts) == 1 and self.parts[0].columns == list(range(width)) and not origins:
            self.parts[0].path.rename(target)
            return
        selects = (self._select(part, [one.cells for one in origins]) for part in self.parts)
        write_parquet(self.connection, " UNION ALL ".join(selects), target, len(origins) + width)
        for part in self.parts:
            part.path.unlink()
        own = make_column_names([*self.names, *(one.label for one in origins)])[width:]
        self.names = [*own, *self.names]
        self.labels = [*(one.label for one in origins), *self.labels]

    def _select(self, part: StagedPart, added: Sequence[str]) -> str:
        """Return the query of a part's rows in every column of the table, the cells `added` first."""
        is_signed = self.is_workbook and not part.has_numbers
        own = {column: mark_texts(f"c{column}") if is_signed else f"c{column}" for column in part.columns}
        cells = [*added, *(own.get(column, "NULL::VARCHAR") for column in range(len(self.names)))]
        named = [f"{cell} AS c{column}" for column, cell in enumerate(cells)]
        return f"SELECT {', '.join(['file', 'sheet', 'line', *named])} FROM {staged_rows(part.path)}"  # noqa: S608


@contextmanager
def _misread(part: Part) -> Iterator[None]:
    """Raise MisreadError if DuckDB refuses a part that it reads as it is."""
    try:
        yield
    except duckdb.Error as error:
        if part.has_line:
            raise
        raise MisreadError from error


def _find_beside(
    connection: DuckDBPyConnection, staged: Path, places: Mapping[int, int]
) -> Iterator[Finding]:
    """Yield a finding for each table beside the rows: columns beyond an empty one, in fewer rows on end."""
    blocks = defaultdict[int, list[int]](list)
    for place, column in enumerate(places):
        blocks[column - place].append(column)
    if len(blocks) == 1:
        return
    filled = [" OR ".join(f"c{places[column]} <> ''" for column in block) for block in blocks.values()]
    select = f"SELECT count(*), max({ROW_NUMBER}) - min({ROW_NUMBER}) + 1 FROM {staged_rows(staged)} WHERE"  # noqa: S608
    found = [row for one in filled for row in connection.execute(f"{select} {one}").fetchall()]
    for block, (count, extent) in zip(blocks.values(), found, strict=True):
        if len(block) > 1 and count == extent < max(found)[0]:
            yield Finding("TABLE_BESIDE", count=count, places=tuple(block))


def _about_columns(part: Part, named: dict[int, str]) -> Iterator[Finding]:
    """Yield findings about a part of refused rows, and about columns that no label names."""
    if part.is_guarded:
        yield Finding("REJECTED_ROWS")
    nameless = tuple(name for column, name in named.items() if column >= len(part.labels))
    if part.labels and nameless and not part.is_ragged:
        yield Finding("NAMELESS_COLUMNS", count=len(nameless), columns=nameless)


def _label(part: Part, column: int) -> str | None:
    label = part.labels[column] if column < len(part.labels) else None
    return None if label is None or not label.strip() else label


def _own_columns(part: Part) -> range:
    """Return the part's columns but those that say where refused rows came from."""
    return range(len(part.labels) - len(PLACE_LABELS) if part.is_guarded else part.width)


def _is_of_ids(part: Part, column: int) -> bool:
    """Return whether a column holds the ids of rows that went out to be changed."""
    return find_base_id(_label(part, column) or "") is not None


def origin_columns(table: CombinedTable, origins: OriginLabels) -> list[OriginColumn]:
    """Return the columns that a person wants in front of the others."""
    names = f"([{', '.join(map(literal, table.files))}])[file + 1]"
    found = []
    if origins.sheet is not None:
        has_texts = any(part.place[1] is None for part in table.parts)
        found.append(OriginColumn(origins.sheet, "sheet", "SHEET_NAMES", has_texts))
    if origins.file is not None:
        found.append(OriginColumn(origins.file, names, "FILE_NAMES", nullable=False))
    return found


def find_joined(table: CombinedTable, origins: OriginLabels) -> Iterator[Finding]:
    """Yield the finding that several sheets or files became one table, unless a column tells them apart."""
    places = [part.place for part in table.parts]
    told_apart = {(origins.file and file, origins.sheet and sheet) for file, sheet in places}
    if len(told_apart) != len(places):
        names = [_name(place, places, table.files) for place in places]
        yield Finding("JOINED_SHEETS", {"names": names}, count=len(names))


def _name(place: SheetPlace, places: Sequence[SheetPlace], files: Sequence[str]) -> str:
    """Return what tells a sheet or file from the others: its sheet's name, its file's or both."""
    file, sheet = place
    if sheet is None or sum(other == file for other, _ in places) == 1:
        return files[file]
    return sheet if all(other == file for other, _ in places) else f"{files[file]} ({sheet})"
