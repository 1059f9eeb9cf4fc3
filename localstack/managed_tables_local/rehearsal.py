"""Walk the runbooks of incidents against a stack whose PostgreSQL asks for TLS: `make rehearse`.

The commands run in the deployed operator's function, as on AWS, while clients write and read. What only AWS
decides is printed beside each step.
"""

import secrets
import shutil
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme

from managed_tables.settings import PostgresSecret
from managed_tables_command.api import Api, Login, Refused
from managed_tables_command.smoke import Smoke, SmokeError, expect
from managed_tables_local import emulator
from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL, say
from managed_tables_local.deployment import function_name
from managed_tables_local.postgres import ADMIN, EmbeddedPostgres, open_server, remove_server
from managed_tables_local.processes import LOOPBACK
from managed_tables_local.relaying import relayed
from managed_tables_local.stack import make_token
from managed_tables_operations import OperatorError
from managed_tables_operations.__main__ import operate

HOST = "localhost"
LOAD_SECONDS = 20.0
TIMEOUT_SECONDS = 180.0  # a machine of two cores starts each function's process in many seconds
ANA, BIA = "111.444.777-35", "529.982.247-25"


def tls_front(server_port: int, authority: trustme.CA) -> AbstractContextManager[int]:
    """Serve the server on another port, with TLS alone, while the block runs; yield that port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    return relayed(server_port, LOOPBACK, tls=context)


@dataclass(frozen=True)
class Stage:
    """The stack that the runbooks are walked on."""

    folder: Path
    stack: local.Stack
    postgres: EmbeddedPostgres
    parameters: dict[str, str]
    http: httpx.Client
    cleaning: ExitStack

    def operate(self, *arguments: str) -> str:
        """Run an operator's command in the deployed function and return what it prints."""
        emulated = emulator.get(self.folder / "ministack")
        function = f"{function_name(emulated, 'OperatorFunction')}:live"
        said: list[str] = []
        code = operate(function, arguments, tell=said.append, **emulated.client_arguments)
        expect(code == 0, f"{arguments[0]}: {said}")
        return "\n".join(said)

    def company(self) -> tuple[str, Smoke]:
        """Return a new company with its database, and what calls the API for it."""
        company_id = secrets.token_hex(12)
        token = make_token(self.stack, company_id, "managed-tables:*")
        caller = Smoke(Api(Login(self.stack.api_url, token), self.http), f"ensaio_{company_id[:6]}")
        caller.provision()
        return company_id, caller

    def under_load(self, act: Callable[[], str]) -> str:
        """Act while clients write and read; raises SmokeError where one was refused or a row is lost."""
        _, caller = self.company()
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(caller.load, LOAD_SECONDS)
            said = act()
            return f"{said}; meanwhile {loading.result()}"


def run(folder: Path = LOCAL / "rehearsal") -> None:
    """Walk each runbook on a stack of its own; raises SmokeError where one does not lead where it should."""
    with ExitStack() as cleaning:
        cleaning.callback(local.remove, folder)
        stage = cleaning.enter_context(_open_stage(folder))
        for title, walk, aws in (
            ("hotfix while clients write", _hotfix, "the canary, which ReleaseFaultsAlarm takes back"),
            ("rotate the master secret", _rotate, "the right of one role to invoke the function"),
            ("move a company to another cluster", _move, "the security group that lets the functions in"),
            ("erase, then restore", _erase_and_restore, "how long a snapshot takes to become a cluster"),
        ):
            try:
                say(f"ok    {title}: {walk(stage)}\n      AWS alone decides: {aws}")
            except (httpx.HTTPError, OperatorError, Refused) as error:
                raise SmokeError(f"{title}: {error!r}") from error


@contextmanager
def _open_stage(folder: Path) -> Iterator[Stage]:
    postgres = open_server(folder / "postgres")
    postgres.start("fsync=off")
    with tls_front(postgres.port, trustme.CA()) as port, httpx.Client(timeout=TIMEOUT_SECONDS) as http:
        parameters = {"PostgresHost": f"{HOST}:{port}", "PostgresSslMode": "require"}
        stack = local.up(folder, persistent=False, overrides=parameters)
        with ExitStack() as cleaning:
            yield Stage(folder, stack, postgres, parameters, http, cleaning)


def _hotfix(stage: Stage) -> str:
    def deploy() -> str:
        local.up(stage.folder, persistent=False, overrides={**stage.parameters, "JobRetentionDays": "60"})
        return "another version is deployed"

    said = stage.under_load(deploy)
    function = function_name(emulator.get(stage.folder / "ministack"), "ApiFunction")
    pruned = stage.operate("prune-versions", "--function", function, "--keep", "1")
    expect(pruned.endswith("deleted"), f"no old version is deleted: {pruned}")
    return f"{said}; {pruned}"


def _rotate(stage: Stage) -> str:
    return stage.under_load(lambda: stage.operate("rotate-passwords", "--begin").replace("\n", ", "))


def _move(stage: Stage) -> str:
    company_id, caller = stage.company()
    table_id = _people(caller)
    folder = stage.folder / "second"
    second = open_server(folder)
    stage.cleaning.callback(remove_server, folder)
    second.start("fsync=off")
    port = stage.cleaning.enter_context(tls_front(second.port, trustme.CA()))
    secret = PostgresSecret(host=HOST, port=port, username=ADMIN, password=second.password)
    arn = local.keep_secret(emulator.get(stage.folder / "ministack"), "two", secret)
    stage.operate("add-cluster", "--name=two", f"--host={HOST}", f"--port={port}", f"--secret-arn={arn}")
    move = ("move-company", "--company", company_id, "--cluster", "two")
    said = stage.under_load(lambda: stage.operate(*move))
    expect(_names(caller, table_id) == {ANA, BIA}, "the moved company has other rows")
    return said


def _erase_and_restore(stage: Stage) -> str:
    company_id, caller = stage.company()
    gone_id, gone = stage.company()
    table_id = _people(caller)
    _people(gone)
    snapshot = stage.postgres.folder.with_name("snapshot")
    _exchange(stage.postgres, lambda data: shutil.copytree(data, snapshot))
    stage.operate("erase-rows", "--company", company_id, "--column", "cpf", "--value", ANA, "--files")
    stage.operate("erase-company", "--company", gone_id, "--yes")
    expect(_names(caller, table_id) == {BIA}, "the person is still there")
    _exchange(stage.postgres, lambda data: _replace(data, snapshot))
    said = stage.operate("reconcile")
    caller.provision()
    expect(_names(caller, table_id) == {BIA}, "a restore has brought the person back")
    expect(gone.api.send("GET", "").status_code == httpx.codes.CONFLICT or "erased again" in said, said)
    again = stage.operate("reconcile")
    expect(not again, f"a second run finds {again}")
    return f"reconcile: {len(said.splitlines())} findings, then none; erased stays erased"


def _exchange(postgres: EmbeddedPostgres, act: Callable[[Path], object]) -> None:
    """Act on the server's data while it is stopped."""
    postgres.stop()
    act(postgres.folder / "data")
    postgres.start("fsync=off")


def _replace(data: Path, snapshot: Path) -> None:
    owner = data.stat()
    shutil.rmtree(data)
    shutil.copytree(snapshot, data)
    for path in (data, *data.rglob("*")):
        shutil.chown(path, owner.st_uid, owner.st_gid)
    data.chmod(0o700)


def _people(caller: Smoke) -> str:
    column = {"name": "cpf", "display_name": "CPF", "type": "text", "nullable": True}
    made = caller.api.call("POST", "", {"display_name": "pessoas", "columns": [column]})
    caller.api.call("POST", f"/{made['_id']}/data", {"rows": [{"cpf": ANA}, {"cpf": BIA}]})
    return str(made["_id"])


def _names(caller: Smoke, table_id: str) -> set[str]:
    return {row["cpf"] for row in caller.api.call("GET", f"/{table_id}/data")["records"]}
