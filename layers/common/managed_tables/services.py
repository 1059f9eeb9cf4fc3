"""Add the companies' databases, and what is done in them, to the AWS services of a process."""

import json
from contextlib import AbstractContextManager
from functools import partial

from managed_tables.aws_services import AwsServices, once
from managed_tables.catalog.connections import ClusterRecord, ConnectionRecord
from managed_tables.databases.connecting import Databases, PgConnection, SessionLimits
from managed_tables.databases.moves import Moves
from managed_tables.databases.provisioning import DatabaseMaker, Provisioning, RemoteMaker
from managed_tables.errors import SECRETS_UNAVAILABLE, ApiError
from managed_tables.kept_rows import Reminders
from managed_tables.settings import DEFAULT_CLUSTER, AppSecret, ClusterAddress, PostgresSecret, load_settings
from managed_tables.tables.operations import TableOperations
from managed_tables.tables.reconciliation import Reconciliation, TableListing

# After a burst each of a hundred frozen processes holds a session, and closes nothing while it is frozen.
IDLE_SESSION_MS = 60_000
UNACKNOWLEDGED_MAX_MS = 10_000  # a request has 29 s, in which a connection that leads nowhere can be replaced


class Services(AwsServices):
    """What the functions are handed that open the companies' databases."""

    postgres_secret: once[PostgresSecret] = once(lambda self: self._read_default_secret())
    _known_secrets: once[dict[str, PostgresSecret]] = once(lambda _: {})

    reconciliation = once(lambda self: Reconciliation(self.items, self.tables, self.open_company))
    table_reading = once(lambda self: TableListing(self.tables, self.reconciliation, self.open_company))
    reminders = once(lambda self: Reminders(self.items))

    @once
    def databases(self) -> Databases:
        """The companies' databases."""
        return Databases(
            self._cluster_secret,
            partial(self._cluster_secret, renewed=True),
            self._cluster_address,
            self._master_secret,
            self._renewed_connection,
            self.session_limits,
        )

    def _renewed_connection(self, known: ConnectionRecord) -> ConnectionRecord:
        """Read the record again of a company whose login was refused; a move that died is ended first."""
        operation = self.operations.find(known.company_id)
        if operation is not None and operation.kind == "move" and operation.is_lapsed:
            self.provisioning.end_move(known.company_id)
        return self.connections.find(known.company_id) or known

    @once
    def moves(self) -> Moves:
        """The ends of companies' moves between clusters."""
        zone = self.settings.default_timezone
        return Moves(self.connections, self.operations, self.databases, zone)

    @property
    def session_limits(self) -> SessionLimits:
        """What a session takes that is not a load's or the administrator's."""
        return SessionLimits(
            self.settings.statement_timeout_ms,
            self.settings.lock_timeout_ms,
            idle_session_timeout_ms=IDLE_SESSION_MS,
            unacknowledged_max_ms=UNACKNOWLEDGED_MAX_MS,
        )

    @property
    def load_limits(self) -> SessionLimits:
        """What a session takes for whose answer nobody waits: a load's, an export's, an operator's."""
        return SessionLimits(self.settings.load_statement_timeout_ms, lock_timeout_ms=120_000)

    def open_company(self, company: ConnectionRecord) -> AbstractContextManager[PgConnection]:
        """Open a connection to the company's database for the `with` block, errors translated."""
        return self.databases.company_connection(company)

    @once
    def provisioning(self) -> Provisioning:
        """The companies' databases, made by the one function that may, or by this process."""
        if function := self.settings.provision_function:
            return Provisioning(self.connections, RemoteMaker(lambda: self.lambda_client, function))
        return Provisioning(self.connections, self.database_maker)

    @once
    def database_maker(self) -> DatabaseMaker:
        """The making of databases in this process, which reads the administrators' secrets."""
        return DatabaseMaker(
            self.connections,
            self.databases,
            self.moves,
            self.clusters.find_placement,
            lambda: self.app_secret.newest,
            self.settings.default_timezone,
        )

    @once
    def table_operations(self) -> TableOperations:
        """The making, changing and deleting of tables."""
        return TableOperations(
            self.tables, self.reconciliation, self.open_company, self.settings.default_timezone
        )

    def _master_secret(self, generation: int) -> str:
        """Return the master secret of a generation, read again where this process does not know it yet."""
        found = self.app_secret.find(generation)
        if found is None:
            self.app_secret = AppSecret.model_validate_json(self._secret(self.settings.app_secret_arn))
            found = self.app_secret.find(generation)
        if found is None:
            raise ApiError(SECRETS_UNAVAILABLE)
        return found

    def _cluster_secret(self, cluster: str, *, renewed: bool = False) -> PostgresSecret:
        """Return the administrator of the cluster, read once a process, and again once it is rotated."""
        if cluster == DEFAULT_CLUSTER:
            if renewed:
                self.postgres_secret = self._read_default_secret()
            return self.postgres_secret
        if renewed or cluster not in self._known_secrets:
            self._known_secrets[cluster] = self.secret_of(self.clusters.get(cluster))
        return self._known_secrets[cluster]

    def secret_of(self, cluster: ClusterRecord) -> PostgresSecret:
        """Return the administrator of a further cluster, recorded or not."""
        return self._read_secret(cluster.secret_arn, self._address_of(cluster))

    def _read_default_secret(self) -> PostgresSecret:
        return self._read_secret(self.settings.postgres_secret_arn, self.settings.default_address)

    def _read_secret(self, arn: str, address: ClusterAddress | None) -> PostgresSecret:
        """Return an administrator; an address that is known comes before one that the secret has."""
        stored = json.loads(self._secret(arn)).items()
        said = {name: value for name, value in stored if value not in (None, "")}
        known = address.model_dump() if address else {}
        return PostgresSecret.model_validate({**said, **known})

    def _cluster_address(self, cluster: str) -> ClusterAddress:
        """Return the cluster's address, by its record or the settings, else by the administrator's secret."""
        if cluster == DEFAULT_CLUSTER:
            return self.settings.default_address or self.postgres_secret
        return self._address_of(self.clusters.get(cluster))

    def _address_of(self, cluster: ClusterRecord) -> ClusterAddress:
        return ClusterAddress(host=cluster.host, port=cluster.port, sslmode=self.settings.postgres_sslmode)


def load_services() -> Services:
    """Return the services of this process's environment."""
    return Services(load_settings())
