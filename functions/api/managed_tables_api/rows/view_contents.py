"""Model views, judge what one asks of its table, and open one for a table that has changed since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_serializer, field_validator

from managed_tables.conditions.tree import Marks, read_where
from managed_tables.details import detail, name_faults, shown_text
from managed_tables.documents.document import Document, Moment, RecordId, Sentence
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.identifiers import ID_COLUMN, MAX_COLUMNS
from managed_tables.schema import STORABLE, Column
from managed_tables.values import Parsers
from managed_tables_api.http.answers import as_json
from managed_tables_api.http.requests import QUERY_DIGITS, ListAnswer, PageQuery, SentBack, refuse_null
from managed_tables_api.rows import pages
from managed_tables_api.rows.row_history import Names
from managed_tables_api.rows.row_models import SentWhere, SortWords

MAX_NAME_CHARACTERS = 200
MAX_SEARCH_CHARACTERS = 1_000
MAX_PER_PAGE = 40  # of views of 128 KiB each an answer holds no more


class ViewColumn(Document):
    """How a column is shown, in the view's order."""

    name: str
    width: Annotated[int, Field(ge=1, le=10_000)] | None = Field(default=None, description="Em pixels")
    hidden: bool | None = None
    frozen: bool | None = None


class ViewContent(Document):
    """Which rows a view shows, in which order, and how; null for what it leaves to the reader."""

    where: SentWhere | None = Field(default=None, description="Filtro, como em POST /{table_id}/data/query")
    q: Annotated[Annotated[str, Field(max_length=MAX_SEARCH_CHARACTERS)] | None, STORABLE] = Field(
        default=None, description="Busca, como em GET /{table_id}/data"
    )
    sort: SortWords | None = Field(default=None, description="`coluna` ou `-coluna`")
    columns: Annotated[list[ViewColumn], Field(max_length=MAX_COLUMNS)] | None = None
    group_by: Annotated[list[str], Field(max_length=pages.MAX_GROUP_COLUMNS)] | None = None
    totals: dict[str, pages.Function] | None = Field(
        default=None, description="Por coluna, o que aparece no rodapé"
    )
    row_height: Annotated[
        Annotated[int, Field(ge=1, le=1_000)] | Annotated[str, Field(max_length=20)] | None, STORABLE
    ] = Field(default=None, description="Em pixels, ou uma palavra de quem mostra")

    # As it was sent, for the schema that shows it is a union of models.
    _as_sent = field_serializer("where")(lambda self, where: where)  # noqa: ARG005 - pydantic looks for the name


Name = Annotated[str, Field(max_length=MAX_NAME_CHARACTERS), STORABLE]


class NewViewColumn(ViewColumn):
    """How a column is to be shown, in the view's order."""

    model_config = ConfigDict(extra="forbid")


class AskedContent(ViewContent):
    """A view's content as it is asked for."""

    model_config = ConfigDict(extra="forbid")

    columns: Annotated[list[NewViewColumn], Field(max_length=MAX_COLUMNS)] | None = None  # type: ignore[assignment]


class NewView(AskedContent):
    """A view to save."""

    name: Name
    shared: bool = Field(default=False, description="`true`: todos os que leem a tabela a veem")


class ViewsQuery(PageQuery):
    """Which page of the views."""

    per_page: Annotated[int, Field(ge=1, le=MAX_PER_PAGE, description="Itens por página"), QUERY_DIGITS] = (
        MAX_PER_PAGE
    )


class ViewWarning(Document):
    """What of a view no longer fits the table, and is left out of it."""

    code: Literal["COLUMN_GONE", "COLUMN_CHANGED"]
    text: Sentence
    columns: list[str]


class ViewAnswer(ViewContent):
    """A saved view, under the names that columns have now; `user_id` is its owner."""

    id: RecordId = Field(serialization_alias="_id")
    table_id: RecordId
    user_id: RecordId
    name: str
    shared: bool
    created_at: Moment
    updated_at: Moment
    warnings: list[ViewWarning] = Field(
        description="O que a visão perdeu: colunas que saíram da tabela, ou que mudaram de tipo"
    )


class ViewChange(AskedContent, SentBack):
    """What to change of a view; what is missing stays, null takes away."""

    answered = ViewAnswer

    name: Name | None = None
    shared: bool | None = None

    _refuse_null = field_validator("name", "shared", mode="before")(refuse_null)

    def changes(self, opened: ViewAnswer) -> dict[str, Any]:
        """Return what is asked for otherwise than the view has it, opened; raises INVALID_REQUEST."""
        shown = as_json(opened)
        self.require_unchanged(shown)
        sent = self.model_dump(exclude_unset=True)
        return {name: getattr(self, name) for name, value in sent.items() if value != shown.get(name)}


class ViewsAnswer(ListAnswer):
    """A page of views, by name: the caller's own and those that are shared."""

    records: Annotated[list[ViewAnswer], Field(max_length=MAX_PER_PAGE)]


Columns = Mapping[str, Column]

_GONE = "Fora da tabela, a visão abre sem elas, nem nos filtros: {}"
_CHANGED = "De outro tipo, sem os filtros e totais que tinham: {}"


def check_content(content: ViewContent, columns: Columns, parsers: Parsers, marks: Marks) -> None:
    """Raise INVALID_REQUEST, with details, unless a table of these columns and rules can be shown so."""
    if content.where is not None:
        read_where(content.where, columns, parsers, marks)
    pages.read_order(content.sort or (), {**columns, ID_COLUMN: None}, (None,), "body", "sort")
    if content.group_by:
        pages.read_grouping(content.group_by, (), columns)
    names = [column.name for column in content.columns or ()]
    faults = list(name_faults(names, columns, "columns[{}].name", pages.TWICE))
    for name, function in (content.totals or {}).items():
        fault, shown = pages.fault_of(function, columns.get(name)), shown_text(name)
        if fault is not None:
            faults.append(detail("body", fault, path=f"totals.{shown}", column=shown))
    if faults:
        raise ApiError(INVALID_REQUEST, faults)


@dataclass
class ViewOpening:
    """Opens a view for the table as it is: what was renamed is followed, what is gone left out and noted.

    Without `columns` nothing is left out: what is gone has the name that the database gave it.
    """

    names: Names
    change_id: int  # up to which the view's names are right
    columns: Columns | None
    parsers: Parsers
    rules: Collection[str]  # their ids: a filter by one that is gone goes, too
    _gone: dict[str, None] = field(default_factory=dict)
    _changed: dict[str, None] = field(default_factory=dict)

    def open(self, saved: ViewContent) -> ViewContent:
        """Return the content that the table can be shown by; `warnings` says what it has lost."""
        opened = {
            "where": saved.where and self._where(saved.where),
            "sort": saved.sort and self._sort(saved.sort),
            "columns": saved.columns
            and [
                column.model_copy(update={"name": name})
                for column in saved.columns
                if (name := self._name(column.name))
            ],
            "group_by": saved.group_by and [name for name in map(self._name, saved.group_by) if name],
            "totals": saved.totals and self._totals(saved.totals),
        }
        return saved.model_copy(update=opened)

    def _name(self, name: str) -> str | None:
        """Return the column's name as it is now, None of one that is gone."""
        if name == ID_COLUMN:
            return name
        present = self.names.follow(name, self.change_id)
        if self.columns is None or present in self.columns:
            return present
        self._gone[self.names.shown(present)] = None
        return None

    def _where(self, node: Any) -> Any:
        """Return the condition without what cannot be asked any more, None where nothing of it is left."""
        if "rule" in node:
            return node if self.columns is None or node["rule"] in self.rules else None
        if "column" in node:
            return self._comparison(node)
        if not node:
            return node
        ((word, inner),) = node.items()
        if word == "not":
            kept = self._where(inner)
            return None if kept is None else {word: kept}
        parts = [part for part in map(self._where, inner) if part is not None]
        return {word: parts} if parts or not inner else None

    def _comparison(self, node: Any) -> Any:
        name = self._name(node["column"])
        if name is None:
            return None
        try:
            if self.columns is not None:
                read_where({**node, "column": name}, self.columns, self.parsers)
        except ApiError:
            self._changed[name] = None
            return None
        return {**node, "column": name}

    def _sort(self, words: list[str]) -> list[str]:
        sorts = [(self._name(word.removeprefix("-")), word.startswith("-")) for word in words]
        return ["-" * descending + name for name, descending in sorts if name]

    def _totals(self, totals: Mapping[str, pages.Function]) -> dict[str, pages.Function]:
        kept: dict[str, pages.Function] = {}
        for old, function in totals.items():
            name = self._name(old)
            if name is None:
                continue
            if self.columns is None or pages.fault_of(function, self.columns[name]) is None:
                kept[name] = function
            else:
                self._changed[name] = None
        return kept

    def warnings(self) -> list[ViewWarning]:
        """Return what the opened view has lost."""
        gone, changed = list(self._gone), list(self._changed)
        warnings = [
            ViewWarning(code="COLUMN_GONE", text=_GONE.format(", ".join(gone)), columns=gone),
            ViewWarning(code="COLUMN_CHANGED", text=_CHANGED.format(", ".join(changed)), columns=changed),
        ]
        return [warning for warning in warnings if warning.columns]
