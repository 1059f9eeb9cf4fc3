"""Write pieces of SQL and of patterns: those that the rules share.

Conversions are written in what DuckDB and PostgreSQL have in common, patterns in what RE2, PostgreSQL, Python
and JavaScript read alike, so that a text means the same wherever it is read.
"""

# What people's files pad cells with: ASCII blanks, no-break spaces, a stray byte order mark.
BLANKS = " \t\n\v\f\r\u00a0\u2007\u202f\ufeff"
BLANK = f"[{BLANKS}]"
ANYTHING = r"[\s\S]*"
VECTOR_ROWS = 2_048  # that DuckDB processes at once, of all columns
_GROUP_CELLS = 6_000_000  # of Parquet, in memory until the group is written: a wide table has fewer rows


def literal(text: str) -> str:
    """Return `text` as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def matches(cell: str, pattern: str) -> str:
    """Return the test that the whole of `cell` matches `pattern` (linear time whatever the text)."""
    return f"({cell} ~ {literal(f'^(?:{pattern})$')})"


def is_longer(cell: str, bytes_of_utf8: int) -> str:
    """Return the test that `cell` is longer than so many bytes."""
    return f"bit_length({cell}) > {8 * bytes_of_utf8}"


def extracted(cell: str, pattern: str, group: int = 1) -> str:
    """Return what a group matches of a cell that begins with `pattern` and ends on the same line."""
    return f"regexp_replace({cell}, {literal(f'^{pattern}.*$')}, '\\{group}')"


def any_case(pattern: str) -> str:
    """Return a pattern of small letters with each of them in both cases."""
    return "".join(f"[{letter.upper()}{letter}]" if letter.islower() else letter for letter in pattern)


def trimmed(cell: str) -> str:
    """Return `cell` without the blanks around it."""
    return f"trim({cell}, {literal(BLANKS)})"


def choose(*branches: tuple[str, str], otherwise: str) -> str:
    """Return a CASE: its branches are tried in order, and DuckDB evaluates none that is not reached."""
    tests = " ".join(f"WHEN {test} THEN {value}" for test, value in branches)
    return f"CASE {tests} ELSE {otherwise} END"


def rows_of_group(width: int, most: int) -> int:
    """Return how many rows of `width` cells a group of Parquet takes: `most`, or as many as fit in memory."""
    fitting = _GROUP_CELLS // max(width, 1) // VECTOR_ROWS * VECTOR_ROWS
    return min(most, max(VECTOR_ROWS, fitting))
