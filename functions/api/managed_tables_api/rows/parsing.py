"""Parse the rows of a request into parameters; collect and name every wrong value."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.details import (
    MAX_ERROR_DETAILS,
    UNKNOWN_COLUMN,
    Detail,
    DetailCode,
    Fault,
    InvalidValue,
    detail,
    shown_value,
)
from managed_tables.errors import INVALID_ROWS, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column, ColumnType
from managed_tables.values import Parser, Parsers, array_text, default_text, quoted
from managed_tables_api.http.validation import refusal
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.whole_columns import array_elements

NULL = "NULL"  # as an element of an array
# Rows times columns of one insert: a request of 6 MB can name 2 million empty rows, and each empty cell
# costs as much memory here as a full one.
MAX_CELLS = 3_000_000


class Findings:
    """The faults in the rows: all are counted, the first are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.details: list[Detail] = []

    def add(self, row: int, column: str | None, value: Any, fault: Fault) -> None:
        """Count a fault in a row."""
        self.count += 1
        named = {} if column is None else {"column": column}
        self.details.append(detail("row", fault, row=row, **named, value=shown_value(value)))
        if len(self.details) > MAX_CELLS // 1_000:
            self._keep_first()

    def raise_any(self) -> None:
        """Raise INVALID_ROWS where anything is wrong."""
        if self.count:
            self._keep_first()
            raise ApiError(INVALID_ROWS, self.details, self.count, count=self.count)

    def _keep_first(self) -> None:
        # Columns are judged one after another: the first rows come first all the same.
        self.details.sort(key=lambda detail: detail["row"])
        del self.details[MAX_ERROR_DETAILS:]


def parse_rows(definition: Definition, rows: Any, parsers: Parsers, zone: ZoneInfo) -> list[str]:
    """Return one array literal a column, in the table's order; raises INVALID_REQUEST or INVALID_ROWS.

    A row that does not name a column has its default; `zone` is that of today's date.
    """
    if not isinstance(rows, list) or not rows:
        raise refusal("rows", _NO_ROWS)
    limit = MAX_CELLS // (len(definition.columns) + 1)
    if len(rows) > limit:
        fault = Fault(DetailCode.TOO_LONG, f"no máximo {limit} linhas desta tabela por requisição")
        raise refusal("rows", fault)
    findings = Findings()
    _check_fields(definition, rows, findings)
    if any(not isinstance(row, dict) for row in rows):
        findings.raise_any()
    numbered = list(enumerate(rows))
    literals = [
        column_array(column, numbered, parsers[column.type], _default(column, zone), findings)
        for column in definition.columns
    ]
    findings.raise_any()
    return literals


def _default(column: Column, zone: ZoneInfo) -> str | None:
    text = default_text(column, zone)
    return None if text is None else element_of(column)(text)


def parse_changes(
    definition: Definition, fields: Mapping[str, Any], parsers: Parsers
) -> dict[str, str | None]:
    """Return the parameter of each given field; raises INVALID_ROWS."""
    findings = Findings()
    _check_fields(definition, [fields], findings)
    changes: dict[str, str | None] = {}
    for name, value in fields.items():
        column = definition.by_name.get(name)
        if column is None:
            continue
        if value is None:
            if not column.nullable:
                findings.add(0, name, None, _NOT_NULLABLE)
            changes[name] = None
            continue
        try:
            changes[name] = parsers[column.type](value)
        except InvalidValue as error:
            findings.add(0, name, value, error.fault)
    findings.raise_any()
    return changes


_NO_ROWS = Fault(DetailCode.NOT_A_LIST, "deve ser uma lista com ao menos uma linha")
_NOT_NULLABLE = Fault(DetailCode.REQUIRED, "a coluna não aceita nulo")
_REQUIRED = Fault(DetailCode.REQUIRED, "obrigatório: a coluna não aceita nulo")
NO_OBJECT = Fault(DetailCode.NOT_AN_OBJECT, "cada linha deve ser um objeto")
_ID_GIVEN = Fault(DetailCode.READ_ONLY, "o id é definido pelo servidor")


def _check_fields(definition: Definition, rows: Sequence[Any], findings: Findings) -> None:
    known = definition.by_name.keys()
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            findings.add(number, None, row, NO_OBJECT)
        elif not row.keys() <= known:
            for name in row:
                if name == ID_COLUMN:
                    findings.add(number, name, row[name], _ID_GIVEN)
                elif name not in known:
                    findings.add(number, name, row[name], UNKNOWN_COLUMN)


def column_array(
    column: Column,
    numbered: Sequence[tuple[int, Mapping[str, Any]]],
    parse: Parser,
    unnamed: str | None,
    findings: Findings,
) -> str:
    """Return the column's values as the text of a PostgreSQL array; rows come with their numbers.

    A row that does not name the column has the element `unnamed`; where that is None, it has NULL, or is
    refused.
    """
    name, nullable = column.name, column.nullable
    elements = _at_once(column, numbered, unnamed)
    if elements is not None:
        return array_text(elements)
    quote = element_of(column)
    elements = []
    for number, row in numbered:
        value = row.get(name)
        if value is None and unnamed is not None and name not in row:
            elements.append(unnamed)
            continue
        if value is None:
            if not nullable:
                findings.add(number, name, None, _NOT_NULLABLE if name in row else _REQUIRED)
            elements.append(NULL)
            continue
        try:
            elements.append(quote(parse(value)))
        except InvalidValue as error:
            findings.add(number, name, value, error.fault)
    return array_text(elements)


def _at_once(
    column: Column, numbered: Sequence[tuple[int, Mapping[str, Any]]], unnamed: str | None
) -> list[str] | None:
    """Return the elements where none is but what its value says, or is refused for an empty one."""
    name = column.name
    values = [row.get(name) for _, row in numbered]
    is_plain = column.nullable and (unnamed in (None, NULL) or all(name in row for _, row in numbered))
    if is_plain or all(value is not None for value in values):
        return array_elements(column.type, values)
    return None


def element_of(column: Column) -> Callable[[str], str]:
    """Return what makes an element of an array of a column's text."""
    return quoted if column.type is ColumnType.TEXT else str
