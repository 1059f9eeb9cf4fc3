"""Judge what a view asks of its table, and open one that was saved for a table that has changed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from managed_tables.conditions.reading import read_where
from managed_tables.details import UNKNOWN_COLUMN, Detail, DetailCode, Fault, detail, name_faults
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column
from managed_tables.tables.definitions import is_storable, shown
from managed_tables.values import Parsers
from managed_tables_api.rows.history.row_history import Names
from managed_tables_api.rows.lists.aggregates import Function, read_grouping
from managed_tables_api.rows.lists.ordering import read_order
from managed_tables_api.rows.views.view_models import ViewContent, ViewWarning

Columns = Mapping[str, Column]

_TWICE = Fault(DetailCode.DUPLICATE_NAME, "a mesma coluna duas vezes")
_NUMBERS_ONLY = Fault(DetailCode.OPERATOR_NOT_FOR_TYPE, "só para colunas de números")
_GONE = "Fora da tabela, a visão abre sem elas, nem nos filtros: {}"
_CHANGED = "De outro tipo, sem os filtros e totais que tinham: {}"
_NOT_STORABLE = Fault(DetailCode.INVALID_CHARACTER, "contém um caractere inválido")


def check_content(content: ViewContent, columns: Columns, parsers: Parsers) -> None:
    """Raise INVALID_REQUEST, with details, unless a table with these columns can be shown so."""
    if content.where is not None:
        read_where(content.where, columns, parsers)
    read_order(content.sort or (), dict(columns), "body", "sort")
    if content.group_by:
        read_grouping(content.group_by, (), columns)
    names = [one.name for one in content.columns or ()]
    faults = name_faults(names, columns, "columns[{}].name", _TWICE)
    refuse_any([*faults, *_total_faults(content.totals or {}, columns)])
    check_text("q", content.q)
    check_text("row_height", content.row_height)


def check_text(path: str, text: object) -> None:
    """Raise INVALID_REQUEST for a text that PostgreSQL does not hold."""
    if isinstance(text, str) and not is_storable(text):
        refuse_any([detail("body", _NOT_STORABLE, path=path)])


def refuse_any(details: list[Detail]) -> None:
    """Raise INVALID_REQUEST if there are any."""
    if details:
        raise ApiError(INVALID_REQUEST, details)


def _total_faults(totals: Mapping[str, Function], columns: Columns) -> Iterator[Detail]:
    for name, function in totals.items():
        column = columns.get(name)
        if column is None or not _is_total_of(function, column):
            fault = UNKNOWN_COLUMN if column is None else _NUMBERS_ONLY
            yield detail("body", fault, path=f"totals.{shown(name)}", column=shown(name))


def _is_total_of(function: Function, column: Column) -> bool:
    return function not in ("sum", "avg") or column.type.is_number


@dataclass
class ViewOpening:
    """Opens a view for the table as it is: what was renamed is followed, what is gone left out and noted."""

    names: Names
    columns: Columns
    parsers: Parsers
    _gone: dict[str, None] = field(default_factory=dict)
    _changed: dict[str, None] = field(default_factory=dict)

    def open(self, saved: ViewContent) -> ViewContent:
        """Return the content that the table can be shown by; `warnings` says what it has lost."""
        opened = saved.model_copy()
        if saved.where is not None:
            opened.where = self._where(saved.where)
        if saved.sort is not None:
            opened.sort = self._sort(saved.sort)
        if saved.columns is not None:
            named = [one.model_copy(update={"name": self._name(one.name)}) for one in saved.columns]
            opened.columns = [one for one in named if one.name]
        if saved.group_by is not None:
            opened.group_by = [name for name in map(self._name, saved.group_by) if name]
        if saved.totals is not None:
            opened.totals = self._totals(saved.totals)
        return opened

    def _name(self, name: str) -> str | None:
        """Return the column's name as it is now, None of one that is gone."""
        if name == ID_COLUMN:
            return name
        found = self.names.find(name)
        if found in self.columns:
            return found
        self._gone[self.names.now(name)] = None
        return None

    def _where(self, node: Any) -> Any:
        """Return the condition without what cannot be asked any more, None where nothing of it is left."""
        if "column" in node:
            return self._comparison(node)
        if not node:
            return node
        ((word, inner),) = node.items()
        if word == "not":
            kept = self._where(inner)
            return None if kept is None else {word: kept}
        parts = [one for one in map(self._where, inner) if one is not None]
        return {word: parts} if parts or not inner else None

    def _comparison(self, node: Any) -> Any:
        name = self._name(node["column"])
        if name is None:
            return None
        try:
            read_where({**node, "column": name}, self.columns, self.parsers)
        except ApiError:
            self._changed[name] = None
            return None
        return {**node, "column": name}

    def _sort(self, words: list[str]) -> list[str]:
        found = [(self._name(word.removeprefix("-")), word.startswith("-")) for word in words]
        return ["-" * descending + name for name, descending in found if name]

    def _totals(self, totals: Mapping[str, Function]) -> dict[str, Function]:
        found: dict[str, Function] = {}
        for old, function in totals.items():
            name = self._name(old)
            if name is None:
                continue
            if _is_total_of(function, self.columns[name]):
                found[name] = function
            else:
                self._changed[name] = None
        return found

    def warnings(self) -> list[ViewWarning]:
        """Return what the opened view has lost."""
        gone, changed = list(self._gone), list(self._changed)
        found = [
            ViewWarning(code="COLUMN_GONE", text=_GONE.format(", ".join(gone)), columns=gone),
            ViewWarning(code="COLUMN_CHANGED", text=_CHANGED.format(", ".join(changed)), columns=changed),
        ]
        return [one for one in found if one.columns]
