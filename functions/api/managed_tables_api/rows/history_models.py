"""Model what the routes of history, trash and origin take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from managed_tables.details import InvalidValue
from managed_tables.documents.document import Count, Document, LateModel, Moment, RecordId, Scalar
from managed_tables.history import Via
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables_api.http.requests import ListAnswer, NumbersQuery, PageQuery
from managed_tables_api.rows.bulk_changes import MAX_IDS
from managed_tables_api.rows.row_models import MAX_PER_PAGE, PerPage, Row, RowId

Action = Literal["insert", "update", "delete", "restore"]


def _moment(value: object) -> object:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidValue("NOT_A_DATETIME", "deve ser uma data ou data e hora em ISO 8601") from error


def in_zone(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Return the moment as PostgreSQL reads it; one without a zone is in the deployment's."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


When = Annotated[
    datetime,
    BeforeValidator(_moment),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]


class TrashQuery(PageQuery, NumbersQuery):
    """Which page of the deleted rows."""

    per_page: PerPage = 50


class HistoryQuery(TrashQuery):
    """Which changes of a table's rows."""

    action: Action | None = None
    user_id: Annotated[RecordId | None, Field(description="Quem alterou")] = None
    since: Annotated[When | None, Field(alias="from", description="Desde quando, inclusive")] = None
    until: Annotated[When | None, Field(alias="to", description="Até quando, exclusive")] = None
    cursor: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9]{1,18}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description="`next_cursor` da página anterior, no lugar de `page`: nada falta nem se repete"
            " enquanto outros alteram a tabela",
        ),
    ] = None


class CellChange(Document):
    """A cell before and after a change, as rows are answered."""

    column: str
    before: Scalar
    after: Scalar


class RowChange(Document):
    """A change of a row: who, when, by which door, and which cells."""

    at: Moment
    user_id: RecordId | None = Field(description="null: uma alteração feita fora da API")
    via: Via | Literal["sql"]
    job_id: RecordId | None
    action: Action
    changes: list[CellChange]


class RowHistoryAnswer(Document):
    """All changes of a row, the newest first."""

    total: Count
    records: list[RowChange]


class TableRowChange(RowChange):
    """A change of a row of the table."""

    row_id: RowId


class TableHistoryAnswer(ListAnswer):
    """A page of the changes of a table's rows, the newest first."""

    next_cursor: str | None = Field(description="Para `cursor`, onde houver mais")
    records: Annotated[list[TableRowChange], Field(max_length=MAX_PER_PAGE)]


class OriginCell(Document):
    """A column of the table, the label that fed it, and the text of the cell as it stands in the file."""

    column: str
    source: str
    text: str | None


class RowOriginAnswer(Document):
    """The load that last wrote a row, and where the row stands in its files."""

    kind: Literal["upload", "api"]
    job_id: RecordId | None
    file: str | None
    sheet: str | None
    line: Count | None
    at: Moment | None
    user_id: RecordId | None
    available: bool = Field(description="false: o arquivo já foi apagado, ou a linha não veio de um arquivo")
    cells: Annotated[list[OriginCell], Field(max_length=MAX_COLUMNS)]


class DeletedRow(Row):
    """A deleted row, with its columns."""

    deleted_at: Moment
    deleted_by: RecordId | None


class TrashAnswer(ListAnswer):
    """A page of deleted rows, the last deleted first."""

    records: Annotated[list[DeletedRow], Field(max_length=MAX_PER_PAGE)]


class RestoreBody(LateModel):
    """Which deleted rows to bring back: by ids, or all that were deleted since a moment."""

    ids: Annotated[list[str], Field(min_length=1, max_length=MAX_IDS)] | None = None
    deleted_after: When | None = None
    deleted_by: RecordId | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "RestoreBody":
        if (self.ids is None) == (self.deleted_after is None) or (self.ids is not None and self.deleted_by):
            raise InvalidValue("REQUIRED", "informe ids, ou deleted_after (e deleted_by, se quiser)")
        return self


class RestoredAnswer(Document):
    """How many rows came back."""

    restored: Count
