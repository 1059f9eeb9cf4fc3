"""Say how a list is sorted, and compose what comes after a row in that order."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from managed_tables.details import DetailCode, Fault, Place
from managed_tables.exports.request import MAX_SORTS
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column
from managed_tables_api.http.validation import refusal
from managed_tables_api.rows.composing import cell


@dataclass(frozen=True)
class SortKey:
    """One key of an order; `column` is None for the row's id."""

    column: Column | None
    descending: bool = False

    @property
    def name(self) -> str:
        """The name in SQL."""
        return ID_COLUMN if self.column is None else self.column.name

    @property
    def direction(self) -> sql.SQL:
        """The direction; NULLs come last both ways."""
        return sql.SQL("DESC NULLS LAST" if self.descending else "ASC NULLS LAST")


@dataclass(frozen=True)
class Order:
    """The keys of an order; no two rows share all of them."""

    sorts: tuple[SortKey, ...]

    @property
    def is_by_id(self) -> bool:
        """Whether rows come in the order of insertion, or in its reverse."""
        return self.sorts[0].column is None

    def composed(self, source: sql.Identifier) -> sql.Composed:
        """Return the list of an ORDER BY; NULLS LAST is left to the id's index where there are no NULLs."""
        return sql.SQL(", ").join(
            sql.SQL("{} {}").format(cell(source, sort.name), _direction(sort)) for sort in self.sorts
        )


def _direction(sort: SortKey) -> sql.SQL:
    if sort.column is None:
        return sql.SQL("DESC" if sort.descending else "ASC")
    return sort.direction


def read_order(words: Sequence[str], names: dict[str, Column], place: Place, path: str) -> Order:
    """Return the order of rows that `a`, `-b`, … give, ties by insertion; raises INVALID_REQUEST."""
    sorts = _read_sorts(words, {**names, ID_COLUMN: None}, place, path)
    ids = [number for number, sort in enumerate(sorts) if sort.column is None]
    return Order((*sorts[: ids[0] + 1],) if ids else (*sorts, SortKey(None)))


def read_group_order(
    words: Sequence[str], outputs: dict[str, Column], groups: Sequence[Column], place: Place, path: str
) -> Order:
    """Return the order of groups, ties by the columns that make them; raises INVALID_REQUEST."""
    sorts = _read_sorts(words, {**outputs}, place, path)
    sorted_names = {sort.name for sort in sorts}
    ties = [SortKey(column) for column in groups if column.name not in sorted_names]
    return Order((*sorts, *ties))


def _read_sorts(
    words: Sequence[str], names: dict[str, Column | None], place: Place, path: str
) -> list[SortKey]:
    if len(words) > MAX_SORTS:
        raise refusal(path, Fault(DetailCode.TOO_LONG, f"no máximo {MAX_SORTS} colunas"), place)
    sorts: list[SortKey] = []
    for word in words:
        name = word.removeprefix("-")
        if name not in names:
            raise refusal(path, Fault(DetailCode.UNKNOWN_COLUMN, _UNKNOWN), place, value=name)
        if any(sort.name == name for sort in sorts):
            raise refusal(path, _TWICE, place, value=name)
        sorts.append(SortKey(names[name], word.startswith("-")))
    return sorts


_TWICE = Fault(DetailCode.DUPLICATE_NAME, "a mesma coluna duas vezes")
_UNKNOWN = "deve ser o nome de uma coluna da tabela ou id"


def after_row(order: Order, nulls: Sequence[bool], source: sql.Identifier) -> sql.Composed:
    """Return the condition that a row comes after the one whose keys are the parameters k0, k1, ….

    `nulls` says which of them are NULL: those are no parameters.
    """
    terms: list[sql.Composed] = []
    equal: list[sql.Composed] = []
    for place, (sort, is_null) in enumerate(zip(order.sorts, nulls, strict=True)):
        key = cell(source, sort.name)
        if is_null:  # nothing comes after NULL
            equal.append(sql.SQL("{} IS NULL").format(key))
            continue
        value = sql.SQL("%({})s::{}").format(sql.SQL(f"k{place}"), _type(sort))
        terms.append(_joined(" AND ", [*equal, _beyond(sort, key, value)]))
        equal.append(sql.SQL("{} = {}").format(key, value))
    return _joined(" OR ", terms) if terms else sql.Composed([sql.SQL("false")])


def _beyond(sort: SortKey, key: sql.Composed, value: sql.Composed) -> sql.Composed:
    sign = sql.SQL("<" if sort.descending else ">")
    if sort.column is None:
        return sql.SQL("{} {} {}").format(key, sign, value)
    return sql.SQL("({} {} {} OR {} IS NULL)").format(key, sign, value, key)


def _type(sort: SortKey) -> sql.SQL:
    return sql.SQL("uuid" if sort.column is None else POSTGRES_TYPES[sort.column.type])


def _joined(word: str, parts: list[sql.Composed]) -> sql.Composed:
    return sql.SQL("({})").format(sql.SQL(word).join(parts))
