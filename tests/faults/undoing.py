"""Keys, upserts and undos, with faults: an index is complete or gone, a load is there or undone."""

from typing import Any

import psycopg
import pytest
from injection import run_step
from steps import NEW_NUMBERS, OLD, OLD_NUMBERS, ROWS, SCHEMA, Scenario, Step, TableOperation
from worlds import World

from managed_tables.catalog.job_records import JobMode
from managed_tables.documents.document import built
from managed_tables.errors import NOT_UNDOABLE, ApiError
from managed_tables.ids import NOBODY
from managed_tables.rules.rule import Rule
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


CITIES = [{"n": number, "valor": 1, "texto": "c"} for number in (-1, -2, -3, 7)]
OLD_RULES = [
    {"id": "r_fica", "kind": "range", "columns": ["n"], "max": 100},
    {"id": "r_muda", "kind": "range", "columns": ["valor"], "min": 0},
    {"id": "r_sai", "kind": "unique", "columns": ["n"]},
]
NEW_RULES = [
    OLD_RULES[0],
    {**OLD_RULES[1], "max": 10},
    {"id": "r_par", "kind": "unique", "columns": ["n", "texto"]},
    {"id": "r_texto", "kind": "length", "columns": ["texto"], "max": 60},
    {"id": "r_avisa", "kind": "length", "columns": ["texto"], "max": 1, "severity": "warn"},
]


def rules_of(given: list[dict[str, Any]]) -> list[Rule]:
    return [built(Rule).model_validate(one) for one in given]


class SetRules(TableOperation):
    """A rule stays, one is changed, one goes, four come: a CHECK, an index, a foreign key, one that warns."""

    name = "set rules"

    def set_up(self, world: World) -> Step:
        cities = world.make_table("cidades", SCHEMA, CITIES)
        self.table_id = world.make_table("vendas", SCHEMA, OLD)
        update = world.services.table_operations.update
        update(world.company, cities, TableChange(key=("n",)))
        update(world.company, self.table_id, TableChange(rules=rules_of(OLD_RULES)))
        in_table = {"id": "r_ref", "kind": "in_table", "columns": ["n"], "table": cities, "column": "n"}
        self.wanted = rules_of([*NEW_RULES, in_table])
        return lambda: self.operate(world)

    def operate(self, world: World) -> None:
        change = TableChange(rules=self.wanted)
        world.fresh_services().table_operations.update(world.company, self.table_id, change)

    def check(self, world: World, value: Any) -> None:
        assert list(self.record(world).rules) == self.wanted
        wrong = ("(101, 1, 'a')", "(7, 11, 'a')", "(-1, 1, 'antiga')", "(8, 1, 'a')", f"(7, 1, '{'a' * 61}')")
        for row in wrong:
            with pytest.raises(psycopg.IntegrityError, match=r"rule\$"):
                world.query(
                    "INSERT INTO vendas (id, n, valor, texto)"
                    f" SELECT gen_random_uuid(), * FROM (VALUES {row}) AS wrong"
                )


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
