"""Put TLS before a PostgreSQL server that was built without it: an authority, and a front that has it."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from managed_tables_local.ports import LOOPBACK
from managed_tables_operations.relaying import Streams, relayed

HOST = "localhost"


@dataclass(frozen=True)
class Authority:
    """Files of a certificate for HOST that is its own authority, and of its key."""

    certificate: Path
    key: Path


def make_authority(folder: Path) -> Authority:
    """Make a certificate of a day, and its key, in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Authority(folder / "authority.pem", folder / "authority.key")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    made.certificate.write_bytes(certificate.public_bytes(pem))
    made.key.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


@contextmanager
def tls_front(authority: Authority, server_port: int) -> Iterator[int]:
    """Serve the server on another port, with TLS alone, while the block runs; yield that port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate, authority.key)

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams:
        await reader.readexactly(8)  # PostgreSQL's request for TLS; who speaks without it gets nowhere
        writer.write(b"S")
        await writer.start_tls(context)
        return await asyncio.open_connection(LOOPBACK, server_port)

    with relayed(lambda accept: asyncio.start_server(accept, LOOPBACK, 0), lead) as serving:
        yield int(serving.sockets[0].getsockname()[1])
