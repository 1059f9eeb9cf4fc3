"""Model what the routes of exports take and answer, as OpenAPI shows it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from managed_tables.documents.document import Count, Document, LateModel, Moment, RecordId
from managed_tables.documents.faults import JobFailure
from managed_tables.documents.progress import ExportProgress
from managed_tables.exports.formats import Dialect, ExportFormat
from managed_tables.exports.request import MAX_SORTS, ExportRequest
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables_api.http.validation import QUERY_DIGITS, Page, comma_words
from managed_tables_api.rows.row_models import SearchText, SentWhere

_EXPORT_ID = "507f1f77bcf86cd799439015"


class NewExport(LateModel):
    """What goes out: which rows and columns of the table, in which order and format."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "format": "csv",
                    "dialect": "excel-br",
                    "where": {"column": "valor", "op": "gte", "value": 10},
                    "fields": ["produto", "valor"],
                    "sort": ["-valor"],
                }
            ]
        },
    )

    format: ExportFormat
    dialect: Dialect | None = Field(
        default=None, description="De CSV, rfc4180 se não for dito; os outros formatos têm uma só forma"
    )
    where: SentWhere | None = Field(default=None, description="Filtro, como em POST /{table_id}/data/query")
    q: SearchText = None
    fields: Annotated[list[str], Field(max_length=MAX_COLUMNS + 1), comma_words(MAX_COLUMNS + 1)] | None = (
        Field(
            default=None, description="Colunas, nesta ordem (`id` também); todas, sem o id, se não for dito"
        )
    )
    sort: Annotated[list[str], Field(max_length=MAX_SORTS), comma_words(MAX_SORTS)] | None = Field(
        default=None, description=f"Até {MAX_SORTS}: `coluna` crescente, `-coluna` decrescente"
    )
    formula_safe: bool | None = Field(
        default=None,
        description="Textos que uma planilha executaria recebem um apóstrofo; o usual em excel-br",
    )

    def as_request(self) -> ExportRequest:
        """Return the request with defaults filled in; only CSV has dialects."""
        dialect = (self.dialect or "rfc4180") if self.format == "csv" else None
        safe = dialect == "excel-br" if self.formula_safe is None else self.formula_safe
        return ExportRequest(
            self.format, dialect, self.where, self.q, self.fields, self.sort or [], formula_safe=safe
        )


class NewExportAnswer(Document):
    """A new export."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"export_id": _EXPORT_ID, "status": "queued"}]})

    export_id: RecordId
    status: Literal["queued"]


class ExportAnswer(Document):
    """An export."""

    id: RecordId = Field(serialization_alias="_id")
    company_id: RecordId
    table_id: RecordId
    format: ExportFormat
    dialect: Dialect | None
    file_name: str
    status: Literal["queued", "running", "done", "failed"]
    progress: ExportProgress | None
    rows: Count | None
    size_bytes: Count | None
    url: str | None = Field(description="Baixa o arquivo, com o seu nome; uma nova a cada consulta")
    expires_at: Moment | None = Field(description="Até quando `url` vale")
    error: JobFailure | None
    created_at: Moment
    updated_at: Moment


class PageQuery(BaseModel):
    """Which page of the exports."""

    page: Page = 1
    per_page: Annotated[int, Field(ge=1, le=100, description="Itens por página"), QUERY_DIGITS] = 20


class ExportsAnswer(Document):
    """A page of exports, newest first."""

    total: Count
    quantity: Count
    records: Annotated[list[ExportAnswer], Field(max_length=100)]
