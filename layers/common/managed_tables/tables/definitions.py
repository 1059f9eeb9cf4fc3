"""Owns what a table's definition may be: names, columns, types, each fault named in `details`."""

from collections.abc import Sequence

from pydantic import ConfigDict

from managed_tables.errors import INVALID_SCHEMA, ApiError, Detail
from managed_tables.identifiers import (
    MAX_COLUMNS,
    MAX_IDENTIFIER_BYTES,
    RESERVED_COLUMNS,
    is_identifier,
    is_table_name,
)
from managed_tables.schema import Column

IDENTIFIER_RULE = f"deve seguir ^[a-z_][a-z0-9_]*$ e ter no máximo {MAX_IDENTIFIER_BYTES} bytes"


class ColumnChange(Column):
    """A column as an update asks for it: `previous_name` is the name of the column that it continues."""

    model_config = ConfigDict(frozen=True)

    previous_name: str | None = None

    def as_column(self) -> Column:
        """Return the column that is asked for."""
        return Column(name=self.name, display_name=self.display_name, type=self.type, nullable=self.nullable)


def check_table_name(display_name: str) -> None:
    """Raise INVALID_SCHEMA unless a table may bear this name."""
    if not is_identifier(display_name):
        reason = IDENTIFIER_RULE
    elif not is_table_name(display_name):
        reason = "não pode começar com pg_"
    else:
        return
    raise ApiError(
        INVALID_SCHEMA, [{"field": "display_name", "reason": reason}], reason=f"display_name {reason}"
    )


def check_columns(columns: Sequence[Column]) -> None:
    """Raise INVALID_SCHEMA unless these can be a table's columns; `details` name index and column."""
    if not columns:
        raise ApiError(INVALID_SCHEMA, reason="é preciso ao menos uma coluna")
    if len(columns) > MAX_COLUMNS:
        raise ApiError(INVALID_SCHEMA, reason=f"mais de {MAX_COLUMNS} colunas")
    details: list[Detail] = []
    seen: set[str] = set()
    for index, column in enumerate(columns):
        reason = _fault(column, seen)
        if reason:
            details.append({"index": index, "column": _shown(column.name), "reason": reason})
        seen.add(column.name)
    raise_column_faults(details)


def raise_column_faults(details: Sequence[Detail]) -> None:
    """Raise INVALID_SCHEMA if there are any faults, the first one in its sentence."""
    if details:
        first = details[0]
        reason = f'coluna {first["index"]} ("{first["column"]}"): {first["reason"]}'
        raise ApiError(INVALID_SCHEMA, details, reason=reason)


def _fault(column: Column, seen: set[str]) -> str:
    if not is_identifier(column.name):
        return f"name {IDENTIFIER_RULE}"
    if column.name in RESERVED_COLUMNS:
        return "nome reservado"
    if column.name in seen:
        return "nome repetido"
    if not column.display_name.strip():
        return "display_name vazio"
    if not is_storable(column.display_name):
        return "display_name tem um caractere que o banco não guarda"
    return ""


def is_storable(text: str) -> bool:
    """Tell whether PostgreSQL can hold the text: no NUL character, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _shown(text: str) -> str:
    """Return the text as an answer can show it: a name that is no identifier may be anything."""
    return text[:200].encode(errors="backslashreplace").decode()
