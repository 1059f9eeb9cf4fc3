"""Keep the record beside each operation on a whole company, and the list of copies that wait to be dropped.

A company has one operation at a time. Whoever works on it renews its deadline; once that is past, whoever
comes next takes the operation over by giving it another stamp. From then on the one before can change nothing
of it: each of its writes names the stamp that it knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from managed_tables.catalog.items import ConditionFailed, Items, Record, Write, delete, put, update
from managed_tables.catalog.keys import PK, SK
from managed_tables.clock import timestamp
from managed_tables.ids import new_record_id

LEASE_SECONDS = 60.0  # for how long nobody else touches it; a worker renews it four times as often
OperationKind = Literal["move", "erase", "erase-rows", "restore", "rotate"]

_PK = "OPERATIONS"
_OLD_PK = "OLD_DATABASES"


@dataclass(frozen=True)
class OperationRecord(Record):
    """What is being done to a company, how far it is, and until when it is its worker's alone."""

    company_id: str
    connection_id: str
    kind: OperationKind
    stamp: str
    step: str
    started_at: str
    deadline: str
    source: str = ""  # of a move: the cluster that the company is on
    moving_to: str = ""
    generation: int = 0  # of a move: what the source's database has

    @property
    def is_lapsed(self) -> bool:
        """Return whether its worker is gone: the deadline is past."""
        return self.deadline < timestamp()


@dataclass(frozen=True)
class OldDatabase(Record):
    """A closed copy of a company's database on a cluster where the company no longer is."""

    company_id: str
    connection_id: str
    cluster: str
    closed_at: str


class OperationUnderway(Exception):  # noqa: N818 - an outcome, not a fault
    """Another operation of the company is under way."""

    def __init__(self, operation: OperationRecord) -> None:
        self.operation = operation
        super().__init__(
            f"{operation.kind} of company {operation.company_id} is under way since {operation.started_at}"
            f" (step {operation.step}): wait until it has ended, or until {operation.deadline}"
        )


class Operations:
    """The operations' records, one a company."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, company_id: str) -> OperationRecord | None:
        """Return what is under way, or was when its worker died."""
        item = self._items.find(_key(company_id))
        return None if item is None else OperationRecord.read(item)

    def all(self) -> Iterator[OperationRecord]:
        """Yield every operation that has not ended."""
        yield from map(OperationRecord.read, self._items.query(_PK))

    def begin(self, operation: OperationRecord) -> OperationRecord:
        """Record an operation and return it with its stamp; raises OperationUnderway, lapsed or not."""
        now = datetime.now(UTC)
        begun = replace(operation, stamp=new_record_id(), started_at=timestamp(now), deadline=_deadline(now))
        try:
            item = {**_key(begun.company_id), **begun.attributes()}
            self._items.put(item, "attribute_not_exists(pk)")
        except ConditionFailed:
            found = self.find(operation.company_id)
            if found is None:  # it has ended in this moment
                return self.begin(operation)
            raise OperationUnderway(found) from None
        return begun

    def advance(self, operation: OperationRecord, step: str = "") -> OperationRecord:
        """Record the step that comes now, and a new deadline; raises ConditionFailed for another stamp."""
        changed = replace(operation, step=step or operation.step, deadline=_deadline())
        changes = {"step": changed.step, "deadline": changed.deadline}
        self._items.write(update(_key(operation.company_id), changes, (), _HELD, stamp=operation.stamp))
        return changed

    def take_over(self, operation: OperationRecord) -> OperationRecord | None:
        """Return a lapsed operation with a stamp of ours; None if somebody was quicker, or it is renewed."""
        ours = replace(operation, stamp=new_record_id(), deadline=_deadline())
        changes = {"stamp": ours.stamp, "deadline": ours.deadline}
        unchanged = f"{_HELD} AND deadline = :deadline"
        values = {"stamp": operation.stamp, "deadline": operation.deadline}
        try:
            self._items.write(update(_key(operation.company_id), changes, (), unchanged, **values))
        except ConditionFailed:
            return None
        return ours

    def release(self, operation: OperationRecord) -> None:
        """Let whoever comes next go on with the operation at once; raises ConditionFailed."""
        changes = {"deadline": timestamp(datetime.now(UTC) - timedelta(seconds=1))}
        self._items.write(update(_key(operation.company_id), changes, (), _HELD, stamp=operation.stamp))

    def end(self, operation: OperationRecord) -> None:
        """Forget the operation; raises ConditionFailed for another stamp."""
        self._items.write(ending(operation))


class OldDatabases:
    """The copies that are closed, and dropped some time after."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def all(self) -> Iterator[OldDatabase]:
        """Yield every copy that is still to be dropped."""
        yield from map(OldDatabase.read, self._items.query(_OLD_PK))

    def put(self, old: OldDatabase) -> bool:
        """List a copy, unless it is listed; return whether it was not."""
        try:
            self._items.put(_old_item(old), "attribute_not_exists(pk)")
        except ConditionFailed:
            return False
        return True

    def remove(self, connection_id: str, cluster: str) -> None:
        """Forget a copy that is dropped, or in use."""
        self._items.write(delete(_old_key(connection_id, cluster)))


def ending(operation: OperationRecord) -> Write:
    """Return the write that forgets the operation, if its stamp is still the same."""
    return delete(_key(operation.company_id), _HELD, stamp=operation.stamp)


def listing(old: OldDatabase) -> Write:
    """Return the write that lists a closed copy."""
    return put(_old_item(old))


def unlisting(connection_id: str, cluster: str) -> Write:
    """Return the write that takes a database from the list of closed copies."""
    return delete(_old_key(connection_id, cluster))


_HELD = "stamp = :stamp"


def _key(company_id: str) -> dict[str, str]:
    return {PK: _PK, SK: f"COMPANY#{company_id}"}


def _old_key(connection_id: str, cluster: str) -> dict[str, str]:
    return {PK: _OLD_PK, SK: f"{connection_id}#{cluster}"}


def _old_item(old: OldDatabase) -> dict[str, str]:
    return {**_old_key(old.connection_id, old.cluster), **old.attributes()}


def _deadline(now: datetime | None = None) -> str:
    return timestamp((now or datetime.now(UTC)) + timedelta(seconds=LEASE_SECONDS))
