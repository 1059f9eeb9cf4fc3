"""What nobody else will do: end jobs that nothing moves, repeat what was not delivered, drop kept rows.

One run is for all companies, and nothing that is wrong with one may cost the others their share: companies
come in turn, each one's failure is its own, and a cluster out of reach is not waited for again and again.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from heapq import heappop, heappush
from itertools import chain, islice, zip_longest

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.aws.metrics import measure_oldest_ticket
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.jobs import UnreadableJobs
from managed_tables.clock import parse_timestamp, timestamp
from managed_tables.errors import DATABASE_UNAVAILABLE, JOB_FAULT, ApiError, JobError
from managed_tables.history import forget_changes
from managed_tables.jobs.ending import clear, end_orphan, is_orphan, resolve
from managed_tables.kept_rows import Reminder, forget_expired
from managed_tables.observability import get_logger, log_keys
from managed_tables.services import Services, load_services
from managed_tables.shares import can_go_on
from managed_tables_ingest.handler import take_arrival

SERVICE = "sweep"
QUIET_SECONDS = 60  # a job that changed later than this is being looked after
MAX_JOBS = 1_000  # a run: memory and time are bounded, and the next run draws again
# Each waits for days; that its execution is over shows at the latest when somebody confirms it.
MAX_WAITING_JOBS = 100
MAX_A_COMPANY = 100  # jobs kept of one, twice, each as likely as its like: memory grows with companies alone
MAX_REMINDERS = 200  # a run, each of which may wake a database; the next run goes on
LAST_START_MS = 60_000  # before the function's end: connecting, a lock and two statements may take as long
_WENT_ON = {"queued": "started", "inserting": "confirmed", "analisando": "reanalyzed"}
SILENT_COMPANIES = 2  # one company's database may be shut for itself, while it is moved; two are the cluster


class SweepFault(Exception):  # noqa: N818 - as JOB_FAULT
    """Some jobs could not be looked at, for a reason that does not pass; the log has each one's trace."""


def sweep(services: Services, may_start: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Look at the jobs that are not terminal; return how many were moved in which way.

    Stops where `may_start` says so; raises SweepFault at the end, where a job failed for no known reason.
    """
    run = _Sweep(services)
    for job in run.draw():
        if not may_start():
            run.outcomes["not reached"] += 1
            continue
        with log_keys(get_logger(SERVICE), company_id=job.company_id, job_id=job.job_id):
            run.look_at(job)
    measure_oldest_ticket(run.longest_wait_seconds)
    outcomes = dict(run.outcomes)
    get_logger(SERVICE).info("swept all", outcomes=outcomes)
    if run.outcomes["fault"]:
        raise SweepFault(f"{run.outcomes['fault']} faults: {outcomes}")
    return outcomes


_Heap = list[tuple[float, str, JobRecord]]


class FairDraw:
    """Draws at most `size` jobs: the first of each company, then the second of each, and so on.

    The jobs of a company that are `inserting` come first, since their rows may be there; else jobs and
    companies come in a random order, so that the same ones are not last each time.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        # Of each company those that are inserting, and the others, which they must not keep out.
        self._kept: defaultdict[str, tuple[_Heap, _Heap]] = defaultdict(lambda: ([], []))

    def add(self, job: JobRecord) -> None:
        """Take a job into account: of a company's, those with the greatest of random numbers are kept."""
        kept = self._kept[job.company_id][job.status != "inserting"]
        heappush(kept, (random.random(), job.job_id, job))  # noqa: S311 - fairness, no secret
        if len(kept) > MAX_A_COMPANY:
            heappop(kept)

    def drawn(self) -> Iterator[JobRecord]:
        """Yield the jobs in the order in which they are to be looked at."""
        companies = [[*sorted(inserting), *sorted(others)] for inserting, others in self._kept.values()]
        random.shuffle(companies)
        rounds = zip_longest(*companies)
        return islice((kept[-1] for kept in chain.from_iterable(rounds) if kept is not None), self._size)


class _Sweep:
    """One run of the sweep: what it has done, and which clusters did not answer it."""

    def __init__(self, services: Services) -> None:
        self.outcomes: Counter[str] = Counter()
        self.longest_wait_seconds = 0.0  # of the jobs whose files are all there, for a slot
        self._services = services
        now = datetime.now(UTC)
        self._now = timestamp(now)
        self._quiet_before = timestamp(now - timedelta(seconds=QUIET_SECONDS))
        self._silent: defaultdict[str, set[str]] = defaultdict(set)  # companies without an answer, a cluster

    def draw(self) -> list[JobRecord]:
        """Return the jobs to look at, of each company in turn; those that wait for people come last."""
        moving, waiting = FairDraw(MAX_JOBS), FairDraw(MAX_WAITING_JOBS)
        for job in self._scan():
            if job.status == "queued" and job.has_all_files:
                waited = parse_timestamp(self._now) - parse_timestamp(job.updated_at)
                self.longest_wait_seconds = max(self.longest_wait_seconds, waited.total_seconds())
            if job.is_overdue(self._now) or _is_quiet(job, self._quiet_before):
                (waiting if job.status == "waiting_confirm" else moving).add(job)
        return [*moving.drawn(), *waiting.drawn()]

    def _scan(self) -> Iterator[JobRecord]:
        """Yield the jobs that need something; what stops the scan costs only those that come after it."""
        try:
            yield from self._services.jobs.scan_unfinished()
        except Exception as error:
            is_known = isinstance(error, UnreadableJobs)
            get_logger(SERVICE).error("not all jobs could be read", exc_info=not is_known, jobs=str(error))
            self.outcomes["fault"] += 1

    def look_at(self, job: JobRecord) -> None:
        """Do what the job needs; whatever happens to it is logged, counted, and no other job's concern."""
        logger = get_logger(SERVICE)
        try:
            outcome = self._try(job)
        except (ExecutionsUnavailable, ApiError):
            logger.warning("left for the next sweep", exc_info=True)
            outcome = "left"
        except Exception:
            logger.exception("the sweep failed at this job")
            outcome = "fault"
        if outcome:
            logger.info("swept", outcome=outcome, status=job.status)
            self.outcomes[outcome] += 1

    def _try(self, listed: JobRecord) -> str | None:
        job = self._services.jobs.find(listed.company_id, listed.job_id)  # the index has less, and lags
        if job is None:
            return None
        if job.status == "inserting" and self._silent and self._is_silent(job):
            return "left"
        try:
            return sweep_job(self._services, job, self._now, self._quiet_before)
        except ApiError as error:
            if error.kind is DATABASE_UNAVAILABLE:
                self._silent[self._cluster_of(job)].add(job.company_id)
            raise

    def _is_silent(self, job: JobRecord) -> bool:
        companies = self._silent.get(self._cluster_of(job), set())
        return job.company_id in companies or len(companies) >= SILENT_COMPANIES

    def _cluster_of(self, job: JobRecord) -> str:
        company = self._services.connections.find(job.company_id)
        return company.cluster if company else ""


def _is_quiet(job: JobRecord, quiet_before: str) -> bool:
    """Return whether a job has stopped that ought to move: an upload moves once all its files are there."""
    return job.updated_at <= quiet_before and (job.status != "queued" or job.has_all_files)


def sweep_job(services: Services, job: JobRecord, now: str, quiet_before: str) -> str | None:
    """Do what one job needs and return what that was (`started`, `told`, …), None for nothing."""
    if job.is_overdue(now):
        return _expire(services, job)
    if not _is_quiet(job, quiet_before):
        return None
    if job.is_terminal:
        return _finish(services, job)
    if is_orphan(services, job):
        return "failed" if end_orphan(services, job) else None
    state = services.executions.state_of(job)
    if state != "running" and (state, job.status) != ("missing", "queued"):
        return _fail(services, job)
    if (state, job.status) != ("running", "queued") and can_go_on(job) and services.shares.admit(job):
        return _WENT_ON[job.status]
    return None


def _expire(services: Services, job: JobRecord) -> str | None:
    """End a job whose files have not come, once S3 was asked: an event that was lost is no file that is."""
    for file in job.files:
        size_bytes = None
        if file.storage_path not in job.arrived:
            size_bytes = services.storage.find_size(file.storage_path)
        if size_bytes is not None:
            take_arrival(services, file.storage_path, size_bytes)
    current = services.jobs.find(job.company_id, job.job_id)
    if current is None or current.status != "queued" or current.has_all_files:
        return "arrived"
    return "expired" if services.jobs.expire(current) else None


def _fail(services: Services, job: JobRecord) -> str | None:
    """End a job whose execution is over, unless it has ended since the index told of it."""
    current = services.jobs.find(job.company_id, job.job_id)
    if current is None or current.updated_at != job.updated_at:
        return None
    if current.status == "inserting" or current.confirmed_key is not None:
        ended = resolve(services, current, JobError(JOB_FAULT))
        return ended.status if ended else None
    failed = services.jobs.fail(current, JobError(JOB_FAULT).as_record())
    return "failed" if failed else None


def _finish(services: Services, job: JobRecord) -> str | None:
    """Do what is left to do of a job that has ended."""
    told = job.unannounced and services.jobs.announce(job)
    if job.uncleared:
        clear(services, job)
    if told:
        return "told"
    if job.uncleared:
        return "cleared"
    if not job.unannounced:
        services.jobs.leave_index(job)
    return None


def drop_expired(services: Services, may_start: Callable[[], bool] = lambda: True) -> int:
    """Drop what was kept for an undo and is due, each company by itself; return how many there were."""
    followed = 0
    for number, reminder in enumerate(services.reminders.due(timestamp())):
        if number >= MAX_REMINDERS or not may_start():
            break
        try:
            _follow(services, reminder)
            followed += 1
        except ApiError:
            get_logger(SERVICE).warning("kept rows left for the next sweep", exc_info=True)
    return followed


def _follow(services: Services, reminder: Reminder) -> None:
    company = services.provisioning.find(reminder.company_id)
    if company is not None:
        with services.open_company(company) as connection:
            settings = services.settings
            while forget_expired(connection, settings.undo_days, settings.history_days):
                pass
            while forget_changes(connection, settings.history_days):
                pass
    services.reminders.remove(reminder)


_services = cache(load_services)  # once a process


def handler(_event: object, context: LambdaContext) -> dict[str, int]:
    """Sweep once; a fault makes Lambda repeat it, and then tell of it as a dead letter."""
    logger = get_logger(SERVICE)
    with log_keys(logger, request_id=getattr(context, "aws_request_id", None)):

        def may_start() -> bool:
            return context.get_remaining_time_in_millis() > LAST_START_MS

        try:
            outcomes = sweep(_services(), may_start)
        finally:  # a job's fault is raised once everything else is done
            dropped = drop_expired(_services(), may_start)
        return {**outcomes, "kept dropped": dropped}
