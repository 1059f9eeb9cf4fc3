"""Measure what rules and repairs cost a load of a million rows: with none, with five rules, with one repair.

They go by turns. Reading and planning are part of all; with rules the review counts what breaks them, too.
The repair is of a column of integers, whose cells no longer are what Analyze has proven.
"""

import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import psycopg

from benchmarks.files import make_orders
from benchmarks.imports import measure, prepare_database
from benchmarks.processor import Clock, Spent
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.tables import Applied
from managed_tables.documents.repairs import Repairs
from managed_tables.documents.statements import ConfirmedDocument, LoadTerms
from managed_tables.ids import new_record_id
from managed_tables.rules.rule import Rule
from managed_tables.tables.constraints import Constraints
from managed_tables.tables.physical import add_primary_key, create_table_to_fill
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_analyze.append_plan import feed_columns
from managed_tables_analyze.rule_checks import FileChecks
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_insert.handler import open_converter
from managed_tables_insert.loading import Load
from managed_tables_insert.plan import count_repairs, make_plan
from managed_tables_local.postgres import open_server, remove_server
from managed_tables_reader.reading_files import SourceFile

_ROWS = 1_000_000
_ROUNDS = 3
_WAYS = ("none", "rules", "repair")
_REPAIRS: Repairs = ({"column": "quantidade", "from": "7", "to": "8"},)
_RULES = (
    Rule(id="r_quantidade", kind="range", columns=("quantidade",), min=0, max=999),
    Rule(id="r_produto", kind="length", columns=("produto",), max=40),
    Rule(id="r_dia", kind="range", columns=("dia",), min="2015-01-01", max="today"),
    Rule(id="r_pedido", kind="compare", columns=("quantidade", "pedido"), op="lte"),
    Rule(id="r_cep", kind="named", columns=("cep",), name="cep"),
)


def run(small: bool) -> None:
    """Load by turns without rules and with them, and print the medians and their ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = make_orders(folder / "files", _ROWS // (10 if small else 1)).brazilian_csv()
        server = open_server(folder / "postgres")
        server.start()
        try:
            dsn = prepare_database(server.dsn)
            rounds = [[_measure(folder, file, dsn, way) for way in _WAYS] for _ in range(_ROUNDS)]
        finally:
            remove_server(folder / "postgres")
    for place, way in enumerate(_WAYS[1:], 1):
        for title, at in (("seconds", 0), ("processor", 1)):
            without, within = (median(one[each][at] for one in rounds) for each in (0, place))
            ratio = median(one[place][at] / one[0][at] for one in rounds)
            print(f"{title:12}{without:8.2f} without {within:8.2f} with {way:12}{ratio:8.3f}")


def _measure(folder: Path, file: Path, dsn: str, way: str) -> Spent:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        done = measure("benchmarks.rules", work, file, dsn, way)
    return done.seconds, done.processor


def load(work: Path, file: Path, dsn: str, rules: tuple[Rule, ...], repairs: Repairs | None = None) -> Spent:
    """Analyze a file, count what breaks the rules, and load it into a table that has them."""
    clock = Clock()
    found = analyze([SourceFile(file, file.name)], work, ZoneInfo("UTC"))
    columns = tuple(one.column for one in found.document.inferred_schema.columns)
    table_id = new_record_id()
    table = Applied(version=1, display_name=f"t_{table_id}", status="active", columns=columns, rules=rules)
    _review(work, found, table)
    with psycopg.connect(dsn, autocommit=True) as connection:
        with connection.transaction():
            create_table_to_fill(connection, table_id, table, "UTC")
            add_primary_key(connection, table_id, table.display_name)
            Constraints(connection, table_id, "UTC").add(table)
        job = JobRecord("", new_record_id(), "", "append", "inserting", (), "", "", "")
        own = [column.name for column in columns]
        confirmed = ConfirmedDocument(
            display_name=table.display_name, columns=list(columns), table_id=table_id, own_columns=own
        )
        with open_converter(work) as converter:
            plan = make_plan(found.staged, found.document, columns, "UTC", LoadTerms(repairs=repairs))
            plan = replace(plan, repaired=count_repairs(converter, plan).total)
            Load(connection, converter, job, confirmed).run(plan, lambda _: None)
        spent = clock.spent(connection)
        connection.execute(f'DROP TABLE "{table.display_name}"')  # type: ignore[arg-type]  # of its own id
    return spent


def _review(work: Path, found: Analysis, table: Applied) -> None:
    with open_duckdb(work) as connection:
        fed = {one.table.name: one for one in feed_columns(connection, found, table.columns) if one.table}
        today = datetime.now(UTC).date()
        checks = FileChecks(fed, [], "UTC", today, {}).of(table.rules)
    if any(check.broken for check in checks):
        raise AssertionError("the file is to keep the rules")


def main() -> None:
    """Load once as the command line says, and print the seconds, and the processor's."""
    work, file, dsn, way = sys.argv[1:]
    rules, repairs = _RULES if way == "rules" else (), _REPAIRS if way == "repair" else None
    print(*load(Path(work), Path(file), dsn, rules, repairs))


if __name__ == "__main__":
    main()
