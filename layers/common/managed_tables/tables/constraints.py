"""Let PostgreSQL hold a table's rules: each that refuses is a constraint or an index named for it.

A rule of a row is `CHECK … NOT VALID`, validated where every row keeps it; one value for one row is a unique
index; a value of another table's is a foreign key on the value itself, which follows where that is changed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg import errors as pg
from psycopg import sql

from managed_tables.catalog.tables import Applied, Rules, read_rules
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import compose, execute
from managed_tables.details import Detail, Fault, detail
from managed_tables.errors import (
    INVALID_SCHEMA,
    PATTERN_NOT_ALLOWED,
    REFERRED_TO,
    ROWS_BREAK_RULE,
    ApiError,
)
from managed_tables.rules.checking import FindColumns, rule_faults
from managed_tables.rules.compiling import holds, is_broken_in
from managed_tables.rules.engines import Cell, Postgres
from managed_tables.rules.patterns import portable
from managed_tables.rules.rule import Rule, renamed, with_ids
from managed_tables.schema import Column
from managed_tables.tables.definitions import ColumnPlan, TableChange, raise_faults
from managed_tables.tables.physical import physical_name
from managed_tables.wording import counted

PREFIX = "rule$"
_ROW = '"$row"'
_NOT_UNIQUE = Fault(
    "NOT_ALLOWED", "a coluna da outra tabela precisa ser a chave dela, ou ter uma regra de valor único"
)
_TOO_LONG = Fault("TOO_LONG", "um texto é longo demais para uma regra de valor único")
_NAMED = re.compile(r"rule\$[0-9a-f]{24}\$(r_\w+)")
_UNIQUE_HOLDS_FOR_ALL = "uma regra de valor único vale para todas as linhas: corrija antes as que se repetem"


def constraint_name(table_id: str, rule: Rule) -> str:
    """Return what the rule's constraint, or its index, is called."""
    return f"{PREFIX}{table_id}${rule.id}"


def rule_of(constraint: str | None) -> tuple[str, str] | None:
    """Return the ids of the table and of the rule that a constraint is named for, None for another one."""
    parts = (constraint or "").split("$")
    return (parts[1], parts[2]) if len(parts) == 3 and f"{parts[0]}$" == PREFIX else None


def sql_of(text: str) -> sql.SQL:
    """Return SQL that `rules.compiling` has written, for a statement without parameters."""
    return sql.SQL(text)


def plan_rules(
    before: Applied, plan: ColumnPlan, change: TableChange, zone: str, find_columns: FindColumns
) -> Rules:
    """Return the rules that the table is to have; raises INVALID_SCHEMA and PATTERN_NOT_ALLOWED.

    Those that are not named follow their columns, and go where one of these is hidden.
    """
    rules = kept_rules(before, plan) if change.rules is ... else with_ids(change.rules)
    check_rules(rules, plan.columns, zone, find_columns)
    return rules


def check_rules(rules: Rules, columns: Sequence[Column], zone: str, find_columns: FindColumns) -> None:
    """Raise INVALID_SCHEMA or PATTERN_NOT_ALLOWED unless a table of these columns may have the rules."""
    faults = list(rule_faults(rules, {column.name: column for column in columns}, zone, find_columns))
    if faults and faults[0]["code"] == "PATTERN_NOT_ALLOWED":
        raise ApiError(PATTERN_NOT_ALLOWED, faults)
    raise_faults(faults)


def kept_rules(before: Applied, plan: ColumnPlan) -> Rules:
    """Return the rules of columns that stay, by the names that these have now."""
    stay = (rule for rule in before.rules if plan.hidden.keys().isdisjoint(rule.columns))
    return tuple(renamed(rule, plan.renamed) for rule in stay)


@dataclass(frozen=True)
class ReturningRules:
    """A hidden column's rules that can judge again once it is among the columns.

    Those of a table that is gone stay away. What PostgreSQL refused to hold, the ids `softened`, warns from
    now on: a rule that nobody can change any more must not keep a column out.
    """

    zone: str
    find_columns: FindColumns
    softened: set[str] = field(default_factory=set)

    def of(self, table: Applied, stored: str, columns: Sequence[Column]) -> Rules:
        """Return the rules of a column that was hidden with these."""
        by_name, ids = {column.name: column for column in columns}, {rule.id for rule in table.rules}
        return tuple(
            rule.model_copy(update={"severity": "warn"}) if rule.id in self.softened else rule
            for rule in read_rules(stored)
            if rule.id not in ids and not any(rule_faults([rule], by_name, self.zone, self.find_columns))
        )

    def soften(self, error: ApiError) -> bool:
        """Soften the rules that an error names; return whether there are any that were not before."""
        named = {one["rule"] for one in error.details or () if "rule" in one} - self.softened
        self.softened.update(named)
        return bool(named)


@dataclass(frozen=True)
class Constraints:
    """What PostgreSQL holds of a table's rules, as that is changed; its days are those of `zone`."""

    connection: PgConnection
    table_id: str
    zone: str

    def drop_others(self, before: Applied, plan: ColumnPlan, after: Applied) -> None:
        """Drop what is no rule any more, or judges a column that is about to be converted."""
        names = {constraint_name(self.table_id, rule) for rule in self._kept(before, plan, after)}
        self._drop(before, [name for name in self._present(before) if name not in names])

    def drop_all(self, applied: Applied) -> None:
        """Drop what holds the table's rules."""
        self._drop(applied, self._present(applied))

    def add(self, applied: Applied, *, is_asked: bool = True) -> None:
        """Add what is missing to the table as it is now, by its present name.

        Raises ROWS_BREAK_RULE where rows are in the way of a rule; where nobody asked for it just now, only
        of one that rows cannot break.
        """
        present = set(self._present(applied))
        refusing = [
            (place, rule)
            for place, rule in enumerate(applied.rules)
            if rule.refuses and constraint_name(self.table_id, rule) not in present
        ]
        if not refusing:
            return
        broken = self.count_broken(applied, [rule for _, rule in refusing])
        judged = list(zip(refusing, broken, strict=True))
        self._refuse(applied, [one for one in judged if is_asked or one[0][1].kind == "unique"])
        for (place, rule), count in judged:
            self._add_one(applied, place, rule, has_broken=count > 0)

    def count_broken(self, applied: Applied, rules: Iterable[Rule]) -> list[int]:
        """Return how many rows break each of the rules, in one scan of the table."""
        counts = [compose("count(*) FILTER (WHERE {})", self.is_broken(applied, rule)) for rule in rules]
        table = physical_name(applied.display_name)
        row = execute(
            self.connection, "SELECT ARRAY[{}] FROM {} AS {}", counts, table, sql_of(_ROW)
        ).fetchone()
        return list(row[0]) if row else []

    def is_broken(self, applied: Applied, rule: Rule) -> sql.SQL:
        """Return the test that a row, `"$row"`, breaks the rule."""
        columns = {column.name: column for column in applied.columns}
        table = physical_name(applied.display_name).as_string()
        return sql_of(is_broken_in(rule, columns, _ROW, table, self.zone))

    def _refuse(self, applied: Applied, refusing: list[tuple[tuple[int, Rule], int]]) -> None:
        """Raise ROWS_BREAK_RULE where a rule is not for new rows alone, and rows break it."""
        details = []
        for (place, rule), count in refusing:
            if count and (rule.kind == "unique" or not rule.for_new):
                reason = counted(count, "linha da tabela quebra a regra", "linhas da tabela quebram a regra")
                if rule.kind == "unique" and rule.for_new:
                    reason = _UNIQUE_HOLDS_FOR_ALL
                fault, named = Fault("ROWS_BREAK_RULE", reason), {"rule": rule.id, "column": rule.columns[0]}
                value = self._example(applied, rule)
                details.append(detail("body", fault, path=f"rules[{place}]", value=value, **named))
        if details:
            raise ApiError(ROWS_BREAK_RULE, details, reason=details[0]["reason"])

    def _example(self, applied: Applied, rule: Rule) -> str | None:
        row = execute(
            self.connection,
            "SELECT left({row}.{name:i}::text, 200) FROM {table} AS {row} WHERE {broken} ORDER BY id LIMIT 1",
            row=sql_of(_ROW),
            name=rule.columns[0],
            table=physical_name(applied.display_name),
            broken=self.is_broken(applied, rule),
        ).fetchone()
        return row[0] if row else None

    def _add_one(self, applied: Applied, place: int, rule: Rule, *, has_broken: bool) -> None:
        table, name = physical_name(applied.display_name), constraint_name(self.table_id, rule)
        if rule.kind == "unique":
            form = "CREATE UNIQUE INDEX {:i} ON {} ({:i})"
            with _translated(place, rule):
                execute(self.connection, form, name, table, list(rule.columns))
            return
        with _translated(place, rule):
            if rule.kind == "pattern":  # else it would be read when the first row is judged
                self.connection.execute("SELECT '' ~ %s", [portable(rule.pattern or "")])
            definition = self._definition(applied, rule)
            execute(
                self.connection, "ALTER TABLE {} ADD CONSTRAINT {:i} {} NOT VALID", table, name, definition
            )
        if not has_broken:
            execute(self.connection, "ALTER TABLE {} VALIDATE CONSTRAINT {:i}", table, name)

    def _definition(self, applied: Applied, rule: Rule) -> sql.Composable:
        columns = {column.name: column for column in applied.columns}
        if rule.kind == "in_table":
            other = self.connection.execute(
                "SELECT display_name FROM managed_tables.tables WHERE table_id = %s AND deleted_at IS NULL"
                " FOR SHARE",
                [rule.table],
            ).fetchone()
            if other is None:
                raise ApiError(REFERRED_TO, [_lost(rule)])
            form = "FOREIGN KEY ({:i}) REFERENCES {} ({:i}) ON UPDATE CASCADE DEFERRABLE"
            return compose(form, rule.columns[0], physical_name(other[0]), rule.column)
        cells = {name: Cell(sql.Identifier(name).as_string(), columns[name].type) for name in rule.columns}
        return compose("CHECK ({})", sql_of(holds(rule, cells, Postgres(self.zone))))

    def _kept(self, before: Applied, plan: ColumnPlan, after: Applied) -> Iterator[Rule]:
        """Yield the rules that say the same before and after of columns whose values stay."""
        converted = {placed.column.name for placed in plan.converted}
        known = {rule.id: rule.meaning for rule in kept_rules(before, plan) if rule.refuses}
        for rule in after.rules:
            if known.get(rule.id) == rule.meaning and converted.isdisjoint(rule.columns):
                yield rule

    def _present(self, applied: Applied) -> list[str]:
        """Return the names of what holds rules of the table."""
        rows = self.connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(%(table)s)"
            " AND starts_with(conname, %(prefix)s) UNION SELECT relname FROM pg_index JOIN pg_class"
            " ON pg_class.oid = indexrelid WHERE indrelid = to_regclass(%(table)s)"
            " AND starts_with(relname, %(prefix)s) ORDER BY 1",
            {
                "table": physical_name(applied.display_name).as_string(),
                "prefix": f"{PREFIX}{self.table_id}$",
            },
        )
        return [name for (name,) in rows.fetchall()]

    def _drop(self, applied: Applied, names: Sequence[str]) -> None:
        table = physical_name(applied.display_name)
        for name in names:
            execute(self.connection, "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {:i}", table, name)
            with translated_references():
                execute(self.connection, "DROP INDEX IF EXISTS {}", physical_name(name))


class Reference(NamedTuple):
    """A rule of another table, or of the same, whose values are those of a table's column."""

    table_id: str
    display_name: str
    rule: Rule


def find_references(connection: PgConnection, table_id: str) -> list[Reference]:
    """Return the rules by which tables refer to this one."""
    rows = connection.execute(
        "SELECT table_id, display_name, rules::text FROM managed_tables.tables WHERE deleted_at IS NULL"
        " AND rules @> jsonb_build_array(jsonb_build_object('kind', 'in_table', 'table', %s::text))"
        " ORDER BY display_name",
        [table_id],
    ).fetchall()
    return [
        Reference(referring, name, rule)
        for referring, name, rules in rows
        for rule in read_rules(rules)
        if rule.kind == "in_table" and rule.table == table_id
    ]


def find_values(connection: PgConnection, rule: Rule, limit: int | None = None) -> list[str]:
    """Return the values that a rule refers to as texts, each once, so many at most."""
    rows = connection.execute(
        "SELECT managed_tables.values_of(%s, %s) LIMIT %s", [rule.table, rule.column, limit]
    ).fetchall()
    return [value for (value,) in rows]


def refuse_referred(connection: PgConnection, table_id: str, columns: Iterable[str] | None = None) -> None:
    """Raise REFERRED_TO where rules of other tables refer to one of these columns, None for any."""
    names = None if columns is None else set(columns)
    if names == set():
        return
    details = [
        detail("body", _referred(one), path="columns", column=one.rule.column, rule=one.rule.id)
        for one in find_references(connection, table_id)
        if (one.rule.column in names if names is not None else one.table_id != table_id)
    ]
    if details:
        raise ApiError(REFERRED_TO, details, reason=details[0]["reason"])


def _referred(reference: Reference) -> Fault:
    reason = f"a regra {reference.rule.id} da tabela {reference.display_name} usa esta coluna"
    return Fault("REFERRED_TO", reason)


def _lost(rule: Rule) -> Detail:
    fault = Fault("REFERRED_TO", "a tabela a que a regra se refere não existe mais: traga-a de volta antes")
    return detail("body", fault, path="rules", column=rule.columns[0], rule=rule.id)


@contextmanager
def translated_references() -> Iterator[None]:
    """Turn PostgreSQL's refusal to drop an index that a rule of another table needs into REFERRED_TO."""
    try:
        yield
    except pg.DependentObjectsStillExist as error:
        found = _NAMED.search(error.diag.message_detail or "")
        rule = {"rule": found[1]} if found else {}
        fault = Fault("REFERRED_TO", "uma regra de outra tabela precisa que os valores não se repitam")
        raise ApiError(
            REFERRED_TO, [detail("body", fault, path="key", **rule)], reason=fault.reason
        ) from error


@contextmanager
def _translated(place: int, rule: Rule) -> Iterator[None]:
    """Turn PostgreSQL's refusals of a rule's constraint into faults of the rule."""
    path = f"rules[{place}]"
    try:
        yield
    except pg.InvalidForeignKey as error:
        raise _fault(f"{path}.column", rule, _NOT_UNIQUE) from error
    except pg.ProgramLimitExceeded as error:
        raise _fault(f"{path}.columns", rule, _TOO_LONG) from error
    except pg.InvalidRegularExpression as error:
        fault = Fault("PATTERN_NOT_ALLOWED", "o padrão é complexo demais")
        raise ApiError(PATTERN_NOT_ALLOWED, [detail("body", fault, path=f"{path}.pattern")]) from error


def _fault(path: str, rule: Rule, fault: Fault) -> ApiError:
    found = detail("body", fault, path=path, column=rule.columns[0], rule=rule.id)
    return ApiError(INVALID_SCHEMA, [found], reason=f"{path}: {fault.reason}")
