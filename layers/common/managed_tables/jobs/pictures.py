"""Look at the rows of a staged object by DuckDB: what each column holds, and digests of the rows.

Analyze looks at a file, and Insert again at what a person has it loaded as. Digests are of the cells as they
stand in the file, so that what a load has is known again in any other file, archive or order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.sql_text import choose
from managed_tables.documents.pictures import MAX_CATEGORIES, MAX_SHAPES, Picture, RowsDigest
from managed_tables.schema import ColumnType

MAX_COLUMNS_SEEN = 400  # each costs a query
_SHAPE_CHARACTERS = 60
_LEAST_DIGESTS = 64
_REPEATED = 2  # how often a category is there on average


class _Answer(Protocol):
    def fetchall(self) -> list[Any]: ...


class DuckDB(Protocol):
    """What is asked: a connection of DuckDB."""

    def execute(self, query: str, /) -> _Answer:
        """Run the query."""
        ...


@dataclass(frozen=True)
class Looked:
    """A column to look at: the SQL of its cells, its type, how they are converted."""

    cell: str
    type: ColumnType
    formats: Formats

    @property
    def value(self) -> str:
        """The SQL of a cell's canonical text; NULL where it is empty or does not fit."""
        conversion = build_conversion(self.cell, self.type, self.formats)
        return choose(
            (f"{self.cell} IS NULL OR {self.cell} = ''", "NULL"),
            (conversion.converts, conversion.value),
            otherwise="NULL",
        )


def take_picture(connection: DuckDB, rows: str, column: Looked) -> Picture:
    """Return the picture of a column of these rows, an SQL relation."""
    if column.type.is_number:
        return _of_numbers(connection, rows, column)
    if column.type.is_time:
        return _of_days(connection, rows, column)
    return _of_texts(connection, rows, column)


def shape_of(text: str) -> str:
    """Return the SQL of a text's shape: each digit a 9, and letters, as many as stand together, an A."""
    digits = f"regexp_replace(left({text}, {_SHAPE_CHARACTERS}), '[0-9]', '9', 'g')"
    return f"regexp_replace({digits}, '\\p{{L}}+', 'A', 'g')"


def category_of(text: str) -> str:
    """Return the SQL of the digest by which a text is known again, whatever its case."""
    return f"left(md5(lower(trim({text}))), 12)"


def digest_rows(connection: DuckDB, rows: str, cells: Sequence[str]) -> list[RowsDigest]:
    """Return a digest for each file and sheet of the rows; `cells` are SQL, in an order that files share."""
    bare = (f"trim(replace(coalesce({cell}, ''), chr(13), ''))" for cell in cells)
    text = f"concat_ws(chr(31), {', '.join(bare)})"
    query = (
        "SELECT count(*), (sum(md5_number_lower(t))::HUGEINT)::VARCHAR || '.' ||"  # noqa: S608 - own SQL
        f" (sum(md5_number_upper(t))::HUGEINT)::VARCHAR, min(left(md5(t), 16), {_LEAST_DIGESTS})"
        f" FROM (SELECT file, sheet, {text} AS t FROM {rows}) GROUP BY file, sheet ORDER BY file, sheet"
    )
    return [
        RowsDigest(rows=count, total=total, least=least or [])
        for count, total, least in connection.execute(query).fetchall()
    ]


def find_repeated(known: Iterable[RowsDigest], found: Iterable[RowsDigest]) -> bool:
    """Return whether rows of `found` are all or mostly among those of `known`, or the other way round."""
    return any(_overlap(one, other) for one in known for other in found)


def _overlap(one: RowsDigest, other: RowsDigest) -> bool:
    """Return whether most rows of the smaller of both are in the other, judged by the least of their digests.

    Of both, the digests below the least of the two limits are known whole.
    """
    if not one.rows or not other.rows:
        return False
    if (one.rows, one.total) == (other.rows, other.total):
        return True
    limits = [max(both.least) for both in (one, other) if len(both.least) == _LEAST_DIGESTS]
    limit = min(limits, default="g")  # beyond every hexadecimal digit
    mine, theirs = ({text for text in both.least if text <= limit} for both in (one, other))
    fewer = min(len(mine), len(theirs))
    return fewer >= _FEWEST_ALIKE and len(mine & theirs) * 2 > fewer


_FEWEST_ALIKE = 5  # rows, below which the same ones may come again by chance


def _of_numbers(connection: DuckDB, rows: str, column: Looked) -> Picture:
    [(count, filled, below, least, greatest, median)] = connection.execute(
        "SELECT count(*), count(x), count(*) FILTER (x < 0), min(abs(x)) FILTER (x <> 0), max(abs(x)),"  # noqa: S608
        " median(abs(x)) FILTER (x <> 0)"
        f" FROM (SELECT TRY_CAST({column.value} AS DOUBLE) AS x FROM {rows}) WHERE x IS NULL OR isfinite(x)"
    ).fetchall()
    picture = _picture(column, count, filled)
    if filled:
        share = below / filled
        medians = None if median is None else (median, median)
        known = {"negative": (share, share), "least": least, "greatest": greatest, "medians": medians}
        return picture.model_copy(update=known)
    return picture


def _of_days(connection: DuckDB, rows: str, column: Looked) -> Picture:
    [(count, filled, least, greatest)] = connection.execute(
        "SELECT count(*), count(x), min(x), max(x) FROM"  # noqa: S608 - own SQL
        f" (SELECT floor(epoch(TRY_CAST(left({column.value}, 19) AS TIMESTAMP)) / 86400) AS x FROM {rows})"
    ).fetchall()
    span = None if least is None else greatest - least
    return _picture(column, count, filled).model_copy(
        update={"least": least, "greatest": greatest, "span": span}
    )


def _of_texts(connection: DuckDB, rows: str, column: Looked) -> Picture:
    categories_of = f"SELECT v FROM f ORDER BY n DESC LIMIT {MAX_CATEGORIES + 1}"  # noqa: S608 - own SQL
    [(count, filled, shapes, categories, distinct)] = connection.execute(
        f"WITH g AS MATERIALIZED (SELECT v, count(*) AS n FROM (SELECT {column.value} AS v FROM {rows})"  # noqa: S608
        " GROUP BY v), f AS (SELECT * FROM g WHERE v IS NOT NULL),"
        f" s AS (SELECT {shape_of('v')} AS shape FROM f)"
        " SELECT (SELECT sum(n)::BIGINT FROM g), (SELECT coalesce(sum(n), 0)::BIGINT FROM f),"
        f" (SELECT list(shape) FROM (SELECT DISTINCT shape FROM s LIMIT {MAX_SHAPES + 1})),"
        f" (SELECT list(DISTINCT {category_of('v')}) FROM ({categories_of})),"
        " (SELECT count(*) FROM f)"
    ).fetchall()
    known: dict[str, Any] = {"shapes": None, "categories": None}
    if shapes and len(shapes) <= MAX_SHAPES:
        known["shapes"] = sorted(shapes)
    if categories and len(categories) <= MAX_CATEGORIES and filled >= _REPEATED * distinct:
        known["categories"] = sorted(categories)
    return _picture(column, count or 0, filled).model_copy(update=known)


def _picture(column: Looked, rows: int, filled: int) -> Picture:
    full = filled / rows if rows else 1.0
    return Picture(type=column.type, rows=rows, filled=filled, emptiest=1 - full, fullest=full)
