"""Find the rows that cannot be loaded: with values that do not fit, or a key that is there already.

How many there are, where the first of them are, and a file of them all. Corrected and uploaded again it
loads: analyze recognises it by its last four labels, leaves these columns out, and removes the apostrophe
that keeps a spreadsheet from running a text as a formula.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from duckdb import DuckDBPyConnection
from psycopg import sql

from managed_tables.conversion.marked_cells import unmarked
from managed_tables.databases.statements import compose, execute
from managed_tables.details import MAX_ERROR_DETAILS, MAX_VALUE_CHARACTERS, Detail, Fault, row_detail
from managed_tables.formulas import guarded
from managed_tables.ids import row_number
from managed_tables.jobs.rejects import PLACE_LABELS
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.rules.compiling import is_broken_in
from managed_tables.rules.rule import Rule
from managed_tables.rules.saying import fault_of
from managed_tables.schema import POSTGRES_TYPES, Column, Columns, ColumnType
from managed_tables.tables.physical import default_value
from managed_tables_insert.plan import REPEATED_KEYS, LoadedColumn, LoadPlan, Place, leave_out_rows
from managed_tables_insert.transfer import STAGED, Transfer

_FETCHED_ROWS = 2_000
_BOM = "\ufeff"
_MERGED = '"$merged"'  # rows of an upsert as they are to stand in the table
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
        for (file, sheet, line, cells), misfits, repeated in find_rows(connection, plan):
            reasons = [one.reason for one in misfits]
            texts = [*(cell or "" for cell in cells), file, sheet or ""]
            why = "; ".join([*reasons, repeated] if repeated else reasons)
            writer.writerow([*map(guarded, texts), line, guarded(why)])
            rejects.rows += 1
            rejects.values += len(misfits)
            for one in misfits[: MAX_ERROR_DETAILS - len(rejects.details)]:
                rejects.details.append(row_detail(one.fault, file, sheet, line, **one.keys))
    return rejects


@dataclass(frozen=True)
class _Misfit:
    """A cell that does not load, and why: it does not fit its column, or breaks a rule."""

    loaded: LoadedColumn
    text: str | None
    fault: Fault
    rule: Rule | None = None

    @property
    def reason(self) -> str:
        """Why, for a person who corrects the row."""
        named = f" (regra {self.rule.id})" if self.rule else ""
        return f"{self.loaded.column.display_name}: {self.fault.reason}{named}"

    @property
    def keys(self) -> dict[str, Any]:
        """What a detail says of it beside its place."""
        rule = {"rule": self.rule.id} if self.rule else {}
        value = self.text and self.text[:MAX_VALUE_CHARACTERS]
        return {"column": self.loaded.column.name, **rule, "value": value}


def find_rows(
    connection: DuckDBPyConnection, plan: LoadPlan
) -> Iterator[tuple[Place, list[_Misfit], str | None]]:
    """Yield each row with its cells, those that do not fit and why, and which key it repeats."""
    width = len(plan.labels)
    cells = [unmarked(f"c{number}") for number in range(width)]
    tests = []
    for loaded in plan.columns:  # an empty cell of a nullable column is no misfit
        tests += [loaded.is_misfit(), "false" if loaded.column.nullable else loaded.conversion.empty]
    tests += [test for _, _, test in plan.judged]
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
            texts, flags = rest[:width], rest[width:]
            yield (
                Place(plan.files[file], sheet, line, texts),
                list(_misfits(plan, texts, flags)),
                why_repeated,
            )


def _misfits(plan: LoadPlan, texts: Sequence[str | None], flags: Sequence[bool]) -> Iterator[_Misfit]:
    """Yield what does not load of a row: `flags` are two a column, then one a rule that the plan judges."""
    for loaded, is_misfit, is_empty in zip(plan.columns, flags[::2], flags[1::2], strict=False):
        if is_misfit:
            text = texts[loaded.number]
            yield _Misfit(loaded, text, loaded.fault_of(text, is_empty=is_empty))
    for (rule, loaded, _), is_broken in zip(plan.judged, flags[2 * len(plan.columns) :], strict=True):
        if is_broken:
            yield _Misfit(loaded, texts[loaded.number], fault_of(rule), rule)


@dataclass(frozen=True)
class RepeatedKeys:
    """The rows whose key is there already: how many, the id of each, and that of the first in the file."""

    transfer: Transfer  # of the key's columns alone
    rows: list[tuple[int, UUID, UUID | None]]  # None where the table has the key
    rule: Rule | None = None  # of unique values, where it is no key
    default: str | None = None  # what the rule's first column has where the file has none of its columns

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
        if self.rule is not None:
            reasons = [
                f"{self._names or self.rule.columns[0]}: {fault_of(self.rule).reason} (regra {self.rule.id})"
            ] * len(numbers)
        return leave_out_rows(self.transfer.converter, self.transfer.plan, numbers, reasons)

    def _detail(self, place: Place, first: Place | None) -> Detail:
        reason, (file, sheet, line, cells) = self._is_there, place
        if self.rule is not None:
            fed = next((name for name in self.rule.columns if name in self.transfer.names), None)
            value = ", ".join(map(str, cells)) if fed else self.default
            keys = {"column": fed or self.rule.columns[0], "rule": self.rule.id, "value": value}
            return row_detail(fault_of(self.rule), file, sheet, line, **keys)
        if first is not None:
            reason = f"repete a chave ({self._names}) da linha {first.line}"
            if (first.file, first.sheet) != (file, sheet):
                where = first.sheet or first.file
                reason = f"repete a chave ({self._names}) da linha {first.line} de {where}"
        named = {"column": self._names} if len(cells) == 1 else {}
        written = ", ".join(cell or "" for cell in cells)
        return row_detail(Fault("DUPLICATE_KEY", reason), file, sheet, line, **named, value=written)

    @property
    def _names(self) -> str:
        return ", ".join(self.transfer.names)

    @property
    def _is_there(self) -> str:
        return f"a tabela já tem uma linha com esta chave ({self._names})"


def find_repeated_keys(
    transfer: Transfer,
    table: sql.Identifier,
    key: Columns,
    limit: int | None,
    *,
    within_file: bool,
    rule: Rule | None = None,
) -> RepeatedKeys:
    """Stage the rows and return those that repeat a key of the file or, unless `within_file`, of the table.

    None does where the table has no key. A `rule` of unique values lets empty ones repeat. The transaction is
    to be rolled back.
    """
    if not key:
        return RepeatedKeys(transfer, [], rule)
    names = {column.name for column in key}
    transfer = replace(transfer, columns=_columns_of(transfer, names))
    transfer.stage_like(table)
    there = compose("EXISTS (SELECT FROM {} AS t WHERE {})", table, match_keys(key))
    rows = execute(
        transfer.connection,
        'SELECT count(*) OVER (), id, CASE WHEN "$is_there" THEN NULL ELSE "$first" END FROM ('
        'SELECT id, first_value(id) OVER (PARTITION BY {:i} ORDER BY id) AS "$first",'
        ' {} AS "$is_there" FROM {} AS s WHERE {}) AS "$rows"'
        ' WHERE "$is_there" OR id <> "$first" ORDER BY id LIMIT {}',
        sorted(names),
        False if within_file else there,
        STAGED,
        _all_filled(sorted(names), "s") if rule is not None else True,
        limit,
    )
    return RepeatedKeys(transfer, rows.fetchall(), rule)


def find_broken_rows(
    transfer: Transfer,
    table: sql.Identifier,
    own: Columns,
    key: Columns,
    rule: Rule,
    limit: int | None,
    *,
    within_file: bool = False,
) -> RepeatedKeys:
    """Stage the rows and return those that break the rule as they are to stand in the table.

    What the file does not have of a row is the table's, where the `key` finds one, else the column's default.
    Unless `within_file` values are to be unique among the table's rows too: PostgreSQL judges row by row,
    so another row's value is one also where the file changes that row. The transaction is to be rolled back.
    """
    by_name = {column.name: column for column in own}
    replace(
        transfer, columns=_columns_of(transfer, {*rule.columns, *(column.name for column in key)})
    ).stage_like(table)
    transfer = replace(transfer, columns=_columns_of(transfer, rule.columns))
    zone = transfer.plan.timezone
    cells = [
        compose("{} AS {:i}", _merged(transfer, by_name[name], zone), name)
        for name in dict.fromkeys(rule.columns)
    ]
    broken = is_broken_in(rule, by_name, _MERGED, table.as_string(), zone, are_its_own=False)
    again: sql.Composable = sql.SQL("false")
    if rule.kind == "unique":  # within the file, its second row is at fault
        again = compose(
            '{} AND row_number() OVER (PARTITION BY {:i} ORDER BY "$staged") > 1',
            _all_filled(rule.columns, _MERGED),
            list(rule.columns),
        )
    rows = execute(
        transfer.connection,
        'SELECT count(*) OVER (), "$staged", NULL::uuid FROM (SELECT *, {} AS "$again" FROM (SELECT t.id,'
        ' s.id AS "$staged", {} FROM {} AS s LEFT JOIN {} AS t ON {}) AS {merged}) AS {merged}'
        ' WHERE "$again" OR {} ORDER BY "$staged" LIMIT {}',
        again,
        cells,
        STAGED,
        table,
        match_keys(key) if key else False,
        False if within_file and rule.kind == "unique" else sql.SQL(broken),
        limit,
        merged=sql.SQL(_MERGED),
    )
    return RepeatedKeys(transfer, rows.fetchall(), rule, by_name[rule.columns[0]].default)


def _merged(transfer: Transfer, column: Column, zone: str) -> sql.Composed:
    """Return a cell of a row as it is to stand in the table."""
    if column.name in transfer.names:
        return compose("s.{:i}", column.name)
    default = default_value(column, zone)
    return compose("CASE WHEN t.id IS NULL THEN {} ELSE t.{:i} END", default, column.name)


def _columns_of(transfer: Transfer, names: Collection[str]) -> tuple[LoadedColumn, ...]:
    return tuple(loaded for loaded in transfer.plan.columns if loaded.column.name in names)


def _all_filled(names: Iterable[str], source: str) -> sql.Composed:
    filled = (compose("{}.{:i} IS NOT NULL", sql.SQL(source), name) for name in names)
    return sql.SQL(" AND ").join(filled)


def match_keys(key: Columns) -> sql.Composed:
    """Return the test that a row `t` of the table and a staged one, `s`, have one key; empty equals empty."""
    return sql.SQL(" AND ").join(map(_match_column, key))


def _match_column(column: Column) -> sql.Composed:
    if not column.nullable:
        return compose("t.{name:i} = s.{name:i}", name=column.name)
    none = sql.SQL(f"{_STAND_INS[column.type]}::{POSTGRES_TYPES[column.type]}")
    # Not IS NOT DISTINCT FROM, which PostgreSQL can only compare pair by pair.
    return compose(
        "coalesce(t.{name:i}, {none}) = coalesce(s.{name:i}, {none})"
        " AND (t.{name:i} IS NULL) = (s.{name:i} IS NULL)",
        name=column.name,
        none=none,
    )
