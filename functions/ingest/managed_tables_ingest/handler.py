"""What happens when a file has arrived: S3's event in, the job let go on by the last file.

Events come more than once and in any order: an arrival is a member of a set, the execution bears the job's
id, and a job that is no longer `queued` is not touched.

An object put under `inbox/<company_id>/` becomes a job, as if it had been uploaded. The job's id is the
event's, so the same event twice is one job. The object is copied to the job's own key (whose arrival then
starts the execution, as every upload's does): a later object of the same name belongs to another job and
cannot change this one's. The object is tagged with the job's id, so that its sender can follow the job.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables import errors
from managed_tables.aws_services import AwsServices
from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.job_records import Intake, JobRecord, new_job
from managed_tables.catalog.tables import Target
from managed_tables.documents.statements import UPLOAD_MODES
from managed_tables.errors import FILE_SIZE_MISMATCH, ApiError, JobError
from managed_tables.ids import NOBODY, derive_record_id
from managed_tables.object_keys import parse_inbox_key, parse_upload_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.settings import load_settings
from managed_tables.tables.definitions import check_table_name
from managed_tables.uploads import OfferedFile, check_files

_SERVICE = "ingest"
_INBOX = "inbox/"
_JOB_TAG = "job-id"
_FLAGS = ("true", "false", "unchanged")


@dataclass(frozen=True)
class Arrival:
    """An object that was created: `etag` is its content's, `event_id` that of all deliveries of its event."""

    key: str
    size_bytes: int
    etag: str
    event_id: str  # a job's id: two puts of one key differ in it, also with the same content


def read_arrivals(event: Mapping[str, Any]) -> Iterator[Arrival]:
    """Yield each object of the event, put, posted, copied or completed from parts.

    A test of S3, when notifications are set up, has no records; a few objects have no tag or version.
    """
    for record in event.get("Records", []):
        if str(record.get("eventName", "")).startswith("ObjectCreated:"):
            stored, time = record["s3"]["object"], str(record["eventTime"])
            key = unquote_plus(stored["key"])
            created_ms = int(datetime.fromisoformat(time).timestamp() * 1000)
            # Of what S3 fixes when the object is created, whichever there is
            facts = [str(stored.get(name, "")) for name in ("versionId", "eTag", "sequencer")]
            event_id = derive_record_id(created_ms, record["s3"]["bucket"]["name"], key, time, *facts)
            yield Arrival(key, int(stored["size"]), stored.get("eTag", ""), event_id)


def take_object(services: AwsServices, arrival: Arrival) -> None:
    """Start a job for the object; one that cannot be taken is a failed job, or a refusal in the log."""
    logger = get_logger(_SERVICE)
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
    logger = get_logger(_SERVICE)
    job = known or _create(services, planned)
    services.storage.tag(arrival.key, _JOB_TAG, job.job_id)
    stored = job.files[0]
    if refusal is None and not services.copying.copy(
        arrival.key, arrival.etag, arrival.size_bytes, stored.storage_path, stored.mime_type
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
        intake = _read_intake(file.base_name, metadata)
        target = services.tables.find_target(company_id, intake)
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
        states_mode="mode" in metadata,
    )
    if refusal is not None:
        job = replace(job, files=(replace(job.files[0], storage_path=arrival.key),))
    return job, refusal


def _read_intake(file_name: str, metadata: dict[str, str]) -> Intake:
    """Read `auto-confirm`, `table` and `mode` of an object's metadata; raises INBOX_METADATA_INVALID."""
    table = metadata.get("table")
    flag = _flag(metadata)
    mode = metadata.get("mode", "append").strip().lower()
    reason = ""
    if flag not in _FLAGS:
        reason = "auto-confirm deve ser true, unchanged ou false"
    elif mode not in UPLOAD_MODES:
        reason = "mode deve ser append, replace, upsert ou merge"
    elif table is None and (flag != "false" or "mode" in metadata):
        reason = "falta table, o nome da tabela"
    elif table is not None:
        try:
            check_table_name(table)
        except ApiError as error:
            reason = f"table: {error.details[0]['reason']}"
    if reason:
        raise JobError(errors.INBOX_METADATA_INVALID, file=file_name, reason=reason)
    return Intake(table, UPLOAD_MODES[mode], flag == "true")


def _flag(metadata: dict[str, str]) -> str:
    return metadata.get("auto-confirm", "false").strip().lower()


def take_arrival(services: AwsServices, key: str, size_bytes: int) -> None:
    """Record one arrival, and let the job go on if no file is missing."""
    logger = get_logger(_SERVICE)
    ids = parse_upload_key(key)
    if ids is None:
        logger.warning("not an upload", key=key)
        return
    company_id, job_id = ids
    with log_keys(logger, company_id=company_id, job_id=job_id):
        job = services.jobs.find(company_id, job_id)
        places = {file.storage_path: place for place, file in enumerate(job.files)} if job else {}
        index = places.get(key)
        if job is None or index is None:
            logger.warning("no such file in a job", key=key)
        elif job.status != "queued":
            _arrive_late(services, job, key)
        elif size_bytes != job.files[index].size_bytes:
            _refuse_size(services, job, index, size_bytes)
        else:
            _arrive(services, job, index, size_bytes)


def _arrive(services: AwsServices, job: JobRecord, index: int, size_bytes: int) -> None:
    current = services.jobs.mark_arrived(job, index, size_bytes)
    if current is None:
        _arrive_late(
            services, services.jobs.find(job.company_id, job.job_id) or job, job.files[index].storage_path
        )
    elif current.has_all_files:
        started = services.shares.admit(current)
        get_logger(_SERVICE).info("started" if started else "waits for a slot", files=len(current.files))


def _arrive_late(services: AwsServices, job: JobRecord, key: str) -> None:
    """Leave a file that arrives again alone, but delete one of a job that was cancelled before it came."""
    get_logger(_SERVICE).info("arrived again, or too late", key=key, status=job.status)
    if job.is_cancelled:
        services.storage.delete(key)


def _refuse_size(services: AwsServices, job: JobRecord, index: int, size_bytes: int) -> None:
    file = job.files[index]
    error = JobError(
        FILE_SIZE_MISMATCH, file=file.original_name, arrived=size_bytes, declared=file.size_bytes
    )
    services.jobs.fail(job, error.as_record(), unless_arrived=len(job.files))
    get_logger(_SERVICE).warning("size differs", key=file.storage_path, size_bytes=size_bytes)


@cache
def _services() -> AwsServices:
    return AwsServices(load_settings())


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Take every arrival of one event; an exception makes S3 deliver all of it again."""
    logger = get_logger(_SERVICE)
    with log_keys(logger, request_id=getattr(context, "aws_request_id", None)):
        for arrival in read_arrivals(event):
            if arrival.key.startswith(_INBOX):
                take_object(_services(), arrival)
            else:
                take_arrival(_services(), arrival.key, arrival.size_bytes)
