"""A separate company for each module of fault tests, where dead operations are detected at once."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from deployments import (
    aws_session,
    client_of,
    companies_dropped,
    emulator,
    make_secrets,
    make_table,
    secret_of,
    use_emulator,
)
from worlds import ForkedJobMaker, World, waiting_machine

from managed_tables.ids import new_record_id
from managed_tables.settings import Settings
from managed_tables.tables import reconciliation
from managed_tables_api import undoing as operation
from managed_tables_api.services import ApiServices
from managed_tables_insert import transfer
from managed_tables_local.emulator import Emulator

__all__ = ["aws_session", "emulator"]

# An operation counts as dead at once: waiting is a courtesy, and correctness must not depend on it.
STALE_AFTER_SECONDS = 0.3
BATCH_ROWS = 3  # so that a file of a dozen rows is several batches of a COPY


@pytest.fixture(scope="module")
def world(
    emulator: Emulator,
    aws_session: boto3.Session,
    postgres_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """A company with a ready database."""
    with pytest.MonkeyPatch.context() as patch:
        use_emulator(emulator, aws_session, patch)
        folder: Path = tmp_path_factory.mktemp("world", numbered=True)
        patch.setenv("TMPDIR", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        for kind in reconciliation.STALE_AFTER_SECONDS:
            patch.setitem(reconciliation.STALE_AFTER_SECONDS, kind, STALE_AFTER_SECONDS)
        patch.setattr(operation, "RECOVERED_AFTER", timedelta())
        patch.setattr(reconciliation, "REUSED_WITHIN_SECONDS", STALE_AFTER_SECONDS / 2)
        patch.setattr(transfer, "LEAST_ROWS", BATCH_ROWS)
        services = _deploy(emulator, postgres_dsn)
        with companies_dropped(services, postgres_dsn):
            company = services.provisioning.provision(new_record_id())
            yield World(services, company, ForkedJobMaker(services, company, folder), postgres_dsn)
            services.connection_cache.close_idle()


def _deploy(emulator: Emulator, postgres_dsn: str) -> ApiServices:
    name = f"faults-{secrets.token_hex(6)}"
    make_table(name)
    client_of("s3").create_bucket(Bucket=name)
    settings = Settings(
        table_name=name, bucket_name=name, aws_endpoint_url=emulator.url, **make_secrets(name)
    )
    arn = waiting_machine(ApiServices(settings), name)
    services = ApiServices(settings.model_copy(update={"state_machine_arn": arn}))
    services.postgres_secret = secret_of(postgres_dsn)
    return services
