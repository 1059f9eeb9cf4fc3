"""Find the rows that cannot be loaded: with values that do not fit, or a key that is there already.

How many there are, where the first of them are, and a file of them all. Corrected and uploaded again it
loads: analyze recognises it by its last four labels, leaves these columns out, and removes the apostrophe
that keeps a spreadsheet from running a text as a formula.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from duckdb import DuckDBPyConnection
from psycopg import sql

from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_ERROR_DETAILS, MAX_VALUE_CHARACTERS, Detail, Fault
from managed_tables.ids import row_number
from managed_tables.jobs.staged_rows import PLACE_LABELS, ROW_NUMBER, guarded
from managed_tables.schema import Columns
from managed_tables_insert.merging import NEW, TABLE, match_keys
from managed_tables_insert.plan import REPEATED_KEYS, LoadedColumn, LoadPlan, RowPlace
from managed_tables_insert.transfer import STAGED, Transfer, identifiers

COLUMNS_PER_SCAN = 40  # planning grows faster than the number of aggregates
_FETCHED_ROWS = 2_000
_BOM = "\ufeff"


@dataclass(frozen=True)
class Misfits:
    """How many values do not fit; `details` are the first, in the order of the file."""

    count: int
    details: list[Detail]


def find_misfits(connection: DuckDBPyConnection, plan: LoadPlan) -> Misfits:
    """Count every value that cannot be loaded, and describe the first ones."""
    count = 0
    misfits: list[tuple[int, int]] = []
    for start in range(0, len(plan.columns), COLUMNS_PER_SCAN):
        batch = plan.columns[start : start + COLUMNS_PER_SCAN]
        for number, (of_column, first_rows) in enumerate(_scan(connection, plan, batch), start=start):
            count += of_column
            misfits += [(row, number) for row in first_rows]
    return Misfits(count, _describe(connection, plan, sorted(misfits)[:MAX_ERROR_DETAILS]))


def _scan(
    connection: DuckDBPyConnection, plan: LoadPlan, columns: Sequence[LoadedColumn]
) -> list[tuple[int, list[int]]]:
    """Return, a column, how many values do not fit and the rows of the first of them."""
    tests = ", ".join(f"{column.is_misfit()} AS m{number}" for number, column in enumerate(columns))
    aggregates = ", ".join(
        f"count(*) FILTER (m{number}), min({ROW_NUMBER}, {MAX_ERROR_DETAILS}) FILTER (m{number})"
        for number in range(len(columns))
    )
    row = connection.execute(
        f"SELECT {aggregates} FROM (SELECT {ROW_NUMBER}, {tests} FROM {plan.rows})"  # noqa: S608 - own SQL
    ).fetchall()[0]
    return [(row[index], row[index + 1] or []) for index in range(0, len(row), 2)]


def _describe(
    connection: DuckDBPyConnection, plan: LoadPlan, misfits: Sequence[tuple[int, int]]
) -> list[Detail]:
    numbers = sorted({number for _, number in misfits})
    cells = [
        f"{{'value': left({unmarked(column.raw)}, {MAX_VALUE_CHARACTERS}), "
        f"'is_empty': {column.conversion.empty}}}"
        for column in (plan.columns[number] for number in numbers)
    ]
    places = plan.read_places(connection, (row for row, _ in misfits), cells)
    refused = ((places[row], plan.columns[n], places[row].cells[numbers.index(n)]) for row, n in misfits)
    return [
        place.detail(loaded.fault_of(**cell), column=loaded.column.name, value=cell["value"])
        for place, loaded, cell in refused
    ]


@dataclass(frozen=True)
class RepeatedKeys:
    """The rows whose key is there already: in the file or, unless `within_file`, in the table."""

    transfer: Transfer  # of the key's columns alone
    table: sql.Identifier
    key: Columns
    within_file: bool

    @classmethod
    def of(
        cls, transfer: Transfer, table: sql.Identifier, key: Columns, *, within_file: bool
    ) -> "RepeatedKeys":
        """Return those of the rows that a transfer brings."""
        names = {column.name for column in key}
        chosen = tuple(loaded for loaded in transfer.plan.columns if loaded.column.name in names)
        return cls(replace(transfer, chosen=chosen), table, key, within_file)

    def describe(self) -> Misfits:
        """Count the rows, and describe the first ones."""
        rows = self._find(MAX_ERROR_DETAILS)
        places = self.transfer.find_places({row for _, *pair in rows for row in pair if row is not None})
        details = [self._detail(places[row], places[first] if first else None) for _, row, first in rows]
        return Misfits(rows[0][0] if rows else 0, details)

    def leave_out(self) -> LoadPlan:
        """Return the plan without the rows; why they stay out is in the converter's table REPEATED_KEYS."""
        rows = self._find(None)
        numbers = [row_number(row) for _, row, _ in rows]
        repeats = f"repete a chave ({self._names}) de outra linha"
        reasons = [self._is_there if first is None else repeats for _, _, first in rows]
        self.transfer.converter.execute(
            f"CREATE OR REPLACE TEMP TABLE {REPEATED_KEYS} AS"
            " SELECT unnest($1::BIGINT[]) AS number, unnest($2::VARCHAR[]) AS reason",
            [numbers, reasons],
        )
        return replace(self.transfer.plan, skips_repeated=True)

    def _find(self, limit: int | None) -> list[tuple[int, UUID, UUID | None]]:
        """Stage the rows; return the first repeated ones: how many there are, the id, that of the first one.

        The first one is None for a row whose key the table has.
        """
        there = sql.SQL("EXISTS (SELECT FROM {} AS {} WHERE {})").format(
            self.table, TABLE, match_keys(self.key)
        )
        query = sql.SQL(
            'SELECT count(*) OVER (), id, CASE WHEN "$is_there" THEN NULL ELSE "$first" END FROM ('
            'SELECT id, first_value(id) OVER (PARTITION BY {names} ORDER BY id) AS "$first",'
            ' {there} AS "$is_there" FROM {staged} AS {new}) AS "$rows"'
            ' WHERE "$is_there" OR id <> "$first" ORDER BY id LIMIT {limit}'
        ).format(
            names=identifiers([column.name for column in self.key]),
            there=sql.SQL("false") if self.within_file else there,
            staged=STAGED,
            new=NEW,
            limit=sql.Literal(limit),
        )
        with self.transfer.connection.transaction(force_rollback=True):
            self.transfer.stage_like(self.table)
            return self.transfer.connection.execute(query).fetchall()

    def _detail(self, place: RowPlace, first: RowPlace | None) -> Detail:
        reason = self._is_there
        if first is not None:
            names, where = self._names, first.sheet or first.file
            reason = f"repete a chave ({names}) da linha {first.line}"
            if (first.file, first.sheet) != (place.file, place.sheet):
                reason = f"repete a chave ({names}) da linha {first.line} de {where}"
        named = {"column": self._names} if len(place.cells) == 1 else {}
        written = ", ".join(cell or "" for cell in place.cells)
        return place.detail(Fault("DUPLICATE_KEY", reason), **named, value=written)

    @property
    def _names(self) -> str:
        return ", ".join(self.transfer.names)

    @property
    def _is_there(self) -> str:
        return f"a tabela já tem uma linha com esta chave ({self._names})"


def write_rejects(connection: DuckDBPyConnection, plan: LoadPlan, target: Path) -> int:
    """Write the rows with values that cannot be loaded and return how many there are."""
    count = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        out.write(_BOM)
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*map(guarded, plan.labels), *PLACE_LABELS])
        for cells, place, reasons in _find_rows(connection, plan):
            file, sheet, line = place
            why = guarded("; ".join(reasons))
            writer.writerow(
                [*(guarded(cell or "") for cell in cells), guarded(file), guarded(sheet), line, why]
            )
            count += 1
    return count


def _find_rows(
    connection: DuckDBPyConnection, plan: LoadPlan
) -> Iterator[tuple[Sequence[str | None], tuple[str, str, int], list[str]]]:
    """Yield each row's cells, its place, and why it does not fit, in the order of the file."""
    width = len(plan.labels)
    cells = ", ".join(unmarked(f"c{number}") for number in range(width))
    tests = ", ".join(
        f"({column.is_misfit()}) AS m{number}, {column.conversion.empty} AS e{number}"
        for number, column in enumerate(plan.columns)
    )
    repeated = "NULL"
    if plan.skips_repeated:
        repeated = f"(SELECT any_value(reason) FROM {REPEATED_KEYS} WHERE number = {ROW_NUMBER})"  # noqa: S608
    rows = connection.execute(
        f"SELECT file, sheet, line, {repeated}, {cells}, {tests} FROM {plan.rows} "  # noqa: S608 - own SQL
        f"WHERE {plan.has_misfit} ORDER BY {ROW_NUMBER}"
    )
    while batch := rows.fetchmany(_FETCHED_ROWS):
        for file, sheet, line, why_repeated, *rest in batch:
            texts, flags = rest[:width], rest[width:]
            reasons = [
                f"{column.column.display_name}: "
                + column.fault_of(texts[int(column.raw[1:])], is_empty=is_empty).reason
                for column, is_misfit, is_empty in zip(plan.columns, flags[::2], flags[1::2], strict=True)
                if is_misfit
            ]
            reasons += [why_repeated] if why_repeated else []
            yield texts, (plan.files[file], sheet or "", line), reasons
