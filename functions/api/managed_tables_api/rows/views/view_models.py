"""Model what the routes of saved views take and answer."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator
from pydantic.config import JsonDict

from managed_tables.details import DetailCode, InvalidValue
from managed_tables.documents.document import Count, Document, Moment, RecordId, Sentence
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables_api.http.validation import QUERY_DIGITS, Page, comma_words
from managed_tables_api.rows.lists.aggregates import MAX_GROUP_COLUMNS, Function
from managed_tables_api.rows.lists.ordering import MAX_SORTS
from managed_tables_api.rows.row_models import SentWhere

MAX_NAME_CHARACTERS = 200
MAX_SEARCH_CHARACTERS = 1_000
MAX_PER_PAGE = 40  # of views of 128 KiB each an answer holds no more

_VIEW: JsonDict = {
    "name": "Maiores vendas",
    "shared": False,
    "where": {"column": "valor", "op": "gte", "value": 10},
    "q": None,
    "sort": ["-valor"],
    "columns": [{"name": "produto", "width": 240, "frozen": True}, {"name": "valor", "hidden": False}],
    "group_by": None,
    "totals": {"valor": "sum"},
    "row_height": 32,
}


class ViewColumn(Document):
    """How a column is shown, in the view's order."""

    name: str
    width: Annotated[int, Field(ge=1, le=10_000)] | None = Field(default=None, description="Em pixels")
    hidden: bool | None = None
    frozen: bool | None = None


class ViewContent(Document):
    """Which rows a view shows, in which order, and how; null for what it leaves to the reader."""

    where: SentWhere | None = Field(default=None, description="Filtro, como em POST /{table_id}/data/query")
    q: str | None = Field(
        default=None, max_length=MAX_SEARCH_CHARACTERS, description="Busca, como em GET /{table_id}/data"
    )
    sort: Annotated[list[str], Field(max_length=MAX_SORTS), comma_words(MAX_SORTS)] | None = Field(
        default=None, description="`coluna` ou `-coluna`"
    )
    columns: Annotated[list[ViewColumn], Field(max_length=MAX_COLUMNS)] | None = None
    group_by: Annotated[list[str], Field(max_length=MAX_GROUP_COLUMNS)] | None = None
    totals: dict[str, Function] | None = Field(
        default=None, description="Por coluna, o que aparece no rodapé"
    )
    row_height: Annotated[int, Field(ge=1, le=1_000)] | Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="Em pixels, ou uma palavra de quem mostra"
    )

    # As it was sent, for the schema that shows it is a union of models.
    _as_sent = field_serializer("where")(lambda self, where: where)  # noqa: ARG005 - pydantic looks for the name


Name = Annotated[str, Field(max_length=MAX_NAME_CHARACTERS)]


class NewViewColumn(ViewColumn):
    """How a column is to be shown, in the view's order."""

    model_config = ConfigDict(extra="forbid")


class AskedContent(ViewContent):
    """A view's content as it is asked for."""

    columns: Annotated[list[NewViewColumn], Field(max_length=MAX_COLUMNS)] | None = None  # type: ignore[assignment]


class NewView(AskedContent):
    """A view to save."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_VIEW]})

    name: Name
    shared: bool = Field(default=False, description="`true`: todos os que leem a tabela a veem")


class ViewChange(AskedContent):
    """What to change of a view; what is missing stays, null takes away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Vendas de 2026"}]})

    name: Name | None = None
    shared: bool | None = None

    @field_validator("name", "shared", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        if value is None:
            raise InvalidValue(DetailCode.REQUIRED, "não pode ser nulo")
        return value


class ViewsQuery(BaseModel):
    """Which page of the views."""

    page: Page = 1
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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "_id": "507f1f77bcf86cd799439016",
                    "table_id": "507f1f77bcf86cd799439011",
                    "user_id": "507f1f77bcf86cd799439014",
                    **_VIEW,
                    "created_at": "2026-11-25T10:30:00.000Z",
                    "updated_at": "2026-11-25T10:30:00.000Z",
                    "warnings": [],
                }
            ]
        }
    )

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


class ViewsAnswer(Document):
    """A page of views, by name: the caller's own and those that are shared."""

    total: Count
    quantity: Count
    records: Annotated[list[ViewAnswer], Field(max_length=MAX_PER_PAGE)]
