"""Cache the open connections of one process: few, over all companies, last in, first out.

What one company may have of them is up to whoever lets its requests in (`managed_tables_api.http.slots`).

No thread of its own: a Lambda is frozen between requests. An idle connection is looked at before it is handed
out: a closed socket shows at once, without a round trip. A process that was frozen may not have heard what
was said meanwhile, so a connection that has rested for some seconds is asked.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from psycopg.pq import TransactionStatus

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import execute
from managed_tables.errors import CONNECTIONS_TAKEN, ApiError

WAIT_SECONDS = 5.0  # for a connection, when all are in use
IDLE_SECONDS = 45.0  # one that rested longer is not handed out: the server ends it (IDLE_SESSION_MS) at 60
ASK_AFTER_SECONDS = 5.0


class ConnectionCache:
    """Lends connections, `limit` at once; keeps them open for the next."""

    def __init__(
        self,
        open_connection: Callable[[ConnectionRecord], PgConnection],
        limit: int,
        wait_seconds: float = WAIT_SECONDS,
        statement_timeout_ms: int = 0,
    ) -> None:
        self._statement_timeout_ms = statement_timeout_ms
        self._open = open_connection
        self._limit = limit
        self._wait_seconds = wait_seconds
        self._returned = threading.Condition()
        self._in_use = 0
        # Most recently used last: the one to reuse is found from the end, the one to close at the start.
        self._idle: list[tuple[float, ConnectionRecord, PgConnection]] = []

    @contextmanager
    def use(self, company: ConnectionRecord) -> Iterator[PgConnection]:
        """Lend a connection in autocommit for the `with` block, whose statements end in the request's time.

        Raises CONNECTIONS_TAKEN when none is free in time, DATABASE_UNAVAILABLE where nobody answers.
        """
        with self._returned:
            if not self._returned.wait_for(lambda: self._in_use < self._limit, self._wait_seconds):
                raise ApiError(CONNECTIONS_TAKEN)
            self._in_use += 1
        connection: PgConnection | None = None
        try:
            connection = self._take_idle(company) or self._open(company)
            with bounded_statements(connection, self._statement_timeout_ms):
                yield connection
        finally:
            self._release(company, connection)

    def close_idle(self) -> None:
        """Close the connections that nobody uses."""
        with self._returned:
            idle, self._idle = self._idle, []
        for _, _, connection in idle:
            connection.close()

    def _take_idle(self, company: ConnectionRecord) -> PgConnection | None:
        """Return the company's idle connection that rested least and is alive; else make room for one."""
        while (found := self._pop_idle(company)) is not None:
            since, owner, connection = found
            rested = time.monotonic() - since
            is_there = owner.cluster == company.cluster  # no other change of the record concerns a session
            if rested < IDLE_SECONDS and is_there and _is_alive(connection, rested):
                return connection
            connection.close()
        dropped: list[PgConnection] = []
        with self._returned:
            while self._idle and len(self._idle) + self._in_use > self._limit:
                dropped.append(self._idle.pop(0)[2])
        for connection in dropped:
            connection.close()
        return None

    def _pop_idle(self, company: ConnectionRecord) -> tuple[float, ConnectionRecord, PgConnection] | None:
        with self._returned:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][1].connection_id == company.connection_id:
                    return self._idle.pop(place)
        return None

    def _release(self, company: ConnectionRecord, connection: PgConnection | None) -> None:
        reusable = (
            connection is not None
            and not connection.closed
            and connection.info.transaction_status is TransactionStatus.IDLE
        )
        with self._returned:
            if reusable and connection is not None:
                self._idle.append((time.monotonic(), company, connection))
            self._in_use -= 1
            self._returned.notify()
        if connection is not None and not reusable:
            connection.close()


def _is_alive(connection: PgConnection, rested_seconds: float) -> bool:
    """Return whether the server is still there: between statements it speaks only to say goodbye.

    One that has rested for a while is asked: a process that was frozen may not have heard it.
    """
    try:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if connection.closed or poll.poll(0):
            return False
        if rested_seconds >= ASK_AFTER_SECONDS:
            connection.execute("SELECT 1")
    except (psycopg.Error, OSError, ValueError):
        return False
    return True


_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)  # by the monotonic clock


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """Have what is done in the `with` block end in this time; a thread that is run from it knows of it."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


@contextmanager
def bounded_statements(connection: PgConnection, statement_timeout_ms: int) -> Iterator[None]:
    """Let no statement of the `with` block last longer than the request may, where the session would."""
    ends_at = _ends_at.get()
    left_ms = statement_timeout_ms if ends_at is None else int((ends_at - time.monotonic()) * 1_000)
    if left_ms >= statement_timeout_ms:
        yield
        return
    execute(connection, "SET statement_timeout = {}", max(1, left_ms))
    try:
        yield
    finally:
        if not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE:
            connection.execute("RESET statement_timeout")
