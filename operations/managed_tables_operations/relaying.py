"""Relay connections byte by byte in a thread of its own, to a PostgreSQL server over TLS for one.

The pg_dump that can be packed into a function has no TLS. It speaks to a Unix socket that only this user can
open; from there on the server's certificate is checked as the functions check it.
"""

import asyncio
import ssl
import struct
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from managed_tables.databases import connecting
from managed_tables.settings import ClusterAddress

_CHUNK_BYTES = 65_536
_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)  # PostgreSQL's protocol, 54.2.11: a request for TLS

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def relayed(
    listen: Callable[[Accept], Coroutine[Any, Any, asyncio.Server]],
    lead: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Streams]],
) -> Iterator[asyncio.Server]:
    """Serve as `listen` says; `lead` opens the far side of a connection, and may speak on either first."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            far_reader, far_writer = await lead(reader, writer)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        writer.close()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(listen(accept), loop).result()
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(_end(server), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _end(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # of a peer that is gone, TLS and its time included
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def plain_socket(address: ClusterAddress) -> Iterator[tuple[str, int]]:
    """Serve the server without TLS while the block runs; yield libpq's host, perhaps a folder, and port."""
    if address.sslmode == "prefer":
        yield address.host, address.port
        return
    context = _context(address)

    async def lead(_near: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> Streams:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(_SSL_REQUEST)
        if await reader.readexactly(1) != b"S":
            raise ConnectionError(f"{address.host} has no TLS, which its address asks for")
        await writer.start_tls(context, server_hostname=address.host)
        return reader, writer

    with tempfile.TemporaryDirectory(prefix="pg-") as folder:  # which nobody else can enter
        path = Path(folder) / f".s.PGSQL.{address.port}"
        with relayed(lambda accept: asyncio.start_unix_server(accept, path), lead):
            yield folder, address.port


def _context(address: ClusterAddress) -> ssl.SSLContext:
    if address.sslmode in connecting.VERIFYING:
        return ssl.create_default_context(cafile=connecting.AUTHORITIES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as libpq's `require`
    return context
