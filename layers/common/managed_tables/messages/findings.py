"""Declare findings about files as data: a code, the places, the values that a sentence names.

Only `sentences.py` words them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from typing_extensions import TypeAliasType

MAX_LINES = 20  # of one finding: `count` says how many there are
MAX_PREVIEW = 5  # rows shown of what was left out
PREVIEW_CHARACTERS = 60  # of one row


# Why a file or sheet was read as it was.
ReasonCode = Literal[
    "ENCODING_DETECTED", "DELIMITER_DETECTED", "SINGLE_COLUMN", "HEADER_DETECTED", "NO_HEADER", "STATED",
    "SHEET_HIDDEN", "SHEET_EMPTY", "SHEET_WITHOUT_ROWS", "SHEET_DIFFERS", "PROSE", "EXCLUDED",
]  # fmt: skip

# What may have changed a value, or doubles rows; last, that nobody knows, since a check failed.
_ValueCode = Literal[
    "SAME_FILE", "AMBIGUOUS_MARK", "UNGROUPED_THOUSANDS", "AMBIGUOUS_DATES", "TWO_DIGIT_YEARS",
    "MONTHS_AS_DATES", "SWAPPED_DATES",
    "ZEROS_LOST", "SHORTENED_NUMBERS", "DIGITS_LOST", "ROUNDED_NUMBERS", "MOJIBAKE", "INVALID_UTF8",
    "BYTES_LOST", "NUL_REMOVED", "NAN_CELLS", "REPAIRED_ROWS", "LONG_ROWS", "SHORT_ROWS", "NAMELESS_COLUMNS",
    "MATCHED_BY_POSITION", "MERGED_FILLED", "ERROR_CELLS", "UNCACHED_FORMULAS", "SURROUNDING_BLANKS",
    "NOT_CHECKED",
]  # fmt: skip
# What was left out, or taken though it may not belong.
_PlaceCode = Literal[
    "SUBTOTAL_LINES", "GROUP_LINES", "JOINED_SHEETS", "LINES_ABOVE", "FOOTER", "REPEATED_HEADER",
    "SECTION_LINES", "SEPARATOR_LINES", "COMMENT_LINES", "SHEETS_LEFT_OUT", "EMPTY_SHEETS", "HIDDEN_SHEETS",
    "HIDDEN_ROWS", "HIDDEN_COLUMNS", "NOT_A_TABLE", "OTHER_TABLES", "TABLE_APART", "HEADER_ASSUMED",
    "HEADER_AGAIN", "TABLE_JOINED", "TABLE_BESIDE", "MEMBERS_LEFT_OUT", "LISTS_WITHIN", "LINES_LEFT_OUT",
]  # fmt: skip
# What a person should look at before confirming: last, what else is good to know.
WarningCode = TypeAliasType("WarningCode", Literal[
    _ValueCode, _PlaceCode, "OTHER_HEADER", "LABELS_CUT", "WRAPPED_LINES", "REJECTED_ROWS", "REPAIRS_LOST",
    "WORKBOOK_BASE_GONE", "COLUMNS_NOT_MERGED", "MORE_WARNINGS",
])  # fmt: skip
# Why a column has its type, or might have another.
GroundCode = Literal[
    "CELLS_FIT", "DATE_ORDER", "ORDER_OF_COLUMN", "ORDER_OF_DAYS", "ORDER_OF_MARKS", "ORDER_OF_LABELS",
    "DECIMAL_MARK", "NULL_TOKENS", "ZONE_TAKEN", "PERCENT", "UNIT", "SHOWN_IN", "CODE", "LONE_LETTERS",
    "NO_VALUES",
    "NO_COMMON_TYPE", "OTHER_MARK", "COMPACT_DATES", "ALL_NUMBERS", "LETTERS", "MISFITS",
    "WRITTEN_DIFFERENTLY", "BARE_EXPONENTS", "PARENTHESES", "LEADING_ZEROS", "MIXED_UNITS", "SOME_UNITS",
    "UNKNOWN_UNIT", "TIMES_OF_DAY", "STATED", "SHEET_NAMES", "FILE_NAMES",
]  # fmt: skip
WARNING_CODES, VALUE_CODES = get_args(WarningCode.__value__), get_args(_ValueCode)


FindingValue = str | int | Sequence[str] | None
"""What a sentence names: a text, a type, a number or several names."""


@dataclass(frozen=True)
class Finding:
    """One thing found: its code, where it is, and the values that its sentence names."""

    code: WarningCode | GroundCode
    values: Mapping[str, FindingValue] = field(default_factory=dict)
    count: int | None = None  # of lines, in all
    lines: tuple[int, ...] = ()  # the first physical lines or rows of the sheet
    preview: tuple[str, ...] = ()  # the start of rows that were left out
    columns: tuple[str, ...] = ()  # names
    places: tuple[int, ...] = ()  # of columns (from 0) that have no name yet: `named` gives them theirs
    file: str | None = None  # its name
    sheet: str | None = None  # its name

    @property
    def may_change_a_value(self) -> bool:
        """Return whether some cell may mean something else than what was read."""
        return self.code in VALUE_CODES

    def at(self, file: str | None = None, sheet: str | None = None) -> "Finding":
        """Return the finding with the place that only its caller knows."""
        return replace(self, file=self.file or file, sheet=self.sheet or sheet)

    def named(self, names: Mapping[int, str]) -> "Finding":
        """Return the finding with the names of the columns that it is about; some may have been left out."""
        found = tuple(names[place] for place in self.places if place in names)
        return replace(self, columns=(*self.columns, *found), places=())


def about_lines(
    code: WarningCode, lines: Sequence[int], count: int | None = None, **values: FindingValue
) -> Finding:
    """Return a finding about lines; it names the first of them."""
    return Finding(code, values, len(lines) if count is None else count, tuple(lines[:MAX_LINES]))


class LineNotes:
    """Counts odd lines by code, and keeps the first of each; the `codes` come first, in their order."""

    def __init__(self, *codes: WarningCode) -> None:
        self.lines = defaultdict[WarningCode, list[int]](list, {code: [] for code in codes})
        self.counts = defaultdict[WarningCode, int](int)
        self.examples: dict[WarningCode, str] = {}

    def add(self, code: WarningCode, line: int, example: str | None = None) -> None:
        """Note an odd line; the first example is kept."""
        if example is not None:
            self.examples.setdefault(code, example)
        self.counts[code] += 1
        lines = self.lines[code]
        if len(lines) < MAX_LINES:
            lines.append(line)

    def findings(self) -> list[Finding]:
        """Return one finding for each code that was noted."""
        noted = {code: lines for code, lines in self.lines.items() if self.counts[code]}
        shown = {code: {"example": example} for code, example in self.examples.items()}
        return [about_lines(code, noted[code], self.counts[code], **shown.get(code, {})) for code in noted]


def preview(rows: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    """Return how the first of some rows begin, for a person to judge whether they matter."""
    texts = (" ".join(cell.strip() for cell in cells if cell and cell.strip()) for cells in rows)
    shown = [text[:PREVIEW_CHARACTERS] for text in texts if text]
    return tuple(shown[:MAX_PREVIEW])
