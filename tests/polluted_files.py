"""Files of which one row is not written as the others: what the reader's mending of rows is for.

Labelled sets have next to none of them, and so do not show what mending is worth.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from managed_tables_reader.rows.reading import NOTHING_STATED
from managed_tables_reader.text.text_file import open_text

_WORDS = ("Mesa", "Cadeira", "Cabo", "Papel", "Lâmpada", "Teclado", "Monitor", "Cartucho")
_HEADER = ("DATA", "HORA", "QTD", "CODIGO", "PRECO", "TIPO", "DESCRICAO", "ENDERECO", "OBS")
_ROWS = 40
_OF_A_KIND = 24
_OTHERS = (";", "\t", " ", "|")  # delimiters of one row


def polluted_files() -> Iterator[tuple[str, str]]:
    """Yield files with the kind of what is wrong in one of their rows; the same every time."""
    chance = random.Random(7)  # noqa: S311
    rows = clean_rows()
    lines = [_line(row) for row in rows]
    for number in range(_OF_A_KIND):
        place, column = chance.randrange(1, len(rows)), chance.randrange(len(_HEADER) - 1)
        cells = [_cell(value) for value in rows[place]]
        split = [*cells[:column], cells[column] + cells[column + 1], *cells[column + 2 :]]
        odd = {
            "delimiter lost": ",".join(split),
            "quotes lost": ",".join(rows[place]),
            "other delimiter": _OTHERS[number % len(_OTHERS)].join(cells),
        }
        for kind, line in odd.items():
            yield kind, _joined([*lines[:place], line, *lines[place + 1 :]])


def read_rows(path: Path, work_dir: Path) -> list[list[str]]:
    """Return the labels and rows of a file, as they are read."""
    text = open_text(path, path.name, work_dir, NOTHING_STATED.of(0))
    return [text.header.labels, *(record.cells for record in text.rows)]


def clean_rows() -> list[list[str]]:
    """Return the labels and rows of all the files."""
    chance = random.Random(11)  # noqa: S311
    found = [[*_HEADER]]
    for number in range(_ROWS):
        code = f"{chance.choice('ABCDEF')}{chance.randrange(10, 99)}-{chance.randrange(100, 999)}"
        day = f"{chance.randrange(1, 29):02}/{chance.randrange(1, 13):02}/2018"
        clock = f"{chance.randrange(24)}:{chance.randrange(60):02}"
        price = f"{chance.randrange(1, 2_000)}.{chance.randrange(100):02}"
        kind, other = chance.choice(_WORDS), chance.choice(_WORDS)
        size = f"{other}, {number} cm" if number % 3 else other
        address = f"https://loja.example/{code.lower()}/item.html"
        note = chance.choice(("", "bom", "a conferir", "devolvido, com defeito", "n/a"))
        found.append([day, clock, str(number % 40), code, price, kind, size, address, note])
    return found


def _line(row: Sequence[str]) -> str:
    return ",".join(map(_cell, row))


def _cell(value: str) -> str:
    return f'"{value}"' if "," in value else value


def _joined(lines: Sequence[str]) -> str:
    return "\r\n".join([*lines, ""])
