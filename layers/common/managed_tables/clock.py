"""Write times as metadata has them (ISO 8601, UTC, milliseconds, `Z`)."""

import time
from datetime import UTC, datetime


def timestamp(moment: datetime | None = None) -> str:
    """Return the moment (now, where none is given) as `2026-01-15T10:30:00.000Z`."""
    moment = datetime.now(UTC) if moment is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Parse what `timestamp` wrote."""
    return datetime.fromisoformat(text)


def expiry(days: int) -> int:
    """Return the second at which DynamoDB may delete an item that is kept for so many days from now."""
    return int(time.time()) + days * 86_400
