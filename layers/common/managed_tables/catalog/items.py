"""Read and write DynamoDB: plain Python items in and out, its errors translated once."""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from managed_tables.errors import CATALOG_UNAVAILABLE, ApiError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

Item = dict[str, Any]
Write = dict[str, Any]

MAX_ITEM_BYTES = 400 * 1024  # DynamoDB's limit
_CONFLICT_ATTEMPTS = 10  # two transactions met on one item: DynamoDB refuses one, which tries again
_CONFLICT_PAUSE_SECONDS = 0.02
_RETRIED_BY_US = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_UNAVAILABLE = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


class ConditionFailed(Exception):  # noqa: N818 - an outcome, not a fault
    """A write's condition did not hold; `failed` are the positions of such writes in the transaction."""

    def __init__(self, failed: frozenset[int] = frozenset({0})) -> None:
        self.failed = failed
        super().__init__(f"condition failed for writes {sorted(failed)}")


class Items:
    """The items of one DynamoDB table, as plain dictionaries; every read is strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def find(self, key: Mapping[str, str]) -> Item | None:
        """Return the item of this key."""
        with _translated():
            answer = self._client.get_item(
                TableName=self._table_name, Key=to_attributes(key), ConsistentRead=True
            )
        found = answer.get("Item")
        return None if found is None else from_attributes(found)

    def query(
        self, pk: str, sk_prefix: str, *, newest_first: bool = False, page_size: int | None = None
    ) -> Iterator[Item]:
        """Yield every item of the partition whose sort key begins so, through all of DynamoDB's pages.

        Who looks at the first few alone reads no more than pages of `page_size` items.
        """
        with _translated():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table_name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=to_attributes({":pk": pk, ":prefix": sk_prefix}),
                ConsistentRead=True,
                ScanIndexForward=not newest_first,
                PaginationConfig={"PageSize": page_size} if page_size else {},
            )
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def partition(self, pk: str) -> Iterator[Item]:
        """Yield every item of the partition."""
        with _translated():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table_name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_attributes({":pk": pk}),
                ConsistentRead=True,
            )
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def query_index(self, index_name: str, key_name: str, key: str) -> Iterator[Item]:
        """Yield the items of one key of an index, the last sort key first; the index may lag behind."""
        with _translated():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table_name,
                IndexName=index_name,
                KeyConditionExpression="#key = :key",
                ExpressionAttributeNames={"#key": key_name},
                ExpressionAttributeValues=to_attributes({":key": key}),
                ScanIndexForward=False,
            )
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def scan_index(self, index_name: str) -> Iterator[Item]:
        """Yield every item of an index; the index may lag behind."""
        with _translated():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table_name, IndexName=index_name
            )
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def scan(self, sk: str) -> Iterator[Item]:
        """Yield every item of this sort key, of all partitions: reads the whole table, for operators only."""
        with _translated():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table_name,
                FilterExpression="sk = :sk",
                ExpressionAttributeValues=to_attributes({":sk": sk}),
                ConsistentRead=True,
            )
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def put(self, item: Mapping[str, Any], condition: str = "", **values: object) -> None:
        """Write one whole item; raises ConditionFailed."""
        with _translated():
            self._client.put_item(TableName=self._table_name, **put(item, condition, **values)["Put"])

    def change(
        self,
        key: Mapping[str, str],
        changes: Mapping[str, object],
        removals: tuple[str, ...] = (),
        additions: Mapping[str, set[str]] = MappingProxyType({}),
        deletions: Mapping[str, set[str]] = MappingProxyType({}),
        condition: str = "",
        **values: object,
    ) -> Item:
        """Update one item and return all of it as it is then; raises ConditionFailed.

        Names may be paths (`files[0].size_bytes`); `additions` puts texts into sets of texts, `deletions`
        takes them out.
        """
        expression = _Expression()
        clauses = []
        if changes:
            settings = (f"{expression.path(p)} = {expression.value(v)}" for p, v in changes.items())
            clauses.append("SET " + ", ".join(settings))
        if removals:
            clauses.append("REMOVE " + ", ".join(expression.path(path) for path in removals))
        if additions:
            added = (f"{expression.path(p)} {expression.value(v)}" for p, v in additions.items())
            clauses.append("ADD " + ", ".join(added))
        if deletions:
            deleted = (f"{expression.path(p)} {expression.value(v)}" for p, v in deletions.items())
            clauses.append("DELETE " + ", ".join(deleted))
        parts = _condition(condition, values)
        parts["ExpressionAttributeNames"] = {**parts.get("ExpressionAttributeNames", {}), **expression.names}
        if expression.values:
            parts["ExpressionAttributeValues"] = {
                **parts.get("ExpressionAttributeValues", {}),
                **to_attributes(expression.values),
            }
        with _translated():
            answer = self._client.update_item(
                TableName=self._table_name,
                Key=to_attributes(key),
                UpdateExpression=" ".join(clauses),
                ReturnValues="ALL_NEW",
                **parts,
            )
        return from_attributes(answer["Attributes"])

    def remove(self, key: Mapping[str, str], condition: str = "", **values: object) -> None:
        """Delete one item, if it is there; raises ConditionFailed."""
        with _translated():
            self._client.delete_item(TableName=self._table_name, **delete(key, condition, **values)["Delete"])

    def write(self, *writes: Write) -> None:
        """Do all of the writes or none; ConditionFailed says which conditions did not hold."""
        named = [_with_table(write, self._table_name) for write in writes]
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                with _translated():
                    self._client.transact_write_items(TransactItems=named)  # type: ignore[arg-type]
            except _Conflict:
                time.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS * 2**attempt))  # noqa: S311 (jitter)
            else:
                return
        raise ApiError(CATALOG_UNAVAILABLE)


class _Expression:
    """Names and values of an update, numbered: any attribute may be a reserved word."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, object] = {}

    def path(self, path: str) -> str:
        """Return the path with each name replaced by its placeholder."""
        return ".".join(self._name(part) for part in path.split("."))

    def _name(self, part: str) -> str:
        name, bracket, index = part.partition("[")
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = name
        return placeholder + bracket + index

    def value(self, value: object) -> str:
        """Return the placeholder of the value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder


class _Conflict(Exception):  # noqa: N818 - an outcome, not a fault
    """Another transaction was on one of the items; nothing was written."""


def put(item: Mapping[str, Any], condition: str = "", **values: object) -> Write:
    """Return the write of a whole item; `values` are the condition's, named without their colon."""
    return {"Put": {"Item": to_attributes(item), **_condition(condition, values)}}


def delete(key: Mapping[str, str], condition: str = "", **values: object) -> Write:
    """Return the deletion of an item; `values` are the condition's, named without their colon."""
    return {"Delete": {"Key": to_attributes(key), **_condition(condition, values)}}


def update(
    key: Mapping[str, str],
    changes: Mapping[str, object],
    removals: tuple[str, ...] = (),
    condition: str = "",
    **values: object,
) -> Write:
    """Return the update of some attributes of an item; attribute names may be reserved words."""
    names = {f"#{name}": name for name in (*changes, *removals)}
    expression = "SET " + ", ".join(f"#{name} = :set_{name}" for name in changes) if changes else ""
    if removals:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removals)
    conditions = _condition(condition, {**values, **{f"set_{name}": changes[name] for name in changes}})
    return {
        "Update": {
            "Key": to_attributes(key),
            "UpdateExpression": expression.strip(),
            "ExpressionAttributeNames": {**names, **conditions.pop("ExpressionAttributeNames", {})},
            **conditions,
        }
    }


def to_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item as DynamoDB writes it."""
    return {name: _to_attribute(value) for name, value in item.items()}


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """Return the item that DynamoDB wrote so."""
    return {name: _from_attribute(value) for name, value in attributes.items()}


def _to_attribute(value: object) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case set() | frozenset():
            return {"SS": sorted(value)}
        case Mapping():
            return {"M": to_attributes(value)}
        case list() | tuple():
            return {"L": [_to_attribute(element) for element in value]}
    raise TypeError(f"no attribute of DynamoDB holds a {type(value).__name__}")


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value)
        case "SS":
            return set(value)
        case "M":
            return from_attributes(value)
        case "L":
            return [_from_attribute(element) for element in value]
    return value


def _condition(condition: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Return the parts of a write that state its condition; a `#name` in it stands for that attribute."""
    parts: dict[str, Any] = {}
    if values:
        parts["ExpressionAttributeValues"] = {f":{name}": _to_attribute(v) for name, v in values.items()}
    if condition:
        parts["ConditionExpression"] = condition
        names = {word for word in condition.replace("(", " ").replace(")", " ").split() if word[0] == "#"}
        if names:
            parts["ExpressionAttributeNames"] = {name: name[1:] for name in names}
    return parts


def _with_table(write: Write, table_name: str) -> Write:
    return {action: {"TableName": table_name, **parts} for action, parts in write.items()}


@contextmanager
def _translated() -> Iterator[None]:
    """Turn botocore's errors into ours: a failed condition, a conflict, or the catalog out of reach."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed from error
        if code == "TransactionCanceledException":
            _raise_cancelled(error)
        if code == "TransactionInProgressException":
            raise _Conflict from error
        if code in _UNAVAILABLE:
            raise ApiError(CATALOG_UNAVAILABLE) from error
        raise
    except BotoCoreError as error:
        raise ApiError(CATALOG_UNAVAILABLE) from error


def _raise_cancelled(error: ClientError) -> None:
    reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
    failed = frozenset(place for place, code in enumerate(reasons) if code == "ConditionalCheckFailed")
    if failed:
        raise ConditionFailed(failed) from error
    if _RETRIED_BY_US & set(reasons):
        raise _Conflict from error
