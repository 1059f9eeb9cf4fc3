"""Owns what a restart of the emulator leaves behind: it ends running executions, unlike AWS.

Their jobs would wait for ever; they end as `failed`, with the sentence of any other fault.
"""

from datetime import UTC, datetime

import boto3

from managed_tables.errors import JOB_FAULT
from managed_tables_local.deployment import Outputs
from managed_tables_local.emulator import Emulator

_INDEX = "active-jobs"


def end_interrupted_jobs(emulator: Emulator, outputs: Outputs) -> None:
    """Mark the jobs failed that are under way although no execution runs for them."""
    tables = boto3.client("dynamodb", **emulator.client_arguments)
    machines = boto3.client("stepfunctions", **emulator.client_arguments)
    running: set[str] = set()
    for listed in machines.get_paginator("list_executions").paginate(
        stateMachineArn=outputs.state_machine_arn, statusFilter="RUNNING"
    ):
        running |= {execution["name"] for execution in listed["executions"]}
    for page in tables.get_paginator("scan").paginate(TableName=outputs.table_name, IndexName=_INDEX):
        for item in page["Items"]:
            status = item["status"]["S"]
            if status != "queued" and item["sk"]["S"].removeprefix("JOB#") not in running:
                _fail(emulator, outputs.table_name, item["pk"]["S"], item["sk"]["S"], status)


def _fail(emulator: Emulator, table: str, pk: str, sk: str, status: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tables = boto3.client("dynamodb", **emulator.client_arguments)
    try:
        tables.update_item(
            TableName=table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression="SET #status = :failed, #error = :error, updated_at = :now"
            " REMOVE active_pk, task_token, progress",
            ConditionExpression="#status = :status",
            ExpressionAttributeNames={"#status": "status", "#error": "error"},
            ExpressionAttributeValues={
                ":failed": {"S": "failed"},
                ":error": {
                    "M": {
                        "code": {"S": JOB_FAULT.code},
                        "message": {"S": JOB_FAULT.sentence},
                        "details": {"L": []},
                    }
                },
                ":now": {"S": now},
                ":status": {"S": status},
            },
        )
    except tables.exceptions.ConditionalCheckFailedException:
        return  # it has moved on meanwhile
