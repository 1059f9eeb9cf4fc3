"""Owns a column's conversion: the expressions of its type, under the formats that its cells settled."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from managed_tables.conversion import cells, numbers, times
from managed_tables.schema import ColumnType

DecimalMark = Literal[",", "."]
DateOrder = Literal["dmy", "mdy", "ymd"]


@dataclass(frozen=True)
class Formats:
    """What analyze settled over all cells of a column; it holds for whatever type a person confirms."""

    decimal_mark: DecimalMark = ","
    date_order: DateOrder = "dmy"
    null_tokens: bool = False
    timezone: str = "UTC"
    """That of a time without one."""

    def as_record(self) -> dict[str, Any]:
        """Return the object that analysis.json keeps."""
        return asdict(self)


@dataclass(frozen=True)
class Conversion:
    """SQL expressions over one cell.

    `empty`: the cell becomes NULL. `converts`: the cell, not empty, has a value of the type. `suggests`:
    the cell, not empty, is what the type is recognised by. None of the three is ever NULL for a cell that
    is not. `value`: what PostgreSQL reads, defined where `converts` holds. Test `converts` first: a
    lone `-` is empty, but no cell both converts and is a null token.
    """

    empty: str
    converts: str
    suggests: str
    value: str


def build_conversion(cell: str, column_type: ColumnType, formats: Formats) -> Conversion:
    """Return the expressions for `cell`, the SQL of a VARCHAR column."""
    empty = cells.empty_cell(cell, null_tokens=formats.null_tokens)
    mark, order = formats.decimal_mark, formats.date_order
    match column_type:
        case ColumnType.TEXT:
            fits = cells.text_fits(cell)
            return Conversion(cells.empty_text(cell), fits, fits, cell)
        case ColumnType.INTEGER:
            converts = numbers.integer_fits(cell, mark, plain_blanks=True)
            suggests = numbers.integer_fits(cell, mark, plain_blanks=False)
            return Conversion(empty, converts, suggests, numbers.integer_value(cell, mark))
        case ColumnType.DECIMAL:
            converts = numbers.decimal_fits(cell, mark, plain_blanks=True)
            suggests = numbers.decimal_fits(cell, mark, plain_blanks=False)
            return Conversion(empty, converts, suggests, numbers.decimal_value(cell, mark))
        case ColumnType.BOOLEAN:
            converts = cells.is_boolean(cell, digits=True)
            suggests = cells.is_boolean(cell, digits=False)
            return Conversion(empty, converts, suggests, cells.boolean_value(cell))
        case ColumnType.DATE:
            converts = times.date_fits(cell, order, chosen=True)
            suggests = times.date_fits(cell, order, chosen=False)
            return Conversion(empty, converts, suggests, times.date_value(cell, order))
        case ColumnType.DATETIME:
            fits = times.datetime_fits(cell, order, formats.timezone)
            return Conversion(empty, fits, fits, times.datetime_value(cell, order))
