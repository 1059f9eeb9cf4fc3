"""What the tests of every tier share: one real PostgreSQL server a run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from managed_tables_local.postgres import open_server, remove_server


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The administrator's DSN of a PostgreSQL: the one in MANAGED_TABLES_TEST_DSN, else an embedded one."""
    given = os.environ.get("MANAGED_TABLES_TEST_DSN")
    if given:
        yield given
        return
    folder: Path = tmp_path_factory.mktemp("postgres", numbered=True)
    server = open_server(folder)
    server.start("fsync=off")
    try:
        yield server.dsn
    finally:
        remove_server(folder)
