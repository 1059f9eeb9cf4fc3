"""Write logs: one JSON line an event, with the ids of request, company and job on every line.

The tracer of Powertools is left out on purpose: importing it pulls in the X-Ray SDK, 170 ms of cold start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from aws_lambda_powertools.logging import Logger


@cache
def get_logger(service: str) -> Logger:
    """Return the process's logger of a function; `POWERTOOLS_LOG_LEVEL` sets its level."""
    return Logger(service=service, log_uncaught_exceptions=False)


@contextmanager
def log_keys(logger: Logger, **keys: str | None) -> Iterator[None]:
    """Put the ids on every line logged inside, in this thread or task and what it calls."""
    known = {name: value for name, value in keys.items() if value}
    logger.thread_safe_append_keys(**known)
    try:
        yield
    finally:
        logger.thread_safe_remove_keys(list(known))
