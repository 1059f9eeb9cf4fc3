"""Mark cells with characters that nobody types: a workbook's texts among its numbers, and line ends.

In the staged object both are text. A number is written with its exact digits and a point, whatever the
column's decimal mark is. A text that looks like one (`1.500`, which may mean one thousand and five hundred)
is followed by a character that nobody types, so that it is read by the column's mark, as in a text file.
Analyze's copies of files hold one record a line: there a cell of several lines is written on one.
"""

import re

from managed_tables.conversion.sql_text import choose, literal, matches

# In a Parquet's metadata, a JSON list: the columns of text that hold decimals, too long for its own.
EXACT_DECIMALS = "managed_tables.exact_decimals"
TEXT_SIGN = "\u205f"  # a blank, so that whoever trims a cell does not see it
# A number of the workbook, or a text that cannot be read otherwise; and one with decimals or an exponent.
EXACT_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:E[+-]?[0-9]{1,4})?"
WITH_POINT = r"-?(?:0|[1-9][0-9]*)[.][0-9]+(?:E[+-]?[0-9]{1,4})?"
_LOOKS_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")

ESCAPE = "\ufdd1"  # a noncharacter: rare, not impossible
LINE_FEED, CARRIAGE_RETURN, ESCAPED = f"{ESCAPE}n", f"{ESCAPE}r", f"{ESCAPE}e"


def mark_text(text: str) -> str:
    """Return a workbook's text, signed where it could be taken for one of its numbers."""
    return text + TEXT_SIGN if _LOOKS_GROUPED.fullmatch(text) else text


def unmark_text(text: str) -> str:
    """Return the text as people know it, without the sign."""
    known = text.removesuffix(TEXT_SIGN)
    return known if _LOOKS_GROUPED.fullmatch(known) else text


def mark_texts(cell: str) -> str:
    """Return the SQL of a text file's cell that is combined with a workbook's."""
    return choose(
        (matches(cell, _LOOKS_GROUPED.pattern), f"concat({cell}, {literal(TEXT_SIGN)})"), otherwise=cell
    )


def unmarked(cell: str) -> str:
    """Return the SQL of the cell without the sign."""
    return f"rtrim({cell}, {literal(TEXT_SIGN)})"


def on_one_line(text: str) -> str:
    """Return the text without line ends."""
    return text.replace(ESCAPE, ESCAPED).replace("\n", LINE_FEED).replace("\r", CARRIAGE_RETURN)


def on_its_lines(text: str) -> str:
    """Return the text that was written on one line."""
    return text.replace(LINE_FEED, "\n").replace(CARRIAGE_RETURN, "\r").replace(ESCAPED, ESCAPE)


def on_its_lines_sql(cell: str) -> str:
    """Return the SQL of `on_its_lines`."""
    marks = ((LINE_FEED, "chr(10)"), (CARRIAGE_RETURN, "chr(13)"), (ESCAPED, f"'{ESCAPE}'"))
    for mark, meant in marks:
        cell = f"replace({cell}, '{mark}', {meant})"
    return cell
