"""Run the operator's command inside the network: `{"arguments": [...], "request": …}` in.

Invoked by the operator's role, without waiting, and by the schedule. What the command prints is kept in the
bucket as `operations/<request>.log`, where a request is named; the log has the command's name and end, and
none of its values, which may be a person's.
"""

import io
import re
import time
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from typing import Any, TypedDict

from botocore.exceptions import ClientError

from managed_tables.aws_services import AwsServices
from managed_tables.observability import get_logger
from managed_tables.settings import load_settings
from managed_tables_operations.__main__ import main
from managed_tables_operations.answers import Answer, answer_key

_LAST_START_MS = 60_000  # before the function's end: what is begun has to end, too
_REQUEST = re.compile(r"[0-9a-f]{24}")


class Event(TypedDict, total=False):
    """What the function is called with."""

    arguments: list[str]
    request: str


class Printed(TypedDict):
    """What a command has printed, and its exit status."""

    code: int
    output: str


_services = cache(lambda: AwsServices(load_settings()))


def handler(event: Event, context: Any) -> Printed:
    """Run one command; each can be repeated where the time did not suffice."""
    arguments, request = event["arguments"], event.get("request", "")
    logger = get_logger("operations")
    request_id, started = getattr(context, "aws_request_id", None), time.monotonic()
    if request and not _begin(request):
        logger.info("delivered again", command=arguments[:1], request_id=request_id)
        return {"code": 0, "output": ""}
    logger.info("begins", command=arguments[:1], request=request, request_id=request_id)
    printed = Answer(lambda text: _put(request, text)) if request else io.StringIO()

    def may_start() -> bool:
        return bool(context is None or context.get_remaining_time_in_millis() > _LAST_START_MS)

    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            code = main(arguments, may_start)
        except SystemExit as refused:  # of words that the parser does not know
            code = int(refused.code or 0)
        except Exception as error:
            code = 1
            printed.write(f"error: {type(error).__name__}: the function's log has more\n")
            logger.exception("failed", command=arguments[:1], request_id=request_id)
    if isinstance(printed, Answer):
        printed.end(code)
    logger.info(
        "ended", command=arguments[:1], code=code, seconds=time.monotonic() - started, request_id=request_id
    )
    return {"code": code, "output": printed.getvalue() if isinstance(printed, io.StringIO) else ""}


def _begin(request: str) -> bool:
    """Begin the answer; False where the request was delivered before, as Lambda may do twice."""
    if not _REQUEST.fullmatch(request):
        raise ValueError("a request is 24 hex digits")
    try:
        _put(request, b"", IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
            return False
        raise
    return True


def _put(request: str, text: bytes, **conditions: str) -> None:
    services = _services()
    services.s3.put_object(
        Bucket=services.settings.bucket_name,
        Key=answer_key(request),
        Body=text,
        ContentType="text/plain; charset=utf-8",
        **conditions,  # type: ignore[arg-type]
    )
