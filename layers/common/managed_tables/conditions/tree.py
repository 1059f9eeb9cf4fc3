"""Define conditions: values that are equal if their SQL is, since parameters do not count.

They are read from a request: every column, operator and value judged, all that is wrong named.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, NoReturn, Union

from managed_tables.details import (
    MAX_ERROR_DETAILS,
    UNKNOWN_COLUMN,
    Detail,
    Fault,
    InvalidValue,
    Place,
    detail,
    shown_value,
)
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import is_uuid
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.values import Parser, array_text, quoted

MAX_DEPTH = 5  # of `and`, `or` and `not` inside one another
MAX_CONDITIONS = 100
MAX_LIST_VALUES = 1_000  # of one `in` or `nin`

FILTER_NAME = re.compile(r"filter\[(?P<column>[^\[\]]*)\]\[(?P<operator>[^\[\]]*)\]")

Columns = Mapping[str, Column]
Parsers = Mapping[ColumnType, Parser]

_COMMA = re.compile(r"(?<!\\),")
_GROUPS = ("and", "or", "not")

BREAKS = "breaks"  # the operator of a rule
_NO_CONDITION = Fault(
    "INVALID",
    'deve ser {"and": […]}, {"or": […]}, {"not": …}, {"column", "op", "value"} ou {"rule", "op"}',
)
_NO_RULE = Fault("NOT_ALLOWED", "a tabela não tem esta regra")
_NOT_A_LIST = Fault("NOT_A_LIST", "deve ser uma lista")
_TOO_MANY = Fault("TOO_LONG", f"no máximo {MAX_CONDITIONS} condições")


class Operator(StrEnum):
    """How a column is compared; `ne`, `nin` and `not_contains` hold where the column is NULL."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NIN = "nin"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    IS_NULL = "is_null"


TEXT_OPERATORS = {Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH}
_LIST_OPERATORS = {Operator.IN, Operator.NIN}
# Those that hold exactly where another one does not.
NEGATIONS = {Operator.NIN: Operator.IN, Operator.NOT_CONTAINS: Operator.CONTAINS}


@dataclass(frozen=True)
class Comparison:
    """A column compared with a value: PostgreSQL's text, of an array for lists, None for `is_null`."""

    column: str
    type: ColumnType | None  # None for the row's id
    operator: Operator
    value: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Searched:
    """A column that may show a text: numbers with these decimals or as percentages, booleans that hold so."""

    name: str
    type: ColumnType
    decimals: int | None = None
    percent: bool = False
    holds: bool | None = None


@dataclass(frozen=True)
class Search:
    """A text that any of the columns shows; `has_marks`: a point in it may stand for thousands."""

    columns: tuple[Searched, ...]
    zone: str
    has_marks: bool
    text: str = field(compare=False)


@dataclass(frozen=True)
class Breaks:
    """A rule that rows break, with its columns, its table's name in SQL and the zone of its days."""

    rule: Rule
    columns: tuple[Column, ...]
    table: str
    zone: str


Marks = Mapping[str, Breaks]  # by the ids of rules
NO_MARKS: Marks = {}


def marks_of(rules: Iterable[Rule], columns: Columns, table: str, zone: str) -> Marks:
    """Return the conditions that rows break the rules of a table of these columns."""
    return {
        rule.id: Breaks(rule, tuple(columns[name] for name in rule.columns), table, zone) for rule in rules
    }


@dataclass(frozen=True)
class Group:
    """All of the conditions (`and`), or any of them (`or`); with none of them, every row or none."""

    word: Literal["and", "or"]
    conditions: tuple["Condition", ...] = ()

    def __repr__(self) -> str:
        """Return what binds a cursor, as 0.3.0 writes it: amid an upgrade both releases answer pages."""
        return f"{self.word.title()}(conditions={self.conditions!r})"


@dataclass(frozen=True)
class Not:
    """Exactly the rows for which the condition does not hold: NULL is neither here nor there."""

    condition: "Condition"


Condition = Union[Comparison, Search, Breaks, Group, Not]  # noqa: UP007 - refers to itself
EVERY_ROW, _NO_ROW = Group("and"), Group("or")


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Return what holds where all of them do; those that hold of every row are left out."""
    return _grouped("and", [one for one in conditions if one != EVERY_ROW])


def _grouped(word: Literal["and", "or"], conditions: Sequence[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else Group(word, tuple(conditions))


def without_values(condition: Condition) -> Condition:
    """Return the equal condition that holds none of the request's values: fit to be kept."""
    match condition:
        case Group(word, conditions):
            return Group(word, tuple(map(without_values, conditions)))
        case Not(inner):
            return Not(without_values(inner))
        case Search():
            return replace(condition, text="")
        case Comparison():
            return replace(condition, value=None)
        case Breaks():
            return condition


def leaves(condition: Condition) -> Iterator[Comparison | Search | Breaks]:
    """Yield what compares, searches or asks for a rule from left to right: the order of their parameters."""
    match condition:
        case Group(_, conditions):
            for one in conditions:
                yield from leaves(one)
        case Not(inner):
            yield from leaves(inner)
        case _:
            yield condition


_UNKNOWN_OPERATOR = Fault("UNKNOWN_OPERATOR", f"operador desconhecido; use um destes: {', '.join(Operator)}")
_NOT_A_BOOLEAN = Fault("NOT_A_BOOLEAN", "deve ser true ou false")


def read_where(where: Any, columns: Columns, parsers: Parsers, marks: Marks = NO_MARKS) -> Condition:
    """Return the condition of a body's filter tree, `{}` for every row; raises INVALID_REQUEST."""
    reader = _Reader(columns, parsers, marks, "body")
    found = EVERY_ROW if where == {} else reader.tree(where, "where", 0)
    reader.raise_any()
    return found


def read_filters(
    pairs: Iterable[tuple[str, str]], columns: Columns, parsers: Parsers, marks: Marks = NO_MARKS
) -> Condition:
    """Return the condition of all `filter[column][op]=value` in a query string; raises INVALID_REQUEST.

    `filter[rule][breaks]` has a rule's id.
    """
    reader = _Reader(columns, parsers, marks, "query")
    named = [(match, value) for name, value in pairs if (match := FILTER_NAME.fullmatch(name))]
    found = [reader.filter(match["column"], match["operator"], value) for match, value in named]
    reader.raise_any()
    return all_of(found)


class _Reader:
    """Reads the conditions of one request and collects what is wrong with them.

    A tree that is too large is read no further than its limit: whatever is no group counts as a condition, an
    empty group, too, so that no request makes more of them than its limit.
    """

    def __init__(self, columns: Columns, parsers: Parsers, marks: Marks, place: Place) -> None:
        self._columns = columns
        self._parsers = parsers
        self._marks = marks
        self._place = place
        self._conditions = 0
        self._details: list[Detail] = []
        self._faults = 0

    def raise_any(self) -> None:
        if self._details:
            raise ApiError(INVALID_REQUEST, self._details, self._faults)

    def tree(self, node: Any, path: str, depth: int) -> Condition:
        if isinstance(node, dict) and len(node) == 1 and (word := next(iter(node))) in _GROUPS:
            return self._group(word, node[word], f"{path}.{word}", depth + 1)
        self._count(path)
        if isinstance(node, dict) and node.keys() == {"rule", "op"} and node["op"] == BREAKS:
            return self._breaks(node["rule"], f"{path}.rule")
        if not isinstance(node, dict) or not {"column", "op"} <= node.keys() <= {"column", "op", "value"}:
            return self._wrong(path, _NO_CONDITION)
        paths = (f"{path}.column", f"{path}.op", f"{path}.value")
        return self._comparison(node["column"], node["op"], node.get("value"), *paths)

    def filter(self, name: str, word: str, value: str) -> Condition:
        path = f"filter[{name}][{word}]"
        self._count(path)
        if (name, word) == ("rule", BREAKS):
            return self._breaks(value, path)
        return self._comparison(name, word, value, path, path, path)

    def _breaks(self, rule_id: Any, path: str) -> Condition:
        found = self._marks.get(rule_id) if isinstance(rule_id, str) else None
        return found or self._wrong(path, _NO_RULE, value=shown_value(rule_id))

    def _group(self, word: str, content: Any, path: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            self._stop(path, Fault("TOO_DEEP", f"mais de {MAX_DEPTH} níveis de and, or e not"))
        if word == "not":
            return Not(self.tree(content, path, depth))
        if not content or not isinstance(content, list):
            self._count(path)
        if not isinstance(content, list):
            return self._wrong(path, _NOT_A_LIST)
        if len(content) > MAX_CONDITIONS:
            self._stop(path, _TOO_MANY)
        found = [self.tree(one, f"{path}[{number}]", depth) for number, one in enumerate(content)]
        if word == "and":
            return all_of(found)
        return EVERY_ROW if EVERY_ROW in found else _grouped("or", [one for one in found if one != _NO_ROW])

    def _comparison(
        self, name: Any, word: Any, value: Any, name_path: str, word_path: str, value_path: str
    ) -> Condition:
        is_known = isinstance(name, str) and (name == ID_COLUMN or name in self._columns)
        if not is_known:
            self._wrong(name_path, UNKNOWN_COLUMN, value=shown_value(name))
        if not isinstance(word, str) or word not in list(Operator):
            return self._wrong(word_path, _UNKNOWN_OPERATOR, value=shown_value(word))
        if not is_known:
            return EVERY_ROW
        bare = Comparison(name, None if name == ID_COLUMN else self._columns[name].type, Operator(word))
        return self._compared(bare, _from_text(value, bare) if self._place == "query" else value, value_path)

    def _compared(self, bare: Comparison, value: Any, path: str) -> Condition:
        """Return the comparison with its value."""
        name, column_type = bare.column, bare.type
        if bare.operator is Operator.IS_NULL:
            if not isinstance(value, bool):
                return self._wrong(path, _NOT_A_BOOLEAN, column=name, value=shown_value(value))
            return bare if value else Not(bare)
        if bare.operator in TEXT_OPERATORS and column_type is not ColumnType.TEXT:
            fault = Fault("OPERATOR_NOT_FOR_TYPE", "este operador é só para colunas de texto")
            return self._wrong(path, fault, column=name)
        read = self._list if bare.operator in _LIST_OPERATORS else self._value
        return replace(bare, value=read(name, column_type, value, path))

    def _list(self, name: str, column_type: ColumnType | None, values: Any, path: str) -> str:
        if not isinstance(values, list):
            self._wrong(path, _NOT_A_LIST, column=name)
            return ""
        if len(values) > MAX_LIST_VALUES:
            self._stop(path, Fault("TOO_LONG", f"no máximo {MAX_LIST_VALUES} valores"))
        places = enumerate(values)
        return array_text(
            quoted(self._value(name, column_type, one, f"{path}[{number}]")) for number, one in places
        )

    def _value(self, name: str, column_type: ColumnType | None, value: Any, path: str) -> str:
        if value is None:
            fault = Fault("REQUIRED", "não pode ser nulo; para vazios use is_null")
            self._wrong(path, fault, column=name)
            return ""
        try:
            return self._parsers[column_type](value) if column_type else parse_id(value)
        except InvalidValue as error:
            self._wrong(path, error.fault, column=name, value=shown_value(value))
            return ""

    def _count(self, path: str) -> None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            self._stop(path, _TOO_MANY)

    def _stop(self, path: str, fault: Fault) -> NoReturn:
        """Refuse the request without reading on: what is too long costs no more than its limit."""
        self._details.insert(0, detail(self._place, fault, path=path))
        raise ApiError(INVALID_REQUEST, self._details, self._faults + 1)

    def _wrong(self, path: str, fault: Fault, **keys: Any) -> Condition:
        self._faults += 1
        if len(self._details) < MAX_ERROR_DETAILS:
            self._details.append(detail(self._place, fault, path=path, **keys))
        return EVERY_ROW


def parse_id(value: Any) -> str:
    """Return the id of a row as it is; raises InvalidValue."""
    if not isinstance(value, str) or not is_uuid(value):
        raise InvalidValue("INVALID", "deve ser o id de uma linha")
    return value


def _from_text(text: str, bare: Comparison) -> Any:
    """Return a value of a query string as JSON has it: only booleans and lists are written otherwise."""
    if bare.operator in _LIST_OPERATORS:
        item = replace(bare, operator=Operator.EQ)
        return [_from_text(part.replace("\\,", ","), item) for part in _COMMA.split(text)]
    if bare.type is ColumnType.BOOLEAN or bare.operator is Operator.IS_NULL:
        return {"true": True, "false": False}.get(text, text)
    return text
