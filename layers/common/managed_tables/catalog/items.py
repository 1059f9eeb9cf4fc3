"""Read and write DynamoDB: plain Python items in and out, its errors translated once."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from managed_tables.errors import CATALOG_UNAVAILABLE, ApiError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UniversalAttributeValueTypeDef as Attribute

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
        self, pk: str, sk_prefix: str = "", *, newest_first: bool = False, page_size: int | None = None
    ) -> Iterator[Item]:
        """Yield every item of the partition whose sort key begins so, through all of DynamoDB's pages.

        Who looks at the first few alone reads no more than pages of `page_size` items.
        """
        begins = {":prefix": sk_prefix} if sk_prefix else {}
        return self._pages(
            self._client.get_paginator("query").paginate,
            KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :prefix)" if begins else ""),
            ExpressionAttributeValues=to_attributes({":pk": pk, **begins}),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": page_size} if page_size else {},
        )

    def query_index(self, index_name: str, key_name: str, key: str) -> Iterator[Item]:
        """Yield the items of one key of an index, the last sort key first; the index may lag behind."""
        return self._pages(
            self._client.get_paginator("query").paginate,
            IndexName=index_name,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": key_name},
            ExpressionAttributeValues=to_attributes({":key": key}),
            ScanIndexForward=False,
        )

    def scan_index(self, index_name: str) -> Iterator[Item]:
        """Yield every item of an index; the index may lag behind."""
        return self._pages(self._client.get_paginator("scan").paginate, IndexName=index_name)

    def scan(self, sk: str) -> Iterator[Item]:
        """Yield every item of this sort key, of all partitions: reads the whole table, for operators only."""
        values = to_attributes({":sk": sk})
        return self._pages(
            self._client.get_paginator("scan").paginate,
            FilterExpression="sk = :sk",
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )

    def _pages(self, paginate: Callable[..., Iterable[Any]], **arguments: Any) -> Iterator[Item]:
        with _translated():
            for page in paginate(TableName=self._table_name, **arguments):
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
        condition: str = "",
        **values: object,
    ) -> Item | None:
        """Update one item, as `update` says, and return all of it then; None where the condition fails."""
        parts = update(key, changes, removals, condition, **values)["Update"]
        try:
            with _translated():
                answer = self._client.update_item(TableName=self._table_name, ReturnValues="ALL_NEW", **parts)
        except ConditionFailed:
            return None
        return from_attributes(answer["Attributes"])

    def remove(self, key: Mapping[str, str], condition: str = "", **values: object) -> None:
        """Delete one item, if it is there; raises ConditionFailed."""
        with _translated():
            self._client.delete_item(TableName=self._table_name, **delete(key, condition, **values)["Delete"])

    def write(self, *writes: Write) -> None:
        """Do all of the writes or none; ConditionFailed says which conditions did not hold."""
        table = {"TableName": self._table_name}
        named = [{action: table | parts for action, parts in write.items()} for write in writes]
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
        self.values: dict[str, Attribute] = {}

    def path(self, path: str) -> str:
        """Return the path with each name replaced by its placeholder."""
        return ".".join(self._name(part) for part in path.split("."))

    def _name(self, part: str) -> str:
        name, bracket, index = part.partition("[")
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = name
        return placeholder + bracket + index

    def clause(self, word: str, changes: Mapping[str, object]) -> str:
        """Return a clause of an update."""
        parts = []
        for path, value in changes.items():
            placeholder = f":v{len(self.values)}"
            self.values[placeholder] = _to_attribute(value)
            parts.append(f"{self.path(path)} {'= ' if word == 'SET' else ''}{placeholder}")
        return f"{word} {', '.join(parts)}"


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
    """Return the update of some attributes of an item.

    Names may be paths (`files[0].size_bytes`) and reserved words. `Added` puts texts into a set of texts,
    `Deleted` takes them out.
    """
    expression = _Expression()
    clauses = ["REMOVE " + ", ".join(map(expression.path, removals))] if removals else []
    of_words: dict[str, dict[str, object]] = {"SET": {}, "ADD": {}, "DELETE": {}}
    for path, value in changes.items():
        word = "ADD" if isinstance(value, Added) else "DELETE" if isinstance(value, Deleted) else "SET"
        of_words[word][path] = value
    clauses += [expression.clause(word, of_word) for word, of_word in of_words.items() if of_word]
    parts = _condition(condition, values)
    for name, found in (("Names", expression.names), ("Values", expression.values)):
        if known := {**parts.get(f"ExpressionAttribute{name}", {}), **found}:
            parts[f"ExpressionAttribute{name}"] = known
    return {"Update": {"Key": to_attributes(key), "UpdateExpression": " ".join(clauses), **parts}}


class Added(frozenset[str]):
    """Texts that an update puts into a set."""


class Deleted(frozenset[str]):
    """Texts that an update takes out of a set."""


def to_attributes(item: Mapping[str, Any]) -> "dict[str, Attribute]":
    """Return the item as DynamoDB writes it."""
    return {name: _to_attribute(value) for name, value in item.items()}


def from_attributes(attributes: Mapping[str, Any]) -> Item:
    """Return the item that DynamoDB wrote so."""
    return {name: _from_attribute(value) for name, value in attributes.items()}


def _to_attribute(value: object) -> "Attribute":
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
