"""Model what the route that changes a table's recipe takes, as OpenAPI shows it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from managed_tables.catalog.table_records import TableRecord
from managed_tables.details import DetailCode, Fault, detail, name_faults
from managed_tables.documents.recipes import RecipeColumn, RecipeParts
from managed_tables.errors import INVALID_REQUEST, TABLE_WITHOUT_KEY, ApiError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.jobs.plausibility import KnownZone

_WITHOUT_KEY = Fault(DetailCode.NOT_ALLOWED, "a tabela não tem chave")
_REPEATED = Fault(DetailCode.REPEATED, "coluna repetida")


class RecipeColumnChange(RecipeColumn):
    """A column of the table, and how the file's column of that label fills it; null as it is found."""

    model_config = ConfigDict(extra="forbid")

    timezone: KnownZone | None = None


class RecipeChange(RecipeParts):
    """What to change of a recipe; what is missing stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"on_misfit": "skip"}]})

    timezone: KnownZone | None = None
    columns: Annotated[list[RecipeColumnChange], Field(min_length=1, max_length=MAX_COLUMNS)] | None = None  # type: ignore[assignment]

    def parts_for(self, table: TableRecord) -> RecipeParts:
        """Return the parts to change; raises INVALID_REQUEST and TABLE_WITHOUT_KEY."""
        if self.mode == "upsert" and table.key is None:
            raise ApiError(TABLE_WITHOUT_KEY, [detail("body", _WITHOUT_KEY, path="mode")])
        types = {column.name: column.type for column in table.columns}
        names = [one.name for one in self.columns or ()]
        faults = list(name_faults(names, types, "columns[{}].name", _REPEATED))
        if faults:
            raise ApiError(INVALID_REQUEST, faults)
        parts = RecipeParts(**{name: part for name, part in self if part is not None})
        if self.columns:
            parts.columns = [RecipeColumn(**{**dict(one), "type": types[one.name]}) for one in self.columns]
        return parts
