"""The embedded PostgreSQL server."""

import psycopg


def test_the_server_is_recent_enough(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        assert connection.info.server_version >= 150_000
