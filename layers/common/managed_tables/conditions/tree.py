"""Define conditions: values that are equal if their SQL is, since parameters do not count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, Union

from managed_tables.schema import ColumnType


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
LIST_OPERATORS = {Operator.IN, Operator.NIN}
# Those that hold exactly where another one does not.
NEGATIONS = {Operator.NIN: Operator.IN, Operator.NOT_CONTAINS: Operator.CONTAINS}


@dataclass(frozen=True)
class Comparison:
    """A column compared with a value; `type` is None for the row's id.

    `value` is PostgreSQL's text of the value, for `in` and `nin` that of an array, None for `is_null`.
    """

    column: str
    type: ColumnType | None
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
    zone: str = "UTC"
    has_marks: bool = False
    text: str = field(default="", compare=False)


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


Condition = Union[Comparison, Search, Group, Not]  # noqa: UP007 - refers to itself
EVERY_ROW, NO_ROW = Group("and"), Group("or")


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Return what holds where all of them do; those that hold of every row are left out."""
    return _grouped("and", [one for one in conditions if one != EVERY_ROW])


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Return what holds where any of them does; those that hold of no row are left out."""
    if EVERY_ROW in conditions:
        return EVERY_ROW
    return _grouped("or", [one for one in conditions if one != NO_ROW])


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


def leaves(condition: Condition) -> Iterator[Comparison | Search]:
    """Yield the comparisons and searches from left to right: the order of their parameters."""
    match condition:
        case Group(_, conditions):
            for one in conditions:
                yield from leaves(one)
        case Not(inner):
            yield from leaves(inner)
        case _:
            yield condition
