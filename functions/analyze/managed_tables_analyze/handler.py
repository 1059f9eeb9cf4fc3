"""Turn a job's files into a staged object and an inferred schema: the Lambda handler of Analyze."""

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Literal

import duckdb

from managed_tables.aws.metrics import count_failed_check, count_step
from managed_tables.aws.storage import ObjectMissing
from managed_tables.aws_services import AwsServices
from managed_tables.catalog.job_records import JobEvent, JobRecord, StepOutcome, failed_outcome, reporter
from managed_tables.clock import parse_timestamp
from managed_tables.documents.analyses import PreviewIndex, listed_warnings
from managed_tables.documents.document import JobProgress
from managed_tables.documents.recipes import Recalled
from managed_tables.documents.statements import ReadingStatement
from managed_tables.errors import FILES_CHANGED, FILES_GONE, FILES_TOO_LARGE, JOB_FAULT, JobError
from managed_tables.ids import new_record_id
from managed_tables.messages.findings import Finding
from managed_tables.object_keys import ANALYSIS, PREVIEW_INDEX, PREVIEW_ROWS, STAGED_OBJECT, attempt_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.settings import load_settings
from managed_tables.shares import occupies_slot
from managed_tables_analyze.analysis import Analysis, Report, analyze
from managed_tables_analyze.proofs import compare_with_table
from managed_tables_analyze.returned import Returned, find_not_merged, find_returned, without_ids, without_own
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.rows.reading import NOTHING_STATED, AllOverrides

_PREFIX = "managed-tables-analyze-"
_DOWNLOADED = 20  # percent of reading that is done once the files are here
_STALE_SECONDS = 1_200  # a Lambda lives 900 s at most: what is older was left by one that was killed

logger = get_logger("analyze")


@cache
def _services() -> AwsServices:
    return AwsServices(load_settings())


def handler(event: JobEvent, _context: object) -> StepOutcome:
    """Take `{"company_id", "job_id"}`; return `{"outcome": "analyzed", "auto_confirm"}` or a failure.

    A failure is `{"outcome": "failed", "error"}`. Running it again gives the same. Infrastructure errors are
    raised for the state machine to retry.
    """
    with log_keys(logger, company_id=event["company_id"], job_id=event["job_id"]):
        return analyze_job(_services(), event["company_id"], event["job_id"])


def analyze_job(services: AwsServices, company_id: str, job_id: str) -> StepOutcome:
    """Analyse a job's files and record the result, or why they cannot be read."""
    job = services.jobs.begin_analysis(company_id, job_id)
    if job is None:
        return _outcome_of_other_run(services, company_id, job_id)
    if job.analysis_key is not None and job.wish_key is None:
        return _analyzed(services, job)  # by an earlier run, whose answer was lost
    _remove_leftovers()
    work_dir = Path(tempfile.mkdtemp(prefix=_PREFIX))
    started = time.monotonic()
    try:
        with _on_disk():
            report = reporter("analyze", partial(_keep_progress, services, job))
            paths, etags = _download(services, job, work_dir, report)
            digests = list(map(_digest, paths))
            for file, before, digest in zip(job.files, job.digests, digests, strict=False):
                if before != digest:  # a file that is read again is not the one that was analysed
                    raise JobError(FILES_CHANGED, file=file.original_name)
            found, recalled, told = _analyze_files(services, job, paths, work_dir, report)
            warnings = [*_find_imports(services, job, digests), *told]
            found.document.warnings, found.document.etags = listed_warnings(warnings), etags
            if job.user_table_id is not None:
                table = services.tables.find(job.company_id, job.user_table_id)
                compare_with_table(found, table, recalled, job)
        recorded = _record(services, job, found, recalled, digests)
    except JobError as error:
        logger.info("files refused", extra={"code": error.kind.code})
        count_step("analyze", "failed", seconds=time.monotonic() - started)
        return _refuse(services, job, error)
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)
    count_step("analyze", "analyzed", seconds=time.monotonic() - started)
    rows, size_bytes = found.document.row_count, sum(file.size_bytes for file in job.files)
    counts = {"rows": rows, "files": len(found.document.files), "bytes": size_bytes}
    logger.info("files analysed", extra=counts)
    return _analyzed(services, recorded) if recorded else _outcome_of_other_run(services, company_id, job_id)


@contextmanager
def _on_disk() -> Iterator[None]:
    """Raise FILES_TOO_LARGE where the disk is full: to try again would not help."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise JobError(FILES_TOO_LARGE) from error


def _refuse(services: AwsServices, job: JobRecord, error: JobError) -> StepOutcome:
    """Fail a job whose files cannot be read; a job that was being read again keeps its previous analysis."""
    if job.wish_key is None:
        services.jobs.fail(job, error.as_record())
        return failed_outcome(error.as_record())
    services.jobs.keep_analysis(job, error.as_record())
    return _outcome_of_other_run(services, job.company_id, job.job_id)


def _analyzed(services: AwsServices, job: JobRecord) -> StepOutcome:
    """Return that the job is analysed; a job that now waits for a person gives its slot back."""
    if not occupies_slot(job):  # it waits for a person
        services.shares.leave(job)
    outcome: StepOutcome = {"outcome": "analyzed", "auto_confirm": job.goes_on_alone}
    return {**outcome, "merge": True} if job.mode == "merge" else outcome


def _outcome_of_other_run(services: AwsServices, company_id: str, job_id: str) -> StepOutcome:
    """Return what became of a job that no longer waits for analysis."""
    job = services.jobs.find(company_id, job_id)
    if job is not None and job.analysis_key is not None and not job.is_terminal:
        return _analyzed(services, job)
    return failed_outcome((job.error if job is not None else None) or JobError(JOB_FAULT).as_record())


def _download(
    services: AwsServices, job: JobRecord, work_dir: Path, report: Report
) -> tuple[list[Path], list[str]]:
    """Download the job's files and return their paths and ETags; raises FILES_GONE."""
    total, arrived = sum(file.size_bytes for file in job.files), 0

    def count(size_bytes: int) -> None:
        nonlocal arrived
        arrived += size_bytes
        report("reading", arrived * _DOWNLOADED // total)

    paths = [work_dir / f"{index:02d}" for index in range(len(job.files))]
    try:
        # First: a file that is replaced meanwhile then has another ETag than the one that is kept.
        etags = [services.storage.etag(file.storage_path) for file in job.files]
        for file, path in zip(job.files, paths, strict=True):
            services.storage.download(file.storage_path, path, count)
    except ObjectMissing as error:
        raise JobError(FILES_GONE) from error
    return paths, etags


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _find_imports(services: AwsServices, job: JobRecord, digests: list[str]) -> Iterator[Finding]:
    """Yield a finding for each file that was imported before, into the job's table or as a new one."""
    where = "como tabela nova" if job.user_table_id is None else "nesta tabela"
    for file, digest in zip(job.files, digests, strict=True):
        before = services.imports.find(job, digest)
        if before is not None:
            day = parse_timestamp(before.imported_at).astimezone(services.settings.zone)
            values = {"where": where, "date": f"{day:%d/%m/%Y}", "job": before.job_id}
            yield Finding("SAME_FILE", values, file=file.original_name)


def _analyze_files(
    services: AwsServices, job: JobRecord, paths: list[Path], work_dir: Path, report: Report
) -> tuple[Analysis, Recalled | None, list[Finding]]:
    """Return what the files hold, read under what the table remembers, and that; and what is to be told."""
    sources = [SourceFile(path, file.original_name) for path, file in zip(paths, job.files, strict=True)]
    overrides = NOTHING_STATED
    if job.wish_key:
        overrides = AllOverrides(ReadingStatement.read(services.storage.get_json(job.wish_key)))
    returned, told = find_returned(services, job, paths)
    is_forgotten = overrides.stated.recipe is False or returned is not None
    recalled = None if is_forgotten else services.job_documents.find_recalled(job)

    def report_rest(phase: Literal["reading", "inferring"], percent: int) -> None:
        rest = percent * (100 - _DOWNLOADED) // 100
        report(phase, _DOWNLOADED + rest if phase == "reading" else percent)

    names = _TakenNames(services, job.company_id)
    zone, unpacked = services.settings.zone, services.settings.unpacked_max_bytes

    def read(returned: Returned | None) -> Analysis:
        own = returned.statement() if returned else None
        limits = unpacked, recalled
        return analyze(sources, work_dir, zone, names, overrides, report_rest, *limits, own=own)

    found = read(returned)
    workbook = found.document.workbook = returned.take(found) if returned else None
    if workbook is not None:
        told += [*find_not_merged(found, workbook), *without_own(found.findings, workbook)]
    else:
        if returned is not None:
            told, found = [without_ids(job)], read(None)
        told += found.findings
    for failure in found.failures:
        logger.error("a check of the files failed", exc_info=failure)
        count_failed_check()
    return found, recalled, told


def _keep_progress(
    services: AwsServices, job: JobRecord, phase: Literal["reading", "inferring"], percent: int
) -> bool:
    return services.jobs.report_progress(job, JobProgress(phase=phase, percent=percent))


def _record(
    services: AwsServices, job: JobRecord, found: Analysis, recalled: Recalled | None, digests: list[str]
) -> JobRecord | None:
    """Store the analysis under keys of this run; return None, storing nothing, if another run was first."""
    key_of = partial(attempt_key, job.company_id, job.job_id, new_record_id())  # no other run has these
    staged_key, key = key_of(STAGED_OBJECT), key_of(ANALYSIS)
    with found.staged.open("rb") as staged:
        services.storage.put(staged_key, staged)
    document = found.document
    if job.intake is not None and job.intake.table_name is not None:
        document.inferred_schema.suggested_table_name = job.intake.table_name
    _store_preview(services, key_of, found)
    services.storage.put_json(key, document.as_json())
    # The table may have changed since the job was handed what it remembers: Insert has that read again.
    is_outdated = not job.is_read_again and document.refutes("AS_RECALLED")
    goes_on = recalled and job.may_go_as(recalled.recipe) and (document.is_proven or is_outdated)
    recorded = services.jobs.record_analysis(
        job,
        analysis_key=key,
        staged_key=staged_key,
        digests=digests,
        confirms_itself=bool(goes_on),
        mode="merge" if document.workbook else None,
    )
    if recorded is not None:
        return recorded
    held = services.jobs.find(job.company_id, job.job_id)
    if held is not None and held.analysis_key == key:  # recorded by a request whose answer was lost
        return held
    for unused in (STAGED_OBJECT, PREVIEW_INDEX, PREVIEW_ROWS, ANALYSIS):
        services.storage.delete(key_of(unused))
    return None


def _store_preview(services: AwsServices, key_of: Callable[[str], str], found: Analysis) -> None:
    """Store what the API needs to show lines, under keys that the analysis names."""
    document = found.document
    document.preview_key = key_of(PREVIEW_INDEX)
    services.storage.put_json(document.preview_key, PreviewIndex(tables=found.preview.tables).as_json())
    copies = found.preview.rows
    if copies.exists() and copies.stat().st_size > 0:
        document.preview_rows_key = key_of(PREVIEW_ROWS)
        services.storage.upload_file(copies, document.preview_rows_key)


class _TakenNames:
    """The names that the company's tables hold, asked for one by one."""

    def __init__(self, services: AwsServices, company_id: str) -> None:
        self._tables, self._company_id = services.tables, company_id

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._tables.find_holder(self._company_id, name) is not None


def _remove_leftovers() -> None:
    """Delete the files that killed runs have left, which would fill the disk of this one."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
