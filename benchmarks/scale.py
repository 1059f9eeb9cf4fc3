"""Run many jobs of many companies on two clusters at once, and check every end: `make test-scale`.

Half of the companies are provisioned on the deployment's own cluster, half after a second one was recorded;
then a file for each of 100 companies of both halves is put into the inbox at once.
"""

import json
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
import psycopg

from managed_tables.catalog.clusters import ClusterRecord
from managed_tables.settings import load_settings
from managed_tables.wiring.services import Services
from managed_tables_ingest.inbox import JOB_TAG
from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL
from managed_tables_local.deployed import emulator
from managed_tables_local.deployed.deployment import STAGE
from managed_tables_local.deployed.emulator import Emulator
from managed_tables_local.postgres import EmbeddedPostgres, open_server, remove_server
from managed_tables_local.progress import say, step
from managed_tables_local.tokens import make_token

COMPANIES = 200
JOBS = 100
ROWS = 500  # of a file
CALLERS = 4
LIMIT_SECONDS = 1_800
TAKEN_LIMIT_SECONDS = 120
SECOND = "second"
_FOLDER = LOCAL / "scale"
_SAMPLE_SECONDS = 0.1


@dataclass
class Watch:
    """The most sessions of functions that each cluster has had at once."""

    clusters: dict[str, EmbeddedPostgres]
    most: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count while the block runs."""
        ended = threading.Event()
        watchers = [threading.Thread(target=self._watch, args=(one, ended)) for one in self.clusters]
        for watcher in watchers:
            watcher.start()
        try:
            yield
        finally:
            ended.set()
            for watcher in watchers:
                watcher.join()

    def _watch(self, cluster: str, ended: threading.Event) -> None:
        statement = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'co\\_%'"
        with psycopg.connect(self.clusters[cluster].dsn, autocommit=True) as connection:
            while not ended.wait(_SAMPLE_SECONDS):
                (count,) = connection.execute(statement).fetchone() or (0,)
                self.most[cluster] = max(self.most[cluster], count)


def run(small: bool = False) -> None:
    """Run the whole; raise SystemExit where a company or a job did not end right."""
    companies, jobs = (20, 10) if small else (COMPANIES, JOBS)
    try:
        _run(companies, jobs)
    finally:
        remove_server(_FOLDER / SECOND)
        local.remove(_FOLDER)


def _run(companies: int, jobs: int) -> None:
    stack = local.up(_FOLDER, persistent=False)
    second = open_server(_FOLDER / SECOND)
    second.start("fsync=off")
    clusters = {"default": open_server(_FOLDER / "postgres"), SECOND: second}
    ids = [secrets.token_hex(12) for _ in range(companies)]
    half = companies // 2
    first_seconds = _provision(stack, ids[:half])
    services = _services()
    _add_cluster(services, second)
    second_seconds = _provision(stack, ids[half:])
    _check_placement(services, ids, clusters)
    chosen = ids[half - jobs // 2 : half + jobs // 2]
    watch = Watch(clusters)
    started = time.monotonic()
    with watch.watching():
        keys = _put(services, chosen)
        _wait(services, dict(zip(chosen, keys, strict=True)))
    seconds = time.monotonic() - started
    _check_rows(services, chosen, clusters)
    say(
        f"\n{companies} companies provisioned by {CALLERS} callers:"
        f" {first_seconds:.0f} s + {second_seconds:.0f} s"
        f"\n{jobs} jobs of {ROWS} rows put at once: all done after {seconds:.0f} s"
        f"\nmost sessions in companies' databases at once: {dict(watch.most)}"
    )


def _add_cluster(services: Services, server: EmbeddedPostgres) -> None:
    """Record the second server, and that new companies go there, as add-cluster and place-companies do."""
    secret = json.dumps({"username": "postgres", "password": server.password})
    name = f"managed-tables/{STAGE}/{SECOND}"
    arn = services.secretsmanager.create_secret(Name=name, SecretString=secret)["ARN"]
    services.clusters.put(ClusterRecord(SECOND, "127.0.0.1", server.port, arn))
    services.clusters.place_on(SECOND)


def _emulator() -> Emulator:
    found = emulator.find(_FOLDER.resolve() / "ministack")
    if found is None:
        raise SystemExit("the emulator is not running")
    return found


def _services() -> Services:
    services = Services(load_settings(local.serving_environment(_FOLDER.resolve())))
    arguments: dict[str, Any] = dict(_emulator().client_arguments)
    for name in ("dynamodb", "s3", "secretsmanager"):
        services.__dict__[name] = boto3.client(name, **arguments)
    return services


def _provision(stack: local.Stack, ids: Sequence[str]) -> float:
    """Provision the companies, several at once; return the seconds that it took."""

    def provision(company_id: str) -> None:
        token = make_token(stack, company_id, "managed-tables:*")
        answer = http.post(
            f"{stack.api_url}/v1/managed-tables/provision", headers={"Authorization": f"Bearer {token}"}
        )
        if answer.status_code != 200:
            raise SystemExit(f"provisioning answered {answer.status_code}: {answer.text}")

    started = time.monotonic()
    with (
        step(f"provisioning {len(ids)} companies"),
        httpx.Client(timeout=60) as http,
        ThreadPoolExecutor(CALLERS) as pool,
    ):
        list(pool.map(provision, ids))
    return time.monotonic() - started


def _check_placement(services: Services, ids: Sequence[str], clusters: dict[str, EmbeddedPostgres]) -> None:
    """Each half is on its cluster, by the records and by what the servers hold."""
    placed: dict[str, set[str]] = {cluster: set() for cluster in clusters}
    for company_id in ids:
        company = services.connections.find(company_id)
        if company is None or company.state != "ready":
            raise SystemExit(f"company {company_id} is not ready")
        placed[company.cluster].add(f"co_{company.connection_id}")
    for cluster, server in clusters.items():
        with psycopg.connect(server.dsn) as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'co\\_%'"
            ).fetchall()
        if {name for (name,) in found} != placed[cluster] or len(found) != len(ids) // 2:
            raise SystemExit(f"cluster {cluster} holds {len(found)} databases, not those of its companies")
    say(f"==> placed: { ({cluster: len(names) for cluster, names in placed.items()}) }")


def _put(services: Services, ids: Sequence[str]) -> list[str]:
    """Put a file into each company's inbox; return the keys.

    A caller puts its next file when the last one is taken: the emulator starts a process an event, and a
    hundred of them leave a small machine no time for any.
    """

    def put(company_id: str) -> str:
        key = f"inbox/{company_id}/vendas.csv"
        text = "empresa;n\n" + "".join(f"{company_id};{number}\n" for number in range(ROWS))
        services.s3.put_object(
            Bucket=services.settings.bucket_name,
            Key=key,
            Body=text.encode(),
            Metadata={"table": "vendas", "auto-confirm": "true"},
        )
        deadline = time.monotonic() + TAKEN_LIMIT_SECONDS
        while _find_job_id(services, key) is None and time.monotonic() < deadline:
            time.sleep(_SAMPLE_SECONDS)
        return key

    with step(f"putting {len(ids)} files"), ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(put, ids))


def _find_job_id(services: Services, key: str) -> str | None:
    tags = services.s3.get_object_tagging(Bucket=services.settings.bucket_name, Key=key)["TagSet"]
    return next((tag["Value"] for tag in tags if tag["Key"] == JOB_TAG), None)


def _wait(services: Services, keys: dict[str, str]) -> None:
    """Wait until every file's job is done; raise SystemExit at the first that ended otherwise."""
    deadline = time.monotonic() + LIMIT_SECONDS
    waiting = dict(keys)
    with step(f"{len(keys)} jobs"):
        while waiting:
            if time.monotonic() > deadline:
                raise SystemExit(f"{len(waiting)} jobs have not ended after {LIMIT_SECONDS} s")
            for company_id, key in list(waiting.items()):
                status = _status(services, company_id, key)
                if status == "done":
                    del waiting[company_id]
            time.sleep(1)


def _status(services: Services, company_id: str, key: str) -> str:
    job_id = _find_job_id(services, key)
    job = services.jobs.find(company_id, job_id) if job_id else None
    if job is None:
        return "not taken"
    if job.status == "failed":
        raise SystemExit(f"a job failed: {job.error}")
    return job.status


def _check_rows(services: Services, ids: Sequence[str], clusters: dict[str, EmbeddedPostgres]) -> None:
    """Each company's table holds its own file's rows, once each and in order."""
    wanted = [(company_id, number) for company_id in ids for number in range(ROWS)]
    found: list[tuple[str, int]] = []
    for company_id in ids:
        company = services.provisioning.require(company_id)
        dsn = clusters[company.cluster].dsn
        with psycopg.connect(dsn, dbname=f"co_{company.connection_id}") as connection:
            found += connection.execute("SELECT empresa, n FROM vendas ORDER BY id").fetchall()
    if found != wanted:
        raise SystemExit(f"{len(found)} rows were found where {len(wanted)} were put, or not the same")


if __name__ == "__main__":
    run("--small" in sys.argv)
