"""The commands behind the Makefile: `python -m managed_tables_local --help` lists them."""

import argparse
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from managed_tables_command.api import Refused
from managed_tables_command.smoke import SmokeError
from managed_tables_local import containers, demo, page, rehearsal, server
from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL, StackError, say
from managed_tables_local.containers import open_containers
from managed_tables_local.page import PICTURES, run_checks
from managed_tables_local.stack import make_token

Options = argparse.Namespace


def main() -> None:
    """Run the command that the arguments name."""
    options = _parser().parse_args()
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="managed_tables_local")
    parser.add_argument("--folder", type=lambda text: Path(text).resolve(), default=LOCAL)
    commands = parser.add_subparsers(required=True)

    def add(name: str, run: Callable[[Options], None]) -> argparse.ArgumentParser:
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        return command

    up = add("up", _up)
    up.add_argument("--set", action="append", default=[], type=_assignment, metavar="PARAMETER=VALUE")
    add("run", lambda options: demo.run(local.up(options.folder, console=True), options.folder))
    add("console", _build_console)
    add("pictures", _take_pictures)
    sam_local = add("sam-local", _invoke_by_sam)
    sam_local.add_argument("--function", choices=containers.FUNCTIONS)
    sam_local.add_argument("--set", action="append", default=[], type=_assignment, metavar="NAME=VALUE")
    add("sam-api", _serve_by_sam)
    add("rehearse", lambda _: rehearsal.run())
    add("down", lambda options: local.down(options.folder))
    add("remove", lambda options: local.remove(options.folder))
    add("serve", _serve)
    token = add("token", _print_token)
    token.add_argument("--company", required=True)
    token.add_argument("--permissions", default="managed-tables:*")
    return parser


def _up(options: Options) -> None:
    stack = local.up(options.folder, console=True, overrides=dict(options.set))
    say(f"API            {stack.api_url}\nASGI server    {stack.serve_url}")
    say(f"console        {stack.console_url or 'not served'}")
    say(f"PostgreSQL     {stack.postgres_admin_dsn}\neverything     {options.folder / 'stack.json'}")


def _invoke_by_sam(options: Options) -> None:
    functions = [options.function] if options.function else containers.FUNCTIONS
    containers.run(options.folder, _running(options), functions, dict(options.set))


def _serve_by_sam(options: Options) -> None:
    with open_containers(options.folder, _running(options)) as containers, containers.api() as url:
        say(f"==> {url} (Ctrl-C ends it)")
        threading.Event().wait()


def _build_console(_: Options) -> None:
    page.check_parts()
    say(f"==> {page.build_page()}")


def _take_pictures(options: Options) -> None:
    stack = _running(options)
    if stack.console_url is None:
        raise SystemExit("The page is not served: `make up` says why")
    PICTURES.mkdir(exist_ok=True)
    results, settings = options.folder / "results", {"CONSOLE_PICTURES": str(PICTURES)}
    run_checks(asdict(stack), stack.console_url, results, "(pictures|screens).spec", settings=settings)
    say(f"==> {PICTURES}")


def _print_token(options: Options) -> None:
    print(make_token(_running(options), options.company, options.permissions))


def _serve(options: Options) -> None:
    say(f"==> serving {_running(options).serve_url}, reloading when a source changes (Ctrl-C ends it)")
    server.serve(options.folder, local.serving_environment(options.folder))


def _running(options: Options) -> local.Stack:
    try:
        return local.load(options.folder / "stack.json")
    except FileNotFoundError:
        raise SystemExit("No stack is up here: run `make up` first") from None


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"not NAME=VALUE: {text}")
    return name, value


if __name__ == "__main__":
    try:
        main()
    except (Refused, SmokeError, StackError) as error:
        raise SystemExit(str(error)) from error
