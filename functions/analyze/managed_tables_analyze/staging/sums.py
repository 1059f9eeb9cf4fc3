"""Find a last row whose numbers are the sums or the means of those above it: a total, named or not.

A total named by a word is already part of the footer (`layout/grid.py`); here the rows above prove it.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeGuard

from duckdb import DuckDBPyConnection

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables.conversion.sql_text import literal
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables_reader.rows.sheets import Row

_COLUMNS_COMPARED = 60
_FEWEST_ROWS = 2  # to sum: one alone is its own sum
_WORD = re.compile(
    r"(sub[- ]?)?tota(l|is)\b.*|somas?\b.*|somat[óo]rio\b.*|m[ée]dias?\b.*|sum|average|mean", re.IGNORECASE
)
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*(E[-+]?[0-9]{1,2})?", re.IGNORECASE)
_AROUND = f"R$% \t\u00a0{TEXT_SIGN}"  # what may surround the digits of a number
_MARKS = ((",", "."), (".", ","))  # thousands separator, decimal mark
_TOLERANCE = Decimal("0.000001")  # of sums computed with binary fractions
_ROUNDING = Decimal("1e-9")  # of a mean, by which doubles and sums of ten decimals may be off


def find_sum(connection: DuckDBPyConnection, staged: Path, columns: Sequence[int]) -> Row | None:
    """Return the last row of a staged part if it sums up those above it, else None.

    Each of its numbers is the sum or the mean of its column, and some column that is filled in all rows above
    is blank in it or names the row (`Média`).
    """
    source = staged_rows(staged)
    row = _last_row(connection, source, columns) if len(columns) > 1 else None
    if row is None:
        return None
    line, cells = row
    places = dict(zip(columns, cells, strict=True))
    numbers = {column: cell for column, cell in places.items() if _is_number(cell)}
    words = {column: cell for column, cell in places.items() if column not in numbers}
    above = f"{source} WHERE line < {line}"
    is_sum = (
        numbers
        and all(map(_may_name_sum, words.values()))
        and _has_names(connection, above, list(words))
        and all(_sums_up(connection, above, *one) for one in numbers.items())
    )
    return row if is_sum else None


def _last_row(connection: DuckDBPyConnection, source: str, columns: Sequence[int]) -> Row | None:
    cells = ", ".join(f"c{column}" for column in columns)
    query = f"SELECT line, {cells} FROM {source} ORDER BY line DESC LIMIT 1"  # noqa: S608 - own SQL
    found = connection.execute(query).fetchone()
    return None if found is None else (found[0], list(found[1:]))


def _is_number(cell: str | None) -> TypeGuard[str]:
    return _NUMBER.fullmatch((cell or "").strip(_AROUND)) is not None


def _may_name_sum(cell: str | None) -> bool:
    return cell is None or not cell.strip() or _WORD.fullmatch(cell.strip()) is not None


def _has_names(connection: DuckDBPyConnection, above: str, columns: Sequence[int]) -> bool:
    """Return whether there are rows to sum, and one of these columns has a value in each of them."""
    counts = [f"count(nullif(trim(c{column}), ''))" for column in columns[:_COLUMNS_COMPARED]]
    found = connection.execute(f"SELECT {', '.join(['count(*)', *counts])} FROM {above}").fetchone()  # noqa: S608
    assert found is not None  # noqa: S101 - an aggregate has one row
    return found[0] >= _FEWEST_ROWS and found[0] in found[1:]


def _sums_up(connection: DuckDBPyConnection, above: str, column: int, cell: str) -> bool:
    """Return whether a number is the sum or the mean of its column, by either decimal mark."""
    return any(_is_sum(connection, above, column, cell, *marks) for marks in _MARKS)


def _is_sum(
    connection: DuckDBPyConnection, above: str, column: int, cell: str, group: str, decimal: str
) -> bool:
    digits = cell.strip(_AROUND).replace(group, "").replace(decimal, ".")
    if digits.count(".") > 1:
        return False
    value = Decimal(digits)
    number = (
        f"TRY_CAST(replace(replace(trim(c{column}, {literal(_AROUND)}), {literal(group)}, ''), "
        f"{literal(decimal)}, '.') AS DECIMAL(28, 10))"
    )
    query = (
        f"SELECT count(nullif(trim(c{column}), '')), count(n), sum(n)::VARCHAR, count(nullif(n, 0)), "  # noqa: S608
        f"min(n) <> max(n) FROM (SELECT c{column}, {number} AS n FROM {above})"
    )
    filled, count, total, effective, differ = connection.execute(query).fetchone() or (0, 0, None, 0, False)
    if filled != count or effective < _FEWEST_ROWS:  # words among them, or nothing that adds up
        return False
    half = Decimal(1).scaleb(min(0, int(value.as_tuple().exponent))) / 2  # a mean is written rounded
    is_mean = bool(differ) and abs(Decimal(total) / count - value) <= max(half, abs(value) * _ROUNDING)
    return is_mean or abs(Decimal(total) - value) <= _TOLERANCE
