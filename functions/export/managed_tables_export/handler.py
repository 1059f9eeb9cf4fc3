"""The Lambda entry of an export, repeatable at any point: `{"company_id", "export_id"}` in, its outcome out.

Each run writes an object of its own and takes the record over before it begins; the record names the object
that counts. A run that finds the record taken over, or ended, deletes what it has written.
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal, TypedDict

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables import errors
from managed_tables.aws.metrics import count_step
from managed_tables.catalog.exports import CONTENT_TYPES, ExportFormat, ExportRecord, ExportStatus
from managed_tables.catalog.job_records import reporter
from managed_tables.documents.document import ExportProgress
from managed_tables.errors import ApiError, JobError
from managed_tables.object_keys import BASE, BASE_ROWS, base_key, export_object_key
from managed_tables.observability import get_logger, log_keys
from managed_tables.services import Services, load_services
from managed_tables_export.destination import ExportObject, open_destination
from managed_tables_export.editing import make_base
from managed_tables_export.parquet import write_parquet
from managed_tables_export.snapshot import ExportSource, open_source
from managed_tables_export.texts import write_csv, write_json_lines
from managed_tables_export.workbook import write_workbook

# How a format is written, by way of a folder where it needs one
WRITERS: Mapping[ExportFormat, Callable[[ExportSource, ExportObject, Path], int]] = {
    "csv": write_csv,
    "xlsx": write_workbook,
    "parquet": write_parquet,
    "jsonl": write_json_lines,
}


class ExportOutcome(TypedDict):
    """What the step answers the state machine."""

    outcome: ExportStatus | Literal["busy", "fault"]


class _TakenOver(Exception):  # noqa: N818 - an outcome, not a fault
    """The export is no longer this run's: it has ended, or another run has taken it over."""


def run_export(services: Services, company_id: str, export_id: str, stop_at: float) -> ExportOutcome:
    """Write the export's file by `stop_at` (monotonic), unless it is there; errors are to be retried."""
    export = services.exports.find(company_id, export_id)
    if export is None:
        raise LookupError(f"no export {export_id}")
    if export.is_terminal:
        return _outcome(export)
    key = export_object_key(company_id, export_id, secrets.token_hex(8))
    taken = services.exports.take_over(export, key) or services.exports.find(company_id, export_id)
    if taken is None or taken.key != key:  # not even by a write whose answer was lost
        return _outcome(taken)
    if export.key is not None:  # of a run that was cut off
        services.storage.delete(export.key)
    try:
        return _outcome(_ExportRun(services, taken, stop_at).run())
    except ApiError as error:
        if error.kind not in errors.AWAY:
            raise
        get_logger("export").info("no database to read from", code=error.kind.code)
        return {"outcome": "busy"}


def _outcome(export: ExportRecord | None) -> ExportOutcome:
    """Return the outcome for the state machine; raises _TakenOver if another run has yet to end it."""
    if export is None or not export.is_terminal:
        raise _TakenOver
    is_fault = export.error is not None and export.error["code"] == errors.EXPORT_FAULT.code
    return {"outcome": "fault" if is_fault else export.status}  # which fails the execution, for the alarm


@dataclass(frozen=True)
class _ExportRun:
    """One run that has the export."""

    services: Services
    export: ExportRecord
    stop_at: float

    def run(self) -> ExportRecord | None:
        """Write and record the end; return the record as it is then."""
        exports = self.services.exports
        try:
            rows, size_bytes = self._write()
            ended = exports.complete(self.export, rows, size_bytes)
        except _TakenOver:
            ended = None
        except JobError as error:
            get_logger("export").info("not exported", code=error.kind.code)
            ended = exports.fail(self.export, error.as_record())
        # A write whose answer was lost and that was sent again finds itself done.
        ended = ended or exports.find(self.export.company_id, self.export.export_id)
        if ended is None or (ended.status, ended.key) != ("done", self.export.key):
            self.services.storage.delete(self.export.key or "")
        return ended

    def _write(self) -> tuple[int, int]:
        """Write the file and return how many rows and bytes it has."""
        keep = reporter("export", self._keep)

        def report(total_rows: int | None, rows: int) -> None:
            if time.monotonic() > self.stop_at:
                raise JobError(errors.EXPORT_TOO_LARGE)
            if not keep(total_rows, rows):
                raise _TakenOver

        content_type = CONTENT_TYPES[self.export.format]
        with (
            open_source(self.services, self.export, report) as source,
            tempfile.TemporaryDirectory() as folder,
            open_destination(self.services.storage, self.export.key or "", content_type) as destination,
        ):
            if source.base_id is not None:
                self._keep_base(source, source.base_id, Path(folder))
            rows = WRITERS[source.request.format](source, destination, Path(folder))
            return rows, destination.finish()

    def _keep_base(self, source: ExportSource, base_id: str, folder: Path) -> None:
        """Keep the ids and cells of the snapshot, by which the workbook is merged when it comes back."""
        storage, export = self.services.storage, self.export
        key_of = partial(base_key, export.company_id, export.table_id, base_id)
        base = make_base(source, export.base_expires_at or "")
        with open_destination(storage, key_of(BASE_ROWS), CONTENT_TYPES["parquet"]) as kept:
            write_parquet(source, kept, folder)
            kept.finish()
        storage.put_json(key_of(BASE), base.as_json())

    def _keep(self, total_rows: int | None, rows: int) -> bool:
        percent = min(99, rows * 100 // total_rows) if total_rows else 0
        progress = ExportProgress(
            phase="writing", processed_rows=rows, total_rows=total_rows, percent=percent
        )
        return self.services.exports.report_progress(self.export, progress)


LEFT_FOR_THE_END_SECONDS = 30.0  # to complete the upload, or to say that the time did not suffice
UNLIMITED_SECONDS = 900.0  # what Lambda gives at most, where no context tells


class ExportEvent(TypedDict):
    """What the state machine hands the step: the export."""

    company_id: str
    export_id: str


_services = cache(load_services)  # once a process


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
