"""Owns the inserting step of a job: from the confirmed schema to the job's end, repeatable at any point."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.jobs import JobRecord
from managed_tables.conversion.sql_text import literal
from managed_tables.databases.applied import Fenced, find_applied_rows
from managed_tables.databases.connecting import PgConnection, SessionLimits
from managed_tables.errors import (
    DUPLICATE_NAME,
    INVALID_SCHEMA,
    RESERVATION_LOST,
    TABLE_CHANGED,
    TABLE_NAME_TAKEN,
    VALUES_NOT_CONVERTED,
    VALUES_REFUSED,
    ApiError,
    JobError,
)
from managed_tables.observability import get_logger
from managed_tables.schema import Column
from managed_tables.services import Services
from managed_tables.storage import ANALYSIS, STAGED_OBJECT, job_key
from managed_tables_insert.loading import Target, current_columns, load_rows
from managed_tables_insert.misfits import find_misfits
from managed_tables_insert.pipe import MisfitFound
from managed_tables_insert.plan import LoadPlan, make_plan
from managed_tables_insert.unattended import confirm_unattended

Outcome = dict[str, Any]

# The loader waits for whoever is writing; nobody waits for an answer of it within a request's time.
LOCK_TIMEOUT_MS = 120_000
CONVERTER_MEMORY = "1GB"  # of DuckDB: half of the function's; more goes to the temporary folder


@dataclass(frozen=True)
class Loading:
    """One run of the step: its job, the company's database, what was analysed and what was confirmed."""

    services: Services
    job: JobRecord
    company: ConnectionRecord
    target: Target

    def run(self) -> Outcome:
        """Load the rows, or find them loaded, and record how the job ended; faults are raised."""
        try:
            with self._open_database() as connection:
                count = find_applied_rows(connection, self.job.job_id)
                if count is None:
                    self._load(connection)
            return self._complete()
        except JobError as error:
            return self._fail(error)

    def _load(self, connection: PgConnection) -> None:
        with tempfile.TemporaryDirectory() as folder, open_converter(Path(folder)) as converter:
            plan = self._prepare(connection, converter, Path(folder))
            report = progress_reporter(self.services, self.job, plan.row_count)
            zone = self.services.settings.default_timezone
            try:
                load_rows(connection, converter, self.target, plan, zone, report)
            except MisfitFound as found:
                raise _misfit_error(converter, plan, found) from found
            except Fenced as error:
                raise JobError(RESERVATION_LOST) from error
            except ApiError as error:
                if error.kind is DUPLICATE_NAME:  # of a table that somebody made by hand in SQL
                    raise JobError(TABLE_NAME_TAKEN, name=self.target.display_name) from error
                raise

    def _prepare(self, connection: PgConnection, converter: DuckDBPyConnection, folder: Path) -> LoadPlan:
        """Return the plan; a table that is to get new columns has them, once all values are known to fit."""
        company_id, job_id = self.job.company_id, self.job.job_id
        storage = self.services.storage
        analysis = storage.get_json(self.job.analysis_key or job_key(company_id, job_id, ANALYSIS))
        staged = folder / STAGED_OBJECT
        storage.download(job_key(company_id, job_id, STAGED_OBJECT), staged)
        if self.target.mode == "create":
            return make_plan(staged, analysis, self.target.columns)
        columns, missing = current_columns(connection, self.target)
        plan = make_plan(staged, analysis, columns)
        if missing:
            misfits = find_misfits(converter, plan)
            if misfits.count:
                raise JobError(VALUES_NOT_CONVERTED, misfits.details, misfits.count, count=misfits.count)
            self._add_columns(missing)
        return plan

    def _add_columns(self, columns: tuple[Column, ...]) -> None:
        try:
            self.services.table_operations.add_columns(self.company, self.target.table_id, columns)
        except ApiError as error:
            if error.kind is INVALID_SCHEMA:
                raise JobError(TABLE_CHANGED) from error
            raise

    def _complete(self) -> Outcome:
        """Show the table and end the job; both can be repeated after the commit."""
        if self.target.mode == "create":
            self.services.upload_tables.finalise(self.company, self.target.table_id)
        self.services.jobs.complete(self.job.company_id, self.job.job_id, self.target.table_id)
        return {"outcome": "done"}

    def _fail(self, error: JobError) -> Outcome:
        """Record why and give the reservation up.

        In this order: a run that is cut off in between must not make the next one find its name lost. Values
        that do not fit leave the job to be confirmed again, where there is somebody to do it.
        """
        get_logger("insert").info("not loaded", code=error.kind.code)
        if error.kind is VALUES_NOT_CONVERTED and not self.job.is_unattended:
            self.services.jobs.reject(self.job.company_id, self.job.job_id, error.as_record())
            outcome: Outcome = {"outcome": "rejected"}
        else:
            outcome = _fail_job(self.services, self.job, error)
        self.release()
        return outcome

    def release(self) -> None:
        """Give up the table that the job was to make; repeatable."""
        if self.target.mode == "create":
            self.services.upload_tables.release(self.company, self.target.table_id)

    @contextmanager
    def _open_database(self) -> Iterator[PgConnection]:
        limits = SessionLimits(self.services.settings.load_statement_timeout_ms, LOCK_TIMEOUT_MS)
        connection = self.services.databases.open_company_connection(self.company, limits)
        try:
            yield connection
        finally:
            connection.close()


def run_job(services: Services, company_id: str, job_id: str) -> Outcome:
    """Run the inserting step of a job; raises what the state machine is to retry."""
    job = services.jobs.find(company_id, job_id)
    if job is None:
        raise LookupError(f"no job {job_id}")
    if job.status == "analisando" and job.is_unattended:
        try:
            if not confirm_unattended(services, job):
                return {"outcome": "busy"}
        except JobError as error:
            return _fail_job(services, job, error)
        job = services.jobs.find(company_id, job_id) or job
    if job.status == "done":
        return {"outcome": "done"}
    if job.status == "failed":
        if job.confirmed_key is not None:
            _loading(services, job).release()  # an earlier run may have been cut off before that
        return {"outcome": "failed", "error": {**(job.error or {}), "details": []}}
    loading = _loading(services, job)
    if job.error is not None or job.status == "waiting_confirm":
        # An earlier run recorded the rejection, and its answer was lost.
        loading.release()
        return {"outcome": "rejected"}
    return loading.run()


def _fail_job(services: Services, job: JobRecord, error: JobError) -> Outcome:
    record = error.as_record()
    services.jobs.fail(job.company_id, job.job_id, record)
    return {"outcome": "failed", "error": {"code": record["code"], "message": record["message"]}}


def _loading(services: Services, job: JobRecord) -> Loading:
    confirmed: Mapping[str, Any] = services.storage.get_json(job.confirmed_key or "")
    target = Target(
        job_id=job.job_id,
        mode=job.mode,
        table_id=confirmed["table_id"],
        display_name=confirmed["display_name"],
        columns=tuple(map(Column.model_validate, confirmed["columns"])),
    )
    return Loading(services, job, services.provisioning.require(job.company_id), target)


def _misfit_error(converter: DuckDBPyConnection, plan: LoadPlan, found: MisfitFound) -> JobError:
    misfits = find_misfits(converter, plan)
    if misfits.count:
        return JobError(VALUES_NOT_CONVERTED, misfits.details, misfits.count, count=misfits.count)
    return JobError(VALUES_REFUSED, reason=str(found))


@contextmanager
def open_converter(folder: Path) -> Iterator[DuckDBPyConnection]:
    """Open the DuckDB that converts: bounded memory, the rest in `folder`, nothing fetched from outside."""
    with duckdb.connect() as connection:
        for name, value in {
            "memory_limit": CONVERTER_MEMORY,
            "temp_directory": str(folder),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_progress_bar": "false",  # it would be drawn into the log
        }.items():
            connection.execute(f"SET {name} = {literal(value)}")
        connection.execute(f"SET threads = {os.cpu_count() or 1}")
        yield connection


def progress_reporter(services: Services, job: JobRecord, total_rows: int) -> Callable[[int], None]:
    """Return what keeps the number of rows processed in the job's record; a report that fails is skipped."""

    def report(processed_rows: int) -> None:
        percent = min(99, processed_rows * 100 // total_rows) if total_rows else 0
        progress = {
            "phase": "inserting",
            "processed_rows": min(processed_rows, total_rows),
            "total_rows": total_rows,
            "percent": percent,
        }
        try:
            services.jobs.report_progress(job.company_id, job.job_id, progress)
        except ApiError:
            get_logger("insert").warning("progress not recorded", exc_info=True)

    return report
