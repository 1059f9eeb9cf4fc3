"""The commands behind the Makefile: `python -m managed_tables_local --help` lists them."""

import argparse
import threading
from dataclasses import asdict
from pathlib import Path

from managed_tables_local import demo, server
from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL
from managed_tables_local.console_page import page_build
from managed_tables_local.console_page.browser import PICTURES, BrowserError, run_checks
from managed_tables_local.docker import containers_tour
from managed_tables_local.docker.containers import ContainerError, open_containers
from managed_tables_local.postgres import PostgresError
from managed_tables_local.processes import StartError
from managed_tables_local.progress import say
from managed_tables_local.rehearsal import runbooks
from managed_tables_local.tokens import make_token
from managed_tables_operations.smoke import SmokeError


def main() -> None:
    """Run the command that the arguments name."""
    arguments = _parse()
    folder: Path = arguments.folder
    match arguments.command:
        case "up":
            stack = local.up(folder, console=True, overrides=dict(arguments.set))
            say(f"API            {stack.api_url}\nASGI server    {stack.serve_url}")
            say(f"console        {stack.console_url or 'not served'}")
            say(f"PostgreSQL     {stack.postgres_admin_dsn}\neverything     {folder / 'stack.json'}")
        case "run":
            demo.run(local.up(folder, console=True), folder)
        case "sam-local":
            containers_tour.run(folder, _running(folder))
        case "sam-api":
            with open_containers(folder, _running(folder)) as containers, containers.api() as url:
                say(f"==> {url} (Ctrl-C ends it)")
                threading.Event().wait()
        case "console" | "rehearse":
            (_build_console if arguments.command == "console" else runbooks.run)()
        case "pictures":
            _take_pictures(_running(folder), folder)
        case "down" | "remove":
            (local.down if arguments.command == "down" else local.remove)(folder)
        case "token":
            print(make_token(_running(folder), arguments.company, arguments.permissions))
        case "serve":
            stack = _running(folder)
            say(f"==> serving {stack.serve_url}, reloading when a source changes (Ctrl-C ends it)")
            server.serve(folder, local.serving_environment(folder))


def _build_console() -> None:
    say(f"==> {page_build.build_page()}")
    page_build.find_node().run(page_build.CONSOLE, "run", "--silent", "test")


def _take_pictures(stack: local.Stack, folder: Path) -> None:
    if stack.console_url is None:
        raise SystemExit("The page is not served: `make up` says why")
    PICTURES.mkdir(exist_ok=True)
    settings = {"CONSOLE_PICTURES": str(PICTURES)}
    run_checks(asdict(stack), stack.console_url, folder / "results", "pictures.spec.ts", settings=settings)
    say(f"==> {PICTURES}")


def _running(folder: Path) -> local.Stack:
    try:
        return local.load(folder / "stack.json")
    except FileNotFoundError:
        raise SystemExit("No stack is up here: run `make up` first") from None


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="managed_tables_local")
    parser.add_argument("--folder", type=lambda text: Path(text).resolve(), default=LOCAL)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up")
    up.add_argument("--set", action="append", default=[], type=_assignment, metavar="PARAMETER=VALUE")
    for name in ("run", "console", "pictures", "sam-local", "sam-api", "rehearse"):
        commands.add_parser(name)
    commands.add_parser("down")
    commands.add_parser("remove")
    commands.add_parser("serve")
    token = commands.add_parser("token")
    token.add_argument("--company", required=True)
    token.add_argument("--permissions", default="managed-tables:*")
    return parser.parse_args()


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"not PARAMETER=VALUE: {text}")
    return name, value


if __name__ == "__main__":
    try:
        main()
    except (BrowserError, ContainerError, demo.DemoError, PostgresError, SmokeError, StartError) as error:
        raise SystemExit(str(error)) from error
