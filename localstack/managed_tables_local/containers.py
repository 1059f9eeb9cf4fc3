"""Run the functions of the running stack in real Lambda containers by `sam local`: on an event, or the API.

The containers reach the stack under `host.docker.internal`. Docker Desktop has that name for the loopback;
on Linux it is the bridge's address, from which the two ports are relayed while a command runs.
"""

import json
import os
import platform
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from managed_tables.catalog.job_records import Intake, new_job
from managed_tables.ids import NOBODY, new_record_id
from managed_tables.object_keys import job_prefixes
from managed_tables.services import Services
from managed_tables.settings import load_settings
from managed_tables.uploads import OfferedFile
from managed_tables_local import deployment, emulator
from managed_tables_local.checkout import (
    LOCAL,
    ROOT,
    StackError,
    exclusive,
    fingerprint,
    say,
    step,
    tool_environment,
)
from managed_tables_local.demo import SAMPLE
from managed_tables_local.emulator import Emulator
from managed_tables_local.processes import LOOPBACK, free_port
from managed_tables_local.relaying import relayed
from managed_tables_local.stack import Stack, make_token, serving_environment

RUNTIME = "python3.13"  # template.yaml's default
HOST = "host.docker.internal"
API_PORT = 3000
FUNCTIONS = tuple(  # in the order of a job; each has an event in events/
    f"{name}Function" for name in ("Provision", "Api", "Ingest", "Analyze", "Insert", "Export", "Sweep")
)
PARAMETERS = deployment.function_parameters(RUNTIME)
_FOLDER = LOCAL / "sam-local"
_HELP = "docs: localstack/README.md, under sam local"


@dataclass(frozen=True)
class Containers:
    """The functions, built for Lambda's own Python, with the environment of a running stack."""

    emulator: Emulator

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Run one function on one event in a container of its own and print its answer."""
        event_file = _FOLDER / f"{function}.json"
        event_file.write_text(json.dumps(event))
        say(f"\n==> sam local invoke {function}")
        done = subprocess.run(
            self._command("invoke", function, "--event", event_file),
            env=self._environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"sam local invoke {function} failed ({done.returncode})")
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        say(f"{json.dumps(answer, ensure_ascii=False)[:1_000]}")
        if isinstance(answer, dict) and "errorType" in answer:
            raise StackError(f"{function} raised {answer['errorType']}")

    @contextmanager
    def api(self) -> Iterator[str]:
        """Serve the API on 127.0.0.1, each request in a container; yield its base URL."""
        port = free_port(API_PORT)
        command = self._command("start-api", "--host", LOOPBACK, "--port", port)
        process = subprocess.Popen(command, env=self._environment(), cwd=ROOT)
        try:
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.terminate()
            process.wait(60)

    def _command(self, *arguments: object) -> list[str]:
        parameters = [f"{name}={value}" for name, value in PARAMETERS.items()]
        command = [
            tool_environment("sam") / "sam", "local", *arguments,
            "--template", _FOLDER / "build" / "template.yaml",
            "--env-vars", _FOLDER / "env.json",
            "--add-host", f"{HOST}:host-gateway",
            "--skip-pull-image",
            "--parameter-overrides", *parameters,
        ]  # fmt: skip
        return [str(part) for part in command]

    def _environment(self) -> dict[str, str]:
        """Return that of sam, which hands its AWS keys to the functions."""
        kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
        keys = {k: v for k, v in self.emulator.credentials.items() if k != "AWS_ENDPOINT_URL"}
        return {**kept, **keys, "HOME": str(_FOLDER), "LANG": "C.UTF-8", "SAM_CLI_TELEMETRY": "0"}


@contextmanager
def open_containers(folder: Path, stack: Stack) -> Iterator[Containers]:
    """Build the functions for Lambda and let containers reach the stack while the block runs."""
    emulated = emulator.get(folder / "ministack")
    _check_docker()
    _build()
    postgres_port = urlsplit(stack.postgres_admin_dsn).port or 5432
    _write_environment(emulated, postgres_port)
    with _reachable([emulated.port, postgres_port]):
        yield Containers(emulated)


def _check_docker() -> None:
    """Raise StackError unless Docker runs and has Lambda's image, pulled where that is possible."""
    if _docker("info").returncode:
        raise StackError(f"Docker is not running ({_HELP})")
    image = f"public.ecr.aws/lambda/python:{RUNTIME.removeprefix('python')}-{PARAMETERS['Architecture']}"
    if _docker("image", "inspect", image).returncode:
        with step(f"pulling {image}"):
            if _docker("pull", image).returncode:
                raise StackError(f"{image} cannot be pulled: make it ({_HELP})")


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise StackError(f"Docker is not installed ({_HELP})") from None


def _build() -> None:
    """Run `sam build` for Lambda's Python, unless the last one was of the same sources."""
    mark = _FOLDER / "fingerprint"
    wanted = fingerprint()
    with exclusive(LOCAL / "sam-local.lock"):
        if mark.exists() and mark.read_text() == wanted:
            return
        _FOLDER.mkdir(parents=True, exist_ok=True)
        built_for = {"ARTEFACT_RUNTIME": RUNTIME, "ARTEFACT_ARCHITECTURE": PARAMETERS["Architecture"]}
        with step(f"sam build for {RUNTIME} on {PARAMETERS['Architecture']}"):
            deployment.run_sam(["build", "--build-dir", _FOLDER / "build"], PARAMETERS, built_for)
        template = _FOLDER / "build" / "template.yaml"
        head, globals_, rest = template.read_text().partition("\nGlobals:\n")
        place = "      Variables:\n"  # sam passes no address that the template does not declare
        declared = rest.replace(place, f"{place}        AWS_ENDPOINT_URL: ''\n", 1)
        template.write_text(head + globals_ + declared)
        mark.write_text(wanted)


def _write_environment(emulated: Emulator, postgres_port: int) -> None:
    """Fill localstack/env.json in from the deployed functions, with addresses as containers see them."""
    values = {
        **deployment.read_environment(emulated, "ProvisionFunction"),
        **deployment.read_environment(emulated, "ApiFunction"),
        "AWS_ENDPOINT_URL": emulated.url.replace(LOOPBACK, HOST),
        "POSTGRES_HOST": f"{HOST}:{postgres_port}",
    }
    text = (ROOT / "localstack" / "env.json").read_text()
    (_FOLDER / "env.json").write_text(Template(text).substitute(values))


@contextmanager
def _reachable(ports: list[int]) -> Iterator[None]:
    """Relay the ports of an address that only containers reach to the loopback."""
    gateway = _docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    on_linux = platform.system() == "Linux"  # elsewhere Docker runs in a machine that sees this loopback
    with ExitStack() as relays:
        for port in ports if on_linux else ():
            relays.enter_context(relayed(port, gateway.stdout.strip(), port))
        yield


def run(folder: Path, stack: Stack, functions: Sequence[str], given: Mapping[str, str]) -> None:
    """Invoke each function on its event; raises StackError where one fails, or none has a whole event."""
    environment = serving_environment(folder)
    os.environ.update({name: value for name, value in environment.items() if name.startswith("AWS_")})
    with open_containers(folder, stack) as containers:
        events = fill_in_events(stack, Services(load_settings(environment)), functions, given)
        if not events:
            raise StackError(f"there is nothing to invoke ({_HELP})")
        for function, event in events.items():
            containers.invoke(function, event)


def fill_in_events(
    stack: Stack, services: Services, functions: Sequence[str], given: Mapping[str, str]
) -> dict[str, Any]:
    """Return the events of events/ by function; one that lacks a value is left out, and that is said.

    Without a company given, they are of a new one, which gets a file in the inbox, and a job that no deployed
    function takes: its file has a name that no upload has, so an event of the bucket starts nothing.
    """
    company_id = given.get("company_id", secrets.token_hex(12))
    token = make_token(stack, company_id, "managed-tables:*")
    call = {"token": token, "method": "GET", "path": "", "bucket": stack.bucket_name}
    prepared = {} if "company_id" in given else _prepare(services, company_id)
    values = {"company_id": company_id, **call, **prepared, **given}
    events = {}
    for function in functions:
        file = ROOT / "events" / f"{function.removesuffix('Function').lower()}.json"
        template = Template(file.read_text())
        missing = sorted(set(template.get_identifiers()) - values.keys())
        if missing:
            say(f"==> {function} is left out, its event lacks {', '.join(missing)} ({_HELP})")
        else:
            events[function] = json.loads(template.substitute(values))
    return events


def _prepare(services: Services, company_id: str) -> dict[str, object]:
    """Put the sample into the inbox, record a job that has it, too, and return what events name of both."""
    content, intake = SAMPLE.read_bytes(), Intake("vendas", auto_confirm=True)
    job_id, file = new_record_id(), OfferedFile(SAMPLE.name, len(content))
    expires_seconds = services.settings.upload_expires_seconds
    made = new_job(company_id, job_id, NOBODY, "create", None, [file], expires_seconds, intake=intake)
    job_file = replace(made.files[0], storage_path=job_prefixes(company_id, job_id)[0] + SAMPLE.name)
    key = f"inbox/{company_id}/{SAMPLE.name}"
    for place in (key, job_file.storage_path):
        stored = services.s3.put_object(Bucket=services.settings.bucket_name, Key=place, Body=content)
    services.jobs.create(replace(made, files=(job_file,)))
    etag = stored["ETag"].strip('"')
    return {"key": key, "size_bytes": len(content), "etag": etag, "job_id": job_id}
