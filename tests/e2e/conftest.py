"""The deployed stack that end-to-end tests call: one per run, or one already running.

MANAGED_TABLES_STACK names the stack.json of a running stack to use instead.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from client import Console, Stack
from emptied_databases import EmptiedDatabases, connect, connection_of

from managed_tables_local import stack as local

REQUEST_LIMIT_SECONDS = 60.0  # API Gateway hangs up after 29
TARGETS = ("deployed", "serve")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each contract test against both the deployed stack and the ASGI server.

    A test marked `flow` runs against the first target only: beyond the request, both are the same. One marked
    `app` runs against the ASGI server only, which answers in a fifth of the time: other tests hold what API
    Gateway and Lambda add.
    """
    if "target" not in metafunc.fixturenames:
        return
    against = metafunc.config.getoption("against")
    chosen = TARGETS if against == "both" else (against,)
    once = metafunc.definition.get_closest_marker("flow") or "contract" not in metafunc.module.__name__
    if metafunc.definition.get_closest_marker("app"):
        chosen = chosen[-1:]
    metafunc.parametrize("target", chosen[:1] if once else chosen)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the first case of a test on both targets, its further cases on the ASGI server only.

    Cases differ in what the application makes of them, unless the test is marked `gateway`.
    """
    if config.getoption("against") != "both":
        return
    targets = [(item.nodeid.partition("[")[0], _target(item)) for item in items]
    served = {test for test, target in targets if target == "serve"}
    seen: set[str] = set()
    further: list[pytest.Item] = []
    for item, (test, target) in zip(items, targets, strict=True):
        if target == "deployed" and test in served and not item.get_closest_marker("gateway"):
            further += [item] if test in seen else []
            seen.add(test)
    dropped = set(further)
    items[:] = [item for item in items if item not in dropped]
    config.hook.pytest_deselected(items=further)


def _target(item: pytest.Item) -> str | None:
    return item.callspec.params.get("target") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session")
def stack_file(run_folder: Path) -> Path:
    """The stack.json of the stack under test; the first process of the run to ask starts it."""
    given = os.environ.get("MANAGED_TABLES_STACK")
    if given:
        return Path(given)
    folder = run_folder / "stack"
    local.up(folder, persistent=False)
    return folder / "stack.json"


@pytest.fixture(scope="session")
def stack(stack_file: Path) -> Stack:
    """What a client knows about the stack."""
    return Stack.from_file(stack_file)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """HTTP connections shared by the tests of one process."""
    with httpx.Client(timeout=REQUEST_LIMIT_SECONDS) as client:
        yield client


@pytest.fixture
def base_url(stack: Stack, target: str) -> str:
    """Where the API is: behind API Gateway, or on the ASGI server."""
    return {"deployed": stack.api_url, "serve": stack.serve_url}[target]


@pytest.fixture
def console(stack: Stack, base_url: str, http: httpx.Client) -> Console:
    """A user of a new company, not provisioned."""
    return Console(stack, base_url, http)


@pytest.fixture(scope="session")
def emptied_databases(stack: Stack) -> EmptiedDatabases:
    """Databases reused by the process's tests, each emptied before use; removed with the stack."""
    return EmptiedDatabases(stack.postgres_admin_dsn)


@pytest.fixture(scope="session")
def dynamodb(stack_file: Path) -> Any:
    """A DynamoDB client for the stack."""
    facts = local.load(stack_file)
    return boto3.client(
        "dynamodb",
        endpoint_url=facts.aws_endpoint_url,
        region_name=facts.region,
        aws_access_key_id=facts.access_key_id,
        aws_secret_access_key=facts.secret_access_key,
    )


@pytest.fixture
def company(
    console: Console, emptied_databases: EmptiedDatabases, dynamodb: Any, stack_file: Path
) -> Console:
    """A user of a new company with an empty database."""
    place = (dynamodb, local.load(stack_file).table_name, console.company_id)
    record = emptied_databases.take(console.company_id)
    if record is None:
        console.provision()
        emptied_databases.add(connection_of(*place))
    else:
        connect(*place, record)
    return console


@pytest.fixture
def own_company(console: Console) -> Console:
    """A user of a new company with a database of its own, never used before."""
    console.provision()
    return console


@pytest.fixture
def served_company(stack: Stack, http: httpx.Client) -> Console:
    """A user of a new, provisioned company, calling the ASGI server, which has no 6 MB limit."""
    served = Console(stack, stack.serve_url, http)
    served.provision()
    return served


@pytest.fixture
def query(stack: Stack) -> Callable[..., list[tuple[Any, ...]]]:
    """Run one statement in a company's database, as its administrator; return the rows."""

    def run(company: Console, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        database = f"co_{company.ok('GET', '/status')['connection_id']}"
        with psycopg.connect(stack.postgres_admin_dsn, dbname=database) as connection:
            return connection.execute(statement, parameters or None).fetchall()  # type: ignore[call-overload,no-any-return]

    return run
