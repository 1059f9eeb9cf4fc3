"""What `sam build` puts into each artefact: only what it imports, nothing twice, within its size limit."""

import hashlib
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from managed_tables_local import deployment

ROOT = Path(__file__).parents[2]
BUILDER = runpy.run_path(str(ROOT / "functions" / "artefact.py"))
AWS_SERVICES, SETTINGS_DIGEST = BUILDER["AWS_SERVICES"], BUILDER["SETTINGS_DIGEST"]
CLIENTS = (
    "layers/common/managed_tables/aws_services.py",
    "operations/managed_tables_operations/__main__.py",
)
MIB = 1_048_576
LIMITS_MIB = {
    "ApiFunction": 77,  # 1.9 of them the viewer of its reference, 3.2 YAML
    "IngestFunction": 70,
    "ProvisionFunction": 70,
    "AnalyzeFunction": 150,
    "InsertFunction": 170,
    "ExportFunction": 160,
    "OperatorFunction": 80,
}  # unzipped, the layer included

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
own = [one.name for one in pkgutil.iter_modules(sys.argv[1:2]) if one.name.startswith("managed_tables_")]
packages = [importlib.import_module(name) for name in own]
names = [one.name for own in packages for one in pkgutil.walk_packages(own.__path__, own.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(*names)
"""


@pytest.fixture(scope="module")
def artefacts() -> Path:
    """The folder of the layer and every function's artefact, by `sam build` for this machine."""
    return deployment.build()


@pytest.mark.parametrize("name", LIMITS_MIB)
def test_an_artefact_imports_with_only_itself_and_the_layer(artefacts: Path, name: str) -> None:
    """Every module, also those that a handler imports late, without what Lambda's runtime provides."""
    paths = [artefacts / name, artefacts / deployment.LAYER / "python"]
    command = [sys.executable, "-I", "-S", "-c", IMPORT_EVERYTHING, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
    package = name.removesuffix("Function").lower().replace("operator", "operations")
    assert f"managed_tables_{package}.handler" in done.stdout.split()


def test_the_layer_has_the_locked_version_of_boto3(artefacts: Path) -> None:
    """It has the descriptions of the services that are called, and no others."""
    layer = artefacts / deployment.LAYER / "python"
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import boto3; print(boto3.__version__, boto3.__file__)\n"
        "for name in sys.argv[2:]: boto3.client(name, region_name='sa-east-1')"
    )
    command = [sys.executable, "-I", "-S", "-c", code, layer, *sorted(AWS_SERVICES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == 0, done.stderr
    version, path = done.stdout.split()
    assert f"boto3=={version} " in (ROOT / "requirements" / "common.txt").read_text()
    assert Path(path).is_relative_to(layer)
    described = {one.name for one in (layer / "botocore" / "data").iterdir() if one.is_dir()}
    assert described == AWS_SERVICES
    texts = [(ROOT / path).read_text() for path in CLIENTS]
    called = set(re.findall(r'\.client\(\s*"(\w+)"', "".join(texts)))
    assert called == AWS_SERVICES


def test_changed_settings_change_every_function_so_that_a_version_is_published(artefacts: Path) -> None:
    """SAM looks at the code and at the template's text, not at the values of parameters."""
    paths = [ROOT / "samconfig.toml", ROOT / "template.yaml", *sorted((ROOT / "templates").glob("*.yaml"))]
    texts = [path.read_bytes() for path in paths]
    digest = hashlib.sha256(b"".join(texts)).hexdigest()
    assert {(artefacts / name / SETTINGS_DIGEST).read_text() for name in LIMITS_MIB} == {digest}
    assert deployment.SETTINGS_DIGEST == SETTINGS_DIGEST


@pytest.mark.parametrize("name", LIMITS_MIB)
def test_an_artefact_is_within_its_size_limit(artefacts: Path, name: str) -> None:
    """The size is unzipped, including the layer."""
    size_mib = (_size(artefacts / name) + _size(artefacts / deployment.LAYER)) / MIB
    assert size_mib < LIMITS_MIB[name], f"{name}: {size_mib:.1f} MiB"


@pytest.mark.parametrize("name", LIMITS_MIB)
def test_no_package_is_in_both_the_layer_and_a_function(artefacts: Path, name: str) -> None:
    """A package is in one of the two only."""
    layer, own = _packages(artefacts / deployment.LAYER / "python"), _packages(artefacts / name)
    assert not layer & own


@pytest.mark.parametrize("name", [deployment.LAYER, *LIMITS_MIB])
def test_every_source_is_compiled(artefacts: Path, name: str) -> None:
    """A cold start compiles nothing: the bytecode is valid whatever the timestamps."""
    for source in (artefacts / name).rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        assert compiled.exists(), source
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", "not an unchecked hash"


def _packages(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_layer_has_its_own_time_zones(artefacts: Path) -> None:
    """Lambda's image may lack them, and DEFAULT_TIMEZONE must exist."""
    code = "import sys, zoneinfo; sys.path[:0] = sys.argv[1:]; zoneinfo.reset_tzpath(())"
    layer = str(artefacts / deployment.LAYER / "python")
    command = [sys.executable, "-S", "-c", f"{code}; zoneinfo.ZoneInfo('America/Sao_Paulo')", layer]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
