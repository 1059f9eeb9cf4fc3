"""Races around a key or an undo: whatever the order, no key is there twice and no change is lost."""

from typing import Any

import pytest
from injection import run_step
from steps import OLD, OLD_NUMBERS, ROWS, SCHEMA
from test_races import ROUNDS, at_once, loader
from undoing import BEFORE, FOUND, prepared_job
from worlds import World

from managed_tables.catalog.job_records import JobMode
from managed_tables.errors import (
    CHANGED_SINCE,
    DUPLICATE_KEY,
    DUPLICATE_KEY_ROWS,
    NOT_UNDOABLE,
    ROW_NOT_FOUND,
    TABLE_BUSY,
    ApiError,
)
from managed_tables.ids import NOBODY
from managed_tables.tables.definitions import TableChange
from managed_tables_api.rows import inserts
from managed_tables_api.undoing import undo_job
from managed_tables_insert.handler import run_job


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.empty()


def insert(world: World, table_id: str, *rows: dict[str, Any]) -> int:
    return (
        world.services.named_table(world.company_id, table_id, NOBODY)
        .do(inserts.insert, inserts.NewRows(list(rows)))
        .count
    )


def set_key(world: World, table_id: str) -> Any:
    return world.services.table_operations.update(world.company, table_id, TableChange(key=("n",))).key


def numbers(world: World) -> list[int]:
    return sorted(n for (n,) in world.query("SELECT n FROM vendas"))


def test_an_upsert_against_an_insert_of_the_same_key(world: World) -> None:
    """The row is there once: inserted and then updated, or loaded and the insert refused."""
    for _ in range(ROUNDS):
        world.empty()
        job_id = prepared_job(world, "upsert")
        table_id = world.job(job_id).user_table_id or ""
        outcome, inserted = at_once(
            loader(world, job_id), lambda table_id=table_id: insert(world, table_id, {"n": 5, "valor": -5})
        )
        assert outcome == "done"
        assert inserted in (1, DUPLICATE_KEY)
        assert numbers(world) == sorted([*OLD_NUMBERS, *range(len(ROWS))])
        result = world.job(job_id).result
        assert result is not None
        assert (result.inserted, result.updated) == ((11, 2) if inserted == 1 else (12, 1))
        assert world.query("SELECT valor::text FROM vendas WHERE n = 5") == [("5.5",)]
        world.assert_sound()


def test_two_upserts_of_the_same_rows(world: World) -> None:
    """One inserts them, the other finds them."""
    for _ in range(ROUNDS):
        world.empty()
        first = prepared_job(world, "upsert")
        table_id = world.job(first).user_table_id
        second = world.maker.inserting(ROWS, SCHEMA, mode="upsert", table_id=table_id)
        assert at_once(loader(world, first), loader(world, second)) == ["done", "done"]
        assert numbers(world) == sorted([*OLD_NUMBERS, *range(len(ROWS))])
        results = [world.job(job_id).result for job_id in (first, second)]
        assert sum(one.inserted for one in results if one) == len(ROWS)
        world.assert_sound()


def test_a_key_against_writers_of_duplicates(world: World) -> None:
    """Either the key is set and the duplicates are refused, or they are inserted and the key is refused."""
    for _ in range(ROUNDS):
        world.empty()
        table_id = world.make_table("vendas", SCHEMA, OLD)
        found = at_once(
            lambda table_id=table_id: set_key(world, table_id),
            *([lambda table_id=table_id: insert(world, table_id, {"n": -1}, {"n": 100})] * 2),
            lambda table_id=table_id: insert(world, table_id, {"n": 200}),
        )
        assert found[0] in (("n",), DUPLICATE_KEY_ROWS, TABLE_BUSY)
        assert set(found[1:3]) <= {2, DUPLICATE_KEY}
        assert found[3] == 1
        if found[0] == ("n",):
            assert found[1:3] == [DUPLICATE_KEY, DUPLICATE_KEY]
            assert numbers(world) == sorted([*OLD_NUMBERS, 200])
        world.assert_sound()


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_an_undo_against_a_change_of_a_loaded_row(world: World, mode: JobMode) -> None:
    """Either the change is kept and the undo refused, or the row is gone and the change refused."""
    for _ in range(ROUNDS):
        world.empty()
        job_id = prepared_job(world, mode)
        loaded = run_step(lambda job_id=job_id: run_job(world.fresh_services(), world.company_id, job_id))
        assert loaded.value == {"outcome": "done"}, loaded.error
        job = world.job(job_id)
        [(row_id,)] = world.query("SELECT id::text FROM vendas WHERE n = 7")
        undone, changed = at_once(
            lambda job=job: undo_job(world.services, job, NOBODY, force=False).kept,
            lambda row_id=row_id: change_row(world, row_id),
        )
        if changed is ROW_NOT_FOUND:
            assert undone == 0
            assert world.query(FOUND) == BEFORE
        else:
            assert (undone, changed) == (CHANGED_SINCE, "changed")
            assert world.query("SELECT texto FROM vendas WHERE n = 7") == [("mudou",)]
        world.assert_sound()


def change_row(world: World, row_id: str) -> str:
    """Change a row as the API does, with one statement."""
    with world.services.connection_cache.use(world.company) as connection:
        changed = connection.execute("UPDATE vendas SET texto = 'mudou' WHERE id = %s", [row_id]).rowcount
    if not changed:
        raise ApiError(ROW_NOT_FOUND)
    return "changed"


def test_simultaneous_undos(world: World) -> None:
    """One of them is done."""
    for _ in range(ROUNDS):
        world.empty()
        job_id = prepared_job(world, "replace")
        loaded = run_step(lambda job_id=job_id: run_job(world.fresh_services(), world.company_id, job_id))
        assert loaded.value == {"outcome": "done"}, loaded.error
        job = world.job(job_id)
        found = at_once(*([lambda job=job: undo_job(world.services, job, NOBODY, force=False).restored] * 3))
        assert sorted(map(str, found)).count("3") >= 1
        assert set(found) <= {3, NOT_UNDOABLE}
        assert world.query(FOUND) == BEFORE
        world.assert_sound()
