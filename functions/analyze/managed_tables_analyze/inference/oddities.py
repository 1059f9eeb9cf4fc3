"""Find odd cells of a column over all rows: each oddity is a test and a code."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from managed_tables.conversion.columns import ERROR_VALUES
from managed_tables.conversion.sql_text import BLANK, choose, literal, matches, trimmed
from managed_tables.conversion.times import SHORT_YEAR_DATE
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.messages.findings import MAX_LINES, Finding, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.tallies import Cells

# A spreadsheet shows a whole number of 12 digits or more this way, and exports what it shows: the digits left
# out are lost, and the number that remains looks as good as any.
_SHORTENED = r"[+-]?[1-9](?:[.,][0-9]{1,14})?E\+(?:1[1-9]|[2-9][0-9])"
_PADDED_DAY_BYTES = 10  # `31/12/2024`, a time may follow: no year of two digits
_BLANKS_AT_END = (" ", "\u00a0")
# What Windows-1252 makes of UTF-8's bytes: `Ã£`, `Ã‰`, `Â°`. A capital Ã is a letter of Portuguese, so
# only what follows it shows mojibake.
_PAIR = "Ã(?:[\u0080-\u00bf]|[\u2013-\u203a][A-Za-zÃ]|€|ƒ)|Â[\u00a0-\u00bf]"
# What it makes of Greek, Cyrillic and Chinese: four in a row beyond ASCII, which no language of its own has.
_BEYOND, _LETTER = "[¢-ÿ]", "[À-ÿ]"
_RUN = "|".join("".join(_LETTER if place == at else _BEYOND for place in range(4)) for at in range(4))
_RARE = "[¤-©¬®¯±´¶¸¹]"  # twice about one letter: what Chinese in Big5 becomes
_SIGNS = rf"{_PAIR}|{_RUN}|{_RARE}[À-ÿA-Za-z_@]{_RARE}"
_WORD = re.compile(rf"\S*(?:{_SIGNS})\S*")


@dataclass(frozen=True)
class Oddity:
    """A test that few cells pass, asked of columns of some types; it begins with a cheap check."""

    code: WarningCode
    types: frozenset[ColumnType]
    test: Callable[[str], str]

    def is_asked_of(self, column_type: ColumnType, is_proven: bool) -> bool:
        """Return whether a column may have such cells; `is_proven` says that all are of its type."""
        return column_type in self.types and not (is_proven and self.code == "ERROR_CELLS")


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


_ODDITIES = (
    Oddity("MOJIBAKE", frozenset({ColumnType.TEXT}), has_mojibake),
    Oddity("SHORTENED_NUMBERS", frozenset({ColumnType.TEXT, ColumnType.DECIMAL}), _is_shortened),
    Oddity("ERROR_CELLS", frozenset(ColumnType), _is_error),
    Oddity("SURROUNDING_BLANKS", frozenset({ColumnType.TEXT}), _has_blanks_around),
    Oddity("TWO_DIGIT_YEARS", frozenset({ColumnType.DATE, ColumnType.DATETIME}), _has_short_year),
)


def find_oddities(
    rows: Cells, kinds: Sequence[tuple[ColumnType, bool]], files: Sequence[str]
) -> dict[int, list[Finding]]:
    """Return the findings about columns' odd cells, whose example is the first such cell as it stands.

    `kinds` are the types, and whether all cells are proven to be of them: then none holds an error.
    """
    asked = [
        (column, oddity)
        for column, kind in enumerate(kinds)
        for oddity in _ODDITIES
        if oddity.is_asked_of(*kind)
    ]
    counts = rows.ask(asked, lambda oddity, cell: f"count(*) FILTER ({oddity.test(cell)})")
    seen = [(question, count) for question, count in zip(asked, counts, strict=True) if count]
    found: dict[int, list[Finding]] = defaultdict(list)
    answers = rows.ask([question for question, _ in seen], _look_up)
    for ((column, oddity), count), look in zip(seen, answers, strict=True):
        finding = Finding(oddity.code, {"example": look["example"]}, count)
        if len(look["places"]) == 1:  # lines are of one file or sheet
            [place] = look["places"]
            file, sheet = files[place["file"]], place["sheet"]
            finding = replace(finding, lines=tuple(look["lines"]), file=file, sheet=sheet)
        found[column].append(finding)
    return found


def _look_up(oddity: Oddity, cell: str) -> str:
    aggregates = {
        "example": f"arg_min({cell}, {ROW_NUMBER})",
        "lines": f"min(line, {MAX_LINES})",
        "places": "list(DISTINCT {'file': file, 'sheet': sheet})",
    }
    test = oddity.test(cell)
    parts = [f"'{name}': {aggregate} FILTER ({test})" for name, aggregate in aggregates.items()]
    return f"{{{', '.join(parts)}}}"
