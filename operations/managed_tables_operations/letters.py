"""Send events that were given up to their functions once more."""

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
