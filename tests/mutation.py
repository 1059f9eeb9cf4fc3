"""Change the product in one place at a time and see whether a test notices: `make test-mutation`.

cosmic-ray makes the changes, one after the other, in a clone of the last commit. Here stand the modules that
it changes, the tests that must notice, and how a sample is drawn: the same for the same seed.
"""

import argparse
import json
import os
import random
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from managed_tables_local.checkout import LOCAL, ROOT, tool_environment

COMMON, ANALYZE = "layers/common/managed_tables/", "functions/analyze/managed_tables_analyze/"
READER = "functions/analyze/managed_tables_reader/"
PACKAGES = ("command", "functions/*", "layers/common", "localstack", "operations")
HOME = LOCAL / "mutation"
LIMIT_SECONDS = 600  # of the tests of one change; one that never ends counts as noticed


@dataclass(frozen=True)
class Area:
    """Modules that are changed, and the tests that must notice: pytest's arguments, run in order."""

    name: str
    sources: tuple[str, ...]
    stages: tuple[str, ...]


FILES = "tests/files/test_files.py -k "
AREAS = (
    Area(
        "conversion",
        (COMMON + "conversion",),
        (
            "tests/unit/conversion tests/unit/test_misfits.py",
            "tests/unit/inference/test_signs.py",
            FILES + "values/",
            "tests/integration/test_insert.py",
        ),
    ),
    Area(
        "inference",
        (ANALYZE + "inference",),
        ("tests/unit/inference tests/unit/test_overrides.py", FILES + "'values/ or doubts/ or csv/'"),
    ),
    Area(
        "layout",
        (READER + "layout",),
        (
            "tests/unit/test_looks.py tests/unit/test_header.py tests/unit/test_footer.py",
            "tests/unit/test_layout_score.py tests/unit/test_reading.py tests/unit/test_overrides.py",
            "tests/unit/test_cli.py tests/integration/test_recipe_reading.py",
            FILES + "'layouts/ or reports/ or csv/ or doubts/ or xlsx/'",
        ),
    ),
    Area(
        "workbooks",
        (READER + "workbooks",),
        (
            "tests/unit/test_workbook_cells.py tests/unit/test_other_workbooks.py",
            "tests/unit/test_markup_workbooks.py tests/unit/test_ods_workbooks.py",
            "tests/unit/test_xlsx_package.py",
            "tests/unit/test_row_scanning.py tests/unit/test_workbook_child.py",
            FILES + "'xlsx/ or xls/ or ods/'",
            "tests/properties/test_workbook_roundtrip.py tests/properties/test_values_of_every_file.py",
        ),
    ),
    Area("conditions", (COMMON + "conditions",), ("tests/integration/test_conditions.py",)),
    Area(
        "jobs",
        tuple(COMMON + one for one in ("catalog/jobs.py", "catalog/job_records.py", "databases/applied.py")),
        (
            "tests/integration/test_jobs.py tests/integration/test_applied.py",
            "tests/integration/test_insert_stale_runs.py tests/integration/test_insert.py",
            "tests/integration/test_events.py tests/integration/test_upsert.py",
            "tests/integration/uploads tests/integration/test_recipe_reading.py",
        ),
    ),
)


def main() -> int:
    """Try a sample of every area's changes; print those that no test noticed, and their share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[area.name for area in AREAS], help="one area")
    parser.add_argument("--mutants", type=int, default=60, help="of each area (default: 60)")
    parser.add_argument("--seed", type=int, default=18)
    arguments = parser.parse_args()
    clone = HOME / "checkout"
    shutil.rmtree(HOME, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    for area in AREAS:
        if arguments.only in (None, area.name):
            _try(area, clone, arguments.mutants, arguments.seed)
    return 0


def _try(area: Area, clone: Path, mutants: int, seed: int) -> None:
    config, session = HOME / f"{area.name}.toml", HOME / f"{area.name}.sqlite"
    config.write_text(_configuration(area))
    _call(clone, "cosmic-ray", "init", config, session)
    _call(clone, "cr-filter-operators", session, config)
    _draw(session, mutants, seed)
    _call(clone, "cosmic-ray", "baseline", config)
    _call(clone, "cosmic-ray", "exec", config, session)
    print(f"==> {area.name}", flush=True)
    _call(clone, "cr-report", "--surviving-only", "--show-diff", session)


def _configuration(area: Area) -> str:
    pytest = shlex.join([sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"])
    tests = " && ".join(f"{pytest} {stage}" for stage in area.stages)
    return (
        f"[cosmic-ray]\nmodule-path = {json.dumps(area.sources)}\ntimeout = {LIMIT_SECONDS}.0\n"
        f"excluded-modules = []\ntest-command = {json.dumps(shlex.join(['sh', '-c', tests]))}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
        # `int | None` is no sum
        '[cosmic-ray.filters.operators-filter]\nexclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]\n'
    )


def _draw(session: Path, mutants: int, seed: int) -> None:
    """Leave so many changes in the session: those that a filter skipped are already done."""
    with closing(sqlite3.connect(session)) as database, database:
        pending = "SELECT job_id FROM work_items WHERE job_id NOT IN (SELECT job_id FROM work_results)"
        found = [job for (job,) in database.execute(f"{pending} ORDER BY rowid")]
        chosen = set(random.Random(seed).sample(range(len(found)), min(mutants, len(found))))  # noqa: S311
        others = [(job,) for number, job in enumerate(found) if number not in chosen]
        done = "SELECT job_id FROM work_results"
        for table in ("mutation_specs", "work_items"):
            database.execute(f"DELETE FROM {table} WHERE job_id IN ({done})")  # noqa: S608
            database.executemany(f"DELETE FROM {table} WHERE job_id = ?", others)  # noqa: S608
        database.execute("DELETE FROM work_results")


def _call(clone: Path, program: str, *arguments: str | Path) -> None:
    """Run one of cosmic-ray's programs in the clone, whose packages come before those installed."""
    paths = [str(path) for pattern in PACKAGES for path in sorted(clone.glob(pattern))]
    command: Sequence[str | Path] = [tool_environment("mutation") / program, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run(command, cwd=clone, env=environment, check=True)


if __name__ == "__main__":
    raise SystemExit(main())
