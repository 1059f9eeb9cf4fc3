"""Owns what is told about rows that were not like the others: which lines, and what was done with them."""

from collections.abc import Sequence

from managed_tables.wording import counted
from managed_tables_analyze.extent import Extent
from managed_tables_analyze.records import Record
from managed_tables_analyze.sheets import Row

_SHOWN = 60  # characters of a row that is left out
_EXAMPLES = 5  # line numbers named in one warning
_SENTENCES = {
    "short": (
        "linha com menos células que a tabela, completada com vazio",
        "linhas com menos células que a tabela, completadas com vazio",
    ),
    "long": (
        "linha com mais células que a tabela, o excedente em colunas novas",
        "linhas com mais células que a tabela, o excedente em colunas novas",
    ),
    "repaired": (
        "linha com aspas ou delimitadores irregulares, lida da forma mais provável",
        "linhas com aspas ou delimitadores irregulares, lidas da forma mais provável",
    ),
    "header": (
        "linha que repete o cabeçalho, não importada",
        "linhas que repetem o cabeçalho, não importadas",
    ),
    "rule": (
        "linha de traços, não importada",
        "linhas de traços, não importadas",
    ),
    "comment": (
        "linha de comentário, não importada",
        "linhas de comentário, não importadas",
    ),
}


class RowNotes:
    """Counts odd rows as they pass, and keeps the first lines of each sort.

    `extent` is where the rows stand.
    """

    def __init__(self, width: int, extent: Extent | None = None) -> None:
        self._width = width
        self.extent = extent or Extent()
        self._lines: dict[str, list[int]] = {sort: [] for sort in _SENTENCES}
        self._counts = dict.fromkeys(self._lines, 0)

    def see(self, record: Record) -> None:
        """Take note of a record's length and of whether it was repaired."""
        if record.repaired:
            self._add("repaired", record.line)
        if len(record.cells) < self._width:
            self._add("short", record.line)
        elif len(record.cells) > self._width:
            self._add("long", record.line)

    def see_length(self, line: int, length: int) -> None:
        """Take note of a row that has more cells than the table."""
        if length > self._width:
            self._add("long", line)

    def repeated_header(self, line: int) -> None:
        """Take note of the header found again among the rows."""
        self._leave_out("header", line)

    def rule(self, line: int) -> None:
        """Take note of a drawn line among the rows."""
        self._leave_out("rule", line)

    def comment(self, line: int) -> None:
        """Take note of a comment among the rows."""
        self._leave_out("comment", line)

    def blank(self, line: int) -> None:
        """Take note of a line without cells, which nobody has to be told of."""
        self.extent.skip((line,))

    def _leave_out(self, sort: str, line: int) -> None:
        self.extent.skip((line,))
        self._add(sort, line)

    def _add(self, sort: str, line: int) -> None:
        self._counts[sort] += 1
        if len(self._lines[sort]) < _EXAMPLES:
            self._lines[sort].append(line)

    def warnings(self) -> list[str]:
        """Return one sentence for each sort of odd row."""
        return [
            f"{counted(self._counts[sort], one, many)}: {name_lines(self._lines[sort], self._counts[sort])}"
            for sort, (one, many) in _SENTENCES.items()
            if self._counts[sort]
        ]


def show_rows(rows: Sequence[Row]) -> str:
    """Return what rows that are left out begin with, for a person to tell whether they matter."""
    texts = (
        " ".join(cell.strip() for cell in cells if cell is not None and cell.strip()) for _, cells in rows
    )
    return "; ".join(text[:_SHOWN] for text in texts if text)


def name_lines(lines: Sequence[int], count: int) -> str:
    """Name the first of `count` lines by their numbers."""
    more = ", …" if count > min(len(lines), _EXAMPLES) else ""
    return f"linha{'s' if count > 1 else ''} {', '.join(map(str, lines[:_EXAMPLES]))}{more}"
