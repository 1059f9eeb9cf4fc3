"""What a person states of how files are read, and lines of them, as OpenAPI shows it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from managed_tables.documents.document import Document, LateModel
from managed_tables.documents.statements import MAX_TABLES, OriginLabels, ReadingStatement, TableStatement
from managed_tables_api.http.validation import QUERY_DIGITS

LineKind = Literal["title", "header", "row", "skipped", "footer", "blank"]

_SHOWN_ALONE = frozenset({"kind", "name", "escape", "skipped_lines", "rows", "reasons", "skip_texts"})


class StatedTable(TableStatement):
    """How one file or sheet is to be read; what is left out stays as it was stated, null is found anew.

    With no field at all nothing is stated any more. An item of `reading.tables` may be sent back: what is
    only shown there is ignored.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_what_is_shown(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: one for name, one in value.items() if name not in _SHOWN_ALONE}


class OriginColumns(OriginLabels):
    """Columns in front of the others that name the sheet and the file of each row; null: no such column."""

    model_config = ConfigDict(extra="forbid")


_EXAMPLE: JsonDict = {"tables": [{"file": 0, "sheet": None, "header_line": 3, "skip_lines": [9]}]}


class Reanalysis(LateModel):
    """How files are to be read: what is not named stays as it was stated."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    tables: list[StatedTable] = Field(default=[], max_length=MAX_TABLES)
    timezone: str | None = Field(default=None, description="De horários sem fuso, como America/Sao_Paulo")
    origin_columns: OriginColumns | None = Field(
        default=None, description="Colunas com o nome da aba e do arquivo; sem o campo, ficam como estavam"
    )

    recipe: bool | None = Field(
        default=None, description="`false`: os arquivos são lidos como se a tabela não lembrasse nada"
    )

    def as_statement(self) -> ReadingStatement:
        """Return what is stated alone."""
        statement = ReadingStatement(tables=[table.stated() for table in self.tables])
        for name in self.model_fields_set - {"tables"}:
            setattr(statement, name, getattr(self, name))
        return statement


class PreviewQuery(BaseModel):
    """Which lines are to be shown."""

    file: Annotated[int, Field(ge=0, description="Como em reading.tables"), QUERY_DIGITS] = 0
    sheet: str | None = Field(default=None, description="Sem ele, a primeira aba incluída")
    from_line: Annotated[int, Field(ge=1, description="A primeira linha"), QUERY_DIGITS] = 1
    lines: Annotated[int, Field(ge=1, le=200, description="Quantas linhas"), QUERY_DIGITS] = 50


class PreviewLine(Document):
    """A line of a file, or a row of a sheet; a record of several lines stands on its first."""

    line: int = Field(ge=1)
    kind: LineKind
    cells: list[str] = Field(max_length=200)


class PreviewAnswer(Document):
    """Lines of a file as it stands under the present reading."""

    lines: list[PreviewLine] = Field(max_length=200)
    last_line: int = Field(ge=0, description="Do arquivo ou da aba")
    columns: int = Field(ge=0)
    truncated: bool = Field(description="Se faltam colunas, células ou linhas que não couberam em 1 MB")


class ReanalysisAnswer(Document):
    """The files are being read."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "analisando"}]})

    status: Literal["analisando"]
