"""The steps of an export, with faults: its start, and its run in each format."""

import json
import time
from typing import Any

from exporting import ExportMaker
from loading_jobs import USER_ID, column
from steps import NEW_NUMBERS, Scenario, Step
from worlds import World

from managed_tables.catalog.exports import ExportFormat
from managed_tables_api.auth import Caller
from managed_tables_api.calls import known_export
from managed_tables_api.routes.exports import NewExport, create_export
from managed_tables_export import destination
from managed_tables_export.handler import run_export

PART_BYTES = 256  # so that a dozen rows are several parts
COLUMNS = [column("n", "integer"), column("valor", "decimal"), column("texto")]
ROWS = [{"n": number, "valor": number + 1, "texto": f"linha {number} " + "x" * 60} for number in NEW_NUMBERS]


class Export(Scenario):
    """The exporting step: one complete file, named by the record, and no other object."""

    def __init__(self, form: ExportFormat) -> None:
        self.form = form
        self.name = f"export {form}"

    def set_up(self, world: World) -> Step:
        table_id = world.make_table("vendas", COLUMNS, ROWS)
        table = world.services.table_reading.get(world.company, table_id)
        self.maker = ExportMaker(world.services, world.company)
        self.export = self.maker.queue(table, format=self.form)
        whole = {"csv": "texto", "jsonl": '"texto"'}
        self.expected = whole.get(self.form, "")
        return lambda: self._run(world)

    def _run(self, world: World) -> Any:
        destination.PART_BYTES = PART_BYTES  # in its own child process
        stop_at = time.monotonic() + 600
        return run_export(world.fresh_services(), world.company_id, self.export.export_id, stop_at)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "done"}
        found = self.maker.find(self.export)
        assert (found.status, found.rows, found.error) == ("done", len(ROWS), None)
        assert self.maker.objects(self.export) == [found.key]
        content = self.maker.content(self.export)
        assert len(content) == found.size_bytes
        if self.expected:
            assert content.count(b"linha ") == len(ROWS)


class StartExport(Scenario):
    """The start of an export by a user, who repeats the request if there was no answer."""

    name = "start export"
    repeats = False

    def set_up(self, world: World) -> Step:
        table_id = world.make_table("vendas", COLUMNS, ROWS)
        self.arn = arn = _machine(world)
        caller = Caller(USER_ID, world.company_id, frozenset({"managed-tables:*"}))

        def start() -> str:
            services = world.fresh_services(export_state_machine_arn=arn)
            table = services.table_reading.get(world.company, table_id)
            return create_export(NewExport(format="csv"), table, caller, services).export_id

        return start

    def check(self, world: World, value: Any) -> None:
        caller = Caller(USER_ID, world.company_id, frozenset())
        assert known_export(value, caller, world.services).status == "queued"
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{value}"
        assert world.services.stepfunctions.describe_execution(executionArn=arn)["name"] == value


def _machine(world: World) -> str:
    """Return the ARN of a state machine that does nothing; creating it again returns the same."""
    client = world.services.stepfunctions
    role = client.describe_state_machine(stateMachineArn=world.services.settings.state_machine_arn)["roleArn"]
    definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    name = f"{world.services.settings.table_name}-export"
    known = {one["name"]: one["stateMachineArn"] for one in client.list_state_machines()["stateMachines"]}
    if name in known:
        return known[name]
    made = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    return made["stateMachineArn"]
