"""Put TLS before a PostgreSQL server that was built without it: an authority, and a front that has it."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from managed_tables_local.ports import LOOPBACK
from managed_tables_operations.relaying import Streams, relayed

HOST = "localhost"


@dataclass(frozen=True)
class Authority:
    """The file of an authority's certificate, and one that it has issued for HOST."""

    certificate: Path
    issued: trustme.LeafCert


def make_authority(folder: Path) -> Authority:
    """Make an authority, its certificate in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, file = trustme.CA(), folder / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return Authority(file, authority.issue_cert(HOST))


@contextmanager
def tls_front(authority: Authority, server_port: int) -> Iterator[int]:
    """Serve the server on another port, with TLS alone, while the block runs; yield that port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issued.configure_cert(context)

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams:
        await reader.readexactly(8)  # PostgreSQL's request for TLS; who speaks without it gets nowhere
        writer.write(b"S")
        await writer.start_tls(context)
        return await asyncio.open_connection(LOOPBACK, server_port)

    with relayed(lambda accept: asyncio.start_server(accept, LOOPBACK, 0), lead) as serving:
        yield int(serving.sockets[0].getsockname()[1])
