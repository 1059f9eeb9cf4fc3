"""The deployed stack that end-to-end tests call: one for all processes of a run, or one that already runs.

MANAGED_TABLES_STACK names the stack.json of a running stack to use instead.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from client import Console, Stack

from managed_tables_local import stack as local

REQUEST_LIMIT_SECONDS = 60.0  # API Gateway hangs up after 29


@pytest.fixture(scope="session")
def stack_file(run_folder: Path) -> Path:
    """The stack.json of the stack under test; the run's first process that asks brings it up."""
    given = os.environ.get("MANAGED_TABLES_STACK")
    if given:
        return Path(given)
    folder = run_folder / "stack"
    local.up(folder, persistent=False)
    return folder / "stack.json"


@pytest.fixture(scope="session")
def stack(stack_file: Path) -> Stack:
    """What a client knows of the stack."""
    return Stack.from_file(stack_file)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """Connections that the tests of one process share."""
    with httpx.Client(timeout=REQUEST_LIMIT_SECONDS) as client:
        yield client


@pytest.fixture
def console(stack: Stack, http: httpx.Client) -> Console:
    """A user of a company never met before, not provisioned, calling through API Gateway."""
    return Console(stack, stack.api_url, http)


@pytest.fixture
def company(console: Console) -> Console:
    """A user of a new company that is provisioned, calling through API Gateway."""
    console.provision()
    return console


@pytest.fixture
def served_company(stack: Stack, http: httpx.Client) -> Console:
    """A user of a new company that is provisioned, calling the ASGI server: no limit of 6 MB."""
    served = Console(stack, stack.serve_url, http)
    served.provision()
    return served
