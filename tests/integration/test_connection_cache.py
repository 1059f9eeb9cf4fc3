"""The open connections of one process, against a real PostgreSQL."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import Mock

import pytest
from rows_client import RowsCompany

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import CONNECTIONS_TAKEN, ApiError
from managed_tables.services import IDLE_SESSION_MS
from managed_tables_api import connection_cache
from managed_tables_api.calls import ANSWER_SECONDS
from managed_tables_api.connection_cache import IDLE_SECONDS, ConnectionCache, answered_within

LIMIT = 4


@pytest.fixture
def company(rows_company: RowsCompany) -> ConnectionRecord:
    return rows_company.company


@pytest.fixture
def cache(rows_company: RowsCompany) -> Iterator[ConnectionCache]:
    """A cache of LIMIT connections; all companies share one database, which is enough to count them."""

    def open_connection(_: ConnectionRecord) -> PgConnection:
        return rows_company.services.databases.open_company_connection(rows_company.company)

    made = ConnectionCache(open_connection, LIMIT, wait_seconds=0.05)
    yield made
    made.close_idle()


def other(company: ConnectionRecord, name: str) -> ConnectionRecord:
    return replace(company, company_id=name, connection_id=name)


def pid(connection: PgConnection) -> int:
    return connection.info.backend_pid


def test_the_connection_used_last_is_used_first(cache: ConnectionCache, company: ConnectionRecord) -> None:
    with cache.use(company) as first, cache.use(company) as second:
        pids = pid(first), pid(second)
    with cache.use(company) as again:  # `second` was returned first, `first` last
        assert pid(again) == pids[0]


def test_a_record_that_changed_keeps_the_connections_unless_the_database_moved(
    cache: ConnectionCache, company: ConnectionRecord
) -> None:
    with cache.use(company) as connection:
        used = pid(connection)
    with cache.use(replace(company, reader_generation=9, schema_version=9)) as connection:
        assert pid(connection) == used
    with cache.use(replace(company, cluster="two")) as connection:
        assert pid(connection) != used


def test_all_tables_of_a_company_are_reached_by_the_same_record(
    rows_company: RowsCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table is known when the record changes, the other is asked for afterwards."""
    tables, renewed = rows_company.services.row_tables, replace(rows_company.company, reader_generation=9)
    first, second = (rows_company.make_table({"produto": "text"}, name) for name in ("a", "b"))
    first.list()
    monkeypatch.setattr(tables, "_find_company", lambda _: renewed)
    for client in (second, first):
        client.list()
        known = tables.find_cached(renewed.company_id, client.table_id)
        assert known is not None
        assert known.connection == renewed
    rows_company.drop_tables()


def test_where_all_are_in_use_a_request_waits_only_a_while(
    cache: ConnectionCache, company: ConnectionRecord
) -> None:
    with ExitStack() as lent:
        for number in range(LIMIT):
            lent.enter_context(cache.use(other(company, str(number))))
        with pytest.raises(ApiError) as refused, cache.use(company):
            pass
    assert refused.value.kind is CONNECTIONS_TAKEN
    with cache.use(company):
        pass


def test_all_companies_together_stay_within_the_limit(
    cache: ConnectionCache, company: ConnectionRecord
) -> None:
    connections = []
    for number in range(LIMIT * 3):  # each leaves an idle connection behind
        with cache.use(other(company, str(number))) as connection:
            connections.append(connection)
    assert sum(not connection.closed for connection in connections) == LIMIT
    assert not connections[-1].closed  # the least recently used ones were closed


def test_a_waiter_gets_the_connection_that_is_returned(
    rows_company: RowsCompany, company: ConnectionRecord
) -> None:
    cache = ConnectionCache(rows_company.services.databases.open_company_connection, 1, wait_seconds=10)
    got = threading.Event()

    def wait() -> None:
        with cache.use(company):
            got.set()

    with cache.use(company):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.05)
    waiting.join(10)
    assert got.is_set()
    cache.close_idle()


def test_a_connection_left_in_a_transaction_is_not_reused(
    cache: ConnectionCache, company: ConnectionRecord
) -> None:
    with cache.use(company) as connection:
        connection.execute("BEGIN")
        left = pid(connection)
    with cache.use(company) as connection:
        assert pid(connection) != left


@pytest.mark.parametrize("is_noticed", [True, False])
def test_a_connection_that_the_server_ended_is_not_handed_out(
    cache: ConnectionCache, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch, is_noticed: bool
) -> None:
    """Nor in a process that was frozen while the server ended its session, and did not notice."""
    if not is_noticed:
        monkeypatch.setattr(connection_cache, "select", Mock(**{"poll().poll.return_value": []}))
        monkeypatch.setattr(connection_cache, "ASK_AFTER_SECONDS", 0.0)
    with cache.use(company) as killer:
        with cache.use(company) as victim:
            ended = pid(victim)
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
        with cache.use(company) as connection:
            assert pid(connection) != ended
            connection.execute("SELECT 1")


def test_a_connection_is_closed_before_the_server_ends_it() -> None:
    assert IDLE_SECONDS * 1_000 <= IDLE_SESSION_MS - 10_000


def test_a_request_that_waited_gives_its_statements_the_time_left(
    rows_company: RowsCompany, company: ConnectionRecord
) -> None:
    """For example, a cluster was paused: the client still hangs up at the same time."""
    settings = rows_company.services.settings
    opened = rows_company.services.databases.open_company_connection
    cache = ConnectionCache(opened, LIMIT, statement_timeout_ms=settings.statement_timeout_ms)
    with answered_within(ANSWER_SECONDS), cache.use(company) as connection:
        assert statement_timeout(connection) == "25s"
        lent = pid(connection)
    with answered_within(3.5), cache.use(company) as connection:
        assert pid(connection) == lent
        assert 0 < int(statement_timeout(connection).removesuffix("ms")) <= 3_500
    with cache.use(company) as connection:
        assert (pid(connection), statement_timeout(connection)) == (lent, "25s")
    cache.close_idle()


def statement_timeout(connection: PgConnection) -> str:
    row = connection.execute("SHOW statement_timeout").fetchone()
    assert row
    return str(row[0])
