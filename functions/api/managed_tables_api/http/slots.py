"""Share one process among companies: how many requests of each may be here, and how many in threads.

Routes block in a pool of 40 threads, and hold one connection at a time. Without a share of both each, one
company's requests that wait for its own slow queries would take all, and every other company would wait with
them. In Lambda, with one request at a time, nothing here ever waits.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakKeyDictionary

import anyio

from managed_tables.errors import TOO_MANY_REQUESTS, ApiError

COMPANY_REQUESTS = 64  # received or waiting: each holds a body of up to 6 MB
WAIT_SECONDS = 15.0  # a query and its answer must still fit into the gateway's 29 s

Limiters = dict[str, anyio.CapacityLimiter]


class RequestSlots:
    """Count each company's requests and let them into the threads in order, a share at once."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._lock = threading.Lock()
        self._present: Counter[str] = Counter()
        # An app may be run by several event loops, and what waits in one cannot be woken by another.
        self._limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, Limiters] = WeakKeyDictionary()

    @contextmanager
    def request(self, company_id: str) -> Iterator[None]:
        """Count a request for the `with` block; raises TOO_MANY_REQUESTS where the company has its number."""
        with self._lock:
            if self._present[company_id] >= COMPANY_REQUESTS:
                raise ApiError(TOO_MANY_REQUESTS)
            self._present[company_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._present[company_id] -= 1
                if not self._present[company_id]:
                    del self._present[company_id]
                    for limiters in self._limiters.values():
                        limiters.pop(company_id, None)

    @asynccontextmanager
    async def slot(self, company_id: str) -> AsyncIterator[None]:
        """Hold one of the company's threads for the `with` block; raises TOO_MANY_REQUESTS after a while.

        Inside `request`, which keeps the company's share while anybody is here.
        """
        limiter, holder = self._limiter(company_id), object()
        try:
            limiter.acquire_on_behalf_of_nowait(holder)
        except anyio.WouldBlock:
            try:
                with anyio.fail_after(WAIT_SECONDS):
                    await limiter.acquire_on_behalf_of(holder)
            except TimeoutError as error:
                raise ApiError(TOO_MANY_REQUESTS) from error
        try:
            yield
        finally:
            limiter.release_on_behalf_of(holder)

    def _limiter(self, company_id: str) -> anyio.CapacityLimiter:
        with self._lock:
            limiters = self._limiters.setdefault(asyncio.get_running_loop(), {})
            if company_id not in limiters:
                limiters[company_id] = anyio.CapacityLimiter(self.threads)
            return limiters[company_id]
