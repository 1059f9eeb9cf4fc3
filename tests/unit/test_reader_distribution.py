"""managed-tables-reader is whole: its wheel reads files where nothing else of the product is installed."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from budgets import ROOT
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

_READER = ROOT / "reader"
_CHECK = _READER / "tests" / "check_files.py"
_ABSENT = "boto3, botocore, aws_lambda_powertools, fastapi, starlette, psycopg, managed_tables_api, duckdb"
_RUN = f"""
import runpy, sys
sys.modules.update(dict.fromkeys("{_ABSENT}".split(", ")))  # importing any of them fails
sys.argv = sys.argv[1:]
import managed_tables_reader
assert managed_tables_reader.__file__.startswith({{folder!r}}), managed_tables_reader.__file__
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    built = tmp_path_factory.mktemp("sdist")
    (archive,) = SdistBuilder(str(_READER)).build(directory=str(built), versions=["standard"])
    subprocess.run(["tar", "-xzf", archive, "-C", built], check=True)
    return next(path for path in built.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def installed(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where only the wheel is installed, which the sdist has made."""
    built, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    (wheel,) = WheelBuilder(str(sdist)).build(directory=str(built), versions=["standard"])
    uv = Path(sys.executable).parent / "uv"
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--offline", "--target", folder, wheel]
    subprocess.run(install, check=True)
    return folder


def test_the_wheel_reads_as_the_product_does(installed: Path) -> None:
    """Without AWS, FastAPI and DuckDB; `make test-reader` compares every file of tests/files."""
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            _RUN.format(folder=str(installed)),
            _CHECK,
            ROOT / "tests/files",
            "--every",
            "80",
        ],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "are read as the product reads them" in done.stdout


def test_the_wheel_has_the_command(installed: Path) -> None:
    assert (installed / "bin" / "read-tables").is_file()


def test_the_wheel_holds_no_step_of_a_job(installed: Path) -> None:
    """Nor a function, nor the catalogue."""
    held = {path.relative_to(installed).as_posix() for path in installed.rglob("*.py")}
    assert not [name for name in held if "handler" in name or "/catalog/" in name or "/aws/" in name]
    assert "managed_tables_reader/tables.py" in held


def test_versions_of_the_reader_agree() -> None:
    """Its changelog begins with the version that is built, and DuckDB is the product's."""
    project = tomllib.loads((_READER / "pyproject.toml").read_text())["project"]
    product = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"## [{project['version']}]" in (_READER / "CHANGELOG.md").read_text()
    needed = [*project["dependencies"], *project["optional-dependencies"]["infer"]]
    assert {one for one in needed if one != "tzdata"} <= set(product["dependencies"])
