"""What a company's database keeps of its tables and loads: each record stands alone, versions fence."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from loading_jobs import column
from psycopg.errors import LockNotAvailable

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import LoadResult, new_job
from managed_tables.catalog.tables import Applied
from managed_tables.databases.applied import (
    AppliedJob,
    Fenced,
    add_to_count,
    claim_job,
    count_rows,
    fence,
    find_applied,
    find_applied_job,
    loader_name,
    lock_version,
    record_change,
    record_new,
    record_result,
    shut_out_job,
)
from managed_tables.databases.connecting import PgConnection
from managed_tables.details import Fault, detail
from managed_tables.errors import JOB_CANCELLED, JOB_FAULT, VALUES_NOT_CONVERTED, JobError, JobErrorKind
from managed_tables.ids import NOBODY, new_record_id, row_id_range
from managed_tables.services import Services
from managed_tables.uploads import OfferedFile

COLUMNS = (column("n", "integer"), column("nome", nullable=False))
RESULT = LoadResult(3, 2, 1, 4, 50)
CANCELLED = JobError(JOB_CANCELLED)


@pytest.fixture
def connection(services: Services, company: ConnectionRecord) -> Iterator[PgConnection]:
    """A session of a company whose database has loaded one job, of one table."""
    with services.databases.open_company_connection(company) as connection:
        load(connection, "job 1", "table 1", RESULT)
        yield connection


def load(connection: PgConnection, job_id: str, table_id: str, result: LoadResult) -> None:
    assert claim_job(connection, job_id, table_id)
    job = new_job(NOBODY, job_id, NOBODY, "append", table_id, [OfferedFile("vendas.csv", 1)], 60)
    record_result(connection, job, ["vendas.csv"], row_id_range(0, result.row_count), result)


def definition(name: str) -> Applied:
    return Applied(version=1, display_name=name, status="active", columns=COLUMNS)


def table(connection: PgConnection, name: str = "vendas") -> str:
    table_id = new_record_id()
    record_new(connection, table_id, definition(name))
    return table_id


def applied(connection: PgConnection, table_id: str) -> Applied:
    found = find_applied(connection, table_id)
    assert found
    return found


def test_a_job_is_shut_out_beside_one_that_has_loaded(connection: PgConnection) -> None:
    assert isinstance(shut_out_job(connection, "job 2", "table 1", JobError(JOB_FAULT)), JobError)
    assert find_applied_job(connection, "job 1") == AppliedJob("table 1", RESULT)
    with pytest.raises(JobError) as caught:
        find_applied_job(connection, "job 2")
    assert caught.value.kind.code == JOB_FAULT.code
    assert not claim_job(connection, "job 2", "table 1")
    assert find_applied_job(connection, "job 3") is None


@pytest.mark.parametrize("interrupts", [True, False])
def test_why_a_job_was_shut_out_first_is_kept(connection: PgConnection, *, interrupts: bool) -> None:
    """Whole, whatever its texts have in them; who shuts it out again is told that."""
    fault = Fault("INVALID_CHARACTER", "contém o caractere NUL")
    error = JobError(VALUES_NOT_CONVERTED, [detail("row", fault, value="{a}\x00\udc80")], 7, count=7)
    for told in (error, JobError(JOB_FAULT)):
        found = shut_out_job(connection, "job 2", "table 1", told, interrupts=interrupts)
        assert isinstance(found, JobError)
        assert found.as_record() == error.as_record()
    with pytest.raises(JobError, match="Valores que não puderam"):
        find_applied_job(connection, "job 2")


@pytest.mark.parametrize(("number", "kind"), [(-1, JOB_FAULT), (-2, JOB_CANCELLED)])
def test_a_job_that_0_2_0_shut_out_stays_so(
    connection: PgConnection, number: int, kind: JobErrorKind
) -> None:
    connection.execute("UPDATE managed_tables.applied_jobs SET result = NULL, row_count = %s", [number])
    found = shut_out_job(connection, "job 1", "table 1", JobError(VALUES_NOT_CONVERTED, count=1))
    assert isinstance(found, JobError)
    assert found.kind == kind


def test_what_has_loaded_is_not_shut_out(connection: PgConnection) -> None:
    load(connection, "job 2", "table 2", LoadResult(7))
    assert shut_out_job(connection, "job 1", "table 1", CANCELLED) == AppliedJob("table 1", RESULT)
    ended = shut_out_job(connection, "job 2", "table 2", CANCELLED, interrupts=True)
    assert ended == AppliedJob("table 2", LoadResult(7))
    assert not claim_job(connection, "job 1", "table 1")


def test_a_result_of_an_earlier_release_is_its_number_of_rows(connection: PgConnection) -> None:
    connection.execute("UPDATE managed_tables.applied_jobs SET result = NULL, row_count = 9")
    assert find_applied_job(connection, "job 1") == AppliedJob("table 1", LoadResult(inserted=9))


def test_cancelling_interrupts_the_session_that_loads(
    services: Services, company: ConnectionRecord, connection: PgConnection
) -> None:
    with services.databases.open_company_connection(company) as loader:
        loader.execute("SELECT set_config('application_name', %s, false)", [loader_name("job 2")])
        loader.execute("BEGIN")
        assert claim_job(loader, "job 2", "table 1")
        ended = shut_out_job(connection, "job 2", "table 1", CANCELLED, interrupts=True)
        assert isinstance(ended, JobError)
        assert loader.broken or not is_alive(loader)


def is_alive(connection: PgConnection) -> bool:
    try:
        connection.execute("SELECT 1")
    except Exception:
        return False
    return True


def test_a_tables_record_is_read_as_it_was_written(connection: PgConnection) -> None:
    other, table_id, new = table(connection, "outra"), new_record_id(), definition("vendas")
    added = replace(
        new, title="Vendas", description="de 2026", key=("n",), indexes=(("nome",), ("n", "nome"))
    )
    record_new(connection, table_id, added)
    assert applied(connection, table_id) == added
    changed = replace(
        added, version=2, display_name="Vendas", status="inactive", columns=COLUMNS[:1], title="T",
        description=None, key=None, indexes=(("n",),),
    )  # fmt: skip
    record_change(connection, table_id, replace(changed, version=77))
    assert applied(connection, table_id) == changed
    record_change(connection, table_id, replace(changed, deleted=True))
    assert applied(connection, table_id) == replace(changed, version=3, deleted=True)
    record_change(connection, table_id, replace(changed, display_name="de volta", status="active"))
    back = replace(changed, version=4, display_name="de volta", status="active")
    assert applied(connection, table_id) == back
    assert applied(connection, other) == replace(new, display_name="outra")
    assert find_applied(connection, new_record_id()) is None


def test_a_table_is_recorded_once(connection: PgConnection) -> None:
    table_id = table(connection)
    with pytest.raises(Fenced):
        record_new(connection, table_id, definition("outra"))
    assert applied(connection, table_id).display_name == "vendas"


def test_only_the_version_that_holds_is_locked(connection: PgConnection) -> None:
    table_id = table(connection)
    lock_version(connection, table_id, 1)
    for other_id, version in ((table_id, 0), (table_id, 2), (new_record_id(), 1)):
        with pytest.raises(Fenced):
            lock_version(connection, other_id, version)
    record_change(connection, table_id, replace(definition("vendas"), deleted=True))
    with pytest.raises(Fenced):
        lock_version(connection, table_id, 2)


def test_a_fence_takes_the_version_from_who_began_there(connection: PgConnection) -> None:
    other, table_id = table(connection), table(connection)
    assert fence(connection, table_id, 1).version == 2
    assert fence(connection, table_id, 1).version == 2
    assert fence(connection, table_id, 2, 20).version == 3
    assert applied(connection, other).version == 1


def test_a_fence_before_the_table_is_made_leaves_none_to_make(connection: PgConnection) -> None:
    table_id = new_record_id()
    with pytest.raises(LookupError):
        fence(connection, table_id, 1)
    gone = Applied(version=1, display_name="", status="inactive", columns=(), deleted=True)
    assert fence(connection, table_id, 0) == gone
    with pytest.raises(Fenced):
        record_new(connection, table_id, definition("vendas"))


def test_a_fence_at_once_waits_for_nobody(
    services: Services, company: ConnectionRecord, connection: PgConnection
) -> None:
    table_id = table(connection)
    with services.databases.open_company_connection(company) as holder, holder.transaction():
        lock_version(holder, table_id, 1)
        with pytest.raises(LockNotAvailable):
            fence(connection, table_id, 1, 20)
    assert applied(connection, table_id).version == 1


def test_rows_are_counted_by_table(connection: PgConnection) -> None:
    first, second, empty = (table(connection, f"t{number}") for number in range(3))
    add_to_count(connection, first, 5)
    add_to_count(connection, first, -2)
    add_to_count(connection, second, 4)
    assert count_rows(connection, [first, empty]) == {first: 3, empty: 0}
    assert count_rows(connection, []) == {}
