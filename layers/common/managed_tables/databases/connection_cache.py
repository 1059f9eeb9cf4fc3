"""Cache the open connections of one process: few, over all companies, last in, first out.

No thread of its own: a Lambda is frozen between requests. An idle connection is looked at before it is handed
out: a closed socket shows at once, without a round trip. A process that was frozen may not have heard what
was said meanwhile, so a connection that has rested for some seconds is asked.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import PgConnection, TooManyConnections
from managed_tables.databases.time_left import bounded_statements

WAIT_SECONDS = 5.0  # for a connection, when all are in use
IDLE_SECONDS = 45.0  # one that rested longer is not handed out: the server ends it (IDLE_SESSION_MS) at 60
ASK_AFTER_SECONDS = 5.0


class _Waiter:
    """One thread that waits for its turn; `granted` is set under the cache's lock."""

    def __init__(self, company_id: str, lock: threading.Lock) -> None:
        self.company_id = company_id
        self.granted = False
        self.condition = threading.Condition(lock)


class ConnectionCache:
    """Lends connections, `limit` at once, half as many to one company; keeps them open for the next."""

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
        self._company_limit = max(1, (limit + 1) // 2)  # a company's slow queries leave room for the others
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._in_use: dict[str, int] = {}
        self._total_in_use = 0
        self._waiters: deque[_Waiter] = deque()
        # Most recently used last: the one to reuse is found from the end, the one to close at the start.
        self._idle: list[tuple[float, ConnectionRecord, PgConnection]] = []

    @contextmanager
    def use(self, company: ConnectionRecord) -> Iterator[PgConnection]:
        """Lend a connection in autocommit for the `with` block, whose statements end in the request's time.

        Raises TooManyConnections when none is free in time, DATABASE_UNAVAILABLE where nobody answers.
        """
        self._acquire(company.company_id)
        connection: PgConnection | None = None
        try:
            connection = self._take_idle(company) or self._open(company)
            with bounded_statements(connection, self._statement_timeout_ms):
                yield connection
        finally:
            self._release(company, connection)

    def close_idle(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, _, connection in idle:
            connection.close()

    def _acquire(self, company_id: str) -> None:
        with self._lock:
            if not self._waiters and self._may_take(company_id):
                self._count(company_id, 1)
                return
            waiter = _Waiter(company_id, self._lock)
            self._waiters.append(waiter)
            self._grant()
            waiter.condition.wait_for(lambda: waiter.granted, self._wait_seconds)
            if not waiter.granted:
                self._waiters.remove(waiter)
                raise TooManyConnections

    def _may_take(self, company_id: str) -> bool:
        return self._total_in_use < self._limit and self._in_use.get(company_id, 0) < self._company_limit

    def _count(self, company_id: str, change: int) -> None:
        self._total_in_use += change
        left = self._in_use.get(company_id, 0) + change
        if left:
            self._in_use[company_id] = left
        else:
            del self._in_use[company_id]

    def _grant(self) -> None:
        """Grant free connections to waiting threads in order, but none to companies that have their share."""
        for waiter in list(self._waiters):
            if self._total_in_use >= self._limit:
                return
            if self._may_take(waiter.company_id):
                self._waiters.remove(waiter)
                self._count(waiter.company_id, 1)
                waiter.granted = True
                waiter.condition.notify()

    def _take_idle(self, company: ConnectionRecord) -> PgConnection | None:
        """Return an idle connection of the company that is alive; else make room for a new one."""
        while (found := self._next_idle(company)) is not None:
            since, connection = found
            if time.monotonic() - since < ASK_AFTER_SECONDS or _answers(connection):
                return connection
            connection.close()
        return None

    def _next_idle(self, company: ConnectionRecord) -> tuple[float, PgConnection] | None:
        """Take the company's connection that rested least, and since when; close unusable ones."""
        dropped: list[PgConnection] = []
        found: tuple[float, PgConnection] | None = None
        with self._lock:
            oldest = time.monotonic() - IDLE_SECONDS
            for place in range(len(self._idle) - 1, -1, -1):
                since, owner, connection = self._idle[place]
                if owner.connection_id != company.connection_id:
                    continue
                del self._idle[place]
                if since > oldest and owner == company and _is_quiet(connection):
                    found = since, connection
                    break
                dropped.append(connection)
            if found is None:
                while self._idle and len(self._idle) + self._total_in_use > self._limit:
                    dropped.append(self._idle.pop(0)[2])
        for connection in dropped:
            connection.close()
        return found

    def _release(self, company: ConnectionRecord, connection: PgConnection | None) -> None:
        reusable = (
            connection is not None
            and not connection.closed
            and connection.info.transaction_status is TransactionStatus.IDLE
        )
        with self._lock:
            if reusable and connection is not None:
                self._idle.append((time.monotonic(), company, connection))
            self._count(company.company_id, -1)
            self._grant()
        if connection is not None and not reusable:
            connection.close()


def _is_quiet(connection: PgConnection) -> bool:
    """Return whether the server has said nothing since: between statements it speaks only to say goodbye."""
    try:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return not connection.closed and not poll.poll(0)
    except (psycopg.Error, OSError, ValueError):
        return False


def _answers(connection: PgConnection) -> bool:
    """Return whether the server still answers on it."""
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
