"""Send again what was given up: letters of the dead-letter queue, objects of the inbox that nobody took."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from managed_tables.services import Services
from managed_tables_operations import OperatorError

JOB_TAG = "job-id"  # of an object that was taken
INBOX = "inbox/"
SETTLED_AFTER = timedelta(minutes=15)  # until then its event may be on its way
_BATCH = 10  # what SQS gives at most
_VISIBILITY_SECONDS = 60


def redrive(queue: Any, functions: Any, queue_url: str) -> Iterator[str]:
    """Invoke, for each letter of the queue, its function with its event, and delete it; yield its function.

    A letter whose function does not take it stays, and the error is raised; what is no letter stays, and
    OperatorError says so in the end. `queue` and `functions` are clients of SQS and Lambda.
    """
    asked = {"MaxNumberOfMessages": _BATCH, "VisibilityTimeout": _VISIBILITY_SECONDS}
    unreadable = set()
    while letters := queue.receive_message(QueueUrl=queue_url, **asked).get("Messages"):
        for letter in letters:
            try:
                told = json.loads(letter["Body"])
                function, event = told["requestContext"]["functionArn"], json.dumps(told["requestPayload"])
            except (ValueError, KeyError, TypeError):
                unreadable.add(letter["MessageId"])
                continue
            functions.invoke(FunctionName=function, InvocationType="Event", Payload=event.encode())
            queue.delete_message(QueueUrl=queue_url, ReceiptHandle=letter["ReceiptHandle"])
            yield function
    if unreadable:
        raise OperatorError(f"no letters of a function, left in the queue: {', '.join(sorted(unreadable))}")


def take_inbox_again(
    services: Services, functions: Any, settled_after: timedelta = SETTLED_AFTER
) -> Iterator[str]:
    """Send an event for each object of the inbox that has no job though it is some time old; yield its key.

    Its event may have been lost, or given up longer ago than the queue keeps letters. What was refused is
    refused again, with a line in the log. `functions` is a client of Lambda.
    """
    function, bucket = services.settings.ingest_function, services.settings.bucket_name
    if not function:
        return
    until = datetime.now(UTC) - settled_after
    pages = services.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=INBOX)
    for page in pages:
        for stored in page.get("Contents", []):
            key = stored["Key"]
            if key.endswith("/") or stored["LastModified"] > until or _is_taken(services, key):
                continue
            record = {
                "eventName": "ObjectCreated:Put",
                "eventTime": stored["LastModified"].astimezone(UTC).isoformat(timespec="milliseconds"),
                "s3": {
                    "bucket": {"name": bucket},
                    "object": {
                        "key": quote_plus(key),
                        "size": stored["Size"],
                        "eTag": stored["ETag"].strip('"'),
                    },
                },
            }
            event = json.dumps({"Records": [record]}).encode()
            functions.invoke(FunctionName=function, InvocationType="Event", Payload=event)
            yield key


def _is_taken(services: Services, key: str) -> bool:
    tags = services.s3.get_object_tagging(Bucket=services.settings.bucket_name, Key=key)["TagSet"]
    return any(tag["Key"] == JOB_TAG for tag in tags)
