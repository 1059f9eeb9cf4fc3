"""What is kept of a workbook that goes out to be changed, and what is found when it comes back.

The base is an export's ids and cells as they went out: `base.parquet`, and what says of which table and
columns they are, `base.json`. A workbook names its base by a token, in three places.
"""

import re
from typing import Annotated

from pydantic import Field

from managed_tables.documents.document import Count, Document, Moment, Scalar, Sentence
from managed_tables.schema import ColumnType

BASE_DAYS = 90
MAX_CONFLICTS_SHOWN = 200
MAX_REFUSED_SHOWN = 200
MAX_CHANGES_SHOWN = 200

SIGNATURE = "managed-tables-export"  # of a property, and before the base's id wherever that stands
_TOKEN = re.compile(rf"{SIGNATURE}:([0-9a-f]{{40}})")
# The header's cells carry the names of their columns in a number format that shows a text as it is.
_COLUMN_FORMAT = re.compile(r'"mt:([a-z_][a-z0-9_]{0,62})";;;@')


def token_of(base_id: str) -> str:
    """Return the token that names a base."""
    return f"{SIGNATURE}:{base_id}"


def find_base_id(text: str) -> str | None:
    """Return the id of the base whose token is in the text."""
    found = _TOKEN.search(text)
    return found[1] if found else None


def format_of_column(name: str) -> str:
    """Return the number format of a header's cell that carries the column's name."""
    return f'"mt:{name}";;;@'


def find_column(number_format: str) -> str | None:
    """Return the name that a header's number format carries; programs write it with other escapes."""
    found = _COLUMN_FORMAT.fullmatch(number_format.replace("\\", ""))
    return found[1] if found else None


class BaseColumn(Document):
    """A column as it went out."""

    name: str
    label: str  # of the header
    type: ColumnType


class Base(Document):
    """Of which table, and which of its columns, a base keeps the cells, in the order of `base.parquet`."""

    table_id: str
    columns: list[BaseColumn]
    expires_at: str


class WorkbookColumn(Document):
    """An inferred column of the file, and the table's column of which it holds the cells."""

    name: str
    source: str
    type: ColumnType  # as it went out


class ReturnedWorkbook(Document):
    """A workbook that went out and has come back: its base, and where in the file what stands."""

    base_id: str
    ids: str  # the inferred column of the rows' ids
    columns: list[WorkbookColumn]
    valueless: list[tuple[int, str]] = Field(default=[])  # formulas: line and inferred column


class MergeConflict(Document):
    """A cell that was changed in the workbook and by others, each otherwise; null: an empty cell.

    Of a row that others have deleted, `theirs` is null.
    """

    row_id: str
    line: Annotated[int, Field(ge=1)]  # of the workbook
    column: str
    base: Scalar
    theirs: Scalar
    mine: Scalar
    is_deleted: bool = Field(description="Outros excluíram a linha")
    by: str | None = Field(description="Quem mudou a célula, ou excluiu a linha, por último")
    at: Moment | None


class MergeChange(Document):
    """A cell that the workbook changes and nobody else did."""

    row_id: str
    line: Annotated[int, Field(ge=1)]
    column: str
    before: Scalar
    after: Scalar


class RefusedRow(Document):
    """A row that is not loaded as it is."""

    line: Annotated[int, Field(ge=1)]
    column: str | None = None
    code: str
    reason: Sentence


class MergePlan(Document):
    """What becomes of a workbook's rows and cells in the table as it is now."""

    inserted: Count = Field(description="Linhas novas")
    updated: Count = Field(description="Linhas em que alguma célula muda sem conflito")
    cells: Count = Field(description="Células que mudam sem conflito")
    unchanged: Count = Field(description="Linhas em que nada muda")
    absent: Count = Field(description="Linhas que saíram na exportação, estão na tabela e não na planilha")
    copied: Count = Field(description="Das novas, as que repetem o id de outra linha")
    conflicts_total: Count
    conflicts: list[MergeConflict] = Field(max_length=MAX_CONFLICTS_SHOWN)
    refused: list[RefusedRow] = Field(max_length=MAX_REFUSED_SHOWN)
    refused_total: Count
    changes: list[MergeChange] = Field(
        max_length=MAX_CHANGES_SHOWN, description="As primeiras células que mudam sem conflito"
    )
