"""Operators' commands that are killed at any of their boundaries, and whoever comes after them."""

import random
import secrets
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import pytest
from deployments import client_of as client
from deployments import companies_dropped, make_secrets, make_table, secret_of, use_emulator
from injection import Fault, Run, run_step
from two_clusters import add_cluster, another_server

from managed_tables.catalog import operations
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.keys import company_pk
from managed_tables.databases.connecting import CompanyRoles
from managed_tables.databases.copies import find_generation, present_roles
from managed_tables.ids import new_record_id, row_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.settings import Settings
from managed_tables_local.emulator import Emulator
from managed_tables_local.postgres import EmbeddedPostgres
from managed_tables_operations.erasing import erase_company, erase_rows
from managed_tables_operations.moving import move_company
from managed_tables_operations.reconciling import reconcile
from managed_tables_operations.resuming import resume

LEASE_SECONDS = 5.0  # of a child: its renewals are boundaries as well
KILLS = ("kill before", "kill after")
COLUMNS = (Column(name="cpf", display_name="CPF", type=ColumnType.TEXT, nullable=True),)
ANA, BIA = "111.444.777-35", "529.982.247-25"


@dataclass
class Clusters:
    """A deployment with two clusters; `fresh` gives the services of a new process."""

    services: Services
    second: EmbeddedPostgres

    def fresh(self) -> Services:
        """Return the services of a newly started process."""
        made = Services(self.services.settings)
        made.__dict__["postgres_secret"] = self.services.postgres_secret
        made.__dict__["app_secret"] = self.services.app_secret
        return made

    def company(self) -> ConnectionRecord:
        """Return a new company on the default cluster, with a table of two people."""
        company = self.services.provisioning.provision(new_record_id())
        table = self.services.table_operations.create(company, new_record_id(), "pessoas", COLUMNS)
        with self.services.open_company(company) as connection:
            for number, cpf in enumerate((ANA, BIA)):
                connection.execute(
                    "INSERT INTO pessoas VALUES (%s, %s)", [row_id(1_700_000_000_000, number), cpf]
                )
            connection.execute(
                "INSERT INTO managed_tables.row_counts (table_id, slot, row_count) VALUES (%s, 0, 2)",
                [table.table_id],
            )
        return company

    def known(self, company_id: str) -> ConnectionRecord:
        """Return the company's record as it is now."""
        found = self.services.connections.find(company_id)
        assert found is not None
        return found

    def people(self, company: ConnectionRecord) -> set[str]:
        """Return the people of its table, as a request would."""
        with self.services.open_company(company) as connection:
            return {str(cpf) for (cpf,) in connection.execute("SELECT cpf FROM pessoas").fetchall()}

    def let_lapse(self, company_id: str) -> None:
        """Have the deadline of the operation that a killed worker has left be past."""
        found = self.services.operations.find(company_id)
        if found is not None:
            self.services.operations.release(found)

    def drop(self, company_id: str) -> None:
        """Forget the company, so that the next test's is the only one."""
        list(erase_company(self.services, company_id))


@pytest.fixture(scope="module")
def clusters(
    emulator: Emulator,
    aws_session: boto3.Session,
    postgres_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Clusters]:
    """Two clusters of one deployment."""
    folder: Path = tmp_path_factory.mktemp("second", numbered=True)
    with another_server(folder) as server, pytest.MonkeyPatch.context() as patch:
        use_emulator(emulator, aws_session, patch)
        name = f"moves-{secrets.token_hex(6)}"
        make_table(name)
        client("s3").create_bucket(Bucket=name)
        settings = Settings(
            table_name=name,
            bucket_name=name,
            aws_endpoint_url=emulator.url,
            default_timezone="UTC",
            postgres_sslmode="prefer",
            **make_secrets(name),
        )
        services = Services(settings)
        services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
        add_cluster(services, "two", server.port, server.password)
        with companies_dropped(services, postgres_dsn):
            yield Clusters(services, server)


def kills(step: Callable[[], object], options: pytest.Config, least: int) -> list[tuple[Fault, str]]:
    """Run the step once without a fault; return the kills to try: some, or all where that is asked for."""
    whole = run_step(step)
    assert whole.ended_well, whole.error
    found = [
        (Fault(number, way), boundary.name)
        for number, boundary in enumerate(whole.boundaries)
        if boundary.kind != "request"
        for way in boundary.ways
        if way in KILLS
    ]
    wanted = options.getoption("--faults")
    many = len(found) if not wanted else min(len(found), max(least, wanted))
    return sorted(random.Random(0).sample(found, many), key=lambda one: one[0].number)  # noqa: S311


def tried(fault: Fault, name: str, act: Callable[[], object]) -> str | None:
    """Return what does not hold after a fault."""
    try:
        act()
    except Exception:
        return f"{fault.way} #{fault.number} ({name})\n{traceback.format_exc(limit=-5)}"
    return None


def moving(clusters: Clusters, company_id: str) -> tuple[Callable[[], object], ConnectionRecord, str]:
    """Return a move of the company to the cluster where it is not, in a process of its own."""
    company = clusters.known(company_id)
    to = "two" if company.cluster == "default" else "default"

    def step() -> None:
        operations.LEASE_SECONDS = LEASE_SECONDS
        services = clusters.fresh()
        move_company(services, services.provisioning.require(company_id), to)

    return step, company, to


def test_a_move_that_is_killed_anywhere_is_ended_by_whoever_comes_next(
    clusters: Clusters, pytestconfig: pytest.Config
) -> None:
    """By a request, the schedule, reconcile or the same command: no row is lost, one copy is open."""
    company_id = clusters.company().company_id
    people = {ANA, BIA}
    step, *_ = moving(clusters, company_id)
    chosen = kills(step, pytestconfig, least=8)
    comers = ("request", "schedule", "reconcile", "command")

    def try_kill(number: int, fault: Fault) -> None:
        step, company, to = moving(clusters, company_id)
        killed = run_step(step, fault)
        assert killed.killed or killed.ended_well, killed.error
        clusters.let_lapse(company_id)
        come_after(clusters, comers[number % len(comers)], company, to, step)
        assert clusters.services.operations.find(company_id) is None
        check_one_copy(clusters, company_id)
        assert clusters.people(company) == people, "a process that knows the record of before"
        with clusters.services.open_company(clusters.known(company_id)) as connection:
            people.add(fresh := new_record_id())
            connection.execute(
                "INSERT INTO pessoas VALUES (%s, %s)", [row_id(1_800_000_000_000, len(people)), fresh]
            )

    failures = [
        told
        for number, (fault, name) in enumerate(chosen)
        if (told := tried(fault, name, lambda: try_kill(number, fault)))  # noqa: B023 - called at once
    ]
    clusters.drop(company_id)
    assert not failures, f"{len(failures)} of {len(chosen)}:\n\n" + "\n\n".join(failures)


def come_after(
    clusters: Clusters, comer: str, company: ConnectionRecord, to: str, step: Callable[[], object]
) -> None:
    """Come after a killed worker, in one of four ways."""
    services = clusters.fresh()
    if comer == "request":
        with services.open_company(company) as connection:  # knows the record of before
            assert connection.execute("SELECT count(*) FROM pessoas").fetchone()
        list(resume(services))  # of one that was killed before the door was shut nobody has heard
    elif comer == "schedule":
        list(resume(services))
    elif comer == "reconcile":
        list(reconcile(services))
        assert list(reconcile(services)) == [], "a second run"
    elif clusters.known(company.company_id).cluster != to:
        again = run_step(step)
        assert again.ended_well or "already" in str(again.error), again.error
        assert clusters.known(company.company_id).cluster == to


def check_one_copy(clusters: Clusters, company_id: str) -> None:
    """The company's database has the highest generation, and nobody may log in to another."""
    services, known = clusters.services, clusters.known(company_id)
    roles = CompanyRoles(known.connection_id, "")
    assert find_generation(services.databases, known.cluster, roles) == known.generation
    other = "two" if known.cluster == "default" else "default"
    found = find_generation(services.databases, other, roles)
    assert found is None or found < known.generation
    with services.databases.open_admin_connection(other) as admin:
        for role in present_roles(admin, roles):
            query = "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s"
            assert admin.execute(query, [role]).fetchone() == (False,)


def test_an_erasure_that_is_killed_anywhere_is_gone_on_with_on_every_cluster(
    clusters: Clusters, pytestconfig: pytest.Config
) -> None:
    """By the schedule, reconcile or the same command; nothing is left on either cluster, nor of records."""
    services = clusters.services

    def set_up() -> tuple[ConnectionRecord, Callable[[], object]]:
        company = clusters.company()
        moved = move_company(services, company, "two")
        services.storage.put(f"uploads/{company.company_id}/x/00.csv", b"a", "text/csv")

        def step() -> None:
            operations.LEASE_SECONDS = LEASE_SECONDS
            list(erase_company(clusters.fresh(), company.company_id))

        return moved, step

    def try_kill(number: int, fault: Fault) -> None:
        company, step = set_up()
        killed: Run = run_step(step, fault)
        assert killed.killed or killed.ended_well, killed.error
        clusters.let_lapse(company.company_id)
        begun = services.operations.find(company.company_id)
        if number % 3 == 0 or begun is None:  # killed before anything was recorded
            assert run_step(step).ended_well
        elif number % 3 == 1:
            list(resume(clusters.fresh()))
        else:
            list(reconcile(clusters.fresh()))
        check_nothing_is_left(clusters, company)

    company, step = set_up()
    chosen = kills(step, pytestconfig, least=4)
    check_nothing_is_left(clusters, company)
    failures = [
        told
        for number, (fault, name) in enumerate(chosen)
        if (told := tried(fault, name, lambda: try_kill(number, fault)))  # noqa: B023 - called at once
    ]
    assert not failures, f"{len(failures)} of {len(chosen)}:\n\n" + "\n\n".join(failures)


def check_nothing_is_left(clusters: Clusters, company: ConnectionRecord) -> None:
    """Neither cluster has its database or roles; no record, no object."""
    services, roles = clusters.services, CompanyRoles(company.connection_id, "")
    for cluster in ("default", "two"):
        with services.databases.open_admin_connection(cluster) as admin:
            query = "SELECT FROM pg_database WHERE datname = %s"
            assert admin.execute(query, [roles.database]).fetchone() is None, cluster
            assert present_roles(admin, roles) == [], cluster
    assert list(services.items.query(company_pk(company.company_id))) == []
    assert services.operations.find(company.company_id) is None
    assert company.connection_id not in {old.connection_id for old in services.old_databases.all()}
    assert list(services.storage.keys(f"uploads/{company.company_id}/")) == []


def test_an_erasure_of_rows_that_is_killed_anywhere_leaves_them_nowhere_once_repeated(
    clusters: Clusters, pytestconfig: pytest.Config
) -> None:
    """Neither in the company's database nor in the copy that a move has left behind."""
    services = clusters.services
    company = move_company(services, clusters.company(), "two")

    def step() -> None:
        operations.LEASE_SECONDS = LEASE_SECONDS
        fresh = clusters.fresh()
        list(erase_rows(fresh, fresh.provisioning.require(company.company_id), "cpf", ANA))

    def bring_back() -> None:
        with services.open_company(company) as connection:
            connection.execute("DELETE FROM pessoas WHERE cpf = %s", [ANA])
            connection.execute("INSERT INTO pessoas VALUES (%s, %s)", [row_id(1_700_000_000_000, 0), ANA])

    def try_kill(number: int, fault: Fault) -> None:
        bring_back()
        killed = run_step(step, fault)
        assert killed.killed or killed.ended_well, killed.error
        clusters.let_lapse(company.company_id)
        if number % 2:
            list(resume(clusters.fresh()))
        assert run_step(step).ended_well
        assert clusters.people(company) == {BIA}
        assert services.operations.find(company.company_id) is None

    chosen = kills(step, pytestconfig, least=3)
    roles = CompanyRoles(company.connection_id, "")
    assert find_generation(services.databases, "default", roles) is None, "the old copy has them, too"
    failures = [
        told
        for number, (fault, name) in enumerate(chosen)
        if (told := tried(fault, name, lambda: try_kill(number, fault)))  # noqa: B023 - called at once
    ]
    clusters.drop(company.company_id)
    assert not failures, f"{len(failures)} of {len(chosen)}:\n\n" + "\n\n".join(failures)


def test_a_worker_that_was_only_slow_changes_nothing_of_a_move_taken_back(
    clusters: Clusters,
) -> None:
    """Taking it back raises the source's generation above what it would then mark its copy with."""
    services = clusters.services
    company = clusters.company()
    begun = services.operations.begin(
        replace(_move_of(company), step="marking"),
    )
    services.operations.release(begun)
    list(resume(clusters.fresh()))
    known = clusters.known(company.company_id)
    assert (known.cluster, known.generation) == ("default", 2)
    with pytest.raises(operations.ConditionFailed):
        services.operations.advance(begun)
    assert clusters.people(company) == {ANA, BIA}
    clusters.drop(company.company_id)


def _move_of(company: ConnectionRecord) -> operations.OperationRecord:
    return operations.OperationRecord(
        company.company_id,
        company.connection_id,
        "move",
        stamp="",
        step="",
        started_at="",
        deadline="",
        source="default",
        moving_to="two",
    )
