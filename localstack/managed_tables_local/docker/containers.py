"""Run the functions of the running stack in real Lambda containers by `sam local`.

The containers reach the stack under `host.docker.internal`. Docker Desktop has that name for the loopback;
on Linux it is the bridge's address, from which the two ports are relayed while a command runs.
"""

import asyncio
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from managed_tables_local.checkout import LOCAL, ROOT, exclusive, fingerprint, tool_environment
from managed_tables_local.deployed import deployment, emulator
from managed_tables_local.deployed.emulator import Emulator
from managed_tables_local.ports import LOOPBACK, free_port
from managed_tables_local.progress import say, step
from managed_tables_local.stack import Stack
from managed_tables_operations.relaying import relayed

RUNTIME = "python3.13"  # template.yaml's default
HOST = "host.docker.internal"
API_PORT = 3000
EVENTS = ROOT / "events"
PARAMETERS = deployment.function_parameters(RUNTIME)
_FOLDER = LOCAL / "sam-local"
_HELP = "docs: localstack/README.md, under sam local"


class ContainerError(RuntimeError):
    """Docker, the image or a function failed; the message says which."""


@dataclass(frozen=True)
class Containers:
    """The functions, built for Lambda's own Python, with the environment of a running stack."""

    stack: Stack
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
            raise ContainerError(f"sam local invoke {function} failed ({done.returncode})")
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        say(f"{json.dumps(answer, ensure_ascii=False)[:1_000]}")
        if isinstance(answer, dict) and "errorType" in answer:
            raise ContainerError(f"{function} raised {answer['errorType']}")
        return answer

    @contextmanager
    def api(self, port: int = API_PORT) -> Iterator[str]:
        """Serve the API on 127.0.0.1, each request in a container; yield its base URL."""
        port = free_port(port)
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
    emulated = emulator.find(folder / "ministack")
    if emulated is None:
        raise ContainerError("No stack is up here: run `make up` first")
    _check_docker()
    _build()
    postgres_port = urlsplit(stack.postgres_admin_dsn).port or 5432
    _write_environment(emulated, postgres_port)
    with _reachable([emulated.port, postgres_port]):
        yield Containers(stack, emulated)


def read_event(name: str, **values: object) -> Any:
    """Return an event of events/, its `$` names filled in."""
    return json.loads(Template((EVENTS / f"{name}.json").read_text()).substitute(values))


def _check_docker() -> None:
    """Raise ContainerError unless Docker runs and has Lambda's image, pulled where that is possible."""
    if _docker("info").returncode:
        raise ContainerError(f"Docker is not running ({_HELP})")
    image = f"public.ecr.aws/lambda/python:{RUNTIME.removeprefix('python')}-{PARAMETERS['Architecture']}"
    if _docker("image", "inspect", image).returncode:
        with step(f"pulling {image}"):
            if _docker("pull", image).returncode:
                raise ContainerError(f"{image} cannot be pulled: make it ({_HELP})")


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ContainerError(f"Docker is not installed ({_HELP})") from None


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
        _declare_endpoint(_FOLDER / "build" / "template.yaml")
        mark.write_text(wanted)


def _declare_endpoint(template: Path) -> None:
    """Declare the emulator's address, since sam passes only what the template declares."""
    head, globals_, rest = template.read_text().partition("\nGlobals:\n")
    place = "      Variables:\n"
    template.write_text(head + globals_ + rest.replace(place, f"{place}        AWS_ENDPOINT_URL: ''\n", 1))


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
    gateway = _docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    on_linux = platform.system() == "Linux"  # elsewhere Docker runs in a machine that sees this loopback
    with ExitStack() as relays:
        for port in ports if on_linux else ():
            relays.enter_context(_relayed(gateway.stdout.strip(), port))
        yield


def _relayed(address: str, port: int) -> AbstractContextManager[object]:
    """Relay a port of `address`, which only containers reach, to the loopback."""
    return relayed(
        lambda accept: asyncio.start_server(accept, address, port),
        lambda _reader, _writer: asyncio.open_connection(LOOPBACK, port),
    )
