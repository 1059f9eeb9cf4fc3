"""Hang up on clients that never finish a request's head: uvicorn has no such limit, and would wait for ever.

In front of Lambda, API Gateway has such limits; here nothing has, and idle connections would pile up.
uvicorn's `timeout_keep_alive` counts only after an answer.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_MAX_SECONDS = 20.0  # for the request line and the headers: one packet of an honest client


class ImpatientProtocol(H11Protocol):
    """uvicorn's own, which hangs up on a connection that has been without a request for too long."""

    head_max_seconds = HEAD_MAX_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        super().connection_lost(exc)
        if self._deadline:
            self._deadline.cancel()

    def on_response_complete(self) -> None:
        """Wait for the next request, from now on."""
        self._wait()
        super().on_response_complete()

    def _wait(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self.head_max_seconds, self._hang_up)

    def _hang_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:  # else a request is being answered
            self.transport.close()
