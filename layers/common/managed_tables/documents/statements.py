"""What a person states of how files are read, fixed where all else is inferred under it, and confirms.

Confirmed are the schema and the terms of the load.
"""

from collections.abc import Mapping, Set
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from managed_tables import exact_json
from managed_tables.conversion.columns import FROM_LIST, ColumnChoice
from managed_tables.documents.document import Document
from managed_tables.documents.repairs import Repairs
from managed_tables.rules.rule import Rule
from managed_tables.schema import MAX_LABEL_CHARACTERS, STORABLE, Column

MAX_TABLES = 2_000  # sheets and members of archives
MAX_SKIPPED = 10_000  # lines named one by one
MAX_HEADER_LINES = 20

Line = Annotated[int, Field(ge=1)]
OriginLabel = Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARACTERS), STORABLE]

_NONE_IS_STATED = frozenset({"sheet", "header_line", "quote"})
LoadMode = Literal["append", "replace", "upsert"]  # of a table that exists
LOAD_MODES: dict[str, LoadMode] = {"append": "append", "replace": "replace", "upsert": "upsert"}  # by name
UploadMode = Literal["append", "replace", "upsert", "merge"]  # the last of a workbook that comes back
UPLOAD_MODES: dict[str, UploadMode] = {**LOAD_MODES, "merge": "merge"}
OnMisfit = Literal["reject", "skip"]


class TableStatement(Document):
    """How one file or sheet is to be read.

    A field that is null is found anew, but `header_line` and `quote`: there is none. With `header_lines` null
    as well the header is found anew, too. A table with no field begins anew.
    """

    file: int = Field(ge=0)
    sheet: str | None = None
    include: bool | None = Field(default=None, description="Se é importada")
    encoding: str | None = Field(default=None, description="Como utf-8, cp1252, utf-16")
    delimiter: str | None = None
    quote: str | None = Field(default=None, description="null: nada está entre aspas")
    header_line: Line | None = Field(
        default=None,
        description="null: nenhuma linha dá nome às colunas; com header_lines null é procurada de novo",
    )
    header_lines: Annotated[int, Field(ge=0, le=MAX_HEADER_LINES)] | None = Field(
        default=None, description="De quantas linhas os nomes são compostos; 0: nenhuma dá nome às colunas"
    )
    first_line: Line | None = Field(default=None, description="Dos dados")
    last_line: Line | None = Field(default=None, description="Dos dados")
    skip_lines: Annotated[list[Line], Field(max_length=MAX_SKIPPED)] | None = Field(
        default=None, description="Linhas que não são dados, onde quer que estejam"
    )
    fill_merged: bool | None = Field(
        default=None, description="Se células mescladas na vertical valem para todas as suas linhas"
    )
    trim: bool | None = Field(default=None, description="Se os espaços nas pontas das células são retirados")

    @property
    def place(self) -> tuple[int, str | None]:
        """The file or sheet that is meant."""
        return self.file, self.sheet

    def stated(self) -> "TableStatement":
        """Return what is stated, and as null what is to be found anew, with its place."""
        names = self.model_fields_set
        without_header = names - {"header_lines"} | {"header_line"}
        return self._only(without_header if self.header_lines == 0 else names, self)

    def merged(self, newer: "TableStatement") -> "TableStatement":
        """Return both statements, field by field."""
        given = newer.model_fields_set
        if given <= {"file", "sheet"}:
            return newer
        forgotten = {name for name in given - _NONE_IS_STATED if getattr(newer, name) is None}
        if "header_line" in given and newer.header_line is None:
            forgotten |= {"header_line"} if "header_lines" in forgotten else {"header_lines"} - given
        return self._only((self.model_fields_set | given) - forgotten, newer)

    def _only(self, names: Set[str], newer: "TableStatement") -> "TableStatement":
        """Return these fields, as the newer statement has them where it has."""
        kept = {*names, "file", "sheet"}
        values = {name: getattr(newer if name in newer.model_fields_set else self, name) for name in kept}
        return TableStatement.model_construct(_fields_set=kept, **values)


class OriginLabels(Document):
    """Columns in front of the others that name the sheet and the file of each row; null: no such column."""

    model_config = ConfigDict(frozen=True)

    sheet: OriginLabel | None = Field(default=None, description="O título da coluna com o nome da aba")
    file: OriginLabel | None = Field(default=None, description="O título da coluna com o nome do arquivo")


class ReadingStatement(Document):
    """How the files of a job are to be read; `timezone` applies to times without one."""

    timezone: str | None = None
    recipe: bool | None = Field(default=None, description="false: como se a tabela não lembrasse nada")
    tables: list[TableStatement] = Field(default=[])
    origin_columns: OriginLabels | None = None

    def of(self, place: tuple[int, str | None]) -> TableStatement:
        """Return the statement about one file or sheet, which may be empty."""
        known = (one for one in self.tables if one.place == place)
        return next(known, None) or TableStatement.model_construct(file=place[0], sheet=place[1])

    def merged(self, newer: "ReadingStatement") -> "ReadingStatement":
        """Return both statements, table by table and field by field; a null takes back what was stated."""
        latest = dict(self) | {name: getattr(newer, name) for name in newer.model_fields_set}
        tables = {one.place: one for one in self.tables}
        tables |= {one.place: self.of(one.place).merged(one) for one in newer.tables}
        ordered = sorted(tables.values(), key=lambda one: (one.file, one.sheet or ""))
        others = {name: latest[name] for name in ("recipe", "origin_columns") if latest[name] is not None}
        return ReadingStatement(timezone=latest["timezone"], tables=ordered, **others)


class Draft(Document):
    """What a review has so far, in whatever shape its client keeps it: names, types, mapping, choices."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "additionalProperties": {"type": ["object", "array", "string", "number", "boolean", "null"]},
            "examples": [{"columns": [{"name": "valor", "source": "Vlr. Total"}]}],
        },
    )

    repairs: Repairs | None = Field(default=None, description="Como em confirm")


class ConflictChoice(BaseModel):
    """Whose cell stands where a workbook and others have changed it, each otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row_id: Annotated[str, Field(max_length=36)]
    column: Annotated[str, Field(max_length=63)]
    take: Literal["theirs", "mine"]


MAX_CHOICES = 10_000
Conflicts = (
    Literal["theirs", "mine"]
    | Annotated[tuple[ConflictChoice, ...], Field(max_length=MAX_CHOICES), FROM_LIST]
)


class LoadTerms(BaseModel):
    """How columns are filled, and what happens to misfits."""

    model_config = ConfigDict(frozen=True)

    choices: Mapping[str, ColumnChoice] = {}  # by the column's name
    make_nullable: tuple[str, ...] = ()  # columns of the table that are to let NULL in
    on_misfit: OnMisfit = "reject"
    mode: UploadMode | None = None  # in place of the upload's
    remember: bool = True  # how the files were read, mapped and converted, as the table's recipe
    keep_auto_confirm: bool = False  # though it is read otherwise: said by who may update the table
    repairs: Repairs | None = None  # of values and cells; None: those of values that the table remembers
    conflicts: Conflicts | None = None  # of a merge; None: there are none
    delete_absent: bool = False  # of a merge: rows that are not in the workbook

    def choice(self, name: str) -> ColumnChoice:
        """Return how a column is filled."""
        return self.choices.get(name) or ColumnChoice()

    def source(self, name: str) -> str:
        """Return the name of the inferred column that feeds a column."""
        return self.choice(name).source or name

    def as_record(self) -> dict[str, Any]:
        """Return only what is stated, as JSON; an empty object for the usual terms."""
        return self.model_dump(mode="json", exclude_defaults=True)


USUAL_TERMS = LoadTerms()


class Additions(Document):
    """What a new table has besides its name and columns; an empty text is none."""

    model_config = ConfigDict(frozen=True)

    title: str | None = None
    description: str | None = None
    key: list[str] | None = None
    indexes: list[list[str]] = Field(default=[])
    rules: list[Rule] = Field(default=[])

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object: only what there is."""
        document = {name: part for name, part in super().as_json().items() if part not in (None, "")}
        return document | ({"rules": [rule.as_document() for rule in self.rules]} if self.rules else {})


NO_ADDITIONS = Additions()


class WantedSchema(Document):
    """What is to be confirmed: columns and terms, and of a new table alone its name and additions."""

    display_name: str | None
    columns: list[Column]
    terms: LoadTerms = USUAL_TERMS
    additions: Additions = NO_ADDITIONS
    # By the name of the column that was sent: the table's column that it names, None for a new one.
    targets: Mapping[str, str | None] = {}

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object; of columns, terms and additions only what is not the usual."""
        columns = [column.as_document() for column in self.columns]
        parts = {"terms": self.terms.as_record(), "additions": self.additions.as_json()}
        document = super().as_json() | {"columns": columns} | parts
        return {name: part for name, part in document.items() if part not in (None, {})}

    @property
    def digest(self) -> str:
        """A digest that is the same for a repeated confirmation, and differs for another one."""
        return exact_json.digest({"display_name": self.display_name, **self.as_json()})


class ConfirmedDocument(WantedSchema):
    """The schema that is loaded into the table, and on which terms."""

    display_name: str
    table_id: str
    own_columns: list[str] = Field(default=[])  # the table's: one that goes before the load is not made again
    key: list[str] | None = None  # of an upsert, by which the person expects rows to be found
