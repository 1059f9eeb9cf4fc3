"""The weights of the score, in bits: what each part of a reading costs, why, and the file that asked for it.

One more bit makes a reading half as likely. The reading chosen is the one that describes the file in the
fewest bits, so a weight matters only against the others. Some name a file of tests/files that
needs them.
"""

# Cells
CHARACTER = 5.0  # of text: a letter of either case, or a sign (csv/all_text.csv)
BLANK_CHARACTER = 2.5  # one of six in prose, so less than a cell's end
ODD_CHARACTER = 6.0  # on top of CHARACTER, for `;`, tab and `|`: they usually cut cells (csv/semicolon.csv)
UNPAIRED_QUOTE = 20.0  # a cell that was cut within its quotes (layouts/lists_without_header.csv)
TEXT = 3.0  # the end of a text: less than a delimiter costs as text (csv/comma.csv)
DIGIT = 3.3  # log2(10) (csv/no_header.csv)
NUMBER = 3.0  # the end of a number, and its sign (csv/no_header.csv)
MONEY = 6.0  # deducted for a currency and two decimals (unit: `R$ 1.234,56` in one column)
DATE = 14.0  # a day of forty years
TIME = 12.0  # a minute of the day; seconds are digits
BOOLEAN = 2.0  # (csv/numbers_as_labels.csv)
NULL_WORD = 4.0  # `-`, `n/a`, `#N/D`: as much as a repeated text (layouts/columns_named_x.csv)
EMPTY = 5.0  # the most that an empty cell costs, where a column has few
SAME_CELL = 4.0  # a cell that repeats one above or to its left

# Columns
EXCEPTION = 7.0  # a cell not of its column's kind, on top of its text (csv/exception_in_last_row.csv)
SAME_EXCEPTION = 3.0  # the same word again in the row
ODD_ROW = 6.0  # no cell of the row is of its column's kind (reports/sentence_of_cells_below.csv)
SHAPE = 16.0  # to describe a code's shape: worth it for several rows (csv/header_only.csv)
KINDS = {"boolean": 13.0}  # one word alone may be a label as well (empty-named-column.xlsx of readxl)

# Rows of the table
SHORT_ROW = 9.0  # a text file's row with fewer cells than the table
SENTENCE = 8.0  # on top of that, four words without a delimiter
LONG_ROW = 8.0  # more cells than the table has
GROUP = 12.0  # a label over the rows below, besides its text
GAP = 8.0  # blank lines within the table (csv/note_below.csv)
TOTAL = 24.0  # `Total` (csv/total_below.csv)
NOTE = 24.0  # `Fonte: …`, `(2 rows affected)` (csv/note_below.csv, reports/console_rule.csv)
NOTE_OF_CELLS = 10.0  # `Fonte` with its text in further cells

# Header
NO_HEADER = 9.0  # one table in five hundred has none (csv/all_text.csv)
BLANK_LABEL = 1.5
MISSING_LABELS = 20.0  # of all columns, where the header ends early (csv/one_column_decimal_commas.csv)
VALUE_LABEL = 10.0  # a value as label, except a year (csv/no_header.csv)
LABEL_AMONG_VALUES = 10.0  # the column has the label as a value
HEADER_LINE = 40.0  # a further line that the one above does not call for (layouts/words_right_below.csv)
HEADER_APART = 60.0  # a further line below blank ones (csv/title_and_blank_above.csv)
GROUP_APART = 4.0  # the same, if the line above lacks its labels
HEADER_OF_VALUES = 40.0  # a further line that has values (csv/no_header.csv)
GROUP_LINE = 4.0  # a further line below gaps or a repeated label (reports/header_of_two_lines_again.csv)
GROUP_OF_ONE = 12.0  # a label that groups nothing (layouts/title_indented.csv)
UNITS_LINE = 2.0  # a further line of units (csv/units_below_header.csv)

# Outside the table
TITLE = 4.0  # (csv/title_above.csv)
TITLE_OF_CELLS = 8.0  # on top of TITLE, for several cells (csv/title_with_delimiters.csv)
TITLE_CELL = 2.0  # each of its cells but the first three
TITLE_LIKE_HEADER = 12.0  # on top of these, for as many cells as the table has (csv/all_text.csv)
TITLE_OF_VALUES = 10.0  # of values alone
FOOTER = 14.0  # (csv/short_rows.csv)
FOOTER_LINE = 3.0
FOOTER_VALUE = 6.0  # a value, except in totals and notes
FOOTER_CELL = 5.0  # each cell more than a legend has
TABLE = 20.0  # another table (reports/table_below.csv)
TABLE_CLOSE = 60.0  # without a blank line above (layouts/words_in_place_of_values.csv)

# Dialects
DELIMITERS = {
    "": 5.0,
    **dict.fromkeys((",", ";", "\t", "|"), 0.0),
    **dict.fromkeys(("||", "::", "~|~", "|~|", "\x1f", "\x01"), 4.0),
    **dict.fromkeys(("\x1e", "¦", "§"), 10.0),
    " ": 9.0,
}
OTHER_DELIMITER = 10.0  # than files of this kind are known to have
BLANKS_WITHOUT_HEADER = 40.0  # a blank that cuts unlabelled columns
TEXTS_CUT = 40.0  # texts cut into columns that lack labels
APOSTROPHE = 10.0  # as the quote
RUNS_OF_BLANKS = 10.0  # as delimiters
WRAPPED_LINE = 6.0  # a line quoted as a whole
