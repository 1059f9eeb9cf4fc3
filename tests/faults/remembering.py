"""What a table remembers, with faults: handed to a job, and a job that confirms itself by it."""

from typing import Any

from injection import run_step
from steps import CSV, NEW_NUMBERS, OLD, OLD_NUMBERS, SCHEMA, Scenario, Step
from worlds import World

from managed_tables.databases.applied import claim_job
from managed_tables.documents.pictures import LoadMemory, Picture
from managed_tables.documents.recipes import RecipeColumn, RecipeTable, StoredRecipe
from managed_tables.ids import new_record_id
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables.tables.memory import keep_memory
from managed_tables.tables.recipes import find_recipe, keep_recipe
from managed_tables_analyze.handler import analyze_job
from managed_tables_insert.errands import recall_for
from managed_tables_insert.handler import run_job
from managed_tables_insert.unattended import confirm_unchanged

NAMES = [column.name for column in SCHEMA]
TABLE = {
    **dict.fromkeys(("sheet", "fill_merged", "trim")),
    "kind": "csv",
    "encoding": "utf-8",
    "delimiter": ";",
    "quote": '"',
    "header_lines": 1,
    "labels": NAMES,
    "skip_texts": [],
    "stated": [],
}
RECIPE = StoredRecipe(
    auto_confirm="unchanged",
    mode="append",
    on_misfit="reject",
    timezone="UTC",
    tables=[RecipeTable.read(TABLE)],
    columns=[RecipeColumn(source=one.name, name=one.name, type=one.type) for one in SCHEMA],
    mode_set=True,
)
_NUMBERS = {"rows": 12, "filled": 12, "negative": (0, 0), "least": 0.5, "greatest": 12, "medians": (6, 6)}
PICTURES = {
    "n": Picture.read({"type": "integer", **_NUMBERS}),
    "valor": Picture.read({"type": "decimal", **_NUMBERS}),
    "texto": Picture(type="text", rows=12, filled=12),
}


def _job(world: World) -> tuple[str, str]:
    """Return a table that remembers such files, and a job of it."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    company = world.services.provisioning.require(world.company_id)
    with world.services.open_company(company) as connection, connection.transaction():
        job_id = new_record_id()
        keep_recipe(connection, table_id, job_id, RECIPE, SCHEMA)
        claim_job(connection, job_id, table_id)
        keep_memory(connection, table_id, job_id, LoadMemory(pictures=PICTURES))
    return table_id, world.queued_job(CSV, mode="append", table_id=table_id).job_id


def _prove(world: World, job_id: str) -> None:
    """Run Analyze, which finds every proof."""
    run = run_step(lambda: analyze_job(world.fresh_services(), world.company_id, job_id))
    assert run.value == {"outcome": "analyzed", "auto_confirm": True}, run.error


class Recall(Scenario):
    """A job is handed what its table remembers."""

    name = "recall"

    def set_up(self, world: World) -> Step:
        _, self.job_id = _job(world)
        return lambda: recall_for(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        recalled = world.services.job_documents.find_recalled(world.job(self.job_id))
        assert (value, recalled and recalled.labels) == (None, frozenset(NAMES))


class ConfirmItself(Scenario):
    """A job whose file is as before confirms itself, once, and renews the recipe with its rows."""

    name = "confirm itself"

    def set_up(self, world: World) -> Step:
        self.table_id, self.job_id = _job(world)
        recall_for(world.services, world.company_id, self.job_id)
        _prove(world, self.job_id)
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        job = world.job(self.job_id)
        assert (value, job.status, job.confirmations) == ({"outcome": "done"}, "done", 1)
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == [*OLD_NUMBERS, *NEW_NUMBERS]
        company = world.services.provisioning.require(world.company_id)
        with world.services.open_company(company) as connection:
            recipe = find_recipe(connection, self.table_id)
        assert recipe is not None
        assert (recipe.version, recipe.job_id, recipe.auto_confirm) == (2, self.job_id, "unchanged")


class ReadAgain(Scenario):
    """A job whose table changes before its confirmation, or its load, is read again, and then loads."""

    def __init__(self, *, confirmed: bool) -> None:
        self.is_confirmed = confirmed
        self.name = "read again" + ", confirmed" * confirmed

    def set_up(self, world: World) -> Step:
        self.table_id, self.job_id = _job(world)
        recall_for(world.services, world.company_id, self.job_id)
        _prove(world, self.job_id)
        if self.is_confirmed:
            assert confirm_unchanged(world.services, world.job(self.job_id)) is None
        renamed = ColumnChange(**{**SCHEMA[2].model_dump(), "name": "nota"}, previous_name="texto")
        columns = [*(ColumnChange(**one.model_dump()) for one in SCHEMA[:2]), renamed]
        world.services.table_operations.update(world.company, self.table_id, TableChange(columns=columns))
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        job = world.job(self.job_id)
        assert (value, job.status, job.is_read_again) == ({"outcome": "reanalyze"}, "analisando", True)
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == OLD_NUMBERS
        _prove(world, self.job_id)
        run = run_step(lambda: run_job(world.fresh_services(), world.company_id, self.job_id))
        assert run.value == {"outcome": "done"}, run.error
        found = world.query("SELECT n, nota IS NOT NULL FROM vendas ORDER BY id")
        assert found == [(n, True) for n in (*OLD_NUMBERS, *NEW_NUMBERS)]
