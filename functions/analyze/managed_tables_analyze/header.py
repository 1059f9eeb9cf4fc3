"""Owns where a table begins in a grid of cells, and what its columns are called.

Above the header there may be titles, notes and blank lines; the header may have several lines, or be
missing. The same rules serve CSV files and worksheets.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from managed_tables.errors import TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables_analyze.cells import is_blank, is_null, is_value, is_year, value_class
from managed_tables_analyze.sheets import Row

_MAX_HEADER_LINES = 3
_MAX_ROWS_COMPARED = 200
_COMMENT = "#"


@dataclass
class Header:
    """Where the table is: its labels (cut to `width`), and the number of the first row of data.

    `first_line` is the header's own row number, None where there is no header. `skipped` are the row
    numbers of titles and notes above it.
    """

    labels: list[str]
    width: int
    first_line: int | None
    data_line: int  # rows from this number on are data
    skipped: list[int] = field(default_factory=list)


def find_header(rows: Sequence[Row]) -> Header | None:
    """Find the header in the first rows of a table; None where all of them are blank."""
    filled = [(number, cells) for number, cells in rows if any(not is_blank(cell) for cell in cells)]
    if not filled:
        return None
    width = _width(filled)
    start = _first_table_row(filled, width)
    body = filled[start : start + _MAX_ROWS_COMPARED]
    lines = _header_lines(body, width)
    skipped = [number for number, _ in filled[:start]]
    if lines == 0:
        return Header([], max(width, _longest(body)), None, body[0][0], skipped)
    labels = _labels([cells for _, cells in body[:lines]], body[lines:])
    data_line = body[lines][0] if len(body) > lines else body[lines - 1][0] + 1
    return Header(labels, len(labels), body[0][0], data_line, skipped)


def check_width(header: Header, name: str) -> None:
    """Refuse a table that PostgreSQL has no room for; JobError naming the line."""
    if header.width > MAX_COLUMNS:
        line = header.first_line or header.data_line
        raise JobError(TOO_MANY_COLUMNS, file=name, count=header.width, line=line, limit=MAX_COLUMNS)


def _width(rows: Sequence[Row]) -> int:
    """Return the usual number of cells: the most frequent, one cell coming last."""
    lengths = Counter(_extent(cells) for _, cells in rows)
    several = {length: count for length, count in lengths.items() if length > 1}
    total = sum(lengths.values())
    if several and sum(several.values()) * 3 >= total:
        return max(several, key=lambda length: (several[length], length))
    return max(lengths, key=lambda length: (lengths[length], length))


def _extent(cells: Sequence[str | None]) -> int:
    """Return the number of cells up to the last that is filled."""
    return next((i + 1 for i in range(len(cells) - 1, -1, -1) if not is_blank(cells[i])), 0)


def _longest(rows: Sequence[Row]) -> int:
    return max(_extent(cells) for _, cells in rows)


def _count_filled(cells: Sequence[str | None]) -> int:
    return sum(not is_blank(cell) for cell in cells)


def _first_table_row(rows: Sequence[Row], width: int) -> int:
    """Return the index of the first row that is not a title, a note or a comment above the table."""
    if width < 2:
        return next((i for i, (_, cells) in enumerate(rows) if not _is_comment(cells)), 0)
    needed = max(2, width * 0.5)
    for index, (_, cells) in enumerate(rows):
        if _is_comment(cells) and len(rows) > index + 1:
            continue
        if _count_filled(cells) >= needed or (_count_filled(cells) >= 2 and _extent(cells) >= width):
            return index
        if (
            width == 2
            and len(cells) >= 2
            and index + 1 < len(rows)
            and _is_labelled_below(rows[index + 1][1])
        ):
            return index
    return next((i for i, (_, cells) in enumerate(rows) if _count_filled(cells) >= 2), 0)


def _is_labelled_below(cells: Sequence[str | None]) -> bool:
    """Tell whether the row under a half-filled one is data, so that the half-filled one is a header."""
    return _count_filled(cells) >= 2 and any(is_value(cell) for cell in cells)


def _is_comment(cells: Sequence[str | None]) -> bool:
    return (
        bool(cells)
        and (cells[0] or "").lstrip().startswith(_COMMENT)
        and (cells[0] or "").strip() != _COMMENT
    )


def _header_lines(body: Sequence[Row], width: int) -> int:
    """Return how many of the first rows are header: 0 where the first is data."""
    rows = [cells for _, cells in body]
    if not _is_header(rows[0], rows[1:], width):
        return 0
    lines = 1
    while lines < min(_MAX_HEADER_LINES, len(rows) - 1) and _continues_header(rows, lines, width):
        lines += 1
    return lines


def _is_header(row: Sequence[str | None], below: Sequence[Sequence[str | None]], width: int) -> bool:
    """Weigh, column by column, whether the row names what is below or is one more of it."""
    if not below:
        return not any(is_value(cell) and not is_year(cell) for cell in row)
    score = 0.0
    for column in range(min(width, len(row))):
        score += _label_evidence(row[column], [cells[column] for cells in below if column < len(cells)])
    return score >= 0


def _label_evidence(cell: str | None, below: Sequence[str | None]) -> float:
    """Weigh whether a cell is a label of the cells below (up to 1) or one of them (down to -1)."""
    values = [value for value in below if not is_null(value)]
    if is_blank(cell):
        return -0.2 if values else 0.0
    kinds = Counter(value_class(value) for value in values)
    kind = value_class(cell)
    if not values:
        return 0.3 if kind == "text" else -0.3
    usual, count = kinds.most_common(1)[0]
    if kind in ("text", "boolean", "null"):
        if usual in ("text", "null"):
            return -0.7 if cell in values else 0.2
        if usual == "boolean":
            return 1.0 if kind == "text" else -1.0
        return 1.0 if count * 2 > len(values) else 0.3
    if is_year(cell):
        return 0.2 if usual == "number" and not any(is_year(value) for value in values) else -0.8
    return -1.0 if kind == usual else -0.5


def _continues_header(rows: Sequence[Sequence[str | None]], lines: int, width: int) -> bool:
    """Tell whether row `lines` is one more line of the header begun above it."""
    row, above, below = rows[lines], rows[lines - 1], rows[lines + 1 :]
    if _count_filled(row) == 0 or any(is_value(cell) and not is_year(cell) for cell in row):
        return False
    if [_text(cell) for cell in row] == [_text(cell) for cell in above]:
        return True
    columns = range(min(width, len(row)))
    typed = [c for c in columns if _is_typed([cells[c] for cells in below if c < len(cells)])]
    named = [c for c in typed if not is_blank(row[c]) and value_class(row[c]) == "text"]
    if not typed or len(named) * 2 < len(typed):
        return False
    # A second line of labels completes a first with gaps (merged cells), or gives units.
    gaps = _count_filled(above) < _count_filled(row)
    units = all(_is_unit(row[c]) for c in columns if not is_blank(row[c]))
    return gaps or units


def _is_typed(values: Sequence[str | None]) -> bool:
    present = [value for value in values if not is_null(value)]
    return bool(present) and sum(is_value(value) for value in present) * 10 >= len(present) * 9


def _is_unit(cell: str | None) -> bool:
    text = (cell or "").strip()
    return (text.startswith(("(", "[")) and text.endswith((")", "]"))) or text in (
        "%",
        "R$",
        "US$",
        "kg",
        "un",
        "m²",
    )


def _labels(lines: Sequence[Sequence[str | None]], below: Sequence[Row]) -> list[str]:
    """Join the header's lines column by column, a gap in a line standing for the label left of it."""
    width = max(_extent(cells) for cells in lines)
    widest = max((_extent(cells) for _, cells in below), default=0)
    if len(lines) == 1:
        labels = [(cell or "").replace("\ufeff", "") for cell in lines[0][:width]]
        return _without_surplus_blank(labels, widest)
    parts: list[list[str]] = [[] for _ in range(width)]
    for number, cells in enumerate(lines):
        spread = number < len(lines) - 1 and any(is_blank(cell) for cell in cells[:width])
        group = ""
        for column in range(width):
            text = _text(cells[column]) if column < len(cells) else ""
            group = text or group
            part = text or (group if spread and _has_text_below(lines[number + 1 :], column) else "")
            if part and (not parts[column] or parts[column][-1] != part):
                parts[column].append(part)
    return [" ".join(part) for part in parts]


def _has_text_below(lines: Sequence[Sequence[str | None]], column: int) -> bool:
    return any(column < len(cells) and not is_blank(cells[column]) for cells in lines)


def _without_surplus_blank(labels: list[str], widest: int) -> list[str]:
    """Drop the one blank label that makes a header longer than every row below it: a doubled delimiter."""
    blank = sum(is_blank(label) for label in labels)
    if 1 < widest < len(labels) and len(labels) - widest == blank:
        return [label for label in labels if not is_blank(label)]
    return labels


def _text(cell: str | None) -> str:
    return " ".join((cell or "").replace("\ufeff", "").split())
