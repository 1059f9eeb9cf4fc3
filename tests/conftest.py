"""Fixtures for all tests: the run's folder, and one real PostgreSQL server per process."""

import contextlib
import gc
import io
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import examples, want_many
from hypothesis import settings

from managed_tables_local import stack as local
from managed_tables_local.postgres import open_server, remove_server

# Slow modules with few tests: started last, they would leave one of two cores idle at the end.
LONGEST_FIRST = (
    "tests/e2e/test_console.py",
    "tests/faults/test_steps.py",
    "tests/faults/test_races.py",
    "tests/faults/test_model.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_contract_openapi.py",
    "tests/e2e/test_contract_races.py",
    "tests/e2e/test_docs.py",
    "tests/e2e/test_ingestion.py",
    "tests/e2e/test_jobs_followed.py",
    "tests/e2e/test_load.py",
    "tests/e2e/test_command.py",
    "tests/e2e/test_origins.py",
    "tests/e2e/test_smoke.py",
    "tests/e2e/test_contract_reading.py",
    "tests/faults/test_key_model.py",
    "tests/hostile/test_hostile_files.py",
    "tests/faults/test_key_races.py",
    "tests/integration/test_export_round_trip.py",
    "tests/integration/test_series.py",
    "tests/integration/test_insert_faults.py",
    "tests/properties/test_two_engines.py",
    "tests/properties/test_csv_round_trip.py",
    "tests/properties/test_values_of_every_file.py",
)
FEW_VALUES = 2
MEMORY = "/dev/shm"  # noqa: S108 - what is made in it has random names
MEMORY_BYTES = 6 * 1_024**3  # several times what a run holds
_RUN_FOLDER = "MANAGED_TABLES_RUN_FOLDER"  # passed to the worker processes of pytest-xdist


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose the target of the tests over HTTP."""
    parser.addoption(
        "--against",
        choices=["deployed", "serve", "both"],
        default="both",
        help="call the deployed stack, the ASGI server that `make serve` runs, or both (default)",
    )
    parser.addoption(
        "--seconds", type=float, default=3.0, help="how long the race of many clients lasts (default: 3)"
    )
    parser.addoption("--load-seconds", type=float, default=5.0, help="how long the load lasts (default: 5)")
    parser.addoption("--stack", action="store_true", help="crash a local stack that keeps what it holds")
    parser.addoption("--companies", type=int, default=0, help="on two clusters, with half as many files")
    parser.addoption("--iam", action="store_true", help="take each statement of the policies away in turn")
    parser.addoption(
        "--faults", type=int, default=1, help="faults a step, at random boundaries (default: 1); 0: all"
    )
    parser.addoption("--lives", type=int, default=0, help="long lives of the model (default: few short ones)")
    parser.addoption(
        "--values", type=int, default=FEW_VALUES, help="random tables a kind of file (default: 2)"
    )
    parser.addoption("--series", action="store_true", help="all monthly series (default: a cut)")
    parser.addoption(
        "--histories", type=int, default=12, help="of edited workbooks, held to a model (default: 12)"
    )
    parser.addoption("--drift", type=int, default=0, help="how many drifting files (default: few)")
    parser.addoption("--drift-seed", type=int, default=51, help="what chooses the drifting files")
    parser.addoption("--cases", type=int, default=4, help="generated cases an operation (default: 4)")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder shared by all processes of this run; generated cases have no deadline."""
    gc.disable()
    if config.getoption("--values") > FEW_VALUES:
        want_many()
    # A loaded machine is not the code's fault: no deadline.
    settings.register_profile("here", deadline=None, max_examples=examples(40, 400))
    settings.load_profile("here")
    # A run makes and deletes so many files that ext4 without a journal, which passes over each inode deleted
    # lately, takes long to find one for a new file.
    with contextlib.suppress(OSError):
        memory = os.statvfs(MEMORY)
        if memory.f_bavail * memory.f_frsize > MEMORY_BYTES and not memory.f_flag & os.ST_NOEXEC:
            tempfile.tempdir = os.environ.get("TMPDIR", MEMORY)  # not that of Chromium, which stays in it
    if not hasattr(config, "workerinput"):
        os.environ[_RUN_FOLDER] = tempfile.mkdtemp(prefix="managed-tables-")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest modules first, then those with the most tests, so that the last ones are small."""
    modules = [item.nodeid.partition("::")[0] for item in items]
    counts = Counter(modules)
    places = {module: place for place, module in enumerate(LONGEST_FIRST)}
    ranked = sorted(
        zip(modules, items, strict=True),
        key=lambda pair: (places.get(pair[0], len(places)), -counts[pair[0]], pair[0]),
    )
    items[:] = [item for _, item in ranked]


def pytest_collection_finish() -> None:
    """Collect garbage more rarely, and never among what collecting the tests has made: 5 % of their time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the stack that an end-to-end test started, and delete the folder."""
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(_RUN_FOLDER))
        if (folder / "stack").exists():
            with contextlib.redirect_stdout(io.StringIO()):  # the run's last line must be pytest's
                local.remove(folder / "stack")
        subprocess.Popen(["/bin/rm", "-rf", folder], start_new_session=True)  # thousands of files


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many faults the tests injected."""
    figures = Path(os.environ[_RUN_FOLDER]) / "faults.jsonl"
    if not figures.exists():
        return
    steps = [json.loads(line) for line in figures.read_text().splitlines()]
    steps.sort(key=lambda step: -step["possible"])
    counts = ("possible", "faults", "survived")
    steps.append({"scenario": "all", **{name: sum(step[name] for step in steps) for name in counts}})
    terminalreporter.section("faults: possible, injected, survived")
    for step in steps:
        terminalreporter.write_line("{scenario:28}{possible:6}{faults:6}{survived:6}".format(**step))


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """The folder shared by all processes of this run."""
    return Path(os.environ[_RUN_FOLDER])


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The administrator's DSN of a PostgreSQL: MANAGED_TABLES_TEST_DSN, or an embedded server's."""
    given = os.environ.get("MANAGED_TABLES_TEST_DSN")
    if given:
        yield given
        return
    folder: Path = tmp_path_factory.mktemp("postgres", numbered=True)
    server = open_server(folder)
    server.start("fsync=off")
    try:
        yield server.dsn
    finally:
        remove_server(folder)
