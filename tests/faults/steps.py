"""Set up, run and repeat the steps that get faults, and check what must hold in the end."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import duckdb
from injection import Run, run_step
from loading_jobs import USER_ID, column
from worlds import World, until

from managed_tables.catalog.job_records import JobMode, UploadedFile
from managed_tables.clock import timestamp
from managed_tables.documents.statements import Additions, WantedSchema
from managed_tables.errors import DUPLICATE_NAME, TABLE_NOT_FOUND, ApiError
from managed_tables.ids import NOBODY, new_record_id
from managed_tables.jobs.confirmation import confirm_job
from managed_tables.schema import Column
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.rows.inserts import IdempotencyKey, NewRows, insert
from managed_tables_ingest.handler import read_arrivals, take_arrival
from managed_tables_insert.handler import run_job

SCHEMA = [column("n", "integer"), column("valor", "decimal"), column("texto")]
ROWS = [[str(number), f"{number},5", f"linha {number} " + "x" * 60] for number in range(12)]
MISFITS = [*ROWS[:6], ["doze", "1,5", "não é número"], *ROWS[6:]]
OLD = [{"n": -number, "valor": 1, "texto": "antiga"} for number in (1, 2, 3)]
OLD_NUMBERS = [-1, -2, -3]
NEW_NUMBERS = list(range(12))
CSV = "n;valor;texto\n" + "".join(";".join(row) + "\n" for row in ROWS)

REPEATED_UPLOADS = 4  # after every fourth fault, the whole upload is repeated

Step = Callable[[], Any]


class Scenario:
    """A step: `set_up` returns what a child runs at each repeat; `check` asserts what must hold then."""

    name: ClassVar[str]
    repeats: ClassVar[bool] = True  # even after success: steps of jobs run at least once

    def set_up(self, world: World) -> Step:
        raise NotImplementedError

    def check(self, world: World, value: Any) -> None:
        raise NotImplementedError


class Insert(Scenario):
    """The inserting step: into a new table, appended, or replacing the old rows."""

    def __init__(self, mode: JobMode, *, new_column: bool = False, misfit: bool = False) -> None:
        self.mode, self.new_column, self.misfit = mode, new_column, misfit
        self.checks = itertools.count()
        self.name = f"insert {mode}" + ", new column" * new_column + ", rejected" * misfit

    def set_up(self, world: World) -> Step:
        self.table_id = None
        if self.mode != "create":
            columns = SCHEMA[:2] if self.new_column else SCHEMA
            old = [{name: row[name] for name in row if name != "texto" or not self.new_column} for row in OLD]
            self.table_id = world.make_table("vendas", columns, old)
        rows = MISFITS if self.misfit else ROWS
        self.job_id = world.maker.inserting(rows, SCHEMA, mode=self.mode, table_id=self.table_id)
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        expected = [] if self.mode == "create" else OLD_NUMBERS
        job = world.job(self.job_id)
        if self.misfit:
            assert value == {"outcome": "rejected"}
            assert job.error is not None
            assert job.error["code"] == "VALUES_NOT_CONVERTED"
        else:
            assert value == {"outcome": "done"}
            assert (job.status, job.error) == ("done", None)
            expected = NEW_NUMBERS if self.mode == "replace" else expected + NEW_NUMBERS
            if next(self.checks) % REPEATED_UPLOADS == 0:
                expected = self._check_again(world, job.user_table_id or "", expected)
        if self.misfit and self.mode == "create":
            assert world.names_held() == set()
        else:
            assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == expected

    def _check_again(self, world: World, table_id: str, expected: list[int]) -> list[int]:
        """Check that the same file can be uploaded again: appended, its rows are there once more."""
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == expected
        again = world.maker.inserting(ROWS, SCHEMA, mode="append", table_id=table_id)
        run = run_step(lambda: run_job(world.fresh_services(), world.company_id, again))
        assert run.value == {"outcome": "done"}, run.error
        return expected + NEW_NUMBERS


class Analyze(Scenario):
    """The analyzing step: two files into one staged object."""

    name = "analyze"

    def set_up(self, world: World) -> Step:
        job = world.queued_job(CSV, CSV)
        self.job_id = job.job_id
        return lambda: analyze_job(world.fresh_services(), world.company_id, job.job_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "analyzed", "auto_confirm": False}
        job, storage = world.job(self.job_id), world.services.storage
        analysis = storage.get_json(job.analysis_key or "")
        assert job.status == "analisando"
        assert analysis["row_count"] == 2 * len(ROWS)
        path = world.maker.folder / "checked.parquet"
        storage.download(job.staged_key or "", path)
        # The child needs its own DuckDB database: any threads of the default one stayed in the parent.
        run = run_step(lambda: duckdb.connect().execute(f"SELECT c0 FROM '{path}'").fetchall())
        assert [int(cell) for (cell,) in run.value] == NEW_NUMBERS * 2, run.error


class Ingest(Scenario):
    """The arrival of a job's files: announced in one event, in the wrong order."""

    name = "ingest"

    def set_up(self, world: World) -> Step:
        self.job = world.queued_job(CSV, CSV)
        event = arrivals_event(world.services.settings.bucket_name, reversed(self.job.files))

        def step() -> None:
            services = world.fresh_services()
            for arrival in read_arrivals(event):
                take_arrival(services, arrival.key, arrival.size_bytes)

        return step

    def check(self, world: World, value: Any) -> None:
        assert value is None
        until(lambda: world.job(self.job.job_id).status == "waiting_confirm", "the execution waits")
        assert execution_status(world, self.job.job_id) == "RUNNING"
        stop_execution(world, self.job.job_id)


class Confirm(Scenario):
    """A confirmation by a user, who repeats it until it is answered; then the rows are inserted."""

    def __init__(self, mode: JobMode) -> None:
        self.mode = mode
        self.name = f"confirm {mode}"

    def set_up(self, world: World) -> Step:
        self.table_id = world.make_table("vendas", SCHEMA, OLD) if self.mode != "create" else None
        job = world.queued_job(CSV, mode=self.mode, table_id=self.table_id)
        self.job_id = job.job_id
        world.services.jobs.begin_analysis(world.company_id, job.job_id)
        world.maker._stage(job.job_id, ROWS, SCHEMA, ";")
        world.services.executions.start(job)
        until(lambda: world.job(self.job_id).status == "waiting_confirm", "the execution waits")
        wanted = WantedSchema(display_name="vendas", columns=SCHEMA)
        return lambda: confirm_job(world.fresh_services(), world.job(self.job_id), wanted)

    def check(self, world: World, value: Any) -> None:
        assert value is None
        until(lambda: execution_status(world, self.job_id) == "SUCCEEDED", "the execution goes on")
        assert world.job(self.job_id).status == "inserting"
        run = run_step(lambda: run_job(world.fresh_services(), world.company_id, self.job_id))
        assert run.value == {"outcome": "done"}, run.error
        expected = NEW_NUMBERS if self.mode != "append" else OLD_NUMBERS + NEW_NUMBERS
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == expected


class TableOperation(Scenario):
    """An operation on a table by a user, who repeats it if it was not answered."""

    repeats = False

    def set_up(self, world: World) -> Step:
        self.table_id = world.make_table("vendas", SCHEMA, OLD)
        return lambda: self.operate(world)

    def operate(self, world: World) -> Any:
        raise NotImplementedError

    def record(self, world: World) -> Any:
        """Return the table as it is now."""
        return world.services.table_reading.get(world.company, self.table_id)


class Create(TableOperation):
    name = "create table"

    def set_up(self, world: World) -> Step:
        return lambda: self.operate(world)

    def operate(self, world: World) -> None:
        services = world.fresh_services()
        try:
            services.table_operations.create(world.company, USER_ID, "vendas", SCHEMA, Additions(key=["n"]))
        except ApiError as error:
            if error.kind is not DUPLICATE_NAME:  # made by the request whose answer was lost
                raise

    def check(self, world: World, value: Any) -> None:
        records = list(world.services.tables.all(world.company_id))
        assert [record.display_name for record in records] == ["vendas"]
        assert (list(records[0].columns), records[0].key) == (SCHEMA, ("n",))
        assert world.query("SELECT * FROM vendas") == []


class Rename(TableOperation):
    name = "rename table"

    def operate(self, world: World) -> None:
        change = TableChange(display_name="vendas_novas")
        world.fresh_services().table_operations.update(world.company, self.table_id, change)

    def check(self, world: World, value: Any) -> None:
        assert world.names_held() == {"vendas_novas"}
        assert [n for (n,) in world.query("SELECT n FROM vendas_novas ORDER BY id")] == OLD_NUMBERS


class ChangeColumns(TableOperation):
    """A type converted, a column hidden, one renamed, one added: all repeated if not answered."""

    name = "change columns"
    wanted: ClassVar[list[Column]] = [column("n", "text"), column("preco", "decimal"), column("nova", "date")]

    def operate(self, world: World) -> None:
        services = world.fresh_services()
        present = {one.name for one in services.table_reading.get(world.company, self.table_id).columns}
        previous = {"preco": "valor"} if "valor" in present else {}
        changes = [
            ColumnChange(**one.model_dump(), previous_name=previous.get(one.name)) for one in self.wanted
        ]
        services.table_operations.update(world.company, self.table_id, TableChange(columns=changes))

    def check(self, world: World, value: Any) -> None:
        assert list(self.record(world).columns) == self.wanted
        found = world.query("SELECT n, preco, nova FROM vendas ORDER BY id")
        assert found == [(str(row["n"]), row["valor"], None) for row in OLD]


class Deactivate(TableOperation):
    name = "set inactive"

    def operate(self, world: World) -> None:
        change = TableChange(status="inactive")
        world.fresh_services().table_operations.update(world.company, self.table_id, change)

    def check(self, world: World, value: Any) -> None:
        assert self.record(world).status == "inactive"


class Delete(TableOperation):
    name = "delete table"

    def operate(self, world: World) -> None:
        try:
            world.fresh_services().table_operations.delete(world.company, self.table_id)
        except ApiError as error:
            if error.kind is not TABLE_NOT_FOUND:  # deleted by the request whose answer was lost
                raise

    def check(self, world: World, value: Any) -> None:
        assert world.names_held() == set()
        away = world.query(f'SELECT column$1 FROM deleted_tables."deleted${self.table_id}" ORDER BY id')
        assert [n for (n,) in away] == OLD_NUMBERS


class InsertRows(TableOperation):
    """Rows inserted through the API, repeated with their key until they are answered."""

    name = "insert rows"

    def operate(self, world: World) -> int:
        new = NewRows(OLD, IdempotencyKey("pedido", "digest"))
        return (
            world.fresh_services().named_table(world.company_id, self.table_id, NOBODY).do(insert, new).count
        )

    def check(self, world: World, value: Any) -> None:
        assert value == len(OLD)
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == OLD_NUMBERS * 2


class Provision(Scenario):
    """Provisioning a company's database, which is then used to check it."""

    name = "provision"

    def set_up(self, world: World) -> Step:
        self.own_company_id = new_record_id()
        return lambda: world.fresh_services().provisioning.provision(self.own_company_id).connection_id

    def check(self, world: World, value: Any) -> None:
        services = world.services
        company = services.provisioning.require(self.own_company_id)
        assert company.connection_id == value
        own = replace(world, company=company, maker=replace(world.maker, company=company))
        table_id = own.make_table("vendas", SCHEMA, OLD)
        assert table_id in [record.table_id for record in services.tables.all(self.own_company_id)]
        own.assert_sound()
        with services.databases.open_admin_connection("default") as admin:
            found = admin.execute(
                "SELECT datallowconn, has_database_privilege('public', oid, 'CONNECT') FROM pg_database"
                " WHERE datname = %s",
                [f"co_{value}"],
            ).fetchall()
        assert found == [(True, False)]
        own.empty()


def arrivals_event(bucket_name: str, files: Iterable[UploadedFile]) -> dict[str, Any]:
    """Return S3's event for the arrival of these files."""
    records = [
        {
            "eventName": "ObjectCreated:Post",
            "eventTime": timestamp(),
            "s3": {
                "bucket": {"name": bucket_name},
                "object": {"key": file.storage_path, "size": file.size_bytes},
            },
        }
        for file in files
    ]
    return {"Records": records}


def execution_arn(world: World, job_id: str) -> str:
    """Return the ARN of the job's execution."""
    arn = world.services.settings.state_machine_arn
    return arn.replace(":stateMachine:", ":execution:") + f":{job_id}"


def execution_status(world: World, job_id: str) -> str:
    """Return the status of the job's execution."""
    return world.services.stepfunctions.describe_execution(executionArn=execution_arn(world, job_id))[
        "status"
    ]


def execution_output(world: World, job_id: str) -> str:
    """Return the output of the job's execution."""
    return world.services.stepfunctions.describe_execution(executionArn=execution_arn(world, job_id))[
        "output"
    ]


def stop_execution(world: World, job_id: str) -> None:
    """Stop the job's execution, which notifies nobody."""
    world.services.stepfunctions.stop_execution(executionArn=execution_arn(world, job_id))


@dataclass
class Attempt:
    """A run of the step with a fault, and the run that completed it."""

    faulty: Run
    last: Run
    repeats: int


MAX_REPEATS = 3


def repeat_until_ended(scenario: Scenario, step: Step, faulty: Run) -> Attempt:
    """Repeat the step as Step Functions, S3 or a user would, without further faults."""
    if faulty.ended_well and not scenario.repeats:
        return Attempt(faulty, faulty, 0)
    last = faulty
    for count in range(1, MAX_REPEATS + 1):
        last = run_step(step)
        if last.ended_well:
            return Attempt(faulty, last, count)
    raise AssertionError(f"still failing after {MAX_REPEATS} repeats: {last.error}")
