"""What a table remembers: how the files that fill it are read, mapped and converted.

A recipe is told by what a file says (labels, texts, its sheet), never by numbers of lines. It is kept in
`managed_tables.recipes` by the transaction that loads, so that recipe and rows never disagree.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from managed_tables import exact_json
from managed_tables.clock import timestamp
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.databases.connecting import PgConnection
from managed_tables.documents.analyses import AnalysisDocument, StagedColumn, TableReading
from managed_tables.documents.document import built
from managed_tables.documents.line_forms import MAX_LINES_KNOWN, beginning_of, find_line_forms, find_structure
from managed_tables.documents.recipes import (
    CHOSEN,
    MAX_SKIP_TEXTS,
    MAX_SOURCES,
    Recalled,
    Recipe,
    RecipeColumn,
    RecipeTable,
    SeenByLoad,
    StoredRecipe,
)
from managed_tables.documents.repairs import ValueRepair, as_value_repair, texts_of
from managed_tables.documents.statements import LoadTerms, OriginLabels
from managed_tables.errors import RECIPE_NOT_FOUND, ApiError
from managed_tables.identifiers import fold_label
from managed_tables.schema import Column
from managed_tables.tables.definitions import ColumnPlan

UNDOS_KEPT = 8  # of loads, one after the other: the recipe before each stands in the one after it

_STATED_AS = {"header_line": "header_lines", "skip_lines": "skip_texts"}  # what tells the same without a line
_READ = ("encoding", "delimiter", "quote", "header_lines")  # what a file may show otherwise than stated
_KEPT_STATEMENTS = frozenset({*_READ, "skip_texts", "fill_merged", "trim"})
_SAID = ("auto_confirm", "mode", "on_misfit", "mode_set", "load_rules")  # by a person, of all files to come
_SKIPPED = frozenset({"SKIPPED", "LINES_LEFT_OUT", "FOOTER", "SECTION_LINES", "COMMENT_LINES"})


def make_recipe(
    analysis: AnalysisDocument,
    columns: Sequence[Column],
    terms: LoadTerms,
    timezone: str,
    before: Recalled | None,
    repaired: Mapping[str, Mapping[str, int]],
) -> StoredRecipe:
    """Return what is to be remembered of a load of these columns.

    `timezone` is that of times without one; `repaired` counts the cells of each text that is put right, by
    column. `before` is the recipe that the files were read under: what a person stated then holds on, and so
    do columns that this month's file has not. Whether jobs confirm themselves, their mode and what becomes
    of misfits no load says: `keep_recipe` takes them from before.
    """
    origins = analysis.wish.origin_columns or (before.found.origins if before else None)
    in_front = sum(label is not None for label in (origins.sheet, origins.file)) if origins else 0
    labels = [column.source or column.name for column in analysis.inferred_schema.columns]
    tables = [table for table in (analysis.reading.tables if analysis.reading else ()) if table.include]
    return StoredRecipe(
        auto_confirm="never",
        mode="append",
        on_misfit="reject",
        timezone=timezone,
        tables=[_table_recipe(analysis, table, labels[in_front:], before) for table in tables],
        columns=_column_recipes(analysis, columns, terms, before),
        load_rules=[],  # those of before stay (keep_recipe)
        found=_seen_by_load(analysis, tables, before, origins, _shares(analysis, terms, repaired)),
    )


def _seen_by_load(
    analysis: AnalysisDocument,
    tables: Sequence[TableReading],
    before: Recalled | None,
    origins: OriginLabels | None,
    repairs: Mapping[str, dict[str, float]],
) -> SeenByLoad:
    columns = analysis.inferred_schema.columns
    pairs = zip(columns, analysis.columns, strict=True)
    known = before.found if before else SeenByLoad()
    lines = [list(one) for one in find_line_forms(analysis.accounts)]
    return SeenByLoad(
        types={one.source or one.name: one.type.value for one in columns},
        units={one.source or one.name: staged.formats.unit for one, staged in pairs if staged.formats.unit},
        header_at=[table.header_line for table in tables],
        left_out=_left_out(analysis, before),
        origins=origins,
        lines=[one for one in known.lines if one not in lines][-MAX_LINES_KNOWN:] + lines,
        structure=list(dict.fromkeys([*known.structure, *find_structure(analysis.warnings)])),
        repairs=known.repairs
        | {label: {**known.repairs.get(label, {}), **shares} for label, shares in repairs.items()},
    )


def _shares(
    analysis: AnalysisDocument, terms: LoadTerms, repaired: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """Return by label which share of the rows has each text that is put right; not of texts that none has."""
    labels = {column.name: column.source or column.name for column in analysis.inferred_schema.columns}
    return {
        labels[terms.source(name)]: {text: count / analysis.row_count for text, count in counts.items()}
        for name, counts in repaired.items()
    }


def _column_recipes(
    analysis: AnalysisDocument, columns: Sequence[Column], terms: LoadTerms, before: Recalled | None
) -> list[RecipeColumn]:
    """Return the loaded columns, as the file has them; then those of before that it has not and none took."""
    labels = [column.source or column.name for column in analysis.inferred_schema.columns]
    kept = [_without(one, before.own_labels) for one in before.recipe.columns] if before else []
    made = _made_columns(labels, analysis.columns, columns, terms, kept)
    names = {column.name for column in columns}
    present = {*map(fold_label, labels)}
    return [*made, *(one for one in kept if one.name not in names and one.label not in present)]


def _made_columns(
    labels: Sequence[str],
    staged: Sequence[StagedColumn],
    columns: Sequence[Column],
    terms: LoadTerms,
    kept: Sequence[RecipeColumn],
) -> Iterator[RecipeColumn]:
    """Yield the recipe of each loaded column, as the file has them."""
    fed = {terms.source(column.name): column for column in columns}
    known, own = {one.label: one for one in kept}, {one.name: one for one in kept}
    for label, one in zip(labels, staged, strict=True):
        if column := fed.get(one.name):
            made = _column_recipe(column, terms, known, label, one)
            yield _with_sources(made, own.get(column.name))


def _without(column: RecipeColumn, own_labels: Mapping[str, str]) -> RecipeColumn:
    """Return the column with the labels that have fed it alone."""
    sources = tuple(label for label in column.sources if label != own_labels.get(column.name))
    return column.model_copy(update={"sources": sources})


def _with_sources(column: RecipeColumn, before: RecipeColumn | None) -> RecipeColumn:
    """Return the column with all labels that ever fed it, this load's first."""
    known = {fold_label(column.source): column.source}
    for label in (before.source, *before.sources) if before else ():
        known.setdefault(fold_label(label), label)
    return column.model_copy(update={"sources": tuple(known.values())[:MAX_SOURCES]})


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
    skipped = list(_skipped_texts(analysis, table))
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
    """Yield how the lines begin that were left out, but those that are rows by their shape."""
    for account in analysis.accounts:
        if (account.file, account.sheet) == (table.name, table.sheet):
            lines = (one for one in account.left if one.code in _SKIPPED and not one.is_row)
            yield from filter(None, (beginning_of(one.text) for one in lines))


def _column_recipe(
    column: Column, terms: LoadTerms, known: Mapping[str, RecipeColumn], label: str, staged: StagedColumn
) -> RecipeColumn:
    """Return how the column is filled; a workbook's own numbers and days show no mark and no order."""
    choice, kept = terms.choice(column.name).over(staged.choice), known.get(fold_label(label), ColumnChoice())
    found = choice.formats(staged.formats)
    order = kept.date_order if found.workbook and found.date_order == "ymd" else found.date_order
    shows_mark = choice.decimal_mark or kept.decimal_mark or staged.mark_shown or not found.workbook
    return RecipeColumn(
        source=label,
        name=column.name,
        type=column.type,
        decimal_mark=found.decimal_mark if column.type.is_number and shows_mark else None,
        date_order=order if column.type.is_time else None,
        repairs=_remembered(terms, column.name) if terms.repairs is not None else staged.repairs,
        **{name: getattr(choice, name) for name in CHOSEN},
    )


def _remembered(terms: LoadTerms, column: str) -> tuple[ValueRepair, ...]:
    kept = (one for one in terms.repairs or () if one.get("remember", True))
    return tuple(as_value_repair(*pair) for pair in texts_of(kept, column).items())


def keep_recipe(
    connection: PgConnection,
    table_id: str,
    job_id: str,
    recipe: StoredRecipe,
    columns: Sequence[Column],
    *,
    keeps_auto_confirm: bool = False,
) -> None:
    """Keep the recipe of a load, and those of before for undos.

    What no load may say stays: mode, misfits, whether jobs confirm themselves. They no longer do where this
    load lets the next file be read otherwise, unless `keeps_auto_confirm`. `columns` are the table's: others
    may have gone, or have another type, since the load read the recipe.
    """
    own = {column.name: column for column in columns}
    kept = recipe.model_copy(update={"columns": _fitting(recipe.columns, own)})
    stored = _lock(connection, table_id)
    if stored is not None:
        is_other = not keeps_auto_confirm and reads_otherwise(stored, kept)
        said = {name: getattr(stored, name) for name in _SAID}
        kept = kept.model_copy(update=said | ({"auto_confirm": "never"} if is_other else {}))
    # Rules as sent; and none before, unless one is there.
    own_parts = {"load_rules": [rule.as_json() for rule in kept.load_rules], "before": None}
    connection.execute(
        "INSERT INTO managed_tables.recipes AS kept (table_id, version, job_id, recipe)"
        " VALUES (%s, 1, %s, %s)"
        " ON CONFLICT (table_id) DO UPDATE SET version = kept.version + 1, updated_at = now(),"
        " job_id = excluded.job_id,"
        " recipe = excluded.recipe || jsonb_build_object("
        " 'hidden', kept.recipe -> 'hidden', 'before',"
        " kept.recipe #- %s || jsonb_build_object('job_id', kept.job_id))",
        [table_id, job_id, Jsonb(kept.model_dump(mode="json") | own_parts), ["before"] * UNDOS_KEPT],
    )


def _lock(connection: PgConnection, table_id: str) -> StoredRecipe | None:
    """Return the recipe as it is, held until the transaction ends."""
    query = "SELECT recipe FROM managed_tables.recipes WHERE table_id = %s FOR UPDATE"
    row = connection.execute(query, [table_id]).fetchone()
    return StoredRecipe.read(row[0]) if row else None


def reads_otherwise(before: StoredRecipe, now: StoredRecipe) -> bool:
    """Return whether a file is mapped, typed or cut otherwise under the recipe of now."""
    return _reading(before, now) != _reading(now, now)


def _reading(recipe: StoredRecipe, now: StoredRecipe) -> list[Any]:
    """Return what a recipe says of the labels of `now`: where they go, how, and what is left out."""
    labels = {fold_label(label) for table in now.tables for label in table.labels}
    labels |= {column.label for column in now.columns}
    fed = [
        [label, one.name, *(getattr(one, name) for name in ("type", *CHOSEN))]
        for label in labels
        for one in _fed_by(recipe, label)
    ]
    stated = [[sorted(one.stated), _stated_texts(one)] for one in recipe.tables[:1]]
    found = recipe.found
    return [sorted(fed, key=repr), _contradicted(recipe, now), stated, found.left_out, found.origins,
            recipe.timezone]  # fmt: skip


def _fed_by(recipe: StoredRecipe, label: str) -> list[RecipeColumn]:
    """Return the columns that a label feeds: those that it fed last, else those that it ever fed."""
    newest = [one for one in recipe.columns if one.label == label]
    return newest or [one for one in recipe.columns if label in one.all_labels]


def _stated_texts(table: RecipeTable) -> list[str]:
    return sorted(table.skip_texts) if "skip_texts" in table.stated else []


def _contradicted(recipe: StoredRecipe, now: StoredRecipe) -> list[str]:
    """Return the columns whose mark or order is another one now."""
    later = {one.name: one for one in now.columns}
    pairs = [(one, later[one.name]) for one in recipe.columns if one.name in later]
    return [
        one.name
        for one, other in pairs
        for part in ("decimal_mark", "date_order")
        if None not in (values := {getattr(one, part), getattr(other, part)}) and len(values) > 1
    ]


def take_back_recipe(connection: PgConnection, table_id: str, job_id: str) -> None:
    """Forget what a load showed, and its recipe, whether it is the table's or one of before.

    In its place stands the one of the newest load before that is not undone, or none where there was none;
    what a person changed since stays.
    """
    connection.execute("UPDATE managed_tables.applied_jobs SET memory = NULL WHERE job_id = %s", [job_id])
    query = "SELECT job_id, recipe::text FROM managed_tables.recipes WHERE table_id = %s FOR UPDATE"
    row = connection.execute(query, [table_id]).fetchone()
    known, is_all = _unfold({**exact_json.loads(row[1].encode()), "job_id": row[0]}) if row else ([], False)
    kept = [one for one in known if one["job_id"] != job_id]
    if not kept and is_all:
        forget_recipe(connection, table_id)
    if not kept or kept == known:
        return
    said = {"auto_confirm": known[0].get("auto_confirm"), "load_rules": known[0].get("load_rules", [])}
    recipe = exact_json.dumps(_fold([kept[0] | said, *kept[1:]], is_all)).decode()
    connection.execute(
        "UPDATE managed_tables.recipes SET version = version + (job_id IS NOT DISTINCT FROM %s)::int,"
        " updated_at = now(), job_id = %s, recipe = %s::jsonb WHERE table_id = %s",
        [job_id, kept[0]["job_id"], recipe, table_id],
    )


def _unfold(recipe: exact_json.Object) -> tuple[list[exact_json.Object], bool]:
    """Return a recipe and those of before, the newest first; and whether there was none before the last."""
    found = []
    while True:
        found.append({name: part for name, part in recipe.items() if name != "before"})
        before = recipe.get("before")
        if not isinstance(before, dict):
            return found, "before" in recipe
        recipe = before


def _fold(recipes: Sequence[exact_json.Object], is_all: bool) -> exact_json.Object:
    """Return the first of the recipes with those of before in it."""
    first, *others = recipes
    if others:
        return {**first, "before": _fold(others, is_all)}
    return {**first, "before": None} if is_all else first


def find_recipe(connection: PgConnection, table_id: str, *, lock: bool = False) -> Recipe | None:
    """Return the table's recipe, locked until the transaction ends if asked; None where there is none."""
    row = find_stored(connection, table_id, b" FOR UPDATE" if lock else b"")
    return None if row is None else as_recipe(row)


def find_stored(connection: PgConnection, table_id: str, lock: bytes = b"") -> tuple[Any, ...] | None:
    """Return version, moment, job and JSON of the table's recipe; None where there is none."""
    statement = b"SELECT version, updated_at, job_id, recipe FROM managed_tables.recipes WHERE table_id = %s"
    return connection.execute(statement + lock, [table_id]).fetchone()


def is_mode_set(connection: PgConnection, table_id: str) -> bool:
    """Return whether a person who may update the table has said the recipe's mode."""
    row = find_stored(connection, table_id)
    return row is not None and StoredRecipe.read(row[3]).mode_set


def as_recipe(row: tuple[Any, ...]) -> Recipe:
    """Return the recipe that `find_stored` found."""
    version, updated_at, job_id, stored = row
    known = {"version": version, "updated_at": timestamp(updated_at), "job_id": job_id}
    return Recipe.read({**stored, **known})


def change_recipe(connection: PgConnection, table_id: str, parts: Mapping[str, Any]) -> Recipe:
    """Put these parts in place of the recipe's, and return it; raises RECIPE_NOT_FOUND."""
    row = connection.execute(
        "UPDATE managed_tables.recipes SET version = version + 1, updated_at = now(), recipe = recipe"
        " - 'before' || %s WHERE table_id = %s RETURNING version, updated_at, job_id, recipe",
        [Jsonb(parts), table_id],
    ).fetchone()
    if row is None:
        raise ApiError(RECIPE_NOT_FOUND)
    return as_recipe(row)


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
