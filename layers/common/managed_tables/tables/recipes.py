"""What a table remembers: how the files that fill it are read, mapped and converted.

A recipe is told by what a file says (labels, texts, its sheet), never by numbers of lines. It is kept in
`managed_tables.recipes` by the transaction that loads, so that recipe and rows never disagree.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from managed_tables.catalog.job_records import JobMode
from managed_tables.catalog.tables import Applied
from managed_tables.clock import timestamp
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import compose, execute
from managed_tables.documents.analyses import AnalysisDocument, StagedColumn, TableReading
from managed_tables.documents.document import built
from managed_tables.documents.recipes import (
    CHOSEN,
    MAX_SKIP_TEXTS,
    Recalled,
    Recipe,
    RecipeColumn,
    RecipeTable,
    Seen,
    SeenByLoad,
    SeenColumn,
    StoredRecipe,
)
from managed_tables.documents.statements import LoadTerms, OriginLabels
from managed_tables.errors import RECIPE_NOT_FOUND, ApiError
from managed_tables.identifiers import fold_label
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.constraints import find_values
from managed_tables.tables.definitions import ColumnPlan
from managed_tables.tables.physical import physical_name

UNDOS_KEPT = 8  # of loads, one after the other: the recipe before each stands in the one after it
MAX_REFERENCES = 20_000  # values of another table that a job is handed: some hundred kilobytes
MAX_KEYS = 100_000  # of a table that a job is handed
_WRITTEN_OTHERWISE = (ColumnType.DECIMAL, ColumnType.DATETIME)  # by PostgreSQL than by the converter
ROWS_SEEN = 5_000  # of a table, the newest: some milliseconds
MAX_COLUMNS_SEEN = 200

_NOTHING_SEEN = "NULL::float8, NULL::float8, NULL::float8, NULL::text[]"
_NUMBERS_SEEN = (
    "min(abs({column:i}))::float8, max(abs({column:i}))::float8,"
    " percentile_disc(0.5) WITHIN GROUP (ORDER BY abs({column:i})) FILTER (WHERE {column:i} <> 0)::float8,"
    " NULL::text[]"
)
_DAYS_SEEN = (
    "extract(epoch FROM min({column:i}))::float8 / 86400,"
    " extract(epoch FROM max({column:i}))::float8 / 86400, NULL::float8, NULL::text[]"
)
_TEXTS_SEEN = (
    "NULL::float8, NULL::float8, NULL::float8,"
    " (SELECT array_agg(v) FROM (SELECT DISTINCT left({column:i}, 100) AS v FROM newest"
    " WHERE {column:i} IS NOT NULL LIMIT 21) AS texts)"
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
    mode: JobMode,
    timezone: str,
    before: Recalled | None,
) -> StoredRecipe:
    """Return what is to be remembered of a load of these columns.

    `timezone` is that of times without one; `before` is the recipe that the files were read under: what a
    person stated then holds on, and so do columns that this month's file has not.
    """
    origins = analysis.wish.origin_columns or (before.found.origins if before else None)
    in_front = sum(label is not None for label in (origins.sheet, origins.file)) if origins else 0
    labels = [column.source or column.name for column in analysis.inferred_schema.columns]
    tables = [table for table in (analysis.reading.tables if analysis.reading else ()) if table.include]
    return StoredRecipe(
        auto_confirm="never",
        mode="append" if mode == "create" else mode,
        on_misfit=terms.on_misfit,
        timezone=timezone,
        tables=[_table_recipe(analysis, table, labels[in_front:], before) for table in tables],
        columns=_column_recipes(analysis, columns, terms, before),
        load_rules=[],  # those of before stay (keep_recipe)
        found=_seen_by_load(analysis, tables, before, origins),
    )


def _seen_by_load(
    analysis: AnalysisDocument,
    tables: Sequence[TableReading],
    before: Recalled | None,
    origins: OriginLabels | None,
) -> SeenByLoad:
    columns = analysis.inferred_schema.columns
    pairs = zip(columns, analysis.columns, strict=True)
    return SeenByLoad(
        types={one.source or one.name: one.type.value for one in columns},
        units={one.source or one.name: staged.formats.unit for one, staged in pairs if staged.formats.unit},
        header_at=[table.header_line for table in tables],
        left_out=_left_out(analysis, before),
        origins=origins,
    )


def _column_recipes(
    analysis: AnalysisDocument, columns: Sequence[Column], terms: LoadTerms, before: Recalled | None
) -> list[RecipeColumn]:
    """Return the loaded columns, as the file has them; then those of before that it has not and none took."""
    labels = [column.source or column.name for column in analysis.inferred_schema.columns]
    fed = {terms.source(column.name): column for column in columns}
    kept = before.recipe.columns if before else []
    known = {one.label: one for one in kept}
    pairs = zip(labels, analysis.columns, strict=True)
    made = [
        _column_recipe(fed[one.name], terms, known, label, one) for label, one in pairs if one.name in fed
    ]
    names = {column.name for column in columns}
    present = {*map(fold_label, labels)}
    return [*made, *(one for one in kept if one.name not in names and one.label not in present)]


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
) -> RecipeTable:
    overrides = analysis.wish.of((table.file, table.sheet))
    known = before.table(table.sheet) if before else None
    stated = {_STATED_AS.get(name, name) for name in overrides.model_fields_set} & _KEPT_STATEMENTS
    held = _held(known, table) if known else set()
    skipped = [*table.skip_texts, *_skipped_texts(analysis, table)]
    if known and "skip_texts" in held:
        skipped += known.skip_texts
    return RecipeTable(
        kind=table.kind,
        sheet=table.sheet,
        encoding=table.encoding,
        delimiter=table.delimiter,
        quote=table.quote,
        header_lines=table.header_lines,
        labels=list(labels) if table.header_line is not None else [],
        skip_texts=list(dict.fromkeys(skipped))[:MAX_SKIP_TEXTS],
        fill_merged=known.fill_merged if known and overrides.fill_merged is None else overrides.fill_merged,
        trim=known.trim if known and overrides.trim is None else overrides.trim,
        stated=sorted(stated | held),
    )


def _held(known: RecipeTable, table: TableReading) -> set[str]:
    """Return what a person stated of such a table before, and this one does not show otherwise."""
    return {
        name for name in known.stated if name not in _READ or getattr(known, name) == getattr(table, name)
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


def _column_recipe(
    column: Column, terms: LoadTerms, known: Mapping[str, RecipeColumn], label: str, staged: StagedColumn
) -> RecipeColumn:
    """Return how the column is filled; a workbook's own numbers and days show no mark and no order."""
    choice, kept = terms.choice(column.name).over(staged.choice), known.get(fold_label(label), ColumnChoice())
    found = choice.formats(staged.formats)
    order = kept.date_order if found.workbook and found.date_order == "ymd" else found.date_order
    shows_mark = choice.decimal_mark or kept.decimal_mark or not found.workbook
    return RecipeColumn(
        source=label,
        name=column.name,
        type=column.type,
        decimal_mark=found.decimal_mark if column.type.is_number and shows_mark else None,
        date_order=order if column.type.is_time else None,
        **{name: getattr(choice, name) for name in CHOSEN},
    )


def keep_recipe(
    connection: PgConnection, table_id: str, job_id: str, recipe: StoredRecipe, columns: Sequence[Column]
) -> None:
    """Keep the recipe of a load, and those of before for undos; whether jobs confirm themselves stays.

    `columns` are the table's: others may have gone, or have another type, since the load read the recipe.
    """
    own = {column.name: column for column in columns}
    kept = recipe.model_copy(update={"columns": _fitting(recipe.columns, own)})
    connection.execute(
        "INSERT INTO managed_tables.recipes AS kept (table_id, version, job_id, recipe)"
        " VALUES (%s, 1, %s, %s)"
        " ON CONFLICT (table_id) DO UPDATE SET version = kept.version + 1, updated_at = now(),"
        " job_id = excluded.job_id,"
        " recipe = excluded.recipe || jsonb_build_object('auto_confirm', kept.recipe -> 'auto_confirm',"
        " 'load_rules', coalesce(kept.recipe -> 'load_rules', '[]'),"
        " 'hidden', kept.recipe -> 'hidden', 'before',"
        " kept.recipe #- %s || jsonb_build_object('job_id', kept.job_id))",
        [table_id, job_id, Jsonb(kept.as_json()), ["before"] * UNDOS_KEPT],
    )


def take_back_recipe(connection: PgConnection, table_id: str, job_id: str) -> None:
    """Put the recipe of before in the place of the load's, if nobody has changed that since."""
    connection.execute(
        "UPDATE managed_tables.recipes SET version = version + 1, updated_at = now(),"
        " job_id = recipe -> 'before' ->> 'job_id',"
        " recipe = recipe -> 'before' || jsonb_build_object('auto_confirm', recipe -> 'auto_confirm',"
        " 'load_rules', coalesce(recipe -> 'load_rules', '[]'))"
        " WHERE table_id = %s AND job_id = %s AND recipe ? 'before'",
        [table_id, job_id],
    )


def find_recipe(connection: PgConnection, table_id: str, *, lock: bool = False) -> Recipe | None:
    """Return the table's recipe, locked until the transaction ends if asked; None where there is none."""
    row = _find(connection, table_id, b" FOR UPDATE" if lock else b"")
    return None if row is None else _recipe(row)


def _find(connection: PgConnection, table_id: str, lock: bytes = b"") -> tuple[Any, ...] | None:
    statement = b"SELECT version, updated_at, job_id, recipe FROM managed_tables.recipes WHERE table_id = %s"
    return connection.execute(statement + lock, [table_id]).fetchone()


def _recipe(row: tuple[Any, ...]) -> Recipe:
    version, updated_at, job_id, stored = row
    known = {"version": version, "updated_at": timestamp(updated_at), "job_id": job_id}
    return Recipe.read({**stored, **known})


def recall(connection: PgConnection, table_id: str) -> Recalled | None:
    """Return what a job of the table is handed of its memory; None where there is no recipe, or no table."""
    row = _find(connection, table_id)
    applied = find_applied(connection, table_id)
    if row is None or applied is None or applied.deleted:
        return None
    loads = connection.execute(
        "SELECT row_count FROM managed_tables.applied_jobs WHERE table_id = %s AND row_count > 0"
        " ORDER BY applied_at DESC LIMIT 24",
        [table_id],
    ).fetchall()
    seen = Seen(loads=[count for (count,) in loads], columns=_look_at(connection, applied))
    found = SeenByLoad.read(row[3].get("found", {}))
    recipe = _recipe(row)
    return Recalled(
        recipe=recipe,
        found=found,
        seen=seen,
        keys=_keys(connection, applied, recipe),
        references=_references(connection, applied),
    )


def _keys(connection: PgConnection, applied: Applied, recipe: Recipe) -> list[str] | None:
    """Return the table's keys as texts, where its loads are to keep them and they are not many."""
    others = {column.name for column in applied.columns if column.type in _WRITTEN_OTHERWISE}
    is_asked = any(rule.kind == "keeps_keys" for rule in recipe.load_rules)
    if not applied.key or not is_asked or not others.isdisjoint(applied.key):
        return None
    rows = execute(
        connection,
        "SELECT concat_ws(chr(31), {}) FROM {} LIMIT {}",
        [compose("{:i}::text", name) for name in applied.key],
        physical_name(applied.display_name),
        MAX_KEYS + 1,
    ).fetchall()
    return [key for (key,) in rows] if len(rows) <= MAX_KEYS else None


def _references(connection: PgConnection, applied: Applied) -> dict[str, list[str]]:
    """Return the values of other tables that the table's rules refer to, of lists that are not long."""
    found = {}
    for rule in applied.rules:
        if rule.kind == "in_table":
            values = find_values(connection, rule, MAX_REFERENCES + 1)
            if len(values) <= MAX_REFERENCES:
                found[rule.id] = values
    return found


def _look_at(connection: PgConnection, applied: Applied) -> dict[str, SeenColumn]:
    """Return what the columns hold, by the newest rows, which cost the same whatever the table's size."""
    columns = applied.columns[:MAX_COLUMNS_SEEN]
    found = execute(
        connection,
        "WITH newest AS MATERIALIZED (SELECT {:i} FROM {} ORDER BY id DESC LIMIT {}) {}",
        [column.name for column in columns],
        physical_name(applied.display_name),
        ROWS_SEEN,
        sql.SQL(" UNION ALL ").join(map(_look_at_column, columns)),
    )
    names = tuple(SeenColumn.model_fields)
    return {name: SeenColumn.read(dict(zip(names, seen, strict=True))) for name, *seen in found}


def _look_at_column(column: Column) -> sql.Composed:
    seen = compose(_SEEN.get(column.type, _NOTHING_SEEN), column=column.name)
    form = "SELECT {}, count(*), count(*) - count({:i}), {} FROM newest"
    return compose(form, column.name, column.name, seen)


def change_recipe(connection: PgConnection, table_id: str, parts: Mapping[str, Any]) -> Recipe:
    """Put these parts in place of the recipe's, and return it; raises RECIPE_NOT_FOUND."""
    row = connection.execute(
        "UPDATE managed_tables.recipes SET version = version + 1, updated_at = now(), recipe = recipe"
        " - 'before' || %s WHERE table_id = %s RETURNING version, updated_at, job_id, recipe",
        [Jsonb(parts), table_id],
    ).fetchone()
    if row is None:
        raise ApiError(RECIPE_NOT_FOUND)
    return _recipe(row)


def forget_recipe(connection: PgConnection, table_id: str) -> None:
    """Forget the recipe; repeatable."""
    connection.execute("DELETE FROM managed_tables.recipes WHERE table_id = %s", [table_id])


def follow_columns_in_recipe(connection: PgConnection, table_id: str, plan: ColumnPlan) -> None:
    """Let the recipe's columns be those of the table, in the transaction that changes them."""
    before, aside = _lock_columns(connection, table_id)
    columns = _fitting(before, {placed.old.name: placed.column for placed in plan.placed if placed.old})
    if columns != before:
        aside |= {plan.hidden[one.name]: one.model_dump() for one in before if one.name in plan.hidden}
        parts = {"columns": [one.model_dump() for one in columns], "hidden": aside}
        change_recipe(connection, table_id, parts)


def restore_column_in_recipe(connection: PgConnection, table_id: str, hidden_name: str) -> None:
    """Let what fed a hidden column feed it again, unless its label feeds another one by now."""
    columns, aside = _lock_columns(connection, table_id)
    if hidden_name in aside:
        columns.append(built(RecipeColumn).model_validate(aside[hidden_name]))
        if columns[-1].label not in [one.label for one in columns[:-1]]:
            change_recipe(connection, table_id, {"columns": [one.model_dump() for one in columns]})


def _lock_columns(connection: PgConnection, table_id: str) -> tuple[list[RecipeColumn], dict[str, Any]]:
    """Return the recipe's columns, if there is one, and by their hidden names those that were taken out."""
    query = "SELECT recipe -> 'columns', recipe -> 'hidden' FROM managed_tables.recipes WHERE table_id = %s"
    row = connection.execute(f"{query} FOR UPDATE", [table_id]).fetchone() or ([], {})
    return [built(RecipeColumn).model_validate(one) for one in row[0]], row[1] or {}


def _fitting(columns: Sequence[RecipeColumn], own: Mapping[str, Column]) -> list[RecipeColumn]:
    """Return the recipe's columns that the table has, as it has them; `own` are the table's, by name."""
    pairs = ((one, own.get(one.name)) for one in columns)
    return [one.model_copy(update={"name": new.name, "type": new.type}) for one, new in pairs if new]
