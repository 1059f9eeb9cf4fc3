"""Change all databases: migrate them, give them new passwords."""

import secrets
from collections.abc import Iterator
from dataclasses import replace

from managed_tables.databases.migrations import SCHEMA_VERSION
from managed_tables.databases.roles import set_password
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables.settings import AppSecret
from managed_tables_operations import OperatorError
from managed_tables_operations.leases import hold, wanted


def migrate_all(services: Services) -> Iterator[tuple[str, ApiError | None]]:
    """Migrate every database to this release, and yield each company that was behind, with its failure.

    It is optional, since a database is migrated when next used, but shows beforehand which would fail.
    """
    for connection in services.connections.all():
        if connection.state != "ready" or connection.schema_version >= SCHEMA_VERSION:
            continue
        try:
            services.provisioning.require(connection.company_id)
            yield connection.company_id, None
        except ApiError as error:
            yield connection.company_id, error


def begin_generation(services: Services) -> int:
    """Add a new master secret beside those that there are; return its generation."""
    arn = services.settings.app_secret_arn
    text = services.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
    secret = AppSecret.model_validate_json(text)
    generation = secret.newest + 1
    added = secret.model_copy(update={"later": {**secret.later, generation: secrets.token_hex(32)}})
    services.secretsmanager.put_secret_value(SecretId=arn, SecretString=added.model_dump_json())
    services.app_secret = added
    return generation


def rotate_passwords(services: Services) -> Iterator[str]:
    """Give every company's roles the passwords of the newest master secret; yield each database's name.

    Repeatable, and without an outage: each record says which secret holds, a process that meets an unknown
    one reads the secrets again, and one whose password is refused the record. Only readers outside, BI tools
    for one, need their new password.
    """
    newest, left = services.app_secret.newest, 0
    for connection in services.connections.all():
        if connection.state != "ready" or connection.secret_generation == newest:
            continue
        try:
            with hold(services, wanted(connection.company_id, connection.connection_id, "rotate")):
                yield _rotate(services, connection.company_id, newest)
        except OperatorError:
            left += 1
    if left:
        raise OperatorError(f"{left} databases have an operation under way: run this again")


def _rotate(services: Services, company_id: str, generation: int) -> str:
    connection = services.connections.find(company_id)  # again: it may have moved since the scan
    if connection is None:
        raise OperatorError(f"company {company_id} is gone")
    roles = services.databases.roles_of(replace(connection, secret_generation=generation))
    with services.databases.open_admin_connection(connection.cluster) as admin, admin.transaction():
        for role in (roles.owner, roles.reader):
            set_password(admin, roles, role)
        services.connections.renew_secret(connection, generation)
    return roles.database
