"""The tour of `make sam-local`: its events and jobs, on the deployed functions and in Lambda's containers."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from managed_tables.services import Services
from managed_tables.settings import load_settings
from managed_tables_local import containers, emulator
from managed_tables_local import stack as local
from managed_tables_local.deployment import function_name
from managed_tables_local.stack import make_token


@pytest.fixture
def environment(stack_file: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = local.serving_environment(stack_file.parent)
    for name, value in found.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # of another test's keys
    return found


def test_the_tours_jobs_run_through_every_handler(stack_file: Path, environment: dict[str, str]) -> None:
    emulated = emulator.find(stack_file.parent / "ministack")
    assert emulated is not None
    functions = boto3.client("lambda", **emulated.client_arguments)

    def invoke(function: str, event: Mapping[str, Any]) -> Any:
        name = f"{function_name(emulated, function)}:live"
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    company_id = secrets.token_hex(12)
    token = make_token(local.load(stack_file), company_id, "managed-tables:*")
    containers.take_tour(invoke, Services(load_settings(environment)), company_id, token)


def _has_engine() -> bool:
    docker = shutil.which("docker")
    return docker is not None and not subprocess.run([docker, "info"], capture_output=True).returncode


@pytest.mark.skipif(not _has_engine(), reason="no container engine runs here")
def test_the_tour_runs_in_containers(stack_file: Path) -> None:
    before = dict(os.environ)
    try:
        containers.run(stack_file.parent, local.load(stack_file))
    finally:
        os.environ.clear()
        os.environ.update(before)
