"""Run the functions of the running stack in real Lambda containers by `sam local`: each once, or the API.

The containers reach the stack under `host.docker.internal`. Docker Desktop has that name for the loopback;
on Linux it is the bridge's address, from which the two ports are relayed while a command runs.

The tour of `make sam-local` takes work that no deployed function takes: its files have names that no upload
has, so an event of the bucket starts nothing, and only the tour moves a job.
"""

import hashlib
import json
import os
import platform
import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import httpx

from managed_tables import API_PREFIX
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.job_records import Intake, JobRecord, new_job
from managed_tables.exports import ExportRequest, new_export
from managed_tables.ids import NOBODY, new_record_id
from managed_tables.object_keys import job_prefixes
from managed_tables.services import Services
from managed_tables.settings import load_settings
from managed_tables.uploads import OfferedFile
from managed_tables_command.api import Api, Login
from managed_tables_ingest.handler import read_arrivals
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
EVENTS = ROOT / "events"
PARAMETERS = deployment.function_parameters(RUNTIME)
_FOLDER = LOCAL / "sam-local"
_HELP = "docs: localstack/README.md, under sam local"
Invoke = Callable[[str, Mapping[str, Any]], Any]  # a function's logical id and its event in, its answer out


@dataclass(frozen=True)
class Containers:
    """The functions, built for Lambda's own Python, with the environment of a running stack."""

    emulator: Emulator

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Run one function on one event in a container of its own; return its answer."""
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
        return answer

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


def read_event(name: str, **values: object) -> Any:
    """Return an event of events/, its `$` names filled in."""
    return json.loads(Template((EVENTS / f"{name}.json").read_text()).substitute(values))


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


def run(folder: Path, stack: Stack) -> None:
    """Invoke each function, then serve the API and call it; raises StackError where one fails."""
    environment = serving_environment(folder)
    os.environ.update({name: value for name, value in environment.items() if name.startswith("AWS_")})
    company_id = secrets.token_hex(12)
    token = make_token(stack, company_id, "managed-tables:*")
    with open_containers(folder, stack) as containers:
        take_tour(containers.invoke, Services(load_settings(environment)), company_id, token)
        _call_api(containers, token)
    say("\n==> every function has run in a container")


def take_tour(invoke: Invoke, services: Services, company_id: str, token: str) -> None:
    """Take a file through every function; raises StackError where one does not do its part."""
    answer = invoke("ProvisionFunction", read_event("provision", company_id=company_id))
    _expect("connection" in answer, "ProvisionFunction makes a database")
    answer = invoke("ApiFunction", read_event("api", token=token, method="POST", path="/provision"))
    _expect(answer["statusCode"] == 200, "ApiFunction answers its connection")
    _ingest(invoke, services, company_id)
    job = _queue(services, company_id)
    ids = {"company_id": company_id, "job_id": job.job_id}
    answer = invoke("AnalyzeFunction", read_event("analyze", **ids))
    _expect(answer["outcome"] == "analyzed", "AnalyzeFunction reads the sample")
    answer = invoke("InsertFunction", read_event("insert", **ids))
    _expect(answer["outcome"] == "done", "InsertFunction loads it")
    export = queue_export(services, company_id, job.job_id)
    answer = invoke("ExportFunction", read_event("export", company_id=company_id, export_id=export.export_id))
    _expect(answer["outcome"] == "done", "ExportFunction writes it as Parquet")
    swept = invoke("SweepFunction", read_event("sweep"))
    _expect(isinstance(swept, dict), "SweepFunction sweeps")


def _ingest(invoke: Invoke, services: Services, company_id: str) -> None:
    """Tell the function of an object of the inbox: the job that comes of it has the event's own id."""
    content, key = SAMPLE.read_bytes(), f"inbox/{company_id}/vendas.csv"
    bucket = services.settings.bucket_name
    services.s3.put_object(Bucket=bucket, Key=key, Body=content)
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    event = read_event("ingest", bucket=bucket, key=key, size_bytes=len(content), etag=etag)
    invoke("IngestFunction", event)
    (arrival,) = read_arrivals(event)
    job = services.jobs.find(company_id, arrival.event_id)
    _expect(job is not None, "IngestFunction makes a job of an object of the inbox")


def _queue(services: Services, company_id: str) -> JobRecord:
    """Record a job with its file, without an event of the bucket."""
    content, intake = SAMPLE.read_bytes(), Intake("vendas", auto_confirm=True)
    file = OfferedFile(SAMPLE.name, len(content))
    expires_seconds, job_id = services.settings.upload_expires_seconds, new_record_id()
    made = new_job(company_id, job_id, NOBODY, "create", None, [file], expires_seconds, intake=intake)
    key = f"{job_prefixes(company_id, job_id)[0]}{SAMPLE.name}"
    job = replace(made, files=(replace(made.files[0], storage_path=key),))
    services.s3.put_object(Bucket=services.settings.bucket_name, Key=key, Body=content)
    services.jobs.create(job)
    return job


def queue_export(services: Services, company_id: str, job_id: str) -> ExportRecord:
    """Record an export of the table that a job has made, without an execution."""
    job = services.jobs.find(company_id, job_id)
    table = services.tables.find(company_id, job.user_table_id or "") if job else None
    if table is None:
        raise StackError(f"job {job_id} has made no table")
    request = ExportRequest(format="parquet")
    export = new_export(company_id, NOBODY, table, request, services.settings.zone)
    services.storage.put_json(export.request_key, asdict(request))
    services.exports.create(export)
    return export


def _call_api(containers: Containers, token: str) -> None:
    transport = httpx.HTTPTransport(retries=8)  # of connecting, with growing pauses, while sam starts
    with (
        containers.api() as url,
        Api(Login(url, token), httpx.Client(transport=transport, timeout=120)) as api,
    ):
        say(f"\n==> sam local start-api: GET {url}{API_PREFIX}")
        table = next(api.tables())
    say(f"    {table['display_name']}: {table['row_count']} rows")
    _expect(table["row_count"] == 2_500, "the API served by sam lists the table")


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise StackError(f"it does not hold that {what}")
    say(f"    {what}")
