"""Relay connections byte by byte, in a thread of its own, to a port of this machine."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from anyio.from_thread import start_blocking_portal

from managed_tables_local.processes import LOOPBACK

_CHUNK_BYTES = 65_536


@contextmanager
def relayed(to_port: int, address: str, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve the port on another address while the block runs; yield the port there.

    With `tls` it is for PostgreSQL's clients, who ask for that first; others get nowhere.
    """

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            if tls:
                await reader.readexactly(8)
                writer.write(b"S")
                await writer.start_tls(tls)
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, to_port)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        writer.close()

    with start_blocking_portal() as portal:  # which cancels what is left of the connections
        server = portal.call(asyncio.start_server, accept, address, port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            portal.call(server.close)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # of a peer that is gone, TLS and its time included
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
