"""What the API answers, as far as its clients here read it; docs/openapi.json has the whole of each."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from managed_tables.details import Detail

Scalar = str | int | float | bool | None


class ColumnJson(TypedDict):
    """A column."""

    name: str
    display_name: str
    type: str
    nullable: bool


class TableJson(TypedDict):
    """A table."""

    _id: str
    display_name: str
    columns: list[ColumnJson]
    status: Literal["active", "inactive"]
    row_count: int
    updated_at: str


class InferredColumnJson(ColumnJson):
    """A column as inferred; of an upload into a table with the table's own."""

    table_column: NotRequired[ColumnJson | None]


class SchemaJson(TypedDict):
    """What the files of a job hold."""

    suggested_table_name: str
    columns: list[InferredColumnJson]
    sample_rows: list[dict[str, Scalar]]
    total_row_count_estimate: int


class ConflictJson(TypedDict):
    """Values that do not fit a column of the table."""

    column: str
    count: int


class PlanJson(TypedDict):
    """What becomes of the files' columns in the table."""

    new: list[str]
    conflicts: list[ConflictJson]


class NoteJson(TypedDict):
    """A warning, or a difference from what the table remembers."""

    text: str


class RecipeJson(TypedDict):
    """How the files differ from what the table remembers."""

    differences: list[NoteJson]


class FailureJson(TypedDict):
    """Why a job or an export failed."""

    message: str
    details: Sequence[Detail]


class ProgressJson(TypedDict):
    """How far a job or an export is."""

    percent: int


class StateJson(TypedDict):
    """How far a job or an export is."""

    status: str
    progress: ProgressJson | None


class JobJson(StateJson):
    """An upload's job."""

    _id: str
    user_table_id: str
    append_plan: PlanJson | None
    recipe: RecipeJson | None
    inferred_schema: SchemaJson
    warnings: list[NoteJson]
    result: dict[str, int] | None
    error: FailureJson | None
    updated_at: str


class ExportJson(StateJson):
    """An export; what is None until it is done is not read before."""

    file_name: str
    url: str
    rows: int
    size_bytes: int
    error: FailureJson | None


class FormJson(TypedDict):
    """A form that posts one file."""

    name: str
    url: str
    fields: dict[str, str]
