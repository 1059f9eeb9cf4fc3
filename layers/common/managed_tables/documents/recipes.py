"""What a table remembers of the files that fill it, as its jobs are handed it, and how a file differs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field

from managed_tables.conversion.columns import FROM_LIST, ColumnChoice
from managed_tables.documents.document import Count, Document, Moment, RecordId, Scalar, Sentence
from managed_tables.documents.pictures import Picture, RowsDigest
from managed_tables.documents.repairs import ValueRepairs
from managed_tables.documents.statements import LoadMode, OnMisfit, OriginLabels
from managed_tables.identifiers import MAX_COLUMNS, fold_label, make_identifier
from managed_tables.schema import MAX_LABEL_CHARACTERS, NamedType

CHOSEN = ("null_tokens", "true_tokens", "false_tokens", "trim", "timezone")  # of a column, by a person
MAX_SKIP_TEXTS = 20
MAX_SOURCES = 20

TableKind = Literal["csv", "xlsx", "xlsb", "xls", "ods", "html", "spreadsheetml", "json", "jsonl", "parquet"]
AutoConfirm = Literal["never", "unchanged"]
Severity = Literal["told", "check", "stop"]
Verdict = Literal["unchanged", "changed", "stopped"]
DifferenceCode = Literal[
    "HEADER_MOVED", "COLUMNS_REORDERED", "ENCODING_CHANGED", "DELIMITER_CHANGED", "SHEET_RENAMED",
    "COLUMN_NEW", "COLUMN_MISSING", "COLUMN_RENAMED", "VALUES_CHANGED", "ROWS_CHANGED", "MARK_CHANGED",
    "DATE_ORDER_CHANGED", "TYPE_CHANGED", "REQUIRED_MISSING", "LOAD_RULE_BROKEN", "REPAIRS_CHANGED",
]  # fmt: skip

# What must hold before a job confirms itself, in the order in which a person asks.
ProofCode = Literal[
    "EVERY_LINE_ACCOUNTED", "SAME_COLUMNS", "SAME_WRITING", "SAME_MEANING", "NO_NEW_STRUCTURE", "ALL_FIT",
    "NEW_ROWS", "AS_RECALLED", "MODE_SET",
]  # fmt: skip
PROOF_CODES: tuple[ProofCode, ...] = get_args(ProofCode)
RefutationCode = Literal[  # why one does not hold, beside differences and warnings
    "LINES_NOT_COUNTED", "ROW_LEFT_OUT", "LINE_UNKNOWN", "MARK_NOT_SHOWN", "ORDER_NOT_SHOWN", "NOTHING_KNOWN",
    "UNLIKE_ROWS", "VALUES_DO_NOT_FIT", "RULE_NOT_KEPT", "ROWS_KNOWN", "ROWS_TWICE", "NOT_AS_RECALLED",
    "MODE_NOT_SET", "OTHER_MODE",
]  # fmt: skip
PROOF_OF: Mapping[DifferenceCode, ProofCode] = {  # that such a difference refutes
    "COLUMN_NEW": "SAME_COLUMNS",
    "COLUMN_MISSING": "SAME_COLUMNS",
    "COLUMN_RENAMED": "SAME_COLUMNS",
    "REQUIRED_MISSING": "SAME_COLUMNS",
    "MARK_CHANGED": "SAME_WRITING",
    "DATE_ORDER_CHANGED": "SAME_WRITING",
    "VALUES_CHANGED": "SAME_MEANING",
    "ROWS_CHANGED": "SAME_MEANING",
    "REPAIRS_CHANGED": "SAME_MEANING",
    "TYPE_CHANGED": "ALL_FIT",
    "LOAD_RULE_BROKEN": "ALL_FIT",
}


class Proof(Document):
    """One of the nine pieces of evidence without which no job confirms itself."""

    code: ProofCode
    holds: bool
    text: Sentence = Field(description="O que foi provado, ou por que não foi e o que fazer")
    lines: list[int] = Field(default=[], max_length=20, description="As primeiras linhas que o mostram")
    columns: list[str] = Field(default=[], description="`name` das colunas da tabela, ou das novas")
    file: str | None = Field(default=None, description="O arquivo da primeira linha, onde se sabe")
    sheet: str | None = Field(default=None, description="A planilha dela, onde há")


class ShownPicture(Document):
    """What a column holds, as people are shown it: the table's in the loads before, or a file's."""

    label: str = Field(description="O rótulo no arquivo")
    type: NamedType
    rows: Count
    empty: float = Field(description="A parte das células que está vazia, de 0 a 1")
    negative: float | None = Field(default=None, description="De números: a parte dos negativos, de 0 a 1")
    least: Scalar = Field(default=None, description="De números, sem sinal e sem zeros; de datas, a primeira")
    greatest: Scalar = Field(default=None, description="O maior número, sem sinal; a última data")


class ShownPictures(Document):
    """A column in the loads before, where they are known, beside the file's column taken for it."""

    before: ShownPicture | None = None
    after: ShownPicture


class Difference(Document):
    """What a file shows otherwise than the table's recipe says."""

    code: DifferenceCode
    severity: Severity = Field(description="`told`: é só um aviso; `check`: confira; `stop`: algo contradiz")
    text: Sentence = Field(description="O que mudou, com um exemplo")
    column: str | None = Field(default=None, description="`name` da coluna da tabela, ou da coluna nova")
    before: Scalar = Field(default=None, description="O que o modelo de importação diz")
    after: Scalar = Field(default=None, description="O que o arquivo mostra")
    lines: list[int] = Field(default=[], max_length=20, description="As primeiras linhas que mostram isso")
    pictures: ShownPictures | None = Field(
        default=None, description="De `COLUMN_RENAMED`: o que a coluna tinha, e o que a de novo rótulo tem"
    )


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
    sources: Annotated[tuple[str, ...], Field(max_length=MAX_SOURCES), FROM_LIST] = Field(
        default=(), description="Todos os rótulos que já a preencheram, o mais novo primeiro"
    )
    name: str = Field(description="A coluna da tabela que ela preenche")
    type: NamedType | None = Field(default=None, description="O da coluna da tabela, que vale")
    repairs: ValueRepairs = Field(default=(), description="O que entra no lugar de textos do arquivo")

    @property
    def label(self) -> str:
        """The label, folded."""
        return fold_label(self.source)

    @property
    def all_labels(self) -> list[str]:
        """Every label that ever fed it, folded, the newest first."""
        return list(dict.fromkeys(map(fold_label, (self.source, *self.sources))))


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
    lines: list[list[str]] = Field(default=[])  # why, and digests of how lines begin that were left out
    structure: list[str] = Field(default=[])  # what else than one plain table a person saw in a file
    repairs: dict[str, dict[str, float]] = Field(default={})  # by label and text, the share of its rows


class StoredRecipe(LoadRecipe):
    """What `managed_tables.recipes` holds of a table."""

    found: SeenByLoad = SeenByLoad()
    mode_set: bool = False  # by a person who may update the table; a load's own word does not count


class Recalled(Document):
    """All that a job is handed of its table's memory."""

    recipe: Recipe
    found: SeenByLoad = SeenByLoad()
    loads: list[int] = Field(default=[])  # the number of rows of the last ones
    pictures: dict[str, Picture] = Field(default={})  # of the table's columns, over these loads
    digests: list[RowsDigest] = Field(default=[])  # of the rows of the loads that the table still has
    own_labels: dict[str, str] = Field(default={})  # of the table's columns that no file has fed by them
    mode_set: bool = False
    table_version: int = 0
    content: str = ""  # a digest of what the recipe says: another one reads files otherwise
    keys: list[str] | None = None  # the table's, where a rule of loads asks for them; columns by chr(31)
    references: dict[str, list[str]] = Field(default={})  # values of other tables, by the ids of rules

    @property
    def labels(self) -> frozenset[str]:
        """All labels that were read, those that were left out as well, folded."""
        read = (fold_label(label) for table in self.recipe.tables for label in table.labels)
        return frozenset((*read, *(label for column in self.recipe.columns for label in column.all_labels)))

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
    found = {key: former for key, former in known.items() if len(former) == counts[key]}
    missing = _missing_columns(known, counts, found)
    places = {key: iter(former) for key, former in found.items()}
    return [
        next(places[key]) if key in places else missing.pop(make_identifier(label), None)
        for key, label in zip(keys, labels, strict=True)
    ]


def _missing_columns(
    known: Mapping[str, list[FormerColumn]], counts: Counter[str], found: dict[str, list[FormerColumn]]
) -> dict[str | None, FormerColumn]:
    """Return by name the columns whose label is missing; one that has an older label is found by that."""
    missing: dict[str | None, FormerColumn] = {}
    alone = [former[0] for key, former in known.items() if len(former) == 1 and key not in counts]
    for one in alone:
        older = next((key for key in _older_labels(one, known) if counts[key] == 1), None)
        if older is None:
            missing[one.name] = replace(one, is_renamed=True)
        else:
            found.setdefault(older, [one])
    return missing


def _older_labels(one: FormerColumn, known: Mapping[str, list[FormerColumn]]) -> list[str]:
    """Return the labels that fed a column before its newest, but those that say something else by now."""
    return [label for label in one.kept.all_labels[1:] if label not in known] if one.kept else []


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
