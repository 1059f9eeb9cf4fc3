"""Look up what judging needs besides the tallies: each fact when first needed, for all columns at once.

Odd cells are found over all rows: each oddity is a test and a code.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from managed_tables.conversion.columns import ERROR_VALUES, LETTER_PAIRS, DecimalMark, Formats, empty_cell
from managed_tables.conversion.sql_text import BLANK, choose, literal, matches, trimmed
from managed_tables.conversion.times import SHORT_YEAR_DATE, TIME_OF_DAY, TIME_WITHOUT_ZONE
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.messages.findings import MAX_LINES, Finding, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.signs import LONGEST_CODE, is_lettered_code, names_quantity, names_year
from managed_tables_analyze.inference.tallies import COLUMNS_PER_SCAN, Cells, Hypothesis, long_column
from managed_tables_analyze.inference.trial import MARKS, Trial

_DISTINCT_VALUES = 200  # of the head, to recognise a code by
_ENCLOSED = re.compile(r"\s*\(\s*[0-9]+\s*\)\s*")
_EIGHT_DIGITS = re.compile("(?:19|20)[0-9]{6}")
_FOURTEEN_DIGITS = r"\s*[0-9]{14}\s*"
_MANY_OTHERS = 10_000  # different codes with letters: more are not checked
_BARE_EXPONENT = "[0-9]+[eE][0-9]+"
_SHORT_DECIMAL = "(?:[+-] )?[0-9]{1,4}(?:[.][0-9]{1,4})?"  # of versions and of accounts

# A spreadsheet shows a whole number of 12 digits or more this way, and exports what it shows: the digits left
# out are lost, and the number that remains looks as good as any.
_SHORTENED = r"[+-]?[1-9](?:[.,][0-9]{1,14})?E\+(?:1[1-9]|[2-9][0-9])"
_FEWEST_OF_A_FORM = 3  # dates, of each form: that all have such a day may be chance
_PADDED_DAY_BYTES = 10  # `31/12/2024`, a time may follow: no year of two digits
_BLANKS_AT_END = (" ", "\u00a0")
# What Windows-1252 makes of UTF-8's bytes: `Ã£`, `Ã‰`, `Â°`. A capital Ã is a letter of Portuguese, so
# only what follows it shows mojibake.
_PAIR = "Ã(?:[\u0080-\u00bf]|[\u2013-\u203a][A-Za-zÃ]|€|ƒ)|Â[\u00a0-\u00bf]"
# What it makes of Greek, Cyrillic and Chinese: four in a row beyond ASCII, which no language of its own has.
_BEYOND, _LETTER = "[¢-ÿ]", "[À-ÿ]"
_RUN = "|".join("".join(_LETTER if place == at else _BEYOND for place in range(4)) for at in range(4))
_RARE = "[¤-©¬®¯±´¶¸¹]"  # twice about one letter: what Chinese in Big5 becomes
# What it makes of the first of two bytes of Shift-JIS; a word also has bytes that it leaves undefined.
_FIRST = "[ŒœŠšŸŽžƒˆ˜‘-‡‰‹›™]"
_SIGNS = rf"{_PAIR}|{_RUN}|{_RARE}[À-ÿA-Za-z_@]{_RARE}|(?:{_FIRST}\S){{2}}{_FIRST}|[\x81\x8d\x8f\x90\x9d]"
_WORD = re.compile(rf"\S*(?:{_SIGNS})\S*")


@dataclass(frozen=True)
class Evidence:
    """What the cells of columns show, given how each is read, besides their tallies."""

    head: Cells
    rows: Cells
    trials: Sequence[Trial]

    @cached_property
    def head_values(self) -> dict[int, list[str]]:
        """The first values of each column of numbers, in order."""

        def values(cell: str) -> str:
            is_short = f"{cell} <> '' AND strlen({cell}) <= {LONGEST_CODE}"
            has_digit = f"regexp_matches({cell}, '[0-9]')"
            return f"list(trim({cell}) ORDER BY {ROW_NUMBER}) FILTER ({is_short} AND {has_digit})"

        found = self.head.ask_columns(self._of(ColumnType.INTEGER, ColumnType.DECIMAL), values)
        return {
            column: list(dict.fromkeys(listed or ()))[:_DISTINCT_VALUES]
            for column, (listed,) in found.items()
        }

    @cached_property
    def lettered_codes(self) -> dict[int, str]:
        """The columns of text that would be numbers but for codes with letters, and which code it is."""
        led = [
            one.column for one in self.trials if one.chosen is None and one.lead and one.lead.type.is_number
        ]
        found = self.rows.ask_columns(led, _other_than_digits)
        return {
            column: "CNPJ"
            for column, (others,) in found.items()
            if others and len(others) < _MANY_OTHERS and all(map(is_lettered_code, others))
        }

    @cached_property
    def times_of_day(self) -> set[int]:
        """The columns of text in whose head every filled cell is a time of day."""
        return self.head.columns_where(self._of(None), _are_times)

    @cached_property
    def times_without_zone(self) -> set[int]:
        """The columns of datetimes in whose head some time has no zone."""
        return self.head.columns_where(self._of(ColumnType.DATETIME), _is_without_zone)

    @cached_property
    def lone_letters(self) -> set[int]:
        """The columns of booleans that have a letter without its partner: `F` alone is a sex or a size."""
        found = self.rows.ask_columns(self._of(ColumnType.BOOLEAN), _letters)
        return {column for column, (letters,) in found.items() if not _are_paired(set(letters or ()))}

    @cached_property
    def compact_days(self) -> set[int]:
        """The columns of eight digits in which every cell may be a day, `yyyymmdd`."""
        columns = self._all_match(_EIGHT_DIGITS)
        days = Hypothesis(ColumnType.DATE, Formats(null_tokens=True), shape=None)
        tallies = self.rows.count([(column, days) for column in columns])
        return {column for column, tally in zip(columns, tallies, strict=True) if tally.holds}

    @cached_property
    def notes(self) -> dict[int, Finding]:
        """Why parentheses are no minus in a column: all its numbers, or years, have them."""
        years = {trial.column for trial in self.trials if names_year(trial.label)}
        columns = sorted({*self._all_match(_ENCLOSED), *years.intersection(self.head_values)})
        found = self.rows.ask_columns(columns, _first_enclosed, _are_enclosed)
        return {
            column: Finding("PARENTHESES", {"example": example.strip()})
            for column, (example, all_are) in found.items()
            if example is not None and (all_are or column in years)
        }

    def _all_match(self, pattern: re.Pattern[str]) -> list[int]:
        """Return the columns of numbers of which all the first values match a pattern."""
        heads = self.head_values.items()
        return [column for column, values in heads if values and all(map(pattern.fullmatch, values))]

    @cached_property
    def writing(self) -> dict[int, Finding]:
        """Why the writing of decimals shows that they are codes, by columns: they are no quantities.

        A bare `2E5` is a code, unless other cells have decimals; so are `1.1` and `1.10` in one column, which
        for most columns a look at the head rules out.
        """
        # A workbook's numbers have a point, and so have those of its texts that look like them.
        marks: dict[int, DecimalMark] = {
            trial.column: "." if chosen.formats.workbook else chosen.formats.decimal_mark
            for trial in self.trials
            if (chosen := trial.chosen) and chosen.type is ColumnType.DECIMAL and not chosen.formats.unit
        }
        with_points = [column for column, mark in marks.items() if mark == "."]
        return dict(self._bare_exponents(marks)) | dict(self._written_differently(with_points))

    def _bare_exponents(self, marks: Mapping[int, DecimalMark]) -> Iterator[tuple[int, Finding]]:
        """Yield the columns that have a bare exponent and no decimals, by their marks, and the first one."""
        for mark in MARKS:
            columns = [column for column, own in marks.items() if own == mark]
            found = self.rows.ask_columns(columns, _bare_exponent, partial(_has_decimals, mark))
            for column, (example, has_decimals) in found.items():
                if example is not None and not has_decimals:
                    yield column, Finding("BARE_EXPONENTS", {"example": example})

    def _written_differently(self, columns: Sequence[int]) -> Iterator[tuple[int, Finding]]:
        """Yield the columns in which two cells are the same number but different texts, and the first two."""
        columns = [column for column in columns if not names_quantity(self.trials[column].label)]
        looks = ((self.head, _are_short), (self.rows, _are_short), (self.rows, _differ_in_decimals))
        for cells, test in looks:
            columns = sorted(cells.columns_where(columns, test))
        for start in range(0, len(columns), COLUMNS_PER_SCAN):
            below = long_column(self.rows.relation, columns[start : start + COLUMNS_PER_SCAN])
            pairs = (
                f"SELECT number, min(cell) AS least, max(cell) AS greatest FROM {below} "  # noqa: S608 - own SQL
                "WHERE contains(cell, '.') GROUP BY number, rtrim(rtrim(cell, '0'), '.') "
                "HAVING min(cell) <> max(cell)"
            )
            found = self.rows.connection.execute(
                f"SELECT number, min(least), arg_min(greatest, least) FROM ({pairs}) GROUP BY number"  # noqa: S608
            ).fetchall()
            for column, *pair in found:
                yield column, Finding("WRITTEN_DIFFERENTLY", {"example": " e ".join(pair)})

    def _of(self, *types: ColumnType | None) -> list[int]:
        return [one.column for one in self.trials if (one.chosen.type if one.chosen else None) in types]


def _first_enclosed(cell: str) -> str:
    return f"min({cell}) FILTER ({matches(cell, _ENCLOSED.pattern)})"


def _are_enclosed(cell: str) -> str:
    return f"bool_and({matches(cell, _ENCLOSED.pattern)}) FILTER (NOT {empty_cell(cell, null_tokens=True)})"


def _other_than_digits(cell: str) -> str:
    bare = trimmed(cell)
    is_other = f"NOT ({empty_cell(cell, null_tokens=True)} OR {matches(cell, _FOURTEEN_DIGITS)})"
    return f"list(DISTINCT {bare} ORDER BY {bare}) FILTER ({is_other})[:{_MANY_OTHERS}]"


def _are_times(cell: str) -> str:
    return f"bool_and({matches(cell, TIME_OF_DAY)}) FILTER ({trimmed(cell)} <> '')"


def _is_without_zone(cell: str) -> str:
    return f"bool_or({matches(cell, TIME_WITHOUT_ZONE)})"


def _letters(cell: str) -> str:
    letters = f"lower({trimmed(cell)})"
    return f"list(DISTINCT {letters}) FILTER (strlen({letters}) = 1 AND regexp_matches({cell}, '[a-zA-Z]'))"


def _are_paired(seen: set[str]) -> bool:
    return all(any(letter in pair and seen.issuperset(pair) for pair in LETTER_PAIRS) for letter in seen)


def _bare_exponent(cell: str) -> str:
    is_bare = _if_exponent(cell, f"regexp_full_match({cell}, '{_BARE_EXPONENT}')")
    return f"min({cell}) FILTER ({is_bare})"


def _has_decimals(mark: DecimalMark, cell: str) -> str:
    signed = _if_exponent(cell, f"regexp_matches({cell}, '[eE][+-]')")
    return f"bool_or(contains({cell}, '{mark}') OR {signed})"


def _if_exponent(cell: str, test: str) -> str:
    """Return a test that is run only where a cell has an `E`, which costs little to see and is rare."""
    return choose((f"contains({cell}, 'E') OR contains({cell}, 'e')", test), otherwise="false")


def _are_short(cell: str) -> str:
    return f"bool_and({cell} IS NULL OR {cell} = '' OR regexp_full_match({cell}, '{_SHORT_DECIMAL}'))"


def _differ_in_decimals(cell: str) -> str:
    width = f"strlen({cell}) - strpos({cell}, '.')"
    return f"min({width}) <> max({width})"


def find_mojibake(text: str) -> str | None:
    """Return the first word with such letters, None if there is none."""
    found = _WORD.search(text)
    return found[0] if found else None


def _if(cheap: str, test: str) -> str:
    """Return a test that is run only if a cheap one holds: DuckDB runs both sides of an AND."""
    return choose((cheap, test), otherwise="false")


def has_mojibake(cell: str) -> str:
    """Return the SQL test that a text was read in another encoding than it was written in: `JoÃ£o`."""
    is_beyond_ascii = f"strlen({cell}) <> length({cell})"
    return _if(is_beyond_ascii, f"regexp_matches({cell}, {literal(_SIGNS)})")


def _is_shortened(cell: str) -> str:
    return _if(f"contains({cell}, 'E+')", matches(trimmed(cell), _SHORTENED))


def _is_error(cell: str) -> str:
    return _if(f"starts_with({cell}, '#')", matches(cell, f"{ERROR_VALUES}{BLANK}*"))


def _has_blanks_around(cell: str) -> str:
    starts = f"{cell} < '!'"  # a blank or a tab: no visible character sorts before it
    ends = [f"ends_with({cell}, {literal(blank)})" for blank in _BLANKS_AT_END]
    return _if(" OR ".join([starts, *ends]), f"{trimmed(cell)} <> ''")


def _has_short_year(cell: str) -> str:
    after_day = f"substr({cell}, {_PADDED_DAY_BYTES + 1}, 1)"
    has_long_year = f"strlen({cell}) = {_PADDED_DAY_BYTES} OR {after_day} IN (' ', 'T')"
    return choose((has_long_year, "false"), otherwise=matches(cell, SHORT_YEAR_DATE))


def _is_iso(cell: str) -> str:
    return f"substr({cell}, 8, 1) = '-'"


def _are_swapped(cell: str) -> str:
    """Return whether dates were read in the other order wherever that gives a day, else left as text."""
    parts = (f"split_part(translate({cell}, '-.', '//'), '/', {place})" for place in (1, 2))
    greatest = f"greatest({', '.join(f'TRY_CAST({part} AS INTEGER)' for part in parts)})"
    day = choose((_is_iso(cell), "NULL"), otherwise=greatest)  # or the month, whichever is above 12
    return (
        f"least(count(*) FILTER ({_is_iso(cell)}), count({day})) >= {_FEWEST_OF_A_FORM}"
        f" AND max(substr({cell}, 9, 2)) FILTER ({_is_iso(cell)}) <= '12' AND min({day}) > 12"
    )


def _may_be_swapped(cell: str) -> str:
    return f"{_is_iso(cell)} AND substr({cell}, 6, 2) <> substr({cell}, 9, 2)"


# Each is asked of columns of some types, by a test that few cells pass and that begins with a cheap check.
_ODDITIES: dict[WarningCode, tuple[Collection[ColumnType], Callable[[str], str]]] = {
    "MOJIBAKE": ((ColumnType.TEXT,), has_mojibake),
    "SHORTENED_NUMBERS": ((ColumnType.TEXT, ColumnType.DECIMAL), _is_shortened),
    "ERROR_CELLS": (tuple(ColumnType), _is_error),
    "SURROUNDING_BLANKS": ((ColumnType.TEXT,), _has_blanks_around),
    "TWO_DIGIT_YEARS": ((ColumnType.DATE, ColumnType.DATETIME), _has_short_year),
    "SWAPPED_DATES": ((ColumnType.DATE, ColumnType.DATETIME), _may_be_swapped),
}


def find_oddities(
    rows: Cells, kinds: Sequence[tuple[ColumnType, bool]], files: Sequence[str]
) -> dict[int, list[Finding]]:
    """Return the findings about columns' odd cells, whose example is the first such cell as it stands.

    `kinds` are the types, and whether none of the cells holds an error, as is known.
    """
    asked = _applicable(rows, kinds)
    counts = rows.ask(asked, lambda code, cell: f"count(*) FILTER ({_ODDITIES[code][1](cell)})")
    seen = [(question, count) for question, count in zip(asked, counts, strict=True) if count]
    found: dict[int, list[Finding]] = defaultdict(list)
    answers = rows.ask([question for question, _ in seen], _look_up)
    for ((column, code), count), look in zip(seen, answers, strict=True):
        finding = Finding(code, {"example": look["example"]}, count)
        if len(look["places"]) == 1:  # lines are of one file or sheet
            [place] = look["places"]
            file, sheet = files[place["file"]], place["sheet"]
            finding = replace(finding, lines=tuple(look["lines"]), file=file, sheet=sheet)
        found[column].append(finding)
    return found


def _applicable(rows: Cells, kinds: Sequence[tuple[ColumnType, bool]]) -> list[tuple[int, WarningCode]]:
    """Return which oddities each column may have."""
    swapped = {column for column, (column_type, _) in enumerate(kinds) if column_type.is_time}
    for test in (lambda cell: f"bool_or({_is_iso(cell)})", _are_swapped):  # the first costs far less
        swapped = rows.columns_where(sorted(swapped), test)
    return [
        (column, code)
        for column, (column_type, has_no_errors) in enumerate(kinds)
        for code, (types, _) in _ODDITIES.items()
        if column_type in types and not (has_no_errors and code == "ERROR_CELLS")
        if code != "SWAPPED_DATES" or column in swapped
    ]


def _look_up(code: WarningCode, cell: str) -> str:
    aggregates = {
        "example": f"arg_min({cell}, {ROW_NUMBER})",
        "lines": f"min(line, {MAX_LINES})",
        "places": "list(DISTINCT {'file': file, 'sheet': sheet})",
    }
    test = _ODDITIES[code][1](cell)
    parts = [f"'{name}': {aggregate} FILTER ({test})" for name, aggregate in aggregates.items()]
    return f"{{{', '.join(parts)}}}"
