"""Compose a column's conversion: the expressions of its type, under its formats."""

from dataclasses import dataclass
from typing import Literal

from managed_tables.conversion import cells, numbers, times, units, workbook_cells
from managed_tables.conversion.sql_text import choose, matches
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.schema import ColumnType

DecimalMark = Literal[",", "."]


@dataclass(frozen=True)
class Formats:
    """What analyze has chosen from all cells of a column; it holds for whatever type a person confirms."""

    decimal_mark: DecimalMark = ","
    date_order: DateOrder = "dmy"
    null_tokens: bool = False
    timezone: str = "UTC"  # that of a time without one
    text_tokens: bool = False  # null tokens are empty in a text, too: the column holds nothing else
    workbook: bool = False  # a workbook's own numbers stand among the cells, and need no mark
    unit: str = ""  # that every number of the column carries
    latest: str | None = None  # the last day that a year of two digits may give: nobody is born tomorrow


@dataclass(frozen=True)
class Conversion:
    """SQL expressions over one cell.

    `empty`: the cell becomes NULL. `converts`: the cell, not empty, has a value of the type. `suggests`:
    the cell, not empty, is what the type is recognised by. None of the three is ever NULL for a cell that
    is not. `value`: PostgreSQL's text of the value, defined where `converts` holds; `typed`: the same as a
    BIGINT, a BOOLEAN, a DATE or a moment of `times.datetime_moment`; of other types the text. Test `converts`
    first: a lone `-` is empty, but no cell both converts and is a null token.
    """

    empty: str
    converts: str
    suggests: str
    value: str
    typed: str

    def refuses(self, cell: str, *, nullable: bool = True) -> str:
        """Return the SQL test, never NULL, that the cell cannot be loaded."""
        if_empty = "false" if nullable else "true"
        return choose(
            (f"{cell} IS NULL OR {cell} = ''", if_empty),
            (self.converts, "false"),
            (self.empty, if_empty),
            otherwise="true",
        )


def build_conversion(
    cell: str, column_type: ColumnType, formats: Formats, shape: Shape = Shape.DAY
) -> Conversion:
    """Return the expressions for `cell`, the SQL of a VARCHAR column.

    `shape` is how dates are written where the cells are to suggest them; they convert in every shape.
    """
    match column_type:
        case ColumnType.TEXT:
            return _text(cell, formats)
        case ColumnType.INTEGER | ColumnType.DECIMAL:
            return _number(cell, column_type, formats)
        case ColumnType.BOOLEAN:
            empty = cells.empty_cell(cell, null_tokens=formats.null_tokens)
            converts = cells.is_boolean(cell, digits=True)
            suggests = cells.is_boolean(cell, digits=False)
            value = cells.boolean_value(cell)
            return Conversion(empty, converts, suggests, value, f"({value} = 'true')")
        case ColumnType.DATE | ColumnType.DATETIME:
            return _time(cell, column_type, formats, shape)


def _text(cell: str, formats: Formats) -> Conversion:
    empty = cells.empty_text(cell, null_tokens=formats.text_tokens)
    fits = f"(NOT {empty} AND NOT contains({cell}, chr(0)))"  # which PostgreSQL cannot store
    value = workbook_cells.unmarked(cell) if formats.workbook else cell
    return Conversion(empty, fits, fits, value, value)


def _number(cell: str, column_type: ColumnType, formats: Formats) -> Conversion:
    empty = cells.empty_cell(cell, null_tokens=formats.null_tokens)
    written = workbook_cells.unmarked(cell) if formats.workbook else cell
    written = units.without_unit(written, formats.unit) if formats.unit else written
    number = _plain_number(written, column_type, formats.decimal_mark)
    converts, suggests, value = number.converts, number.suggests, number.value
    if formats.unit:
        has_unit = units.has_unit(cell, formats.unit)
        converts, suggests = f"({has_unit} AND {converts})", f"({has_unit} AND {suggests})"
        value = units.scaled(value, formats.unit)
        if formats.workbook and formats.unit == units.PERCENT:  # its numbers are percentages without the sign
            converts, suggests, value = _with_exact(cell, converts, suggests, value)
    elif formats.workbook:
        converts, suggests, value = _among_numbers(cell, column_type, converts, suggests, value)
    typed = f"({value})::BIGINT" if column_type is ColumnType.INTEGER else value
    return Conversion(empty, converts, suggests, value, typed)


def _plain_number(cell: str, column_type: ColumnType, mark: DecimalMark) -> Conversion:
    is_integer = column_type is ColumnType.INTEGER
    fits = numbers.integer_fits if is_integer else numbers.decimal_fits
    value = numbers.integer_value(cell, mark) if is_integer else numbers.decimal_value(cell, mark)
    converts, suggests = (fits(cell, mark, plain_blanks=blanks) for blanks in (True, False))
    return Conversion("", converts, suggests, value, "")


def _among_numbers(
    cell: str, column_type: ColumnType, converts: str, suggests: str, value: str
) -> tuple[str, str, str]:
    """Return the expressions for a column of texts and a workbook's own numbers, which are exact."""
    if column_type is ColumnType.INTEGER:
        is_other = (matches(cell, workbook_cells.WITH_POINT), "false")
        return choose(is_other, otherwise=converts), choose(is_other, otherwise=suggests), value
    return _with_exact(cell, converts, suggests, value)


def _with_exact(cell: str, converts: str, suggests: str, value: str) -> tuple[str, str, str]:
    """Return the expressions of a decimal with those of a workbook's own numbers before them."""
    exact = matches(cell, workbook_cells.EXACT_NUMBER)
    return (
        choose((exact, "true"), otherwise=converts),
        choose((exact, "true"), otherwise=suggests),
        choose((exact, cell), otherwise=value),
    )


def _time(cell: str, column_type: ColumnType, formats: Formats, shape: Shape) -> Conversion:
    empty = f"({cells.empty_cell(cell, null_tokens=formats.null_tokens)} OR {matches(cell, times.EMPTY_DAY)})"
    order, latest = formats.date_order, formats.latest
    if column_type is ColumnType.DATE:
        converts, suggests = times.day_converts(cell, order), times.day_suggested(cell, order, shape)
        value, typed = times.date_text(cell, order, latest), times.date_typed(cell, order, latest)
        return Conversion(empty, converts, suggests, value, typed)
    converts, suggests = (
        times.datetime_fits(cell, order, formats.timezone, one_shape) for one_shape in (Shape.MONTH, shape)
    )
    value, moment = times.moment_text(cell, order, latest), times.datetime_moment(cell, order, latest)
    return Conversion(empty, converts, suggests, value, moment)
