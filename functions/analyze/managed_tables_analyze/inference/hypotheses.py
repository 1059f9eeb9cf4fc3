"""List what a column may be: the types in order of narrowness, each in the formats it may have."""

from dataclasses import dataclass, replace
from functools import cache

from managed_tables.conversion.columns import DecimalMark, Formats, build_conversion
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.tallies import AnyCondition

MARKS: tuple[DecimalMark, ...] = (",", ".")
# Year first is the narrowest: every order accepts it. Month first comes last: it needs a cell that
# allows nothing else.
ORDERS: tuple[DateOrder, ...] = ("ymd", "dmy", "mdy")

# What some cell of a column must have for a type or a shape to fit any: cheap to look for.
_NUMBER = "[0-9$]"  # `R$ -` is nothing, as accountants write it
_LETTER, _TIME = "[A-Za-z]", ":"
_DAY = "[-/.][0-9]+[-/.]"
_NEEDS = {
    Shape.DAY: _DAY,
    Shape.NAMED: _LETTER,  # days in digits fit a narrower hypothesis
    Shape.MONTH: f"[0-9][-/]|{_LETTER}|{_DAY}",
    Shape.YEAR_MONTH: "[0-9][.][01][0-9]",
    Shape.COMPACT: _NUMBER,
}


@dataclass(frozen=True)
class Hypothesis:
    """A type with the formats that matter to it; the other formats are left at their defaults."""

    type: ColumnType
    formats: Formats
    shape: Shape = Shape.DAY

    def test(self, cell: str) -> str:
        """Return the SQL test that a cell looks like this."""
        return build_conversion(cell, self.type, self.formats, self.shape).suggests

    def empty(self, cell: str) -> str:
        """Return the SQL test that a cell holds no value of this type."""
        return build_conversion(cell, self.type, self.formats).empty

    def converts(self, cell: str) -> str:
        """Return the SQL test that a cell converts, whatever its shape suggests."""
        return build_conversion(cell, self.type, self.formats).converts

    def value(self, cell: str) -> str:
        """Return the SQL of the canonical text of a cell that fits."""
        return build_conversion(cell, self.type, self.formats).value

    @property
    def needs(self) -> tuple[str, ...]:
        """Regular expressions that each match some cell of a column, unless a narrower type fits, too."""
        if self.type.is_time:
            return (_NEEDS[self.shape], _TIME) if self.type is ColumnType.DATETIME else (_NEEDS[self.shape],)
        return (_NUMBER,) if self.type.is_number else ()


@dataclass(frozen=True)
class ChosenType(AnyCondition):
    """A type that a person might choose, though the cells do not suggest it."""

    type: ColumnType
    formats: Formats

    def test(self, cell: str) -> str:
        """Return the SQL test that a cell converts to this."""
        return build_conversion(cell, self.type, self.formats).converts


Rungs = tuple[tuple[Hypothesis, ...], ...]


@cache
def ladder(plain: Formats, *, may_be_compact: bool) -> Rungs:
    """Return the groups of hypotheses, narrowest first; those of one group are counted together.

    `plain` are the shared formats. Eight digits are days only where the label says so (`may_be_compact`).
    """
    compact = ((Hypothesis(ColumnType.DATE, plain, Shape.COMPACT),),) if may_be_compact else ()
    numbers = [_marked(column_type, plain) for column_type in (ColumnType.INTEGER, ColumnType.DECIMAL)]
    days, moments = (_dated(column_type, plain) for column_type in (ColumnType.DATE, ColumnType.DATETIME))
    months = ((Hypothesis(ColumnType.DATE, plain, Shape.MONTH),),)
    year_months = ((Hypothesis(ColumnType.DATE, plain, Shape.YEAR_MONTH),),)
    return (
        *compact,
        *year_months,
        *numbers,
        (Hypothesis(ColumnType.BOOLEAN, plain),),
        *days,
        *months,
        *moments,
    )


@cache
def unit_rung(plain: Formats, unit: str) -> tuple[Hypothesis, ...]:
    """Return the hypotheses that every number of a column carries this unit."""
    return _marked(ColumnType.DECIMAL, replace(plain, unit=unit))


def _marked(column_type: ColumnType, formats: Formats) -> tuple[Hypothesis, ...]:
    return tuple(Hypothesis(column_type, replace(formats, decimal_mark=mark)) for mark in MARKS)


def _dated(column_type: ColumnType, formats: Formats) -> Rungs:
    orders = [(Hypothesis(column_type, replace(formats, date_order=order)),) for order in ORDERS]
    return (*orders, (Hypothesis(column_type, formats, Shape.NAMED),))
