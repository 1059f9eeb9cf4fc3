"""Companies on databases that are emptied and reused, as good as new without a CREATE DATABASE per test.

Each test has its own company, with separate records and objects; only the database behind its connection
held other companies' tables before. Tests of provisioning, roles or whole databases make a new one.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import psycopg

DATABASES = 4  # used in turn: what a test leaves running has time to end before its database is reused
LOCK_TIMEOUT = "5s"

_DROP_TABLES = """
    DO $$
    DECLARE found record;
    BEGIN
        FOR found IN
            SELECT c.oid::regclass AS name, c.relkind FROM pg_class c
            WHERE c.relnamespace IN ('public'::regnamespace, 'deleted_tables'::regnamespace,
                                     'kept_rows'::regnamespace)
                AND c.relkind IN ('r', 'p', 'v')
        LOOP
            EXECUTE format('DROP %s IF EXISTS %s CASCADE',
                           CASE found.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, found.name);
        END LOOP;
        FOR found IN
            SELECT c.oid::regclass AS name FROM pg_class c
            WHERE c.relnamespace = 'managed_tables'::regnamespace AND c.relkind = 'r'
                AND c.relname NOT IN ('migrations', 'company')
        LOOP
            EXECUTE format('DELETE FROM %s', found.name);
        END LOOP;
    END $$
"""


@dataclass
class EmptiedDatabases:
    """The databases of one test process, by the records of their connections."""

    admin_dsn: str
    free: deque[dict[str, Any]] = field(default_factory=deque)
    connection_ids: set[str] = field(default_factory=set)

    def take(self, company_id: str) -> dict[str, Any] | None:
        """Return the record of a database's connection, emptied for a company; None: make a new one."""
        if len(self.free) < DATABASES:
            return None
        record = self.free.popleft()
        try:
            self._empty(record["connection_id"]["S"], company_id)
        except psycopg.Error:
            return None  # held by a session that a test left open, or dropped by one: it is not used any more
        self.free.append(record)
        return record

    def add(self, record: dict[str, Any]) -> None:
        """Keep a database that was made for a company, by its connection's item in DynamoDB."""
        self.connection_ids.add(record["connection_id"]["S"])
        self.free.append(record)

    def _empty(self, connection_id: str, company_id: str) -> None:
        with psycopg.connect(self.admin_dsn, dbname=f"co_{connection_id}", autocommit=True) as admin:
            roles = [f"co_{connection_id}", f"co_{connection_id}_ro"]
            known = admin.execute("SELECT FROM pg_roles WHERE rolname = ANY(%s)", [roles]).fetchall()
            if len(known) < len(roles):
                raise psycopg.OperationalError("an operator's test has dropped who may connect")
            admin.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            admin.execute(_DROP_TABLES)
            admin.execute("UPDATE managed_tables.company SET company_id = %s", [company_id])


def connection_of(dynamodb: Any, table: str, company_id: str) -> dict[str, Any]:
    """Return the item for a company's connection."""
    key = {"pk": {"S": f"COMPANY#{company_id}"}, "sk": {"S": "CONNECTION"}}
    item: dict[str, Any] = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    return item


def connect(dynamodb: Any, table: str, company_id: str, record: dict[str, Any]) -> None:
    """Give a company without a connection the one in that record."""
    dynamodb.put_item(TableName=table, Item={**record, "pk": {"S": f"COMPANY#{company_id}"}})
