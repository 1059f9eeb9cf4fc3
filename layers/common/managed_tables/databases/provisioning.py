"""Find a company's database, made or brought up to date where that is owed."""

from dataclasses import dataclass
from typing import Protocol

from managed_tables.catalog.connections import ConnectionRecord, Connections
from managed_tables.databases.migrations import SCHEMA_VERSION
from managed_tables.errors import DATABASE_UNAVAILABLE, NOT_PROVISIONED, ApiError


class Maker(Protocol):
    """What makes and changes databases as their administrator: this process, or one function for all."""

    def make(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection, its database made if it is not complete."""

    def bring_up_to_date(self, connection: ConnectionRecord) -> None:
        """Migrate a database of an earlier release to this one."""

    def rotate_reader(self, connection: ConnectionRecord) -> ConnectionRecord:
        """Give the read-only role another password; return the record that says so."""


@dataclass(frozen=True)
class Provisioning:
    """Gives each company its database; what only an administrator can do is the `maker`'s."""

    connections: Connections
    maker: Maker

    def find(self, company_id: str) -> ConnectionRecord | None:
        """Return the company's connection if its database is complete, our own schema up to date."""
        connection = self.connections.find(company_id)
        if connection is None or connection.state != "ready":
            return None
        if connection.needs_schema > SCHEMA_VERSION:
            raise ApiError(DATABASE_UNAVAILABLE)  # newer code will answer: this one must not touch it
        if connection.schema_version < SCHEMA_VERSION:
            self.maker.bring_up_to_date(connection)
        return connection

    def require(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection; raises NOT_PROVISIONED without a complete one."""
        connection = self.find(company_id)
        if connection is None:
            raise ApiError(NOT_PROVISIONED)
        return connection

    def provision(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection, its database made if it is not complete yet."""
        return self.find(company_id) or self.maker.make(company_id)

    def rotate_reader(self, company_id: str) -> ConnectionRecord:
        """Give the company's read-only role another password; raises NOT_PROVISIONED without a database."""
        return self.maker.rotate_reader(self.require(company_id))
