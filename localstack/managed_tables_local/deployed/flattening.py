"""Flatten a build: copy the layer into each function, for emulators that apply no layers."""

import shutil
from pathlib import Path

LAYER = "CommonLayer"
_LAYERS = f"    Layers:\n    - Ref: {LAYER}\n"


def flatten(build: Path, flat: Path) -> None:
    """Write the build of `sam build` to `flat` with no function using the layer any more."""
    shutil.rmtree(flat, ignore_errors=True)
    shutil.copytree(build, flat)
    packages = build / LAYER / "python"
    for function in flat.iterdir():
        if function.is_dir() and function.name != LAYER and not (function / "template.yaml").exists():
            shutil.copytree(packages, function, dirs_exist_ok=True)
    template = flat / "template.yaml"
    text = template.read_text()
    if _LAYERS not in text:
        raise ValueError(f"{build} does not use the layer as template.yaml does")
    template.write_text(text.replace(_LAYERS, ""))
