"""Read a document of the Open Data Contract Standard as a table's columns, key, texts and rules.

What has no place in a table is listed by its path, and why, so that a person sees it before anything changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from managed_tables.details import Fault, detail
from managed_tables.documents.document import Document, Sentence, built
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.identifiers import is_identifier, make_column_names
from managed_tables.rules.rule import Rule, new_rule_id
from managed_tables.schema import Column, ColumnType
from managed_tables.values import Parsers
from managed_tables_api.contracts.writing import BOUNDS, ENGINE, LOGICAL_TYPES, Identity

_TYPES: Mapping[str, ColumnType] = {word: kind for kind, word in LOGICAL_TYPES.items()}
_OF_CONTRACT = {"apiVersion", "kind", "id", "name", "version", "status", "schema"}
_OF_SCHEMA = {
    "name", "physicalName", "logicalType", "physicalType", "businessName", "description", "properties",
    "quality", "customProperties",
}  # fmt: skip
_OF_PROPERTY = {
    "name", "physicalName", "businessName", "description", "logicalType", "physicalType", "required",
    "unique", "primaryKey", "primaryKeyPosition", "logicalTypeOptions", "quality", "customProperties",
}  # fmt: skip
_NO_PLACE = "uma tabela não tem onde guardar isto"
_NO_TYPE = "tipo sem correspondente: a coluna é de texto"
_NO_RULE = "só verificações deste produto viram regras"
_NOT_A_CONTRACT = Fault("INVALID", "não é um contrato do Open Data Contract Standard (v3)")


class Unmapped(Document):
    """A part of a contract that a table has no place for."""

    path: str
    reason: Sentence


@dataclass
class ReadContract:
    """A contract as a table can hold it."""

    identity: Identity
    title: str | None = None
    description: str | None = None
    columns: list[Column] = field(default_factory=list)
    key: list[str] | None = None
    indexes: list[list[str]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)


def read_contract(document: Mapping[str, Any], parsers: Parsers) -> ReadContract:
    """Return what a table can hold of the contract; raises INVALID_SCHEMA where it is none."""
    schemas = document.get("schema")
    is_ours = document.get("kind") == "DataContract" and str(document.get("apiVersion", "")).startswith("v3.")
    if not is_ours or not isinstance(schemas, list) or not schemas or not isinstance(schemas[0], dict):
        found = detail("body", _NOT_A_CONTRACT, path="schema" if is_ours else "apiVersion")
        raise ApiError(INVALID_SCHEMA, [found], reason=_NOT_A_CONTRACT.reason)
    return _Reader(document, schemas, parsers).read()


class _Reader:
    """Reads one contract, whose parts may be anything."""

    def __init__(self, document: Mapping[str, Any], schemas: Sequence[Any], parsers: Parsers) -> None:
        self._document, self._schema, self._others = document, schemas[0], len(schemas) - 1
        self._parsers = parsers
        name = _text(self._schema.get("name")) or "tabela"
        texts = {key: _text(document.get(key)) for key in ("id", "name", "version", "status")}
        given = {key: text for key, text in texts.items() if text}
        identity = Identity(**{"id": name, "name": name, "schema_name": name, **given})
        self._found = ReadContract(identity)

    def read(self) -> ReadContract:
        found, schema = self._found, self._schema
        self._leave_out(self._document, _OF_CONTRACT, "")
        self._leave_out(schema, _OF_SCHEMA, "schema[0].")
        for place in range(self._others):
            self._note(f"schema[{place + 1}]", _NO_PLACE)
        found.title, found.description = _text(schema.get("businessName")), _text(schema.get("description"))
        properties = [one for one in _list(schema.get("properties")) if isinstance(one, dict)]
        labels = [_text(one.get("name")) or "" for one in properties]
        names = labels if all(map(is_identifier, labels)) else make_column_names(labels)
        for place, (name, one) in enumerate(zip(names, properties, strict=True)):
            self._read_property(name, one, f"schema[0].properties[{place}]")
        self._read_checks(schema, "schema[0]")
        found.key = _key_of(names, properties)
        indexes = _custom(schema).get("indexes")
        found.indexes = indexes if isinstance(indexes, list) else []
        return found

    def _read_property(self, name: str, one: Mapping[str, Any], path: str) -> None:
        self._leave_out(one, _OF_PROPERTY, f"{path}.")
        logical = one.get("logicalType", "string")
        if logical not in _TYPES:
            self._note(f"{path}.logicalType", _NO_TYPE)
        custom = _custom(one)
        column: dict[str, Any] = {
            "name": name,
            "display_name": _text(one.get("businessName")) or _text(one.get("name")) or name,
            "type": _TYPES.get(logical, ColumnType.TEXT),
            "nullable": one.get("required") is not True,
            "description": _text(one.get("description")),
            **{key: custom[key] for key in ("default", "format") if key in custom},
        }
        try:
            self._found.columns.append(Column.model_validate(column, context=self._parsers))
        except ValidationError:
            self._note(f"{path}.customProperties", _NO_PLACE)
            bare = {key: part for key, part in column.items() if key not in ("default", "format")}
            self._found.columns.append(Column.model_validate(bare))
        self._read_checks(one, path)
        self._read_options(one, name, path)

    def _read_checks(self, holder: Mapping[str, Any], path: str) -> None:
        """Read checks of our own engine as rules."""
        for place, check in enumerate(_list(holder.get("quality"))):
            rule = _rule_of(check)
            if rule is None:
                self._note(f"{path}.quality[{place}]", _NO_RULE)
            else:
                self._found.rules.append(rule)

    def _read_options(self, one: Mapping[str, Any], name: str, path: str) -> None:
        """Read what the standard says in words of its own, unless a check of ours says it already."""
        own = {rule.kind for rule in self._found.rules if rule.columns == (name,)}
        given = one.get("logicalTypeOptions")
        options = dict(given) if isinstance(given, dict) else {}
        for kind, parts in _said(one, options).items():
            if kind not in own:
                self._add(kind=kind, columns=[name], **parts)
        for word in options:
            self._note(f"{path}.logicalTypeOptions.{word}", _NO_PLACE)

    def _add(self, **parts: Any) -> None:
        try:
            rule = built(Rule).model_validate({"id": new_rule_id(), "origin": "contract", **parts})
        except ValidationError:
            return
        self._found.rules.append(rule)

    def _leave_out(self, holder: Mapping[str, Any], known: set[str], path: str) -> None:
        for name in holder:
            if name not in known:
                self._note(f"{path}{name}", _NO_PLACE)

    def _note(self, path: str, reason: str) -> None:
        self._found.unmapped.append(Unmapped(path=path, reason=reason))


def _key_of(names: Sequence[str], properties: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Return the names of the key's columns in its order."""
    keys = [
        (one.get("primaryKeyPosition") or 0, name)
        for name, one in zip(names, properties, strict=True)
        if one.get("primaryKey") is True
    ]
    return [name for _, name in sorted(keys, key=lambda pair: pair[0])] or None


def _said(one: Mapping[str, Any], options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return rules by their kinds that the standard has words for, which are taken out of the options."""
    said: dict[str, dict[str, Any]] = {"unique": {}} if one.get("unique") is True else {}
    for kind, words in BOUNDS.items():
        bounds = zip(("min", "max"), (options.pop(word, None) for word in words), strict=True)
        if parts := {part: bound for part, bound in bounds if bound is not None}:
            said[kind] = parts
    if pattern := options.pop("pattern", None):
        said["pattern"] = {"pattern": pattern}
    if options.get("format") == "email":
        said["named"] = {"name": options.pop("format")}
    return said


def _rule_of(check: Any) -> Rule | None:
    """Return the rule of a check of ours; a contract that is edited may say a pattern of nothing."""
    if not isinstance(check, dict) or check.get("engine") != ENGINE:
        return None
    try:
        return built(Rule).model_validate(check.get("implementation"))
    except ValidationError:
        return None


def _custom(holder: Mapping[str, Any]) -> dict[str, Any]:
    """Return custom properties by their names."""
    pairs = (one for one in _list(holder.get("customProperties")) if isinstance(one, dict))
    return {str(one.get("property")): one.get("value") for one in pairs}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
