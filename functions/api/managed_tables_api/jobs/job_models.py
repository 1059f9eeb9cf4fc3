"""Model what the jobs' routes take and answer, as OpenAPI shows it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from managed_tables.catalog.jobs import JobMode, JobStatus
from managed_tables.conversion.choices import FROM_LIST, ColumnChoice, Tokens
from managed_tables.conversion.columns import DecimalMark
from managed_tables.conversion.day_forms import DateOrder
from managed_tables.details import MAX_ERROR_DETAILS, DetailCode, InvalidValue, shown_text
from managed_tables.errors import JobErrorKind
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.jobs.plausibility import is_timezone
from managed_tables.jobs.terms import LoadTerms, OnMisfit
from managed_tables.messages.findings import MAX_LINES, MAX_PREVIEW, ReasonCode, WarningCode
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.changes import Additions, Texts
from managed_tables.uploads.offered_files import MAX_FILES, MAX_NAME_CHARACTERS
from managed_tables_api.http.error_models import DetailBody, codes_of
from managed_tables_api.http.validation import (
    QUERY_DIGITS,
    Count,
    LateModel,
    Moment,
    NumbersQuery,
    Page,
    RecordId,
)
from managed_tables_api.jobs.reanalysis_models import Draft, StatedReading
from managed_tables_api.tables.table_models import Description, Key, Title

_COLUMN: dict[str, Any] = {"name": "produto", "display_name": "Product", "type": "text", "nullable": False}


def _known_zone(name: str) -> str:
    if not is_timezone(name):
        raise InvalidValue(DetailCode.UNKNOWN_TIMEZONE, "não é um fuso horário, como America/Sao_Paulo")
    return name


Scalar = str | int | float | bool | None


class UploadedFile(LateModel):
    """A file of a job; `storage_path` is its S3 key, `size_bytes` what arrived."""

    original_name: Annotated[str, Field(max_length=MAX_NAME_CHARACTERS)]
    storage_path: str
    size_bytes: Count
    mime_type: str


class FileWarning(LateModel):
    """What a person should look at before confirming; only the keys that apply are there."""

    code: WarningCode
    text: str = Field(description="O que foi visto, o que foi feito, o que se pode fazer")
    file: str | None = Field(default=None, description="Nome do arquivo")
    sheet: str | None = Field(default=None, description="Nome da aba")
    lines: list[int] = Field(
        default=[],
        max_length=MAX_LINES,
        description="As primeiras linhas do arquivo ou da aba, contadas de 1",
    )
    count: Count | None = Field(default=None, description="Quantos são ao todo")
    columns: list[str] = Field(default=[], description="`name` das colunas; de abas deixadas fora, rótulos")
    preview: list[str] = Field(
        default=[], max_length=MAX_PREVIEW, description="Como começam as linhas que ficaram fora"
    )


class InferenceException(LateModel):
    """A cell that speaks against the type that most others have."""

    file: str
    sheet: str | None
    line: Annotated[int, Field(ge=1)]
    value: str | None
    reason: str


class Alternative(LateModel):
    """Another type that the column may have."""

    type: ColumnType
    reason: str


class Inference(LateModel):
    """On what grounds a column has its type."""

    confidence: float = Field(ge=0, le=1, description="Abaixo de 1 onde algum aviso põe um valor em dúvida")
    evidence: str
    exceptions: list[InferenceException]
    warnings: list[FileWarning]
    alternatives: list[Alternative]


class Profile(LateModel):
    """What a column holds, over the first rows; values as in `sample_rows`."""

    rows: int = Field(ge=0, le=100_000, description="Quantas linhas foram olhadas")
    empty: Count
    distinct: Count
    min: Scalar
    max: Scalar
    top: list[Annotated[list[Scalar], Field(min_length=2, max_length=2)]] = Field(
        max_length=10, description="Os valores mais frequentes: valor, quantos"
    )
    histogram: list[Annotated[list[Scalar], Field(min_length=3, max_length=3)]] = Field(
        max_length=20, description="De números e de datas: de, até, quantos"
    )


class TableColumn(LateModel):
    """The table's column into which a column of the file goes."""

    name: str
    type: ColumnType
    nullable: bool


class InferredColumn(Column):
    """A column as inferred, and on what grounds; confirming takes it as it is."""

    source: str | None = Field(default=None, description="O rótulo, como está no arquivo")
    table_column: TableColumn | None = Field(
        default=None, description="A coluna da tabela que a recebe (só em envios para uma tabela)"
    )
    inference: Inference | None = None
    profile: Profile | None = None


class Conflict(LateModel):
    """Values that do not fit a column of the table, by its type or because they are empty."""

    column: str
    count: Count
    details: list[DetailBody] = Field(max_length=5)


class AppendPlan(LateModel):
    """What becomes of a file's columns in the table that it is uploaded into."""

    matched: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        description="Rótulo no arquivo e nome da coluna da tabela"
    )
    new: list[str] = Field(description="Colunas do arquivo que a tabela não tem")
    missing: list[str] = Field(description="Colunas da tabela que o arquivo não tem")
    conflicts: list[Conflict]


class ReadingReason(LateModel):
    """Why something was read as it was."""

    code: ReasonCode
    text: str


class TableReading(LateModel):
    """How one file or sheet was read; lines are those of the file, or rows of the sheet, from 1."""

    file: int = Field(ge=0, description="Conta os arquivos do job, os de dentro de um ZIP um a um")
    sheet: str | None
    include: bool = Field(description="Se suas linhas são importadas")
    kind: Literal["csv", "xlsx", "xlsb", "xls", "ods", "html", "spreadsheetml"]
    name: str = Field(description="O nome do arquivo")
    encoding: str | None
    delimiter: str | None
    quote: str | None
    escape: str | None
    header_line: int | None = Field(ge=1, description="null: nenhuma linha dá nome às colunas")
    header_lines: int = Field(ge=0)
    first_line: int | None = Field(ge=1, description="Dos dados; null onde não há nenhum")
    last_line: int | None = Field(ge=1)
    skipped_lines: list[int] = Field(max_length=1_000, description="As que não são dados, até 1.000")
    rows: int = Field(ge=0)
    reasons: list[ReadingReason]


class JobReading(LateModel):
    """How the files of a job were read."""

    timezone: str = Field(description="Dos horários sem fuso")
    tables: list[TableReading]


class InferredSchema(LateModel):
    """What the files hold, judged over every row."""

    suggested_table_name: str
    columns: Annotated[list[InferredColumn], Field(max_length=MAX_COLUMNS)]
    sample_rows: list[dict[str, Any]] = Field(max_length=20, description="Nos tipos inferidos")
    total_row_count_estimate: Count = Field(description="Exato")


class ConfirmedColumn(Column, ColumnChoice):
    """A column as the user wants it, and how the file's cells fill it."""

    source: str | None = Field(
        default=None, description="`name` da coluna inferida que a preenche; sem ele, a do mesmo nome"
    )
    decimal_mark: DecimalMark | None = None
    date_order: DateOrder | None = None
    null_tokens: Tokens | None = Field(default=None, description="Textos que são vazios; `[]`: nenhum")
    true_tokens: Tokens | None = Field(default=None, description="Textos que são verdadeiro")
    false_tokens: Tokens | None = Field(default=None, description="Textos que são falso")
    trim: bool | None = Field(default=None, description="Se os espaços nas pontas são retirados")
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = Field(
        default=None, description="De horários sem fuso"
    )

    @property
    def column(self) -> Column:
        """The column itself."""
        return Column(**self.model_dump(include=set(Column.model_fields)))

    @property
    def choice(self) -> ColumnChoice:
        """How it is filled."""
        return ColumnChoice(**self.model_dump(include=set(ColumnChoice.model_fields)))


class ConfirmedSchema(LateModel):
    """The schema that the user confirmed last."""

    display_name: str | None
    columns: Annotated[list[ConfirmedColumn], Field(max_length=MAX_COLUMNS)] = Field(
        description="Além dos campos do contrato, só o que foi definido"
    )
    make_nullable: list[str] = Field(default=[], description="Ausente onde não há")
    on_misfit: OnMisfit = Field(default="reject", description="Ausente onde é `reject`")
    title: Title = Field(default=None, description="Ausente onde não há")
    description: Description = Field(default=None, description="Ausente onde não há")
    key: Key = Field(default=None, description="Ausente onde não há")


class Progress(LateModel):
    """How far the job is; only the keys that apply are there."""

    phase: Literal["receiving", "reading", "inferring", "waiting", "inserting", "done"]
    percent: int = Field(ge=0, le=100, description="Da fase")
    processed_rows: Count = Field(default=0, description="Ao inserir, e depois")
    total_rows: Count = Field(default=0, description="Ao inserir, e depois")
    received_files: Count = Field(default=0, description="Ao receber")
    total_files: Count = Field(default=0, description="Ao receber")


class JobResult(LateModel):
    """What a job that is done has made of its rows."""

    inserted: Count
    updated: Count
    unchanged: Count
    rejected: Count
    seconds: float = Field(ge=0, description="Quanto durou a inserção")


class JobFailure(LateModel):
    """Why the job failed, or why its confirmed schema does not fit."""

    code: str = Field(json_schema_extra={"enum": codes_of(JobErrorKind)})
    message: str
    details: list[DetailBody] = Field(max_length=MAX_ERROR_DETAILS, description="Os primeiros")
    details_total: int = Field(default=0, ge=0, description="Quantos são, quando faltam alguns em `details`")


_JOB_EXAMPLE: dict[str, Any] = {
    "_id": "507f1f77bcf86cd799439011",
    "company_id": "507f1f77bcf86cd799439012",
    "user_table_id": None,
    "files": [
        {
            "original_name": "vendas.csv",
            "storage_path": "uploads/507f1f77bcf86cd799439012/507f1f77bcf86cd799439011/00.csv",
            "size_bytes": 12345,
            "mime_type": "text/csv",
        }
    ],
    "mode": "create",
    "origin": "upload",
    "status": "waiting_confirm",
    "reading": {
        "timezone": "America/Sao_Paulo",
        "tables": [
            {
                "file": 0,
                "sheet": None,
                "include": True,
                "kind": "csv",
                "name": "vendas.csv",
                "encoding": "cp1252",
                "delimiter": ";",
                "quote": '"',
                "escape": None,
                "header_line": 3,
                "header_lines": 1,
                "first_line": 4,
                "last_line": 1503,
                "skipped_lines": [1, 2],
                "rows": 1500,
                "reasons": [{"code": "HEADER_DETECTED", "text": "A linha 3 dá nome às colunas"}],
            }
        ],
    },
    "stated": {"timezone": None, "tables": [{"file": 0, "sheet": None, "delimiter": ";"}]},
    "draft": None,
    "inferred_schema": {
        "suggested_table_name": "vendas",
        "columns": [_COLUMN],
        "sample_rows": [{"produto": "X"}],
        "total_row_count_estimate": 1500,
    },
    "confirmed_schema": None,
    "progress": {"phase": "waiting", "percent": 100},
    "result": None,
    "error": None,
    "warnings": [],
    "expires_at": "2026-01-22T10:30:00.000Z",
    "created_at": "2026-01-15T10:30:00.000Z",
    "updated_at": "2026-01-15T10:30:00.000Z",
}


class JobAnswer(LateModel):
    """A job."""

    model_config = ConfigDict(json_schema_extra={"examples": [_JOB_EXAMPLE]})

    id: RecordId = Field(alias="_id")
    company_id: RecordId
    user_table_id: RecordId | None
    files: Annotated[list[UploadedFile], Field(min_length=1, max_length=MAX_FILES)]
    mode: JobMode
    origin: Literal["upload", "inbox"] = Field(description="inbox: posto por um sistema, sem o console")
    status: JobStatus
    reading: JobReading | None = Field(
        description="Como cada arquivo e cada aba foram lidos, também os não incluídos; null antes disso"
    )
    append_plan: AppendPlan | None = Field(description="Só em envios para uma tabela que existe")
    stated: StatedReading | None = Field(description="O que reanalyze fixou; null antes da análise")
    draft: Draft | None = Field(description="O que PUT …/draft guardou; null onde não há nada")
    inferred_schema: InferredSchema | None = Field(
        description="null antes da análise, e depois que o armazenamento a apagou"
    )
    confirmed_schema: ConfirmedSchema | None
    progress: Progress | None = Field(description="null só depois de failed")
    result: JobResult | None = Field(description="Depois de done")
    error: JobFailure | None
    warnings: list[FileWarning] = Field(
        description="Todos, os das colunas também; primeiro os que podem mudar um valor"
    )
    expires_at: Moment | None = Field(
        description="Enquanto espera arquivos ou a confirmação: até quando; depois o job falha"
    )
    undone_at: Moment | None = Field(description="Quando o que a carga fez foi desfeito (extensão)")
    created_at: Moment
    updated_at: Moment


JOB_FIELDS = tuple(field.alias or name for name, field in JobAnswer.model_fields.items())


class JobQuery(NumbersQuery):
    """How much of a job is answered, and how."""

    fields: str | None = Field(
        default=None,
        description="Só estes campos, separados por vírgula: `status,progress,error,updated_at` (extensão)",
    )

    @field_validator("fields")
    @classmethod
    def _check_fields(cls, text: str | None) -> str | None:
        unknown = [name for name in (text or "").split(",") if name not in JOB_FIELDS]
        if text is not None and unknown:
            raise InvalidValue(
                DetailCode.UNKNOWN_FIELD, f"o envio não tem o campo {shown_text(unknown[0])!r}"
            )
        return text

    @property
    def wanted(self) -> tuple[str, ...]:
        """The fields that are wanted, in the order of the answer."""
        named = JOB_FIELDS if self.fields is None else self.fields.split(",")
        return tuple(name for name in JOB_FIELDS if name in named)


class JobsQuery(NumbersQuery):
    """Which jobs."""

    page: Page = 1
    per_page: Annotated[int, Field(ge=1, le=100, description="Itens por página"), QUERY_DIGITS] = 20
    status: JobStatus | None = Field(default=None, description="Só os que estão assim")
    table_id: str | None = Field(
        default=None, pattern="^[0-9a-fA-F]{24}$", description="Só os que carregam nesta tabela, ou a fizeram"
    )

    @property
    def wanted_table_id(self) -> str | None:
        """The table as its id is written."""
        return self.table_id and self.table_id.lower()


class JobsAnswer(LateModel):
    """A page of jobs."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"total": 1, "quantity": 1, "records": [_JOB_EXAMPLE]}]}
    )

    total: Count
    quantity: Count
    records: Annotated[list[JobAnswer], Field(max_length=100)]


class ActiveJobsAnswer(LateModel):
    """The jobs that are not terminal."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"records": [_JOB_EXAMPLE]}]})

    records: list[JobAnswer]


class Confirmation(LateModel):
    """The schema as the user wants it: columns of `inferred_schema`, in the user's order and types."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"display_name": "vendas", "columns": [_COLUMN]}]}
    )

    display_name: str | None = Field(default=None, description="Obrigatório para uma tabela nova")
    columns: Annotated[list[ConfirmedColumn], Field(min_length=1, max_length=MAX_COLUMNS)]
    make_nullable: Annotated[tuple[str, ...], Field(max_length=MAX_COLUMNS), FROM_LIST] = Field(
        default=(), description="Colunas da tabela que passam a aceitar vazios (exige managed-tables:update)"
    )
    on_misfit: OnMisfit = Field(
        default="reject",
        description="`skip`: linhas com valores que não cabem ficam fora, contadas em result.rejected",
    )
    title: Title = None
    description: Description = None
    key: Key = None

    @property
    def additions(self) -> Additions:
        """What a new table has besides its name and columns."""
        return Additions(Texts(self.title, self.description), self.key)

    @property
    def terms(self) -> LoadTerms:
        """On which terms the rows are loaded."""
        choices = {column.name: column.choice for column in self.columns}
        stated = {name: choice for name, choice in choices.items() if choice != ColumnChoice()}
        return LoadTerms(choices=stated, make_nullable=self.make_nullable, on_misfit=self.on_misfit)


class RejectsAnswer(LateModel):
    """Where the rows that did not fit are, as a CSV; the address expires."""

    url: str
    expires_at: Moment
    rows: Count


class ConfirmAnswer(LateModel):
    """The job goes on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "inserting"}]})

    status: Literal["inserting"]
