"""Find the rows of a file whose key occurs twice: how many there are, and where the first of them are."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg import sql

from managed_tables.details import MAX_ERROR_DETAILS, Detail, DetailCode, Fault
from managed_tables.ids import row_number
from managed_tables.schema import Columns
from managed_tables_insert.merging import NEW, TABLE, match_keys
from managed_tables_insert.misfits import Misfits
from managed_tables_insert.places import RowPlace, find_places
from managed_tables_insert.plan import REPEATED_KEYS
from managed_tables_insert.transfer import STAGED, Transfer, identifiers


def find_duplicates(transfer: Transfer, table: sql.Identifier, key: Columns, *, within_file: bool) -> Misfits:
    """Count the rows that repeat another's key, in the file or (unless `within_file`) in the table."""
    narrow = _of_key(transfer, key)
    rows = _query(narrow, table, _duplicates(table, key, within_file=within_file, limit=MAX_ERROR_DETAILS))
    return Misfits(rows[0][0] if rows else 0, _describe(narrow, [(row, first) for _, row, first in rows]))


def keep_repeated_keys(transfer: Transfer, table: sql.Identifier, key: Columns, *, within_file: bool) -> None:
    """Put all such rows, and why they stay out, into the converter's table REPEATED_KEYS."""
    narrow = _of_key(transfer, key)
    rows = _query(narrow, table, _duplicates(table, key, within_file=within_file, limit=None))
    names = ", ".join(narrow.names)
    reasons = [
        f"a tabela já tem uma linha com esta chave ({names})"
        if first is None
        else f"repete a chave ({names}) de outra linha"
        for _, _, first in rows
    ]
    numbers = [row_number(row_id) for _, row_id, _ in rows]
    transfer.converter.execute(
        f"CREATE OR REPLACE TEMP TABLE {REPEATED_KEYS} (number BIGINT, reason VARCHAR)"
    )
    transfer.converter.execute(
        f"INSERT INTO {REPEATED_KEYS} SELECT unnest($1), unnest($2)",
        [numbers, reasons],
    )


def _of_key(transfer: Transfer, key: Columns) -> Transfer:
    """Return the transfer of the key's columns alone."""
    names = {column.name for column in key}
    chosen = tuple(loaded for loaded in transfer.plan.columns if loaded.column.name in names)
    return replace(transfer, chosen=chosen)


def _query(transfer: Transfer, table: sql.Identifier, query: sql.Composed) -> list[tuple[Any, ...]]:
    """Stage the rows, and return what the query finds among them."""
    connection = transfer.connection
    with connection.transaction(force_rollback=True):
        transfer.stage_like(table)
        return connection.execute(query).fetchall()


def _duplicates(table: sql.Identifier, key: Columns, *, within_file: bool, limit: int | None) -> sql.Composed:
    """Return the query of the first repeated rows: how many there are in all, the id, that of the first one.

    The first one is NULL for a row whose key the table has.
    """
    there = sql.SQL("EXISTS (SELECT FROM {} AS {} WHERE {})").format(table, TABLE, match_keys(key))
    return sql.SQL(
        'SELECT count(*) OVER (), id, CASE WHEN "$is_there" THEN NULL ELSE "$first" END FROM ('
        'SELECT id, first_value(id) OVER (PARTITION BY {names} ORDER BY id) AS "$first",'
        ' {there} AS "$is_there" FROM {staged} AS {new}) AS "$rows"'
        ' WHERE "$is_there" OR id <> "$first" ORDER BY id LIMIT {limit}'
    ).format(
        names=identifiers([column.name for column in key]),
        there=sql.SQL("false") if within_file else there,
        staged=STAGED,
        new=NEW,
        limit=sql.Literal(limit),
    )


def _describe(transfer: Transfer, pairs: list[tuple[UUID, UUID | None]]) -> list[Detail]:
    """Return a detail for each row, with its place and the row that it repeats."""
    places = find_places(transfer, {row for pair in pairs for row in pair if row is not None})
    return [_detail(transfer, places[row], places[first] if first else None) for row, first in pairs]


def _detail(transfer: Transfer, place: RowPlace, first: RowPlace | None) -> Detail:
    key = ", ".join(transfer.names)
    reason = f"a tabela já tem uma linha com esta chave ({key})"
    if first is not None:
        reason = f"repete a chave ({key}) da linha {first.line}"
        if (first.file, first.sheet) != (place.file, place.sheet):
            reason = f"repete a chave ({key}) da linha {first.line} de {first.sheet or first.file}"
    named = {"column": key} if len(place.cells) == 1 else {}
    written = ", ".join(cell or "" for cell in place.cells)
    fault = Fault(DetailCode.DUPLICATE_KEY, reason)
    return place.detail(fault, **named, value=written)
