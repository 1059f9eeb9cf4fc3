"""What analyze found in a job's files: how they were read, the inferred schema, what load and review need."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from managed_tables import exact_json
from managed_tables.conversion.columns import ColumnChoice, Formats
from managed_tables.documents.document import Count, DetailBody, Document, Scalar, Sentence
from managed_tables.documents.pictures import LineAccount, Picture, RowsDigest
from managed_tables.documents.recipes import JobRecipe, Proof, ProofCode, TableKind
from managed_tables.documents.repairs import ValueRepairs
from managed_tables.documents.statements import ReadingStatement
from managed_tables.documents.workbooks import ReturnedWorkbook
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import MAX_LINES, MAX_PREVIEW, Finding, ReasonCode, WarningCode
from managed_tables.messages.sentences import write_text
from managed_tables.rules.rule import RuleKind
from managed_tables.rules.rule import Severity as RuleSeverity
from managed_tables.schema import Column, ColumnType

OrderSign = Literal["cells", "columns", "running_days", "marks", "labels"]
"""What in a file shows in which order the days and months of a column stand: a day after the twelfth (or no
date that both orders would read differently) among its own cells, or in another column; days that follow one
another in that order alone; the marks of numbers; the language of the labels."""

MAX_WARNINGS_BYTES = 1_000_000  # some thousands; an answer has 6 MB, also for the schema and the samples


class FileWarning(Document):
    """What a person should look at before confirming; only the keys that apply are there."""

    code: WarningCode
    text: Sentence = Field(description="O que foi visto, o que foi feito, o que se pode fazer")
    may_change_a_value: bool | None = Field(default=None, description="Algum valor pode ter mudado")
    file: str | None = Field(default=None, description="Nome do arquivo")
    sheet: str | None = Field(default=None, description="Nome da aba")
    lines: list[int] = Field(
        default=[], max_length=MAX_LINES, description="Primeiras linhas do arquivo ou da aba, contadas de 1"
    )
    count: Count | None = Field(default=None, description="Quantos são ao todo")
    columns: list[str] = Field(default=[], description="`name` das colunas; de abas deixadas fora, rótulos")
    preview: list[str] = Field(
        default=[], max_length=MAX_PREVIEW, description="Como começam as linhas que ficaram fora"
    )

    @classmethod
    def of(cls, finding: Finding) -> "FileWarning":
        """Return the warning that a finding is shown as."""
        places = {name: getattr(finding, name) for name in cls.model_fields if name not in ("code", "text")}
        known = {name: value for name, value in places.items() if value}
        return cls.read({"code": finding.code, "text": write_text(finding), **known})


def listed_warnings(findings: Sequence[Finding]) -> list[FileWarning]:
    """Return the warnings of a job: what may change a value first, as many as an answer has room for."""
    listed: list[FileWarning] = []
    room = MAX_WARNINGS_BYTES
    ordered = sorted(findings, key=lambda finding: not finding.may_change_a_value)
    for place, finding in enumerate(ordered):
        warning = FileWarning.of(finding)
        room -= len(exact_json.dumps(warning.as_json()))
        if room < 0:
            return [*listed, FileWarning.of(Finding("MORE_WARNINGS", count=len(ordered) - place))]
        listed.append(warning)
    return listed


class InferenceException(Document):
    """A cell that speaks against the type that most others have."""

    file: str
    sheet: str | None
    line: Annotated[int, Field(ge=1)]
    value: str | None
    reason: Sentence


class Alternative(Document):
    """Another type that the column may have."""

    type: ColumnType
    reason: Sentence


class Inference(Document):
    """On what grounds a column has its type."""

    confidence: float = Field(ge=0, le=1, description="Abaixo de 1 onde algum aviso põe um valor em dúvida")
    evidence: Sentence
    exceptions: list[InferenceException]
    warnings: list[FileWarning]
    alternatives: list[Alternative]


class Profile(Document):
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


class TableColumn(Document):
    """The table's column into which a column of the file goes."""

    name: str
    type: ColumnType
    nullable: bool


class InferredColumn(Column):
    """A column as inferred, and on what grounds; confirming takes it as it is."""

    model_config = ConfigDict(frozen=False)

    source: str | None = Field(default=None, description="O rótulo, como está no arquivo")
    table_column: TableColumn | None = Field(
        default=None, description="A coluna da tabela que a recebe (só em envios para uma tabela)"
    )
    inference: Inference | None = None
    profile: Profile | None = None


class InferredSchema(Document):
    """What the files hold, judged over every row."""

    suggested_table_name: str
    columns: Annotated[list[InferredColumn], Field(max_length=MAX_COLUMNS)]
    sample_rows: list[dict[str, Scalar]] = Field(max_length=20, description="Tipados; textos até 500 letras")
    total_row_count_estimate: Count = Field(description="Exato")


class Conflict(Document):
    """Values that do not fit a column of the table, by its type or because they are empty."""

    column: str
    count: Count
    details: list[DetailBody] = Field(max_length=5)


class AppendPlan(Document):
    """What becomes of a file's columns in the table that it is uploaded into."""

    matched: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        description="Rótulo no arquivo e nome da coluna da tabela"
    )
    new: list[str] = Field(description="Colunas do arquivo que a tabela não tem")
    missing: list[str] = Field(description="Colunas da tabela que o arquivo não tem")
    conflicts: list[Conflict]


class CheckExample(Document):
    """A row that breaks a rule."""

    file: str
    sheet: str | None
    line: Annotated[int, Field(ge=1)]
    column: str
    value: str | None = Field(description="A célula, como está no arquivo")
    nearest: list[str] = Field(
        default=[], max_length=3, description="De `in_table`: os valores mais parecidos da outra tabela"
    )


class RuleCheck(Document):
    """How many rows of the files break a rule of the table; `value` of an example as in the file."""

    rule: str = Field(description="`id` da regra")
    kind: RuleKind
    severity: RuleSeverity = Field(description="`refuse`: as linhas não entram; `warn`: entram, marcadas")
    columns: list[str]
    broken: Count
    examples: list[CheckExample] = Field(max_length=20)

    @property
    def refuses(self) -> bool:
        """Whether rows stay out."""
        return self.broken > 0 and self.severity == "refuse"


class ReadingReason(Document):
    """Why something was read as it was."""

    code: ReasonCode
    text: Sentence


class TableReading(Document):
    """How one file or sheet was read; lines are those of the file, or rows of the sheet, from 1."""

    file: int = Field(ge=0, description="Conta os arquivos do job, os de dentro de um ZIP um a um")
    sheet: str | None
    include: bool = Field(description="Se suas linhas são importadas")
    kind: TableKind
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
    skip_texts: list[str] = Field(default=[], description="Inícios das linhas que uma pessoa deixou fora")
    reasons: list[ReadingReason]

    def left_out(self, reason: ReadingReason) -> "TableReading":
        """Return the reading of a table that is not imported, and why."""
        return self.model_copy(update={"include": False, "reasons": [*self.reasons, reason]})


class JobReading(Document):
    """How the files of a job were read."""

    timezone: str = Field(description="Dos horários sem fuso")
    tables: list[TableReading]


class StagedColumn(Document):
    """How cells of a column are converted."""

    name: str
    formats: Formats
    proven: bool = False  # every cell that is not NULL is known to convert
    order_shown_by: list[OrderSign] | None = None  # empty: both orders are possible; null: no order to show
    mark_shown: bool = False  # the cells allow one decimal mark alone: a workbook's own numbers allow both
    choice: ColumnChoice = ColumnChoice()  # what a person once chose for it, as the table remembers
    repairs: ValueRepairs = ()  # the same, of its values
    picture: Picture | None = None  # where it feeds a column of a table that remembers


class AnalysisDocument(Document):
    """All that analyze found: what the API answers, and what confirmation, load and preview read."""

    inferred_schema: InferredSchema
    warnings: list[FileWarning] = Field(default=[])
    append_plan: AppendPlan | None = None
    checks: list[RuleCheck] = Field(default=[])
    recipe: JobRecipe | None = None
    proofs: list[Proof] | None = None
    digests: list[RowsDigest] = Field(default=[])
    reading: JobReading | None = None
    wish: ReadingStatement = ReadingStatement()  # what a person had stated
    files: list[str]  # the names that rows of the staged object refer to
    columns: list[StagedColumn]  # of the staged object, in its order
    row_count: Count
    line_counts: list[int] = Field(default=[])  # the last line of each table of the reading
    accounts: list[LineAccount] = Field(default=[])  # of the tables that are imported
    etags: list[str] | None = None  # of the uploaded files, not in an earlier release's
    table_version: int | None = None  # of the table that the plan leads into
    workbook: ReturnedWorkbook | None = None  # one that went out to be changed, and has come back
    preview_key: str | None = None
    preview_rows_key: str | None = None

    @property
    def is_proven(self) -> bool:
        """Return whether every proof holds; a table without a recipe has none."""
        return bool(self.proofs) and all(proof.holds for proof in self.proofs or ())

    @property
    def left_out(self) -> frozenset[str]:
        """The inferred columns that the recipe leaves out, by name: they feed nothing, and are not new."""
        if self.append_plan is None:
            return frozenset()
        columns = self.inferred_schema.columns
        free = {column.name for column in columns if column.table_column is None}
        return frozenset(free.difference(self.append_plan.new))

    @property
    def table_columns(self) -> frozenset[str]:
        """The names of the columns that the table had when the files were read."""
        plan = self.append_plan
        return frozenset((*(name for _, name in plan.matched), *plan.missing) if plan else ())

    def refutes(self, code: ProofCode) -> bool:
        """Return whether this proof does not hold."""
        return any(proof.code == code and not proof.holds for proof in self.proofs or ())


BLOCK_BYTES = 65_536  # between two entries of the index: wasted reading, at most
MAX_COLUMNS_SHOWN = 200


class PreviewTable(Document):
    """One file or sheet: where its lines are, and how they are cut: records in the form of RFC 4180."""

    upload: int | None  # the file of the job that holds the bytes, None where they are among the copies
    encoding: str
    delimiter: str  # empty: one cell
    quote: str
    is_numbered: bool = False  # line numbers come first, and cells are escaped (`conversion.marked_cells`)
    header_end: int | None
    columns: int
    last_line: int
    blocks: list[tuple[int, int]]  # (line, byte) of some lines
    end: int  # the byte after the last line
    has_breaks: bool = False  # up to release 0.3.0: quoted cells go over lines


class PreviewIndex(Document):
    """The files and sheets of a job, in the order of its reading."""

    tables: list[PreviewTable]
