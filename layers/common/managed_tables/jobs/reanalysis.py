"""Have the files of a waiting job read again, as a person states, in steps that may be interrupted anywhere.

The statement is written to S3 first; the job's record then names it, in the one conditional write that
decides; the state machine is notified last. Interrupted after the decision, a repeated request or the sweep
notifies it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from managed_tables import exact_json
from managed_tables.aws.storage import DRAFT, WISH, attempt_key
from managed_tables.catalog.jobs import JobRecord
from managed_tables.details import Detail
from managed_tables.errors import (
    ANALYSIS_GONE,
    INVALID_READING,
    JOB_NOT_FOUND,
    JOB_NOT_WAITING,
    ApiError,
)
from managed_tables.ids import new_record_id
from managed_tables.jobs.plausibility import find_impossible
from managed_tables.services import Services

StatedWish = Mapping[str, Any]
"""`{"timezone", "tables": [{"file", "sheet", …}], "origin_columns"}`: of a table only what is stated.

A field that is null is found anew, but `header_line` and `quote`: there is none. Without a header's number of
lines either (`header_lines` null) the header is found anew as well; a table with no field begins anew.
"""
_NONE_IS_STATED = frozenset({"sheet", "header_line", "quote"})


def reanalyze_job(services: Services, job: JobRecord, stated: StatedWish) -> None:
    """Set the job going back to its analysis; the same request again, while it runs, is no second time.

    Raises JOB_NOT_WAITING, ANALYSIS_GONE and, where the files cannot be read so, INVALID_READING.
    """
    digest = hashlib.sha256(exact_json.dumps(stated)).hexdigest()[:32]
    if job.status == "waiting_confirm":
        job = _decide(services, job, stated, digest)
    if job.status != "analisando" or job.wish_digest != digest:
        raise ApiError(JOB_NOT_WAITING, status=job.status)
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
        raise ApiError(JOB_NOT_WAITING, status=job.status)


def _decide(services: Services, job: JobRecord, stated: StatedWish, digest: str) -> JobRecord:
    """Return the job as it is when one request, ours or another, has been taken."""
    analysis = services.job_documents.find_analysis(job)
    if analysis is None or "reading" not in analysis:
        raise ApiError(ANALYSIS_GONE)
    stated = {**stated, "tables": _with_only_sheets(stated["tables"], analysis["reading"]["tables"])}
    known = _by_place(analysis["wish"]["tables"])
    tables = [_merge_table(known.get(_place(table), {}), table) for table in stated["tables"]]
    impossible = list(find_impossible(analysis, {**stated, "tables": tables}))
    if impossible:
        raise _refusal(impossible)
    key = attempt_key(job.company_id, job.job_id, new_record_id(), WISH)
    services.storage.put_json(key, merge(analysis["wish"], stated))
    recorded = services.jobs.reanalyze(job, wish_key=key, digest=digest)
    if recorded is not None:
        return recorded
    current = services.jobs.find(job.company_id, job.job_id)
    if current is None:
        raise ApiError(JOB_NOT_FOUND)
    return current


def _with_only_sheets(
    stated: Iterable[Mapping[str, Any]], known: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the statement, with the name of a workbook's only sheet filled in."""
    sheets: dict[int, list[str | None]] = {}
    for table in known:
        sheets.setdefault(table["file"], []).append(table["sheet"])
    only = {file: names[0] for file, names in sheets.items() if len(names) == 1}
    return [{**table, "sheet": table["sheet"] or only.get(table["file"])} for table in stated]


def _refusal(details: list[Detail]) -> ApiError:
    return ApiError(INVALID_READING, details, reason=f"{details[0]['path']}: {details[0]['reason']}")


def merge(before: StatedWish, stated: StatedWish) -> dict[str, Any]:
    """Merge two statements, table by table and field by field."""
    tables = _by_place(before["tables"])
    for place, table in _by_place(stated["tables"]).items():
        tables[place] = _merge_table(tables.get(place, {}), table)
    timezone = stated.get("timezone") or before.get("timezone")
    merged = {"timezone": timezone, "tables": [tables[place] for place in sorted(tables, key=_order)]}
    origins = (stated if "origin_columns" in stated else before).get("origin_columns")
    return merged if origins is None else {**merged, "origin_columns": origins}


def _merge_table(before: Mapping[str, Any], stated: Mapping[str, Any]) -> Mapping[str, Any]:
    if stated.keys() <= {"file", "sheet"}:
        return stated
    forgotten = {name for name, value in stated.items() if value is None and name not in _NONE_IS_STATED}
    if stated.get("header_line", 0) is None:
        forgotten |= {"header_line"} if "header_lines" in forgotten else {"header_lines"} - stated.keys()
    return {name: value for name, value in {**before, **stated}.items() if name not in forgotten}


def _by_place(tables: Iterable[Mapping[str, Any]]) -> dict[tuple[int, str | None], Mapping[str, Any]]:
    return {_place(table): table for table in tables}


def _place(table: Mapping[str, Any]) -> tuple[int, str | None]:
    return table["file"], table["sheet"]


def _order(place: tuple[int, str | None]) -> tuple[int, str]:
    return place[0], place[1] or ""
