"""Keep the connections' records, which company has which database, and those of the further clusters.

Of a cluster: where it listens, its administrator's secret, and where new companies go. The default one is the
deployment's own and stands in its settings; the environment of a function would end at some eighteen.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from managed_tables.catalog.items import ConditionFailed, Item, Items, Record, Write, delete, update
from managed_tables.catalog.keys import CONNECTION, PK, SK, company_of, item_key
from managed_tables.clock import timestamp
from managed_tables.settings import DEFAULT_CLUSTER

ConnectionState = Literal["provisioning", "ready"]


@dataclass(frozen=True)
class ConnectionRecord(Record):
    """A company's database."""

    company_id: str
    connection_id: str
    cluster: str
    state: ConnectionState
    schema_version: int  # of our own schema inside it; 0: not made yet
    created_at: str
    reader_generation: int = 0  # how often the read-only role was given another password
    needs_schema: int = 0  # the version that code must know at least to work with it
    secret_generation: int = 0  # of the master secret that both passwords derive from
    generation: int = 0  # of the database: each move and each restore raises it, there and here
    missing_generation: int = 0  # that no cluster has any more: an older copy is there, and out of service


class Connections:
    """The connections' records in the catalog."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, company_id: str) -> ConnectionRecord | None:
        """Return the company's connection, provisioned or on its way there."""
        item = self._items.find(item_key(company_id, CONNECTION))
        return None if item is None else _read(item)

    def all(self) -> Iterator[ConnectionRecord]:
        """Yield every company's connection, by a scan of the whole table."""
        yield from map(_read, self._items.scan(CONNECTION))

    def relocate(self, known: ConnectionRecord, now: ConnectionRecord, *others: Write) -> None:
        """Record on which cluster the database is, in which generation, together with other writes.

        Raises ConditionFailed if it is no longer where it was known to be, or one of the others cannot be.
        """
        changes = {"cluster": now.cluster, "generation": now.generation}
        condition, where = "connection_id = :id AND #cluster = :old", known.cluster
        key = item_key(known.company_id, CONNECTION)
        moved = update(key, changes, ("missing_generation",), condition, id=known.connection_id, old=where)
        self._items.write(moved, *others)

    def miss(self, connection: ConnectionRecord, generation: int) -> None:
        """Record that no cluster has the database in the generation that it is known to be of."""
        self._change(connection, {"missing_generation": generation})

    def renew_secret(self, connection: ConnectionRecord, generation: int) -> None:
        """Record which master secret the passwords derive from; raises ConditionFailed."""
        self._change(connection, {"secret_generation": generation})

    def renew_reader(self, connection: ConnectionRecord) -> ConnectionRecord:
        """Record that the read-only role has another password; raises ConditionFailed if it had meanwhile."""
        renewed = replace(connection, reader_generation=connection.reader_generation + 1)
        unchanged = "reader_generation = :old"
        if not connection.reader_generation:
            unchanged = f"(attribute_not_exists(reader_generation) OR {unchanged})"
        changes = {"reader_generation": renewed.reader_generation}
        self._change(connection, changes, unchanged, old=connection.reader_generation)
        return renewed

    def reserve(
        self, company_id: str, connection_id: str, cluster: str, secret_generation: int = 0
    ) -> ConnectionRecord:
        """Return the company's connection, made of these if it has none yet."""
        connection = ConnectionRecord(
            company_id,
            connection_id,
            cluster,
            state="provisioning",
            schema_version=0,
            created_at=timestamp(),
            secret_generation=secret_generation,
        )
        try:
            self.put(connection, "attribute_not_exists(pk)")
        except ConditionFailed:
            return self.find(company_id) or connection
        return connection

    def put(self, connection: ConnectionRecord, condition: str = "") -> None:
        """Write the whole record; without a condition whatever there was, as a catalog is made again."""
        stored = {name: value for name, value in connection.attributes().items() if name != "company_id"}
        self._items.put({**item_key(connection.company_id, CONNECTION), **stored}, condition)

    def mark_ready(self, connection: ConnectionRecord, schema_version: int, needs_schema: int) -> None:
        """Record that the database is complete, with our own schema at this version."""
        changes = {"state": "ready", "schema_version": schema_version, "needs_schema": needs_schema}
        with suppress(ConditionFailed):  # a newer release has gone further already
            self._change(connection, changes, "schema_version <= :version", version=schema_version)

    def _change(
        self,
        connection: ConnectionRecord,
        changes: Mapping[str, object],
        condition: str = "",
        **values: object,
    ) -> None:
        """Change the record, unless it is another connection's by now; raises ConditionFailed."""
        unchanged = " AND ".join(filter(None, ("connection_id = :id", condition)))
        key = item_key(connection.company_id, CONNECTION)
        self._items.write(update(key, changes, (), unchanged, id=connection.connection_id, **values))


def _read(item: Item) -> ConnectionRecord:
    return ConnectionRecord.read({**item, "company_id": company_of(item)})


_PK = "CLUSTERS"
_PREFIX = "CLUSTER#"
_PLACEMENT = {PK: _PK, SK: "PLACEMENT"}


@dataclass(frozen=True)
class ClusterRecord(Record):
    """A further cluster; `secret_arn` names {"username", "password"} of its administrator."""

    name: str
    host: str
    port: int
    secret_arn: str


class Clusters:
    """The further clusters' records in the catalog."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def get(self, name: str) -> ClusterRecord:
        """Return a further cluster; raises LookupError."""
        item = self._items.find({PK: _PK, SK: f"{_PREFIX}{name}"})
        if item is None:
            raise LookupError(f"no cluster {name} is recorded")
        return ClusterRecord.read(item)

    def names(self) -> Iterator[str]:
        """Yield the name of every cluster, the default one first."""
        yield DEFAULT_CLUSTER
        for item in self._items.query(_PK, _PREFIX):
            yield str(item["name"])

    def put(self, cluster: ClusterRecord) -> None:
        """Record a cluster, or that it has moved."""
        self._items.put({PK: _PK, SK: f"{_PREFIX}{cluster.name}", **cluster.attributes()})

    def remove(self, name: str) -> None:
        """Forget a cluster."""
        self._items.write(delete({PK: _PK, SK: f"{_PREFIX}{name}"}))

    def find_placement(self) -> str:
        """Return the cluster that new companies are placed on."""
        item = self._items.find(_PLACEMENT)
        return DEFAULT_CLUSTER if item is None else str(item["cluster"])

    def place_on(self, name: str) -> None:
        """Have new companies placed on this cluster."""
        self._items.put({**_PLACEMENT, "cluster": name})
