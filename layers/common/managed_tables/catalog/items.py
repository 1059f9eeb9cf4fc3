"""Read and write DynamoDB: plain Python items in and out, its errors translated once."""

import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Self

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
_NAME = re.compile(r"[A-Za-z_]\w*")  # of an attribute, in a path
_RETRIED_BY_US = {
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
    "TransactionInProgress",
}
_UNAVAILABLE = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


@dataclass(frozen=True)
class Record:
    """What an item tells, by the names of its attributes; what is as usual is left out."""

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Return the record, without what a newer release tells more of it while an upgrade goes on."""
        return cls(**{name: item[name] for name in cls.__dataclass_fields__ if item.get(name) is not None})

    def attributes(self) -> Item:
        """Return what an item holds of the record."""
        values = ((one, getattr(self, one.name)) for one in fields(self))
        return {one.name: value for one, value in values if value != one.default}


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
        """Yield every item of the partition whose sort key begins so, read by pages of `page_size` items."""
        begins = {":prefix": sk_prefix} if sk_prefix else {}
        return self._pages(
            "query",
            KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :prefix)" if begins else ""),
            ExpressionAttributeValues=to_attributes({":pk": pk, **begins}),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": page_size} if page_size else {},
        )

    def query_index(self, index_name: str, key_name: str, key: str) -> Iterator[Item]:
        """Yield the items of one key of an index, the last sort key first; the index may lag behind."""
        return self._pages(
            "query",
            IndexName=index_name,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": key_name},
            ExpressionAttributeValues=to_attributes({":key": key}),
            ScanIndexForward=False,
        )

    def scan_index(self, index_name: str) -> Iterator[Item]:
        """Yield every item of an index; the index may lag behind."""
        return self._pages("scan", IndexName=index_name)

    def scan(self, sk: str) -> Iterator[Item]:
        """Yield every item of this sort key, of all partitions: reads the whole table, for operators only."""
        values = to_attributes({":sk": sk})
        return self._pages(
            "scan", FilterExpression="sk = :sk", ExpressionAttributeValues=values, ConsistentRead=True
        )

    def _pages(self, operation: Literal["query", "scan"], **arguments: Any) -> Iterator[Item]:
        with _translated():
            for page in self._client.get_paginator(operation).paginate(
                TableName=self._table_name, **arguments
            ):
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


class _Conflict(ApiError):  # noqa: N818 - an outcome, not a fault
    """CATALOG_UNAVAILABLE: another transaction was on one of the items; nothing was written."""


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
    parts = _condition(condition, values)
    names = parts.setdefault("ExpressionAttributeNames", {})
    attributes = parts.setdefault("ExpressionAttributeValues", {})

    def placeholder(name: re.Match[str]) -> str:
        names[f"#n{len(names)}"] = name[0]
        return f"#n{len(names) - 1}"

    clauses: dict[str, list[str]] = {}
    for path in removals:
        clauses.setdefault("REMOVE", []).append(_NAME.sub(placeholder, path))
    for path, value in changes.items():
        word = _WORDS.get(type(value), "SET")
        equals = " = " if word == "SET" else " "
        held = f":v{len(attributes)}"
        attributes[held] = _to_attribute(value)
        clauses.setdefault(word, []).append(f"{_NAME.sub(placeholder, path)}{equals}{held}")
    expression = " ".join(f"{word} {', '.join(clause)}" for word, clause in clauses.items())
    used = {name: part for name, part in parts.items() if part}  # DynamoDB refuses empty ones
    return {"Update": {"Key": to_attributes(key), "UpdateExpression": expression, **used}}


class Added(frozenset[str]):
    """Texts that an update puts into a set."""


class Deleted(frozenset[str]):
    """Texts that an update takes out of a set."""


_WORDS: dict[type, str] = {Added: "ADD", Deleted: "DELETE"}


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
        case Record():
            return {"M": to_attributes(value.attributes())}
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
    if names := re.findall(r"#(\w+)", condition):
        parts["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    return parts


@contextmanager
def _translated() -> Iterator[None]:
    """Turn botocore's errors into ours: a failed condition, a conflict, or the catalog out of reach."""
    try:
        yield
    except ClientError as error:
        if (outcome := _outcome_of(error)) is None:
            raise
        raise outcome from error
    except BotoCoreError as error:
        raise ApiError(CATALOG_UNAVAILABLE) from error


def _outcome_of(error: ClientError) -> Exception | None:
    code = error.response["Error"]["Code"]
    if code in _UNAVAILABLE:
        return ApiError(CATALOG_UNAVAILABLE)
    alone = [{"Code": code.removesuffix("Exception")}]  # of one write, in a transaction's words
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", alone)]
    failed = frozenset(place for place, reason in enumerate(reasons) if reason == "ConditionalCheckFailed")
    if failed:
        return ConditionFailed(failed)
    return _Conflict(CATALOG_UNAVAILABLE) if _RETRIED_BY_US.intersection(reasons) else None
