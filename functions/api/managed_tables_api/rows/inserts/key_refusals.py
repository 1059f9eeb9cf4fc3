"""Say which rows break the table's key: 409, naming the rows of the request and the values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from managed_tables import exact_json
from managed_tables.details import MAX_ERROR_DETAILS, DetailCode, Fault, detail
from managed_tables.errors import DUPLICATE_KEY, ApiError
from managed_tables.messages.wording import named_values
from managed_tables.schema import json_value
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.inserts.conflicts import repeated_keys_statement
from managed_tables_api.rows.running import (
    Execute,
    Found,
    KeyTaken,
    Parameters,
    Runner,
    StaleDefinition,
)


def find_repeated(
    runner: Runner, definition: Definition, taken: KeyTaken, parameters: Parameters, within_request: bool
) -> ApiError:
    """Return DUPLICATE_KEY with the rows of an insert that repeat a key of the table or of the request."""
    definition = _with_key(definition, taken)
    statement = repeated_keys_statement(definition, within_request=within_request)
    found = runner.run(
        definition, statement, {**parameters, "limit": str(MAX_ERROR_DETAILS)}, repeatable=True
    )
    return _refusal(definition, found)


def repeated_keys(execute: Execute, definition: Definition, parameters: Parameters) -> ApiError | None:
    """Return DUPLICATE_KEY where rows of a request have the same key, None where each has its own."""
    statement = repeated_keys_statement(definition, within_request=True)
    found = execute(statement, {**parameters, "limit": str(MAX_ERROR_DETAILS)})
    return None if found[0][1] is None else _refusal(definition, found)


def _refusal(definition: Definition, found: Found) -> ApiError:
    key = ", ".join(definition.key or ())
    details = [
        detail("row", _fault(exact_json.loads(values.encode())), row=number - 1, **_column(definition))
        | {"value": exact_json.loads(values.encode())}
        for _, number, values, _ in found
        if number is not None
    ]
    return ApiError(DUPLICATE_KEY, details, found[0][3], key=key)


def _column(definition: Definition) -> dict[str, str]:
    key = definition.key or ()
    return {"column": key[0]} if len(key) == 1 else {}


def _fault(values: Mapping[str, Any]) -> Fault:
    return Fault(
        DetailCode.DUPLICATE_KEY, f"já existe uma linha com {named_values(values) or 'a mesma chave'}"
    )


def taken_by_update(
    definition: Definition, taken: KeyTaken, rows: Sequence[Mapping[str, str | None]]
) -> ApiError:
    """Return DUPLICATE_KEY with the values that an update would have repeated.

    `rows` are the texts of the changed columns, one list a row of the request; a row is named if its values
    identify it.
    """
    definition = _with_key(definition, taken)
    texts = dict(zip(taken.columns, taken.values, strict=False))
    named = [
        number
        for number, row in enumerate(rows)
        if row and all(row[name] == texts.get(name) for name in row.keys() & texts.keys())
    ]
    values = {name: _typed(definition, name, text) for name, text in texts.items()}
    place = {"row": named[0]} if len(named) == 1 else {}
    found = detail("row", _fault(values), **place, **_column(definition), value=values)
    return ApiError(DUPLICATE_KEY, [found], key=", ".join(definition.key or ()))


def _typed(definition: Definition, name: str, text: str | None) -> object:
    """Return a value of the key as JSON; as its text where PostgreSQL's message cannot be cut into values."""
    if text is None:
        return None
    try:
        return json_value(text, definition.by_name[name].type)
    except (ValueError, ArithmeticError):
        return text


def _with_key(definition: Definition, taken: KeyTaken) -> Definition:
    """Return the definition with the key that was taken; raises StaleDefinition where that is not known.

    The index of a key refuses rows while it is being built, and while it is being dropped: the definition has
    the key only in between.
    """
    key = tuple(taken.columns) or definition.key
    if key is None or not definition.by_name.keys() >= set(key):
        raise StaleDefinition
    return definition if key == definition.key else replace(definition, key=key)
