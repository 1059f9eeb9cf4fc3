"""One record at a time: strict reading first, then the most likely repair."""

import io

import pytest

from managed_tables_reader.text.dialect import Dialect
from managed_tables_reader.text.records import Lines, Record, RecordReader


def _read(text: str, width: int = 0, **dialect: str) -> list[Record]:
    lines = Lines(iter(io.StringIO(text, newline="").readlines()))
    return list(RecordReader(lines, Dialect(**dialect), width))


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
    reader = RecordReader(lines, Dialect(";"), 4)
    assert [record.cells for record in reader] == [["1", '"b', "c", "d"], ["2", "b", "c", "d"]]


def test_words_of_a_note_are_not_split_at_blanks() -> None:
    assert _cells("Fonte: sistema interno\n", width=3, delimiter=";") == [["Fonte: sistema interno"]]


def _read_order(line: str) -> list[str]:
    [cells] = _cells(f"{line}\n", width=5, delimiter=";")
    return cells


@pytest.mark.parametrize(
    "line",
    [
        "05/03/2024;7;lápis;a b",
        "05/03/2024;17;R$ 7,50;lápis",
        "05/03/2024;7;R$ 7,50;lápis",
        "5;R$ 7,50;lápis;a b",
        "05/03/2024;;lápis;a b",
        "05/03/20247;R$ 7,50;lápis;a b",
        "05/03/2024;7;R$ 7,50;lápis; azul;a b",
    ],
)
def test_a_row_without_quotes_is_left_unchanged(line: str) -> None:
    assert _read_order(line) == line.split(";")


@pytest.mark.parametrize(
    "line",
    [
        '05/03/2024;7;R$ 7,50;tela 5" azul;tela 7"',
        '05/03/2024;7;R$ 7,50;disse "a;b"',
        '05/03/2024;7;R$ 7,50;tubo 5"x;3"',
    ],
)
def test_quotes_inside_unquoted_cells_are_text(line: str) -> None:
    assert _read_order(line) == line.split(";")


@pytest.mark.parametrize(("line", "is_doubtful"), [('7;bolsa"couro; preta"', True), ('7;tela 5";x', False)])
def test_a_quote_right_after_a_word_makes_a_row_doubtful(line: str, is_doubtful: bool) -> None:
    [record] = _read(f"{line}\n", width=3, delimiter=";")
    assert (record.repaired, record.is_doubtful) == (False, is_doubtful)


def test_a_short_row_keeps_its_quoted_cells_whole() -> None:
    assert _read_order('05/03/2024;7;R$ 7,50;"lápis; azul"') == ["05/03/2024", "7", "R$ 7,50", "lápis; azul"]


def test_a_multiline_cell_stays_whole_in_a_short_row() -> None:
    lines = Lines(iter(['1;"casa\n', 'azul; e verde";x\n', "2;b;c;d\n"]))
    reader = RecordReader(lines, Dialect(";"), 4)
    assert [record.cells for record in reader] == [["1", "casa\nazul; e verde", "x"], ["2", "b", "c", "d"]]
