"""Bring up the local stack of one folder: PostgreSQL, emulator, deployment, ASGI server, stack.json."""

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import boto3
import jwt

from managed_tables.ids import NOBODY
from managed_tables.settings import PostgresSecret
from managed_tables_local import deployment, emulator, page, server
from managed_tables_local.checkout import StackError, exclusive, fingerprint, say, step
from managed_tables_local.deployment import Outputs
from managed_tables_local.emulator import REGION, Emulator
from managed_tables_local.page import build_page
from managed_tables_local.postgres import ADMIN, open_server, remove_server
from managed_tables_local.processes import LOOPBACK

ISSUER = "managed-tables-local"
AUDIENCE = "managed-tables"
POSTGRES_PREFERRED_PORT = 54_329


@dataclass(frozen=True)
class Stack:
    """What a client of the running stack needs; the fields are those of stack.json."""

    api_url: str
    serve_url: str
    jwt_secret: str
    issuer: str
    audience: str
    aws_endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    postgres_admin_dsn: str
    table_name: str
    bucket_name: str
    state_machine_arn: str
    console_url: str | None = None  # of a stack whose page is served, too


def load(file: Path) -> Stack:
    """Read a stack.json; raise FileNotFoundError if there is none."""
    return Stack(**json.loads(file.read_text()))


def save(stack: Stack, file: Path) -> None:
    """Write a stack.json, as a whole: others may read it meanwhile."""
    written = file.with_name(f"{file.name}.new")
    written.write_text(json.dumps(asdict(stack), indent=2) + "\n")
    written.replace(file)


def up(
    folder: Path,
    *,
    persistent: bool = True,
    console: bool = False,
    overrides: dict[str, str] | None = None,
) -> Stack:
    """Bring the stack of `folder` up, or find it up, and write its stack.json.

    A stack that is not `persistent` keeps nothing when it stops, and is quicker; it prefers no port, since
    several of them may start at once. With `console` the page is built and served, too. `overrides` are
    template parameters.
    """
    folder = folder.resolve()
    with exclusive(folder / "stack.lock"), ThreadPoolExecutor() as aside:
        page_built = aside.submit(build_page) if console else None  # as long as a deployment takes
        built = aside.submit(deployment.build)
        emulating = aside.submit(emulator.start, folder / "ministack", persistent)
        with step("PostgreSQL"):
            postgres = open_server(folder / "postgres", POSTGRES_PREFERRED_PORT if persistent else 0)
            postgres.start(*([] if persistent else ["fsync=off"]))
        emulated = emulating.result()
        place = PostgresSecret(host=LOOPBACK, port=postgres.port, username=ADMIN, password=postgres.password)
        wanted = {**parameters(emulated, place), **(overrides or {})}
        built.result()
        outputs = deployment.deploy(emulated, wanted, folder / "deployed.json")
        page_served = None
        if page_built:
            page_served = aside.submit(_serve_page, folder, page_built, emulated, outputs, persistent)
        with step("ASGI server for large uploads"):
            api = server.api(folder, server.PREFERRED_PORT if persistent else 0)
            serve_url = api.start(serving_environment(folder), fingerprint())
        stack = describe(place, emulated, outputs, serve_url, page_served.result() if page_served else None)
        save(stack, folder / "stack.json")
    return stack


def down(folder: Path) -> None:
    """Stop everything of `folder`; its data stays."""
    folder = folder.resolve()
    with exclusive(folder / "stack.lock"):
        (folder / "stack.json").unlink(missing_ok=True)
        with step("stopping the stack"):
            page.server(folder).process.stop()
            server.api(folder).process.stop()
            emulator.stop(folder / "ministack")
            if (folder / "postgres").exists():
                open_server(folder / "postgres").stop()


def remove(folder: Path) -> None:
    """Stop everything of `folder` and have its data deleted."""
    remove_server(folder / "postgres")  # first, at once: nobody reads what it would write in the end
    emulator.process(folder / "ministack").stop(0)  # kindly, it would delete its workers' files one by one
    down(folder)
    emulator.delete_in_background(folder.parent, [folder])


def serving_environment(folder: Path) -> dict[str, str]:
    """Return the environment of the deployed API function, for the same app outside Lambda."""
    emulated = emulator.get(folder / "ministack")
    return {**deployment.read_environment(emulated, "ApiFunction"), **emulated.credentials}


def parameters(emulated: Emulator, postgres: PostgresSecret) -> dict[str, str]:
    """Return the template's parameters, the administrator's secret made."""
    return {
        "PostgresHost": f"{postgres.host}:{postgres.port}",
        "PostgresSslMode": "prefer",
        "PostgresSecretArn": keep_secret(emulated, "postgres", postgres),
        "JwtIssuer": ISSUER,
        "JwtAudience": AUDIENCE,
    }


def keep_secret(emulated: Emulator, cluster: str, postgres: PostgresSecret) -> str:
    """Write the secret of a cluster's administrator, whether it is there or not, and return its ARN."""
    name = f"managed-tables/{deployment.STAGE}/{cluster}"
    client = boto3.client("secretsmanager", **emulated.client_arguments)
    content = postgres.model_dump_json(include={"username", "password"})
    try:
        return str(client.put_secret_value(SecretId=name, SecretString=content)["ARN"])
    except client.exceptions.ResourceNotFoundException:
        return str(client.create_secret(Name=name, SecretString=content)["ARN"])


def _serve_page(
    folder: Path, built: "Future[Path]", emulated: Emulator, outputs: Outputs, persistent: bool
) -> str | None:
    """Serve the page and return its address; if it cannot be built, say so, and go on without it."""
    preferred = page.PREFERRED_PORT if persistent else 0
    try:
        built.result()
        return page.start(folder, _api_url(emulated, outputs), emulated.url, preferred_port=preferred)
    except (SystemExit, StackError, OSError) as error:
        say(f"==> the console is not served: {error}")
        return None


def _api_url(emulated: Emulator, outputs: Outputs) -> str:
    return f"{emulated.url}/restapis/{outputs['ApiId']}/{deployment.STAGE}/_user_request_"


def describe(
    postgres: PostgresSecret,
    emulated: Emulator,
    outputs: Outputs,
    serve_url: str,
    console_url: str | None = None,
) -> Stack:
    """Return what a client needs of a deployed stack."""
    administrator = f"{postgres.username}:{postgres.password}"
    secrets = boto3.client("secretsmanager", **emulated.client_arguments)
    return Stack(
        api_url=_api_url(emulated, outputs),
        serve_url=serve_url,
        console_url=console_url,
        jwt_secret=secrets.get_secret_value(SecretId=outputs["TokenSecretArn"])["SecretString"],
        issuer=ISSUER,
        audience=AUDIENCE,
        aws_endpoint_url=emulated.url,
        region=REGION,
        access_key_id=emulated.access_key_id,
        secret_access_key=emulated.secret_access_key,
        postgres_admin_dsn=f"postgresql://{administrator}@{postgres.host}:{postgres.port}/postgres",
        table_name=outputs["TableName"],
        bucket_name=outputs["BucketName"],
        state_machine_arn=outputs["StateMachineArn"],
    )


TOKEN_SECONDS = 24 * 3_600


def make_token(stack: Stack, company_id: str, permissions: str) -> str:
    """Sign a bearer token of a day; `permissions` are separated by commas or spaces."""
    claims = {
        "sub": NOBODY,
        "company_id": company_id,
        "permissions": permissions.replace(",", " ").split(),
        "iss": stack.issuer,
        "aud": stack.audience,
        "exp": int(time.time()) + TOKEN_SECONDS,
    }
    return jwt.encode(claims, stack.jwt_secret, algorithm="HS256")
