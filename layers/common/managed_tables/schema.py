"""Owns what a table's schema is: columns, their types and the PostgreSQL types behind them."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class ColumnType(StrEnum):
    """The contract's column types, narrowest meaning first nowhere: the order is the contract's."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


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


class Column(BaseModel):
    """One column as the API shows it: `name` in SQL, `display_name` for people."""

    model_config = ConfigDict(frozen=True)

    name: str
    display_name: str
    type: ColumnType
    nullable: bool


Columns = Sequence[Column]
