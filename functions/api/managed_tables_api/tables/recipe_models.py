"""Model what the routes of a table's recipe take and answer, as OpenAPI shows it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from managed_tables.catalog.jobs import LoadMode
from managed_tables.catalog.table_records import TableRecord
from managed_tables.conversion.choices import ColumnChoice
from managed_tables.details import UNKNOWN_COLUMN, Detail, DetailCode, Fault, detail
from managed_tables.documents.analyses import TableKind
from managed_tables.documents.confirmations import OnMisfit
from managed_tables.documents.document import Count, LateModel, Moment, RecordId
from managed_tables.documents.recipes import AutoConfirm
from managed_tables.errors import INVALID_REQUEST, TABLE_WITHOUT_KEY, ApiError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.jobs.plausibility import KnownZone
from managed_tables.schema import MAX_LABEL_CHARACTERS, ColumnType
from managed_tables.tables.recipes import MAX_SKIP_TEXTS

_WITHOUT_KEY = Fault(DetailCode.NOT_ALLOWED, "a tabela não tem chave")
_REPEATED = Fault(DetailCode.REPEATED, "coluna repetida")


class RecipeColumn(ColumnChoice):
    """A column of the table, and how the file's column of that label fills it; null as it is found."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    source: Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARACTERS)] = Field(
        description="O rótulo da coluna no arquivo"
    )
    name: str = Field(description="A coluna da tabela que ela preenche")
    type: ColumnType | None = Field(default=None, strict=False, description="O da coluna da tabela, que vale")
    timezone: KnownZone | None = None


class RecipeTable(LateModel):
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


_EXAMPLE: dict[str, Any] = {
    "version": 3,
    "updated_at": "2026-01-15T10:30:00.000Z",
    "job_id": "507f1f77bcf86cd799439011",
    "auto_confirm": "never",
    "mode": "append",
    "on_misfit": "reject",
    "timezone": "America/Sao_Paulo",
    "tables": [],
    "columns": [{"source": "Vlr. Total", "name": "valor_total", "type": "decimal", "decimal_mark": ","}],
}


class RecipeAnswer(LateModel):
    """What a table remembers of the files that fill it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    version: Count = Field(description="Sobe a cada envio e a cada alteração")
    updated_at: Moment
    job_id: RecordId = Field(description="O último envio que a escreveu")
    auto_confirm: AutoConfirm = Field(
        description="`unchanged`: um envio como os anteriores se confirma sozinho"
    )
    mode: LoadMode
    on_misfit: OnMisfit
    timezone: str
    tables: list[RecipeTable] = Field(max_length=2_000)
    columns: list[RecipeColumn] = Field(max_length=MAX_COLUMNS)


class RecipeChange(LateModel):
    """What to change of a recipe; what is missing stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"on_misfit": "skip"}]})

    auto_confirm: AutoConfirm | None = None
    mode: LoadMode | None = None
    on_misfit: OnMisfit | None = None
    timezone: KnownZone | None = None
    columns: Annotated[list[RecipeColumn], Field(min_length=1, max_length=MAX_COLUMNS)] | None = None

    def parts_for(self, table: TableRecord) -> dict[str, Any]:
        """Return the parts to change; raises INVALID_REQUEST and TABLE_WITHOUT_KEY."""
        if self.mode == "upsert" and table.key is None:
            raise ApiError(TABLE_WITHOUT_KEY, [detail("body", _WITHOUT_KEY, path="mode")])
        parts = self.model_dump(mode="json", exclude_none=True, exclude={"columns"})
        if self.columns is None:
            return parts
        types = {column.name: column.type.value for column in table.columns}
        faults = list(_faults(self.columns, types.keys()))
        if faults:
            raise ApiError(INVALID_REQUEST, faults)
        columns = [{**one.model_dump(mode="json"), "type": types[one.name]} for one in self.columns]
        return {**parts, "columns": columns}


def _faults(columns: Sequence[RecipeColumn], known: Any) -> Iterator[Detail]:
    seen: set[str] = set()
    for place, one in enumerate(columns):
        if one.name not in known or one.name in seen:
            fault = _REPEATED if one.name in seen else UNKNOWN_COLUMN
            yield detail("body", fault, path=f"columns[{place}].name", column=one.name)
        seen.add(one.name)
