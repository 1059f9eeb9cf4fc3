"""Owns fairness inside one process: how many requests a company may have here, and how many in threads.

Routes block in a pool of 40 threads. Without a share of it each, one company's requests that wait for its own
slow queries would fill the pool, and every other company would wait with them. In Lambda, with one request
at a time, nothing here ever waits.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from managed_tables.errors import TOO_MANY_REQUESTS, ApiError

COMPANY_THREADS = 10  # a quarter of the pool; a company has fewer connections to its database than this
COMPANY_REQUESTS = 64  # received or waiting: each holds a body of up to 6 MB
WAIT_SECONDS = 15.0  # a query and its answer must still fit into the gateway's 29 s


class Turns:
    """Counts each company's requests and lets them into the threads in order, a share at once."""

    def __init__(
        self,
        threads: int = COMPANY_THREADS,
        requests: int = COMPANY_REQUESTS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._threads = threads
        self._requests = requests
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()  # an app may be run by several event loops
        self._present: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @contextmanager
    def request(self, company_id: str) -> Iterator[None]:
        """Count a request for the `with` block; raises TOO_MANY_REQUESTS where the company has its number."""
        with self._lock:
            if self._present[company_id] >= self._requests:
                raise ApiError(TOO_MANY_REQUESTS)
            self._present[company_id] += 1
        try:
            yield
        finally:
            with self._lock:
                _take_one(self._present, company_id)

    @asynccontextmanager
    async def turn(self, company_id: str) -> AsyncIterator[None]:
        """Hold one of the company's threads for the `with` block; raises TOO_MANY_REQUESTS after a while."""
        await self._begin(company_id)
        try:
            yield
        finally:
            self._end(company_id)

    async def _begin(self, company_id: str) -> None:
        with self._lock:
            waiting = self._waiting.get(company_id)
            if not waiting and self._running[company_id] < self._threads:
                self._running[company_id] += 1
                return
            mine = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(company_id, deque()).append(mine)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await mine
        except BaseException as error:
            self._leave(company_id, mine)
            if isinstance(error, TimeoutError):
                raise ApiError(TOO_MANY_REQUESTS) from error
            raise

    def _leave(self, company_id: str, mine: "asyncio.Future[None]") -> None:
        """Give up waiting; a turn that was given at this very moment goes on to the next."""
        if mine.done() and not mine.cancelled():
            self._end(company_id)
            return
        with self._lock:
            waiting = self._waiting.get(company_id, deque())
            if mine in waiting:
                waiting.remove(mine)

    def _end(self, company_id: str) -> None:
        """Hand the turn to who waits longest, or give it back."""
        with self._lock:
            waiting = self._waiting.get(company_id)
            if waiting:
                following = waiting.popleft()
                following.get_loop().call_soon_threadsafe(self._give, company_id, following)
                return
            self._waiting.pop(company_id, None)
            _take_one(self._running, company_id)

    def _give(self, company_id: str, following: "asyncio.Future[None]") -> None:
        if following.done():  # it has just given up
            self._end(company_id)
        else:
            following.set_result(None)


def _take_one(counts: Counter[str], company_id: str) -> None:
    counts[company_id] -= 1
    if not counts[company_id]:
        del counts[company_id]
