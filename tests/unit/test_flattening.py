"""The build for an emulator that does not apply layers."""

from pathlib import Path

import pytest

from managed_tables_local.deployed.packing import flatten

TEMPLATE = "Globals:\n  Function:\n    Layers:\n    - Ref: CommonLayer\n    Tracing: Active\nResources: {}\n"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """The output of `sam build`: a function and the layer."""
    built = tmp_path / "sam"
    for file in ("ApiFunction/managed_tables_api/app.py", "CommonLayer/python/managed_tables/ids.py"):
        (built / file).parent.mkdir(parents=True)
        (built / file).write_text(file)
    (built / "template.yaml").write_text(TEMPLATE)
    return built


def test_each_function_contains_the_layers_packages_beside_its_own(build: Path, tmp_path: Path) -> None:
    flatten(build, tmp_path / "flat")
    function = tmp_path / "flat" / "ApiFunction"
    assert sorted(path.name for path in function.iterdir()) == ["managed_tables", "managed_tables_api"]


def test_no_function_uses_the_layer_any_more(build: Path, tmp_path: Path) -> None:
    flatten(build, tmp_path / "flat")
    text = (tmp_path / "flat" / "template.yaml").read_text()
    assert text == "Globals:\n  Function:\n    Tracing: Active\nResources: {}\n"


def test_a_template_that_uses_the_layer_otherwise_is_refused(build: Path, tmp_path: Path) -> None:
    (build / "template.yaml").write_text("Resources: {}\n")
    with pytest.raises(ValueError, match="does not use the layer"):
        flatten(build, tmp_path / "flat")
