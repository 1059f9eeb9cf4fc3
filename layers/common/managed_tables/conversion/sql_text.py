"""Write pieces of DuckDB SQL: literals, and the few functions that the rules share."""

# What people's files pad cells with: ASCII blanks, no-break spaces, a stray byte order mark.
BLANKS = " \t\n\v\f\r\u00a0\u2007\u202f\ufeff"
BLANK = r"[\s\v\x{00A0}\x{2007}\x{202F}\x{FEFF}]"  # the same as a class of RE2


def literal(text: str) -> str:
    """Return `text` as a string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def matches(cell: str, pattern: str) -> str:
    """Return the test that the whole of `cell` matches `pattern` (RE2: linear time whatever the text)."""
    return f"regexp_full_match({cell}, {literal(pattern)})"


def trimmed(cell: str) -> str:
    """Return `cell` without the blanks around it."""
    return f"trim({cell}, {literal(BLANKS)})"


def choose(*branches: tuple[str, str], otherwise: str) -> str:
    """Return a CASE: its branches are tried in order, and DuckDB evaluates none that is not reached."""
    tests = " ".join(f"WHEN {test} THEN {value}" for test, value in branches)
    return f"CASE {tests} ELSE {otherwise} END"
