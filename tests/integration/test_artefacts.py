"""What `sam build` puts into each artefact: only what it imports, nothing twice, within its size."""

import os
import subprocess
import sys
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
MIB = 1_048_576
LIMITS_MIB = {
    "api": 60,
    "ingest": 60,
    "provision": 60,
    "analyze": 150,
    "insert": 150,
    "export": 160,
}  # unzipped, the layer included

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[2:]
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(*names)
"""


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the layer and every function's artefact, built for this interpreter."""
    folder = tmp_path_factory.mktemp("artefacts")
    for name in ("common", *LIMITS_MIB):
        command = [sys.executable, ROOT / "functions" / "artefact.py", name, folder / name]
        subprocess.run(command, check=True, env={**os.environ, "ARTEFACT_PYTHON": sys.executable})
    return folder


@pytest.fixture(scope="module")
def boto3_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and what it requires: all that Lambda's runtime brings."""
    folder = tmp_path_factory.mktemp("boto3")
    for module in _modules("boto3"):
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def _modules(distribution: str) -> set[str]:
    renamed = {"python-dateutil": "dateutil"}
    found = {renamed.get(distribution, distribution)}
    for text in requires(distribution) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= _modules(requirement.name)
    return found


@pytest.mark.parametrize("name", LIMITS_MIB)
def test_an_artefact_imports_with_only_itself_the_layer_and_boto3(
    artefacts: Path, boto3_alone: Path, name: str
) -> None:
    """Every module of it, also those that a handler imports late."""
    paths = [artefacts / name, artefacts / "common" / "python", boto3_alone]
    command = [sys.executable, "-I", "-S", "-c", IMPORT_EVERYTHING, f"managed_tables_{name}", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
    assert f"managed_tables_{name}.handler" in done.stdout.split()


@pytest.mark.parametrize("name", LIMITS_MIB)
def test_an_artefact_is_within_its_size(artefacts: Path, name: str) -> None:
    """Unzipped, with the layer."""
    size_mib = (_size(artefacts / name) + _size(artefacts / "common")) / MIB
    assert size_mib < LIMITS_MIB[name], f"{name}: {size_mib:.1f} MiB"


@pytest.mark.parametrize("name", LIMITS_MIB)
def test_nothing_of_the_layer_is_doubled_in_a_function(artefacts: Path, name: str) -> None:
    """A package lies in one of the two."""
    layer, own = _packages(artefacts / "common" / "python"), _packages(artefacts / name)
    assert not layer & own


@pytest.mark.parametrize("name", ["common", *LIMITS_MIB])
def test_every_source_is_compiled(artefacts: Path, name: str) -> None:
    """A cold start compiles nothing: the bytecode is valid whatever the time stamps are."""
    for source in (artefacts / name).rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        assert compiled.exists(), source
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", "not an unchecked hash"


def _packages(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_layer_brings_the_zones_itself(artefacts: Path) -> None:
    """Lambda's image is not to be relied on for them: DEFAULT_TIMEZONE must be there."""
    code = "import sys, zoneinfo; sys.path[:0] = sys.argv[1:]; zoneinfo.reset_tzpath(())"
    layer = str(artefacts / "common" / "python")
    command = [sys.executable, "-S", "-c", f"{code}; zoneinfo.ZoneInfo('America/Sao_Paulo')", layer]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
