"""Keys, upserts and undos, with faults: an index is complete or gone, a load is there or undone."""

from typing import Any

from injection import run_step
from steps import NEW_NUMBERS, OLD, OLD_NUMBERS, ROWS, SCHEMA, Scenario, Step, TableOperation
from worlds import World

from managed_tables.catalog.job_records import JobMode
from managed_tables.errors import NOT_UNDOABLE, ApiError
from managed_tables.ids import NOBODY
from managed_tables.tables.definitions import TableChange
from managed_tables_api.undoing import undo_job
from managed_tables_insert.handler import run_job

UPSERTED = [["-2", "20,5", "nova"], *ROWS]
FOUND = "SELECT n, valor, texto FROM vendas ORDER BY id"
BEFORE = [(row["n"], row["valor"], row["texto"]) for row in OLD]


class SetKey(TableOperation):
    """A key and an index on columns, one of which is renamed in the same request."""

    name = "set key"

    def operate(self, world: World) -> None:
        change = TableChange(key=("n",), indexes=(("valor", "n"), ("texto",)), title="Vendas")
        world.fresh_services().table_operations.update(world.company, self.table_id, change)

    def check(self, world: World, value: Any) -> None:
        table = self.record(world)
        assert (table.key, table.indexes, table.title) == (("n",), (("valor", "n"), ("texto",)), "Vendas")
        indexes = world.query(
            "SELECT indisvalid, indisunique FROM pg_index WHERE indrelid = 'vendas'::regclass"
            " AND NOT indisprimary ORDER BY 2"
        )
        assert indexes == [(True, False), (True, False), (True, True)]


class Upsert(Scenario):
    """The inserting step of an upsert."""

    name = "insert upsert"

    def set_up(self, world: World) -> Step:
        self.job_id = prepared_job(world, "upsert")
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "done"}
        result = world.job(self.job_id).result
        assert result is not None
        assert (result.inserted, result.updated, result.unchanged) == (len(ROWS), 1, 0)
        found = world.query(FOUND)
        assert [n for n, _, _ in found] == OLD_NUMBERS + NEW_NUMBERS
        assert found[1][2] == "nova"


class Undo(Scenario):
    """The undo of a load by a user, who repeats it until it is answered."""

    repeats = False

    def __init__(self, mode: JobMode) -> None:
        self.mode = mode
        self.name = f"undo {mode}"

    def set_up(self, world: World) -> Step:
        self.job_id = prepared_job(world, self.mode)
        loaded = run_step(lambda: run_job(world.fresh_services(), world.company_id, self.job_id))
        assert loaded.value == {"outcome": "done"}, loaded.error
        return lambda: self._undo(world)

    def _undo(self, world: World) -> str:
        try:
            undo_job(world.fresh_services(), world.job(self.job_id), NOBODY, force=False)
        except ApiError as error:
            if error.kind is not NOT_UNDOABLE:
                raise
            return "undone before"
        return "undone"

    def check(self, world: World, value: Any) -> None:
        assert value in ("undone", "undone before")
        assert world.job(self.job_id).undone_at is not None
        if self.mode == "create":
            world.list_tables()
            assert world.names_held() == set()
            assert world.query("SELECT to_regclass('public.vendas')") == [(None,)]
        else:
            assert world.query(FOUND) == BEFORE
        kept = world.query("SELECT tablename FROM pg_tables WHERE schemaname = 'kept_rows'")
        assert kept == ([(self.job_id,)] if self.mode == "upsert" else [])  # the history of its rows


def prepared_job(world: World, mode: JobMode) -> str:
    """Return a job ready to be inserted, into a table with old rows and a key unless it creates one."""
    if mode == "create":
        return world.maker.inserting(ROWS, SCHEMA)
    table_id = world.make_table("vendas", SCHEMA, OLD)
    world.services.table_operations.update(world.company, table_id, TableChange(key=("n",)))
    return world.maker.inserting(UPSERTED if mode == "upsert" else ROWS, SCHEMA, mode=mode, table_id=table_id)
