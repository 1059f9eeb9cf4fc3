"""Lead programs without TLS of their own to a PostgreSQL server that asks for it.

The pg_dump that can be packed into a function has no TLS. It speaks to a Unix socket that only this user can
open; from there on the server's certificate is checked as the functions check it.
"""

import asyncio
import ssl
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from managed_tables.databases import connecting
from managed_tables.settings import ClusterAddress
from managed_tables_operations.relaying import Streams, relayed

_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)  # PostgreSQL's protocol, 54.2.11: a request for TLS


class TlsRefusedError(ConnectionError):
    """The server has no TLS, which its address asks for."""


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
            raise TlsRefusedError(address.host)
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
