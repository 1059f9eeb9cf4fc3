"""The local stack: what it keeps through a crash, and that stacks run side by side."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from client import Console, Stack

from managed_tables_local import emulator, server
from managed_tables_local import stack as local
from managed_tables_local.postgres import open_server

SAVING_LIMIT_SECONDS = 240.0  # it saves every 5 s; where one save takes seconds, 20 times as rarely


@pytest.fixture
def own_folder(run_folder: Path) -> Iterator[Path]:
    """The folder of a stack that only this test uses."""
    folder = run_folder / "own-stack"
    yield folder
    local.remove(folder)


def _kill(folder: Path) -> None:
    """Take the stack down as a power cut would."""
    for process in (server.api(folder).process, emulator.process(folder / "ministack")):
        pid = process.pid()
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
    open_server(folder / "postgres").stop("immediate")


def test_tables_and_rows_survive_a_crash(
    request: pytest.FixtureRequest, own_folder: Path, http: httpx.Client
) -> None:
    """Killed without warning and brought up again, beside another stack, it answers as before."""
    if not request.config.getoption("--stack"):
        pytest.skip("make test-faults")
    stack: Stack = request.getfixturevalue("stack")
    own = local.up(own_folder)
    assert own.aws_endpoint_url not in stack.api_url
    before = Console(Stack.from_file(own_folder / "stack.json"), own.api_url, http)
    connection = before.provision()
    table_id = before.create_table("vendas")["_id"]
    before.insert(table_id, {"produto": "café"}, {"produto": "pão"})
    rows = before.rows(table_id)
    _wait_until_saved(own_folder)
    _kill(own_folder)
    again = local.up(own_folder)
    after = Console(Stack.from_file(own_folder / "stack.json"), again.api_url, http, before.company_id)
    assert after.provision() == connection
    assert after.rows(table_id) == rows


def _wait_until_saved(folder: Path) -> None:
    """Wait until DynamoDB has been saved twice from now: the second save began after this call."""
    saved = folder / "ministack" / "state" / "dynamodb.json"
    seen: set[int] = set()
    deadline = time.monotonic() + SAVING_LIMIT_SECONDS
    while len(seen) < 3:
        assert time.monotonic() < deadline, "the emulator does not save its state"
        seen.add(saved.stat().st_mtime_ns if saved.exists() else 0)
        time.sleep(0.1)
