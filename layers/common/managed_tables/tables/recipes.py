"""What a table remembers: how the files that fill it are read, mapped and converted.

A recipe is told by what a file says (labels, texts, its sheet), never by numbers of lines. It is kept in
`managed_tables.recipes` by the transaction that loads, so that recipe and rows never disagree.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from managed_tables.catalog.table_records import Applied
from managed_tables.clock import timestamp
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import PgConnection
from managed_tables.documents.analyses import AnalysisDocument, StagedColumn, TableReading
from managed_tables.documents.confirmations import LoadTerms
from managed_tables.documents.recipes import CHOSEN, Found, Recalled, Recipe
from managed_tables.documents.statements import OriginLabels
from managed_tables.errors import RECIPE_NOT_FOUND, ApiError
from managed_tables.identifiers import fold_label
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.columns.column_plan import ColumnPlan
from managed_tables.tables.physical import physical_name

MAX_SKIP_TEXTS = 20

ROWS_SEEN = 5_000  # of a table, the newest: some milliseconds
MAX_COLUMNS_SEEN = 200

_NOTHING_SEEN = "NULL::float8, NULL::float8, NULL::float8, NULL::text[]"
_NUMBERS_SEEN = (
    "min(abs({column}))::float8, max(abs({column}))::float8,"
    " percentile_disc(0.5) WITHIN GROUP (ORDER BY abs({column})) FILTER (WHERE {column} <> 0)::float8,"
    " NULL::text[]"
)
_DAYS_SEEN = (
    "extract(epoch FROM min({column}))::float8 / 86400, extract(epoch FROM max({column}))::float8 / 86400,"
    " NULL::float8, NULL::text[]"
)
_TEXTS_SEEN = (
    "NULL::float8, NULL::float8, NULL::float8,"
    " (SELECT array_agg(v) FROM (SELECT DISTINCT left({column}, 100) AS v FROM newest"
    " WHERE {column} IS NOT NULL LIMIT 21) AS texts)"
)
_SEEN = {
    ColumnType.INTEGER: _NUMBERS_SEEN,
    ColumnType.DECIMAL: _NUMBERS_SEEN,
    ColumnType.DATE: _DAYS_SEEN,
    ColumnType.DATETIME: _DAYS_SEEN,
    ColumnType.TEXT: _TEXTS_SEEN,
}

_STATED_AS = {"header_line": "header_lines", "skip_lines": "skip_texts"}  # what tells the same without a line
_READ = ("encoding", "delimiter", "quote", "header_lines")  # what a file may show otherwise than stated
_KEPT_STATEMENTS = frozenset({*_READ, "skip_texts", "fill_merged", "trim"})


def make_recipe(
    analysis: AnalysisDocument,
    columns: Sequence[Column],
    terms: LoadTerms,
    mode: str,
    timezone: str,
    before: Recalled | None = None,
) -> Recipe:
    """Return what is to be remembered of a load of these columns, with `found` beside what is answered.

    `timezone` is that of times without one; `before` is the recipe that the files were read under: what a
    person stated then holds on, and so do columns that this month's file has not.
    """
    labels = {column.name: column.source or column.name for column in analysis.inferred_schema.columns}
    staged = {column.name: column for column in analysis.columns}
    origins = analysis.wish.origin_columns or (before.found.origins if before else None)
    named = [origins.sheet, origins.file] if origins else []
    file_labels = list(labels.values())[sum(label is not None for label in named) :]
    tables = [table for table in (analysis.reading.tables if analysis.reading else ()) if table.include]
    made = [
        _column_recipe(column, terms, labels[terms.source(column.name)], staged[terms.source(column.name)])
        for column in columns
    ]
    return {
        "auto_confirm": "never",
        "mode": "append" if mode == "create" else mode,
        "on_misfit": terms.on_misfit,
        "timezone": timezone,
        "tables": [_table_recipe(analysis, table, file_labels, before) for table in tables],
        "columns": [*made, *_absent(made, labels.values(), before)],
        "found": _found(analysis, tables, before, origins).as_json(),
    }


def _found(
    analysis: AnalysisDocument,
    tables: Sequence[TableReading],
    before: Recalled | None,
    origins: OriginLabels | None,
) -> Found:
    columns = analysis.inferred_schema.columns
    pairs = zip(columns, analysis.columns, strict=True)
    return Found(
        types={one.source or one.name: one.type.value for one in columns},
        units={one.source or one.name: staged.formats.unit for one, staged in pairs if staged.formats.unit},
        header_at=[table.header_line for table in tables],
        left_out=_left_out(analysis, before),
        origins=origins,
    )


def _absent(
    made: Sequence[dict[str, Any]], labels: Collection[str], before: Recalled | None
) -> Iterator[dict[str, Any]]:
    """Yield the recipe's columns that this file has not, and whose places no other took."""
    names = {one["name"] for one in made}
    present = set(map(fold_label, labels))
    for one in before.recipe["columns"] if before else ():
        if one["name"] not in names and fold_label(one["source"]) not in present:
            yield one


def _left_out(analysis: AnalysisDocument, before: Recalled | None) -> list[str]:
    """Return the sheets that a person left out, now or before."""
    stated = {table.sheet: table.include for table in analysis.wish.tables if table.sheet is not None}
    known = before.found.left_out if before else []
    return [
        *(sheet for sheet in known if sheet not in stated),
        *(sheet for sheet, include in stated.items() if include is False),
    ]


def _table_recipe(
    analysis: AnalysisDocument, table: TableReading, labels: Sequence[str], before: Recalled | None
) -> dict[str, Any]:
    wish = analysis.wish.of((table.file, table.sheet))
    known = before.table(table.sheet) if before else {}
    stated = {_STATED_AS.get(name, name) for name in wish.model_fields_set} & _KEPT_STATEMENTS
    held = {
        name for name in known.get("stated", ()) if name not in _READ or known[name] == getattr(table, name)
    }
    skipped = [
        *table.skip_texts,
        *_skipped_texts(analysis, table),
        *(known.get("skip_texts", ()) if "skip_texts" in held else ()),
    ]
    return {
        "kind": table.kind,
        "sheet": table.sheet,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "quote": table.quote,
        "header_lines": table.header_lines,
        "labels": list(labels) if table.header_line is not None else [],
        "skip_texts": list(dict.fromkeys(skipped))[:MAX_SKIP_TEXTS],
        "fill_merged": known.get("fill_merged") if wish.fill_merged is None else wish.fill_merged,
        "trim": known.get("trim") if wish.trim is None else wish.trim,
        "stated": sorted(stated | held),
    }


def _skipped_texts(analysis: AnalysisDocument, table: TableReading) -> Iterator[str]:
    """Yield how the lines begin that were left out, as the warnings tell them."""
    skipped = set(table.skipped_lines)
    for warning in analysis.warnings:
        is_here = (warning.file, warning.sheet) == (table.name, table.sheet)
        if is_here and warning.lines and skipped.issuperset(warning.lines):
            yield from filter(None, map(_beginning, warning.preview))


def _beginning(text: str) -> str:
    """Return how a line begins, down to its first number or date: what it says in every month."""
    return " ".join(takewhile(lambda word: not any(map(str.isdigit, word)), text.split()))


def _column_recipe(column: Column, terms: LoadTerms, label: str, staged: StagedColumn) -> dict[str, Any]:
    choice = terms.choice(column.name).over(staged.choice)
    found = choice.formats(staged.formats)
    is_number = column.type in (ColumnType.INTEGER, ColumnType.DECIMAL)
    is_time = column.type in (ColumnType.DATE, ColumnType.DATETIME)
    return {
        "source": label,
        "name": column.name,
        "type": column.type.value,
        "decimal_mark": found.decimal_mark if is_number else None,
        "date_order": found.date_order if is_time else None,
        **choice.model_dump(mode="json", include=set(CHOSEN)),
    }


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


def find_recipe(
    connection: PgConnection, table_id: str, *, with_found: bool = False
) -> dict[str, Any] | None:
    """Return the table's recipe as the API answers it, perhaps `with_found`; None where there is none."""
    row = connection.execute(
        "SELECT version, updated_at, job_id, recipe FROM managed_tables.recipes WHERE table_id = %s",
        [table_id],
    ).fetchone()
    return None if row is None else _answer(*row, with_found=with_found)


def recall(connection: PgConnection, table_id: str) -> Recalled | None:
    """Return what a job of the table is handed of its memory; None where there is no recipe, or no table."""
    recipe = find_recipe(connection, table_id, with_found=True)
    applied = find_applied(connection, table_id)
    if recipe is None or applied is None or applied.deleted:
        return None
    loads = connection.execute(
        "SELECT row_count FROM managed_tables.applied_jobs WHERE table_id = %s AND row_count > 0"
        " ORDER BY applied_at DESC LIMIT 24",
        [table_id],
    ).fetchall()
    found = recipe.pop("found", {})
    seen = {"loads": [count for (count,) in loads], "columns": _look_at(connection, applied)}
    return Recalled.read({"recipe": recipe, "found": found, "seen": seen})


def _look_at(connection: PgConnection, applied: Applied) -> dict[str, dict[str, Any]]:
    """Return what the columns hold, by the newest rows, which cost the same whatever the table's size."""
    columns = applied.columns[:MAX_COLUMNS_SEEN]
    query = sql.SQL(
        "WITH newest AS MATERIALIZED (SELECT {names} FROM {table} ORDER BY id DESC LIMIT {rows}) {columns}"
    ).format(
        names=sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        table=physical_name(applied.display_name),
        rows=sql.Literal(ROWS_SEEN),
        columns=sql.SQL(" UNION ALL ").join(map(_look_at_column, columns)),
    )
    names = ("rows", "empty", "least", "greatest", "median", "values")
    return {name: dict(zip(names, seen, strict=True)) for name, *seen in connection.execute(query)}


def _look_at_column(column: Column) -> sql.Composed:
    return sql.SQL("SELECT {name}, count(*), count(*) - count({column}), {seen} FROM newest").format(
        name=sql.Literal(column.name),
        column=sql.Identifier(column.name),
        seen=sql.SQL(_SEEN.get(column.type, _NOTHING_SEEN)).format(column=sql.Identifier(column.name)),
    )


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


def _answer(
    version: int, updated_at: datetime, job_id: str, recipe: Recipe, *, with_found: bool = False
) -> dict[str, Any]:
    shown = {name: part for name, part in recipe.items() if with_found or name != "found"}
    return {"version": version, "updated_at": timestamp(updated_at), "job_id": job_id, **shown}
