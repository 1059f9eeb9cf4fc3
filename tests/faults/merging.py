"""A workbook that went out and comes back, with faults: what it changes is planned, then loaded, once."""

import io
from typing import Any

import openpyxl
from exporting import ExportMaker
from injection import run_step
from steps import OLD, SCHEMA, Scenario, Step
from worlds import World

from managed_tables.catalog.keys import job_key
from managed_tables.documents.statements import LoadTerms, WantedSchema
from managed_tables.ids import NOBODY
from managed_tables.jobs.confirmation import confirm_job
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.rows import bulk_changes
from managed_tables_api.undoing import undo_job
from managed_tables_insert.errands import recall_for
from managed_tables_insert.handler import run_job
from managed_tables_insert.workbooks import plan_merge

FOUND = "SELECT n, valor, texto FROM vendas ORDER BY id"
OTHERS = [(-1, 1, "antiga"), (-2, 1, "outra"), (-3, 1, "antiga")]  # once others have changed a row
MERGED = [(-1, 7, "antiga"), (-2, 1, "outra"), (9, 2.5, "nova")]


class PlanMerge(Scenario):
    """What the workbook changes is worked out, and kept beside the analysis."""

    name = "plan merge"

    def set_up(self, world: World) -> Step:
        self.job_id = returned_job(world)
        return lambda: plan_merge(world.fresh_services(), world.job(self.job_id))

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "analyzed", "auto_confirm": False}
        plan = world.services.job_documents.find_merge_plan(world.job(self.job_id))
        assert plan is not None
        assert (plan.inserted, plan.updated, plan.cells, plan.absent) == (1, 1, 1, 1)
        assert world.query(FOUND) == OTHERS


class Merge(Scenario):
    """A cell changes, a row comes, one goes that is absent, and another's change stays."""

    name = "insert merge"

    def set_up(self, world: World) -> Step:
        self.job_id = confirmed_job(world)
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "done"}
        assert world.query(FOUND) == MERGED
        result = world.job(self.job_id).result
        assert result is not None
        assert (result.inserted, result.updated, result.unchanged, result.deleted) == (1, 1, 1, 1)
        undo_job(world.services, world.job(self.job_id), NOBODY, force=False)
        assert world.query(FOUND) == OTHERS


def confirmed_job(world: World) -> str:
    """Return a workbook's job that is confirmed, absent rows to be deleted."""
    job_id = returned_job(world)
    planned = run_step(lambda: plan_merge(world.fresh_services(), world.job(job_id)))
    assert planned.ended_well, planned.error
    world.services.items.change(job_key(world.company_id, job_id), {"status": "waiting_confirm"})
    terms = LoadTerms(conflicts="mine", delete_absent=True)
    confirm_job(world.services, world.job(job_id), WantedSchema(display_name=None, columns=[], terms=terms))
    return job_id


def returned_job(world: World) -> str:
    """Return the job of a workbook that went out, was changed and is read, others having changed a row."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    table = world.services.table_reading.get(world.company, table_id)
    maker = ExportMaker(world.services, world.company)
    export = maker.queue(table, format="xlsx", for_editing=True)
    written = run_step(lambda: maker.run(export))
    assert written.value == {"outcome": "done"}, written.error
    other = world.query("SELECT id::text FROM vendas WHERE n = -2")[0][0]
    body = {"rows": [{"id": other, "texto": "outra"}]}
    world.services.named_table(world.company_id, table_id, NOBODY).do(bulk_changes.update, body)
    book = openpyxl.load_workbook(io.BytesIO(maker.content(export)))
    sheet = book.worksheets[0]
    sheet["C2"] = 7
    sheet.delete_rows(4)
    sheet.append([None, 9, 2.5, "nova"])
    returned = io.BytesIO()
    book.save(returned)
    job = world.queued_job(returned.getvalue(), mode="append", table_id=table_id, name="vendas.xlsx")
    recall_for(world.services, world.company_id, job.job_id)
    read = run_step(lambda: analyze_job(world.fresh_services(), world.company_id, job.job_id))
    assert read.value == {"outcome": "analyzed", "auto_confirm": False, "merge": True}, (
        read.value,
        read.error,
    )
    return job.job_id
