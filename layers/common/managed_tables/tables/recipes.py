"""What a table remembers: how the files that fill it are read, mapped and converted.

A recipe is told by what a file says (labels, texts, its sheet), never by numbers of lines. It is kept in
`managed_tables.recipes` by the transaction that loads, so that recipe and rows never disagree.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from managed_tables.clock import timestamp
from managed_tables.conversion import Formats
from managed_tables.conversion.choices import ColumnChoice
from managed_tables.databases.connecting import PgConnection
from managed_tables.documents.analyses import AnalysisDocument, TableReading
from managed_tables.documents.confirmations import LoadTerms
from managed_tables.errors import RECIPE_NOT_FOUND, ApiError
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.columns.column_plan import ColumnPlan

MAX_SKIP_TEXTS = 20
_CHOSEN = ("null_tokens", "true_tokens", "false_tokens", "trim", "timezone")  # of a column, by a person

Recipe = dict[str, Any]
"""As `GET /:id/recipe` answers it, without `version`, `updated_at` and `job_id`."""

_STATED_AS = {"header_line": "header_lines", "skip_lines": "skip_texts"}  # what tells the same without a line
_KEPT_STATEMENTS = frozenset(
    {"encoding", "delimiter", "quote", "header_lines", "skip_texts", "fill_merged", "trim"}
)


def make_recipe(
    analysis: AnalysisDocument, columns: Sequence[Column], terms: LoadTerms, mode: str, timezone: str
) -> Recipe:
    """Return what is to be remembered of a load of these columns; `timezone` is that of times without one."""
    labels = {column.name: column.source or column.name for column in analysis.inferred_schema.columns}
    formats = {column.name: column.formats for column in analysis.columns}
    origins = analysis.wish.origin_columns
    named = [origins.sheet, origins.file] if origins else []
    file_labels = list(labels.values())[sum(label is not None for label in named) :]
    tables = analysis.reading.tables if analysis.reading else ()
    return {
        "auto_confirm": "never",
        "mode": "append" if mode == "create" else mode,
        "on_misfit": terms.on_misfit,
        "timezone": timezone,
        "tables": [_table_recipe(analysis, table, file_labels) for table in tables if table.include],
        "columns": [
            _column_recipe(column, terms, labels[terms.source(column.name)], formats) for column in columns
        ],
    }


def _table_recipe(analysis: AnalysisDocument, table: TableReading, labels: Sequence[str]) -> dict[str, Any]:
    wish = analysis.wish.of((table.file, table.sheet))
    stated = {_STATED_AS.get(name, name) for name in wish.model_fields_set} & _KEPT_STATEMENTS
    return {
        "kind": table.kind,
        "sheet": table.sheet,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "quote": table.quote,
        "header_lines": table.header_lines,
        "labels": list(labels) if table.header_line is not None else [],
        "skip_texts": list(dict.fromkeys(_skipped_texts(analysis, table)))[:MAX_SKIP_TEXTS],
        "fill_merged": wish.fill_merged,
        "trim": wish.trim,
        "stated": sorted(stated),
    }


def _skipped_texts(analysis: AnalysisDocument, table: TableReading) -> Iterator[str]:
    """Yield how the lines begin that were left out, as the warnings tell them."""
    skipped = set(table.skipped_lines)
    for warning in analysis.warnings:
        is_here = (warning.file, warning.sheet) == (table.name, table.sheet)
        if is_here and warning.lines and skipped.issuperset(warning.lines):
            yield from filter(None, warning.preview)


def _column_recipe(
    column: Column, terms: LoadTerms, label: str, formats: Mapping[str, Formats]
) -> dict[str, Any]:
    choice = terms.choice(column.name)
    found = choice.formats(formats[terms.source(column.name)])
    is_number = column.type in (ColumnType.INTEGER, ColumnType.DECIMAL)
    is_time = column.type in (ColumnType.DATE, ColumnType.DATETIME)
    return {
        "source": label,
        "name": column.name,
        "type": column.type.value,
        "decimal_mark": found.decimal_mark if is_number else None,
        "date_order": found.date_order if is_time else None,
        **choice.model_dump(mode="json", include=set(_CHOSEN)),
    }


@dataclass(frozen=True)
class Place:
    """Where a file's column went before: into a column of the table, as chosen; nowhere if it has no name."""

    name: str | None
    choice: ColumnChoice = field(default_factory=ColumnChoice)


def find_places(recipe: Mapping[str, Any] | None, labels: Sequence[str]) -> list[Place | None]:
    """Return where the columns of these labels went before, None for those that are new.

    Case and accents do not matter. A label that is there twice, in the file or in the recipe, tells nothing.
    What a person chose holds again; marks and orders do not: each file shows its own.
    """
    if recipe is None:
        return [None] * len(labels)
    sources = Counter(_folded(one["source"]) for one in recipe["columns"])
    read = {_folded(label) for table in recipe["tables"] for label in table["labels"]}
    places = {label: Place(None) for label in read if label not in sources}
    for one in recipe["columns"]:
        if sources[_folded(one["source"])] == 1:
            chosen = ColumnChoice.model_validate({name: one.get(name) for name in _CHOSEN})
            places[_folded(one["source"])] = Place(one["name"], chosen)
    keys = [_folded(label) for label in labels]
    counts = Counter(keys)
    return [places.get(key) if counts[key] == 1 else None for key in keys]


def _folded(label: str) -> str:
    """Return the label whatever its case, accents and blanks; whole, since names are cut and drop signs."""
    bare = (one for one in unicodedata.normalize("NFKD", label) if not unicodedata.combining(one))
    return " ".join("".join(bare).casefold().split())


def keep_recipe(connection: PgConnection, table_id: str, job_id: str, recipe: Recipe) -> None:
    """Keep the recipe of a load in its transaction; whether jobs confirm themselves stays as it was."""
    connection.execute(
        "INSERT INTO managed_tables.recipes AS kept (table_id, version, job_id, recipe)"
        " VALUES (%s, 1, %s, %s)"
        " ON CONFLICT (table_id) DO UPDATE SET version = kept.version + 1, updated_at = now(),"
        " job_id = excluded.job_id,"
        " recipe = excluded.recipe || jsonb_build_object('auto_confirm', kept.recipe -> 'auto_confirm')",
        [table_id, job_id, Jsonb(recipe)],
    )


def find_recipe(connection: PgConnection, table_id: str) -> dict[str, Any] | None:
    """Return the table's recipe as the API answers it; None where there is none."""
    row = connection.execute(
        "SELECT version, updated_at, job_id, recipe FROM managed_tables.recipes WHERE table_id = %s",
        [table_id],
    ).fetchone()
    return None if row is None else _answer(*row)


def change_recipe(connection: PgConnection, table_id: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Put these parts in place of the recipe's, and return it; raises RECIPE_NOT_FOUND."""
    row = connection.execute(
        "UPDATE managed_tables.recipes SET version = version + 1, updated_at = now(), recipe = recipe || %s"
        " WHERE table_id = %s RETURNING version, updated_at, job_id, recipe",
        [Jsonb(changed), table_id],
    ).fetchone()
    if row is None:
        raise ApiError(RECIPE_NOT_FOUND)
    return _answer(*row)


def forget_recipe(connection: PgConnection, table_id: str) -> None:
    """Forget the recipe; repeatable."""
    connection.execute("DELETE FROM managed_tables.recipes WHERE table_id = %s", [table_id])


def follow_columns_in_recipe(connection: PgConnection, table_id: str, plan: ColumnPlan) -> None:
    """Let the recipe's columns be those of the table, in the transaction that changes them."""
    row = connection.execute(
        "SELECT recipe -> 'columns' FROM managed_tables.recipes WHERE table_id = %s FOR UPDATE", [table_id]
    ).fetchone()
    if row is None:
        return
    renamed, present = dict(plan.renamed), {column.name: column for column in plan.columns}
    gone = {name for name, _ in plan.hidden}
    named = [
        {**one, "name": renamed.get(one["name"], one["name"])} for one in row[0] if one["name"] not in gone
    ]
    columns = [{**one, "type": present[one["name"]].type.value} for one in named if one["name"] in present]
    if columns != row[0]:
        change_recipe(connection, table_id, {"columns": columns})


def _answer(version: int, updated_at: datetime, job_id: str, recipe: Recipe) -> dict[str, Any]:
    return {"version": version, "updated_at": timestamp(updated_at), "job_id": job_id, **recipe}
