"""Run the operator's command, on the functions' environment: `python -m managed_tables_operations`."""

import argparse
import sys
from collections.abc import Callable

import boto3

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.errors import ApiError
from managed_tables.services import Services, load_services
from managed_tables_operations.companies import erase_company, migrate_all
from managed_tables_operations.databases import MoveError, move_company, rotate_passwords
from managed_tables_operations.letters import redrive
from managed_tables_operations.persons import erase_files, erase_rows
from managed_tables_operations.rebuilding import reconcile
from managed_tables_operations.restoring import (
    NotFoundError,
    list_hidden_columns,
    restore_column,
    restore_table,
)

Command = Callable[[Services, argparse.Namespace], None]


class IncompleteError(RuntimeError):
    """Some of the request could not be done; the lines above say what."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an error is one line, and the exit code 1."""
    chosen = parser().parse_args(arguments)
    try:
        chosen.run(load_services(), chosen)
    except (ApiError, IncompleteError, MoveError, NotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; its results have the command as `run`."""
    made = argparse.ArgumentParser(prog="python -m managed_tables_operations", description=__doc__)
    commands = made.add_subparsers(required=True)

    def add(name: str, run: Command, *options: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        for option in options:
            command.add_argument(f"--{option}", required=True)
        return command

    add("deleted-tables", _deleted_tables, "company")
    add("restore-table", _restore_table, "company", "table").add_argument("--name", default="")
    add("hidden-columns", _hidden_columns, "company", "table")
    column = add("restore-column", _restore_column, "company", "table", "hidden", "name")
    column.add_argument("--label", default="")
    add("migrate", _migrate).add_argument("--all", action="store_true", required=True)
    add("reconcile", _reconcile)
    add("redrive", _redrive, "queue-url")
    add("erase-company", _erase_company, "company").add_argument(
        "--yes", action="store_true", required=True, help="nothing brings it back but a backup"
    )
    rows = add("erase-rows", _erase_rows, "company", "column", "value")
    rows.add_argument("--files", action="store_true", help="the files of ended jobs, and exports, too")
    add("rotate-passwords", _rotate, "new-master-secret")
    add("move-company", _move, "company", "cluster")
    return made


def _company(services: Services, chosen: argparse.Namespace) -> ConnectionRecord:
    return services.provisioning.require(chosen.company)


def _deleted_tables(services: Services, chosen: argparse.Namespace) -> None:
    for table in services.tables.all_deleted(chosen.company):
        print(table.table_id, table.display_name, table.updated_at)


def _restore_table(services: Services, chosen: argparse.Namespace) -> None:
    table = restore_table(services, _company(services, chosen), chosen.table, chosen.name)
    print(table.table_id, table.display_name)


def _hidden_columns(services: Services, chosen: argparse.Namespace) -> None:
    for one in list_hidden_columns(services, _company(services, chosen), chosen.table):
        print(one.hidden_name, one.kind, one.name, one.display_name)


def _restore_column(services: Services, chosen: argparse.Namespace) -> None:
    company = _company(services, chosen)
    restore_column(services, company, chosen.table, chosen.hidden, chosen.name, chosen.label)
    print(chosen.name)


def _migrate(services: Services, _chosen: argparse.Namespace) -> None:
    failed = []
    for company_id, error in migrate_all(services):
        print(company_id, error or "migrated")
        failed += [company_id] if error else []
    if failed:
        raise IncompleteError(f"{len(failed)} databases are as they were")


def _reconcile(services: Services, _chosen: argparse.Namespace) -> None:
    for finding in reconcile(services):
        print(finding.database, finding.said)


def _redrive(services: Services, chosen: argparse.Namespace) -> None:
    endpoint_url = services.settings.aws_endpoint_url or None
    clients = (boto3.client("sqs", endpoint_url=endpoint_url), services.provision_client)
    for function in redrive(*clients, chosen.queue_url):
        print(function)


def _erase_company(services: Services, chosen: argparse.Namespace) -> None:
    for gone in erase_company(services, chosen.company):
        print(gone)


def _erase_rows(services: Services, chosen: argparse.Namespace) -> None:
    company = _company(services, chosen)
    for place, count in erase_rows(services, company, chosen.column, chosen.value):
        print(place, count)
    if chosen.files:
        print("files of", erase_files(services, company), "jobs")


def _rotate(services: Services, chosen: argparse.Namespace) -> None:
    count = sum(1 for _ in rotate_passwords(services, chosen.new_master_secret))
    print(f"{count} databases have new passwords: store the new master secret now")


def _move(services: Services, chosen: argparse.Namespace) -> None:
    moved = move_company(services, _company(services, chosen), chosen.cluster)
    print(f"company {moved.company_id} is on cluster {moved.cluster}")


if __name__ == "__main__":
    sys.exit(main())
