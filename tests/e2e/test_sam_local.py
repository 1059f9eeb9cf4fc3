"""The events of `make sam-local`, on the deployed functions and in Lambda's containers."""

import json
import shutil
import subprocess
from pathlib import Path

import boto3
import pytest

from managed_tables.services import Services
from managed_tables.settings import load_settings
from managed_tables_ingest.handler import read_arrivals
from managed_tables_local import containers, emulator
from managed_tables_local.deployment import function_name
from managed_tables_local.stack import load, serving_environment


@pytest.fixture
def services(stack_file: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    found = serving_environment(stack_file.parent)
    for name, value in found.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # of another test's keys
    return Services(load_settings(found))


def test_events_run_through_every_handler(stack_file: Path, services: Services) -> None:
    """Each function does its part with the event that `make sam-local` fills in, in turn."""
    emulated = emulator.get(stack_file.parent / "ministack")
    functions = boto3.client("lambda", **emulated.client_arguments)
    events = containers.fill_in_events(load(stack_file), services, containers.FUNCTIONS, {})
    answers = {}
    for function, event in events.items():
        name = f"{function_name(emulated, function)}:live"
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        answers[function] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, answers[function]
    assert events.keys() == {*containers.FUNCTIONS} - {"ExportFunction"}
    assert answers["ApiFunction"]["statusCode"] == 200
    (arrival,) = read_arrivals(events["IngestFunction"])
    assert services.jobs.find(events["InsertFunction"]["company_id"], arrival.event_id)
    assert answers["InsertFunction"]["outcome"] == "done"  # in the provisioned database, what was analysed


def test_an_event_is_filled_in_with_what_is_given(stack_file: Path, services: Services) -> None:
    """A company that is given gets no job: what else an event needs is given too, or it is left out."""
    ids = {"company_id": "1" * 24, "export_id": "2" * 24}
    events = containers.fill_in_events(load(stack_file), services, ["ExportFunction", "InsertFunction"], ids)
    assert events == {"ExportFunction": ids}


def _has_engine() -> bool:
    docker = shutil.which("docker")
    return docker is not None and not subprocess.run([docker, "info"], capture_output=True).returncode


@pytest.mark.usefixtures("services")  # which keeps what the run sets in the environment from other tests
@pytest.mark.skipif(not _has_engine(), reason="no container engine runs here")
def test_events_run_in_containers(stack_file: Path) -> None:
    containers.run(stack_file.parent, load(stack_file), containers.FUNCTIONS, {})
