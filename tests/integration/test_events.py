"""Events on EventBridge when jobs end: at least once, and never affecting the job."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from loading_jobs import JobMaker, column

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.clock import timestamp
from managed_tables.services import Services
from managed_tables_ingest.sweep import sweep_job
from managed_tables_insert.handler import run_job

SCHEMA = [column("n", "integer")]
WAIT_SECONDS = 5


class Listener:
    """A queue that a rule of the bus writes to."""

    def __init__(self, name: str) -> None:
        self._sqs, events = boto3.client("sqs"), boto3.client("events")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["managed-tables"]}))
        target = {"Id": "queue", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, Targets=[target])

    def next(self) -> dict[str, Any]:
        """Return the next event."""
        found = self._sqs.receive_message(QueueUrl=self._url, WaitTimeSeconds=WAIT_SECONDS)
        (message,) = found["Messages"]
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        event: dict[str, Any] = json.loads(message["Body"])
        return event

    def is_empty(self) -> bool:
        return not self._sqs.receive_message(QueueUrl=self._url).get("Messages")


@pytest.fixture
def listener(services: Services) -> Iterator[Listener]:
    """A subscriber to the events."""
    name = services.settings.table_name
    yield Listener(name)
    events = boto3.client("events")
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


@pytest.fixture
def maker(services: Services, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    return JobMaker(services, company, tmp_path)


def test_the_event_of_a_done_job_has_its_counts(maker: JobMaker, listener: Listener) -> None:
    job_id = maker.inserting([["1"], ["2"]], SCHEMA)
    run_job(maker.services, maker.company.company_id, job_id)
    event, job = listener.next(), maker.job(job_id)
    assert (event["source"], event["detail-type"]) == ("managed-tables", "Upload job done")
    assert event["detail"] == {
        "company_id": maker.company.company_id,
        "job_id": job_id,
        "table_id": job.user_table_id,
        "mode": "create",
        "origin": "upload",
        "outcome": "done",
        "error_code": None,
        "counts": {"inserted": 2, "updated": 0, "unchanged": 0, "rejected": 0},
        "created_at": job.created_at,
        "ended_at": job.updated_at,
    }
    run_job(maker.services, maker.company.company_id, job_id)
    assert listener.is_empty()
    assert list(maker.services.jobs.scan_unfinished()) == []


def test_the_event_of_a_failed_job_has_none_of_its_values(maker: JobMaker, listener: Listener) -> None:
    job_id = maker.inserting([["1"]], SCHEMA)
    error = {"code": "X", "message": "valor secreto", "details": [{"value": "secreto"}]}
    maker.services.jobs.fail(maker.job(job_id), error)
    event = listener.next()
    assert event["detail-type"] == "Upload job failed"
    assert (event["detail"]["outcome"], event["detail"]["error_code"]) == ("failed", "X")
    assert event["detail"]["counts"] is None
    assert "secreto" not in json.dumps(event)


def test_an_event_is_sent_later_if_the_bus_is_unreachable(maker: JobMaker, listener: Listener) -> None:
    services = Services(maker.services.settings.model_copy(update={"aws_endpoint_url": "http://127.0.0.1:1"}))
    bus = services.eventbridge
    job_id = maker.inserting([["1"]], SCHEMA)
    maker.services.eventbridge = bus
    assert run_job(maker.services, maker.company.company_id, job_id) == {"outcome": "done"}
    job = maker.job(job_id)
    assert (job.status, job.unannounced) == ("done", True)
    assert sweep_job(maker.services, job, timestamp(), quiet_before="9999") is None
    del maker.services.eventbridge
    assert sweep_job(maker.services, maker.job(job_id), timestamp(), quiet_before="9999") == "told"
    assert listener.next()["detail"]["job_id"] == job_id
    assert not maker.job(job_id).unannounced
    assert list(maker.services.jobs.list_active(maker.company.company_id)) == []
