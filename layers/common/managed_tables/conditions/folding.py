"""Compose text without case and accents, by functions that every PostgreSQL from 15 on has.

A company's role may make no extension (`unaccent`), and a server may come without ICU (nondeterministic
collations): decision 19. Both sides of a comparison are folded, so text with accents finds text without, and
the other way round.
"""

from psycopg import sql

from managed_tables.schema import Column, ColumnType

# Of a folded text, what an index holds: an entry of a B-tree may take 2,704 bytes.
INDEXED_CHARACTERS = 200
# Above every text of as many characters, byte by byte.
_ABOVE = sql.SQL("repeat(chr(1114111), {})").format(INDEXED_CHARACTERS + 1)

# Most texts are plain ASCII, for which a sixth of the time is enough.
_FOLDED = (
    'CASE WHEN octet_length({text}) = length({text}) THEN lower({text} COLLATE "C")'
    " ELSE lower(regexp_replace(normalize({text}, NFD), '[\\u0300-\\u036f]', '', 'g')) END"
)


def folded(text: sql.Composable) -> sql.Composed:
    """Return the text in lower case, without combining marks, compared byte by byte."""
    return sql.SQL(_FOLDED).format(text=text)


def folded_start(text: sql.Composable) -> sql.Composed:
    """Return the start of a folded text, as an index has it."""
    return sql.SQL("left({}, {})").format(folded(text), INDEXED_CHARACTERS)


def start_bounds(start: sql.Composable, text: sql.Composable) -> sql.Composed:
    """Return that a text begins with a folded start, in the form that an index serves."""
    return sql.SQL("{text} >= {start} AND {text} < {start} || {above}").format(
        text=folded_start(text), start=start, above=_ABOVE
    )


def index_expression(column: Column) -> sql.Composable:
    """Return the column as an item of CREATE INDEX … (…), such that filters use the index."""
    name = sql.Identifier(column.name)
    return sql.SQL("({})").format(folded_start(name)) if column.type is ColumnType.TEXT else name
