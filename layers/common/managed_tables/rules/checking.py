"""Judge the rules that a table is to have: each fault by its path, before anything is changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.details import UNKNOWN_COLUMN, Detail, Fault, InvalidValue, detail, shown_value
from managed_tables.rules.patterns import PatternFault, portable
from managed_tables.rules.rule import ALL_PARTS, MAX_RULES, PARTS, TODAY, Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.values import parsers

Columns = Mapping[str, Column]
FindColumns = Callable[[str], Columns | None]
"""Return the columns of another table by its id, None where there is none."""

_MAX_CHARACTERS = 10_000_000  # of a cell, more or less: an answer has 6 MB
_T = ColumnType
_TYPES: Mapping[str, tuple[ColumnType, ...]] = {
    "range": (_T.INTEGER, _T.DECIMAL, _T.DATE, _T.DATETIME),
    "length": (_T.TEXT,),
    "pattern": (_T.TEXT,),
    "list": (_T.TEXT, _T.INTEGER, _T.DECIMAL, _T.DATE),
    "in_table": (_T.TEXT, _T.INTEGER, _T.DATE),
    "named": (_T.TEXT, _T.INTEGER),
}
_COMPARABLE = ({_T.INTEGER, _T.DECIMAL}, {_T.DATE}, {_T.DATETIME})
_EQUATABLE = (*_COMPARABLE, {_T.TEXT}, {_T.BOOLEAN})

_NOT_FOR_TYPE = Fault(
    "OPERATOR_NOT_FOR_TYPE", "esta regra não é para uma coluna deste tipo: mude ou tire a regra"
)
_ONE_COLUMN = Fault("NOT_ALLOWED", "esta regra é de uma coluna só")
_TWO_COLUMNS = Fault("NOT_ALLOWED", "esta regra compara duas colunas diferentes, de tipos que se comparam")
_REPEATED = Fault("REPEATED", "coluna repetida")
_SAME_ID = Fault("DUPLICATE_ID", "id repetido em outra regra")
_OF_OTHERS = Fault("NOT_ALLOWED", "este campo é de outro tipo de regra")
_MISSING = Fault("REQUIRED", "falta o que a regra exige")
_BOUNDS = Fault("OUT_OF_RANGE", "o mínimo é maior que o máximo")
_CHARACTERS = Fault("NOT_AN_INTEGER", "deve ser um número inteiro de caracteres, a partir de 0")
_NO_TABLE = Fault("NOT_ALLOWED", "não existe uma tabela com este _id ou nome")
_OTHER_TYPE = Fault("NOT_ALLOWED", "a coluna da outra tabela é de outro tipo")


def rule_faults(
    rules: Sequence[Rule], columns: Columns, zone: str, find_columns: FindColumns
) -> Iterator[Detail]:
    """Yield what is wrong with the rules of a table of these columns; times without a zone are in `zone`."""
    if len(rules) > MAX_RULES:
        yield detail("body", Fault("TOO_LONG", f"mais de {MAX_RULES} regras"), path="rules")
        return
    seen: set[str] = set()
    for place, rule in enumerate(rules):
        path = f"rules[{place}]"
        named = {"rule": rule.id} if rule.id else {}
        if rule.id and rule.id in seen:
            yield detail("body", _SAME_ID, path=f"{path}.id", **named)
        seen.add(rule.id)
        for field, fault, more in _faults(rule, columns, zone, find_columns):
            yield detail("body", fault, path=f"{path}.{field}", **more, **named)


_Found = tuple[str, Fault, Mapping[str, Any]]  # the field, what is wrong, and keys of the detail


def _faults(rule: Rule, columns: Columns, zone: str, find_columns: FindColumns) -> Iterator[_Found]:
    """Yield what is wrong with one rule: with its columns, else with what it says of them."""
    found = [*_column_faults(rule, columns), *_part_faults(rule)]
    if not found:
        judged = [columns[name] for name in rule.columns]
        found = [*_type_faults(rule, judged)] or [*_value_faults(rule, judged[0], zone)]
    if not found and rule.kind == "in_table":
        found = [*_reference_faults(rule, columns[rule.columns[0]], find_columns)]
    yield from found


def _column_faults(rule: Rule, columns: Columns) -> Iterator[_Found]:
    for place, name in enumerate(rule.columns):
        if name not in columns:
            yield f"columns[{place}]", UNKNOWN_COLUMN, {"column": name}
        elif name in rule.columns[:place]:
            yield f"columns[{place}]", _REPEATED, {"column": name}
    if rule.kind not in ("unique", "compare") and len(rule.columns) > 1:
        yield "columns", _ONE_COLUMN, {}


def _part_faults(rule: Rule) -> Iterator[_Found]:
    own = PARTS[rule.kind]
    given = [part for part in ALL_PARTS if getattr(rule, part) is not None]
    for part in given:
        if part not in own:
            yield part, _OF_OTHERS, {}
    missing = [part for part in own if part not in given]
    if missing and (own != ("min", "max") or missing == ["min", "max"]):
        yield missing[0], _MISSING, {}


def _type_faults(rule: Rule, judged: Sequence[Column]) -> Iterator[_Found]:
    if rule.kind == "compare":
        groups = _EQUATABLE if rule.op in ("eq", "ne") else _COMPARABLE
        types = {column.type for column in judged}
        if len(judged) != 2 or not any(types <= group for group in groups):
            yield "columns", _TWO_COLUMNS, {}
    elif rule.kind != "unique" and judged[0].type not in _TYPES[rule.kind]:
        yield "columns[0]", _NOT_FOR_TYPE, {"column": judged[0].name}


def _value_faults(rule: Rule, column: Column, zone: str) -> Iterator[_Found]:
    if rule.kind == "pattern":
        yield from _pattern_faults(rule.pattern or "")
    elif rule.kind == "length":
        yield from _length_faults(rule)
    else:
        yield from _typed_faults(rule, column, zone)


def _pattern_faults(pattern: str) -> Iterator[_Found]:
    try:
        portable(pattern)
    except PatternFault as fault:
        reason = f"no caractere {fault.place} do padrão: {fault.reason}"
        yield "pattern", Fault("PATTERN_NOT_ALLOWED", reason), {"value": pattern[fault.place - 1 :]}


def _typed_faults(rule: Rule, column: Column, zone: str) -> Iterator[_Found]:
    texts: dict[str, str] = {}
    given = {"min": rule.min, "max": rule.max}
    given |= {f"values[{place}]": value for place, value in enumerate(rule.values or ())}
    parse = parsers(ZoneInfo(zone))[column.type]
    for field, value in given.items():
        is_today = value == TODAY and column.type.is_time and rule.kind == "range"
        if value is None or is_today:
            continue
        try:
            texts[field] = parse(value)
        except InvalidValue as error:
            yield field, error.fault, {"value": shown_value(value)}
    if {"min", "max"} <= texts.keys() and _order(texts["min"], column) > _order(texts["max"], column):
        yield "max", _BOUNDS, {}


def _order(text: str, column: Column) -> Any:
    return Decimal(text) if column.type.is_number else text


def _length_faults(rule: Rule) -> Iterator[_Found]:
    bounds = {"min": rule.min, "max": rule.max}
    wrong = [field for field, bound in bounds.items() if bound is not None and not _is_length(bound)]
    for field in wrong:
        yield field, _CHARACTERS, {"value": shown_value(getattr(rule, field))}
    if not wrong and rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield "max", _BOUNDS, {}


def _is_length(bound: object) -> bool:
    return type(bound) is int and 0 <= bound <= _MAX_CHARACTERS


def _reference_faults(rule: Rule, own: Column, find_columns: FindColumns) -> Iterator[_Found]:
    columns = find_columns(rule.table or "")
    if columns is None:
        yield "table", _NO_TABLE, {"value": rule.table}
    elif rule.column is None or rule.column not in columns:
        yield "column", UNKNOWN_COLUMN, {"value": rule.column}
    elif columns[rule.column].type is not own.type:
        yield "column", _OTHER_TYPE, {"value": rule.column}
