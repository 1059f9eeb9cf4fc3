"""`make smoke`, on the stack under test: what must hold on AWS holds here, and failures are found."""

import json
from functools import partial
from pathlib import Path

import httpx
import pytest
from client import Console, Stack, open_storage

from managed_tables_command import smoke as module
from managed_tables_command.api import Api, Login
from managed_tables_command.smoke import Smoke, run


@pytest.mark.flow
def test_a_working_deployment_passes_and_nothing_is_left(
    console: Console, stack_file: Path, http: httpx.Client
) -> None:
    facts = json.loads(stack_file.read_text())
    smoke = Smoke(Api(Login(console.base_url, console.token()), http), "fumaca_teste")
    inbox = partial(smoke.inbox, open_storage(facts), facts["bucket_name"], console.company_id)
    assert run(smoke, 1.0, inbox) == []
    assert console.ok("GET")["records"] == []


def test_failures_are_reported(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMOKE_TOKEN", "none")
    monkeypatch.setattr(module, "WAKING_LIMIT_SECONDS", 0)
    assert module.main(["--api", stack.api_url, "--seconds", "0"]) == 1
