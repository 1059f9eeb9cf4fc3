"""Check a table's definition: names, columns, types, each fault named in `details`."""

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict

from managed_tables.details import Detail, DetailCode, Fault, detail, json_path, shown_text
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.identifiers import (
    MAX_COLUMNS,
    MAX_IDENTIFIER_BYTES,
    RESERVED_COLUMNS,
    is_identifier,
    is_table_name,
    is_visible,
)
from managed_tables.schema import MAX_LABEL_CHARACTERS, Column, ColumnType
from managed_tables.wording import number

_LONG_LABEL = f"display_name tem mais de {MAX_LABEL_CHARACTERS} caracteres"
_UNSUITED = Fault(
    "NOT_ALLOWED", "format: date é de datas; thousands, decimals, currency e percent, de números"
)
_NOT_STORABLE = "display_name tem um caractere que o banco não guarda"
MAX_TITLE_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 2_000
IDENTIFIER_RULE = (
    "deve ter só letras minúsculas sem acento, algarismos e _, não começar com algarismo e ter no máximo"
    f" {MAX_IDENTIFIER_BYTES} caracteres"
)


class ColumnChange(Column):
    """A column as an update asks for it: `previous_name` is the name of the column that it continues."""

    model_config = ConfigDict(frozen=True)

    previous_name: str | None = None

    def as_column(self, old: Column | None = None) -> Column:
        """Return the column that is asked for; of `old` it keeps what the request does not name.

        The default stays only where it is the same value in the new type, the format where it suits it.
        """
        column = Column(**{name: getattr(self, name) for name in Column.model_fields})
        if old is None:
            return column
        unnamed = {"description", "default", "format"} - self.model_fields_set
        is_wider = (old.type, self.type) == (ColumnType.INTEGER, ColumnType.DECIMAL)
        is_text = self.type is ColumnType.TEXT and not old.default_is_now
        if not (self.type is old.type or is_wider or is_text):
            unnamed.discard("default")
        kept = {name: getattr(old, name) for name in unnamed}
        if old.format is not None and not old.format.suits(self.type):
            kept.pop("format", None)
        return column.model_copy(update=kept)


def check_table_name(display_name: str) -> None:
    """Raise INVALID_SCHEMA unless a table may have this name."""
    if not is_identifier(display_name):
        fault = Fault("INVALID_NAME", IDENTIFIER_RULE)
    elif not is_table_name(display_name):
        fault = Fault("RESERVED_NAME", "não pode começar com pg_")
    else:
        return
    found = detail("body", fault, path="display_name", value=shown_text(display_name))
    raise ApiError(INVALID_SCHEMA, [found], reason=f"display_name {fault.reason}")


def check_columns(columns: Sequence[Column]) -> None:
    """Raise INVALID_SCHEMA unless these can be a table's columns; `details` name path and column."""
    if not columns:
        raise ApiError(INVALID_SCHEMA, reason="é preciso ao menos uma coluna")
    if len(columns) > MAX_COLUMNS:
        raise ApiError(INVALID_SCHEMA, reason=f"mais de {MAX_COLUMNS} colunas")
    details: list[Detail] = []
    seen: set[str] = set()
    for index, column in enumerate(columns):
        found = _fault(column, seen)
        if found:
            field, fault = found
            details.append(column_fault(index, shown_text(column.name), fault, field=field))
        seen.add(column.name)
    raise_faults(details)


def column_fault(index: int, name: str | None, fault: Fault, *, field: str = "", **keys: Any) -> Detail:
    """Return the detail about the request's column at `index`; `field` is the wrong field."""
    path = json_path(["columns", index, *([field] if field else [])])
    named = {} if name is None else {"column": name}
    return detail("body", fault, path=path, **named, **keys)


def raise_faults(details: Sequence[Detail], total: int | None = None) -> None:
    """Raise INVALID_SCHEMA if there are any faults, the first one in its sentence."""
    if details:
        first = details[0]
        name = f' ("{first["column"]}")' if "column" in first else ""
        raise ApiError(INVALID_SCHEMA, details, total, reason=f"{first['path']}{name}: {first['reason']}")


def _fault(column: Column, seen: set[str]) -> tuple[str, Fault] | None:
    """Return which field of the column is wrong, and why."""
    label = column.display_name
    checks: tuple[tuple[bool, str, DetailCode, str], ...] = (
        (not is_identifier(column.name), "name", "INVALID_NAME", f"name {IDENTIFIER_RULE}"),
        (column.name in RESERVED_COLUMNS, "name", "RESERVED_NAME", "nome reservado"),
        (column.name in seen, "name", "DUPLICATE_NAME", "nome repetido"),
        (not is_visible(label), "display_name", "REQUIRED", "display_name vazio"),
        (len(label) > MAX_LABEL_CHARACTERS, "display_name", "TOO_LONG", _LONG_LABEL),
        (not is_storable(label), "display_name", "INVALID_CHARACTER", _NOT_STORABLE),
    )
    found = ((field, Fault(code, reason)) for is_wrong, field, code, reason in checks if is_wrong)
    first = next(found, None)
    if first is not None:
        return first
    text = text_fault("description", column.description, MAX_DESCRIPTION_CHARACTERS)
    if text is not None:
        return "description", text
    is_unsuited = column.format is not None and not column.format.suits(column.type)
    return ("format", _UNSUITED) if is_unsuited else None


def text_fault(field: str, text: str | None, limit: int) -> Fault | None:
    """Return what is wrong with a free text."""
    if not text:
        return None
    if len(text) > limit:
        return Fault("TOO_LONG", f"{field} tem mais de {number(limit)} caracteres")
    if not is_storable(text):
        return Fault("INVALID_CHARACTER", f"{field} tem um caractere que o banco não guarda")
    if not is_visible(text):
        return Fault("REQUIRED", f"{field} não tem nenhum caractere visível")
    return None


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can hold the text: no NUL character, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
