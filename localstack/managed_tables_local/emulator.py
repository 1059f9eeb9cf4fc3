"""Run the emulator of AWS: MiniStack in an environment of its own, on a port of 127.0.0.1."""

import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypedDict

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from managed_tables_local.checkout import StackError, tool_environment
from managed_tables_local.processes import LOOPBACK, Background, free_port

REGION = "us-east-1"
PREFERRED_PORT = 4566
_START_ATTEMPTS = 3  # a free port can be taken by another process before the emulator binds it


class ClientArguments(TypedDict):
    """The arguments of `boto3.client`: endpoint, region and credentials."""

    endpoint_url: str
    region_name: str
    aws_access_key_id: str
    aws_secret_access_key: str


@dataclass(frozen=True)
class Emulator:
    """An emulator that runs, or is to run, in `folder`; its administrator's key is made once."""

    folder: str
    port: int
    access_key_id: str
    secret_access_key: str

    @property
    def url(self) -> str:
        """The endpoint of every service."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """The environment of a client of this emulator, and of no other account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def client_arguments(self) -> ClientArguments:
        """What `boto3.client` takes to be a client of this emulator."""
        return {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
        }


def process(folder: Path) -> Background:
    """Return the emulator's process of a stack's folder."""
    return Background("ministack", folder, str(folder))


def start(folder: Path, persistent: bool) -> Emulator:
    """Start the emulator of `folder`, or find it running; a `persistent` one restores its state."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = find(folder)
    if kept and process(folder).pid() is not None and _knows_us(kept)():
        return kept
    stop(folder)
    python = tool_environment("ministack") / "python"
    if kept is None:
        key, secret = f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_hex(20)
        kept = Emulator(str(folder), PREFERRED_PORT, key, secret)
    for attempt in range(1, _START_ATTEMPTS + 1):
        emulator = replace(kept, port=free_port(kept.port))
        # -E: to write no bytecode is for its functions, it would itself compile 2 s long at each start
        command = [python, "-E", Path(__file__).with_name("ministack_main.py"), folder]
        try:
            process(folder).start(command, _environment(emulator, persistent), _knows_us(emulator))
        except StackError:
            if attempt == _START_ATTEMPTS or free_port(emulator.port) == emulator.port:
                raise
            continue
        (folder / "emulator.json").write_text(json.dumps(asdict(emulator)))
        return emulator
    raise AssertionError("unreachable")


def stop(folder: Path) -> None:
    """Stop the emulator of `folder`, and delete what its workers have left on the disk."""
    process(folder).stop()
    delete_in_background(folder, [folder / "tmp"])


def delete_in_background(folder: Path, paths: list[Path]) -> None:
    """Move the paths out of the way and delete them without waiting: thousands of files take minutes.

    What an interrupted deletion has left goes, too.
    """
    if folder.exists():
        gone = Path(tempfile.mkdtemp(prefix="gone-", dir=folder))
        for number, path in enumerate(paths):
            with suppress(FileNotFoundError):
                path.rename(gone / str(number))
        subprocess.Popen(["/bin/rm", "-rf", *folder.glob("gone-*")], start_new_session=True)


def find(folder: Path) -> Emulator | None:
    """Return the emulator that `folder` has had, running or not."""
    kept = folder / "emulator.json"
    return Emulator(**json.loads(kept.read_text())) if kept.exists() else None


def get(folder: Path) -> Emulator:
    """Return the emulator of `folder`; raises StackError if it has had none."""
    emulator = find(folder)
    if emulator is None:
        raise StackError("No stack is up here: run `make up` first")
    return emulator


def _environment(emulator: Emulator, persistent: bool) -> dict[str, str]:
    """Return the whole environment: functions inherit it, so nothing of the developer's own may be in it."""
    folder = Path(emulator.folder)
    for name in ("tmp", "state", "s3"):
        (folder / name).mkdir(exist_ok=True)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(folder / "tmp"),
        "AUTH": "true",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(emulator.port),
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": emulator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": emulator.secret_access_key,
        "PERSIST_STATE": "1" if persistent else "0",
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": "1" if persistent else "0",
        "S3_DATA_DIR": str(folder / "s3"),
        "LOG_LEVEL": "INFO",
        "LAMBDA_WARM_TTL_SECONDS": "3600",  # a cold start is more than a second of a processor here
        # Listeners and a Docker engine that it would use unasked
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
    }


def _knows_us(emulator: Emulator) -> Callable[[], bool]:
    """Return what tells whether it answers and knows our key: another one may have taken the port."""
    impatience = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
    client = boto3.client("sts", config=impatience, **emulator.client_arguments)

    def ask() -> bool:
        try:
            client.get_caller_identity()
        except (BotoCoreError, ClientError):
            return False
        return True

    return ask
