"""Owns where a table begins in a grid of cells, and what its columns are called.

Above the header there may be titles, notes and blank lines; the header may have several lines, or be
missing. The same rules serve CSV files and worksheets.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import dropwhile

from managed_tables.errors import TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import Finding, WarningCode, about_lines
from managed_tables_analyze.cells import is_blank, is_null, is_rule, is_value, is_year, value_class
from managed_tables_analyze.counting_labels import counts_on
from managed_tables_analyze.dialect import QUOTE
from managed_tables_analyze.page_head import PageHead
from managed_tables_analyze.reading import lines_between
from managed_tables_analyze.sheets import MergedRange, Row

_MAX_HEADER_LINES = 3  # below the first
_MAX_ROWS_ABOVE = 30  # among which the header is sought
_MAX_ROWS_COMPARED = 200
COMMENT = "#"
_PLAIN_KINDS = ("number", "date", "time", "boolean")  # a column has but one of them


@dataclass
class Header:
    """Where the table is: its labels (cut to `width`), and the number of the first row of data.

    `first_line` is the header's own row number, None where there is no header; `last_line` that of its last
    row, and `line_count` how many it has. `skipped` are the row numbers of titles and notes above it.
    """

    labels: list[str]
    width: int
    first_line: int | None
    data_line: int  # rows from this number on are data
    skipped: list[int] = field(default_factory=list)
    page_head: PageHead = field(default_factory=PageHead)
    last_line: int | None = None
    line_count: int = 0

    def lines_above(self) -> Sequence[int]:
        """Return the lines above the data that are not the header's, blank ones included."""
        last = self.first_line if self.last_line is None else self.last_line
        own = () if self.first_line is None or last is None else range(self.first_line, last + 1)
        return lines_between(1, self.data_line - 1, own)

    def findings(self) -> list[Finding]:
        """Return what to tell of lines above the table: they may have been rows, or another table."""
        return [about_lines(WarningCode.LINES_ABOVE, self.skipped)] if self.skipped else []


def find_header(rows: Sequence[Row], merged: Sequence[MergedRange] = ()) -> Header | None:
    """Find the header in the first rows of a table; None where they hold nothing but drawn lines.

    `merged` are a worksheet's merged cells, which tell a group of columns from a title.
    """
    filled = [(number, cells) for number, cells in rows if any(not is_blank(cell) for cell in cells)]
    if all(is_rule(cells) for _, cells in filled):
        return None
    width = _width([row for row in filled if not _is_form_line(row[1])] or filled)
    start = _first_table_row(filled, width)
    start += _table_apart(filled[start : start + _MAX_ROWS_COMPARED])
    body = filled[start : start + _MAX_ROWS_COMPARED]
    base = _base_line(body, width)
    if base is None and start and _is_commented_header(filled[start - 1], filled[start], width):
        base, start = 0, start - 1
    if base is None:
        start = _count_titles(filled[:start], filled[start:])
        body = filled[start : start + _MAX_ROWS_COMPARED]
        skipped = _numbers_of_titles(filled[:start])
        return Header([], max(width, _longest(body)), None, body[0][0], skipped, _page_head(filled[:start]))
    base += start
    first = base - 1 if _is_group_line(filled, base, merged) else base
    if first == base and not merged:
        first -= _groups_above(filled[:base], filled[base])
    last = base
    while last - base < _MAX_HEADER_LINES and _continues_header(filled, last + 1, base):
        last += 1
    lines = [cells for _, cells in filled[first : last + 1] if not is_rule(cells)] or [filled[base][1]]
    labels = join_labels(lines, filled[last + 1 :])
    data_line = filled[last + 1][0] if len(filled) > last + 1 else filled[last][0] + 1
    skipped = _numbers_of_titles(filled[:first])
    # A header of one line is looked for by itself.
    head = _page_head(filled[: first if first == last else last + 1])
    first_line, last_line = filled[first][0], filled[last][0]
    return Header(labels, len(labels), first_line, data_line, skipped, head, last_line, last + 1 - first)


def _numbers_of_titles(rows: Sequence[Row]) -> list[int]:
    return [number for number, cells in rows if not is_rule(cells)]


def _page_head(rows: Sequence[Row]) -> PageHead:
    return PageHead([cells for _, cells in rows])


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
        return next((i for i, (_, cells) in enumerate(rows) if not (_is_comment(cells) or is_rule(cells))), 0)
    needed = max(2, width * 0.5)
    for index, (_, cells) in enumerate(rows):
        if (_is_comment(cells) or _is_form_line(cells)) and len(rows) > index + 1:
            continue
        count = _count_filled(cells)
        if count >= needed or (count >= 2 and _extent(cells) >= width):
            return index
        if len(cells) >= width and _is_data_right_below(rows, index, width):
            return index  # a header with many blank labels
    return next((i for i, (_, cells) in enumerate(rows) if _count_filled(cells) >= 2), 0)


def _is_data_right_below(rows: Sequence[Row], index: int, width: int) -> bool:
    """Tell whether the next line is a full row that holds values."""
    if index + 1 >= len(rows) or rows[index + 1][0] != rows[index][0] + 1:
        return False
    cells = rows[index + 1][1]
    return _count_filled(cells) >= width and not _is_words(cells)


def _is_comment(cells: Sequence[str | None]) -> bool:
    return (
        bool(cells) and (cells[0] or "").lstrip().startswith(COMMENT) and (cells[0] or "").strip() != COMMENT
    )


def _is_commented_header(above: Row, first: Row, width: int) -> bool:
    """Tell whether the comment right above data without a header names its columns: `#id,name`."""
    number, cells = above
    is_whole = _count_filled(cells) == len(cells) == max(width, 2)
    return is_whole and number == first[0] - 1 and _is_comment(cells) and _is_words(cells)


def _table_apart(rows: Sequence[Row]) -> int:
    """Return how many rows are a small table of their own above the table, a blank line between them.

    The lower one has labels of its own, in another number, and more rows, which they are enough for.
    """
    for index in range(1, min(len(rows), _MAX_ROWS_ABOVE)):
        number, cells = rows[index]
        if number == rows[index - 1][0] + 1:
            continue
        below = [row for _, row in rows[index + 1 :]]
        width = _extent(cells)
        is_larger = len(below) >= index and width not in {_extent(row) for _, row in rows[:index]}
        if (
            is_larger
            and sum(_extent(row) > width for row in below) * 10 <= len(below)
            and not is_blank(cells[0])
            and _is_words(cells)
            and _typed_columns(cells, below, len(cells)) > 0
        ):
            return index
    return 0


def _groups_above(rows: Sequence[Row], labels: Row) -> int:
    """Return how many lines right above labels that do not tell the columns apart belong to the header."""
    named = [_text(cell) for cell in labels[1] if not is_blank(cell)]
    if len(set(named)) == len(named):
        return 0
    count = 0
    for number, cells in reversed(rows[-_MAX_HEADER_LINES:]):
        if number != labels[0] - count - 1 or _count_filled(cells) < 2 or not _is_words(cells):
            break
        count += 1
    return count


def _is_form_line(cells: Sequence[str | None]) -> bool:
    """Tell whether a line is one of a form above the table: a name with a colon and its value."""
    filled = [cell.strip() for cell in cells if cell is not None and not is_blank(cell)]
    return len(filled) == 2 and filled[0].endswith(":") and not filled[1].endswith(":")


def _base_line(body: Sequence[Row], width: int) -> int | None:
    """Return the index of the row that names the columns, None where the table has no header.

    A row of words right above values is one, also when it is not the first (notes of several cells may
    stand above); else the first row is judged alone.
    """
    rows = [cells for _, cells in body]
    named: list[int] = []
    for index, row in enumerate(rows[:_MAX_ROWS_ABOVE]):
        if _is_words(row):
            named.append(index)
        elif named or _is_like(row, rows[index + 1 :], width):
            break
    fullest = max(named, key=lambda index: (_count_filled(rows[index]), -index), default=0)
    last = named[-1] if named else 0
    is_second = width > 1 and last > fullest and not _continues_header(body, last, fullest)
    if is_second and _typed_columns(rows[last], rows[last + 1 :], width) == width:
        return last  # no row has words in every column of values: what is above it is a title
    if named and _typed_columns(rows[fullest], _others(rows, fullest), width) > 0:
        return fullest
    return 0 if _is_header(rows[0], _others(rows, 0), width) else None


def _count_titles(rows: Sequence[Row], below: Sequence[Row]) -> int:
    """Return how many of the first rows are titles: what has only values is a row, however short.

    A value alone may be one, too (a year, a day, a code), but for a number above numbers.
    """
    found = (i for i, (_, cells) in enumerate(rows) if _is_all_values(cells) and not _is_alone(cells, below))
    return next(found, len(rows))


def _is_alone(cells: Sequence[str | None], below: Sequence[Row]) -> bool:
    """Tell whether a row is one value that need not belong to the column it stands in."""
    filled = [column for column, cell in enumerate(cells) if not is_blank(cell)]
    if len(filled) != 1:
        return False
    text = (cells[filled[0]] or "").strip()
    if value_class(text) != "number" or is_year(text) or (len(text) > 1 and text.startswith("0")):
        return True
    kinds = [value_class(row[filled[0]]) for _, row in below if filled[0] < len(row)]
    return kinds.count("number") * 2 <= len(kinds)


def _is_all_values(cells: Sequence[str | None]) -> bool:
    return all(is_blank(cell) or is_value(cell) for cell in cells)


def _others(rows: Sequence[Sequence[str | None]], index: int) -> list[Sequence[str | None]]:
    """Return the rows below that are not the same again: a header may be repeated, with what is above it."""
    head = PageHead(rows[: index + 1])
    return [row for row in rows[index + 1 :] if row != rows[index] and not head.has(row)]


def _is_words(row: Sequence[str | None]) -> bool:
    return all(is_year(cell) or not is_value(cell) for cell in row)


def _is_like(row: Sequence[str | None], below: Sequence[Sequence[str | None]], width: int) -> bool:
    """Tell whether a row holds values of the same kind as the rows below it: then it is data."""
    same = other = 0
    for column in range(min(width, len(row))):
        kinds = Counter(
            value_class(cells[column])
            for cells in below
            if column < len(cells) and not is_null(cells[column])
        )
        if kinds and is_value(row[column]):
            usual = kinds.most_common(1)[0][0]
            same, other = (same + 1, other) if usual == value_class(row[column]) else (same, other + 1)
    return same > other


def _typed_columns(row: Sequence[str | None], below: Sequence[Sequence[str | None]], width: int) -> int:
    """Count the columns in which the row has a word and nearly all rows below have values."""
    count = 0
    for column in range(min(width, len(row))):
        if is_blank(row[column]) or value_class(row[column]) not in ("text", "boolean"):
            continue
        count += _is_typed(below, column)
    return count


def _is_group_line(rows: Sequence[Row], base: int, merged: Sequence[MergedRange]) -> bool:
    """Tell whether the row right above the labels groups them, a gap standing for its left."""
    if base == 0 or rows[base - 1][0] != rows[base][0] - 1:
        return False
    number, cells = rows[base - 1]
    if _count_filled(cells) < 2 or not _is_words(cells) or is_blank(cells[0]):
        return False
    if base > 1 and rows[base - 2][0] == number - 1 and _count_filled(rows[base - 2][1]) > 1:
        return False  # one of several lines of notes
    if len({*cells}) == len(cells) and not any(map(is_blank, cells)):
        return False  # it groups nothing
    spans = [(left, right) for top, left, _, right in merged if top == number and left < len(cells)]
    if spans:
        gaps = [column for column, cell in enumerate(cells) if is_blank(cell)]
        return all(any(a < gap <= b and not is_blank(cells[a]) for a, b in spans) for gap in gaps)
    has_rows = len(rows) > base + 1  # else both lines may as well be rows
    return not merged and base == 1 and has_rows and len(cells) >= len(rows[base][1]) and number == 1


def _is_header(row: Sequence[str | None], below: Sequence[Sequence[str | None]], width: int) -> bool:
    """Weigh, column by column, whether the row names what is below or is one more of it."""
    if not below:
        return not any(is_value(cell) and not is_year(cell) for cell in row)
    if all(is_year(cell) for cell in row) and not any(is_year(cell) for cells in below[:5] for cell in cells):
        return True
    if counts_on(row, below):
        return True
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
    if kind == usual:
        return -1.0
    is_foreign = usual in _PLAIN_KINDS and 1 < count == len(values)  # dates as labels above amounts
    return 0.5 if is_foreign else -0.5


def _continues_header(rows: Sequence[Row], index: int, base: int) -> bool:
    """Tell whether a row is one more line of the header: its units, or the very same labels again."""
    if index >= len(rows) - 1 or rows[index][0] != rows[index - 1][0] + 1:
        return False
    cells, labels = rows[index][1], rows[base][1]
    if is_rule(cells):
        return True
    if _count_filled(cells) > 1 and [_text(cell) for cell in cells] == [_text(cell) for cell in labels]:
        return True
    if _is_under(cells, labels):
        head = PageHead([row for _, row in rows[: index + 1]])
        further = (row for _, row in rows[index + 1 :] if not head.has(row))
        below = list(dropwhile(lambda row: _is_under(row, labels), further))
        return all(
            is_blank(cell) or _has_label(labels, column, cell) or _is_typed(below, column)
            for column, cell in enumerate(cells)
        )
    return all(is_blank(cell) or _is_unit(cell) for cell in cells)


def _is_under(cells: Sequence[str | None], labels: Sequence[str | None]) -> bool:
    """Tell whether a row may stand under the labels (years under their name): words, for the same rows.

    Its first cell is blank, or the label of the first column again, as statistics offices write it.
    """
    if len(labels) == 1 or is_blank(labels[0]) or not _is_words(cells):
        return False
    return is_blank(cells[0]) or _has_label(labels, 0, cells[0])


def _has_label(labels: Sequence[str | None], column: int, cell: str | None) -> bool:
    return column < len(labels) and _text(labels[column]) == _text(cell)


def _is_typed(rows: Sequence[Sequence[str | None]], column: int) -> bool:
    """Tell whether nearly all cells of a column are values."""
    values = [cells[column] for cells in rows if column < len(cells) and not is_null(cells[column])]
    return bool(values) and sum(is_value(value) for value in values) * 10 >= len(values) * 9


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


def join_labels(lines: Sequence[Sequence[str | None]], below: Sequence[Row]) -> list[str]:
    """Join the header's lines column by column, a gap in a line standing for the label left of it."""
    width = max(_extent(cells) for cells in lines)
    usual = Counter(len(cells) for _, cells in below).most_common(1)
    if len(lines) == 1:
        labels = [(cell or "").replace("\ufeff", "") for cell in lines[0][:width]]
        widest = usual[0][0] if usual else 0
        labels = _cut_at_quote(_without_surplus_blank(labels, widest), widest)
        return ["", *labels] if _are_numbered(below, len(labels)) else labels
    parts: list[list[str]] = [[] for _ in range(width)]
    for number, cells in enumerate(lines):
        gaps = len(cells) < width or any(is_blank(cell) for cell in cells[:width])
        spread = gaps and number < len(lines) - 1
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


def _cut_at_quote(labels: list[str], widest: int) -> list[str]:
    """Cut the one label in two that has a quote amid it, where the rows have a cell more: `Item"Preço"`."""
    glued = [number for number, label in enumerate(labels) if QUOTE in label.strip(QUOTE)]
    if len(labels) != widest - 1 or len(glued) != 1:
        return labels
    parts = labels[glued[0]].strip(QUOTE).split(QUOTE)
    return [*labels[: glued[0]], *parts, *labels[glued[0] + 1 :]] if len(parts) == 2 else labels


def _are_numbered(below: Sequence[Row], labels: int) -> bool:
    """Tell whether the rows begin with their number, for which the header has no label: so R writes them."""
    rows = [cells for _, cells in below]
    return (
        len(rows) > 1
        and all(len(cells) == labels + 1 and cells[0] == str(n) for n, cells in enumerate(rows, start=1))
        and not all(is_blank(cells[-1]) for cells in rows)
    )


def _text(cell: str | None) -> str:
    return " ".join((cell or "").replace("\ufeff", "").split())
