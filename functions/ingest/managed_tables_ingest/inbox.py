"""Turn an object put under `inbox/<company_id>/` into a job, as if it had been uploaded.

The job's id is the event's, so the same event twice is one job. The object is copied to the job's own key
(whose arrival then starts the execution, as every upload's does): a later object of the same name
belongs to another job and cannot change this one's. The object is tagged with the job's id, so that
its sender can follow the job.
"""

from dataclasses import replace

from managed_tables import errors
from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.job_records import Intake, JobRecord, new_job
from managed_tables.documents.confirmations import LOAD_MODES
from managed_tables.errors import ApiError, JobError
from managed_tables.ids import NOBODY
from managed_tables.jobs.targets import Target, find_target
from managed_tables.object_keys import parse_inbox_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.tables.definitions import check_table_name
from managed_tables.uploads import OfferedFile, check_files
from managed_tables.wiring.aws_services import AwsServices
from managed_tables_ingest.arrivals import Arrival

PREFIX = "inbox/"
JOB_TAG = "job-id"
_FLAGS = ("true", "false", "unchanged")


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
        metadata = services.storage.find_metadata(arrival.key, arrival.etag)
        if metadata is None and job is None:
            logger.info("deleted or replaced before it was taken", key=arrival.key)
            return
        _take(services, arrival, job, *_plan(services, arrival, company_id, name, metadata or {}))


def _take(
    services: AwsServices,
    arrival: Arrival,
    known: JobRecord | None,
    planned: JobRecord,
    refusal: JobError | None,
) -> None:
    """Make the job, unless an earlier delivery has, and give it its file, or end it."""
    logger = get_logger("ingest")
    job = known or _create(services, planned)
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


def _create(services: AwsServices, job: JobRecord) -> JobRecord:
    try:
        services.jobs.create(job)
    except ConditionFailed:  # the same event, at the same time
        return services.jobs.find(job.company_id, job.job_id) or job
    return job


def _plan(
    services: AwsServices, arrival: Arrival, company_id: str, name: str, metadata: dict[str, str]
) -> tuple[JobRecord, JobError | None]:
    """Return the job that is to be made of the object, and why it is refused: then it names the object."""
    file = OfferedFile(name, arrival.size_bytes)
    intake, target, refusal = Intake(), Target("create"), None
    try:
        check_files([file], services.settings.upload_max_bytes)
        intake = read_intake(file.base_name, metadata)
        target = find_target(services.tables, company_id, intake)
        if not target.is_active:
            refusal = JobError(errors.TABLE_NOT_ACTIVE)
    except JobError as error:
        refusal = error
    except ApiError as error:
        if error.kind.status >= 500:
            raise
        places = error.details, error.details_total
        refusal = JobError(errors.INBOX_FILE_REFUSED, *places, file=file.base_name, reason=error.sentence)
    job = new_job(
        company_id,
        arrival.event_id,
        NOBODY,
        target.mode,
        target.table_id,
        [file],
        services.settings.upload_expires_seconds,
        intake=intake,
        if_unchanged=_flag(metadata) == "unchanged",
    )
    if refusal is not None:
        job = replace(job, files=(replace(job.files[0], storage_path=arrival.key),))
    return job, refusal


def read_intake(file_name: str, metadata: dict[str, str]) -> Intake:
    """Read `auto-confirm`, `table` and `mode` of an object's metadata; raises INBOX_METADATA_INVALID."""
    table = metadata.get("table")
    flag = _flag(metadata)
    mode = metadata.get("mode", "append").strip().lower()
    reason = ""
    if flag not in _FLAGS:
        reason = "auto-confirm deve ser true, unchanged ou false"
    elif mode not in LOAD_MODES:
        reason = "mode deve ser append, replace ou upsert"
    elif table is None and (flag != "false" or "mode" in metadata):
        reason = "falta table, o nome da tabela"
    elif table is not None:
        reason = _name_fault(table)
    if reason:
        raise JobError(errors.INBOX_METADATA_INVALID, file=file_name, reason=reason)
    return Intake(table, LOAD_MODES[mode], flag == "true")


def _flag(metadata: dict[str, str]) -> str:
    return metadata.get("auto-confirm", "false").strip().lower()


def _name_fault(table: str) -> str:
    try:
        check_table_name(table)
    except ApiError as error:
        return f"table: {error.details[0]['reason']}"
    return ""
