"""How long a request may still take: who waits for it hangs up at a fixed time, whatever it is at then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from psycopg import sql
from psycopg.pq import TransactionStatus

from managed_tables.databases.connecting import PgConnection

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)  # by the monotonic clock


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """Have what is done in the `with` block end in this time; a thread that is run from it knows of it."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def seconds_left() -> float | None:
    """Return how long the present request may still take; None outside of one."""
    ends_at = _ends_at.get()
    return None if ends_at is None else ends_at - time.monotonic()


@contextmanager
def bounded_statements(connection: PgConnection, statement_timeout_ms: int) -> Iterator[None]:
    """Let no statement of the `with` block last longer than the request may.

    `statement_timeout_ms` is what the session has: only a request that has waited before gets less.
    """
    left = seconds_left()
    if left is None or left * 1_000 >= statement_timeout_ms:
        yield
        return
    shorter = sql.SQL("SET statement_timeout = {}").format(max(1, int(left * 1_000)))
    connection.execute(shorter)
    try:
        yield
    finally:
        if not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE:
            connection.execute("RESET statement_timeout")
