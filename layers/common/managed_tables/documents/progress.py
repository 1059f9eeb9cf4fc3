"""How far a job or an export is: as its record keeps it, and the API answers it."""

from typing import Annotated, Literal

from pydantic import Field

from managed_tables.documents.document import Count, Document


class JobProgress(Document):
    """How far the job is; only the keys that apply are there."""

    phase: Literal["receiving", "reading", "inferring", "waiting", "inserting", "done"]
    percent: int = Field(ge=0, le=100, description="Da fase")
    processed_rows: Count = Field(default=0, description="Ao inserir, e depois")
    total_rows: Count = Field(default=0, description="Ao inserir, e depois")
    received_files: Count = Field(default=0, description="Ao receber")
    total_files: Count = Field(default=0, description="Ao receber")


class ExportProgress(Document):
    """How far the writing is; `total_rows` is not known of a filter."""

    phase: Literal["writing"]
    processed_rows: Count
    total_rows: Count | None
    percent: Annotated[int, Field(ge=0, le=100)]
