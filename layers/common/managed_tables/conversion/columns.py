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
    is_integer, mark, unit = column_type is ColumnType.INTEGER, formats.decimal_mark, formats.unit
    written = workbook_cells.unmarked(cell) if formats.workbook else cell
    written = units.without_unit(written, unit) if unit else written
    fits = numbers.integer_fits if is_integer else numbers.decimal_fits
    value = numbers.integer_value(written, mark) if is_integer else numbers.decimal_value(written, mark)
    tests = [fits(written, mark, plain_blanks=blanks) for blanks in (True, False)]  # converts, suggests
    if unit:
        tests = [f"({units.has_unit(cell, unit)} AND {test})" for test in tests]
        value = units.scaled(value, unit)
    if formats.workbook:
        tests, value = _with_exact(cell, tests, value, is_integer=is_integer, unit=unit)
    empty = cells.empty_cell(cell, null_tokens=formats.null_tokens)
    return Conversion(empty, tests[0], tests[1], value, f"({value})::BIGINT" if is_integer else value)


def _with_exact(
    cell: str, tests: list[str], value: str, *, is_integer: bool, unit: str
) -> tuple[list[str], str]:
    """Return tests and value with a workbook's own numbers: exact, and percentages without the sign."""
    if is_integer and not unit:
        has_point = matches(cell, workbook_cells.WITH_POINT)
        return [choose((has_point, "false"), otherwise=test) for test in tests], value
    if unit not in ("", units.PERCENT):
        return tests, value
    is_exact = matches(cell, workbook_cells.EXACT_NUMBER)
    exact = [choose((is_exact, "true"), otherwise=test) for test in tests]
    return exact, choose((is_exact, cell), otherwise=value)


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
