"""The build in archives, as SAM uploads them."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from managed_tables_local.deployment import SETTINGS_DIGEST, pack

LAYERS = "    Layers:\n    - Ref: CommonLayer\n"
TEMPLATE = f"""Globals:
  Function:
{LAYERS}Resources:
  CommonLayer:
    Properties:
      ContentUri: CommonLayer
  ApiFunction:
    Properties:
      CodeUri: ApiFunction
  JobStateMachine:
    Properties:
      DefinitionUri: ../../../statemachine/job.asl.json
"""
FILES = {
    "ApiFunction/managed_tables_api/__init__.py": "OWN = 1",
    "ApiFunction/managed_tables_api/handler.py": "import managed_tables.ids, own\nfrom . import OWN",
    "ApiFunction/own.py": "",
    f"ApiFunction/{SETTINGS_DIGEST}": "of samconfig.toml",
    "CommonLayer/python/managed_tables/ids.py": "print('the layer')",
}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """The output of `sam build`: a function and the layer."""
    built = tmp_path / "sam"
    for name, content in FILES.items():
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_text(content)
    (built / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "packed").mkdir()
    return built


@pytest.mark.parametrize("whole", [True, False])
def test_a_function_runs_from_its_archive_and_has_the_deployments_digest(
    build: Path, tmp_path: Path, *, whole: bool
) -> None:
    """Its modules find their package's, the function's other packages and the layer's."""
    pack(build, tmp_path / "packed", "of the parameters", whole=whole)
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "packed" / "ApiFunction.zip") as archive:
        archive.extractall(unpacked)
    assert (unpacked / SETTINGS_DIGEST).read_text() == "of the parameters"
    assert (unpacked / "own.py").exists() == whole
    code = "import managed_tables_api.handler"
    ran = subprocess.run([sys.executable, "-S", "-c", code], cwd=unpacked, capture_output=True, check=True)
    assert ran.stdout == b"the layer\n"


@pytest.mark.parametrize("whole", [True, False])
def test_the_template_names_the_archives_and_is_otherwise_as_it_was(
    build: Path, tmp_path: Path, *, whole: bool
) -> None:
    """Only where functions hold the layer's packages they use no layer."""
    pack(build, tmp_path / "packed", "digest", whole=whole)
    expected = TEMPLATE.replace("Uri: CommonLayer", "Uri: CommonLayer.zip")
    expected = expected.replace("Uri: ApiFunction", "Uri: ApiFunction.zip")
    text = (tmp_path / "packed" / "template.yaml").read_text()
    assert text == (expected.replace(LAYERS, "") if whole else expected)


@pytest.mark.parametrize("template", ["Resources: {}\n", TEMPLATE.replace(LAYERS, "")])
def test_a_template_of_another_form_is_refused(build: Path, tmp_path: Path, template: str) -> None:
    (build / "template.yaml").write_text(template)
    with pytest.raises(ValueError, match="names no artefacts, or no layer"):
        pack(build, tmp_path / "packed", "digest", whole=True)
