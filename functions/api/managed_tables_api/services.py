"""Add the verifier of tokens to the services that every function has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import (
    OWNER_CONNECTIONS,
    PgConnection,
    SessionLimits,
    translated_errors,
)
from managed_tables.databases.connection_cache import ConnectionCache
from managed_tables.tables.reconciliation import OpenCompany
from managed_tables.wiring.aws_services import once
from managed_tables.wiring.services import Services
from managed_tables_api.auth import JwksKeys, Keys, SharedSecret, TokenVerifier
from managed_tables_api.http.slots import RequestSlots
from managed_tables_api.rows.bulk_changes import BulkChanges
from managed_tables_api.rows.history.row_history import RowHistory
from managed_tables_api.rows.history.row_origin import ReadPlace, RowOrigins, remote_places
from managed_tables_api.rows.history.trash import Trash
from managed_tables_api.rows.inserts import RowInserts
from managed_tables_api.rows.lists.listing import RowLists
from managed_tables_api.rows.running import Definitions, RowOperations, Runner
from managed_tables_api.rows.single_rows import Rows
from managed_tables_api.rows.views.saved_views import SavedViews

LOAD_CONNECTIONS = 12  # of a company's, which its requests leave to its loads, however many they are


Operations = TypeVar("Operations", bound=RowOperations)


def row_operations(kind: type[Operations]) -> once[Operations]:
    """Return the property of services that has a kind of operations on rows."""
    return once(lambda services: kind(services.row_runner))


class ApiServices(Services):
    """The services of one API process."""

    @property
    def keys_are_remote(self) -> bool:
        """Return whether checking a token may wait for the network."""
        return self.settings.jwt_algorithm != "HS256" or "token_verifier" not in self.__dict__

    @once
    def jwt_secret(self) -> str:
        """What signs tokens of HS256."""
        return self._secret(self.settings.jwt_secret_arn)

    @once
    def token_verifier(self) -> TokenVerifier:
        """The verifier of bearer tokens."""
        settings = self.settings
        keys: Keys
        if settings.jwt_algorithm == "HS256":
            keys = SharedSecret(self.jwt_secret)
        else:
            keys = JwksKeys(settings.jwks_url, settings.jwt_algorithm)
        return TokenVerifier(settings, keys)

    @property
    def open_company(self) -> OpenCompany:
        """Table operations share the open connections with the rows."""
        return self._use_company

    @property
    def session_limits(self) -> SessionLimits:
        """A request's session leaves room for loads."""
        return replace(super().session_limits, role_sessions_max=OWNER_CONNECTIONS - LOAD_CONNECTIONS)

    @contextmanager
    def _use_company(self, company: ConnectionRecord) -> Iterator[PgConnection]:
        with translated_errors(), self.connection_cache.use(company) as connection:
            yield connection

    @once
    def slots(self) -> RequestSlots:
        """What each company may take of this process: half of the connections, whatever its queries take."""
        return RequestSlots((self.settings.database_connections_max + 1) // 2)

    @once
    def connection_cache(self) -> ConnectionCache:
        """The open connections of this process."""
        return ConnectionCache(
            self.databases.open_company_connection,
            self.settings.database_connections_max,
            statement_timeout_ms=self.settings.statement_timeout_ms,
        )

    @once
    def row_runner(self) -> Runner:
        """What runs the statements of rows."""
        definitions = Definitions(self.provisioning.find, self.connection_cache)
        return Runner(definitions, self.connection_cache, self.settings)

    rows = row_operations(Rows)
    row_inserts = row_operations(RowInserts)
    row_lists = row_operations(RowLists)
    bulk_changes = row_operations(BulkChanges)
    row_history = row_operations(RowHistory)
    trash = row_operations(Trash)
    saved_views = row_operations(SavedViews)

    @once
    def read_place(self) -> ReadPlace:
        """How a row's place in the files of its job is found."""
        return remote_places(lambda: self.provision_client, self.settings.insert_function)

    @once
    def row_origins(self) -> RowOrigins:
        """Where rows come from."""
        return RowOrigins(self.row_history, self.jobs, self.job_documents, self.read_place)
