"""Find a text in columns of every type, as people and programs are shown their values.

A text says by its look what it can occur in: `1.234,5` in numbers, `31/12/` in dates, no letters in either.
The columns of other types are left out, so that a word costs what it did when only texts were searched.
"""

import re
from collections.abc import Iterable, Iterator

from psycopg import sql

from managed_tables.conditions.folding import folded
from managed_tables.conditions.tree import EVERY_ROW, Condition, Search, Searched
from managed_tables.schema import Column, ColumnFormat, ColumnType

_HAS_DIGIT = "(?=[^0-9]*[0-9])"
_NUMBER = re.compile(rf"{_HAS_DIGIT}(?P<currency>R\$|US\$|€)?\s*(?P<number>[-0-9.,]+)\s*(?P<percent>%)?")
# A date has no more than four digits in a row, a fraction of a second no more than six.
_LOOKS = {
    ColumnType.TEXT: re.compile("(?s:.*)"),
    ColumnType.DATE: re.compile(rf"{_HAS_DIGIT}(?!.*[0-9]{{5}})[0-9/-]{{1,10}}"),
    ColumnType.DATETIME: re.compile(rf"{_HAS_DIGIT}(?!.*[0-9]{{7}})[0-9/:.TZ -]{{1,30}}"),
}
_CURRENCIES = {"R$": "BRL", "US$": "USD", "€": "EUR"}
_FEWEST_LETTERS = 2  # of Sim and Não: a single one would find every row


def read_search(text: str | None, columns: Iterable[Column], zone: str = "UTC") -> Condition:
    """Return the condition that any column shows the text; without one, every row.

    `zone` is where times are shown.
    """
    if not text:
        return EVERY_ROW
    plain = text.strip()
    found = tuple(one for column in columns for one in _searched(column, plain))
    return Search(found, zone, has_marks="." in plain, text=text)


def _searched(column: Column, text: str) -> Iterator[Searched]:
    """Yield the column if the text can occur in a value of its."""
    if column.type is ColumnType.BOOLEAN:
        if len(text) >= _FEWEST_LETTERS and (is_yes := _yes_or_no(text.lower())) is not None:
            yield Searched(column.name, column.type, holds=is_yes)
    elif column.type in _LOOKS:
        if _LOOKS[column.type].fullmatch(text):
            yield Searched(column.name, column.type)
    elif (match := _NUMBER.fullmatch(text)) and _is_shown_so(column, match):
        shown = column.format or ColumnFormat()
        yield Searched(column.name, column.type, shown.decimals, percent=bool(shown.percent))


def _yes_or_no(text: str) -> bool | None:
    if "sim".startswith(text):
        return True
    return False if text in ("na", "nã", "nao", "não") else None


def _is_shown_so(column: Column, match: re.Match[str]) -> bool:
    """Return whether the column is shown with the currency or the percent sign that the text has, if any."""
    shown = column.format or ColumnFormat()
    has_currency = not match["currency"] or _CURRENCIES[match["currency"]] == shown.currency
    return has_currency and (not match["percent"] or bool(shown.percent))


def search_sql(search: Search, table: sql.Identifier, parameter: sql.Composable) -> sql.Composed:
    """Return the test that some column shows the text of the parameter, in one look at each row."""
    found = [_shows(one, search, table, parameter) for one in search.columns]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(found)) if found else sql.Composed([sql.SQL("false")])


def _shows(
    searched: Searched, search: Search, table: sql.Identifier, parameter: sql.Composable
) -> sql.Composed:
    cell = sql.SQL("{}.{}").format(table, sql.Identifier(searched.name))
    match searched.type:
        case ColumnType.TEXT:
            return _contains(folded(cell), folded(parameter))
        case ColumnType.BOOLEAN:
            return sql.SQL("{} IS TRUE" if searched.holds else "{} IS FALSE").format(cell)
        case ColumnType.DATE:
            form = "concat_ws(' | ', to_char({cell}, 'DD/MM/YYYY'), {cell}::text)"
            return _contains(sql.SQL(form).format(cell=cell), sql.SQL("btrim({})").format(parameter))
        case ColumnType.DATETIME:
            # By the clocks of the zone, and as an answer has it: the session is in UTC.
            form = (
                "concat_ws(' | ', to_char({cell} AT TIME ZONE {zone}, 'DD/MM/YYYY HH24:MI:SS | YYYY-MM-DD'),"
                " replace(replace({cell}::text, ' ', 'T'), '+00', 'Z'))"
            )
            shown = sql.SQL(form).format(cell=cell, zone=search.zone)
            return _contains(shown, sql.SQL("btrim({})").format(parameter))
        case _:
            return _shows_number(searched, cell, parameter, has_marks=search.has_marks)


def _contains(text: sql.Composable, part: sql.Composable) -> sql.Composed:
    # A sub-select is worked out once a statement, an expression over a parameter maybe once a row.
    return sql.SQL("strpos({}, (SELECT {})) > 0").format(text, part)


def _shows_number(
    searched: Searched, cell: sql.Composed, parameter: sql.Composable, *, has_marks: bool
) -> sql.Composed:
    """Compare without marks; of numbers that have the digits, where the text has marks, with them too."""
    number = sql.SQL("btrim({}, ' R$US€' || chr(37))").format(parameter)
    texts = list(_number_texts(searched, cell))
    together = sql.SQL("concat_ws(' | ', {})").format(sql.SQL(", ").join(texts))
    plain = _contains(together, sql.SQL("replace({}, ',', '.')").format(number))
    if not has_marks:
        return plain
    grouped = sql.SQL(", ").join(map(_with_marks, texts))
    return sql.SQL("({plain} OR CASE WHEN {has_digits} THEN {has_marks} ELSE false END)").format(
        plain=plain,
        has_digits=_contains(together, sql.SQL("replace(replace({}, '.', ''), ',', '.')").format(number)),
        has_marks=_contains(sql.SQL("concat_ws(' | ', {})").format(grouped), number),
    )


def _number_texts(searched: Searched, cell: sql.Composed) -> Iterator[sql.Composed]:
    yield sql.SQL("{}::text").format(cell)
    shown = sql.SQL("({}::numeric * 100)").format(cell) if searched.percent else cell
    if searched.decimals is not None:
        yield sql.SQL("round({}::numeric, {})::text").format(shown, searched.decimals)
    elif searched.percent:
        yield sql.SQL("trim_scale({})::text").format(shown)


def _with_marks(text: sql.Composed) -> sql.Composed:
    """Return `1234567.50` as `1.234.567,50`."""
    form = (
        "regexp_replace(split_part({text}, '.', 1), '(\\d)(?=(\\d{{3}})+$)', '\\1.', 'g')"
        " || CASE WHEN strpos({text}, '.') > 0 THEN ',' || split_part({text}, '.', 2) ELSE '' END"
    )
    return sql.SQL(form).format(text=text)
