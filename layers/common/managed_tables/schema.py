"""What a table's schema is: columns, their types and the PostgreSQL types behind them."""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)

from managed_tables.details import InvalidValue

Currency = Literal["BRL", "USD", "EUR"]


class ColumnType(StrEnum):
    """The contract's column types, narrowest meaning first nowhere: the order is the contract's."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"

    @property
    def is_number(self) -> bool:
        """Whether it is an integer or a decimal."""
        return self in (ColumnType.INTEGER, ColumnType.DECIMAL)

    @property
    def is_time(self) -> bool:
        """Whether it is a date or a datetime."""
        return self in (ColumnType.DATE, ColumnType.DATETIME)


POSTGRES_TYPES: dict[ColumnType, str] = {
    ColumnType.TEXT: "text",
    ColumnType.INTEGER: "bigint",
    ColumnType.DECIMAL: "numeric",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "timestamptz",
}

# Of a decimal, written out in full. Seven characters, `1E+9999`, can stand for thousands of digits, which
# every answer would have to carry: a thousand is beyond whatever anybody counts or measures.
MAX_DECIMAL_DIGITS = 1_000


MAX_LABEL_CHARACTERS = 500  # of a column: it is in every answer that shows the table

NOW = "now"  # as the default of a date or a time: the moment at which the row is inserted


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can hold the text: no NUL character, no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _storable(text: object) -> object:
    if isinstance(text, str) and not is_storable(text):
        raise InvalidValue("INVALID_CHARACTER", "contém um caractere inválido")
    return text


STORABLE = BeforeValidator(_storable)


def _named_type(value: object) -> ColumnType:
    try:
        return ColumnType(value)  # type: ignore[arg-type]
    except ValueError as error:
        names = ", ".join(repr(one.value) for one in ColumnType)
        raise InvalidValue("NOT_ALLOWED", f"deve ser um destes: {names}") from error


NamedType = Annotated[ColumnType, BeforeValidator(_named_type)]  # by its name, also where JSON is strict


class ColumnFormat(BaseModel):
    """How a column's values are shown to people; the values themselves have no format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    thousands: bool | None = None
    decimals: Annotated[int, Field(ge=0, le=10)] | None = None
    currency: Currency | None = None
    percent: bool | None = None
    date: Literal["date", "datetime", "time", "month", "year"] | None = None

    def suits(self, column_type: ColumnType) -> bool:
        """Return whether all that is set means something for values of this type."""
        numeric = (self.thousands, self.decimals, self.currency, self.percent)
        is_shown = column_type.is_number or numeric == (None,) * 4
        return is_shown and (column_type.is_time or self.date is None)


def _read_default(given: Any, info: ValidationInfo) -> Any:
    """Return the default as PostgreSQL's text: a request, whose context is `Parsers`, has a value."""
    kind: ColumnType | None = info.data.get("type")
    if given is None or kind is None or not info.context:
        return given
    return NOW if given == NOW and kind.is_time else info.context[kind](given)


_Default = Annotated[
    str | None,
    BeforeValidator(_read_default),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]


class Column(BaseModel):
    """One column as the API shows it: `name` in SQL, `display_name` for people.

    `default` is PostgreSQL's text of the value, or `NOW` for dates and times.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    display_name: str
    type: NamedType
    nullable: bool
    description: str | None = Field(
        default=None, description="Texto livre, até 2.000 caracteres (extensão; ausente onde não há)"
    )
    default: _Default = Field(
        default=None,
        description='Valor do tipo da coluna, ou `"now"` em `date` e `datetime`: o das linhas que não nomeiam'
        " a coluna (extensão; ausente onde não há)",
    )
    format: Annotated[
        ColumnFormat | None, AfterValidator(lambda given: given if given != ColumnFormat() else None)
    ] = Field(
        default=None,
        description="Como os valores são mostrados, nunca o que são (extensão; ausente onde não há)",
    )

    @property
    def column(self) -> "Column":
        """The column alone, without what a subclass says of it."""
        return Column(**{name: getattr(self, name) for name in Column.model_fields})

    @property
    def is_required(self) -> bool:
        """Return whether every new row must name the column."""
        return not self.nullable and self.default is None

    @property
    def default_is_now(self) -> bool:
        """Return whether the default is the moment of insertion."""
        return self.default == NOW and self.type.is_time

    def as_document(self) -> dict[str, Any]:
        """Return the column as stored: JSON, without unset keys."""
        return self.model_dump(mode="json", exclude_none=True)

    def as_answer(self) -> dict[str, Any]:
        """Return the column as the API answers it: as stored, but the default as a JSON value of the type."""
        answer = self.as_document()
        if self.default is not None:
            answer["default"] = json_value(self.default, self.type)
        return answer


_BOOLEANS = {"true": True, "t": True, "false": False, "f": False}


def json_value(text: str, column_type: ColumnType) -> str | int | Decimal | bool:
    """Return the JSON value of a text, stored or PostgreSQL's in UTC; raises ValueError, ArithmeticError."""
    match column_type:
        case ColumnType.INTEGER:
            return int(text)
        case ColumnType.DECIMAL:
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return number
        case ColumnType.BOOLEAN:
            if text not in _BOOLEANS:
                raise ValueError(text)
            return _BOOLEANS[text]
        case ColumnType.DATETIME:
            return re.sub(r"^(\S+)[ T]([\d:]+(?:\.\d*[1-9])?)\.?0*\+00(?::00)?$", r"\1T\2Z", text)
        case _:
            return text


Columns = Sequence[Column]
