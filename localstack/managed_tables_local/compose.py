"""Run a service of compose.yaml: `python -m managed_tables_local.compose deploy`, or `console`."""

import json
import os
import sys
from dataclasses import asdict

import uvicorn

from managed_tables.settings import PostgresSecret
from managed_tables_local import deployment, page
from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL, say
from managed_tables_local.emulator import Emulator
from managed_tables_local.postgres import ADMIN
from managed_tables_local.processes import LOOPBACK


def deploy() -> None:
    """Deploy to the emulator that shares this network, and write stack.json as the machine sees it."""
    folder = LOCAL / "compose"
    folder.mkdir(parents=True, exist_ok=True)
    emulated = Emulator(
        folder=str(folder),
        port=int(os.environ["EMULATOR_PORT"]),
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    )
    password = os.environ["POSTGRES_PASSWORD"]
    inside = PostgresSecret(host=os.environ["POSTGRES_HOST"], username=ADMIN, password=password)
    parameters = local.parameters(emulated, inside)
    outputs = deployment.deploy(emulated, parameters, folder / "deployed.json", whole=True)
    outside = inside.model_copy(update={"host": LOOPBACK, "port": int(os.environ["PUBLISHED_POSTGRES_PORT"])})
    console_url = f"http://127.0.0.1:{os.environ['CONSOLE_PORT']}"  # of the service `console`, if it is up
    stack = local.describe(outside, emulated, outputs, serve_url="", console_url=console_url)
    local.save(stack, folder / "stack.json")
    say(json.dumps(asdict(stack), indent=2))


def console() -> None:
    """Build the page and serve it before the deployed stack, until it is stopped."""
    stack = local.load(LOCAL / "compose" / "stack.json")
    os.environ.update(page.settings(page.build_page(), stack.api_url, stack.aws_endpoint_url))
    host = os.environ.get("BIND_HOST", LOOPBACK)
    uvicorn.run(page.APP, factory=True, host=host, port=int(os.environ["CONSOLE_PORT"]), access_log=False)


if __name__ == "__main__":
    {"deploy": deploy, "console": console}[sys.argv[1]]()
