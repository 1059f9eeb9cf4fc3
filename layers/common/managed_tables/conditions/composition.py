"""Compose the SQL of a condition: names as identifiers, values as parameters, nothing formatted.

Parameters are `w0`, `w1`, … in the order of `tree.leaves`, each text with a cast.

Texts are compared without case and accents, by functions that every PostgreSQL from 15 on has: a company's
role may make no extension (`unaccent`), and a server may come without ICU (nondeterministic collations):
decision 19. Both sides are folded, so text with accents finds text without, and the other way round.

A text that is searched in all columns says by its look what it can occur in: `1.234,5` in numbers, `31/12/`
in dates, no letters in either. The columns of other types are left out, so that a word costs what it did when
only texts were searched.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count

from psycopg import sql

from managed_tables.conditions import tree
from managed_tables.conditions.tree import (
    EVERY_ROW,
    Breaks,
    Comparison,
    Condition,
    Operator,
    Search,
    Searched,
)
from managed_tables.rules.compiling import is_broken_in
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnFormat, ColumnType

_SIGNS = {
    Operator.EQ: "=",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.NE: "IS DISTINCT FROM",
}

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

# Of a folded text, what an index holds: an entry of a B-tree may take 2,704 bytes.
_INDEXED_CHARACTERS = 200
# Above every text of as many characters, byte by byte.
_ABOVE = sql.SQL("repeat(chr(1114111), {})").format(_INDEXED_CHARACTERS + 1)

# Most texts are plain ASCII, for which a sixth of the time is enough.
_FOLDED = (
    'CASE WHEN octet_length({text}) = length({text}) THEN lower({text} COLLATE "C")'
    " ELSE lower(regexp_replace(normalize({text}, NFD), '[\\u0300-\\u036f]', '', 'g')) END"
)


def _folded(text: sql.Composable) -> sql.Composed:
    """Return the text in lower case, without combining marks, compared byte by byte."""
    return sql.SQL(_FOLDED).format(text=text)


def _folded_start(text: sql.Composable) -> sql.Composed:
    """Return the start of a folded text, as an index has it."""
    return sql.SQL("left({}, {})").format(_folded(text), _INDEXED_CHARACTERS)


def index_expression(column: Column) -> sql.Composable:
    """Return the column as an item of CREATE INDEX … (…), such that filters use the index."""
    name = sql.Identifier(column.name)
    return sql.SQL("({})").format(_folded_start(name)) if column.type is ColumnType.TEXT else name


def condition_sql(condition: Condition, table: sql.Identifier) -> sql.Composed:
    """Return the condition as a boolean expression over the table's alias."""
    return _compose(condition, table, count())


def condition_parameters(condition: Condition) -> dict[str, str | None]:
    """Return the parameters of `condition_sql`."""
    values = map(_parameter, tree.leaves(condition))
    return {f"w{place}": value for place, value in enumerate(values) if value is not None}


def _parameter(leaf: Comparison | Search | Breaks) -> str | None:
    match leaf:
        case Search():
            return leaf.text
        case Breaks():  # of no use to it, but with none at all a statement's `%%` would not be read as `%`
            return leaf.rule.id
        case Comparison():
            return leaf.value


def _compose(condition: Condition, table: sql.Identifier, places: Iterator[int]) -> sql.Composed:
    match condition:
        case tree.Group(word, ()):
            return sql.Composed([sql.SQL("true" if word == "and" else "false")])
        case tree.Group(word, conditions):
            parts = [_compose(one, table, places) for one in conditions]
            return sql.SQL("({})").format(sql.SQL(" AND " if word == "and" else " OR ").join(parts))
        case tree.Not(inner):
            return sql.SQL("({}) IS NOT TRUE").format(_compose(inner, table, places))
        case Breaks(rule, columns, name, zone):
            next(places)
            by_name = {column.name: column for column in columns}
            test = is_broken_in(rule, by_name, table.as_string(), name, zone)
            return sql.Composed([sql.SQL(test.replace("%", "%%"))])
        case Search():
            parameter = sql.SQL("%({})s::text").format(sql.SQL(f"w{next(places)}"))
            return _search_sql(condition, table, parameter)
        case Comparison(operator=word) if word in tree.NEGATIONS:
            return _compose(tree.Not(replace(condition, operator=tree.NEGATIONS[word])), table, places)
        case Comparison():
            return _comparison(condition, table, next(places))


def _comparison(comparison: Comparison, table: sql.Identifier, place: int) -> sql.Composed:
    operator = comparison.operator
    cell = sql.SQL("{}.{}").format(table, sql.Identifier(comparison.column))
    if operator is Operator.IS_NULL:
        return sql.SQL("{} IS NULL").format(cell)
    if comparison.type is ColumnType.TEXT:
        return _text_comparison(operator, cell, place)
    type_name = sql.SQL(POSTGRES_TYPES[comparison.type] if comparison.type else "uuid")
    value = sql.SQL("%({})s::{}").format(sql.SQL(f"w{place}"), type_name)
    if operator is Operator.IN:
        return sql.SQL("{} = ANY ({}[])").format(cell, value)
    return sql.SQL("{} {} {}").format(cell, sql.SQL(_SIGNS[operator]), value)


def _text_comparison(operator: Operator, cell: sql.Composed, place: int) -> sql.Composed:
    """Compare folded texts; of two conditions the cheaper one comes first where no index serves the other."""
    text, value = _folded(cell), _folded_value(place)
    start, start_value = _folded_start(cell), _folded_value(place, _folded_start)
    match operator:
        case Operator.EQ:
            return sql.SQL("({} = {} AND {} = {})").format(text, value, start, start_value)
        case Operator.IN:
            values, starts = _folded_values(place, _folded), _folded_values(place, _folded_start)
            return sql.SQL("({} = ANY ({}) AND {} = ANY ({}))").format(text, values, start, starts)
        case Operator.CONTAINS:
            return sql.SQL("strpos({}, {}) > 0").format(text, value)
        case Operator.STARTS_WITH:
            form = "(starts_with({}, {}) AND {start} >= {begins} AND {start} < {begins} || {above})"
            bounds = {"start": start, "begins": start_value, "above": _ABOVE}  # which an index serves
            return sql.SQL(form).format(text, value, **bounds)
        case Operator.ENDS_WITH:
            return sql.SQL("right({}, length({})) = {}").format(text, value, value)
        case _:  # in the database's own order of texts
            form = '(({}) COLLATE "default") {} ({} COLLATE "default")'
            return sql.SQL(form).format(text, sql.SQL(_SIGNS[operator]), value)


def _folded_value(place: int, fold: Callable[[sql.Composable], sql.Composed] = _folded) -> sql.Composed:
    # A sub-select is worked out once a statement, an expression over a parameter maybe once a row.
    return sql.SQL("(SELECT {})").format(fold(sql.SQL("%({})s::text").format(sql.SQL(f"w{place}"))))


def _folded_values(place: int, fold: Callable[[sql.Composable], sql.Composed]) -> sql.Composed:
    return sql.SQL("ARRAY(SELECT {} FROM unnest(%({})s::text[]) AS item)").format(
        fold(sql.SQL("item")), sql.SQL(f"w{place}")
    )


def read_search(text: str | None, columns: Iterable[Column], zone: str = "UTC") -> Condition:
    """Return the condition that any column shows the text, times as in `zone`; without a text every row."""
    if not text:
        return EVERY_ROW
    plain = text.strip()
    found = tuple(one for column in columns for one in _searched(column, plain))
    return Search(found, zone, has_marks="." in plain, text=text)


def _searched(column: Column, text: str) -> Iterator[Searched]:
    """Yield the column if the text can occur in a value of its."""
    if column.type is ColumnType.BOOLEAN:
        word = text.lower()
        is_yes = "sim".startswith(word)
        if len(word) >= _FEWEST_LETTERS and (is_yes or word in ("na", "nã", "nao", "não")):
            yield Searched(column.name, column.type, holds=is_yes)
    elif column.type in _LOOKS:
        if _LOOKS[column.type].fullmatch(text):
            yield Searched(column.name, column.type)
    elif (match := _NUMBER.fullmatch(text)) and _is_shown_so(column, match):
        shown = column.format or ColumnFormat()
        yield Searched(column.name, column.type, shown.decimals, percent=bool(shown.percent))


def _is_shown_so(column: Column, match: re.Match[str]) -> bool:
    """Return whether the column is shown with the currency or the percent sign that the text has, if any."""
    shown = column.format or ColumnFormat()
    has_currency = not match["currency"] or _CURRENCIES[match["currency"]] == shown.currency
    return has_currency and (not match["percent"] or bool(shown.percent))


def _search_sql(search: Search, table: sql.Identifier, parameter: sql.Composable) -> sql.Composed:
    """Return the test that some column shows the text of the parameter, in one look at each row."""
    found = [_shows(one, search, table, parameter) for one in search.columns]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(found)) if found else sql.Composed([sql.SQL("false")])


def _shows(
    searched: Searched, search: Search, table: sql.Identifier, parameter: sql.Composable
) -> sql.Composed:
    cell = sql.SQL("{}.{}").format(table, sql.Identifier(searched.name))
    match searched.type:
        case ColumnType.TEXT:
            return _contains(_folded(cell), _folded(parameter))
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
    grouped = sql.SQL(", ").join(sql.SQL(_WITH_MARKS).format(text=text) for text in texts)
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


# `1234567.50` as `1.234.567,50`
_WITH_MARKS = (
    "regexp_replace(split_part({text}, '.', 1), '(\\d)(?=(\\d{{3}})+$)', '\\1.', 'g')"
    " || CASE WHEN strpos({text}, '.') > 0 THEN ',' || split_part({text}, '.', 2) ELSE '' END"
)
