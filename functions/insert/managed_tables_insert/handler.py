"""The Lambda entry of the inserting step: `{"company_id", "job_id", "is_last_attempt"}` in, outcome out.

With `{"task_token", "rounds"}` in place of the last it does not load: the execution waits for a slot. With
`{"origin_of"}`, a row's number, it answers where that row stands in the job's files: `{"origin"}`. With
`{"recall"}` it hands the job what its table remembers, which Analyze cannot ask PostgreSQL for.
"""

import time
from functools import cache
from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables.aws.metrics import count_step
from managed_tables.catalog.job_records import JobEvent, StepOutcome
from managed_tables.jobs.staged_rows import Origin
from managed_tables.observability import get_logger, log_keys
from managed_tables.wiring.services import Services, load_services
from managed_tables_insert.job import run_job, wait_for_slot
from managed_tables_insert.origin import find_origin
from managed_tables_insert.recalling import recall_for


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
