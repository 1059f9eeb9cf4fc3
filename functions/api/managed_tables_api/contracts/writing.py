"""Write a table as a document of the Open Data Contract Standard, v3.1.0.

A rule is a check of our own engine, which holds all of it; what the standard has words for (lengths, bounds,
patterns, unique values) is said in them as well, for others to read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from managed_tables import exact_json
from managed_tables.catalog.tables import DefinitionRecord
from managed_tables.documents.document import Document
from managed_tables.rules.rule import TODAY, Rule
from managed_tables.schema import POSTGRES_TYPES, Column, Columns, ColumnType

API_VERSION = "v3.1.0"
ENGINE = "managed-tables"
LOGICAL_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.DECIMAL: "number",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "timestamp",
}
SEVERITIES = {"refuse": "error", "warn": "warning"}
BOUNDS = {"range": ("minimum", "maximum"), "length": ("minLength", "maxLength")}


class Identity(Document):
    """What a contract is called, and how far it is: kept of one that a table was made by."""

    id: str
    name: str
    version: str = "1.0.0"
    status: str = "active"
    schema_name: str


def write_contract(identity: Identity, table: DefinitionRecord, columns: Columns) -> dict[str, Any]:
    """Return the table's contract."""
    described = {"businessName": table.title, "description": table.description}
    whole = [rule for rule in table.rules if len(rule.columns) > 1]
    custom = [{"property": "indexes", "value": [list(index) for index in table.indexes]}]
    schema = {
        "name": identity.schema_name,
        "logicalType": "object",
        "physicalType": "table",
        **{name: text for name, text in described.items() if text},
        "properties": [_property(column, table) for column in columns],
        **({"quality": [_quality(rule) for rule in whole]} if whole else {}),
        **({"customProperties": custom} if table.indexes else {}),
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": identity.id,
        "name": identity.name,
        "version": identity.version,
        "status": identity.status,
        "schema": [schema],
    }


def _property(column: Column, table: DefinitionRecord) -> dict[str, Any]:
    own = [rule for rule in table.rules if rule.columns == (column.name,)]
    answer, key = column.as_answer(), table.key or ()
    custom = [{"property": name, "value": answer[name]} for name in ("default", "format") if name in answer]
    is_unique = any(rule.kind == "unique" and rule.refuses for rule in own)
    place = (
        {"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1} if column.name in key else {}
    )
    where_any = {
        "description": column.description,
        "unique": is_unique,
        "logicalTypeOptions": dict(_options(own)),
        "quality": [_quality(rule) for rule in own],
        "customProperties": custom,
    }
    return {
        "name": column.name,
        "businessName": column.display_name,
        "logicalType": LOGICAL_TYPES[column.type],
        "physicalType": POSTGRES_TYPES[column.type],
        "required": not column.nullable,
        **place,
        **{name: part for name, part in where_any.items() if part},
    }


def _options(rules: list[Rule]) -> Iterator[tuple[str, Any]]:
    """Yield what the standard says of a column in words of its own, the first rule of a kind alone."""
    for rule in reversed(rules):
        if not rule.refuses:
            continue
        if rule.kind in BOUNDS:
            for name, bound in zip(BOUNDS[rule.kind], (rule.min, rule.max), strict=True):
                if bound is not None and bound != TODAY:
                    yield name, bound
        elif rule.kind == "pattern":
            yield "pattern", rule.pattern


def _quality(rule: Rule) -> dict[str, Any]:
    named = {"id": rule.id, "type": "custom", "severity": SEVERITIES[rule.severity], "engine": ENGINE}
    text = {"description": rule.message} if rule.message else {}
    return {**named, **text, "implementation": rule.as_document()}


def write_yaml(value: Any, depth: int = 0) -> str:
    """Return a document as YAML: mappings and lists a line each, every text in quotes as JSON has it."""
    return "".join(f"{'  ' * depth}{line}\n" for line in _yaml_lines(value))


def _yaml_lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from _yaml_part(f"{name}:", part)
    elif isinstance(value, list) and value:
        for part in value:
            first, *rest = _yaml_lines(part)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield exact_json.dumps(value).decode()


def _yaml_part(name: str, part: Any) -> Iterator[str]:
    if isinstance(part, Mapping | list) and part:
        yield name
        yield from (f"  {line}" for line in _yaml_lines(part))
    else:
        yield f"{name} {next(_yaml_lines(part))}"
