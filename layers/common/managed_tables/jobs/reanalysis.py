"""Have the files of a waiting job read again, as a person states, in steps that may be interrupted anywhere.

The statement is written to S3 first; the job's record then names it, in the one conditional write that
decides; the state machine is notified last. Interrupted after the decision, a repeated request or the sweep
notifies it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.documents.analyses import TableReading
from managed_tables.documents.statements import ReadingStatement, TableStatement
from managed_tables.errors import ANALYSIS_GONE, INVALID_READING, JOB_NOT_WAITING, ApiError
from managed_tables.ids import new_record_id
from managed_tables.jobs.plausibility import find_impossible
from managed_tables.object_keys import DRAFT, OVERRIDES, attempt_key
from managed_tables.wiring.services import Services


def reanalyze_job(services: Services, job: JobRecord, stated: ReadingStatement) -> None:
    """Set the job going back to its analysis; the same request again, while it runs, is no second time.

    Raises JOB_NOT_WAITING, ANALYSIS_GONE and, where the files cannot be read so, INVALID_READING.
    """
    digest = hashlib.sha256(exact_json.dumps(stated.as_json())).hexdigest()[:32]
    if job.status == "waiting_confirm":
        job = _decide(services, job, stated, digest)
    if job.status != "analisando" or job.wish_digest != digest:
        raise ApiError(JOB_NOT_WAITING)
    if job.wish_key is not None:
        services.shares.resume(job)


def keep_draft(services: Services, job: JobRecord, draft: Mapping[str, Any]) -> None:
    """Keep what a person's review has so far, instead of what was kept; raises JOB_NOT_WAITING."""
    key = attempt_key(job.company_id, job.job_id, new_record_id(), DRAFT)
    services.storage.put_json(key, draft)
    kept = services.jobs.keep_draft(job, key)
    unused = key if kept is None else job.draft_key
    if unused is not None:
        services.storage.delete(unused)
    if kept is None:
        raise ApiError(JOB_NOT_WAITING)


def _decide(services: Services, job: JobRecord, stated: ReadingStatement, digest: str) -> JobRecord:
    """Return the job as it is when one request, ours or another, has been taken."""
    analysis = services.job_documents.find_analysis(job)
    if analysis is None or analysis.reading is None:
        raise ApiError(ANALYSIS_GONE)
    tables = _with_only_sheets(stated.tables, analysis.reading.tables)
    stated = stated.model_copy(update={"tables": tables})
    merged = {"tables": [analysis.wish.of(table.place).merged(table) for table in tables]}
    impossible = list(
        find_impossible(analysis.reading, analysis.line_counts, stated.model_copy(update=merged))
    )
    if impossible:
        raise ApiError(INVALID_READING, impossible)
    key = attempt_key(job.company_id, job.job_id, new_record_id(), OVERRIDES)
    services.storage.put_json(key, analysis.wish.merged(stated).as_json())
    recorded = services.jobs.reanalyze(job, wish_key=key, digest=digest)
    return recorded or services.jobs.get(job.company_id, job.job_id)


def _with_only_sheets(
    stated: Iterable[TableStatement], known: Iterable[TableReading]
) -> list[TableStatement]:
    """Return the statement, with the name of a workbook's only sheet filled in."""
    sheets: dict[int, list[str | None]] = {}
    for table in known:
        sheets.setdefault(table.file, []).append(table.sheet)
    only = {file: names[0] for file, names in sheets.items() if len(names) == 1}
    return [one.model_copy(update={"sheet": one.sheet or only.get(one.file)}) for one in stated]
