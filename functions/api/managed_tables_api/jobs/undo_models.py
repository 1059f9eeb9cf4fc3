"""Model what the undo of a job takes and answers, as OpenAPI shows it."""

from pydantic import ConfigDict, Field

from managed_tables.documents.document import Count, Document, LateModel


class UndoBody(LateModel):
    """How a job is to be taken back; may be left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"force": True}]})

    force: bool = Field(
        default=False,
        description="Desfaz mesmo que haja linhas alteradas desde a carga: estas ficam como estão",
    )


class UndoAnswer(Document):
    """What was taken back."""

    removed: Count = Field(description="Linhas da carga que foram removidas")
    restored: Count = Field(description="Linhas que voltaram, ou que voltaram aos valores de antes")
    kept: Count = Field(description="Linhas alteradas desde a carga, que ficaram como estavam")
