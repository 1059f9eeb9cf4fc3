"""End what operators' commands have left: operations whose worker is gone, copies that nobody needs any more.

The schedule runs this each minute.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from managed_tables.catalog.operations import OldDatabase, OperationRecord
from managed_tables.clock import parse_timestamp, timestamp
from managed_tables.databases.connecting import CompanyRoles
from managed_tables.databases.copies import drop_copy, find_generation
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables_operations import OperatorError
from managed_tables_operations.erasing import erase_company, go_on_erasing_rows

OLD_DATABASE_DAYS = 1  # for which a copy that a move or a restore has left stays, closed


def resume(services: Services) -> Iterator[str]:
    """End every operation whose worker is gone, drop the copies that are due, and yield what was done."""
    for operation in services.operations.all():
        if operation.is_lapsed:
            yield from _attempt(f"company {operation.company_id}", end_lapsed(services, operation))
    until = timestamp(datetime.now(UTC) - timedelta(days=OLD_DATABASE_DAYS))
    for old in services.old_databases.all():
        if old.closed_at <= until:
            name = f"co_{old.connection_id} on cluster {old.cluster}"
            yield from _attempt(name, drop_old(services, old))


def _attempt(what: str, done: Iterator[str]) -> Iterator[str]:
    """Yield what is done; what is away now is tried again by the next run, and keeps no other waiting."""
    try:
        yield from (f"{what}: {said}" for said in done)
    except (ApiError, OperatorError) as error:
        yield f"{what}: left as it is: {error}"


def end_lapsed(services: Services, operation: OperationRecord) -> Iterator[str]:
    """Finish an operation that was left behind, or take it back; yield what was done."""
    if operation.kind == "move":
        company = services.moves.end_lapsed(operation.company_id)
        yield f"its move has ended: it is on cluster {company.cluster if company else 'none'}"
    elif operation.kind == "erase":
        yield from erase_company(services, operation.company_id)
    elif operation.kind == "erase-rows":
        yield from go_on_erasing_rows(services, operation)
    else:  # a command that is repeated by whoever wants it
        ours = services.operations.take_over(operation)
        if ours is not None:
            services.operations.end(ours)
            yield f"{operation.kind}, which was left behind, is forgotten"


def list_old(services: Services) -> Iterator[str]:
    """Yield each closed copy, since when it is, and from when on it may be dropped."""
    for old in services.old_databases.all():
        due = timestamp(parse_timestamp(old.closed_at) + timedelta(days=OLD_DATABASE_DAYS))
        yield f"co_{old.connection_id} on cluster {old.cluster}: closed {old.closed_at}, dropped from {due}"


def drop_old(services: Services, old: OldDatabase) -> Iterator[str]:
    """Drop a closed copy, unless it is the one in use by now; yield what was done.

    Raises OperatorError where no later generation of it answers: then it may be all that there is.
    """
    roles = CompanyRoles(old.connection_id, "")
    if not old.company_id and find_generation(services.databases, old.cluster, roles) is not None:
        services.old_databases.remove(old.connection_id, old.cluster)  # it was being made, and is in use
        return
    company = services.connections.find(old.company_id)
    if company is not None and company.connection_id == old.connection_id:
        if company.cluster == old.cluster:
            services.old_databases.remove(old.connection_id, old.cluster)
            return
        found = find_generation(services.databases, old.cluster, roles)
        current = find_generation(services.databases, company.cluster, roles)
        if current is None or (found is not None and found >= current):
            raise OperatorError("no later generation of it is there: reconcile")
    if drop_copy(services.databases, old.cluster, roles):
        yield "dropped"
    services.old_databases.remove(old.connection_id, old.cluster)
