"""What happens when a file has arrived: S3's event in, the job let go on by the last file.

Events come more than once and in any order: an arrival is a member of a set, the execution bears the job's
id, and a job that is no longer `queued` is not touched.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables.catalog.job_records import JobRecord
from managed_tables.errors import FILE_SIZE_MISMATCH, JobError
from managed_tables.object_keys import parse_upload_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.settings import load_settings
from managed_tables.wiring.aws_services import AwsServices
from managed_tables_ingest import inbox
from managed_tables_ingest.arrivals import read_arrivals

SERVICE = "ingest"


def take_arrival(services: AwsServices, key: str, size_bytes: int) -> None:
    """Record one arrival, and let the job go on if no file is missing."""
    logger = get_logger(SERVICE)
    ids = parse_upload_key(key)
    if ids is None:
        logger.warning("not an upload", key=key)
        return
    company_id, job_id = ids
    with log_keys(logger, company_id=company_id, job_id=job_id):
        job = services.jobs.find(company_id, job_id)
        index = _index_of(job, key)
        if job is None or index is None:
            logger.warning("no such file in a job", key=key)
        elif job.status != "queued":
            _arrive_late(services, job, key)
        elif size_bytes != job.files[index].size_bytes:
            _refuse_size(services, job, index, size_bytes)
        else:
            _arrive(services, job, index, size_bytes)


def _index_of(job: JobRecord | None, key: str) -> int | None:
    paths = [file.storage_path for file in job.files] if job else []
    return paths.index(key) if key in paths else None


def _arrive(services: AwsServices, job: JobRecord, index: int, size_bytes: int) -> None:
    current = services.jobs.mark_arrived(job, index, size_bytes)
    if current is None:
        _arrive_late(
            services, services.jobs.find(job.company_id, job.job_id) or job, job.files[index].storage_path
        )
    elif current.has_all_files:
        started = services.shares.admit(current)
        get_logger(SERVICE).info("started" if started else "waits for a slot", files=len(current.files))


def _arrive_late(services: AwsServices, job: JobRecord, key: str) -> None:
    """Leave a file that arrives again alone, but delete one of a job that was cancelled before it came."""
    get_logger(SERVICE).info("arrived again, or too late", key=key, status=job.status)
    if job.is_cancelled:
        services.storage.delete(key)


def _refuse_size(services: AwsServices, job: JobRecord, index: int, size_bytes: int) -> None:
    file = job.files[index]
    error = JobError(
        FILE_SIZE_MISMATCH, file=file.original_name, arrived=size_bytes, declared=file.size_bytes
    )
    services.jobs.fail(job, error.as_record(), unless_arrived=len(job.files))
    get_logger(SERVICE).warning("size differs", key=file.storage_path, size_bytes=size_bytes)


@cache
def _services() -> AwsServices:
    return AwsServices(load_settings())


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Take every arrival of one event; an exception makes S3 deliver all of it again."""
    logger = get_logger(SERVICE)
    with log_keys(logger, request_id=getattr(context, "aws_request_id", None)):
        for arrival in read_arrivals(event):
            if arrival.key.startswith(inbox.PREFIX):
                inbox.take_object(_services(), arrival)
            else:
                take_arrival(_services(), arrival.key, arrival.size_bytes)
