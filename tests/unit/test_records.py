"""One record at a time: strict reading first, then the most likely repair."""

import io
from pathlib import Path

import pytest
from polluted_files import clean_rows, polluted_files, read_rows

from managed_tables_reader.text.dialect import Dialect
from managed_tables_reader.text.mending import Mender
from managed_tables_reader.text.records import Lines, Record, RecordReader


def _read(text: str, width: int = 0, **dialect: str) -> list[Record]:
    lines = Lines(iter(io.StringIO(text, newline="").readlines()))
    mender = Mender(Dialect(**dialect), width) if width else None
    return list(RecordReader(lines, Dialect(**dialect), mender))


def _cells(text: str, width: int = 0, **dialect: str) -> list[list[str]]:
    return [record.cells for record in _read(text, width, **dialect)]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,b\n", [["a", "b"]]),
        ('"a,b",c\n', [["a,b", "c"]]),
        ('"a""b",c\n', [['a"b', "c"]]),
        ('"a\r\nb",c\r\n1,2\r\n', [["a\r\nb", "c"], ["1", "2"]]),
        ('"",x\n', [["", "x"]]),
        ('a, "b, c" ,d\n', [["a", "b, c", "d"]]),
        ('5" pipe,x\n', [['5" pipe', "x"]]),
        ("a\rb\nc\r\n", [["a"], ["b"], ["c"]]),
        ("a\u2028b,\x85c,\x0bd\n", [["a\u2028b", "\x85c", "\x0bd"]]),
    ],
)
def test_well_formed_records_are_read_strictly(text: str, cells: list[list[str]]) -> None:
    assert _cells(text) == cells
    assert not any(record.repaired for record in _read(text))


def test_backslash_escapes_a_quote_if_the_dialect_says_so() -> None:
    assert _cells('"a\\"b","c\\\\"\n', escape="\\") == [['a"b', "c\\"]]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('1,""abc, def",x', ["1", '"abc, def', "x"]),
        ('1,"ends in 10"","next, one"', ["1", 'ends in 10"', "next, one"]),
        ('"1,abc,x', ['"1', "abc", "x"]),
        ('1,"say "hi", now",x', ["1", 'say "hi", now', "x"]),
        ("1;abc;x", ["1", "abc", "x"]),
        ('1 "a b" x', ["1", "a b", "x"]),
    ],
)
def test_a_malformed_line_is_repaired_to_the_tables_width(line: str, cells: list[str]) -> None:
    records = _read(f"{line}\n8,w,9\n", width=3)
    assert [record.cells for record in records] == [cells, ["8", "w", "9"]]
    assert records[0].repaired


def test_an_unclosed_quote_does_not_affect_other_lines() -> None:
    text = 'a,b\n1,"x\n2,y\n3,z\n'
    assert [record.line for record in _read(text, width=2)] == [1, 2, 3, 4]
    lines = Lines(iter(['1;"b;c;d\n', '2;"b";c;d\n']))
    reader = RecordReader(lines, Dialect(";"), Mender(Dialect(";"), 4))
    assert [record.cells for record in reader] == [["1", '"b', "c", "d"], ["2", "b", "c", "d"]]


def test_a_row_that_is_not_written_as_the_others_is_read_as_they_are(tmp_path: Path) -> None:
    path, wrong = tmp_path / "polluted.csv", list[str]()
    for kind, content in polluted_files():
        path.write_text(content, "utf-8", newline="")
        wrong += [kind] if read_rows(path, tmp_path) != clean_rows() else []
    assert wrong == ["other delimiter"]


@pytest.mark.parametrize("line", ["Fonte: sistema interno", "Grupo Sul 2026", "Lote 33"])
def test_words_are_not_split_at_blanks(line: str) -> None:
    """Of a note, and of a name that ends in a number: one value among words says little."""
    width = line.count(" ") + 1
    assert _cells(f"{line}\n", width=width, delimiter=";") == [[line]]


_TEXT = "caderno de capa dura"
_ORDERS = [
    [f"{n % 28 + 1:02}/03/2024", str(n), f"R$ {n},50", _TEXT[: n % 15 + 3], "a b"] for n in range(1, 40)
]


def _mended(line: str, rows: list[list[str]] = _ORDERS) -> list[str]:
    mender = Mender(Dialect(";"), len(rows[0]), rows)
    return next(iter(RecordReader(Lines(iter([f"{line}\n"])), Dialect(";"), mender))).cells


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("05/03/2024;7;R$ 7,50lápis azul;a b", ["05/03/2024", "7", "R$ 7,50", "lápis azul", "a b"]),
        ('05/03/2024;7;R$ 7,50;"lápis; azul""a b"', ["05/03/2024", "7", "R$ 7,50", "lápis; azul", "a b"]),
        ('05/03/2024;7;"R$ 7,50" "lápis azul";"a b"', ["05/03/2024", "7", "R$ 7,50", "lápis azul", "a b"]),
        ('05/03/2024;7;R$ 7,50"lápis; azul";a b', ["05/03/2024", "7", "R$ 7,50", "lápis; azul", "a b"]),
    ],
)
def test_a_row_that_lacks_a_delimiter_is_split_to_match_its_columns(line: str, cells: list[str]) -> None:
    assert _mended(line) == cells


@pytest.mark.parametrize(
    "line",
    [
        "05/03/2024;7;lápis;a b",
        "05/03/2024;17;R$ 7,50;lápis",
        "05/03/2024;7;R$ 7,50;lápis",
        "5;R$ 7,50;lápis;a b",
        "05/03/2024;;lápis;a b",
    ],
)
def test_a_short_row_is_left_unchanged_if_no_split_matches(line: str) -> None:
    assert _mended(line) == line.split(";")


@pytest.mark.parametrize(
    "line",
    [
        '05/03/2024;7;R$ 7,50;tela 5" azul;tela 7"',
        '05/03/2024;7;R$ 7,50;disse "a;b"',
        '05/03/2024;7;R$ 7,50;tubo 5"x;3"',
    ],
)
def test_quotes_inside_unquoted_cells_are_text(line: str) -> None:
    assert _mended(line) == line.split(";")


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('7;bolsa"couro; preta"', ["7", "bolsa", "couro; preta"]),  # also three cells without a repair
        ('7;"tubo; 5"" grosso""couro; preta"', ["7", 'tubo; 5" grosso', "couro; preta"]),
    ],
)
def test_a_quote_after_a_word_opens_the_next_cell(line: str, cells: list[str]) -> None:
    assert _mended(line, [[str(n), _TEXT[: n % 15 + 3], _TEXT[n % 9 :]] for n in range(1, 40)]) == cells


def test_a_short_row_of_numbers_is_not_split() -> None:
    rows = [[str(n), str(n * 3), str(n), str(n + 1)] for n in range(1, 30)]
    assert _mended("1;23;5", rows) == ["1", "23", "5"]


def test_a_short_row_keeps_its_quoted_cells_whole() -> None:
    assert _mended('05/03/2024;7;R$ 7,50;"lápis; azul"') == ["05/03/2024", "7", "R$ 7,50", "lápis; azul"]


def test_a_multiline_cell_stays_whole_in_a_short_row() -> None:
    lines = Lines(iter(['1;"casa\n', 'azul; e verde";x\n', "2;b;c;d\n"]))
    reader = RecordReader(lines, Dialect(";"), Mender(Dialect(";"), 4))
    assert [record.cells for record in reader] == [["1", "casa\nazul; e verde", "x"], ["2", "b", "c", "d"]]


def test_a_short_row_keeps_its_quoted_cells_whole_without_known_columns() -> None:
    reader = RecordReader(Lines(iter(['1,,"R$ 0,50",x\n'])), Dialect(","), Mender(Dialect(","), 5))
    assert next(iter(reader)).cells == ["1", "", "R$ 0,50", "x"]
