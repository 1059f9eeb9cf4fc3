"""Let a client repeat an insert safely by an `Idempotency-Key`, as other public APIs do.

Whoever gets no answer sends the same request with the same key again, and the rows are there once. The key
is recorded by the statement that inserts, and kept for a day at least.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from managed_tables.errors import INVALID_REQUEST, ApiError

HEADER = "Idempotency-Key"
MAX_CHARACTERS = 255


@dataclass(frozen=True)
class IdempotencyKey:
    """The client's name for a request, and a digest of the request."""

    key: str
    fingerprint: str


def read_key(headers: Sequence[str], body: bytes, options: str = "") -> IdempotencyKey | None:
    """Return the key in the header's values, None without one; raises INVALID_REQUEST.

    `options` are the request's other parameters, empty for most.
    """
    if not headers:
        return None
    key = headers[0]
    is_printable = key.isascii() and key.isprintable()
    if len(headers) > 1 or not is_printable or not 1 <= len(key) <= MAX_CHARACTERS:
        reason = f"{HEADER} deve vir uma vez, com 1 a {MAX_CHARACTERS} caracteres ASCII visíveis"
        raise ApiError(INVALID_REQUEST, reason=reason)
    return IdempotencyKey(key, hashlib.sha256(body + options.encode()).hexdigest())
