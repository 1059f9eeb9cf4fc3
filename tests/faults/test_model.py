"""Tables, rows, jobs and faults in any order, against a model of what must be there.

Hypothesis chooses what happens next and where it fails; whatever was acknowledged is there once and in
order, whatever was refused is not, and every job's record agrees with PostgreSQL. `make test` runs a
few short lives, `make test-model` hundreds of long ones.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from injection import Fault
from lives import ATTEMPTS, FAULTS, PICKS, Life, live
from loading_jobs import USER_ID, column
from worlds import World

from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import timestamp
from managed_tables.documents.document import built
from managed_tables.documents.statements import WantedSchema
from managed_tables.errors import DUPLICATE_NAME, JOB_FINISHED, ROWS_BREAK_RULE, RULE_BROKEN, TABLE_NOT_FOUND
from managed_tables.ids import new_record_id
from managed_tables.jobs.confirmation import confirm_job
from managed_tables.jobs.ending import cancel_job, end_jobs_of
from managed_tables.rules.rule import Rule
from managed_tables.tables.definitions import TableChange
from managed_tables_api.rows.inserts import IdempotencyKey, NewRows, insert
from managed_tables_ingest.sweep import sweep_job
from managed_tables_insert import handler as inserting

FAR = "9999-01-01T00:00:00.000Z"
NAMES = st.sampled_from(["vendas", "outras", "novas"])
VALUES = st.lists(st.integers(0, 99).map(str), min_size=1, max_size=4)
UNIQUE = built(Rule).model_validate({"id": "r_n", "kind": "unique", "columns": ["n"]})
MODES = st.sampled_from(["append", "replace"])


@dataclass
class Upload:
    """A job as its user knows it; `rows` are the cells of its one column."""

    job_id: str
    mode: Any
    rows: list[str]
    name: str = ""
    table_id: str | None = None
    is_applied: bool = False
    is_cancelled: bool = False
    readings: list[JobRecord] = field(default_factory=list)  # as read by runs that were paused afterwards


class Lives(Life):
    """A company that makes, renames and deletes tables, and uploads into them."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.tables: dict[str, tuple[str, list[str]]] = {}  # name: id and rows
        self.uploads: dict[str, Upload] = {}
        self.ruled: set[str] = set()  # ids of tables in which no value may repeat

    # --- tables and rows
    @rule(name=NAMES, fault=FAULTS)
    def create_table(self, name: str, fault: Fault | None) -> None:
        operations = self.services.table_operations
        columns = [column("n", "text")]
        code = self._ask(lambda: operations.create(self.world.company, USER_ID, name, columns), fault)
        assert code in ("ok", DUPLICATE_NAME.code)  # the latter also if the first answer was lost
        if name in self.tables or self._is_reserved(name):
            assert code == DUPLICATE_NAME.code
            return
        record = self.world.services.tables.find_holder(self.world.company_id, name)
        if record is not None and record.state == "ready":
            self.tables[name] = (record.table_id, [])
        else:
            assert self._was_reserved(name)

    @precondition(lambda self: self.tables)
    @rule(pick=PICKS, values=VALUES, fault=FAULTS)
    def insert_rows(self, pick: int, values: list[str], fault: Fault | None) -> None:
        table_id, rows = self._table(pick)
        new = NewRows([{"n": value} for value in values], IdempotencyKey(new_record_id(), "digest"))
        table = self.services.named_table(self.world.company_id, table_id, USER_ID)
        code = self._ask(lambda: table.do(insert, new), fault)
        if table_id in self.ruled and _repeats([*rows, *values]):
            assert code == RULE_BROKEN.code
            return
        assert code == "ok"
        rows.extend(values)

    @precondition(lambda self: self.tables)
    @rule(pick=PICKS, is_ruled=st.booleans(), fault=FAULTS)
    def set_rules(self, pick: int, is_ruled: bool, fault: Fault | None) -> None:
        """Let no value repeat, or let them again; rows that do keep the rule out."""
        table_id, rows = self._table(pick)
        change = TableChange(rules=[UNIQUE] if is_ruled else [])
        update = self.services.table_operations.update
        code = self._ask(lambda: update(self.world.company, table_id, change), fault)
        if is_ruled and _repeats(rows):
            assert code == ROWS_BREAK_RULE.code
            return
        assert code == "ok"
        (self.ruled.add if is_ruled else self.ruled.discard)(table_id)

    @precondition(lambda self: self.tables)
    @rule(pick=PICKS, name=NAMES, fault=FAULTS)
    def rename_table(self, pick: int, name: str, fault: Fault | None) -> None:
        old = self._name(pick)
        table_id, _ = self.tables[old]
        change, update = TableChange(display_name=name), self.services.table_operations.update
        code = self._ask(lambda: update(self.world.company, table_id, change), fault)
        if name in self.tables or self._is_reserved(name):
            assert code == ("ok" if name == old else DUPLICATE_NAME.code)
        elif code == "ok":
            self.tables[name] = self.tables.pop(old)
        else:
            assert code == DUPLICATE_NAME.code
            assert self._was_reserved(name)

    @precondition(lambda self: self.tables)
    @rule(pick=PICKS, fault=FAULTS)
    def delete_table(self, pick: int, fault: Fault | None) -> None:
        name = self._name(pick)
        table_id, _ = self.tables.pop(name)

        def delete() -> None:
            self.services.table_operations.delete(self.world.company, table_id)
            end_jobs_of(self.services, self.world.company_id, table_id)

        assert self._ask(delete, fault) in ("ok", TABLE_NOT_FOUND.code)

    # --- jobs
    @rule(name=NAMES, values=VALUES, fits=st.booleans())
    def upload_new_table(self, name: str, values: list[str], fits: bool) -> None:
        rows = values if fits else [*values, "x"]  # which is not an integer
        self._upload(Upload(new_record_id(), "create", rows, name))

    @precondition(lambda self: self.tables)
    @rule(pick=PICKS, values=VALUES, mode=MODES)
    def upload_into_table(self, pick: int, values: list[str], mode: Any) -> None:
        table_id, _ = self._table(pick)
        self._upload(Upload(new_record_id(), mode, values, table_id=table_id))

    @precondition(lambda self: self._in("waiting_confirm"))
    @rule(pick=PICKS, as_text=st.booleans(), fault=FAULTS)
    def confirm(self, pick: int, as_text: bool, fault: Fault | None) -> None:
        upload = self._pick(self._in("waiting_confirm"), pick)
        is_free = upload.name not in self.tables and not self._is_reserved(upload.name)
        columns = [column("n", "text" if as_text else "integer")]
        wanted = WantedSchema(display_name=upload.name, columns=columns)
        code = self._ask(lambda: confirm_job(self.services, self._record(upload), wanted), fault)
        if upload.mode == "create":
            assert code == ("ok" if is_free else DUPLICATE_NAME.code) or self._was_reserved(upload.name)
        else:
            has_table = upload.table_id in {table_id for table_id, _ in self.tables.values()}
            assert code == ("ok" if has_table else TABLE_NOT_FOUND.code)
        upload.readings.append(self._record(upload))

    @precondition(lambda self: self._in("inserting"))
    @rule(pick=PICKS, fault=FAULTS, is_repeated=st.booleans())
    def insert(self, pick: int, fault: Fault | None, is_repeated: bool) -> None:
        """Run the step; if it fails, it may be repeated at once or much later."""
        upload = self._pick(self._in("inserting"), pick)
        run = self._run(lambda: self._load(upload), fault)
        for _ in range(ATTEMPTS):
            if run.ended_well or not is_repeated:
                break
            run = self._run(lambda: self._load(upload), None)
        assert run.ended_well or not is_repeated, run.error

    @precondition(lambda self: any(upload.readings for upload in self.uploads.values()))
    @rule(pick=PICKS, reading=PICKS)
    def resume_a_late_run(self, pick: int, reading: int) -> None:
        """A run that read the job long ago continues: its invocation was paused."""
        upload = self._pick([one for one in self.uploads.values() if one.readings], pick)
        read = upload.readings[reading % len(upload.readings)]

        def resume() -> Any:
            try:
                return inserting._run(self.services, read, is_last_attempt=False)
            except inserting.Superseded:
                return None

        self._run(resume, None)

    @precondition(lambda self: self._rejected())
    @rule(pick=PICKS)
    def wait_for_confirmation(self, pick: int) -> None:
        """The state machine is notified of the rejection."""
        self._change(self._pick(self._rejected(), pick), status="waiting_confirm")

    @precondition(lambda self: self.uploads)
    @rule(pick=PICKS, fault=FAULTS)
    def cancel(self, pick: int, fault: Fault | None) -> None:
        upload = self._pick(list(self.uploads.values()), pick)
        code = self._ask(lambda: cancel_job(self.services, self._record(upload)), fault)
        record = self._record(upload)
        assert record.is_terminal
        assert code == ("ok" if record.is_cancelled else JOB_FINISHED.code)
        upload.is_cancelled = record.is_cancelled

    @rule()
    def sweep(self) -> None:
        """All executions are over, so no job advances: each ends with its true outcome."""
        for upload in self.uploads.values():
            sweep_job(self.world.services, self._record(upload), timestamp(), quiet_before=FAR)
        assert all(self._record(upload).is_terminal for upload in self.uploads.values())

    # --- what must hold
    @invariant()
    def what_was_told_is_there(self) -> None:
        """Acknowledged rows are there once and in order; a job is done exactly if its rows are there."""
        for upload in self.uploads.values():
            self._notice(upload)
            record = self._record(upload)
            if record.is_terminal:
                assert (record.status == "done") == upload.is_applied
            assert not (upload.is_applied and upload.is_cancelled)
        for name, (table_id, rows) in self.tables.items():
            assert not (table_id in self.ruled and _repeats(rows)), name
            found = self.world.query(f'SELECT n::text FROM "{name}" ORDER BY id')
            assert [value for (value,) in found] == rows, name

    def teardown(self) -> None:
        """Let everything end: then nothing is left half done, and both stores agree."""
        self.sweep()
        self.what_was_told_is_there()
        self.world.assert_sound()
        assert self.world.names_held() == set(self.tables)

    # --- how jobs are made and found
    def _load(self, upload: Upload) -> Any:
        return inserting.run_job(self.services, self.world.company_id, upload.job_id)

    def _upload(self, upload: Upload) -> None:
        maker = self.world.maker
        maker._record(upload.job_id, upload.mode, upload.table_id)
        maker._stage(upload.job_id, [[value] for value in upload.rows], [column("n", "text")], ";")
        self.uploads[upload.job_id] = upload
        self._change(upload, status="waiting_confirm")

    def _change(self, upload: Upload, **values: Any) -> None:
        key = {"pk": f"COMPANY#{self.world.company_id}", "sk": f"JOB#{upload.job_id}"}
        self.world.services.items.change(key, values)

    def _notice(self, upload: Upload) -> None:
        """Update the model with what a run committed, which may not have been acknowledged."""
        found = self.world.query(
            "SELECT table_id FROM managed_tables.applied_jobs"
            f" WHERE job_id = '{upload.job_id}' AND row_count >= 0"
        )
        if not found or upload.is_applied:
            assert bool(found) == upload.is_applied
            return
        upload.is_applied = True
        if upload.mode == "create":
            self.tables[upload.name] = (found[0][0], list(upload.rows))
            return
        ((_, rows),) = [table for table in self.tables.values() if table[0] == upload.table_id]
        rows[:] = upload.rows if upload.mode == "replace" else [*rows, *upload.rows]

    def _record(self, upload: Upload) -> JobRecord:
        return self.world.job(upload.job_id)

    def _in(self, status: str) -> list[Upload]:
        return [one for one in self.uploads.values() if self._record(one).status == status]

    def _rejected(self) -> list[Upload]:
        return [one for one in self._in("inserting") if self._record(one).error is not None]

    def _is_reserved(self, name: str) -> bool:
        """Return whether some job is making a table with this name."""
        rejected = self._rejected()
        making = [one for one in self._in("inserting") if one not in rejected]
        return any(one.mode == "create" and one.name == name for one in making)

    def _was_reserved(self, name: str) -> bool:
        """Return whether a job has released the name, which takes a moment if the job was interrupted."""
        made = [one for one in self.uploads.values() if one.mode == "create" and one.readings]
        return any(one.name == name and not one.is_applied for one in made)

    def _pick(self, among: list[Upload], pick: int) -> Upload:
        return among[pick % len(among)]

    def _name(self, pick: int) -> str:
        return sorted(self.tables)[pick % len(self.tables)]

    def _table(self, pick: int) -> tuple[str, list[str]]:
        return self.tables[self._name(pick)]


def _repeats(rows: list[str]) -> bool:
    return len(set(rows)) < len(rows)


def test_any_life_of_a_company_ends_as_its_model_says(world: World, pytestconfig: pytest.Config) -> None:
    live(lambda: Lives(world), pytestconfig.getoption("--lives"))
