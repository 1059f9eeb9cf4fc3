"""Run the operator's command inside the network: `{"arguments": [...]}` in, `{"code", "output"}` out.

Invoked by the operator's role alone. What the command prints is the answer; the log has the command's name
and end, and none of its values, which may be a person's.
"""

import io
import time
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from managed_tables.observability import get_logger
from managed_tables_operations.__main__ import Printed, main


def handler(event: dict[str, list[str]], context: Any) -> Printed:
    """Run one command; each can be repeated where the time did not suffice."""
    arguments = event["arguments"]
    logger = get_logger("operations")
    request_id, started = getattr(context, "aws_request_id", None), time.monotonic()
    logger.info("begins", command=arguments[:1], request_id=request_id)
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            code = main(arguments)
        except SystemExit as refused:  # of words that the parser does not know
            code = int(refused.code or 0)
    logger.info(
        "ended", command=arguments[:1], code=code, seconds=time.monotonic() - started, request_id=request_id
    )
    return {"code": code, "output": printed.getvalue()}
