"""The Lambda entry of the inserting step: `{"company_id", "job_id", "is_last_attempt"}` in, outcome out.

What else the function is called for is in `errands`.
"""

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables import errors
from managed_tables.aws.metrics import count_step
from managed_tables.aws.storage import ObjectMissing
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import (
    JobRecord,
    StepOutcome,
    failed_outcome,
    inserting_progress,
    reporter,
)
from managed_tables.databases.applied import AppliedJob, Fenced, find_applied_job, loader_name
from managed_tables.databases.connecting import PgConnection
from managed_tables.details import MAX_ERROR_DETAILS, Fault, row_detail
from managed_tables.documents.pictures import LoadMemory
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.errors import ApiError, JobError
from managed_tables.jobs.ending import attempt, complete, resolve
from managed_tables.jobs.rejects import rejects_keys
from managed_tables.object_keys import STAGED_OBJECT
from managed_tables.observability import get_logger, log_keys
from managed_tables.rules.saying import reason_of
from managed_tables.schema import Column
from managed_tables.services import Services, load_services
from managed_tables.tables.constraints import constraint_name, rule_of
from managed_tables.tables.definitions import TableChange
from managed_tables.tables.recipes import make_recipe
from managed_tables_insert.converter import open_converter
from managed_tables_insert.errands import ErrandAnswer, ErrandEvent, find_errand
from managed_tables_insert.loading import Load
from managed_tables_insert.misfits import Rejects, write_rejects
from managed_tables_insert.plan import LoadPlan, count_repairs, leave_out_rows, make_plan, take_pictures
from managed_tables_insert.transfer import DuplicateFound, MisfitFound, RuleViolated
from managed_tables_insert.unattended import confirm_unattended, confirm_unchanged, read_again
from managed_tables_insert.workbooks import find_valueless, make_workbook_plan, renew_plan, without_valueless

MAX_READINGS = 3  # of a job that others move on meanwhile; then the state machine tries again
CONVERTER_MEMORY = "1GB"  # of DuckDB: half of the function's; more goes to the temporary folder


_WAITING_OUTCOMES = ("busy", "rejected")  # others are let work meanwhile
_AS_IT_IS_TO_STAND = (
    "a linha, como ficaria na tabela, não cabe nela: uma regra, a chave ou um valor que falta"
)
_CORRECTABLE = (  # by whoever confirms the job again
    errors.CONFLICTS_CAME,
    errors.VALUES_NOT_CONVERTED,
    errors.DUPLICATE_KEYS,
    errors.FILES_IMPORTED,
    errors.RECIPE_CHANGED,
)
_OUTDATED = (errors.RECIPE_CHANGED, errors.TABLE_CHANGED)  # what was read under the table before it changed


class Superseded(Exception):  # noqa: N818 - an outcome, not a fault
    """The job has changed since this run read it: another run, or another confirmation, moved it on."""


class _Busy(Exception):  # noqa: N818 - an outcome, not a fault
    """Others have to end first, and there is time for that."""


@dataclass(frozen=True)
class Loading:
    """One run of the step over a confirmed job; after the last attempt nobody waits for a busy table."""

    services: Services
    job: JobRecord
    is_last_attempt: bool

    @cached_property
    def confirmed(self) -> ConfirmedDocument:
        """What was confirmed."""
        return ConfirmedDocument.read(self.services.storage.get_json(self.job.confirmed_key or ""))

    @cached_property
    def company(self) -> ConnectionRecord:
        """The company's database."""
        return self.services.provisioning.require(self.job.company_id)

    def run(self) -> StepOutcome:
        """Load the rows, or find them loaded, and record how the job ended; faults are raised."""
        # Under a name of its own, so that a cancellation finds the session.
        databases = replace(self.services.databases, application_name=loader_name(self.job.job_id))
        limits = self.services.load_limits
        try:
            with closing(databases.open_company_connection(self.company, limits)) as connection:
                applied = find_applied_job(connection, self.job.job_id) or self._load(connection)
        except _Busy:
            return {"outcome": "busy"}
        except JobError as error:
            if error.kind is errors.CONFLICTS_CAME and not self.job.is_unattended:
                renew_plan(self.services, self.job)  # as others have changed the table since
            if error.kind in _OUTDATED and self.job.is_confirmed_by_itself:
                again = read_again(self.services, self.job)
                return again or self._fail(JobError(errors.RECIPE_CHANGED))
            return self._fail(error)
        return _outcome_of(complete(self.services, self.company, self.job, applied))

    def _load(self, connection: PgConnection) -> AppliedJob:
        with tempfile.TemporaryDirectory() as folder, open_converter(Path(folder)) as converter:
            days = self.services.settings.history_days
            load = Load(connection, converter, self.job, self.confirmed, days)
            plan = self._plan(load, Path(folder))
            if plan.skips_misfits:
                plan = self._leave_out(load, plan)
            plan = replace(plan, repaired=count_repairs(converter, plan).total)
            self._remind()
            return self._run(load, plan)

    def _leave_out(self, load: Load, plan: LoadPlan) -> LoadPlan:
        """Return the plan without the rows that do not load, which are kept, to be corrected."""
        if self.job.mode == "merge":
            numbers = load.find_refused(plan)
            plan = leave_out_rows(load.converter, plan, numbers, [_AS_IT_IS_TO_STAND] * len(numbers))
        elif self.job.mode != "create" or self.confirmed.additions.key:
            plan = load.find_repeated_keys(plan).leave_out()
        for rule in load.rules_of_rows() if self.job.mode != "merge" else ():
            plan = load.find_repeated_keys(plan, rule=rule).leave_out()
        self._keep_rejects(load, plan)
        return plan

    def _run(self, load: Load, plan: LoadPlan) -> AppliedJob:
        """Load the rows of the plan; raises JobError naming what does not let them in."""
        report = reporter("insert", partial(self._keep_progress, plan.row_count))
        try:
            return load.run(plan, report)
        except MisfitFound as found:
            self._refuse_misfits(load, plan)
            raise JobError(errors.VALUES_REFUSED, reason=str(found)) from found
        except RuleViolated as found:
            self._refuse_broken(load, plan, found)
            raise JobError(errors.VALUES_REFUSED, reason=self._named(load, found)) from found
        except DuplicateFound as found:
            if not plan.skips_misfits:
                self._refuse_misfits(load, plan)
            repeated = load.find_repeated_keys(plan, MAX_ERROR_DETAILS)
            if not repeated.rows:  # the key, or the other row, is gone: to be tried again
                raise
            count = repeated.count
            raise JobError(errors.DUPLICATE_KEYS, repeated.describe(), count, count=count) from found
        except Fenced as error:
            raise JobError(errors.RESERVATION_LOST) from error
        except ApiError as error:
            if error.kind is errors.DUPLICATE_NAME:  # of a table that somebody made by hand in SQL
                raise JobError(errors.TABLE_NAME_TAKEN, name=self.confirmed.display_name) from error
            raise

    def _refuse_broken(self, load: Load, plan: LoadPlan, found: RuleViolated) -> None:
        """Raise VALUES_NOT_CONVERTED naming the rows that break rules; they are kept, to be corrected.

        Not where we find none that PostgreSQL refuses.
        """
        if plan.skips_misfits:
            return
        self._refuse_misfits(load, plan)
        for rule in load.rules_of_rows():
            if found.constraint == constraint_name(self.confirmed.table_id, rule):
                repeated = load.find_repeated_keys(plan, MAX_ERROR_DETAILS, rule)
                if repeated.rows:
                    count = repeated.count
                    raise JobError(errors.VALUES_NOT_CONVERTED, repeated.describe(), count, count=count)

    def _named(self, load: Load, found: RuleViolated) -> str:
        """Return which rule PostgreSQL says is broken, and what it wants, or whose it is."""
        get_logger("insert").warning("a rule passed what PostgreSQL refused", constraint=found.constraint)
        for rule in load.current_rules():
            if found.constraint == constraint_name(self.confirmed.table_id, rule):
                return f"regra {rule.id}: {reason_of(rule)}"
        named = rule_of(found.constraint)
        return f"regra {named[1]} da tabela {found.table_name}" if named else str(found)

    def _keep_progress(self, total_rows: int, processed_rows: int) -> bool:
        return self.services.jobs.report_progress(self.job, inserting_progress(processed_rows, total_rows))

    def _remind(self) -> None:
        """Remember that the load may keep rows to undo it, and those of an upsert for their history."""
        settings = self.services.settings
        kept_days = {
            "replace": settings.undo_days,
            "merge": settings.undo_days,
            "upsert": max(settings.undo_days, settings.history_days),
        }
        if self.job.mode in kept_days:
            self.services.reminders.add(self.job.company_id, self.job.job_id, kept_days[self.job.mode])

    def _refuse_misfits(self, load: Load, plan: LoadPlan) -> None:
        """Raise VALUES_NOT_CONVERTED if values do not fit; their rows are kept, to be corrected."""
        load.keep_references(plan)
        found = self._keep_rejects(load, plan)
        if found.values:
            raise JobError(errors.VALUES_NOT_CONVERTED, found.details, found.values, count=found.values)

    def _keep_rejects(self, load: Load, plan: LoadPlan) -> Rejects:
        """Store the rows that do not fit, where there are any; repeatable."""
        keys = rejects_keys(self.job)
        target = plan.staged.with_name("rejects.csv")
        rejects = write_rejects(load.converter, plan, target)
        if rejects.rows and keys is not None:
            self.services.storage.upload_file(target, keys[0])
            self.services.storage.put_json(keys[1], {"rows": rejects.rows})
        return rejects

    def _plan(self, load: Load, folder: Path) -> LoadPlan:
        """Return the plan; a table that is to get new columns has them, once all values are known to fit."""
        staged = folder / STAGED_OBJECT
        analysis = self.services.job_documents.find_analysis(self.job)
        if analysis is None or self.job.staged_key is None:
            raise JobError(errors.FILES_GONE)
        try:
            self.services.storage.download(self.job.staged_key, staged)
        except ObjectMissing as error:
            raise JobError(errors.FILES_GONE) from error
        terms = self.confirmed.terms
        columns, missing = load.current_columns()
        if self.job.mode == "merge":
            return self._workbook_plan(load, staged, columns)
        plan = make_plan(staged, analysis, columns, self.services.settings.default_timezone, terms)
        plan = replace(plan, rules=load.current_rules())
        before = self.services.job_documents.find_recalled(self.job)
        if self.job.is_confirmed_by_itself:  # nobody has left a row out, or wants another column
            if missing:
                raise JobError(errors.RECIPE_CHANGED)
            plan = replace(plan, skips_misfits=False, recalled=before)
        if plan.skips_misfits:
            load.keep_references(plan)
        memory = LoadMemory(digests=analysis.digests)
        if terms.remember:
            repairs = count_repairs(load.converter, plan).texts
            recipe = make_recipe(analysis, columns, terms, plan.timezone, before, repairs)
            memory.pictures = take_pictures(load.converter, plan, analysis, terms)
            plan = replace(plan, recipe=recipe)
        plan = replace(plan, memory=memory)
        if missing or terms.make_nullable:
            if not plan.skips_misfits:
                self._refuse_misfits(load, plan)
            self._add_columns(missing)
        return plan

    def _workbook_plan(self, load: Load, staged: Path, columns: tuple[Column, ...]) -> LoadPlan:
        """Return the plan of a workbook that has come back; raises JobError for formulas without a value."""
        plan = make_workbook_plan(self.services, self.job, self.confirmed, columns, staged)
        analysis = self.services.job_documents.get_analysis(self.job)
        valueless = find_valueless(plan, analysis.workbook) if analysis.workbook else []
        if valueless and not plan.skips_misfits:
            file = plan.files[0]
            details = [
                row_detail(Fault("REQUIRED", one.reason), file, None, one.line, column=one.column)
                for one in valueless[:MAX_ERROR_DETAILS]
            ]
            count = len(valueless)
            raise JobError(errors.VALUES_NOT_CONVERTED, details, count, count=count)
        plan = without_valueless(load.converter, plan, valueless)
        return replace(plan, memory=LoadMemory(digests=analysis.digests))

    def _add_columns(self, columns: tuple[Column, ...]) -> None:
        nullable = self.confirmed.terms.make_nullable
        change = TableChange(added_columns=columns, nullable_columns=nullable, job_id=self.job.job_id)
        try:
            self.services.table_operations.update(self.company, self.confirmed.table_id, change)
        except ApiError as error:
            if error.kind is errors.INVALID_SCHEMA:
                raise JobError(errors.TABLE_CHANGED) from error
            if error.kind is errors.TABLE_BUSY:
                raise (JobError(errors.TABLE_LOCKED) if self.is_last_attempt else _Busy) from error
            raise

    def _fail(self, error: JobError) -> StepOutcome:
        """Record why, then clear what the job has left: the record does not depend on that.

        Values that do not fit leave the job to be confirmed again, where there is somebody to do it.
        """
        get_logger("insert").info("not loaded", code=error.kind.code)
        if error.kind not in _CORRECTABLE or self.job.is_unattended:
            if error.kind is errors.VALUES_NOT_CONVERTED:
                total = error.details_total
                error = JobError(errors.UNATTENDED_MISFITS, error.details, total, count=total)
            current = self.services.jobs.find(self.job.company_id, self.job.job_id)
            read = ("inserting", self.job.confirmed_key, None)
            if current is None or (current.status, current.confirmed_key, current.error) != read:
                raise Superseded(self.job.job_id)
            return _outcome_of(resolve(self.services, self.job, error))
        rejected = self.services.jobs.reject(self.job, error.as_record())
        self.release()
        return _outcome_of(rejected)

    def release(self) -> None:
        """Give up the job's files, and the table that it was to make; what fails is left to others."""
        attempt(lambda: self.services.imports.forget(self.job), self.job.job_id)
        if self.job.mode == "create":
            end = self.services.reconciliation.end_reservation
            attempt(lambda: end(self.company, self.confirmed.table_id), self.job.job_id)


def run_job(
    services: Services, company_id: str, job_id: str, *, is_last_attempt: bool = False
) -> StepOutcome:
    """Run the inserting step of a job, again where it was superseded; other errors are to be retried."""
    for _ in range(MAX_READINGS):
        job = services.jobs.find(company_id, job_id)
        if job is None:
            raise LookupError(f"no job {job_id}")
        try:
            outcome = _run(services, job, is_last_attempt=is_last_attempt)
        except ApiError as error:
            is_busy = error.kind is errors.TABLE_BUSY and job.confirms_itself
            if is_last_attempt or not (is_busy or error.kind in errors.AWAY):
                raise
            get_logger("insert").info("no table to load into", code=error.kind.code)
            outcome = StepOutcome(outcome="busy")
        except Superseded:
            get_logger("insert").info("superseded", confirmed_key=job.confirmed_key)
            continue
        if outcome["outcome"] in _WAITING_OUTCOMES:
            services.shares.leave(job)
        return outcome
    raise Superseded(job_id)


def _run(services: Services, job: JobRecord, *, is_last_attempt: bool) -> StepOutcome:
    if job.status == "analisando" and job.goes_on_alone:
        outcome = _confirm_alone(services, job, is_last_attempt=is_last_attempt)
        if outcome is not None:
            return outcome
        job = services.jobs.find(job.company_id, job.job_id) or job
    if job.status == "analisando":  # the execution was told of neither: its token's writing was not answered
        return {"outcome": "reanalyze"}
    if not job.is_terminal and not job.is_rejected:
        return Loading(services, job, is_last_attempt).run()
    if job.is_rejected and job.confirmed_key is not None:  # else it waits for its first confirmation
        Loading(services, job, is_last_attempt).release()
    return _outcome_of(job)


def _confirm_alone(services: Services, job: JobRecord, *, is_last_attempt: bool) -> StepOutcome | None:
    """Confirm a job that nobody is asked about; return the outcome where it is not confirmed now."""
    try:
        if job.confirms_itself:
            return confirm_unchanged(services, job)
        if confirm_unattended(services, job):
            return None
        if not is_last_attempt:
            return {"outcome": "busy"}
        raise JobError(errors.TABLE_NOT_MADE)
    except JobError as error:
        return _outcome_of(services.jobs.fail(job, error.as_record()))


def _outcome_of(job: JobRecord | None) -> StepOutcome:
    """Return a job's outcome for the state machine; raises Superseded for None: nothing was changed."""
    if job is None:
        raise Superseded
    if job.status == "done":
        return {"outcome": "done"}
    if job.status == "failed":
        return failed_outcome(job.error or JobError(errors.JOB_FAULT).as_record())
    return {"outcome": "rejected"}


class InsertEvent(ErrandEvent, total=False):
    """What the function is called with: to load a job, or for one of the errands."""

    is_last_attempt: bool


_services = cache(load_services)  # once a process


def handler(event: InsertEvent, context: LambdaContext) -> StepOutcome | ErrandAnswer:
    """Load the job's rows, or do an errand; a fault is raised, for the state machine to retry."""
    logger = get_logger("insert")
    company_id, job_id = event["company_id"], event["job_id"]
    request_id = getattr(context, "aws_request_id", None)
    with log_keys(logger, company_id=company_id, job_id=job_id, request_id=request_id):
        errand = find_errand(event)
        if errand is not None:
            return errand(_services(), event)
        started = time.monotonic()
        outcome = run_job(
            _services(), company_id, job_id, is_last_attempt=event.get("is_last_attempt", False)
        )
        count_step("insert", outcome["outcome"], seconds=time.monotonic() - started)
        logger.info("insert ended", outcome=outcome["outcome"])
        return outcome
