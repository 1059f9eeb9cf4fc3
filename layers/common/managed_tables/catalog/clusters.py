"""Keep the further PostgreSQL clusters: where each listens, its administrator's secret, where companies go.

The default cluster is the deployment's own and stands in its settings. A table of them has no end; the
environment of a function ended at some eighteen.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from managed_tables.catalog.items import Items
from managed_tables.catalog.keys import PK, SK
from managed_tables.settings import DEFAULT_CLUSTER

_PK = "CLUSTERS"
_PREFIX = "CLUSTER#"
_PLACEMENT = {PK: _PK, SK: "PLACEMENT"}


@dataclass(frozen=True)
class ClusterRecord:
    """A further cluster; `secret_arn` names {"username", "password"} of its administrator."""

    name: str
    host: str
    port: int
    secret_arn: str


class Clusters:
    """The further clusters' records in the catalog."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, name: str) -> ClusterRecord | None:
        """Return a further cluster."""
        item = self._items.find({PK: _PK, SK: f"{_PREFIX}{name}"})
        return (
            None
            if item is None
            else ClusterRecord(**{key: item[key] for key in ClusterRecord.__annotations__})
        )

    def names(self) -> Iterator[str]:
        """Yield the name of every cluster, the default one first."""
        yield DEFAULT_CLUSTER
        for item in self._items.query(_PK, _PREFIX):
            yield str(item["name"])

    def put(self, cluster: ClusterRecord) -> None:
        """Record a cluster, or that it has moved."""
        self._items.put({PK: _PK, SK: f"{_PREFIX}{cluster.name}", **asdict(cluster)})

    def find_placement(self) -> str:
        """Return the cluster that new companies are placed on."""
        item = self._items.find(_PLACEMENT)
        return DEFAULT_CLUSTER if item is None else str(item["cluster"])

    def place_on(self, name: str) -> None:
        """Have new companies placed on this cluster."""
        self._items.put({**_PLACEMENT, "cluster": name})
