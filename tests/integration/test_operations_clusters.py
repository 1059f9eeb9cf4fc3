"""What becomes of companies where one of two clusters, or the catalog, comes back from another time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from deployments import make_table
from two_clusters import add_cluster, another_server

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.operations import OldDatabase, OperationRecord
from managed_tables.clock import timestamp
from managed_tables.databases.connecting import CompanyRoles
from managed_tables.databases.copies import allow_login, drop_copy, find_generation, write_generation
from managed_tables.errors import DATABASE_UNAVAILABLE, ApiError
from managed_tables.ids import new_record_id, row_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables_local.postgres import EmbeddedPostgres
from managed_tables_operations import OperatorError, reconciling
from managed_tables_operations import __main__ as command
from managed_tables_operations.leases import hold, wanted
from managed_tables_operations.moving import move_company
from managed_tables_operations.reconciling import Stopped, accept_copy, reconcile
from managed_tables_operations.resuming import list_old, resume

COLUMNS = (Column(name="nome", display_name="Nome", type=ColumnType.TEXT, nullable=True),)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Another cluster."""
    with another_server(tmp_path_factory.mktemp("cluster", numbered=True)) as server:
        yield server


@pytest.fixture
def company(services: Services, own_company: ConnectionRecord, second: EmbeddedPostgres) -> ConnectionRecord:
    """A company on the first of two clusters, with one row: `before`."""
    add_cluster(services, "two", second.port, second.password)
    services.table_operations.create(own_company, new_record_id(), "nomes", COLUMNS)
    write(services, own_company, "before")
    return own_company


def write(services: Services, company: ConnectionRecord, name: str) -> None:
    with services.open_company(company) as connection:
        statement = "INSERT INTO nomes VALUES (%s, %s)"
        connection.execute(statement, [row_id(int(time.time() * 1_000), 0), name])


def names(services: Services, company: ConnectionRecord) -> list[str]:
    with services.open_company(known(services, company)) as connection:
        return [str(name) for (name,) in connection.execute("SELECT nome FROM nomes ORDER BY id").fetchall()]


def known(services: Services, company: ConnectionRecord) -> ConnectionRecord:
    found = services.connections.find(company.company_id)
    assert found is not None
    return found


def settled(services: Services) -> list[str]:
    """Reconcile, and see that a second run has nothing to say; return what the first said."""
    said = [f"{database} {what}" for database, what in reconcile(services)]
    assert list(reconcile(services)) == []
    return said


def reopen(services: Services, company: ConnectionRecord, cluster: str) -> None:
    """Make the copy there what a snapshot from before its end has: open."""
    with services.databases.open_admin_connection(cluster) as admin:
        allow_login(admin, roles_of(company), allowed=True)


def roles_of(company: ConnectionRecord) -> CompanyRoles:
    return CompanyRoles(company.connection_id, "")


def source_before_the_move(services: Services, company: ConnectionRecord) -> None:
    reopen(services, company, "default")


def source_before_the_move_and_the_catalog(services: Services, company: ConnectionRecord) -> None:
    reopen(services, company, "default")
    services.connections.put(replace(known(services, company), cluster="default", generation=0))


def the_catalog_amid_the_move(services: Services, company: ConnectionRecord) -> None:
    services.connections.put(replace(known(services, company), cluster="default", generation=0))
    begun = services.operations.begin(
        OperationRecord(
            company.company_id,
            company.connection_id,
            "move",
            "",
            "copying",
            "",
            "",
            source="default",
            moving_to="two",
        )
    )
    services.operations.release(begun)


def an_empty_catalog(services: Services, company: ConnectionRecord) -> None:
    reopen(services, company, "default")
    services.items.remove({"pk": f"COMPANY#{company.company_id}", "sk": "CONNECTION"})


def nothing(_services: Services, _company: ConnectionRecord) -> None:
    """The target was brought back from a time after the move: it is as it is."""


@pytest.mark.parametrize(
    "bring_back",
    [
        source_before_the_move,
        source_before_the_move_and_the_catalog,
        the_catalog_amid_the_move,
        an_empty_catalog,
        nothing,
    ],
)
def test_a_moved_company_stays_where_its_newest_rows_are(
    services: Services, company: ConnectionRecord, bring_back: Callable[[Services, ConnectionRecord], None]
) -> None:
    """Whatever was brought back beside it: the copy with the highest generation is in use, the other shut."""
    moved = move_company(services, company, "two")
    write(services, moved, "after")
    bring_back(services, company)
    settled(services)
    assert (known(services, company).cluster, known(services, company).generation) == ("two", 1)
    assert names(services, company) == ["before", "after"]
    with pytest.raises(ApiError):
        replace(services.databases, renew_connection=lambda one: one).open_company_connection(
            replace(company, cluster="default")
        )
    assert len([line for line in list_old(services) if "default" in line]) == 1


def target_before_the_move(services: Services, company: ConnectionRecord) -> None:
    drop_copy(services.databases, "two", roles_of(company))


def target_amid_the_move(services: Services, company: ConnectionRecord) -> None:
    write_generation(services.databases, "two", roles_of(company), 0)


@pytest.mark.parametrize("bring_back", [target_before_the_move, target_amid_the_move])
def test_no_restore_brings_stale_rows_into_service_unless_an_operator_says_so(
    services: Services, company: ConnectionRecord, bring_back: Callable[[Services, ConnectionRecord], None]
) -> None:
    """The cluster that the company moved to has lost what came after: requests get 503, not older rows."""
    moved = move_company(services, company, "two")
    write(services, moved, "after")
    bring_back(services, company)
    found = settled(services)
    assert any("out of service: generation 1 is on no cluster" in said for said in found) == (
        bring_back is target_before_the_move
    ), found
    if bring_back is target_amid_the_move:  # the same rows as ever: an earlier time of where it is
        assert names(services, company) == ["before", "after"]
        return
    with pytest.raises(ApiError) as refused:
        services.provisioning.require(company.company_id)
    assert refused.value.kind is DATABASE_UNAVAILABLE
    accepted = accept_copy(services, company.company_id, "default")
    assert (accepted.cluster, accepted.generation) == ("default", 2)
    assert names(services, company) == ["before"]
    services.provisioning.require(company.company_id)
    assert settled(services) == []


def test_a_company_that_moved_there_and_back_is_not_served_from_its_first_time(
    services: Services, company: ConnectionRecord
) -> None:
    """Its cluster came back from before both moves; the other one has a copy of between them."""
    there = move_company(services, company, "two")
    back = move_company(services, there, "default")
    assert back.generation == 2
    write_generation(services.databases, "default", roles_of(company), 0)  # as that snapshot has it
    found = settled(services)
    assert "the newest is 1 on cluster two" in str(found)
    with pytest.raises(ApiError):
        services.provisioning.require(company.company_id)


def test_an_earlier_time_of_the_companys_own_cluster_is_in_service_as_ever(
    services: Services, company: ConnectionRecord
) -> None:
    """With a higher generation than any that was known: a copy that turns up later is older than it."""
    services.connections.put(replace(known(services, company), generation=2))  # of a move that was taken back
    settled(services)
    assert known(services, company).generation == 3
    assert find_generation(services.databases, "default", roles_of(company)) == 3
    assert names(services, company) == ["before"]


def test_a_company_may_move_back_over_its_old_copy(services: Services, company: ConnectionRecord) -> None:
    """What the old copy had and the company no longer has does not come back."""
    there = move_company(services, company, "two")
    with services.open_company(there) as connection:
        connection.execute("DELETE FROM nomes")
    services.table_operations.create(there, new_record_id(), "outros", COLUMNS)
    back = move_company(services, there, "default")
    assert names(services, back) == []
    assert [one for one in list_old(services) if "default" in one] == []


def test_old_copies_are_dropped_once_they_are_due_and_a_later_one_answers(
    services: Services, company: ConnectionRecord
) -> None:
    moved = move_company(services, company, "two")
    assert list(resume(services)) == [], "not before"
    long_ago = timestamp(datetime.now(UTC) - timedelta(days=2))
    services.old_databases.remove(company.connection_id, "default")
    services.old_databases.put(OldDatabase(company.company_id, company.connection_id, "default", long_ago))
    write_generation(services.databases, "two", roles_of(company), 0)  # no later one than that
    assert "left as it is" in str(list(resume(services)))
    write_generation(services.databases, "two", roles_of(company), 1)
    assert list(resume(services)) == [f"co_{company.connection_id} on cluster default: dropped"]
    assert find_generation(services.databases, "default", roles_of(company)) is None
    assert list(resume(services)) == []
    assert names(services, moved) == ["before"]


def test_an_operator_has_a_company_alone(
    services: Services,
    company: ConnectionRecord,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every command that changes it is refused beside another, and says until when."""
    monkeypatch.setattr(command, "load_services", lambda: services)
    of = f"--company={company.company_id}"
    with hold(services, wanted(company.company_id, company.connection_id, "restore")):
        for words in (
            ["move-company", of, "--cluster=two"],
            ["erase-company", of, "--yes"],
            ["erase-rows", of, "--column=nome", "--value=before"],
            ["restore-table", of, "--table=x"],
            ["rotate-passwords", "--begin"],
        ):
            assert command.main(words) == 1, words
            assert "under way" in capsys.readouterr().err
        assert "restore is under way" in str(list(reconcile(services)))
        assert command.main(["operations"]) == 0
        assert f"restore of company {company.company_id}" in capsys.readouterr().out
    assert names(services, company) == ["before"]
    assert command.main(["move-company", of, "--cluster=two"]) == 0


def test_a_lease_that_is_renewed_is_nobody_elses(services: Services, company: ConnectionRecord) -> None:
    with hold(services, wanted(company.company_id, company.connection_id, "restore")) as lease:
        first = lease.record
        lease.advance("second step")
        assert services.operations.take_over(first) is None, "its deadline is another by now"
        ours = services.operations.take_over(lease.record)
        assert ours is not None
        with pytest.raises(OperatorError, match="taken over"):
            lease.advance("third step")


def test_a_reconciliation_of_many_goes_on_where_it_stopped(
    services: Services, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """26 companies and an empty catalog; each is looked at once, and the second run says nothing."""
    made = {company.company_id} | {
        services.provisioning.provision(new_record_id()).company_id for _ in range(25)
    }
    lost = services.settings.table_name
    make_table(f"{lost}-again")
    empty = Services(services.settings.model_copy(update={"table_name": f"{lost}-again"}))
    empty.postgres_secret = services.postgres_secret  # type: ignore[assignment]
    monkeypatch.setattr(reconciling, "_BATCH", 10)
    starts = iter([True, False])
    said = []
    with pytest.raises(Stopped) as stopped:
        said += list(reconcile(empty, may_start=lambda: next(starts)))
    assert 0 < len(list(empty.connections.all())) == 10
    began = time.monotonic()
    list(reconcile(empty, begin_at=stopped.value.connection_id))
    print(f"16 databases in {time.monotonic() - began:.1f} s")
    assert {one.company_id for one in empty.connections.all()} >= made
    assert list(reconcile(empty)) == []
