"""A release has the same version everywhere, and its wheel includes the command."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from budgets import ROOT
from hatchling.builders.wheel import WheelBuilder

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION: str = PROJECT["project"]["version"]


def test_the_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)
    published = re.search(r"SemanticVersion: (\S+)", (ROOT / "template.yaml").read_text())
    assert published
    page = json.loads((ROOT / "console/package.json").read_text())
    assert {released[0], published[1], page["version"]} == {VERSION}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where only the wheel is installed, without its dependencies."""
    built, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(built), versions=["standard"])
    uv = Path(sys.executable).parent / "uv"
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--offline", "--target", folder, wheel]
    subprocess.run(install, check=True)
    return folder


def test_the_wheel_includes_the_command(installed: Path, tmp_path: Path) -> None:
    """It runs from the wheel's modules, away from the checkout, and reads a file."""
    (tmp_path / "file.csv").write_text("data;valor\n01/02/2026;1.234,50\n")
    script = (
        "import sys, managed_tables_command.__main__ as c; print(c.__file__); sys.exit(c.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "analyze", "file.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    module, answer = done.stdout.splitlines()
    assert Path(module).is_relative_to(installed)
    columns = json.loads(answer)["inferred_schema"]["columns"]
    assert {one["name"]: one["type"] for one in columns} == {"data": "date", "valor": "decimal"}
    assert (installed / "bin" / "managed-tables").is_file()


def test_the_wheel_contains_only_the_product(installed: Path) -> None:
    """Neither tests nor the local stack are in it."""
    packages = {path.name for path in installed.iterdir() if path.suffix != ".dist-info"}
    product = {Path(path).name for path in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    assert packages - {"bin", ".lock"} == product


def test_a_public_forge_runs_the_same_command_on_both_processors() -> None:
    """The oldest Python that the project allows is among those that it runs on."""
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert "- run: bash .ci/run" in workflow
    assert "machine: [ubuntu-24.04, ubuntu-24.04-arm]" in workflow
    assert f'python: ["{oldest}", ' in workflow
