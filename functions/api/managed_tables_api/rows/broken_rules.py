"""Say which rows of a request break which rules of their table, once PostgreSQL has refused it.

The rules are asked only then: a row that breaks none costs what PostgreSQL's own constraints do. What these
refuse and the rules let pass is a fault of ours, and is told by the name of the constraint.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import sql

from managed_tables.conversion.sql_text import identifier
from managed_tables.databases.statements import compose
from managed_tables.details import MAX_ERROR_DETAILS, Detail, Fault, detail, shown_value
from managed_tables.errors import RULE_BROKEN, ApiError
from managed_tables.observability import get_logger
from managed_tables.rules.compiling import is_broken_in
from managed_tables.rules.rule import Rule
from managed_tables.rules.saying import fault_of
from managed_tables.tables.constraints import rule_of
from managed_tables.tables.physical import physical_name
from managed_tables_api.rows.running import Definition, Parameters, RuleViolated, Table
from managed_tables_api.rows.statements import (
    ROW,
    TABLE,
    cell,
    column_arrays,
    compose_reading,
    names_of,
    part,
)

Place = Callable[[int, str | None], int | None]
"""Return which row of a request a row is, by its number from 1 and its id; None where it is none."""

_BROKEN = "uma regra da tabela não foi seguida"


def broken_test(
    definition: Definition, rule: Rule, source: str, zone: str, *, are_its_own: bool = True
) -> sql.SQL:
    """Return the test that a row breaks the rule, for a statement with parameters; `source` is its alias."""
    table = physical_name(definition.display_name).as_string()
    test = is_broken_in(rule, definition.by_name, source, table, zone, are_its_own=are_its_own)
    return sql.SQL(test.replace("%", "%%"))


def refuse_new_rows(
    table: Table, violated: RuleViolated, rows: Sequence[Any], parameters: Parameters, *, merges: bool
) -> ApiError:
    """Return RULE_BROKEN about rows to insert; their `parameters` are one array a column, c0, c1, ….

    Where they may update rows of their key, `merges`, these are no others than themselves.
    """
    definition = table.definition
    names = names_of(definition.columns)
    own_id: sql.Composable = sql.SQL("NULL::uuid")
    join: sql.Composable = sql.SQL("")
    if merges and definition.key:
        same = (part("{t}.{name:i} IS NOT DISTINCT FROM g.{name:i}", name=name) for name in definition.key)
        join = part(" LEFT JOIN {table} AS {t} ON {same}", definition, same=sql.SQL(" AND ").join(same))
        own_id = cell(TABLE, "id")
    source = compose(
        'SELECT {} AS id, g.* FROM unnest({}) WITH ORDINALITY AS g ({:i}, "$number"){}',
        own_id,
        column_arrays(enumerate(definition.columns)),
        names,
        join,
    )
    place: Place = lambda number, _: number - 1  # noqa: E731 - one expression
    return _refusal(table, violated, source, parameters, place, rows)


def refuse_changed_rows(
    table: Table,
    violated: RuleViolated,
    found: sql.Composable,
    values: Mapping[str, sql.Composable],
    parameters: Parameters,
    place: Place,
    rows: Sequence[Any],
) -> ApiError:
    """Return RULE_BROKEN about rows of the table that are to have new `values` in some columns.

    `found` is the relation with its condition: `FROM {found}`, the table's alias being TABLE.
    """
    columns = [
        compose("{} AS {:i}", values.get(name, cell(TABLE, name)), name)
        for name in names_of(table.definition.columns)
    ]
    form = 'SELECT {t}.id, {columns}, row_number() OVER (ORDER BY {t}.id) AS "$number" FROM {found}'
    source = part(form, columns=columns, found=found)
    return _refusal(table, violated, source, parameters, place, rows)


def name_violated(table: Table, violated: RuleViolated) -> ApiError:
    """Return RULE_BROKEN by the constraint alone: its rule, with what PostgreSQL names."""
    definition, named = table.definition, rule_of(violated.constraint)
    rule_id = named[1] if named else None
    rule = next((one for one in definition.rules if one.id == rule_id), None)
    keys: dict[str, Any] = {"rule": rule_id} if rule_id else {}
    if named and named[0] != definition.table_id:
        reason = (
            f"a tabela {violated.table_name} usa este valor: mude lá as linhas que o usam, ou tire a regra"
            f" {rule_id}"
        )
        fault = Fault("RULE_BROKEN", reason)
    else:
        fault = fault_of(rule) if rule else Fault("RULE_BROKEN", _BROKEN)
    columns = violated.columns or (list(rule.columns) if rule else [])
    if columns:
        keys["column"] = columns[0]
    if len(violated.values) == 1:
        keys["value"] = violated.values[0]
    return ApiError(RULE_BROKEN, [detail("body", fault, **keys)], reason=fault.reason)


def _refusal(
    table: Table,
    violated: RuleViolated,
    source: sql.Composable,
    parameters: Parameters,
    place: Place,
    rows: Sequence[Any],
) -> ApiError:
    rules = [rule for rule in table.definition.rules if rule.refuses]
    found = table.read(
        _broken_statement(table, rules, source), {**parameters, "limit": str(MAX_ERROR_DETAILS)}
    )
    if not rules or found[0][1] is None:
        if rules and not violated.is_of_others(table.definition.table_id):
            get_logger("api").warning("a rule passed what PostgreSQL refused", constraint=violated.constraint)
        return name_violated(table, violated)
    details = [_detail(rules[rule], place(number, row_id), rows) for _, number, row_id, rule, _ in found]
    details.sort(key=lambda one: one.get("row", 0))
    return ApiError(RULE_BROKEN, details, found[0][4], reason=details[0]["reason"])


def _detail(rule: Rule, row: int | None, rows: Sequence[Any]) -> Detail:
    keys: dict[str, Any] = {} if row is None else {"row": row}
    name = rule.columns[0]
    if row is not None and row < len(rows) and name in rows[row]:
        keys["value"] = shown_value(rows[row][name])
    return detail("body", fault_of(rule), column=name, rule=rule.id, **keys)


def _broken_statement(table: Table, rules: Sequence[Rule], source: sql.Composable) -> bytes:
    """Return the statement of what is broken: (1, number, id, which of the rules, how many), or NULLs.

    A value that repeats within the request is its second row's fault.
    """
    definition, zone = table.definition, table.settings.zone.key
    tests, twice = [], []
    for place, rule in enumerate(rules):
        test: sql.Composable = broken_test(definition, rule, ROW.as_string(), zone, are_its_own=False)
        if rule.kind == "unique":
            filled = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in rule.columns)
            form = '{} AND row_number() OVER (PARTITION BY {:i} ORDER BY "$number") > 1 AS {:i}'
            twice.append(compose(form, sql.SQL(filled), list(rule.columns), f"$twice{place}"))
            test = compose("({} OR {}.{:i})", test, ROW, f"$twice{place}")
        tests.append(compose("CASE WHEN {} THEN {} END", test, place))
    marked = compose("SELECT *, {} FROM ({}) AS given", twice, source) if twice else source
    return compose_reading(
        'SELECT number, id, rule, count(*) OVER () FROM (SELECT {row}."$number" AS number, {row}.id::text,'
        " unnest(array_remove(ARRAY[{tests}]::int[], NULL)) AS rule FROM ({source}) AS {row}) AS broken"
        " ORDER BY number, rule LIMIT %(limit)s::bigint",
        tests=tests,
        source=marked,
    )
