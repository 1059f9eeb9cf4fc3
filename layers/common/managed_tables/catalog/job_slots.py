"""Which of a company's jobs run, and which wait for a slot: what DynamoDB holds of both.

One item a company names the jobs that hold a slot; a waiting job has a ticket, an item of its own. Every read
is strongly consistent, so who gives a slot back after a ticket was written finds the ticket.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from managed_tables.catalog import keys
from managed_tables.catalog.items import Added, ConditionFailed, Deleted, Item, Items
from managed_tables.ids import new_record_id

TICKETS_A_PAGE = 10  # slots come free one by one: a queue of thousands is not read for the first of it


@dataclass(frozen=True)
class Ticket:
    """A job's place in its company's queue; `stamp` differs each time that it is written."""

    company_id: str
    job_id: str
    sk: str
    stamp: str


class Slots:
    """The slots of every company, `size` each: an item names the ids that hold one."""

    def __init__(self, items: Items, size: int, key_of: Callable[[str], dict[str, str]]) -> None:
        self.size = size
        self._items = items
        self._key_of = key_of

    def take(self, company_id: str, holder_id: str) -> bool:
        """Give it a slot, once; return whether it has one."""
        free = "attribute_not_exists(holders) OR size(holders) < :size OR contains(holders, :holder)"
        try:
            self._items.change(
                self._key_of(company_id),
                {"holders": Added([holder_id])},
                condition=free,
                size=self.size,
                holder=holder_id,
            )
        except ConditionFailed:
            return False
        return True

    def give_back(self, company_id: str, holder_id: str) -> None:
        """Free its slot, if it has one."""
        with suppress(ConditionFailed):
            self._items.change(
                self._key_of(company_id),
                {"holders": Deleted([holder_id])},
                condition="contains(holders, :holder)",
                holder=holder_id,
            )

    def holders(self, company_id: str) -> frozenset[str]:
        """Return the ids of those that hold a slot."""
        item = self._items.find(self._key_of(company_id)) or {}
        return frozenset(item.get("holders", ()))


class JobSlots(Slots):
    """The slots of jobs, and the tickets of those that wait for one."""

    def __init__(self, items: Items, size: int) -> None:
        super().__init__(items, size, keys.running_jobs_key)

    def enqueue(self, company_id: str, job_id: str, rounds: int) -> None:
        """Give the job a ticket; the same one again where it has one."""
        key = keys.waiting_job_key(company_id, job_id, rounds)
        # Not called job_id, by which the index of all jobs knows its items
        self._items.put({**key, "waiting_job_id": job_id, "stamp": new_record_id()})

    def tickets(self, company_id: str) -> Iterator[Ticket]:
        """Yield the tickets in their order: fewer rounds first, then the older job."""
        pk = keys.company_pk(company_id)
        found = self._items.query(pk, keys.WAITING_JOB_PREFIX, page_size=TICKETS_A_PAGE)
        return (_read_ticket(company_id, item) for item in found)

    def dequeue(self, ticket: Ticket) -> None:
        """Delete the ticket, unless it has been written again since it was read."""
        key = {keys.PK: keys.company_pk(ticket.company_id), keys.SK: ticket.sk}
        with suppress(ConditionFailed):
            self._items.remove(key, "stamp = :stamp", stamp=ticket.stamp)


def _read_ticket(company_id: str, item: Item) -> Ticket:
    return Ticket(company_id, item["waiting_job_id"], item[keys.SK], item["stamp"])
