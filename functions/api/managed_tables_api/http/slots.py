"""Share one process among companies: how many requests of each may be here, and how many in threads.

Routes block in a pool of 40 threads, and hold one connection at a time. Without a share of both each, one
company's requests that wait for its own slow queries would take all, and every other company would wait with
them. In Lambda, with one request at a time, nothing here ever waits.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

from managed_tables.errors import TOO_MANY_REQUESTS, ApiError

COMPANY_REQUESTS = 64  # received or waiting: each holds a body of up to 6 MB
WAIT_SECONDS = 15.0  # a query and its answer must still fit into the gateway's 29 s


class CompanyShare:
    """What one company takes of a process: its requests that are here, a share of them at once in threads."""

    def __init__(self, threads: int) -> None:
        self.requests = 0
        self._threads = asyncio.Semaphore(threads)

    async def hold_slot(self, held: AsyncExitStack) -> None:
        """Hold one of the company's threads until `held` ends; raises TOO_MANY_REQUESTS after a while."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await held.enter_async_context(self._threads)
        except TimeoutError as error:
            raise ApiError(TOO_MANY_REQUESTS) from error


class RequestSlots:
    """Count each company's requests, and give its share to them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        # An app may be run by several event loops, and what waits in one cannot be woken by another.
        self._shares: dict[tuple[asyncio.AbstractEventLoop, str], CompanyShare] = {}

    @contextmanager
    def request(self, company_id: str) -> Iterator[CompanyShare]:
        """Count a request for the `with` block; raises TOO_MANY_REQUESTS where the company has its number."""
        key = (asyncio.get_running_loop(), company_id)
        share = self._shares.setdefault(key, CompanyShare(self.threads))
        if share.requests >= COMPANY_REQUESTS:
            raise ApiError(TOO_MANY_REQUESTS)
        share.requests += 1
        try:
            yield share
        finally:
            share.requests -= 1
            if not share.requests:
                del self._shares[key]
