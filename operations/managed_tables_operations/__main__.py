"""Run the operator's command, on the functions' environment: `python -m managed_tables_operations`."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from managed_tables.catalog.connections import ClusterRecord, ConnectionRecord
from managed_tables.errors import ApiError
from managed_tables.ids import new_record_id
from managed_tables.services import Services, load_services
from managed_tables.settings import DEFAULT_CLUSTER
from managed_tables_operations import OperatorError
from managed_tables_operations.answers import follow, reader
from managed_tables_operations.databases import begin_generation, migrate_all, rotate_passwords
from managed_tables_operations.erasing import erase_company, erase_files, erase_rows
from managed_tables_operations.leases import hold, wanted
from managed_tables_operations.moving import move_company
from managed_tables_operations.reconciling import accept_copy, reconcile
from managed_tables_operations.redriving import redrive, take_inbox_again
from managed_tables_operations.restoring import restore_table
from managed_tables_operations.resuming import end_lapsed, list_old, resume

_HELP = "docs/operations.md, Operate, says how to run it with what the functions have"
Command = Callable[[Services, argparse.Namespace], Iterator[str]]  # does it, and yields lines to print
INTERRUPTED = 130  # as of a shell


def main(arguments: list[str] | None = None, may_start: Callable[[], bool] = lambda: True) -> int:
    """Run one command; an error is one line, and the exit code 1.

    A command that can stop and go on later stops where `may_start` says so.
    """
    given = sys.argv[1:] if arguments is None else arguments
    chosen = parser().parse_args(given)
    chosen.may_start = may_start
    os.environ.setdefault("STATEMENT_TIMEOUT_MS", str(14 * 60_000))  # no caller hangs up here
    try:
        if chosen.operator:
            words = given[given.index(chosen.command) :] if chosen.command != "follow" else []
            return operate(chosen.operator, words, getattr(chosen, "request", ""))
        for line in chosen.run(load_services(), chosen):
            print(line, flush=True)
    except ValidationError as error:
        names = ", ".join(str(fault["loc"][0]).upper() for fault in error.errors())
        print(f"error: missing or wrong in the environment: {names} ({_HELP})", file=sys.stderr)
    except (ApiError, OperatorError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
    else:
        return 0
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; its results have the command as `run`."""
    made = argparse.ArgumentParser(prog="python -m managed_tables_operations", description=__doc__)
    # Not under the name of the option that a command has, which would take its place
    made.add_argument("--function", dest="operator", help="run it there: the output OperatorFunctionName")
    commands = made.add_subparsers(dest="command", required=True)

    def add(name: str, run: Command, *options: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        for option in options:
            command.add_argument(f"--{option}", required=True)
        return command

    add("deleted-tables", _deleted_tables, "company")
    add("restore-table", _restore_table, "company", "table").add_argument("--name", default="")
    add("restore-column", _restore_column, "company", "table", "name")
    add("migrate", _migrate).add_argument("--all", action="store_true", required=True)
    add("reconcile", _reconcile).add_argument(
        "--from", dest="begin_at", default="", help="where a run has stopped"
    )
    add("resume", lambda services, _: resume(services))
    add("operations", _operations)
    add("old-databases", lambda services, _: list_old(services))
    add("accept-copy", _accept_copy, "company", "cluster")
    add("follow", _follow, "request")
    add("redrive", _redrive, "queue-url")
    erase = add("erase-company", _erase_company, "company")
    erase.add_argument("--yes", action="store_true", required=True, help="only a backup brings it back")
    rows = add("erase-rows", _erase_rows, "company", "column", "value")
    rows.add_argument("--files", action="store_true", help="the files of ended jobs, and exports, too")
    rotate = add("rotate-passwords", _rotate)
    rotate.add_argument("--begin", action="store_true", help="with a new master secret, made here")
    add("move-company", _move, "company", "cluster")
    cluster = add("add-cluster", _add_cluster, "name", "host", "secret-arn")
    cluster.add_argument("--port", type=int, default=5432)
    add("remove-cluster", _remove_cluster, "name")
    add("place-companies", _place, "cluster")
    prune = add("prune-versions", _prune, "function")
    prune.add_argument("--keep", type=int, default=3)
    return made


def operate(
    function: str,
    arguments: Sequence[str],
    request: str = "",
    tell: Callable[[str], object] = print,
    **client: Any,
) -> int:
    """Have the deployed function run a command, and tell its lines as they come; return its exit code.

    With a `request` one that was begun before is followed again, and nothing is run. `client` are boto3's
    arguments. Raises OperatorError.
    """
    functions = boto3.client("lambda", **client)
    known = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    if not request:
        request = new_record_id()
        event = json.dumps({"arguments": list(arguments), "request": request}).encode()
        functions.invoke(FunctionName=function, InvocationType="Event", Payload=event)
    again = f'make operate FUNCTION="{function}" REQUEST={request}'
    print(f"==> kept as operations/{request}.log; to follow it again: {again}", file=sys.stderr)
    try:
        for said in follow(reader(boto3.client("s3", **client), known["BUCKET_NAME"], request)):
            if isinstance(said, int):
                return said
            tell(said)
    except KeyboardInterrupt:
        print(f"==> it goes on; to follow it again: {again}", file=sys.stderr)
    return INTERRUPTED


def _deleted_tables(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    for table in services.tables.all(_company(services, chosen).company_id, deleted=True):
        yield f"{table.table_id} {table.display_name} {table.updated_at}"


def _restore_table(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    company = _company(services, chosen)
    with hold(services, wanted(company.company_id, company.connection_id, "restore")):
        table = restore_table(services, company, chosen.table, chosen.name)
    yield f"{table.table_id} {table.display_name}"


def _restore_column(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    company = _company(services, chosen)
    with hold(services, wanted(company.company_id, company.connection_id, "restore")):
        services.table_operations.restore_column(company, chosen.table, chosen.name)
    yield chosen.name


def _reconcile(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    begin_at = str(chosen.begin_at).removeprefix("co_")
    return map(" ".join, reconcile(services, begin_at, chosen.may_start))


def _operations(services: Services, _chosen: argparse.Namespace) -> Iterator[str]:
    for one in services.operations.all():
        yield (
            f"{one.kind} of company {one.company_id}: step {one.step}, began {one.started_at},"
            f" left behind if there is no sign by {one.deadline}"
        )


def _accept_copy(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    accepted = accept_copy(services, chosen.company, chosen.cluster)
    yield f"company {accepted.company_id} is on cluster {accepted.cluster}, generation {accepted.generation}"


def _follow(_services: Services, _chosen: argparse.Namespace) -> Iterator[str]:
    raise OperatorError("follow needs --function: it is what the deployed function answers")


def _erase_company(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    _end_lapsed(services, chosen.company)
    return erase_company(services, chosen.company)


def _migrate(services: Services, _chosen: argparse.Namespace) -> Iterator[str]:
    failed = 0
    for company_id, error in migrate_all(services):
        yield f"{company_id} {error or 'migrated'}"
        failed += error is not None
    if failed:
        raise OperatorError(f"{failed} databases are as they were")


def _redrive(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    try:
        yield from redrive(services.client("sqs"), services.lambda_client, chosen.queue_url)
    finally:
        yield from take_inbox_again(services, services.lambda_client)


def _erase_rows(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    company = _company(services, chosen)
    erased = list(erase_rows(services, company, chosen.column, chosen.value))
    yield from (f"{place} {count}" for place, count in erased or [("rows", 0)])
    if chosen.files:
        yield f"files of {erase_files(services, company)} jobs"


def _rotate(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    if chosen.begin:
        yield f"generation {begin_generation(services)} of the master secret is there"
    yield f"{len(list(rotate_passwords(services)))} databases have new passwords"


def _add_cluster(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    _require_further(chosen.name)
    cluster = ClusterRecord(chosen.name, chosen.host, chosen.port, chosen.secret_arn)
    with services.databases.open_as_admin(services.secret_of(cluster)) as admin:
        services.clusters.put(cluster)
        yield f"cluster {chosen.name} answers: PostgreSQL {admin.info.server_version // 10_000}"


def _remove_cluster(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    """Forget a cluster that no company is on, and to which no new one goes."""
    _require_further(chosen.name)
    _require_cluster(services, chosen.name)
    if chosen.name == services.clusters.find_placement():
        raise OperatorError(f"cluster {chosen.name} stays: new companies go there")
    # Only then: a company that was made before may be here, one that is made from now on will not be
    there = [company.company_id for company in services.connections.all() if company.cluster == chosen.name]
    if there:
        raise OperatorError(f"cluster {chosen.name} stays: companies are on it: {', '.join(there)}")
    services.clusters.remove(chosen.name)
    yield f"cluster {chosen.name} is no longer recorded; its databases are as they were"


def _require_further(name: str) -> None:
    if name == DEFAULT_CLUSTER:
        raise OperatorError(f"cluster {DEFAULT_CLUSTER} is the deployment's: its parameters say where it is")


def _require_cluster(services: Services, name: str) -> None:
    if name not in services.clusters.names():
        raise OperatorError(f"no cluster {name} is recorded: add-cluster")


def _place(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    _require_cluster(services, chosen.cluster)
    services.databases.open_admin_connection(chosen.cluster).close()  # no company could be made on one away
    services.clusters.place_on(chosen.cluster)
    yield f"new companies go to cluster {chosen.cluster}"


def _prune(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    """Delete all but the newest published versions of a function and those that an alias names.

    With SnapStart each one that is kept is billed, some 4 USD a month. CodeDeploy's weights count as names of
    an alias.
    """
    functions, function = services.lambda_client, chosen.function
    aliases = functions.get_paginator("list_aliases").paginate(FunctionName=function).search("Aliases[]")
    used: set[str] = set()
    for alias in aliases:
        weighted = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        used |= {alias["FunctionVersion"], *weighted}
    published = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = sorted(int(name) for name in published.search("Versions[].Version") if name != "$LATEST")
    for version in map(str, numbers[: -chosen.keep or None]):
        if version not in used:
            # By one name: the role may delete `NAME:…`, and never the function.
            functions.delete_function(FunctionName=f"{function}:{version}")
            yield f"version {version} deleted"


def _move(services: Services, chosen: argparse.Namespace) -> Iterator[str]:
    _require_cluster(services, chosen.cluster)
    moved = move_company(services, _company(services, chosen), chosen.cluster)
    yield f"company {moved.company_id} is on cluster {moved.cluster}"


def _end_lapsed(services: Services, company_id: str) -> None:
    """End what a killed command has left of the company."""
    operation = services.operations.find(company_id)
    if operation is not None and operation.is_lapsed:
        for said in end_lapsed(services, operation):
            print(f"left behind by an earlier command: {said}", file=sys.stderr)


def _company(services: Services, chosen: argparse.Namespace) -> ConnectionRecord:
    _end_lapsed(services, chosen.company)
    return services.provisioning.require(chosen.company)


if __name__ == "__main__":
    sys.exit(main())
