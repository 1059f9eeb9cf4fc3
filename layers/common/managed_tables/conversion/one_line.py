"""Write a cell of several lines on one line, and back: analyze's copies of files hold one record a line."""

ESCAPE = "\ufdd1"  # a noncharacter: rare, not impossible
LINE_FEED, CARRIAGE_RETURN, ESCAPED = f"{ESCAPE}n", f"{ESCAPE}r", f"{ESCAPE}e"


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
