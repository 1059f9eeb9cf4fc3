"""Parse the rows of a request into parameters, naming every wrong value, and texts of values into answers.

A column of many rows is turned into PostgreSQL's text all at once: a thousand rows cost a few calls. Anything
unusual is left to `managed_tables.values`, value by value, which names the fault.
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.details import (
    MAX_ERROR_DETAILS,
    UNKNOWN_COLUMN,
    Detail,
    Fault,
    InvalidValue,
    detail,
    shown_value,
)
from managed_tables.documents.document import Scalar
from managed_tables.errors import INVALID_ROWS, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import MAX_DECIMAL_DIGITS, Column, ColumnType, is_storable, json_value
from managed_tables.values import Parser, Parsers, array_text, default_text, quoted
from managed_tables_api.http.requests import Numbers, refusal
from managed_tables_api.rows.running import Definition

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
        raise refusal("rows", Fault("NOT_A_LIST", "deve ser uma lista com ao menos uma linha"))
    limit = MAX_CELLS // (len(definition.columns) + 1)
    if len(rows) > limit:
        fault = Fault("TOO_LONG", f"no máximo {limit} linhas desta tabela por requisição")
        raise refusal("rows", fault)
    findings = Findings()
    check_fields(definition.by_name.keys(), rows, findings)
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
    check_fields(definition.by_name.keys(), [fields], findings)
    changes = {
        name: _parse_cell(column, value, parsers[column.type], 0, findings)
        for name, value in fields.items()
        if (column := definition.by_name.get(name)) is not None
    }
    findings.raise_any()
    return changes


NOT_NULLABLE = Fault("REQUIRED", "a coluna não aceita nulo")
_REQUIRED = Fault("REQUIRED", "obrigatório: a coluna não aceita nulo")
_ID_GIVEN = Fault("READ_ONLY", "o id é definido pelo servidor")


def check_fields(known: Set[str], rows: Sequence[Any], findings: Findings) -> None:
    """Find rows that are no objects, and fields that are not known."""
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            findings.add(number, None, row, Fault("NOT_AN_OBJECT", "cada linha deve ser um objeto"))
        elif not row.keys() <= known:
            for name in row:
                if name not in known:
                    fault = _ID_GIVEN if name == ID_COLUMN else UNKNOWN_COLUMN
                    findings.add(number, name, row[name], fault)


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
    name, quote = column.name, element_of(column)
    values = [row.get(name) for _, row in numbered]
    takes_null = column.nullable and (unnamed in (None, NULL) or all(name in row for _, row in numbered))
    if takes_null or None not in values:  # none but is what its value says, or is refused for an empty one
        at_once = array_elements(column.type, values)
        if at_once is not None:
            return array_text(at_once)
    elements: list[str] = []
    for number, row in numbered:
        if name not in row and unnamed is not None:
            elements.append(unnamed)
            continue
        text = _parse_cell(column, row.get(name), parse, number, findings, is_named=name in row)
        elements.append(NULL if text is None else quote(text))
    return array_text(elements)


def _parse_cell(
    column: Column, value: Any, parse: Parser, row: int, findings: Findings, *, is_named: bool = True
) -> str | None:
    """Return PostgreSQL's text of a value, None for NULL, and for what is refused."""
    if value is None:
        if not column.nullable:
            findings.add(row, column.name, None, NOT_NULLABLE if is_named else _REQUIRED)
        return None
    try:
        return parse(value)
    except InvalidValue as error:
        findings.add(row, column.name, value, error.fault)
        return None


def element_of(column: Column) -> Callable[[str], str]:
    """Return what makes an element of an array of a column's text."""
    return quoted if column.type is ColumnType.TEXT else str


_MAX_INTEGER = 2**63 - 1
_DATES = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2},)*")
_MOMENTS = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z,)*")

Texts = list[str] | None


def array_elements(kind: ColumnType, values: Sequence[Any]) -> Texts:
    """Return the values as elements of PostgreSQL's text of an array; None where one must be judged alone."""
    present = [value for value in values if value is not None]
    taken, convert = _CONVERSIONS[kind]
    if not set(map(type, present)) <= taken:
        return None
    texts = convert(present) if present else []
    if texts is None or len(present) == len(values):
        return texts
    given = iter(texts)
    return [NULL if value is None else next(given) for value in values]


def _of_text(values: Sequence[str]) -> Texts:
    joined = "".join(values)
    if not is_storable(joined):
        return None
    if "\\" in joined or '"' in joined:
        values = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return [f'"{value}"' for value in values]


def _of_integer(values: Sequence[int]) -> Texts:
    return list(map(str, values)) if min(values) >= -_MAX_INTEGER and max(values) <= _MAX_INTEGER else None


def _of_decimal(values: Sequence[Decimal | int]) -> Texts:
    texts = list(map(str, values))
    plain = not any(letter in "".join(texts) for letter in "ENI")  # an exponent, NaN, Infinity
    return texts if plain and max(map(len, texts)) <= MAX_DECIMAL_DIGITS else None


def _in_calendar(pattern: re.Pattern[str], parse: Callable[[str], object], values: Sequence[str]) -> Texts:
    """Return the values as they are, where each has the one form that PostgreSQL takes in any session."""
    if not pattern.fullmatch(",".join(values) + ","):
        return None
    try:
        for value in values:
            parse(value)
    except ValueError:
        return None
    return list(values)


_CONVERSIONS: dict[ColumnType, tuple[set[type], Callable[[Any], Texts]]] = {
    ColumnType.TEXT: ({str}, _of_text),
    ColumnType.INTEGER: ({int}, _of_integer),
    ColumnType.DECIMAL: ({Decimal, int}, _of_decimal),
    ColumnType.BOOLEAN: ({bool}, lambda values: ["true" if value else "false" for value in values]),
    ColumnType.DATE: ({str}, partial(_in_calendar, _DATES, date.fromisoformat)),
    ColumnType.DATETIME: ({str}, partial(_in_calendar, _MOMENTS, datetime.fromisoformat)),
}


def value_of(kind: ColumnType, text: str | None, numbers: Numbers) -> Scalar:
    """Return PostgreSQL's text of a value as an answer shows it; one of another type, as it stands."""
    if text is None or (numbers == "string" and kind.is_number):
        return text
    try:
        return json_value(text, kind)
    except (ValueError, ArithmeticError):
        return text
