"""What the budgets weigh: code, whatever its lines look like."""

from budgets import page_tokens, python_tokens

SPREAD = '''"""A module says what it owns."""

import sys
from os import path


def add(
    first: int,
    second: int,
) -> int:
    """Return their sum."""
    # why it is one
    return first + second
'''
JOINED = "def add(first: int, second: int,) -> int: return first + second\n"
PAGE = """import { a } from './a'
import {
  b,
} from './b'
// why
const add = (x: number) => a(x) ?? b(`${x} and more`) /* so */
"""


def test_python_weighs_the_same_on_one_line_or_many_and_without_its_docstrings_comments_and_imports() -> None:
    """A joined line, a dropped docstring, comment or import saves no token."""
    assert python_tokens(SPREAD) == python_tokens(JOINED) == 19


def test_a_page_weighs_the_same_on_one_line_or_many_and_without_its_comments_and_imports() -> None:
    """An operator of several characters and a text are one token each."""
    joined = "const add = (x: number) => a(x) ?? b(`${x} and more`)"
    assert page_tokens(PAGE) == page_tokens(joined) == 18
