"""A second PostgreSQL for a test's deployment, recorded as its cluster."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from managed_tables.catalog.connections import ClusterRecord
from managed_tables.services import Services
from managed_tables_local.postgres import ADMIN, EmbeddedPostgres, open_server, remove_server


@contextmanager
def another_server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Run another PostgreSQL for the block."""
    server = open_server(folder)
    server.start("fsync=off")
    try:
        yield server
    finally:
        remove_server(folder)


def add_cluster(services: Services, cluster: str, port: int, password: str, sslmode: str = "prefer") -> None:
    """Record one more cluster, and how all of the deployment's are reached."""
    name = f"managed-tables/{services.settings.table_name}/{cluster}"
    secret = json.dumps({"username": ADMIN, "password": password})
    made = services.secretsmanager.create_secret(Name=name, SecretString=secret)
    services.settings = services.settings.model_copy(update={"postgres_sslmode": sslmode})
    services.clusters.put(ClusterRecord(cluster, "localhost", port, made["ARN"]))
