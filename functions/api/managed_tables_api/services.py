"""Add the verifier of tokens to the services that every function has."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from managed_tables.aws_services import once
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.databases import connecting
from managed_tables.errors import STORAGE_UNAVAILABLE, ApiError
from managed_tables.jobs.staged_rows import Origin
from managed_tables.services import Services
from managed_tables_api.auth import JwksKeys, TokenVerifier, shared_secret
from managed_tables_api.connection_cache import ConnectionCache
from managed_tables_api.http.slots import RequestSlots
from managed_tables_api.rows.running import NamedTable, Tables

LOAD_CONNECTIONS = 12  # of a company's, which its requests leave to its loads, however many they are


class ApiServices(Services):
    """The services of one API process."""

    jwt_secret: once[str] = once(lambda self: self._secret(self.settings.jwt_secret_arn))  # of HS256
    # What each company may take of this process: half of the connections, whatever its queries take.
    slots: once[RequestSlots] = once(
        lambda self: RequestSlots((self.settings.database_connections_max + 1) // 2)
    )
    row_tables: once[Tables] = once(
        lambda self: Tables(self.provisioning.find, self.connection_cache, self.settings)
    )

    @property
    def keys_are_remote(self) -> bool:
        """Return whether checking a token may wait for the network."""
        return self.settings.jwt_algorithm != "HS256" or "token_verifier" not in self.__dict__

    @once
    def token_verifier(self) -> TokenVerifier:
        """The verifier of bearer tokens."""
        settings = self.settings
        if settings.jwt_algorithm == "HS256":
            return TokenVerifier(settings, shared_secret(self.jwt_secret))
        return TokenVerifier(settings, JwksKeys(settings.jwks_url, settings.jwt_algorithm).find)

    @property
    def session_limits(self) -> connecting.SessionLimits:
        """A request's session leaves room for loads."""
        sessions_max = connecting.OWNER_CONNECTIONS - LOAD_CONNECTIONS
        return replace(super().session_limits, role_sessions_max=sessions_max)

    @contextmanager
    def open_company(self, company: ConnectionRecord) -> Iterator[connecting.PgConnection]:
        """Lend a connection for the `with` block: table operations share them with the rows."""
        with connecting.translated_errors(), self.connection_cache.use(company) as connection:
            yield connection

    @once
    def connection_cache(self) -> ConnectionCache:
        """The open connections of this process."""
        return ConnectionCache(
            self.databases.open_company_connection,
            self.settings.database_connections_max,
            statement_timeout_ms=self.settings.statement_timeout_ms,
        )

    def named_table(self, company_id: str, table_id: str, user_id: str = "") -> NamedTable:
        """Return a table that a user names, for work on its rows."""
        return NamedTable(lambda: self.row_tables, company_id, table_id, user_id)

    def read_place(self, job: JobRecord, number: int) -> Origin | None:
        """Return a row's place in its job's files, by the function that loads; raises STORAGE_UNAVAILABLE."""
        place: Origin | None = self.ask_loader(job, "origin", origin_of=number)
        return place

    def ask_loader(self, job: JobRecord, answered: str, **errand: Any) -> Any:
        """Return what the function that loads answers of a job's files; raises STORAGE_UNAVAILABLE."""
        from botocore.exceptions import BotoCoreError, ClientError

        event = {"company_id": job.company_id, "job_id": job.job_id, **errand}
        function = self.settings.insert_function
        try:
            answer = self.lambda_client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise ApiError(STORAGE_UNAVAILABLE) from error
        payload = json.loads(answer["Payload"].read())
        if answered not in payload:
            raise ApiError(STORAGE_UNAVAILABLE)
        return payload[answered]
