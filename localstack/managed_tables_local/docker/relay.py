"""Relay TCP ports from containers to this machine's loopback while a block runs."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from managed_tables_local.ports import LOOPBACK

_CHUNK_BYTES = 65_536


class _Relay(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Connection(BaseRequestHandler):
    """One connection, passed on to the same port of the loopback."""

    request: socket.socket

    def handle(self) -> None:
        """Pass bytes both ways until both sides end."""
        port = self.request.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)) as target:
            back = threading.Thread(target=_pump, args=(target, self.request), daemon=True)
            back.start()
            _pump(self.request, target)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def relayed(address: str, ports: Sequence[int]) -> Iterator[None]:
    """Relay these ports of `address`, which only containers reach, to the loopback."""
    servers = [_Relay((address, port), _Connection) for port in ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
