"""What a person has confirmed: the schema, and the terms of the load."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from managed_tables import exact_json
from managed_tables.conversion.choices import ColumnChoice
from managed_tables.documents.document import Document
from managed_tables.schema import Column

LoadMode = Literal["append", "replace", "upsert"]  # of a table that exists
LOAD_MODES: dict[str, LoadMode] = {"append": "append", "replace": "replace", "upsert": "upsert"}  # by name
OnMisfit = Literal["reject", "skip"]


class LoadTerms(BaseModel):
    """How columns are filled, and what happens to misfits.

    `choices` by the column's name; `make_nullable` are columns of the table that are to let NULL in.
    """

    model_config = ConfigDict(frozen=True)

    choices: Mapping[str, ColumnChoice] = {}
    make_nullable: tuple[str, ...] = ()
    on_misfit: OnMisfit = "reject"
    remember: bool = True  # how the files were read, mapped and converted, as the table's recipe

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

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object: only what there is."""
        return {name: part for name, part in super().as_json().items() if part not in (None, "")}


NO_ADDITIONS = Additions()


class WantedSchema(Document):
    """What is to be confirmed: the table's name, its columns, the terms, and a new table's additions.

    Name and additions are ignored for a table that exists.
    """

    display_name: str | None
    columns: list[Column]
    terms: LoadTerms = USUAL_TERMS
    additions: Additions = NO_ADDITIONS

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
    """The schema that is loaded into the table, and on which terms.

    `own_columns` are columns that the table has now: one that is gone when rows are loaded is not made again.
    `key` is that of an upsert, by which the person expects rows to be found.
    """

    display_name: str
    table_id: str
    own_columns: list[str] = Field(default=[])
    key: list[str] | None = None
