"""Model what the jobs' routes take and answer, as OpenAPI shows it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict

from managed_tables.catalog.job_records import JobMode, JobStatus, LoadResult, UploadedFile
from managed_tables.conversion.columns import FROM_LIST, ColumnChoice, refuse_shared_words
from managed_tables.details import InvalidValue, shown_text
from managed_tables.documents import statements
from managed_tables.documents.analyses import (
    AppendPlan,
    FileWarning,
    InferredColumn,
    InferredSchema,
    JobReading,
    RuleCheck,
    TableColumn,
)
from managed_tables.documents.document import (
    Count,
    Document,
    JobFailure,
    JobProgress,
    LateModel,
    Moment,
    RecordId,
)
from managed_tables.documents.recipes import JobRecipe, Proof
from managed_tables.documents.repairs import MAX_CELLS, MAX_VALUES, Repairs
from managed_tables.documents.workbooks import MergePlan
from managed_tables.exact_json import Object
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.rules.rule import MAX_RULES
from managed_tables.schema import Column
from managed_tables.uploads import MAX_FILES
from managed_tables_api.http.requests import ListAnswer, NumbersQuery, PageQuery, StrictModel, without
from managed_tables_api.reanalysis import KnownZone
from managed_tables_api.tables import ANSWERED_COLUMNS, PRODUCT, Description, Key, Title


class ConfirmedColumn(Column, ColumnChoice):
    """A column as the user wants it, and how the file's cells fill it."""

    timezone: KnownZone | None = Field(default=None, description="De horários sem fuso")

    @property
    def choice(self) -> ColumnChoice:
        """How it is filled."""
        return ColumnChoice(**{name: getattr(self, name) for name in ColumnChoice.model_fields})

    def as_answer(self) -> Object:
        """Return the column as it is answered: what is stated, its default as a JSON value of its type."""
        return self.column.as_answer() | self.choice.model_dump(exclude_defaults=True)


class TargetColumn(StrictModel):
    """The table's column that a sent one fills; an inferred `table_column` may be sent back as it is."""

    name: str

    @model_validator(mode="before")
    @classmethod
    def _leave_what_is_shown(cls, value: Any) -> Any:
        return without(value, TableColumn.model_fields.keys() - {"name"})


class ColumnToConfirm(ConfirmedColumn):
    """A column as it is confirmed: one of `inferred_schema`, as it was answered or changed."""

    model_config = ConfigDict(extra="forbid")

    table_column: TargetColumn | None = Field(
        default=None,
        description="A coluna da tabela que ela preenche; null: uma nova. Sem o campo vale append_plan. Como "
        "foi respondida (null, com o rótulo em source), uma coluna que o modelo deixa de fora continua fora",
    )

    _distinct_words = field_validator("false_tokens")(refuse_shared_words)

    @model_validator(mode="before")
    @classmethod
    def _leave_what_is_shown(cls, value: Any) -> Any:
        return without(value, InferredColumn.model_fields.keys() - cls.model_fields.keys())


class _Agreed(LateModel):
    """What a person confirms, as it is sent and answered."""

    display_name: str | None = Field(default=None, description="Obrigatório para uma tabela nova")
    make_nullable: Annotated[tuple[str, ...], Field(max_length=MAX_COLUMNS), FROM_LIST] = Field(
        default=(), description="Colunas da tabela que passam a aceitar vazios (exige managed-tables:update)"
    )
    on_misfit: statements.OnMisfit = Field(
        default="reject",
        description="`skip`: linhas com valores que não cabem ficam fora, contadas em result.rejected",
    )
    mode: statements.UploadMode | None = Field(
        default=None, description="No lugar do modo do envio para uma tabela; sem o campo, fica aquele"
    )
    remember: bool = Field(
        default=True, description="`false` deixa o modelo de importação da tabela como estava"
    )
    repairs: Repairs | None = Field(
        default=None,
        description="O que entra no lugar de valores do arquivo (até 1.000) e de células (até 200); sem o "
        "campo valem os consertos que o modelo de importação da tabela lembra",
    )
    conflicts: statements.Conflicts | None = Field(
        default=None,
        description="De uma planilha que voltou: qual valor fica onde ela e outros mudaram a mesma célula; "
        "`theirs` ou `mine` para todas, ou uma a uma",
    )
    delete_absent: bool = Field(
        default=False,
        description="De uma planilha que voltou: exclui as linhas que não estão nela, e que ninguém mudou "
        "desde a exportação",
    )
    title: Title = None
    description: Description = None
    key: Key = None


class ConfirmedSchema(_Agreed, Document):
    """The schema that the user confirmed last; besides the contract's fields only what was stated."""

    display_name: str | None
    columns: Annotated[list[ConfirmedColumn], *ANSWERED_COLUMNS]

    @classmethod
    def of(cls, confirmed: statements.ConfirmedDocument) -> "ConfirmedSchema":
        """Return the schema as it is answered."""
        terms = confirmed.terms
        columns = [
            ConfirmedColumn(**dict(column), **dict(terms.choice(column.name))) for column in confirmed.columns
        ]
        additions = confirmed.additions.as_json() if confirmed.additions else {}
        stated = terms.model_dump(exclude_defaults=True, exclude={"choices"})
        return cls(display_name=confirmed.display_name, columns=columns, **stated, **additions)


class JobResult(Document):
    """What a job that is done has made of its rows."""

    inserted: Count
    updated: Count
    unchanged: Count
    rejected: Count
    seconds: float = Field(ge=0, description="Quanto durou a inserção")
    repaired: Count = Field(
        default=0, description="Células em que um conserto entrou no lugar do que o arquivo tem; falta onde 0"
    )
    deleted: Count = Field(
        default=0, description="Linhas excluídas por uma planilha que voltou; falta onde 0"
    )

    @classmethod
    def of(cls, result: LoadResult) -> "JobResult":
        """Return a load's numbers as they are answered."""
        counts = {name: getattr(result, name) for name in ("inserted", "updated", "unchanged", "rejected")}
        later = {name: count for name in ("repaired", "deleted") if (count := getattr(result, name))}
        return cls(**counts, seconds=result.milliseconds / 1_000, **later)


class JobAnswer(Document):
    """A job."""

    id: RecordId = Field(serialization_alias="_id")
    company_id: RecordId
    user_id: RecordId | None = Field(description="Quem enviou; null: um sistema, pela caixa de entrada")
    user_table_id: RecordId | None
    files: Annotated[Sequence[UploadedFile], Field(min_length=1, max_length=MAX_FILES)]
    mode: JobMode
    origin: Literal["upload", "inbox"] = Field(description="inbox: posto por um sistema, sem o console")
    status: JobStatus
    reading: JobReading | None = Field(
        description="Como cada arquivo e cada aba foram lidos, também os não incluídos; null antes disso"
    )
    append_plan: AppendPlan | None = Field(description="Só em envios para uma tabela que existe")
    merge_plan: MergePlan | None = Field(
        description="O que uma planilha que voltou muda na tabela; null em outros envios"
    )
    checks: list[RuleCheck] = Field(
        max_length=MAX_RULES, description="As regras da tabela que o arquivo basta para julgar"
    )
    recipe: JobRecipe | None = Field(
        description="Como os arquivos diferem do modelo de importação da tabela; null onde ela não tem um"
    )
    proofs: list[Proof] | None = Field(
        description="As nove provas sem as quais nenhum envio se confirma sozinho, primeiro as que faltam; "
        "null onde a tabela não tem modelo de importação"
    )
    stated: statements.ReadingStatement | None = Field(
        description="O que reanalyze fixou; null antes da análise"
    )
    draft: statements.Draft | None = Field(description="O que PUT …/draft guardou; null onde não há nada")
    inferred_schema: InferredSchema | None = Field(
        description="null antes da análise, e depois que o armazenamento a apagou"
    )
    confirmed_schema: ConfirmedSchema | None
    progress: JobProgress | None = Field(description="null só depois de failed")
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


JOB_FIELDS = tuple(field.serialization_alias or name for name, field in JobAnswer.model_fields.items())


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
            raise InvalidValue("UNKNOWN_FIELD", f"o envio não tem o campo {shown_text(unknown[0])!r}")
        return text

    @property
    def wanted(self) -> tuple[str, ...]:
        """The fields that are wanted, in the order of the answer."""
        named = JOB_FIELDS if self.fields is None else self.fields.split(",")
        return tuple(name for name in JOB_FIELDS if name in named)


class JobsQuery(PageQuery, NumbersQuery):
    """Which jobs."""

    status: JobStatus | None = Field(default=None, description="Só os que estão assim")
    table_id: str | None = Field(
        default=None, pattern="^[0-9a-fA-F]{24}$", description="Só os que carregam nesta tabela, ou a fizeram"
    )


class JobsAnswer(ListAnswer):
    """A page of jobs."""

    records: Annotated[list[JobAnswer], Field(max_length=100)]


class ActiveJobsAnswer(LateModel):
    """The jobs that are not terminal."""

    records: list[JobAnswer]


def _refuse_many_repairs(repairs: Repairs | None) -> Repairs | None:
    values = sum("from" in repair for repair in repairs or ())
    if values > MAX_VALUES or len(repairs or ()) - values > MAX_CELLS:
        raise InvalidValue("TOO_LONG", "deve ter no máximo 1.000 valores e 200 células")
    return repairs


class Confirmation(_Agreed, StrictModel):
    """The schema as the user wants it: columns of `inferred_schema`, in the user's order and types."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"display_name": "vendas", "columns": [PRODUCT]}]}
    )

    columns: Annotated[list[ColumnToConfirm], Field(max_length=MAX_COLUMNS)] = Field(
        default=[],
        description="Obrigatórias, menos de uma planilha que voltou: sem elas, todas as que saíram",
    )
    keep_auto_confirm: bool = Field(
        default=False,
        description="Quem pode alterar a tabela mantém auto_confirm, embora o próximo arquivo seja lido de "
        "outro modo",
    )

    _few_repairs = field_validator("repairs")(_refuse_many_repairs)

    def as_schema(self) -> statements.WantedSchema:
        """Return what is confirmed; of columns only the choices that are stated."""
        choices = {column.name: column.choice for column in self.columns}
        return statements.WantedSchema(
            display_name=self.display_name,
            columns=[column.column for column in self.columns],
            terms=statements.LoadTerms(
                choices={name: choice for name, choice in choices.items() if choice != ColumnChoice()},
                make_nullable=self.make_nullable,
                on_misfit=self.on_misfit,
                mode=self.mode,
                remember=self.remember,
                keep_auto_confirm=self.keep_auto_confirm,
                repairs=self.repairs,
                conflicts=self.conflicts,
                delete_absent=self.delete_absent,
            ),
            additions=statements.Additions(title=self.title, description=self.description, key=self.key),
            targets={
                column.name: column.table_column.name if column.table_column else None
                for column in self.columns
                if "table_column" in column.model_fields_set
            },
        )


class RejectsAnswer(Document):
    """Where the rows that did not fit are, as a CSV; the address expires."""

    url: str
    expires_at: Moment
    rows: Count


class ConfirmAnswer(Document):
    """The job goes on."""

    status: Literal["inserting"]


class UndoBody(StrictModel):
    """How a job is to be taken back; may be left out."""

    force: bool = Field(
        default=False,
        description="Desfaz mesmo que haja linhas alteradas desde a carga: estas ficam como estão",
    )


_SHOWN_ALONE = frozenset({"kind", "name", "escape", "skipped_lines", "rows", "reasons", "skip_texts"})


class StatedTable(statements.TableStatement):
    """How one file or sheet is to be read; what is left out stays as it was stated, null is found anew.

    With no field at all nothing is stated any more. An item of `reading.tables` may be sent back: what is
    only shown there is ignored.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_what_is_shown(cls, value: Any) -> Any:
        return without(value, _SHOWN_ALONE)


class OriginColumns(statements.OriginLabels):
    """Columns in front of the others that name the sheet and the file of each row; null: no such column."""

    model_config = ConfigDict(extra="forbid")


_EXAMPLE: JsonDict = {"tables": [{"file": 0, "sheet": None, "header_line": 3, "skip_lines": [9]}]}


class Reanalysis(StrictModel):
    """How files are to be read: what is not named stays as it was stated."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    tables: list[StatedTable] = Field(default=[], max_length=statements.MAX_TABLES)
    timezone: str | None = Field(default=None, description="De horários sem fuso, como America/Sao_Paulo")
    origin_columns: OriginColumns | None = Field(
        default=None, description="Colunas com o nome da aba e do arquivo; sem o campo, ficam como estavam"
    )

    recipe: bool | None = Field(
        default=None, description="`false`: os arquivos são lidos como se a tabela não lembrasse nada"
    )

    def as_statement(self) -> statements.ReadingStatement:
        """Return what is stated alone."""
        statement = statements.ReadingStatement(tables=[table.stated() for table in self.tables])
        for name in self.model_fields_set - {"tables"}:
            setattr(statement, name, getattr(self, name))
        return statement


class ReanalysisAnswer(Document):
    """The files are being read."""

    status: Literal["analisando"]
