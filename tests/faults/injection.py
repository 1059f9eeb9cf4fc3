"""Inject faults: a step runs in a forked child, whose calls to AWS and PostgreSQL are counted.

Each AWS call, statement, COPY chunk and commit is a numbered boundary. One run without a fault
shows how many there are; each further run has one fault at one of them. The product is not changed:
only methods of botocore and psycopg are wrapped, and only in the child.
"""

import functools
import os
import pickle
import select
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

Way = Literal[
    "kill before",  # SIGKILL before the call is made
    "kill after",  # SIGKILL after the call, before its answer is seen
    "cut",  # PostgreSQL ends the connection before the statement
    "lost",  # the statement runs, but the connection breaks before its answer
    "down",  # AWS is unreachable, however often botocore tries
    "error once",  # AWS answers 503 once: botocore retries
    "lost once",  # AWS carries out a request but its answer is lost once: botocore repeats it
]
SQL_WAYS: tuple[Way, ...] = ("kill before", "kill after", "cut", "lost")
CALL_WAYS: tuple[Way, ...] = ("kill before", "kill after", "down", "lost")
REQUEST_WAYS: tuple[Way, ...] = ("error once", "lost once")

CHILD_LIMIT_SECONDS = 60.0
CLOSING_LIMIT_SECONDS = 10.0


@dataclass(frozen=True)
class Boundary:
    """One external operation of the step: a statement (`sql`), an AWS call, or one HTTP request of a call."""

    kind: Literal["sql", "call", "request"]
    name: str

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways in which it can fail."""
        return {"sql": SQL_WAYS, "call": CALL_WAYS, "request": REQUEST_WAYS}[self.kind]


@dataclass(frozen=True)
class Fault:
    """A way to fail, and the boundary's number, from 0."""

    number: int
    way: Way


@dataclass
class Run:
    """How a child ended: its boundaries, and what the step returned or raised, or that it was killed."""

    boundaries: list[Boundary] = field(default_factory=list)
    killed: bool = False
    value: Any = None
    error: str | None = None

    @property
    def ended_well(self) -> bool:
        """Return whether the step returned."""
        return not self.killed and self.error is None


def run_step(step: Callable[[], Any], fault: Fault | None = None, admin_dsn: str = "") -> Run:
    """Run the step in a forked child with the fault; the step must make its own clients and connections."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_child(step, fault, admin_dsn, writing)
    os.close(writing)
    try:
        answer = _read_all(reading, child)
    finally:
        os.close(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Run(killed=True)
    run: Run = pickle.loads(answer)  # noqa: S301 - written by our child
    return run


def _read_all(reading: int, child: int) -> bytes:
    deadline = time.monotonic() + CHILD_LIMIT_SECONDS
    parts = []
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"a step did not end within {CHILD_LIMIT_SECONDS} s")
        part = os.read(reading, 65_536)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _be_child(step: Callable[[], Any], fault: Fault | None, admin_dsn: str, writing: int) -> None:
    """Run the step and exit without the parent's cleanup, which would close the parent's connections."""
    run = Run()
    try:
        Injector(fault, admin_dsn, run.boundaries).install()
        run.value = step()
    except BaseException as error:
        run.error = f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-6)}"
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(pickle.dumps(run))
    os._exit(0)


class Injector:
    """Counts the boundaries of this process and injects the fault at its boundary."""

    def __init__(self, fault: Fault | None, admin_dsn: str, boundaries: list[Boundary]) -> None:
        self._fault, self._admin_dsn, self._boundaries = fault, admin_dsn, boundaries
        self._lock = threading.Lock()
        self._connect = psycopg.connect

    def install(self) -> None:
        """Wrap everything that talks to AWS or PostgreSQL, for the rest of this process's life."""
        self._wrap(BaseClient, "_make_api_call", self._around_call)
        self._wrap(URLLib3Session, "send", self._around_request)
        self._wrap(psycopg.Cursor, "execute", self._around_execute)
        self._wrap(psycopg.Copy, "write", self._around_copy("COPY chunk"))
        self._wrap(psycopg.Copy, "read", self._around_copy("COPY row"))
        self._wrap(psycopg.Copy, "read_row", self._around_copy("COPY row"))
        self._wrap(psycopg.Copy, "finish", self._around_copy("COPY end"))
        self._wrap(psycopg.Transaction, "__exit__", self._around_commit)

    def _wrap(self, owner: type, name: str, around: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapped(this: Any, *arguments: Any, **named: Any) -> Any:
            return around(functools.partial(original, this, *arguments, **named), this, *arguments)

        setattr(owner, name, wrapped)

    def _meet(self, boundary: Boundary) -> Way | None:
        """Count the boundary; return how it must fail, or None."""
        with self._lock:
            number = len(self._boundaries)
            self._boundaries.append(boundary)
        if self._fault is None or self._fault.number != number:
            return None
        return self._fault.way

    def _around_call(self, call: Callable[[], Any], _client: Any, name: str, *_: Any) -> Any:
        way = self._meet(Boundary("call", name))
        _kill_if(way, "kill before")
        if way == "down":
            raise EndpointConnectionError(endpoint_url="http://injected")
        result = call()
        _kill_if(way, "kill after")
        if way == "lost":
            raise ReadTimeoutError(endpoint_url="http://injected")
        return result

    def _around_request(self, call: Callable[[], Any], _session: Any, request: Any) -> Any:
        way = self._meet(Boundary("request", request.method))
        if way == "error once":
            return AWSResponse(request.url, 503, {}, _Empty())
        result = call()
        if way == "lost once":
            raise ConnectionClosedError(endpoint_url=request.url)
        return result

    def _around_execute(self, call: Callable[[], Any], cursor: Any, statement: Any, *_: Any) -> Any:
        return self._around_sql(call, cursor.connection, _words(statement))

    def _around_copy(self, name: str) -> Callable[..., Any]:
        def around(call: Callable[[], Any], copy: Any, *_: Any) -> Any:
            return self._around_sql(call, copy.connection, name)

        return around

    def _around_commit(self, call: Callable[[], Any], transaction: Any, kind: Any, *_: Any) -> Any:
        return self._around_sql(call, transaction.connection, "COMMIT" if kind is None else "ROLLBACK")

    def _around_sql(self, call: Callable[[], Any], connection: Any, name: str) -> Any:
        way = self._meet(Boundary("sql", name))
        _kill_if(way, "kill before")
        if way == "cut":
            self._cut(connection)
        result = call()
        _kill_if(way, "kill after")
        if way == "lost":
            connection.pgconn.finish()
            raise psycopg.OperationalError("injected: the connection broke before the answer")
        return result

    def _cut(self, connection: Any) -> None:
        """End the server process of the connection and wait until it is gone."""
        pid = connection.pgconn.backend_pid
        with self._connect(self._admin_dsn, autocommit=True) as admin:
            # Directly through libpq: the wrapped cursor would count it.
            admin.pgconn.exec_(f"SELECT pg_terminate_backend({pid})".encode())
            deadline = time.monotonic() + CLOSING_LIMIT_SECONDS
            gone = f"SELECT FROM pg_stat_activity WHERE pid = {pid}".encode()
            while admin.pgconn.exec_(gone).ntuples:
                if time.monotonic() > deadline:
                    raise AssertionError("the server process did not end")


class _Empty:
    """The body of an answer without one."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        return iter(())


def _kill_if(way: Way | None, wanted: Way) -> None:
    if way == wanted:
        os.kill(os.getpid(), signal.SIGKILL)


def _words(statement: Any) -> str:
    """Return the first words of the statement, for people."""
    text = statement if isinstance(statement, str | bytes) else statement.as_bytes(None)
    text = text.decode() if isinstance(text, bytes) else text
    return " ".join(text.split())[:60]
