"""What a table remembers of the files that fill it, as its jobs are handed it, and how a file differs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import Field

from managed_tables.conversion.choices import ColumnChoice
from managed_tables.documents.document import Count, Document, Scalar
from managed_tables.documents.statements import OriginLabels
from managed_tables.identifiers import fold_label, make_identifier

Recipe = dict[str, Any]
"""As `GET /:id/recipe` answers it; what only the next reading needs is beside it (`Found`)."""

CHOSEN = ("null_tokens", "true_tokens", "false_tokens", "trim", "timezone")  # of a column, by a person

AutoConfirm = Literal["never", "unchanged"]
Severity = Literal["told", "check", "stop"]
Verdict = Literal["unchanged", "changed", "stopped"]
DifferenceCode = Literal[
    "HEADER_MOVED",
    "COLUMNS_REORDERED",
    "ENCODING_CHANGED",
    "DELIMITER_CHANGED",
    "SHEET_RENAMED",
    "COLUMN_NEW",
    "COLUMN_MISSING",
    "COLUMN_RENAMED",
    "VALUES_CHANGED",
    "ROWS_CHANGED",
    "MARK_CHANGED",
    "DATE_ORDER_CHANGED",
    "TYPE_CHANGED",
    "REQUIRED_MISSING",
]


class Difference(Document):
    """What a file shows otherwise than the table's recipe says."""

    code: DifferenceCode
    severity: Severity = Field(description="`told`: é só um aviso; `check`: confira; `stop`: algo contradiz")
    text: str = Field(description="O que mudou, com um exemplo")
    column: str | None = Field(default=None, description="`name` da coluna da tabela, ou da coluna nova")
    before: Scalar = Field(default=None, description="O que o modelo de importação diz")
    after: Scalar = Field(default=None, description="O que o arquivo mostra")
    lines: list[int] = Field(default=[], max_length=20, description="As primeiras linhas que mostram isso")


class JobRecipe(Document):
    """The recipe that a job's files were read under, and how they differ from it."""

    version: Count
    verdict: Verdict = Field(description="`unchanged`: nada a conferir; `stopped`: algo contradiz o modelo")
    differences: list[Difference]


class Found(Document):
    """What the last load saw that the next reading is compared with, and no answer shows.

    `types` and `units` are those inferred for each label; `header_at` the header's line in each table of the
    recipe; `left_out` the sheets that a person left out.
    """

    types: dict[str, str] = Field(default={})
    units: dict[str, str] = Field(default={})
    header_at: list[int | None] = Field(default=[])
    left_out: list[str] = Field(default=[])
    origins: OriginLabels | None = None


class SeenColumn(Document):
    """What a column of the table holds, by its newest rows.

    Of numbers the least, the greatest and the median without their signs; of dates the first and the last in
    days since 1970; of texts their `values`, no more than tell that they are few.
    """

    rows: int
    empty: int
    least: float | None = None
    greatest: float | None = None
    median: float | None = None
    values: list[str] | None = None


class Seen(Document):
    """What the table holds: its columns by name, and the number of rows of its last loads."""

    loads: list[int] = Field(default=[])
    columns: dict[str, SeenColumn] = Field(default={})


class Recalled(Document):
    """All that a job is handed of its table's memory."""

    recipe: Recipe
    found: Found = Found()
    seen: Seen = Seen()

    @property
    def labels(self) -> frozenset[str]:
        """All labels that were read, those that were left out as well, folded."""
        read = (label for table in self.recipe["tables"] for label in table["labels"])
        return frozenset(map(fold_label, (*read, *(one["source"] for one in self.recipe["columns"]))))

    def table(self, sheet: str | None) -> Recipe:
        """Return how the sheet of this name was read, else the first table; empty where there was none."""
        tables = self.recipe["tables"]
        named = (one for one in tables if fold_label(one["sheet"] or "") == fold_label(sheet or ""))
        return next(named, None) or next(iter(tables), None) or {}


@dataclass(frozen=True)
class Place:
    """Where a file's column went before: into a column of the table, as chosen; nowhere if it has no name."""

    name: str | None
    choice: ColumnChoice = field(default_factory=ColumnChoice)
    kept: Mapping[str, Any] = field(default_factory=dict)  # the recipe's column
    is_renamed: bool = False  # known by the name that its label makes, not by its label


def find_places(recipe: Mapping[str, Any] | None, labels: Sequence[str]) -> list[Place | None]:
    """Return where the columns of these labels went before, None for those that are new.

    Case and accents do not matter. A label that is there twice, in the file or in the recipe, tells nothing;
    one that is new may make the name of a column whose own label is missing.
    """
    keys = [fold_label(label) for label in labels]
    counts = Counter(keys)
    places = _places(recipe) if recipe else {}
    missing = {
        place.name: replace(place, is_renamed=True)
        for key, place in places.items()
        if place.name and key not in counts
    }
    return [
        (places.get(key) or missing.pop(make_identifier(label), None)) if counts[key] == 1 else None
        for key, label in zip(keys, labels, strict=True)
    ]


def _places(recipe: Mapping[str, Any]) -> dict[str, Place]:
    """Return where each folded label went; what a person chose holds again, each file shows its own marks."""
    sources = Counter(fold_label(one["source"]) for one in recipe["columns"])
    read = {fold_label(label) for table in recipe["tables"] for label in table["labels"]}
    places = {label: Place(None) for label in read if label not in sources}
    for one in recipe["columns"]:
        if sources[fold_label(one["source"])] == 1:
            chosen = ColumnChoice.model_validate({name: one.get(name) for name in CHOSEN})
            places[fold_label(one["source"])] = Place(one["name"], chosen, one)
    return places


def verdict_of(differences: Iterable[Difference]) -> Verdict:
    """Return what the differences amount to."""
    severities = {one.severity for one in differences}
    if "stop" in severities:
        return "stopped"
    return "changed" if "check" in severities else "unchanged"
