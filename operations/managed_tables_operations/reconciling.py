"""Make the catalog and the companies' databases agree, whatever was brought back, and from whatever time.

PostgreSQL's word counts: it has the rows, and says which databases there are, whose, of which generation, and
with which tables. Where a company has copies on several clusters the highest generation is its database; the
others are closed, and dropped some time later. Each database is looked at by itself, several at once, and all
of it can be repeated.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import psycopg
from botocore.exceptions import ClientError

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.operations import OldDatabase, OperationRecord, listing, unlisting
from managed_tables.catalog.tables import Applied, TableChanged, TableRecord
from managed_tables.clock import timestamp
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import CompanyRoles, PgConnection
from managed_tables.databases.copies import (
    drop_copy,
    find_generation,
    read_generation,
    shut,
    write_generation,
)
from managed_tables.databases.roles import make_roles
from managed_tables.databases.statements import execute
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables_operations import OperatorError
from managed_tables_operations.erasing import erase_again, erase_company, erased_databases
from managed_tables_operations.leases import hold, wanted
from managed_tables_operations.resuming import end_lapsed

GONE = Applied(version=0, display_name="", status="inactive", columns=(), deleted=True)
WORKERS = 16  # databases at once: each takes two sessions of its cluster, and waits for the catalog
_BATCH = 8 * WORKERS  # of which each may still be looked at once the time is over
Correction = tuple[str, str]  # a database, and what was done with it


class Stopped(OperatorError):  # noqa: N818 - an outcome, not a fault
    """The time did not suffice; `connection_id` is the first that nobody has looked at."""

    def __init__(self, connection_id: str) -> None:
        self.connection_id = connection_id
        super().__init__(f"not all databases were looked at: reconcile --from {connection_id}")


@dataclass(frozen=True)
class Copy:
    """One database of a company on one cluster, and what it says of itself; without a company nothing."""

    cluster: str
    is_open: bool
    company_id: str = ""
    generation: int = -1
    schema_version: int = 0


def reconcile(
    services: Services,
    begin_at: str = "",
    may_start: Callable[[], bool] = lambda: True,
) -> Iterator[Correction]:
    """Erase again what was erased, then rebuild the catalog from the databases; yield what was changed.

    Begins at a connection's id; raises Stopped where `may_start` says so.
    """
    erased = erased_databases(services)
    for connection_id, company_id in erased.items():
        known = services.connections.find(company_id)
        if known is not None and known.connection_id == connection_id:
            for gone in erase_company(services, company_id):
                yield f"co_{connection_id}", f"erased again: {gone}"
    survey = _Survey(services, erased)
    yield from survey.ended()
    clusters, away = survey.databases()
    yield from away.items()
    ids = sorted(connection_id for connection_id in clusters if connection_id >= begin_at)

    def look_at(connection_id: str) -> list[str]:
        return list(survey.look_at(connection_id, clusters[connection_id]))

    with ThreadPoolExecutor(WORKERS) as pool:
        for place in range(0, len(ids), _BATCH):
            some = ids[place : place + _BATCH]
            if not may_start():
                raise Stopped(some[0])
            for connection_id, corrections in zip(some, pool.map(look_at, some), strict=True):
                yield from ((f"co_{connection_id}", said) for said in corrections)


class _Survey:
    """One run: what was erased, which operations go on, and which clusters are away."""

    def __init__(self, services: Services, erased: dict[str, str]) -> None:
        self._services = services
        self._erased = erased
        self._away: set[str] = set()
        self._underway: dict[str, OperationRecord] = {}

    def ended(self) -> Iterator[Correction]:
        """End the operations whose worker is gone, and note those that go on; yield what was done."""
        for operation in self._services.operations.all():
            if not operation.is_lapsed:
                self._underway[operation.connection_id] = operation
                continue
            try:
                for said in end_lapsed(self._services, operation):
                    yield f"co_{operation.connection_id}", said
            except (ApiError, OperatorError) as error:
                yield f"co_{operation.connection_id}", f"left as it is: {error}"
                self._underway[operation.connection_id] = operation

    def databases(self) -> tuple[dict[str, list[Copy]], dict[str, str]]:
        """Return where each company's database is, by the connection's id, and which clusters are away."""
        found: dict[str, list[Copy]] = {}
        away = {}
        for cluster in self._services.clusters.names():
            try:
                names = self._names_on(cluster)
            except (ApiError, ClientError) as error:  # it must not keep the others as they are
                away[f"cluster {cluster}"] = f"left as it is: {error}"
                self._away.add(cluster)
                continue
            for name, is_open in names:
                found.setdefault(name.removeprefix("co_"), []).append(Copy(cluster, is_open))
        return found, away

    def _names_on(self, cluster: str) -> list[tuple[str, bool]]:
        with self._services.databases.open_admin_connection(cluster) as admin:
            rows = admin.execute(
                "SELECT datname, coalesce((SELECT rolcanlogin FROM pg_roles WHERE rolname = datname), false)"
                " FROM pg_database WHERE starts_with(datname, 'co_') AND datallowconn ORDER BY datname"
            ).fetchall()
        return [(str(name), bool(is_open)) for name, is_open in rows]

    def look_at(self, connection_id: str, copies: list[Copy]) -> Iterator[str]:
        """Make one database and its records agree; yield what was done."""
        if operation := self._underway.get(connection_id):
            yield f"left as it is: {operation.kind} is under way since {operation.started_at}"
            return
        try:
            if connection_id in self._erased:
                for copy in copies:
                    drop_copy(self._services.databases, copy.cluster, CompanyRoles(connection_id, ""))
                    self._services.old_databases.remove(connection_id, copy.cluster)
                yield "erased again"
                return
            known = [self._read(connection_id, copy) for copy in copies]
            yield from self._agree(connection_id, known)
        except (ApiError, psycopg.Error) as error:
            yield f"left as it is: {error}"

    def _read(self, connection_id: str, copy: Copy) -> Copy:
        # As the administrator: which passwords the database's roles have is not known yet.
        database = f"co_{connection_id}"
        with self._services.databases.open_admin_connection(copy.cluster, database) as connection:
            execute(connection, "SET ROLE {:i}", database)
            generation = read_generation(connection)
            if generation is None:
                return copy
            row = connection.execute(
                "SELECT company_id, (SELECT max(version) FROM managed_tables.migrations)"
                " FROM managed_tables.company"
            ).fetchone()
        if row is None:
            return copy
        company_id, schema_version = row
        return replace(
            copy, company_id=str(company_id), generation=generation, schema_version=schema_version or 0
        )

    def _agree(self, connection_id: str, copies: list[Copy]) -> Iterator[str]:
        whole = [copy for copy in copies if copy.company_id]
        if not whole:
            yield from self._list_unused(connection_id, copies)
            return
        company_id = whole[0].company_id
        known = self._services.connections.find(company_id)
        if known is not None and known.connection_id != connection_id:
            yield f"left as it is: company {company_id} has database co_{known.connection_id}"
            return
        best = _newest(whole, known)
        if known is not None and _is_older(known, best):
            yield from self._miss(known, best, copies)
        elif known is None or not self._may_be_away(known, best):
            yield from self._use(connection_id, known, best, [copy for copy in copies if copy is not best])

    def _may_be_away(self, known: ConnectionRecord, best: Copy) -> bool:
        """Return whether the company's database may be as ever, on a cluster that does not answer."""
        return known.cluster in self._away and best.generation <= known.generation

    def _list_unused(self, connection_id: str, copies: list[Copy]) -> Iterator[str]:
        for copy in copies:
            if self._list(copy, connection_id, ""):
                yield f"never was in use on cluster {copy.cluster}: listed, to be dropped"

    def _miss(self, known: ConnectionRecord, best: Copy, copies: list[Copy]) -> Iterator[str]:
        """Keep an older database than the company's out of service; say so once."""
        if known.cluster in self._away:
            return
        for copy in copies:
            self._close(copy, known.connection_id)
        if known.missing_generation != known.generation:
            self._services.connections.miss(known, known.generation)
            yield (
                f"out of service: generation {known.generation} is on no cluster, the newest is"
                f" {best.generation} on cluster {best.cluster}: bring back what cluster {known.cluster} had,"
                f" or accept-copy --company {known.company_id} --cluster {best.cluster}"
            )

    def _use(
        self, connection_id: str, known: ConnectionRecord | None, best: Copy, others: list[Copy]
    ) -> Iterator[str]:
        """Have one copy in use and every other closed; make the records agree with it."""
        services = self._services
        company = known or self._record_of(connection_id, best)
        generation = self._raised_generation(company, best, others)
        for copy in others:
            self._close(copy, connection_id)
            if self._list(copy, connection_id, company.company_id):
                yield f"older copy on cluster {copy.cluster} closed, to be dropped"
        used = replace(company, cluster=best.cluster, state="ready", generation=generation)
        used = replace(used, missing_generation=0)
        if known is None or (known.cluster, known.state) != (used.cluster, used.state):
            used = replace(used, schema_version=best.schema_version)
            yield f"connection of company {company.company_id} recorded"
        if used != known:
            services.connections.put(used)
            services.old_databases.remove(connection_id, best.cluster)
        with services.databases.open_admin_connection(best.cluster) as admin:  # a reader's may be a later one
            make_roles(admin, services.databases.roles_of(used), services.settings.default_timezone)
        for place, count in erase_again(services, used):
            yield f"{count} rows of {place} erased again"
        yield from _reconcile_tables(services, used)

    def _record_of(self, connection_id: str, copy: Copy) -> ConnectionRecord:
        return ConnectionRecord(
            copy.company_id,
            connection_id,
            copy.cluster,
            "ready",
            copy.schema_version,
            timestamp(),
            secret_generation=self._services.app_secret.newest,
        )

    def _raised_generation(self, company: ConnectionRecord, best: Copy, others: list[Copy]) -> int:
        """Return the generation of the copy to use, raised where another is known, or of the same one."""
        if best.generation >= company.generation and all(
            copy.generation < best.generation for copy in others
        ):
            return best.generation
        raised = max(company.generation, best.generation) + 1  # what comes back later is older than this
        roles = self._services.databases.roles_of(company)
        write_generation(self._services.databases, best.cluster, roles, raised)
        return raised

    def _close(self, copy: Copy, connection_id: str) -> None:
        if copy.is_open:
            with self._services.databases.open_admin_connection(copy.cluster) as admin:
                shut(admin, CompanyRoles(connection_id, ""))

    def _list(self, copy: Copy, connection_id: str, company_id: str) -> bool:
        old = OldDatabase(company_id, connection_id, copy.cluster, closed_at=timestamp())
        return self._services.old_databases.put(old)


def _is_older(known: ConnectionRecord, best: Copy) -> bool:
    """Return whether the newest copy is not the company's database, nor an earlier time of it."""
    return best.cluster != known.cluster and best.generation < known.generation


def _newest(copies: list[Copy], known: ConnectionRecord | None) -> Copy:
    """Return the copy of the highest generation; of several that on the known cluster, or an open one."""
    preferred = known.cluster if known else ""
    return max(copies, key=lambda copy: (copy.generation, copy.cluster == preferred, copy.is_open))


def accept_copy(services: Services, company_id: str, cluster: str) -> ConnectionRecord:
    """Bring the copy on this cluster into service, though a later one was known; return the new record.

    Raises OperatorError where there is no such copy. What was written to the later one is not in it.
    """
    known = services.connections.find(company_id)
    if known is None:
        raise OperatorError(f"no company {company_id} is recorded: reconcile")
    roles = services.databases.roles_of(known)
    with hold(services, wanted(company_id, known.connection_id, "restore")):
        found = find_generation(services.databases, cluster, roles)
        if found is None:
            raise OperatorError(f"cluster {cluster} has no database of company {company_id}")
        generation = max(found, known.generation) + 1
        write_generation(services.databases, cluster, roles, generation)
        with services.databases.open_admin_connection(cluster) as admin:
            make_roles(admin, roles, services.settings.default_timezone)
        accepted = replace(known, cluster=cluster, generation=generation, missing_generation=0)
        writes = [unlisting(known.connection_id, cluster)]
        if known.cluster != cluster:
            writes.append(listing(OldDatabase(company_id, known.connection_id, known.cluster, timestamp())))
        services.connections.relocate(known, accepted, *writes)
    return accepted


def _reconcile_tables(services: Services, company: ConnectionRecord) -> Iterator[str]:
    with services.databases.company_connection(company) as connection:
        tables = _applied_tables(connection)
    records = {table.table_id: table for table in services.tables.all(company.company_id)}
    for table_id, record in records.items():  # first: they let go of names that others have
        applied = tables.get(table_id, GONE)
        if record.version != applied.version or applied.deleted:
            yield _finalise(services, record, applied)
    for table_id, applied in tables.items():
        if table_id not in records and not applied.deleted:
            services.tables.rebuild(company.company_id, table_id, applied)
            yield f"table {table_id} ({applied.display_name}) recorded"


def _applied_tables(connection: PgConnection) -> dict[str, Applied]:
    rows = connection.execute("SELECT table_id FROM managed_tables.tables").fetchall()
    return {str(table_id): find_applied(connection, table_id) or GONE for (table_id,) in rows}


def _finalise(services: Services, record: TableRecord, applied: Applied) -> str:
    try:
        services.tables.finalise(record, applied)
    except TableChanged:
        return f"table {record.table_id} is being changed: run this again"
    if applied.deleted:
        return f"table {record.table_id} ({record.display_name}) taken from the catalog"
    return f"table {record.table_id} ({applied.display_name}) set to version {applied.version}"
