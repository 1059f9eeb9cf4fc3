"""Turn an object put under `inbox/<company_id>/` into a job, as if it had been uploaded.

The job's id is the event's, so the same event twice is one job. The object is copied to the job's own key
(whose arrival then starts the execution, as every upload's does): a later object of the same name
belongs to another job and cannot change this one's. The object is tagged with the job's id, so that
its sender can follow the job.
"""

from datetime import UTC, datetime, timedelta

from managed_tables import errors
from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.job_records import Intake, JobFile, JobRecord
from managed_tables.clock import timestamp
from managed_tables.documents.confirmations import LoadMode
from managed_tables.errors import ApiError, JobError
from managed_tables.ids import NOBODY
from managed_tables.jobs.targets import Target, find_target
from managed_tables.object_keys import parse_inbox_key, upload_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.tables.definitions import check_table_name
from managed_tables.uploads import OfferedFile, check_files
from managed_tables.wiring.aws_services import AwsServices
from managed_tables_ingest.arrivals import Arrival

PREFIX = "inbox/"
JOB_TAG = "job-id"
_FLAGS = ("true", "false", "unchanged")
_MODES: dict[str, LoadMode] = {"append": "append", "replace": "replace", "upsert": "upsert"}


def take_object(services: AwsServices, arrival: Arrival) -> None:
    """Start a job for the object; one that cannot be taken is a failed job, or a refusal in the log."""
    logger = get_logger("ingest")
    place = parse_inbox_key(arrival.key)
    if place is None:
        if not arrival.key.endswith("/"):  # the console of S3 makes such objects of folders
            logger.warning("refused: not inbox/<company_id>/<file name>", key=arrival.key)
        return
    company_id, name = place
    with log_keys(logger, company_id=company_id, job_id=arrival.event_id):
        company = services.connections.find(company_id)
        if company is None or company.state != "ready":
            logger.warning("refused: the company has no database", key=arrival.key)
            return
        job = services.jobs.find(company_id, arrival.event_id)
        if job is not None and (job.status != "queued" or job.has_all_files):
            logger.info("taken already", status=job.status)
            return
        _take(services, arrival, job, company_id, OfferedFile(name, arrival.size_bytes))


def _take(
    services: AwsServices, arrival: Arrival, job: JobRecord | None, company_id: str, file: OfferedFile
) -> None:
    """Make the job, unless an earlier delivery has, and give it its file."""
    logger = get_logger("ingest")
    metadata = services.storage.find_metadata(arrival.key, arrival.etag)
    if metadata is None and job is None:
        logger.info("deleted or replaced before it was taken", key=arrival.key)
        return
    intake, target, refusal = _plan(services, company_id, file, metadata or {})
    if job is None:
        job = _create(
            services,
            arrival,
            company_id,
            file,
            intake,
            target,
            if_unchanged=_flag(metadata or {}) == "unchanged",
            is_refused=refusal is not None,
        )
    services.storage.tag(arrival.key, JOB_TAG, job.job_id)
    stored = job.files[0]
    if refusal is None and not services.storage.copy(
        arrival.key, arrival.etag, stored.storage_path, stored.mime_type
    ):
        refusal = JobError(errors.INBOX_OBJECT_GONE, file=stored.original_name)
    if refusal is None:
        logger.info("taken", mode=job.mode, auto_confirm=job.is_unattended)
    else:
        services.jobs.fail(job, refusal.as_record(), unless_arrived=1)
        logger.warning("refused", code=refusal.kind.code, key=arrival.key)


def _plan(
    services: AwsServices, company_id: str, file: OfferedFile, metadata: dict[str, str]
) -> tuple[Intake, Target, JobError | None]:
    """Return the object's request, the target of its rows, and why it is refused."""
    intake, target = Intake(), Target("create")
    try:
        check_files([file], services.settings.upload_max_bytes)
        intake = read_intake(file.base_name, metadata)
        target = find_target(services.tables, company_id, intake)
        if not target.is_active:
            raise JobError(errors.TABLE_NOT_ACTIVE)
    except ApiError as error:
        if error.kind.status >= 500:
            raise
        refusal = JobError(
            errors.INBOX_FILE_REFUSED,
            error.details,
            error.details_total,
            file=file.base_name,
            reason=error.sentence,
        )
        return intake, target, refusal
    except JobError as error:
        return intake, target, error
    return intake, target, None


def read_intake(file_name: str, metadata: dict[str, str]) -> Intake:
    """Read `auto-confirm`, `table` and `mode` of an object's metadata; raises INBOX_METADATA_INVALID."""
    table = metadata.get("table")
    flag = _flag(metadata)
    mode = metadata.get("mode", "append").strip().lower()
    reason = ""
    if flag not in _FLAGS:
        reason = "auto-confirm deve ser true, unchanged ou false"
    elif mode not in _MODES:
        reason = "mode deve ser append, replace ou upsert"
    elif table is None and (flag != "false" or "mode" in metadata):
        reason = "falta table, o nome da tabela"
    elif table is not None:
        reason = _name_fault(table)
    if reason:
        raise JobError(errors.INBOX_METADATA_INVALID, file=file_name, reason=reason)
    return Intake(table, _MODES[mode], flag == "true")


def _flag(metadata: dict[str, str]) -> str:
    return metadata.get("auto-confirm", "false").strip().lower()


def _name_fault(table: str) -> str:
    try:
        check_table_name(table)
    except ApiError as error:
        return f"table: {error.details[0]['reason']}"
    return ""


def _create(
    services: AwsServices,
    arrival: Arrival,
    company_id: str,
    file: OfferedFile,
    intake: Intake,
    target: Target,
    *,
    if_unchanged: bool,
    is_refused: bool,
) -> JobRecord:
    """Record the job; of a file that is refused it names the object itself."""
    now = datetime.now(UTC)
    path = arrival.key if is_refused else upload_key(company_id, arrival.event_id, 0, file.extension)
    mime_type = "application/octet-stream" if is_refused else file.mime_type
    job = JobRecord(
        company_id=company_id,
        job_id=arrival.event_id,
        user_id=NOBODY,
        mode=target.mode,
        status="queued",
        files=(JobFile(file.base_name, path, file.size_bytes, mime_type),),
        expires_at=timestamp(now + timedelta(seconds=services.settings.upload_expires_seconds)),
        created_at=timestamp(now),
        updated_at=timestamp(now),
        user_table_id=target.table_id,
        intake=intake,
        if_unchanged=if_unchanged,
    )
    try:
        services.jobs.create(job)
    except ConditionFailed:  # the same event, at the same time
        return services.jobs.find(company_id, job.job_id) or job
    return job
