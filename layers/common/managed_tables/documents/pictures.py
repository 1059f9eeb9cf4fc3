"""What is known of files without keeping them: pictures of columns, accounts of lines, digests of rows.

A picture holds ranges, shares and shapes; texts are kept as digests only, since they may name people.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce

from pydantic import Field

from managed_tables.documents.document import Count, Document

MAX_SHAPES = 20  # of a column of codes: one that has more is free text
MAX_CATEGORIES = 50  # of a column, each there several times
MAX_LINES_KEPT = 1_000  # of those left out: beyond them nothing is known of a line


class LeftOutLine(Document):
    """A line that is no row: why, what it says, and its filled cells by their place."""

    line: Count
    code: str
    cells: list[str | None] = Field(default=[])
    is_row: bool = False  # by its shape: it fills as many cells as rows do, each as its column's type has it

    @property
    def text(self) -> str:
        """What it says, its cells in a row."""
        return " ".join(cell.strip() for cell in self.cells if cell)


class LineAccount(Document):
    """What became of each line of a file, or row of a sheet: one fate each, so that the sum is the file."""

    file: str
    sheet: str | None = None
    lines: Count  # of the file, counted by themselves
    rows: Count  # lines that are rows: one of several lines counts as many
    header: Count
    blank: Count
    left_out: dict[str, int] = Field(default={})  # by why
    left: list[LeftOutLine] = Field(default=[], max_length=MAX_LINES_KEPT)

    @property
    def is_whole(self) -> bool:
        """Whether the fates are those of all lines of the file."""
        return self.lines == self.rows + self.header + self.blank + sum(self.left_out.values())


class RowsDigest(Document):
    """Rows of one file or sheet in whatever order: how many, the sum of their digests, the least of these."""

    rows: Count
    total: str
    least: list[str] = Field(default=[], max_length=64)


class Picture(Document):
    """What a column holds, in one load or in several."""

    type: str
    rows: Count
    filled: Count
    emptiest: float = 0  # the greatest share of empty cells of a load
    fullest: float = 1  # the greatest share of filled ones
    negative: tuple[float, float] | None = None  # of numbers: the least and the greatest share of a load
    least: float | None = None  # of numbers, without signs and zeros; of days since 1970
    greatest: float | None = None
    medians: tuple[float, float] | None = None  # of numbers, as `least`
    span: float | None = None  # of days: from the first to the last of one load, the longest
    shapes: list[str] | None = None  # of texts, None where they are many
    categories: list[str] | None = None  # digests of texts, None where they are many

    def joined(self, other: "Picture") -> "Picture":
        """Return the picture of the loads of both."""
        return Picture(
            type=self.type,
            rows=self.rows + other.rows,
            filled=self.filled + other.filled,
            emptiest=max(self.emptiest, other.emptiest),
            fullest=max(self.fullest, other.fullest),
            negative=_joined_range(self.negative, other.negative),
            least=_choose(min, self.least, other.least),
            greatest=_choose(max, self.greatest, other.greatest),
            medians=_joined_range(self.medians, other.medians),
            span=_choose(max, self.span, other.span),
            shapes=_joined_texts(self, other, self.shapes, other.shapes, MAX_SHAPES),
            categories=_joined_texts(self, other, self.categories, other.categories, MAX_CATEGORIES),
        )


class LoadMemory(Document):
    """What a load leaves to be compared with: its columns by the table's names, and its rows' digests."""

    pictures: dict[str, Picture] = Field(default={})
    digests: list[RowsDigest] = Field(default=[])


def join_pictures(pictures: Iterable[Picture]) -> Picture | None:
    """Return the picture of all loads of a column, newest first; those of another type end it."""
    known = list(pictures)
    alike = [one for one in known if one.type == known[0].type]
    return reduce(Picture.joined, alike) if alike else None


def _choose(pick: Callable[[list[float]], float], one: float | None, other: float | None) -> float | None:
    given = [value for value in (one, other) if value is not None]
    return pick(given) if given else None


def _joined_range(
    one: tuple[float, float] | None, other: tuple[float, float] | None
) -> tuple[float, float] | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])


def _joined_texts(
    one: Picture, other: Picture, mine: Sequence[str] | None, theirs: Sequence[str] | None, most: int
) -> list[str] | None:
    """Return the texts of both; None where they are many in either, or together."""
    if (one.filled and mine is None) or (other.filled and theirs is None):
        return None
    texts = list(dict.fromkeys([*(mine or ()), *(theirs or ())]))
    return texts if len(texts) <= most else None
