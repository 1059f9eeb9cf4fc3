"""The build in archives, as SAM uploads them."""

import zipfile
from pathlib import Path

import pytest

from managed_tables_local.deployed.packing import SETTINGS_DIGEST, copy_marked, pack

TEMPLATE = """Resources:
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
    "ApiFunction/managed_tables_api/app.py": "app",
    f"ApiFunction/{SETTINGS_DIGEST}": "of samconfig.toml",
    "CommonLayer/python/managed_tables/ids.py": "ids",
}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """The output of `sam build`: a function and the layer."""
    built = tmp_path / "sam"
    for name, content in FILES.items():
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_text(content)
    (built / "template.yaml").write_text(TEMPLATE)
    return built


@pytest.fixture
def marked(build: Path, tmp_path: Path) -> Path:
    """The archives of a deployment whose settings have the digest `of the parameters`."""
    pack(build, tmp_path / "packed")
    copy_marked(tmp_path / "packed", tmp_path / "marked", "of the parameters")
    return tmp_path / "marked"


def test_a_function_is_archived_with_the_digest_of_the_deployments_settings(marked: Path) -> None:
    assert _contents(marked / "ApiFunction.zip") == {
        "managed_tables_api/app.py": "app",
        SETTINGS_DIGEST: "of the parameters",
    }


def test_the_layer_is_archived_as_it_was_built(marked: Path) -> None:
    assert _contents(marked / "CommonLayer.zip") == {"python/managed_tables/ids.py": "ids"}


def test_the_template_names_the_archives_and_is_otherwise_as_it_was(marked: Path) -> None:
    text = (marked / "template.yaml").read_text()
    assert text == TEMPLATE.replace("Uri: CommonLayer", "Uri: CommonLayer.zip").replace(
        "Uri: ApiFunction", "Uri: ApiFunction.zip"
    )


def test_the_same_files_make_the_same_archives(build: Path, tmp_path: Path) -> None:
    """Else each build would publish a version of every function."""
    pack(build, tmp_path / "first")
    for path in build.rglob("*.py"):
        path.write_text(path.read_text())  # later
    pack(build, tmp_path / "second")
    first, second = (
        [(one.name, one.read_bytes()) for one in sorted((tmp_path / name).iterdir())]
        for name in ("first", "second")
    )
    assert first == second


def test_a_template_without_artefacts_is_refused(build: Path, tmp_path: Path) -> None:
    (build / "template.yaml").write_text("Resources: {}\n")
    with pytest.raises(ValueError, match="names no artefact"):
        pack(build, tmp_path / "packed")


def _contents(archive: Path) -> dict[str, str]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}
