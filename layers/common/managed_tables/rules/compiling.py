"""Compile a rule into the SQL that tells right rows from wrong ones."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from managed_tables.conversion.sql_text import identifier, literal, matches
from managed_tables.rules.engines import Cell, Engine, Postgres
from managed_tables.rules.patterns import portable
from managed_tables.rules.rule import TODAY, Comparator, Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.values import parsers

SIGNS: Mapping[Comparator, str] = {"lt": "<", "lte": "<=", "eq": "=", "ne": "<>", "gte": ">=", "gt": ">"}
_OTHER = '"$other"'  # a row of a table beside the one that is judged


def holds(rule: Rule, cells: Mapping[str, Cell], engine: Engine) -> str:
    """Return the test that a row is right, NULL for empty cells, of a rule that judges rows alone.

    `cells` are those of the rule's columns, by their names.
    """
    judged = [cells[name] for name in rule.columns]
    cell = judged[0]
    match rule.kind:
        case "range" | "length":
            return " AND ".join(_bounds(rule, cell, engine))
        case "pattern":
            return matches(cell.sql, portable(rule.pattern or ""))
        case "list":
            return engine.is_listed(cell, value_texts(rule, cell.type, engine.zone))
        case "compare":
            return engine.with_cell(cell, SIGNS[rule.op or "eq"], judged[1])
        case "named" if rule.name is not None:
            return engine.is_named(cell, rule.name)
        case _:
            raise ValueError(f"a rule of kind {rule.kind} does not judge rows alone")


def is_broken(rule: Rule, cells: Mapping[str, Cell], engine: Engine) -> str:
    """Return the test, never NULL, that a row breaks a rule that judges rows alone."""
    return f"({holds(rule, cells, engine)}) IS FALSE"


def is_broken_in(
    rule: Rule,
    columns: Mapping[str, Column],
    source: str,
    table: str,
    zone: str,
    *,
    are_its_own: bool = True,
) -> str:
    """Return PostgreSQL's test, never NULL, that a row breaks the rule; `source` is its alias.

    A value is unique if no other row of `table` has it. Its own rows are asked in one pass over the table;
    others, a few, one by one.
    """
    names = {name: f"{source}.{identifier(name)}" for name in rule.columns}
    filled = " AND ".join(f"{cell} IS NOT NULL" for cell in names.values())
    if rule.kind == "in_table":
        (cell,) = names.values()
        known = f"SELECT managed_tables.values_of({literal(rule.table or '')}, {literal(rule.column or '')})"
        return f"({filled} AND {cell}::text NOT IN ({known}))"
    if rule.kind == "unique" and are_its_own:
        listed = ", ".join(map(identifier, rule.columns))
        where = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in rule.columns)
        repeated = f"SELECT {listed} FROM {table} WHERE {where} GROUP BY {listed} HAVING count(*) > 1"  # noqa: S608
        return f"({filled} AND ({', '.join(names.values())}) IN ({repeated}))"
    if rule.kind == "unique":
        same = " AND ".join(f"{_OTHER}.{identifier(name)} = {cell}" for name, cell in names.items())
        other = f"{same} AND {_OTHER}.id IS DISTINCT FROM {source}.id"
        return f"({filled} AND EXISTS (SELECT FROM {table} AS {_OTHER} WHERE {other}))"
    cells = {name: Cell(cell, columns[name].type) for name, cell in names.items()}
    return is_broken(rule, cells, Postgres(zone))


def value_texts(rule: Rule, column_type: ColumnType, zone: str) -> list[str]:
    """Return the values of a list as PostgreSQL's texts."""
    parse = parsers(ZoneInfo(zone))[column_type]
    return [parse(value) for value in rule.values or ()]


def _bounds(rule: Rule, cell: Cell, engine: Engine) -> Iterator[str]:
    for sign, bound in ((">=", rule.min), ("<=", rule.max)):
        if bound is None:
            continue
        if rule.kind == "length":
            yield f"length({cell.sql}) {sign} {bound}"
        elif bound == TODAY and cell.type.is_time:
            yield engine.with_today(cell, sign)
        else:
            yield engine.with_value(cell, sign, parsers(ZoneInfo(engine.zone))[cell.type](bound))
