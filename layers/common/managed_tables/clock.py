"""Write times as metadata has them (ISO 8601, UTC, milliseconds, `Z`); say when something is due again."""

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


class Pace:
    """What is done at most once in so many seconds, the first time after as many."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def is_due(self) -> bool:
        """Return whether it may be done now; it counts as done then."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
