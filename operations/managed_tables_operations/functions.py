"""Keep the functions in order: what they gave up is tried again, what they were is deleted."""

import json
from collections.abc import Iterator
from typing import Any

BATCH = 10  # what SQS gives at most
VISIBILITY_SECONDS = 60


def redrive(queue: Any, functions: Any, queue_url: str) -> Iterator[str]:
    """Invoke, for each letter of the queue, its function with its event, and delete it; yield its function.

    A letter whose function does not take it stays, and the error is raised. `queue` and `functions` are
    clients of SQS and Lambda.
    """
    asked = {"MaxNumberOfMessages": BATCH, "VisibilityTimeout": VISIBILITY_SECONDS}
    while letters := queue.receive_message(QueueUrl=queue_url, **asked).get("Messages"):
        for letter in letters:
            told = json.loads(letter["Body"])
            function = str(told["requestContext"]["functionArn"])
            event = json.dumps(told["requestPayload"]).encode()
            functions.invoke(FunctionName=function, InvocationType="Event", Payload=event)
            queue.delete_message(QueueUrl=queue_url, ReceiptHandle=letter["ReceiptHandle"])
            yield function


def prune_versions(functions: Any, function: str, keep: int) -> Iterator[str]:
    """Delete all but the newest `keep` published versions and those that an alias names; yield each deleted.

    With SnapStart each one that is kept is billed, some 4 USD a month. `functions` is Lambda's client.
    CodeDeploy's weights count as names of an alias.
    """
    used: set[str] = set()
    for page in functions.get_paginator("list_aliases").paginate(FunctionName=function):
        for alias in page["Aliases"]:
            used |= {
                alias["FunctionVersion"],
                *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
            }
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = sorted(
        int(each["Version"]) for page in pages for each in page["Versions"] if each["Version"] != "$LATEST"
    )
    for version in map(str, numbers[: -keep or None]):
        if version not in used:
            # By one name: the role may delete `NAME:…`, and never the function.
            functions.delete_function(FunctionName=f"{function}:{version}")
            yield version
