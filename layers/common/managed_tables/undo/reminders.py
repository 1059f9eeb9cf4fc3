"""Remember when kept rows are to be dropped: items of the catalog, which wake no database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from managed_tables.catalog.items import Items, delete, put
from managed_tables.clock import timestamp

_PK = "KEPT"
_PREFIX = "DUE#"


@dataclass(frozen=True)
class Reminder:
    """What is due: the company in whose database something may be kept, and the item's own key."""

    company_id: str
    sk: str


@dataclass(frozen=True)
class Reminders:
    """The reminders in the catalog, over all companies."""

    items: Items

    def add(self, company_id: str, job_id: str, days: int) -> None:
        """Remember that the job may keep rows for `days`; before it does. Repeatable."""
        due = timestamp(datetime.now(UTC) + timedelta(days=days, hours=1))
        self.items.write(
            put({"pk": _PK, "sk": f"{_PREFIX}{due}#{company_id}#{job_id}", "company_id": company_id})
        )

    def due(self, now: str) -> Iterator[Reminder]:
        """Yield what is due, the oldest first."""
        for item in self.items.query(_PK, _PREFIX):
            if item["sk"][len(_PREFIX) :] > now:
                return
            yield Reminder(item["company_id"], item["sk"])

    def remove(self, reminder: Reminder) -> None:
        """Forget a reminder that was followed."""
        self.items.write(delete({"pk": _PK, "sk": reminder.sk}))
