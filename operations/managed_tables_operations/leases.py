"""Have a company for one operation alone, and keep that known to be alive while it goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from managed_tables.catalog import operations
from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.operations import OperationRecord, OperationUnderway
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables_operations import OperatorError

_RENEWALS = 4  # within one lease: three may fail
_END_THEMSELVES = frozenset(
    {"move", "erase"}
)  # together with what they change; half done they are gone on with


class Lease:
    """An operation that is ours while its deadline is renewed."""

    def __init__(self, services: Services, record: OperationRecord) -> None:
        self.record = record
        self._services = services
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)

    def advance(self, step: str) -> None:
        """Record the step that comes now; raises OperatorError where somebody took the operation over."""
        with self._changing:
            try:
                self.record = self._services.operations.advance(self.record, step)
            except ConditionFailed as error:
                raise OperatorError(
                    f"{self.record.kind} of company {self.record.company_id} was taken over meanwhile:"
                    " see where it is, and run it again"
                ) from error

    @contextmanager
    def renewed(self) -> Iterator["Lease"]:
        """Renew the deadline while the block runs."""
        self._renewing.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._renewing.join()
            self._leave()

    def _leave(self) -> None:
        """Forget the operation, or let whoever comes next go on with one that ends by a write of its own."""
        leave = self._services.operations.release if self.record.kind in _END_THEMSELVES else None
        with suppress(
            ConditionFailed, ApiError
        ):  # it has ended, or somebody else has it; or its deadline comes
            (leave or self._services.operations.end)(self.record)

    def _renew(self) -> None:
        while not self._ended.wait(operations.LEASE_SECONDS / _RENEWALS):
            with self._changing:
                try:
                    self.record = self._services.operations.advance(self.record)
                except ConditionFailed:  # the next step will find it out
                    return
                except ApiError:  # the catalog is away: the next time perhaps not
                    continue


@contextmanager
def hold(services: Services, wanted: OperationRecord) -> Iterator[Lease]:
    """Have the company for the block alone; raises OperatorError where another operation is under way.

    The same operation, left behind by a worker that is gone, is gone on with; a move is ended first.
    """
    with Lease(services, _begin(services, wanted)).renewed() as lease:
        yield lease


def _begin(services: Services, wanted: OperationRecord) -> OperationRecord:
    try:
        return services.operations.begin(wanted)
    except OperationUnderway as error:
        found = error.operation
        if not found.is_lapsed:
            raise OperatorError(str(error)) from error
        if found.kind == "move":
            services.moves.end_lapsed(wanted.company_id)
            return _begin(services, wanted)
        if found.kind == wanted.kind and (ours := services.operations.take_over(found)):
            return ours
        raise OperatorError(f"{found.kind} of company {wanted.company_id} was left behind: resume") from error


def wanted(company_id: str, connection_id: str, kind: operations.OperationKind) -> OperationRecord:
    """Return an operation that is to begin."""
    return OperationRecord(
        company_id, connection_id, kind, stamp="", step="begun", started_at="", deadline=""
    )
