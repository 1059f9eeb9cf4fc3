"""A company's share of the steps: so many of its jobs run at once, the others wait in order.

One item a company names the jobs that hold a slot; a waiting job has a ticket, an item of its own. Every read
is strongly consistent, so who gives a slot back after a ticket was written finds the ticket.

A job that could go on gets a ticket first; then whoever is there lets the jobs of the first tickets go on, as
far as slots are free. Who gives a slot back does the same. Every step can be repeated: a job holds one slot
however often it takes it, an execution bears its job's id, and a task token is spent once.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from managed_tables.aws.executions import Executions, ExecutionsUnavailable
from managed_tables.catalog import keys
from managed_tables.catalog.items import Added, ConditionFailed, Deleted, Item, Items
from managed_tables.catalog.job_records import UNREADABLE, JobRecord
from managed_tables.catalog.jobs import Jobs
from managed_tables.ids import new_record_id
from managed_tables.observability import get_logger

TICKETS_A_PAGE = 10  # slots come free one by one: a queue of thousands is not read for the first of it


class Slots:
    """The slots of every company, `size` each: an item of this kind names the ids that hold one."""

    def __init__(self, items: Items, size: int, kind: str) -> None:
        self.size = size
        self._items = items
        self._kind = kind

    def take(self, company_id: str, holder_id: str) -> bool:
        """Give it a slot, once; return whether it has one."""
        free = "attribute_not_exists(holders) OR size(holders) < :size OR contains(holders, :holder)"
        change = {"holders": Added([holder_id])}
        key = keys.item_key(company_id, self._kind)
        return self._items.change(key, change, condition=free, size=self.size, holder=holder_id) is not None

    def give_back(self, company_id: str, holder_id: str) -> None:
        """Free its slot, if it has one."""
        change = {"holders": Deleted([holder_id])}
        held = "contains(holders, :holder)"
        self._items.change(keys.item_key(company_id, self._kind), change, condition=held, holder=holder_id)

    def holders(self, company_id: str) -> frozenset[str]:
        """Return the ids of those that hold a slot."""
        item = self._items.find(keys.item_key(company_id, self._kind)) or {}
        return frozenset(item.get("holders", ()))


class JobSlots(Slots):
    """The slots of jobs, and the tickets of those that wait for one."""

    def __init__(self, items: Items, size: int) -> None:
        super().__init__(items, size, keys.RUNNING_JOBS)

    def enqueue(self, company_id: str, job_id: str, rounds: int) -> None:
        """Give the job a ticket, whose stamp is another each time; the same one again where it has one."""
        key = keys.item_key(company_id, keys.WAITING_JOB, f"{rounds:05}", job_id)
        # Not called job_id, by which the index of all jobs knows its items
        self._items.put({**key, "waiting_job_id": job_id, "stamp": new_record_id()})

    def tickets(self, company_id: str) -> Iterator[Item]:
        """Yield the tickets in their order: fewer rounds first, then the older job."""
        prefix = f"{keys.WAITING_JOB}#"
        return self._items.query(keys.company_pk(company_id), prefix, page_size=TICKETS_A_PAGE)

    def dequeue(self, ticket: Item) -> None:
        """Delete the ticket, unless it has been written again since it was read."""
        key = {name: ticket[name] for name in (keys.PK, keys.SK)}
        with suppress(ConditionFailed):
            self._items.remove(key, "stamp = :stamp", stamp=ticket["stamp"])


def can_go_on(job: JobRecord) -> bool:
    """Return whether nothing but a slot keeps the job: its execution is to be started, or told to go on."""
    return (job.status == "queued" and job.has_all_files) or has_moved_on(job)


def has_moved_on(job: JobRecord) -> bool:
    """Return whether the job has been taken out of its wait while its execution may not know of it."""
    if job.task_token is None:
        return False
    return job.status == "inserting" or (
        job.status == "analisando" and (job.wish_key is not None or job.goes_on_alone)
    )


def occupies_slot(job: JobRecord | None) -> bool:
    """Return whether the job, once let go on, is still at one of its steps."""
    if job is None or job.is_terminal or job.is_rejected:
        return False
    if job.status == "analisando" and not job.goes_on_alone:
        return job.analysis_key is None or job.wish_key is not None
    return True


@dataclass(frozen=True)
class Shares:
    """Lets jobs go on; `executions` is asked for when the first one is."""

    slots: JobSlots
    jobs: Jobs
    executions: Callable[[], Executions]

    def admit(self, job: JobRecord, rounds: int = 0) -> bool:
        """Let the job go on, or wait for a slot; return whether it went on. Repeatable.

        `rounds` says how often it came back to wait: such jobs let those with fewer go first. Raises ApiError
        and ExecutionsUnavailable.
        """
        self.slots.enqueue(job.company_id, job.job_id, rounds)
        return job.job_id in self.admit_waiting(job.company_id)

    def resume(self, job: JobRecord) -> None:
        """Let a job go on that waited for a person, with its token; where that fails the sweep does it."""
        if job.task_token is None:
            return
        try:
            self.admit(job)
        except ExecutionsUnavailable:
            get_logger("jobs").error("execution not told", exc_info=True, job_id=job.job_id)

    def leave(self, job: JobRecord) -> bool:
        """Give the job's slot to the next one; return whether that was done. Raises nothing."""
        try:
            self.slots.give_back(job.company_id, job.job_id)
            self.admit_waiting(job.company_id)
        except Exception:
            get_logger("jobs").warning("slot not given on", exc_info=True, job_id=job.job_id)
            return False
        return True

    def admit_waiting(self, company_id: str) -> set[str]:
        """Let the company's first waiting jobs go on, while slots are free; return which. Repeatable."""
        gone_on: set[str] = set()
        for ticket in self.slots.tickets(company_id):
            try:
                job = self.jobs.find(company_id, ticket["waiting_job_id"])
            except UNREADABLE:  # a later release's, or somebody's hand: others need not wait behind it
                get_logger("jobs").error("job cannot be read", exc_info=True, job_id=ticket["waiting_job_id"])
                job = None
            if job is not None and can_go_on(job):
                slot = company_id, job.job_id
                if not (self.slots.take(*slot) or (self.reclaim(company_id) and self.slots.take(*slot))):
                    break
                self._tell(job)
                gone_on.add(job.job_id)
            self.slots.dequeue(ticket)
        return gone_on

    def reclaim(self, company_id: str) -> bool:
        """Free the slots of jobs that stopped without giving them back; return whether there were any."""
        holders = self.slots.holders(company_id)
        idle = [one for one in holders if self._is_idle(company_id, one)]
        for job_id in idle:
            self.slots.give_back(company_id, job_id)
        return bool(idle)

    def _is_idle(self, company_id: str, job_id: str) -> bool:
        try:
            return not occupies_slot(self.jobs.find(company_id, job_id))
        except UNREADABLE:  # what it does is not known
            return False

    def _tell(self, job: JobRecord) -> None:
        """Start the job's execution, or tell it where the job goes; what is told twice is no fault."""
        if job.task_token is None:
            self.executions().start(job)
            return
        is_read_again = job.status == "analisando" and job.wish_key is not None
        self.executions().resume(job.task_token, {"next": "analyze"} if is_read_again else {})
        self.jobs.forget_token(job)
