"""Regular expressions read hostile text in linear time."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from managed_tables_reader.workbooks import html, ods


def _seconds(work: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    work(text)
    return time.process_time() - started


@pytest.mark.parametrize(
    "work",
    [
        lambda text: ods.shown_identifier("1", text + "x"),
        lambda text: ods.shown_identifier(text, text),
        lambda text: ods.moment_text("2024-01-01T10:00:00." + text),
        lambda text: ods.duration_text("PT" + text),
    ],
)
def test_a_text_of_a_megabyte_is_read_in_linear_time(work: Callable[[str], object]) -> None:
    """Quadratic expressions took minutes, and a number of 5,000 digits raised an error."""
    text = "1" * 1_000_000
    assert _seconds(work, text) < 100 * max(_seconds(lambda text: text.strip() + "x", text), 0.01)


def test_a_declared_charset_is_found_quickly_among_many_blanks(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"<html>" + b"charset =" * 10 + b" " * 3_900 + b"\xe9")
    assert html._detect_charset(path) == "cp1252"
    path.write_bytes(b"<html>" + b"charset=" + b" " * 4_080 + b"\xe9")
    read = _seconds(lambda _: [path.read_bytes() for _ in range(100)], "")
    assert _seconds(lambda _: [html._detect_charset(path) for _ in range(100)], "") < 100 * max(read, 0.01)
    path.write_bytes(b"<meta charset = ' cp850'>\xe9")
    assert html._detect_charset(path) == "cp850"
