"""End a company's move between clusters: finish it, or take it back. Whoever comes after a killed one does.

The copy is the company's from the moment at which it says a higher generation than the source does. Until the
record of the move has the step MARKING no copy can say so. Whoever takes a move back raises the source's
generation above what the copy could say, so that the mark of a worker who was only slow counts for nothing.
"""

from dataclasses import dataclass, replace

from managed_tables.catalog.connections import ConnectionRecord, Connections
from managed_tables.catalog.operations import (
    OldDatabase,
    OperationRecord,
    Operations,
    ending,
    listing,
    unlisting,
)
from managed_tables.clock import timestamp
from managed_tables.databases.connecting import CompanyRoles, Databases
from managed_tables.databases.copies import allow_login, drop_copy, find_generation, write_generation
from managed_tables.databases.roles import make_roles
from managed_tables.errors import ApiError

SHUTTING, COPYING, MARKING, TAKING_BACK = "shutting", "copying", "marking", "taking back"


@dataclass(frozen=True)
class Moves:
    """The moves of companies between clusters, as far as their ends go."""

    connections: Connections
    operations: Operations
    databases: Databases
    zone: str = "UTC"  # that sessions of the read-only roles begin with

    def end_lapsed(self, company_id: str) -> ConnectionRecord | None:
        """End a move whose worker is gone; return the company's connection then. Repeatable.

        Does nothing while the worker lives, or somebody else is at it. Raises DATABASE_UNAVAILABLE where what
        has to be asked is away: the next one who comes tries again.
        """
        known = self.operations.find(company_id)
        if known is not None and known.kind == "move" and known.is_lapsed:
            operation = self.operations.take_over(known)
            if operation is not None:
                self._end(operation)
        return self.connections.find(company_id)

    def _end(self, operation: OperationRecord) -> None:
        company = self.connections.find(operation.company_id)
        if company is None or (company.connection_id, company.cluster) != (
            operation.connection_id,
            operation.source,
        ):
            self.operations.end(operation)  # the catalog was brought back from another time
        elif self._is_whole(operation, company):
            self.finish(operation, company)
        else:
            self.take_back(operation, company)

    def _is_whole(self, operation: OperationRecord, company: ConnectionRecord) -> bool:
        """Return whether the copy is the company's database by now."""
        if operation.step == TAKING_BACK:
            return False
        try:
            found = find_generation(self.databases, operation.moving_to, self.databases.roles_of(company))
        except ApiError:
            if operation.step == MARKING:  # it may be: only the cluster knows
                raise
            return False
        return found is not None and found > operation.generation

    def finish(self, operation: OperationRecord, company: ConnectionRecord) -> ConnectionRecord:
        """Send the company's callers to the copy, which is whole; list the old database. Repeatable."""
        current = self.connections.find(company.company_id) or company  # a password may be a later one
        moved = replace(current, cluster=operation.moving_to, generation=operation.generation + 1)
        with self.databases.open_admin_connection(operation.moving_to) as admin:
            make_roles(admin, self.databases.roles_of(moved), self.zone)
        self.connections.relocate(
            company,
            moved,
            ending(operation),
            listing(_old(operation, operation.source)),
            unlisting(company.connection_id, operation.moving_to),
        )
        return moved

    def take_back(self, operation: OperationRecord, company: ConnectionRecord) -> None:
        """Open the source's door again and drop what there is of the copy. Repeatable."""
        operation = self.operations.advance(operation, TAKING_BACK)
        roles = self.databases.roles_of(company)
        generation = operation.generation + 2
        write_generation(self.databases, operation.source, roles, generation)
        with self.databases.open_admin_connection(operation.source) as admin:
            allow_login(admin, roles, allowed=True)
        left = () if self._drop(operation, roles) else (listing(_old(operation, operation.moving_to)),)
        stays = replace(company, generation=generation)
        self.connections.relocate(company, stays, ending(operation), *left)

    def _drop(self, operation: OperationRecord, roles: CompanyRoles) -> bool:
        """Drop the unfinished copy; False where its cluster is away."""
        try:
            drop_copy(self.databases, operation.moving_to, roles)
        except ApiError:
            return False
        return True


def _old(operation: OperationRecord, cluster: str) -> OldDatabase:
    return OldDatabase(operation.company_id, operation.connection_id, cluster, closed_at=timestamp())
