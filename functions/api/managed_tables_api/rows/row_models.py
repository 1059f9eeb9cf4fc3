"""Model what the routes of rows take and answer, as OpenAPI shows it."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import ConfigDict, Field, RootModel, SkipValidation, model_validator

from managed_tables.conditions.tree import MAX_CONDITIONS, MAX_LIST_VALUES, Operator
from managed_tables.documents.document import Count, Document, LateModel, Scalar
from managed_tables.exact_json import Object
from managed_tables.exports import MAX_SORTS
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.schema import STORABLE
from managed_tables_api.http.requests import (
    QUERY_DIGITS,
    NumbersQuery,
    Page,
    QueryBoolean,
    StrictModel,
    comma_words,
)
from managed_tables_api.rows.bulk_changes import MAX_IDS, MAX_UPDATES
from managed_tables_api.rows.inserts import OnConflict
from managed_tables_api.rows.pages import MAX_AGGREGATES, MAX_GROUP_COLUMNS, AggregateBody
from managed_tables_api.rows.parsing import MAX_CELLS
from managed_tables_api.rows.single_rows import RowQuery

MAX_PER_PAGE = 1_000

RowId = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
_VERSION = "Versão da linha, opaca: `_version` de uma leitura com `versions=true`"


SearchText = Annotated[
    str | None,
    STORABLE,
    Field(
        description="Texto contido no que qualquer coluna mostra: textos, sem distinguir maiúsculas nem"
        " acentos; números com e sem separador de milhar; datas dd/mm/aaaa e ISO; Sim e Não"
    ),
]
PerPage = Annotated[int, Field(ge=1, le=MAX_PER_PAGE, description="Itens por página"), QUERY_DIGITS]


SortWords = Annotated[list[str], Field(max_length=MAX_SORTS), comma_words(MAX_SORTS)]
FieldNames = Annotated[list[str], Field(max_length=MAX_COLUMNS + 1), comma_words(MAX_COLUMNS + 1)]


class Row(Document):
    """A row: its `id` and one field a column."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"id": "uuid", "produto": "X", "valor": 12.5}]}
    )

    id: RowId
    __pydantic_extra__: dict[str, Scalar]


class _Page(LateModel):
    total: Count | None = Field(description="Quantos atendem às condições; null com `count=false`")
    quantity: Count = Field(description="Quantos nesta página")
    next_cursor: str | None = Field(description="Para `cursor`, onde houver mais (extensão)")


class RowPage(_Page):
    """A page of rows."""

    records: list[Row] = Field(max_length=MAX_PER_PAGE)


class RowOrGroup(LateModel):
    """A row with its `id`, or a group: the columns of `group_by` and the aggregates."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"produto": "X", "sum_valor": 42.5}]}
    )

    id: UUID = Field(default=UUID(int=0), description="De linhas; grupos não têm")
    __pydantic_extra__: dict[str, Scalar]


class RecordPage(_Page):
    """A page of rows or of groups."""

    records: list[RowOrGroup] = Field(max_length=MAX_PER_PAGE)


class ListQuery(RowQuery):
    """Which rows are listed, in which order."""

    page: Page = 1
    per_page: PerPage = 50
    sort_by: str | None = Field(
        default=None,
        description="`campo` em ordem crescente, `-campo` em decrescente; `id` também; até"
        f" {MAX_SORTS}, separados por vírgulas",
    )
    cursor: str | None = Field(
        default=None,
        description="`next_cursor` da página anterior, no lugar de `page`: custa o mesmo em qualquer ponto"
        " da tabela (extensão)",
    )
    q: SearchText = None
    fields: str | None = Field(
        default=None, description="Colunas a responder, separadas por vírgulas; `id` vem sempre"
    )
    count: QueryBoolean = Field(default=True, description="`false` não conta: `total` é null")
    filter: dict[str, dict[str, str]] | None = Field(
        default=None,
        json_schema_extra={"style": "deepObject"},
        description="`filter[coluna][operador]=valor`, todos valem juntos. Operadores: "
        + ", ".join(Operator)
        + ". `in` e `nin`: valores separados por vírgulas (`\\,` é uma vírgula)."
        " `filter[rule][breaks]=id`: o que quebra uma regra da tabela",
    )


class ComparisonBody(StrictModel):
    """A column beside a value, typed as in an insert."""

    column: str
    op: Operator
    value: Scalar | Annotated[list[Scalar], Field(max_length=MAX_LIST_VALUES)] = Field(
        description="Lista para `in` e `nin`, booleano para `is_null`"
    )


class BreaksBody(StrictModel):
    """Rows that break a rule of the table."""

    rule: str = Field(description="`id` da regra")
    op: Literal["breaks"]


class AllOf(StrictModel):
    """All of the conditions."""

    conditions: list["Where"] = Field(alias="and", max_length=MAX_CONDITIONS)


class AnyOf(StrictModel):
    """Any of the conditions."""

    conditions: list["Where"] = Field(alias="or", max_length=MAX_CONDITIONS)


class NoneOf(StrictModel):
    """Exactly what the condition leaves out."""

    condition: "Where" = Field(alias="not")


class EveryRow(StrictModel):
    """No condition."""


Where: TypeAlias = ComparisonBody | BreaksBody | AllOf | AnyOf | NoneOf | EveryRow
SentWhere = SkipValidation[Where]  # the table's columns judge it
_WHERE = "Condições, até 5 níveis e 100 ao todo; `{}` é toda linha"


class QueryBody(StrictModel):
    """Which rows, or groups of them, in which order."""

    where: SentWhere | None = Field(default=None, description=_WHERE)
    q: SearchText = None
    sort: SortWords | None = Field(
        default=None, description="`campo` ou `-campo`: uma lista, ou um texto com vírgulas"
    )
    fields: FieldNames | None = Field(
        default=None, description="Colunas a responder, como em `sort`; `id` vem sempre"
    )
    page: Annotated[int, Field(ge=1, description="Número da página, a partir de 1")] = 1
    per_page: Annotated[int, Field(ge=1, le=MAX_PER_PAGE, description="Itens por página")] = 50
    cursor: str | None = Field(
        default=None, description="`next_cursor` da página anterior, no lugar de `page`"
    )
    group_by: list[str] | None = Field(
        default=None, max_length=MAX_GROUP_COLUMNS, description="Colunas cujos valores fazem os grupos"
    )
    aggregates: list[AggregateBody] | None = Field(default=None, max_length=MAX_AGGREGATES)
    count: bool = Field(default=True, description="`false` não conta: `total` é null")


class RowsBody(StrictModel):
    """Rows to insert: one field a column, without `id`."""

    rows: SkipValidation[list[dict[str, Scalar]]] = Field(
        description=f"Linhas vezes colunas (o `id` também): até {MAX_CELLS}",
        examples=[[{"produto": "X", "valor": 12.5}, {"produto": "Y", "valor": 30}]],
        json_schema_extra={"minItems": 1, "maxItems": MAX_CELLS // 2},
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_to_the_rows(cls, given: Object) -> Object:
        """Whatever is no list of rows is refused along with them, also where nothing is given."""
        return {"rows": None, **given}


class InsertQuery(NumbersQuery):
    """What an insert answers."""

    on_conflict: OnConflict | None = Field(
        default=None,
        description="O que fazer com uma linha cuja chave a tabela já tem: `error` (409, nada é inserido),"
        " `update` (altera nela as colunas enviadas) ou `ignore` (extensão; sem ele, `error`)",
    )
    returned: Literal["ids", "records"] | None = Field(
        default=None,
        alias="return",
        description="`ids` ou `records`: responde também os ids ou as linhas, na ordem enviada (extensão)",
    )


class InsertedAnswer(LateModel):
    """How many rows were inserted; their ids or the rows themselves where they were asked for."""

    inserted: Count = Field(examples=[2])
    updated: Count = Field(default=0, description="Com `on_conflict`")
    ignored: Count = Field(default=0, description="Com `on_conflict`")
    ids: list[UUID] = Field(default=[], description="Com `return=ids`")
    records: list[Row] = Field(default=[], description="Com `return=records`")


class RowChanges(LateModel):
    """The fields to update."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"valor": 13.75}]})

    version: str = Field(default="", alias="_version", description=_VERSION + "; o mesmo que `If-Match`")
    __pydantic_extra__: dict[str, Scalar]


class VersionBody(StrictModel):
    """Which version of a row is deleted."""

    version: str = Field(default="", alias="_version", description=_VERSION + "; o mesmo que `If-Match`")


class DeleteQuery(NumbersQuery):
    """Which version of a row is deleted."""

    version: str | None = Field(
        default=None, alias="_version", min_length=1, description=_VERSION + "; o mesmo que `If-Match`"
    )


class RowUpdateItem(RowChanges):
    """A row of a bulk update: its id, and the fields to update."""

    id: UUID


class UpdateRows(StrictModel):
    """Rows to update, each with its own fields."""

    rows: list[RowUpdateItem] = Field(min_length=1, max_length=MAX_UPDATES)


class RowsWhere(StrictModel):
    """The rows that are meant: those of a condition."""

    where: Where | None = Field(default=None, description=_WHERE)
    all: bool = Field(default=False, description="`true` confirma que vale para todas as linhas")


class UpdateWhere(RowsWhere):
    """Fields to set in every row of a condition."""

    values: dict[str, Scalar] = Field(alias="set", min_length=1)


class DeleteIds(StrictModel):
    """Rows to delete."""

    ids: list[UUID] = Field(min_length=1, max_length=MAX_IDS)


class DeleteWhere(RowsWhere):
    """Delete every row of a condition."""


class BulkUpdate(RootModel[UpdateRows | UpdateWhere]):
    """Rows with their fields, or one set of fields for every row of a condition."""


class BulkDelete(RootModel[DeleteIds | DeleteWhere]):
    """The ids of rows, or a condition."""


class UpdatedAnswer(Document):
    """How many rows were updated."""

    updated: Count = Field(examples=[2])


class DeletedAnswer(Document):
    """How many rows were deleted."""

    deleted: Count = Field(examples=[2])
