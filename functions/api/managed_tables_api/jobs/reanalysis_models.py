"""What a person states of how files are read, as OpenAPI shows it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from managed_tables.schema import MAX_LABEL_CHARACTERS
from managed_tables_api.http.validation import QUERY_DIGITS, LateModel

MAX_TABLES = 2_000  # sheets and members of archives
MAX_SKIPPED = 10_000  # lines named one by one
MAX_HEADER_LINES = 20

Line = Annotated[int, Field(ge=1)]

_SHOWN_ALONE = frozenset({"kind", "name", "escape", "skipped_lines", "rows", "reasons"})


class StatedTable(LateModel):
    """How one file or sheet is to be read; what is left out stays as it was stated, null is found anew.

    With no field at all nothing is stated any more. An item of `reading.tables` may be sent back: what is
    only shown there is ignored.
    """

    model_config = ConfigDict(extra="forbid")

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
        default=None, description="De quantas linhas os nomes são compostos"
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

    @model_validator(mode="before")
    @classmethod
    def _leave_what_is_shown(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: one for name, one in value.items() if name not in _SHOWN_ALONE}

    def as_stated(self) -> dict[str, Any]:
        """Return what is stated, and as null what is to be found anew."""
        given = self.model_dump(exclude_unset=True)
        stated = {name: one for name, one in given.items() if not (name == "header_lines" and one == 0)}
        return {**stated, "file": self.file, "sheet": self.sheet}


OriginLabel = Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARACTERS)]


class OriginColumns(LateModel):
    """Columns in front of the others that name the sheet and the file of each row; null: no such column."""

    model_config = ConfigDict(extra="forbid")

    sheet: OriginLabel | None = Field(default=None, description="O título da coluna com o nome da aba")
    file: OriginLabel | None = Field(default=None, description="O título da coluna com o nome do arquivo")


class Draft(LateModel):
    """What a review has so far, in whatever shape its client keeps it: names, types, mapping, choices."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "additionalProperties": {"type": ["object", "array", "string", "number", "boolean", "null"]},
            "examples": [{"columns": [{"name": "valor", "source": "Vlr. Total"}]}],
        },
    )


class StatedReading(LateModel):
    """What `reanalyze` was told, and holds; of a file or sheet only what is stated."""

    timezone: str | None = None
    tables: list[StatedTable] = Field(default=[], max_length=MAX_TABLES)
    origin_columns: OriginColumns | None = Field(default=None, description="Ausente onde não há")


_EXAMPLE: dict[str, Any] = {"tables": [{"file": 0, "sheet": None, "header_line": 3, "skip_lines": [9]}]}


class Reanalysis(LateModel):
    """How files are to be read: what is not named stays as it was stated."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    tables: list[StatedTable] = Field(default=[], max_length=MAX_TABLES)
    timezone: str | None = Field(default=None, description="De horários sem fuso, como America/Sao_Paulo")
    origin_columns: OriginColumns | None = Field(
        default=None, description="Colunas com o nome da aba e do arquivo; sem o campo, ficam como estavam"
    )

    def as_stated(self) -> dict[str, Any]:
        """Return what is stated alone."""
        stated: dict[str, Any] = {
            "timezone": self.timezone,
            "tables": [one.as_stated() for one in self.tables],
        }
        if "origin_columns" in self.model_fields_set:
            stated["origin_columns"] = self.origin_columns and self.origin_columns.model_dump()
        return stated


class PreviewQuery(BaseModel):
    """Which lines are to be shown."""

    file: Annotated[int, Field(ge=0, description="Como em reading.tables"), QUERY_DIGITS] = 0
    sheet: str | None = Field(default=None, description="Sem ele, a primeira aba incluída")
    from_line: Annotated[int, Field(ge=1, description="A primeira linha"), QUERY_DIGITS] = 1
    lines: Annotated[int, Field(ge=1, le=200, description="Quantas linhas"), QUERY_DIGITS] = 50


class PreviewLine(LateModel):
    """A line of a file, or a row of a sheet; a record of several lines stands on its first."""

    line: int = Field(ge=1)
    kind: Literal["title", "header", "row", "skipped", "footer", "blank"]
    cells: list[str] = Field(max_length=200)


class PreviewAnswer(LateModel):
    """Lines of a file as it stands under the present reading."""

    lines: list[PreviewLine] = Field(max_length=200)
    last_line: int = Field(ge=0, description="Do arquivo ou da aba")
    columns: int = Field(ge=0)
    truncated: bool = Field(description="Se faltam colunas, células ou linhas que não couberam em 1 MB")


class ReanalysisAnswer(LateModel):
    """The files are being read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "analisando"}]})

    status: Literal["analisando"]
