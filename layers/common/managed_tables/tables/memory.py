"""What a table remembers of its loads: pictures of its columns, and digests of the rows that it was brought.

They stand in `managed_tables.applied_jobs` with the load, by whose transaction they are written; a load that
is undone leaves none. A job is handed them together with the recipe, since Analyze reaches no PostgreSQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from managed_tables import exact_json
from managed_tables.catalog.tables import Applied
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import compose, execute
from managed_tables.documents.pictures import LoadMemory, Picture, RowsDigest, join_pictures
from managed_tables.documents.recipes import Recalled, Recipe, StoredRecipe
from managed_tables.identifiers import fold_label
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.constraints import find_values
from managed_tables.tables.definitions import ColumnPlan
from managed_tables.tables.physical import physical_name
from managed_tables.tables.recipes import as_recipe, find_stored

MAX_REFERENCES = 20_000  # values of another table that a job is handed: some hundred kilobytes
MAX_KEYS = 100_000  # of a table that a job is handed
_WRITTEN_OTHERWISE = (ColumnType.DECIMAL, ColumnType.DATETIME)  # by PostgreSQL than by the converter
LOADS_SEEN = 24  # whose pictures and numbers of rows are compared with
DIGESTS_SEEN = 100  # loads of which rows are known again one by one; of all others as a whole
_NOT_READ_BY = ("before", "hidden", "auto_confirm", "mode", "on_misfit", "mode_set")


def keep_memory(connection: PgConnection, table_id: str, job_id: str, memory: LoadMemory) -> None:
    """Keep what a load shows of its columns and rows; of loads long ago only their rows are known."""
    connection.execute(
        "UPDATE managed_tables.applied_jobs SET memory = %s WHERE job_id = %s",
        [Jsonb(memory.as_json()), job_id],
    )
    connection.execute(
        "UPDATE managed_tables.applied_jobs SET memory = memory - 'pictures' WHERE table_id = %s"
        " AND memory ? 'pictures' AND job_id NOT IN (SELECT job_id FROM managed_tables.applied_jobs"
        " WHERE table_id = %s AND memory ? 'pictures' ORDER BY applied_at DESC LIMIT %s)",
        [table_id, table_id, LOADS_SEEN],
    )


def recall(connection: PgConnection, table_id: str) -> Recalled | None:
    """Return what a job of the table is handed of its memory; None where there is no recipe, or no table."""
    row = find_stored(connection, table_id)
    applied = find_applied(connection, table_id)
    if row is None or applied is None or applied.deleted:
        return None
    loads = connection.execute(
        "SELECT row_count FROM managed_tables.applied_jobs WHERE table_id = %s AND row_count > 0"
        " AND memory IS NOT NULL ORDER BY applied_at DESC LIMIT %s",
        [table_id, LOADS_SEEN],
    ).fetchall()
    stored, recipe = StoredRecipe.read(row[3]), as_recipe(row)
    own_labels = _own_labels(recipe, applied.columns)
    return Recalled(
        recipe=_known_by(recipe, own_labels),
        own_labels=own_labels,
        found=stored.found,
        loads=[count for (count,) in loads],
        pictures=_find_pictures(connection, table_id),
        digests=find_digests(connection, table_id),
        mode_set=stored.mode_set,
        keys=_keys(connection, applied, recipe),
        references=_references(connection, applied),
        table_version=applied.version,
        content=content_digest(row[3]),
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


def content_digest(stored: Mapping[str, Any]) -> str:
    """Return a digest of what a recipe says: a load that leaves it as it was does not change it."""
    return exact_json.digest({name: part for name, part in stored.items() if name not in _NOT_READ_BY})


def is_as_recalled(connection: PgConnection, table_id: str, recalled: Recalled) -> bool:
    """Return whether recipe and table are as the files were read under; both are held from here on.

    So are the loads that the files were compared with: none was undone, or replaced by another.
    """
    row = connection.execute(
        "SELECT recipe FROM managed_tables.recipes WHERE table_id = %s FOR UPDATE", [table_id]
    ).fetchone()
    applied = find_applied(connection, table_id)
    return (
        row is not None
        and applied is not None
        and applied.version == recalled.table_version
        and content_digest(row[0]) == recalled.content
        and _known(recalled.digests[:DIGESTS_SEEN]) <= _known(find_digests(connection, table_id))
    )


def _known(digests: Iterable[RowsDigest]) -> set[tuple[int, str]]:
    return {(digest.rows, digest.total) for digest in digests}


def _own_labels(recipe: Recipe, columns: Sequence[Column]) -> dict[str, str]:
    """Return the table's labels by which no file has fed a column yet: they always count."""
    known = {label for column in recipe.columns for label in column.all_labels}
    fed = {column.name for column in recipe.columns}
    own = {column.name: column.display_name for column in columns if column.name in fed}
    return {name: label for name, label in own.items() if fold_label(label) not in known}


def _known_by(recipe: Recipe, own_labels: Mapping[str, str]) -> Recipe:
    """Return the recipe whose columns are known by these labels, too."""
    labelled = [
        one.model_copy(update={"sources": (*one.sources, own_labels[one.name])})
        if one.name in own_labels
        else one
        for one in recipe.columns
    ]
    return recipe.model_copy(update={"columns": labelled})


def _find_pictures(connection: PgConnection, table_id: str) -> dict[str, Picture]:
    """Return the picture of each column over the last loads, as far as its type has been the same."""
    rows = connection.execute(
        "SELECT memory -> 'pictures' FROM managed_tables.applied_jobs WHERE table_id = %s"
        " AND memory ? 'pictures' ORDER BY applied_at DESC LIMIT %s",
        [table_id, LOADS_SEEN],
    ).fetchall()
    by_column: dict[str, list[Picture]] = {}
    for (pictures,) in rows:
        for name, picture in pictures.items():
            by_column.setdefault(name, []).append(Picture.read(picture))
    joined = {name: join_pictures(pictures) for name, pictures in by_column.items()}
    return {name: picture for name, picture in joined.items() if picture}


def find_digests(connection: PgConnection, table_id: str) -> list[RowsDigest]:
    """Return the digests of the rows that loads brought since the last one that replaced all others."""
    rows = connection.execute(
        "SELECT memory -> 'digests' FROM managed_tables.applied_jobs AS loads WHERE table_id = %s"
        " AND memory ? 'digests' AND applied_at >= coalesce((SELECT max(applied_at)"
        " FROM managed_tables.applied_jobs WHERE table_id = loads.table_id AND mode = 'replace'"
        " AND memory IS NOT NULL), '-infinity') ORDER BY applied_at DESC LIMIT 10000",
        [table_id],
    ).fetchall()
    return [
        RowsDigest.read(digest if place < DIGESTS_SEEN else {**digest, "least": []})
        for place, (digests,) in enumerate(rows)
        for digest in digests
    ]


def follow_columns_in_memory(connection: PgConnection, table_id: str, plan: ColumnPlan) -> None:
    """Let the pictures of the table's loads bear its columns' names."""
    renamed = {
        placed.old.name: placed.column.name
        for placed in plan.placed
        if placed.old and placed.old.name != placed.column.name
    }
    if not renamed:
        return
    connection.execute(
        "UPDATE managed_tables.applied_jobs SET memory = jsonb_set(memory, '{pictures}', (SELECT"
        " coalesce(jsonb_object_agg(coalesce(%s::jsonb ->> key, key), value), '{}')"
        " FROM jsonb_each(memory -> 'pictures'))) WHERE table_id = %s AND memory ? 'pictures'",
        [Jsonb(renamed), table_id],
    )
