"""Lead programs without TLS of their own to a PostgreSQL server that asks for it.

The pg_dump that can be packed into a function has no TLS. It speaks to a Unix socket that only this user can
open; from there on the server's certificate is checked as the functions check it.
"""

import asyncio
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from managed_tables.databases import connecting
from managed_tables.settings import ClusterAddress

_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)  # PostgreSQL's protocol, 54.2.11: a request for TLS
_CHUNK_BYTES = 65_536


class TlsRefusedError(ConnectionError):
    """The server has no TLS, which its address asks for."""


@contextmanager
def plain_socket(address: ClusterAddress) -> Iterator[tuple[str, int]]:
    """Serve the server without TLS while the block runs; yield libpq's host, perhaps a folder, and port."""
    if address.sslmode == "prefer":
        yield address.host, address.port
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        with tempfile.TemporaryDirectory(prefix="pg-") as folder:  # which nobody else can enter
            path = Path(folder) / f".s.PGSQL.{address.port}"
            starting = _serve(address, _context(address), path)
            server = asyncio.run_coroutine_threadsafe(starting, loop).result()
            yield folder, address.port
            loop.call_soon_threadsafe(server.close)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _context(address: ClusterAddress) -> ssl.SSLContext:
    if address.sslmode in connecting.VERIFYING:
        return ssl.create_default_context(cafile=connecting.AUTHORITIES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as libpq's `require`
    return context


async def _serve(address: ClusterAddress, context: ssl.SSLContext, path: Path) -> asyncio.Server:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(address.host, address.port)
            far_writer.write(_SSL_REQUEST)
            if await far_reader.readexactly(1) != b"S":
                raise TlsRefusedError(address.host)
            await far_writer.start_tls(context, server_hostname=address.host)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            writer.close()

    return await asyncio.start_unix_server(relay, path)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # of a peer that is gone, TLS and its time included
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
