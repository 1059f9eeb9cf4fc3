"""Deploy to Docker: `python -m managed_tables_local.docker.compose`, service `deploy` of compose.yaml."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from managed_tables.settings import PostgresSecret
from managed_tables_local.checkout import LOCAL
from managed_tables_local.deployed import deployment
from managed_tables_local.deployed.emulator import Emulator
from managed_tables_local.ports import LOOPBACK
from managed_tables_local.postgres import ADMIN
from managed_tables_local.progress import say
from managed_tables_local.stack import describe, parameters


def main() -> None:
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
    outputs = deployment.deploy(
        emulated,
        parameters(emulated, inside),
        folder / "deployed.json",
        flat=os.environ.get("FLATTEN_LAYERS") == "true",
    )
    published = {"host": LOOPBACK, "port": int(os.environ["PUBLISHED_POSTGRES_PORT"])}
    outside = inside.model_copy(update=published)
    console_url = f"http://127.0.0.1:{os.environ['CONSOLE_PORT']}"  # of the service `console`, if it is up
    stack = describe(outside, emulated, outputs, serve_url="", console_url=console_url)
    text = json.dumps(asdict(stack), indent=2)
    Path(folder / "stack.json").write_text(text + "\n")
    say(text)


if __name__ == "__main__":
    main()
