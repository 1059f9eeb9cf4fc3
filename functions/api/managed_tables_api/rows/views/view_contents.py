"""Judge what a view asks of its table, and open one that was saved for a table that has changed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from managed_tables.conditions import read_where
from managed_tables.details import UNKNOWN_COLUMN, Detail, DetailCode, Fault, detail, name_faults
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.definitions import is_storable, shown
from managed_tables.values import Parsers
from managed_tables_api.rows.history.row_history import Names
from managed_tables_api.rows.lists.aggregates import read_grouping
from managed_tables_api.rows.lists.ordering import read_order

Content = dict[str, Any]
Columns = Mapping[str, Column]
FIELDS = ("where", "q", "sort", "columns", "group_by", "totals", "row_height")

_NUMBERS = (ColumnType.INTEGER, ColumnType.DECIMAL)
_TWICE = Fault(DetailCode.DUPLICATE_NAME, "a mesma coluna duas vezes")
_NUMBERS_ONLY = Fault(DetailCode.OPERATOR_NOT_FOR_TYPE, "só para colunas de números")
_NOT_STORABLE = Fault(DetailCode.INVALID_CHARACTER, "contém um caractere inválido")


def check_content(content: Content, columns: Columns, parsers: Parsers) -> None:
    """Raise INVALID_REQUEST, with details, unless a table with these columns can be shown so."""
    if content.get("where") is not None:
        read_where(content["where"], columns, parsers)
    read_order(content.get("sort") or (), dict(columns), "body", "sort")
    if content.get("group_by"):
        read_grouping(content["group_by"], None, columns)
    names = [item["name"] for item in content.get("columns") or ()]
    faults = name_faults(names, columns, "columns[{}].name", _TWICE)
    refuse_any([*faults, *_total_faults(content, columns)])
    for name in ("q", "row_height"):
        check_text(name, content.get(name))


def check_text(path: str, text: object) -> None:
    """Raise INVALID_REQUEST for a text that PostgreSQL does not hold."""
    if isinstance(text, str) and not is_storable(text):
        refuse_any([detail("body", _NOT_STORABLE, path=path)])


def refuse_any(details: list[Detail]) -> None:
    """Raise INVALID_REQUEST if there are any."""
    if details:
        raise ApiError(INVALID_REQUEST, details)


def _total_faults(content: Content, columns: Columns) -> Iterator[Detail]:
    for name, function in (content.get("totals") or {}).items():
        column = columns.get(name)
        if column is None or not _is_total_of(function, column):
            fault = UNKNOWN_COLUMN if column is None else _NUMBERS_ONLY
            yield detail("body", fault, path=f"totals.{shown(name)}", column=shown(name))


def _is_total_of(function: str, column: Column) -> bool:
    return function not in ("sum", "avg") or column.type in _NUMBERS


@dataclass
class ViewOpening:
    """Opens a view for the table as it is: what was renamed is followed, what is gone left out and noted."""

    names: Names
    columns: Columns
    parsers: Parsers
    _gone: dict[str, None] = field(default_factory=dict)
    _changed: dict[str, None] = field(default_factory=dict)

    def open(self, content: Content) -> tuple[Content, list[dict[str, Any]]]:
        """Return the content that the table can be shown by, and warnings of what it lost."""
        opened = {name: content.get(name) for name in FIELDS}
        if opened["where"] is not None:
            opened["where"] = self._where(opened["where"])
        if opened["sort"] is not None:
            opened["sort"] = self._sort(opened["sort"])
        if opened["columns"] is not None:
            named = [(self._name(item["name"]), item) for item in opened["columns"]]
            opened["columns"] = [{**item, "name": name} for name, item in named if name]
        if opened["group_by"] is not None:
            opened["group_by"] = [name for name in map(self._name, opened["group_by"]) if name]
        if opened["totals"] is not None:
            opened["totals"] = self._totals(opened["totals"])
        return opened, self._warnings()

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

    def _totals(self, totals: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for old, function in totals.items():
            name = self._name(old)
            if name is None:
                continue
            if _is_total_of(function, self.columns[name]):
                found[name] = function
            else:
                self._changed[name] = None
        return found

    def _warnings(self) -> list[dict[str, Any]]:
        told = (
            ("COLUMN_GONE", self._gone, "Fora da tabela, a visão abre sem elas, nem nos filtros: {}"),
            ("COLUMN_CHANGED", self._changed, "De outro tipo, sem os filtros e totais que tinham: {}"),
        )
        return [
            {"code": code, "text": text.format(", ".join(names)), "columns": list(names)}
            for code, names, text in told
            if names
        ]
