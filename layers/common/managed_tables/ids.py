"""Make identifiers: 24-hex record ids and UUIDv7 row ids, both in order of creation."""

import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from uuid import UUID

NOBODY = "0" * 24  # the user of what no person has asked for
_RECORD_ID = re.compile(r"[0-9a-f]{24}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_VERSION_7 = 0x7 << 76
_UUID_VARIANT = 0b10 << 62
_ROW_COUNTER_BITS = 32  # rows of one batch: more than a 1 GiB upload can hold
COUNTER_LOW_BITS = _ROW_COUNTER_BITS - 12  # of a row's number, those in the id's second half
RANDOM_BITS = 62 - COUNTER_LOW_BITS


def is_record_id(text: str) -> bool:
    """Return whether text is 24 hex digits, either case, as company, user, table and job ids are."""
    return _RECORD_ID.fullmatch(text.lower()) is not None


def is_uuid(text: str) -> bool:
    """Return whether text is a UUID with its hyphens, in either case, as rows' ids are."""
    return _UUID.fullmatch(text) is not None


def user_id_of(subject: str) -> str:
    """Return the user's id: a token's `sub` of 24 hex digits, or derived from a UUID; raises ValueError.

    Of a UUID it is the first 24 hex digits of the SHA-256 of its lower-case text with hyphens.
    """
    if is_record_id(subject):
        return subject.lower()
    if not is_uuid(subject):
        raise ValueError("sub")
    return hashlib.sha256(subject.lower().encode()).hexdigest()[:24]


def new_record_id() -> str:
    """Return a 24-hex id that sorts by creation: 48 bits of milliseconds, 16 of their fraction, 32 random.

    A call takes longer than the 15 ns that the fraction tells apart.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    return f"{milliseconds:012x}{rest * 65_536 // 1_000_000:04x}{secrets.randbits(32):08x}"


def derive_record_id(created_ms: int, *facts: str) -> str:
    """Return the 24-hex id of whatever these facts tell apart: always the same, sorting by `created_ms`."""
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()
    return f"{created_ms:012x}{digest[:12]}"


def row_ids(base_ms: int, count: int) -> Iterator[UUID]:
    """Yield `count` UUIDv7 in increasing order, all of the millisecond `base_ms` (RFC 9562, 6.2 method 1).

    The 12 bits after the version and the next 20 hold the row's number in the batch, the last 42 are
    random: a batch sorts by row, and two batches of one millisecond do not collide.
    """
    for number in range(count):
        yield row_id(base_ms, number)


def row_id_range(base_ms: int, count: int) -> tuple[UUID, UUID]:
    """Return the least and the greatest id that a batch of `count` rows of this millisecond can have."""
    first = row_id(base_ms, 0).int >> RANDOM_BITS << RANDOM_BITS
    last = row_id(base_ms, max(count - 1, 0)).int | (1 << RANDOM_BITS) - 1
    return UUID(int=first), UUID(int=last)


def row_number(row_id: UUID) -> int:
    """Return the number of the row in its batch."""
    return (row_id.int >> 64 & 0xFFF) << 20 | row_id.int >> RANDOM_BITS & 0xFFFFF


def row_id(base_ms: int, number: int) -> UUID:
    """Return the UUIDv7 of row `number` (counted from 0, under 2^32) of a batch made at `base_ms`."""
    high, low = number >> COUNTER_LOW_BITS, number & (1 << COUNTER_LOW_BITS) - 1
    value = base_ms << 80 | _UUID_VERSION_7 | high << 64 | _UUID_VARIANT
    return UUID(int=value | low << RANDOM_BITS | secrets.randbits(RANDOM_BITS))
