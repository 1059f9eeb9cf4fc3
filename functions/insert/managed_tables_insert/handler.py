"""The Lambda entry of the inserting step: `{"company_id", "job_id", "is_last_attempt"}` in, outcome out.

With `{"task_token", "rounds"}` in place of the last it does not load: the execution waits for a slot. With
`{"origin_of"}`, a row's number, it answers where that row stands in the job's files: `{"origin"}`. With
`{"recall"}` it hands the job what its table remembers, which Analyze cannot ask PostgreSQL for.
"""

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables.aws.metrics import count_step
from managed_tables.aws.storage import ObjectMissing
from managed_tables.catalog.job_records import JobEvent, JobRecord, StepOutcome
from managed_tables.ids import new_record_id
from managed_tables.jobs.staged_rows import ROW_NUMBER, Origin, staged_rows
from managed_tables.object_keys import RECIPE, STAGED_OBJECT, attempt_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.tables.recipes import recall
from managed_tables.wiring.services import Services, load_services
from managed_tables_insert.job import open_converter, run_job, wait_for_slot


class InsertEvent(JobEvent, total=False):
    """What the function is called with: the job, and what is to be done where it is not to load."""

    is_last_attempt: bool
    task_token: str
    rounds: int
    origin_of: int
    recall: bool


class OriginAnswer(TypedDict, total=False):
    """Where a row stands; nothing where the call was no question."""

    origin: Origin | None


@cache
def _services() -> Services:
    return load_services()


def handler(event: InsertEvent, context: LambdaContext) -> StepOutcome | OriginAnswer:
    """Load the job's rows, or have them wait; a fault is raised, for the state machine to retry."""
    logger = get_logger("insert")
    company_id, job_id = event["company_id"], event["job_id"]
    request_id = getattr(context, "aws_request_id", None)
    with log_keys(logger, company_id=company_id, job_id=job_id, request_id=request_id):
        if "task_token" in event:
            wait_for_slot(_services(), company_id, job_id, event["task_token"], int(event["rounds"]))
            return {}
        if "recall" in event:
            recall_for(_services(), company_id, job_id)
            return {}
        if "origin_of" in event:
            job = _services().jobs.find(company_id, job_id)
            return {"origin": find_origin(_services(), job, int(event["origin_of"])) if job else None}
        started = time.monotonic()
        outcome = run_job(
            _services(), company_id, job_id, is_last_attempt=event.get("is_last_attempt", False)
        )
        count_step("insert", outcome["outcome"], seconds=time.monotonic() - started)
        logger.info("insert ended", outcome=outcome["outcome"])
        return outcome


def find_origin(services: Services, job: JobRecord, number: int) -> Origin | None:
    """Return where the row of this number, from 0, stands; None once it is gone."""
    analysis = services.job_documents.find_analysis(job)
    if analysis is None or job.staged_key is None:
        return None
    with tempfile.TemporaryDirectory() as folder, open_converter(Path(folder)) as converter:
        staged = Path(folder) / STAGED_OBJECT
        try:
            services.storage.download(job.staged_key, staged)
        except ObjectMissing:
            return None
        cells = ", ".join(f"c{place}" for place in range(len(analysis.columns)))
        row = converter.execute(
            f"SELECT file, sheet, line, {cells} FROM {staged_rows(staged)}"  # noqa: S608 - own SQL
            f" WHERE {ROW_NUMBER} = {number}"
        ).fetchone()
    if row is None:
        return None
    file, sheet, line, *texts = row
    return {"file": analysis.files[file], "sheet": sheet, "line": line, "cells": texts}


def recall_for(services: Services, company_id: str, job_id: str) -> None:
    """Store what the job's table remembers, as it is now, unless it is stored already; repeatable.

    It is an object beside the job's own, since a recipe of 1,500 columns is more than a record holds. A step
    of the execution takes it, not whoever makes the job: that may be the inbox, which reaches no PostgreSQL,
    and a database that sleeps keeps nobody from uploading.
    """
    job = services.jobs.find(company_id, job_id)
    if job is None or job.user_table_id is None or job.recipe_key is not None or job.analysis_key is not None:
        return
    with services.open_company(services.provisioning.require(company_id)) as connection:
        recalled = recall(connection, job.user_table_id)
    if recalled is None:
        return
    key = attempt_key(company_id, job_id, new_record_id(), RECIPE)
    services.storage.put_json(key, recalled.as_json())
    # Where another run was first, the bucket's lifecycle deletes this one.
    services.jobs.keep_recipe(job, key)
