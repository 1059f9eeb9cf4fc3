"""What a table remembers of the files that fill it, as its jobs are handed it, and how a file differs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.document import Count, Document, Moment, RecordId, Scalar, Sentence
from managed_tables.documents.statements import LoadMode, OnMisfit, OriginLabels
from managed_tables.identifiers import MAX_COLUMNS, fold_label, make_identifier
from managed_tables.schema import MAX_LABEL_CHARACTERS, NamedType

CHOSEN = ("null_tokens", "true_tokens", "false_tokens", "trim", "timezone")  # of a column, by a person
MAX_SKIP_TEXTS = 20

TableKind = Literal["csv", "xlsx", "xlsb", "xls", "ods", "html", "spreadsheetml", "json", "jsonl", "parquet"]
AutoConfirm = Literal["never", "unchanged"]
Severity = Literal["told", "check", "stop"]
Verdict = Literal["unchanged", "changed", "stopped"]
DifferenceCode = Literal[
    "HEADER_MOVED", "COLUMNS_REORDERED", "ENCODING_CHANGED", "DELIMITER_CHANGED", "SHEET_RENAMED",
    "COLUMN_NEW", "COLUMN_MISSING", "COLUMN_RENAMED", "VALUES_CHANGED", "ROWS_CHANGED", "MARK_CHANGED",
    "DATE_ORDER_CHANGED", "TYPE_CHANGED", "REQUIRED_MISSING", "LOAD_RULE_BROKEN",
]  # fmt: skip


class Difference(Document):
    """What a file shows otherwise than the table's recipe says."""

    code: DifferenceCode
    severity: Severity = Field(description="`told`: é só um aviso; `check`: confira; `stop`: algo contradiz")
    text: Sentence = Field(description="O que mudou, com um exemplo")
    column: str | None = Field(default=None, description="`name` da coluna da tabela, ou da coluna nova")
    before: Scalar = Field(default=None, description="O que o modelo de importação diz")
    after: Scalar = Field(default=None, description="O que o arquivo mostra")
    lines: list[int] = Field(default=[], max_length=20, description="As primeiras linhas que mostram isso")


class JobRecipe(Document):
    """The recipe that a job's files were read under, and how they differ from it."""

    version: Count
    verdict: Verdict = Field(description="`unchanged`: nada a conferir; `stopped`: algo contradiz o modelo")
    differences: list[Difference]


class RecipeColumn(ColumnChoice):
    """A column of the table, and how the file's column of that label fills it; null as it is found."""

    model_config = ConfigDict(defer_build=True)

    source: Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARACTERS)] = Field(
        description="O rótulo da coluna no arquivo"
    )
    name: str = Field(description="A coluna da tabela que ela preenche")
    type: NamedType | None = Field(default=None, description="O da coluna da tabela, que vale")

    @property
    def label(self) -> str:
        """The label, folded."""
        return fold_label(self.source)


class LoadRule(Document):
    """What every load is to keep: rows within a share of those before, the table's keys, or a total."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["rows_within", "keeps_keys", "total_is_sum"]
    percent: Annotated[float, Field(ge=0, le=10_000)] | None = Field(
        default=None, description="De `rows_within`: quanto o número de linhas pode diferir do envio anterior"
    )
    column: str | None = Field(
        default=None, description="De `total_is_sum`: a coluna cuja soma é o total escrito no arquivo"
    )


LoadRules = Annotated[list[LoadRule], Field(max_length=20)]


class RecipeTable(Document):
    """How a file or sheet is read, told by what it says."""

    kind: TableKind
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    quote: str | None
    header_lines: Count
    labels: list[str] = Field(max_length=MAX_COLUMNS, description="Vazio onde nenhuma linha dá nomes")
    skip_texts: list[str] = Field(max_length=MAX_SKIP_TEXTS, description="Inícios das linhas que ficam fora")
    fill_merged: bool | None
    trim: bool | None
    stated: list[str] = Field(max_length=20, description="O que uma pessoa disse; o resto foi encontrado")


class LoadRecipe(Document):
    """How files that fill a table are read, mapped and converted, as its last load left it."""

    auto_confirm: AutoConfirm = Field(
        description="`unchanged`: um envio como os anteriores se confirma sozinho"
    )
    mode: LoadMode
    on_misfit: OnMisfit
    timezone: str
    tables: list[RecipeTable] = Field(max_length=2_000)
    columns: list[RecipeColumn] = Field(max_length=MAX_COLUMNS)
    load_rules: LoadRules = Field(default=[], description="O que todo envio deve seguir; senão, ele espera")


class Recipe(LoadRecipe):
    """What a table remembers of the files that fill it."""

    version: Count = Field(description="Sobe a cada envio e a cada alteração")
    updated_at: Moment
    job_id: RecordId = Field(description="O último envio que a escreveu")


class SeenByLoad(Document):
    """What the last load saw that the next reading is compared with, and no answer shows."""

    types: dict[str, str] = Field(default={})  # inferred for each label
    units: dict[str, str] = Field(default={})  # as well
    header_at: list[int | None] = Field(default=[])  # the header's line in each table of the recipe
    left_out: list[str] = Field(default=[])  # the sheets that a person left out
    origins: OriginLabels | None = None


class StoredRecipe(LoadRecipe):
    """What `managed_tables.recipes` holds of a table."""

    found: SeenByLoad = SeenByLoad()


class SeenColumn(Document):
    """What a column of the table holds, by its newest rows."""

    rows: int
    empty: int
    least: float | None = None  # of numbers, without their signs; of dates the first, in days since 1970
    greatest: float | None = None  # of numbers and dates
    median: float | None = None  # of numbers
    values: list[str] | None = None  # of texts, no more than tell that they are few


class Seen(Document):
    """What the table holds: its columns by name, and the number of rows of its last loads."""

    loads: list[int] = Field(default=[])
    columns: dict[str, SeenColumn] = Field(default={})


class Recalled(Document):
    """All that a job is handed of its table's memory."""

    recipe: Recipe
    found: SeenByLoad = SeenByLoad()
    seen: Seen = Seen()
    keys: list[str] | None = None  # the table's, where a rule of loads asks for them; columns by chr(31)
    references: dict[str, list[str]] = Field(default={})  # values of other tables, by the ids of rules

    @property
    def labels(self) -> frozenset[str]:
        """All labels that were read, those that were left out as well, folded."""
        read = (fold_label(label) for table in self.recipe.tables for label in table.labels)
        return frozenset((*read, *(column.label for column in self.recipe.columns)))

    def table(self, sheet: str | None) -> RecipeTable | None:
        """Return how the sheet of this name was read, else the first table."""
        tables = self.recipe.tables
        named = (one for one in tables if fold_label(one.sheet or "") == fold_label(sheet or ""))
        return next(named, None) or next(iter(tables), None)


@dataclass(frozen=True)
class FormerColumn:
    """Where a file's column went before: into a column of the table, as chosen; nowhere if it has no name."""

    name: str | None
    choice: ColumnChoice = field(default_factory=ColumnChoice)
    kept: RecipeColumn | None = None  # the recipe's column
    is_renamed: bool = False  # known by the name that its label makes, not by its label


def find_former_columns(recipe: LoadRecipe | None, labels: Sequence[str]) -> list[FormerColumn | None]:
    """Return where the columns of these labels went before, None for those that are new.

    Case and accents do not matter. Columns of one label go where those before them went, in their order, if
    they are as many as they were; else it tells nothing. A label that is new may make the name of a column
    whose own label is missing.
    """
    keys = [fold_label(label) for label in labels]
    counts, known = Counter(keys), _former_columns(recipe) if recipe else {}
    found = {key: iter(former) for key, former in known.items() if len(former) == counts[key]}
    alone = (former[0] for key, former in known.items() if len(former) == 1 and key not in counts)
    missing = {one.name: replace(one, is_renamed=True) for one in alone}
    return [
        next(found[key]) if key in found else missing.pop(make_identifier(label), None)
        for key, label in zip(keys, labels, strict=True)
    ]


def _former_columns(recipe: LoadRecipe) -> dict[str, list[FormerColumn]]:
    """Return where each folded label went; what a person chose holds again, each file shows its own marks."""
    known: dict[str, list[FormerColumn]] = {}
    for column in recipe.columns:
        chosen = ColumnChoice(**{name: getattr(column, name) for name in CHOSEN})
        known.setdefault(column.label, []).append(FormerColumn(column.name, chosen, column))
    labels = next((table.labels for table in recipe.tables if table.labels), [])
    for label, count in Counter(map(fold_label, labels)).items():
        if len(known.setdefault(label, [FormerColumn(None)] * count)) != count:
            known[label] = []  # some of them were left out, and nothing says which
    return known
