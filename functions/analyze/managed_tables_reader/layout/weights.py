"""The weights of the score, in bits: what each part of a reading costs.

One more bit makes a reading half as likely. The reading chosen is the one that describes the file in the
fewest bits, so a weight matters only against the others. What cells cost follows from their characters; what
structure costs is one of three degrees of surprise. A finer weight has its reason beside it.
"""

# Cells
CHARACTER = 5.0  # of text: a letter of either case, or a sign
BLANK_CHARACTER = 2.5  # one of six in prose, so less than a cell's end
DIGIT = 3.3  # log2(10)
TEXT = NUMBER = 3.0  # the end of a cell: less than a delimiter costs as text
MONEY = 6.0  # deducted for a currency and two decimals
DATE = 14.0  # a day of forty years
TIME = 12.0  # a minute of the day; seconds are digits
BOOLEAN = 2.0
EMPTY = 5.0  # the most that an empty cell costs, where a column has few
SAME_CELL = NULL_WORD = 4.0  # a cell that repeats one above or to its left; `-`, `n/a`, `#N/D`

LIKELY, RARE, ABSURD = 4.0, 12.0, 40.0

# Cells and columns
ODD_CHARACTER = LIKELY  # on top of CHARACTER, for `;`, tab and `|`: they usually cut cells
EXCEPTION = LIKELY + LIKELY  # a cell not of its column's kind, on top of its text; RARE cuts at `(NA)`
SAME_EXCEPTION = 3.0  # the same word again in the row
ODD_ROW = LIKELY  # no cell of the row is of its column's kind
SHAPE = RARE + LIKELY  # to describe a code's shape: worth it for several rows
KINDS = {"boolean": RARE}  # one word alone may be a label as well

# Rows of the table
SHORT_ROW = LONG_ROW = LIKELY + LIKELY  # of fewer cells than the table, or of more
SENTENCE = RARE  # on top of that, four words without a delimiter
GROUP = GAP = RARE  # a label over the rows below, besides its text; blank lines within the table
NOTE = RARE + RARE  # `Total`, `Fonte: …`, `(2 rows affected)`
NOTE_OF_CELLS = RARE  # `Fonte` with its text in further cells

# Header
NO_HEADER = LIKELY + LIKELY
BLANK_LABEL = LIKELY
MISSING_LABELS = 20.0  # of all columns, where the header ends early; RARE takes titles of cells for headers
# A value as label, except a year, or a label that the column has as a value: RARE makes rows of such headers.
VALUE_LABEL = LABEL_AMONG_VALUES = 10.0
HEADER_LINE = HEADER_OF_VALUES = ABSURD  # a further line that the one above does not call for, or of values
GROUP_LINE = UNITS_LINE = LIKELY  # a further line below gaps or a repeated label, or of units
GROUP_APART = LIKELY  # on top of that, below blank lines
GROUP_OF_ONE = RARE  # a label that groups nothing

# Outside the table
TITLE = TITLE_CELL = LIKELY  # a line above, and each of its cells but the first three
TITLE_OF_CELLS = LIKELY + LIKELY  # on top of TITLE, for several cells
TITLE_LIKE_HEADER = RARE  # on top of these, for as many as the table has
FOOTER = REMARKS = RARE + LIKELY  # of the columns, between header and data
FOOTER_LINE = FOOTER_VALUE = FOOTER_CELL = LIKELY  # each line, value (not in totals), cell but two
FOOTER_LIKE_ROW = RARE  # on top of these, for as many cells as the table has
TABLE = 20.0  # another table; RARE parts some at gaps, and twice as much joins small ones
TABLE_CLOSE = TABLE + ABSURD  # without a blank line above

# Dialects
DELIMITERS = {
    "": LIKELY + LIKELY,  # CHARACTER reads three short rows and their total as one column
    **dict.fromkeys(("||", "::", "~|~", "|~|", "\x1f", "\x01"), LIKELY),
    **dict.fromkeys((",", ";", "\t", "|"), 0.0),
    **dict.fromkeys(("\x1e", "¦", "§"), RARE),
    " ": LIKELY + LIKELY,
}
OTHER_DELIMITER = APOSTROPHE = RARE  # than such files are known to have; as quote
TEXTS_CUT = ABSURD  # by blanks, or without labels
RUNS_OF_BLANKS = ALIGNED = LIKELY  # columns of words by tabs; columns of a fixed width
WRAPPED_LINE = LIKELY  # a line quoted as a whole
