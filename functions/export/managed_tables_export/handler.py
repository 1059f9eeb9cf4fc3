"""The Lambda entry of an export: `{"company_id", "export_id"}` in, its outcome out."""

import time
from functools import cache
from typing import TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables.aws.metrics import count_step
from managed_tables.observability import get_logger, log_keys
from managed_tables.wiring.services import Services, load_services
from managed_tables_export.export import ExportOutcome, run_export

LEFT_FOR_THE_END_SECONDS = 30.0  # to complete the upload, or to say that the time did not suffice
UNLIMITED_SECONDS = 900.0  # what Lambda gives at most, where no context tells


class ExportEvent(TypedDict):
    """What the state machine hands the step: the export."""

    company_id: str
    export_id: str


@cache
def _services() -> Services:
    return load_services()


def handler(event: ExportEvent, context: LambdaContext) -> ExportOutcome:
    """Write the export's file; a fault is raised, for the state machine to retry."""
    logger = get_logger("export")
    company_id, export_id = event["company_id"], event["export_id"]
    request_id = getattr(context, "aws_request_id", None)
    with log_keys(logger, company_id=company_id, export_id=export_id, request_id=request_id):
        started = time.monotonic()
        outcome = run_export(_services(), company_id, export_id, started + _seconds(context))
        count_step("export", outcome["outcome"], seconds=time.monotonic() - started)
        logger.info("export ended", outcome=outcome["outcome"])
        return outcome


def _seconds(context: LambdaContext) -> float:
    """Return how long the run may write."""
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    seconds = remaining_ms() / 1_000 if remaining_ms else UNLIMITED_SECONDS
    return float(seconds) - LEFT_FOR_THE_END_SECONDS
