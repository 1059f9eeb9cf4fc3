"""Find the rows that cannot be loaded: with values that do not fit, or a key that is there already.

How many there are, where the first of them are, and a file of them all. Corrected and uploaded again it
loads: analyze recognises it by its last four labels, leaves these columns out, and removes the apostrophe
that keeps a spreadsheet from running a text as a formula.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from duckdb import DuckDBPyConnection
from psycopg import sql

from managed_tables.conversion.marked_cells import unmarked
from managed_tables.details import MAX_ERROR_DETAILS, MAX_VALUE_CHARACTERS, Detail, Fault
from managed_tables.ids import row_number
from managed_tables.jobs.staged_rows import PLACE_LABELS, ROW_NUMBER, guarded
from managed_tables.schema import POSTGRES_TYPES, Column, Columns, ColumnType
from managed_tables_insert.plan import REPEATED_KEYS, LoadedColumn, LoadPlan, RowPlace
from managed_tables_insert.transfer import STAGED, Transfer, identifiers

TABLE, NEW = sql.Identifier("$table"), sql.Identifier("$new")
_FETCHED_ROWS = 2_000
_BOM = "\ufeff"
# Replaces an empty value in a comparison that a hash can serve, together with whether it is empty.
_STAND_INS = {
    ColumnType.TEXT: "''",
    ColumnType.INTEGER: "0",
    ColumnType.DECIMAL: "0",
    ColumnType.BOOLEAN: "false",
    ColumnType.DATE: "'epoch'",
    ColumnType.DATETIME: "'epoch'",
}


@dataclass
class Rejects:
    """How many rows do not load, how many of their values do not fit, and details about the first values."""

    rows: int = 0
    values: int = 0
    details: list[Detail] = field(default_factory=list)


def write_rejects(connection: DuckDBPyConnection, plan: LoadPlan, target: Path) -> Rejects:
    """Write the rows that cannot be loaded, in the order of the file, and return what was found of them."""
    rejects = Rejects()
    with target.open("w", encoding="utf-8", newline="") as out:
        out.write(_BOM)
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*map(guarded, plan.labels), *PLACE_LABELS])
        for place, misfits, repeated in _find_rows(connection, plan):
            reasons = [f"{loaded.column.display_name}: {fault.reason}" for loaded, _, fault in misfits]
            texts = [*(cell or "" for cell in place.cells), place.file, place.sheet or ""]
            why = "; ".join([*reasons, repeated] if repeated else reasons)
            writer.writerow([*map(guarded, texts), place.line, guarded(why)])
            rejects.rows += 1
            rejects.values += len(misfits)
            for loaded, text, fault in misfits[: MAX_ERROR_DETAILS - len(rejects.details)]:
                value = text and text[:MAX_VALUE_CHARACTERS]
                rejects.details.append(place.detail(fault, column=loaded.column.name, value=value))
    return rejects


def _find_rows(
    connection: DuckDBPyConnection, plan: LoadPlan
) -> Iterator[tuple[RowPlace, list[tuple[LoadedColumn, str | None, Fault]], str | None]]:
    """Yield each row with its cells, those that do not fit and why, and which key it repeats."""
    width = len(plan.labels)
    cells = [unmarked(f"c{number}") for number in range(width)]
    tests = []
    for loaded in plan.columns:  # an empty cell of a nullable column is no misfit
        tests += [loaded.is_misfit(), "false" if loaded.column.nullable else loaded.conversion.empty]
    repeated = "NULL"
    if plan.skips_repeated:
        repeated = f"(SELECT any_value(reason) FROM {REPEATED_KEYS} WHERE number = {ROW_NUMBER})"  # noqa: S608
    refused = f"{plan.rows} WHERE {plan.has_misfit}"
    # Which values they are takes 1,500 columns four times as long to plan, and most files have no such row.
    if connection.execute(f"SELECT 1 FROM {refused} LIMIT 1").fetchone() is None:  # noqa: S608 - own SQL
        return
    rows = connection.execute(
        f"SELECT file, sheet, line, {', '.join([repeated, *cells, *tests])} FROM {refused} "  # noqa: S608
        f"ORDER BY {ROW_NUMBER}"
    )
    while batch := rows.fetchmany(_FETCHED_ROWS):
        for file, sheet, line, why_repeated, *rest in batch:
            texts, flags = tuple(rest[:width]), rest[width:]
            misfits = [
                (loaded, texts[loaded.number], loaded.fault_of(texts[loaded.number], is_empty=is_empty))
                for loaded, is_misfit, is_empty in zip(plan.columns, flags[::2], flags[1::2], strict=True)
                if is_misfit
            ]
            yield RowPlace(plan.files[file], sheet, line, texts), misfits, why_repeated


@dataclass(frozen=True)
class RepeatedKeys:
    """The rows whose key is there already: how many, the id of each, and that of the first one in the file.

    The first one is None for a row whose key the table has.
    """

    transfer: Transfer  # of the key's columns alone
    rows: list[tuple[int, UUID, UUID | None]]

    @property
    def count(self) -> int:
        """How many there are, also of those that were not asked for."""
        return self.rows[0][0] if self.rows else 0

    def describe(self) -> list[Detail]:
        """Return a detail about each row."""
        places = self.transfer.find_places({row for _, *pair in self.rows for row in pair if row is not None})
        return [self._detail(places[row], places[first] if first else None) for _, row, first in self.rows]

    def leave_out(self) -> LoadPlan:
        """Return the plan without the rows; why they stay out is in the converter's table REPEATED_KEYS."""
        if not self.rows:
            return self.transfer.plan
        numbers = [row_number(row) for _, row, _ in self.rows]
        repeats = f"repete a chave ({self._names}) de outra linha"
        reasons = [self._is_there if first is None else repeats for _, _, first in self.rows]
        self.transfer.converter.execute(
            f"CREATE OR REPLACE TEMP TABLE {REPEATED_KEYS} AS"
            " SELECT unnest($1::BIGINT[]) AS number, unnest($2::VARCHAR[]) AS reason",
            [numbers, reasons],
        )
        return replace(self.transfer.plan, skips_repeated=True)

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


def find_repeated_keys(
    transfer: Transfer, table: sql.Identifier, key: Columns, limit: int | None, *, within_file: bool
) -> RepeatedKeys:
    """Stage the rows and return those that repeat a key of the file or, unless `within_file`, of the table.

    None does where the table has no key. The transaction is to be rolled back.
    """
    if not key:
        return RepeatedKeys(transfer, [])
    names = {column.name for column in key}
    chosen = tuple(loaded for loaded in transfer.plan.columns if loaded.column.name in names)
    transfer = replace(transfer, chosen=chosen)
    transfer.stage_like(table)
    there = sql.SQL("EXISTS (SELECT FROM {} AS {} WHERE {})").format(table, TABLE, match_keys(key))
    query = sql.SQL(
        'SELECT count(*) OVER (), id, CASE WHEN "$is_there" THEN NULL ELSE "$first" END FROM ('
        'SELECT id, first_value(id) OVER (PARTITION BY {names} ORDER BY id) AS "$first",'
        ' {there} AS "$is_there" FROM {staged} AS {new}) AS "$rows"'
        ' WHERE "$is_there" OR id <> "$first" ORDER BY id LIMIT {limit}'
    ).format(
        names=identifiers(sorted(names)),
        there=sql.SQL("false") if within_file else there,
        staged=STAGED,
        new=NEW,
        limit=sql.Literal(limit),
    )
    return RepeatedKeys(transfer, transfer.connection.execute(query).fetchall())


def match_keys(key: Columns) -> sql.Composed:
    """Return the test that a row of the table and a staged one have the same key; empty equals empty."""
    return sql.SQL(" AND ").join(map(_match_column, key))


def _match_column(column: Column) -> sql.Composed:
    name = sql.Identifier(column.name)
    if not column.nullable:
        return sql.SQL("{t}.{name} = {s}.{name}").format(t=TABLE, s=NEW, name=name)
    none = sql.SQL(f"{_STAND_INS[column.type]}::{POSTGRES_TYPES[column.type]}")
    # Not IS NOT DISTINCT FROM, which PostgreSQL can only compare pair by pair.
    return sql.SQL(
        "coalesce({t}.{name}, {none}) = coalesce({s}.{name}, {none})"
        " AND ({t}.{name} IS NULL) = ({s}.{name} IS NULL)"
    ).format(t=TABLE, s=NEW, name=name, none=none)
