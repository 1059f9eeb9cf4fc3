"""Many companies on two clusters, and files for half of them at once: `make test-scale`."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from client import Console, Stack, until

from managed_tables.catalog.connections import ClusterRecord
from managed_tables.services import Services
from managed_tables.settings import load_settings
from managed_tables_local import emulator
from managed_tables_local import stack as local
from managed_tables_local.deployment import STAGE
from managed_tables_local.postgres import open_server, remove_server

ROWS = 500  # of a file
CALLERS = 4
TAKEN_LIMIT_SECONDS = 120.0
JOBS_LIMIT_SECONDS = 1_800.0


@pytest.fixture
def companies(request: pytest.FixtureRequest) -> int:
    """How many there are; the test is skipped without."""
    count: int = request.config.getoption("--companies")
    if not count:
        pytest.skip("make test-scale")
    return count


@pytest.fixture
def folder(companies: int, run_folder: Path) -> Iterator[Path]:  # noqa: ARG001 - skipped without
    """The folder of a stack of its own, brought up, and of a second PostgreSQL."""
    folder = run_folder / "scale"
    local.up(folder, persistent=False)
    open_server(folder / "second").start("fsync=off")
    yield folder
    remove_server(folder / "second")
    local.remove(folder)


@pytest.fixture
def services(folder: Path) -> Services:
    """The stack's services, by the rights of its administrator."""
    found = Services(load_settings(local.serving_environment(folder.resolve())))
    emulated = emulator.find(folder.resolve() / "ministack")
    assert emulated is not None
    arguments: dict[str, Any] = dict(emulated.client_arguments)
    for name in ("dynamodb", "s3", "secretsmanager"):
        found.__dict__[name] = boto3.client(name, **arguments)
    return found


def test_files_of_many_companies_all_reach_their_own_tables(
    companies: int, folder: Path, services: Services, http: httpx.Client
) -> None:
    """Companies are placed on the cluster of their day; every job ends, and each row is there once."""
    stack = Stack.from_file(folder / "stack.json")
    consoles = [Console(stack, stack.api_url, http) for _ in range(companies)]
    half = companies // 2
    _provision(consoles[:half])
    _add_cluster(services, folder)
    _provision(consoles[half:])
    _check_placement(services, folder, consoles)
    chosen = consoles[half // 2 : half + half // 2]  # of both clusters
    with ThreadPoolExecutor(CALLERS) as pool:
        jobs = list(pool.map(lambda console: _put(services, console), chosen))
    for console, job_id in zip(chosen, jobs, strict=True):
        console.wait(job_id, "done", limit_seconds=JOBS_LIMIT_SECONDS)
    for console in chosen:
        wanted = [(console.company_id, number) for number in range(ROWS)]
        assert _query(services, folder, console, "SELECT empresa, n FROM vendas ORDER BY id") == wanted


def _provision(consoles: Sequence[Console]) -> None:
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(Console.provision, consoles))


def _add_cluster(services: Services, folder: Path) -> None:
    """Record the second server, and that new companies go there, as add-cluster and place-companies do."""
    server = open_server(folder / "second")
    secret = json.dumps({"username": "postgres", "password": server.password})
    name = f"managed-tables/{STAGE}/second"  # policies let the functions read it
    arn = services.secretsmanager.create_secret(Name=name, SecretString=secret)["ARN"]
    services.clusters.put(ClusterRecord("second", "127.0.0.1", server.port, arn))
    services.clusters.place_on("second")


def _check_placement(services: Services, folder: Path, consoles: Sequence[Console]) -> None:
    """Each half is on its cluster, by the records and by what the servers hold."""
    half = len(consoles) // 2
    records = [services.provisioning.require(console.company_id) for console in consoles]
    assert [record.cluster for record in records] == ["default"] * half + ["second"] * half
    for name, part in (("postgres", records[:half]), ("second", records[half:])):
        with psycopg.connect(open_server(folder / name).dsn) as connection:
            held = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'co\\_%'")
            assert {one for (one,) in held} == {f"co_{record.connection_id}" for record in part}


def _put(services: Services, console: Console) -> str:
    """Put a file into the company's inbox; return its job's id once the file is taken.

    The emulator starts a process an event, and a hundred of them leave a small machine no time for any.
    """
    text = "empresa;n\n" + "".join(f"{console.company_id};{number}\n" for number in range(ROWS))
    place = {"Bucket": services.settings.bucket_name, "Key": f"inbox/{console.company_id}/vendas.csv"}
    metadata = {"table": "vendas", "auto-confirm": "true"}
    services.s3.put_object(**place, Body=text.encode(), Metadata=metadata)

    def read() -> Any:
        return services.s3.get_object_tagging(**place)["TagSet"] or None

    tags: list[dict[str, str]] = until(read, TAKEN_LIMIT_SECONDS)
    return tags[0]["Value"]


def _query(services: Services, folder: Path, console: Console, statement: str) -> list[Any]:
    company = services.provisioning.require(console.company_id)
    server = open_server(folder / {"default": "postgres"}.get(company.cluster, company.cluster))
    with psycopg.connect(server.dsn, dbname=f"co_{company.connection_id}") as connection:
        return connection.execute(statement.encode()).fetchall()
