"""Define the terms of a load: how columns are filled, and what happens to misfits."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from managed_tables.conversion.choices import ColumnChoice

OnMisfit = Literal["reject", "skip"]


class LoadTerms(BaseModel):
    """`choices` by the column's name; `make_nullable` are columns of the table that are to let NULL in."""

    model_config = ConfigDict(frozen=True)

    choices: Mapping[str, ColumnChoice] = {}
    make_nullable: tuple[str, ...] = ()
    on_misfit: OnMisfit = "reject"

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
