"""The routes of exports: a table's rows to a file, the file's state, and lists of them."""

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from managed_tables import errors
from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.catalog.exports import CONTENT_TYPES, Dialect, ExportFormat, ExportRecord
from managed_tables.clock import parse_timestamp, timestamp
from managed_tables.details import InvalidValue
from managed_tables.documents.document import Count, Document, ExportProgress, JobFailure, Moment, RecordId
from managed_tables.errors import ApiError, JobError
from managed_tables.exports import MAX_SORTS, ExportRequest, new_export
from managed_tables_api.auth import Permission
from managed_tables_api.calls import KnownExport, KnownTable, Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.requests import FromJson, FromQuery, ListAnswer, PageQuery, StrictModel
from managed_tables_api.rows.row_models import FieldNames, SearchText, SentWhere, SortWords


class NewExport(StrictModel):
    """What goes out: which rows and columns of the table, in which order and format."""

    format: ExportFormat
    dialect: Dialect | None = Field(
        default=None, description="De CSV, rfc4180 se não for dito; os outros formatos têm uma só forma"
    )
    where: SentWhere | None = Field(default=None, description="Filtro, como em POST /{table_id}/data/query")
    q: SearchText = None
    fields: Annotated[FieldNames, Field(min_length=1)] | None = Field(
        default=None, description="Colunas, nesta ordem (`id` também); todas, sem o id, se não for dito"
    )
    sort: SortWords | None = Field(
        default=None, description=f"Até {MAX_SORTS}: `coluna` crescente, `-coluna` decrescente"
    )
    formula_safe: bool | None = Field(
        default=None,
        description="Textos que uma planilha executaria recebem um apóstrofo; o usual em excel-br",
    )

    for_editing: bool = Field(
        default=False,
        description="De xlsx: uma planilha para editar e enviar de volta, com os ids numa coluna oculta",
    )

    @model_validator(mode="after")
    def _check_editing(self) -> Self:
        if self.for_editing and self.format != "xlsx":
            raise InvalidValue("NOT_ALLOWED", "só uma planilha xlsx pode ser editada e enviada de volta")
        return self

    def as_request(self) -> ExportRequest:
        """Return the request with defaults filled in; only CSV has dialects."""
        dialect = (self.dialect or "rfc4180") if self.format == "csv" else None
        safe = dialect == "excel-br" if self.formula_safe is None else self.formula_safe
        return ExportRequest(
            self.format,
            dialect,
            self.where,
            self.q,
            self.fields,
            self.sort or [],
            formula_safe=safe,
            for_editing=self.for_editing,
        )


class NewExportAnswer(Document):
    """A new export."""

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
    base_expires_at: Moment | None = Field(
        description="De uma planilha para editar: até quando ela pode voltar à tabela; null em outras"
    )
    error: JobFailure | None
    created_at: Moment
    updated_at: Moment


class ExportsAnswer(ListAnswer):
    """A page of exports, newest first."""

    records: Annotated[list[ExportAnswer], Field(max_length=100)]


router = api_router("", "Exports", requires(Permission.DATA_READ))


@router.post("/{table_id:table}/exports", summary="Export rows", status_code=201)
@raises(errors.TOO_MANY_EXPORTS, errors.EXPORTS_UNAVAILABLE)
def create_export(
    body: FromJson[NewExport], table: KnownTable, caller: SignedIn, services: Services
) -> NewExportAnswer:
    """Write the table's rows, as they are in one moment, to a file of CSV, XLSX, Parquet or JSON lines.

    The file is there once `GET /exports/{export_id}` says `done`, and for some days. A table that is deleted
    or whose definition changes before it is read makes the export fail.
    """
    request, zone = body.as_request(), services.settings.zone
    request.select(table, table.columns, zone)
    export = new_export(caller.company_id, caller.user_id, table, request, zone)
    services.storage.put_json(export.request_key, asdict(request))
    services.exports.create(export)  # before its slot is taken, so that no slot is without a record
    if not _take_slot(services, export):
        services.exports.discard(export)
        raise ApiError(errors.TOO_MANY_EXPORTS, limit=services.export_slots.size)
    try:
        _start(services, export)
    except ExecutionsUnavailable as error:
        services.exports.fail(export, JobError(errors.EXPORT_FAULT).as_record())
        raise ApiError(errors.EXPORTS_UNAVAILABLE) from error
    return NewExportAnswer(export_id=export.export_id, status="queued")


@router.get("/{table_id:table}/exports", summary="List exports of a table")
def list_table_exports(
    query: FromQuery[PageQuery], table: KnownTable, caller: SignedIn, services: Services
) -> ExportsAnswer:
    """Return the exports of the table, newest first, while their files are kept."""
    return list_exports(services, caller.company_id, query, table.table_id)


@router.get("/exports", summary="List exports")
def list_company_exports(query: FromQuery[PageQuery], caller: SignedIn, services: Services) -> ExportsAnswer:
    """Return the exports of all tables, deleted ones too, newest first, while their files are kept."""
    return list_exports(services, caller.company_id, query)


@router.get("/exports/{export_id}", summary="Get export")
def get_export_state(export: KnownExport, services: Services) -> ExportAnswer:
    """Return how far an export is, and of one that is done where to download it."""
    url = expires_at = None
    if export.status == "done":  # the URL holds no longer than the file
        now, settings = datetime.now(UTC), services.settings
        gone = parse_timestamp(export.gone_at(settings.export_retention_days))
        ends = min(now + timedelta(seconds=settings.export_url_seconds), gone)
        seconds = max(int((ends - now).total_seconds()), 1)
        content_type, expires_at = CONTENT_TYPES[export.format], timestamp(ends)
        url = services.storage.presigned_get(export.key or "", export.file_name, content_type, seconds)
    known = {name: value for name, value in vars(export).items() if name in ExportAnswer.model_fields}
    return ExportAnswer(id=export.export_id, url=url, expires_at=expires_at, **known)


def _take_slot(services: Services, export: ExportRecord) -> bool:
    """Give the export one of its company's slots, those of exports that have ended freed if it needs one."""
    slots, now = services.export_slots, timestamp()
    if slots.take(export.company_id, export.export_id):
        return True
    for holder_id in slots.holders(export.company_id):
        holder = services.exports.find(export.company_id, holder_id)
        if holder is None or holder.is_terminal or holder.is_overdue(now):
            slots.give_back(export.company_id, holder_id)
        elif holder.status == "queued":  # whoever made it may have died before it was started
            with suppress(ExecutionsUnavailable):
                _start(services, holder)
    return slots.take(export.company_id, export.export_id)


def _start(services: Services, export: ExportRecord) -> None:
    """Start the export's execution; one that is started already is left alone."""
    content = {"company_id": export.company_id, "export_id": export.export_id}
    services.export_executions.start_named(export.export_id, content)


def list_exports(
    services: Services, company_id: str, page: PageQuery, table_id: str | None = None
) -> ExportsAnswer:
    """Return a page of the company's exports, or of one table's."""
    known, now = services.exports, timestamp()
    exports = [
        export
        for export in known.list_all(company_id)
        if table_id in (None, export.table_id) and not known.is_gone(export)
    ]
    first = (page.page - 1) * page.per_page
    shown = exports[first : first + page.per_page]
    records = [
        get_export_state((export.is_overdue(now) and known.expire(export)) or export, services)
        for export in shown
    ]
    return ExportsAnswer(total=len(exports), quantity=len(records), records=records)
