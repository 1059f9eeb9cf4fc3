"""Learn one regular expression that matches a sheet's rows."""

import re
from typing import NamedTuple

from managed_tables_reader.workbooks.values.numbers import TRIMMED_NUMBER

_MAX_LEARNT_COLUMNS = 256  # the expression of a wider sheet costs more than it saves
_MAX_LEARNT_LOOKS = 4  # per column: kinds of cell (style and type)
_MAX_LESSONS = 60  # a sheet that still differs after so many is split cell by cell

# In these templates `{p}` stands for the prefix of the spreadsheet's namespace, mostly none, and `{s}` for
# the blanks between elements, none at all in most files.
_INNER = r"[^<]*(?:<(?!/{p}is>)[^<]*)*"
_ATTRIBUTES = r'(?:\s+(?!r=)[\w:]+="[^"<>]*")*'
ROW_TAG = (
    r"({s}(?:<{p}row\b[^<>]*/>{s})*"  # rows without cells
    rf'<{{p}}row{_ATTRIBUTES}(?:\s+r="([0-9]{{1,7}})"[^<>]*)?\s*(?<!/)>)'
)
"""Its groups: the row's tag and those of rows without cells before it, and the row's number."""
EMPTY_ROWS = r"{s}(?:<{p}row\b[^<>]*/>{s})*"
_FORMULA = r"(?:<{p}f(?:\s[^<>]*)?(?:/>|>[^<]*</{p}f>){s})?"
_INLINE = r'{s}<{p}is>{s}<{p}t(?: xml:space="preserve")?>([^<]*)</{p}t>{s}</{p}is>{s}'
_VALUE = r'<{p}v(?: xml:space="preserve")?>([^<]*)</{p}v>{s}'
CELL = (
    rf'{{s}}<{{p}}c(?: r="([A-Z]{{1,3}})[0-9]+")?((?:\s+[\w:]+="[^"<>]*")*)\s*(?:/>|>{{s}}({_FORMULA})'
    rf"(?:{_VALUE}|<{{p}}v ?/>{{s}}|<{{p}}is>({_INNER})</{{p}}is>{{s}}|<{{p}}is ?/>{{s}})?"
    r"</{p}c>)"
)
"""One cell, whatever its look: its column, attributes, formula, value, and the content of its inline text."""


class CellLook(NamedTuple):
    """What a cell looks like: its attributes as written, and what they say."""

    attributes: str
    style: str
    type: str
    is_plain: bool = False
    """A number in plain digits, as nearly all are."""
    has_value: bool = True


def compile_template(template: str, prefix: str, *, spaced: bool) -> re.Pattern[str]:
    """Return the expression of a sheet whose elements have the prefix, with blanks between them or not."""
    return re.compile(template.replace("{p}", prefix).replace("{s}", r"\s*" if spaced else ""))


class RowPattern:
    """The look of a sheet's rows as learnt so far: per column, the kinds of cell that were met.

    Cells' columns are known by their references or, if they have none (`is_positional`), by counting.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._seen: set[tuple[int, CellLook]] = set()
        self._looks: dict[int, list[CellLook]] = {}
        self._letters: dict[int, str] = {}
        self._lessons = 0
        self._is_stale = False
        self._match: re.Pattern[str] | None = None
        self._is_spaced = False
        self.is_positional = False
        self.groups: list[tuple[int, CellLook]] = []
        """The column and look of each group after those of the row."""

    def learn(self, letters: str, column: int, look: CellLook) -> None:
        """Note a cell: a look that is met twice is expected from then on."""
        if (column, look) not in self._seen:
            self._seen.add((column, look))
            return
        looks = self._looks.setdefault(column, [])
        if look not in looks and len(looks) < _MAX_LEARNT_LOOKS:
            looks.append(look)
            self._letters[column] = letters
            self._is_stale = True

    def expect_blanks(self) -> None:
        """Note that there are blanks between the elements, as in indented XML."""
        if not self._is_spaced:
            self._is_spaced = self._is_stale = True

    def compiled(self) -> re.Pattern[str] | None:
        """Return the expression of a whole row, None if there is none worth trying."""
        if self._is_stale:
            self._is_stale = False
            self._lessons += 1
            last = max(self._looks, default=_MAX_LEARNT_COLUMNS)
            is_worth_it = self._lessons <= _MAX_LESSONS and last < _MAX_LEARNT_COLUMNS
            self._match = self._compile() if is_worth_it else None
        return self._match

    def _compile(self) -> re.Pattern[str]:
        self.groups = []
        columns = range(max(self._looks) + 1) if self.is_positional else sorted(self._looks)
        cells = "".join(map(self._column, columns))
        return compile_template(f"{ROW_TAG}{cells}{{s}}", self._prefix, spaced=self._is_spaced)

    def _column(self, column: int) -> str:
        looks = [look for look in self._looks.get(column, ()) if look.has_value]
        self.groups += [(column, look) for look in looks]
        bodies = "".join(f"{_body(look)}</{{p}}c>|" for look in looks)
        if self.is_positional:  # only the end of the row may stand in a cell's place
            return rf"{{s}}(?:<{{p}}c(?:{bodies}{_ATTRIBUTES}\s*(?:/>|></{{p}}c>))|\Z)"
        return rf'{{s}}(?:<{{p}}c r="{self._letters[column]}[0-9]+"(?:{bodies}[^<>/]*(?:/>|></{{p}}c>)))?+'


def _body(look: CellLook) -> str:
    if look.type == "inlineStr":
        content = _INLINE
    elif look.type == "s":
        content = "{s}<{p}v>([0-9]{1,9})</{p}v>{s}"
    elif look.is_plain:
        content = f"{{s}}{_FORMULA}<{{p}}v>{TRIMMED_NUMBER}</{{p}}v>{{s}}"
    else:  # a formula that gives a text may give an empty one
        value = _VALUE if look.type == "str" else _VALUE.replace("[^<]*", "[^<]+")
        content = f"{{s}}{_FORMULA}{value}"
    return f"{re.escape(look.attributes)}>{content}"
