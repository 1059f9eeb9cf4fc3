"""Start and stop executions of Step Functions, and send the event of a job's end to EventBridge.

An execution bears its job's id, and so exists at most once. The event says how the job has ended; no data.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.observability import get_logger

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


ExecutionState = Literal["running", "ended", "missing"]

# What SendTaskSuccess says of a token that has been used, or whose execution is over.
_SPENT_TOKEN = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
SOURCE = "managed-tables"
DETAIL_TYPES = {"done": "Upload job done", "failed": "Upload job failed"}
_COUNTS = ("inserted", "updated", "unchanged", "rejected")


class ExecutionsUnavailable(Exception):  # noqa: N818 - a condition that passes
    """Step Functions refused or did not answer; trying again later is safe."""


class Executions:
    """The executions of one state machine."""

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, job: JobRecord) -> None:
        """Start the job's execution, unless it has been started already."""
        content = {"company_id": job.company_id, "job_id": job.job_id}
        self.start_named(job.job_id, {**content, **({"recall": True} if job.user_table_id else {})})

    def start_named(self, name: str, content: Mapping[str, Any]) -> None:
        """Start the execution of this name with this input, unless it has been started already."""
        with _translated(ignoring=frozenset({"ExecutionAlreadyExists"})):
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn, name=name, input=exact_json.dumps(content).decode()
            )

    def resume(self, task_token: str, output: dict[str, str]) -> None:
        """Let the execution that waits with this token go on; a token that is spent is no fault."""
        with _translated(ignoring=_SPENT_TOKEN):
            self._client.send_task_success(taskToken=task_token, output=exact_json.dumps(output).decode())

    def stop(self, job: JobRecord) -> None:
        """Stop the job's execution, if there is one."""
        with _translated(ignoring=frozenset({"ExecutionDoesNotExist"})):
            self._client.stop_execution(executionArn=self._arn_of(job))

    def state_of(self, job: JobRecord) -> ExecutionState:
        """Return whether the job's execution is running, has ended, or has never been started."""
        status: str | None = None
        with _translated(ignoring=frozenset({"ExecutionDoesNotExist"})):
            status = self._client.describe_execution(executionArn=self._arn_of(job))["status"]
        if status is None:
            return "missing"
        return "running" if status in ("RUNNING", "PENDING_REDRIVE") else "ended"

    def _arn_of(self, job: JobRecord) -> str:
        return self._state_machine_arn.replace(":stateMachine:", ":execution:") + f":{job.job_id}"


@contextmanager
def _translated(ignoring: frozenset[str]) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in ignoring:
            raise ExecutionsUnavailable(str(error)) from error
    except BotoCoreError as error:
        raise ExecutionsUnavailable(str(error)) from error


def send_end(client: Callable[[], Any], job: JobRecord) -> bool:
    """Send the event of a job that has ended; return whether the default bus took it. Raises nothing."""
    detail = {
        "company_id": job.company_id,
        "job_id": job.job_id,
        "table_id": job.user_table_id,
        "mode": job.mode,
        "origin": job.origin,
        "outcome": job.status,
        "error_code": job.error["code"] if job.error else None,
        "counts": {name: getattr(job.result, name) for name in _COUNTS} if job.result else None,
        "created_at": job.created_at,
        "ended_at": job.updated_at,
    }
    entry = {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPES[job.status],
        "Detail": exact_json.dumps(detail).decode(),
    }
    try:
        answer = client().put_events(Entries=[entry])
    except (ClientError, BotoCoreError):
        get_logger("events").warning("event not sent", exc_info=True, job_id=job.job_id)
        return False
    return bool(answer["FailedEntryCount"] == 0)
