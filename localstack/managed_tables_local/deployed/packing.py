"""Pack a build into archives, once, and uncompressed: SAM would compress 280 MB for each stack.

For emulators that apply no layers it is flattened first: the layer is copied into each function.
"""

import re
import shutil
import zipfile
from pathlib import Path

LAYER = "CommonLayer"
_LAYERS = f"    Layers:\n    - Ref: {LAYER}\n"
SETTINGS_DIGEST = "settings.sha256"  # what functions/artefact.py calls it, compared by a test
_ARTEFACT = re.compile(r"^( +(?:CodeUri|ContentUri): )(\w+)$", re.MULTILINE)
_READABLE = 0o444  # by Lambda's own user, too, as SAM sees to it


def pack(build: Path, packed: Path) -> None:
    """Write each artefact of a build into an archive, and the template that names the archives.

    The settings' digest is left out: `copy_marked` puts that of a deployment in its place.
    """
    template = (build / "template.yaml").read_text()
    names = {match[2] for match in _ARTEFACT.finditer(template)}
    if not names:
        raise ValueError(f"{build} names no artefact as the template of `sam build` does")
    packed.mkdir()
    for name in names:
        _archive(build / name, packed / f"{name}.zip")
    for nested in re.findall(r"^ +TemplateURL: (\S+)$", template, re.MULTILINE):
        (packed / nested).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(build / nested, packed / nested)
    (packed / "template.yaml").write_text(_ARTEFACT.sub(r"\1\2.zip", template))


def copy_marked(packed: Path, marked: Path, digest: str) -> None:
    """Copy what `pack` has written, with the digest of a deployment's settings in each function."""
    shutil.copytree(packed, marked, dirs_exist_ok=True)
    for path in marked.glob("*.zip"):
        if path.stem != LAYER:
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(zipfile.ZipInfo(SETTINGS_DIGEST), digest)


def _archive(folder: Path, path: Path) -> None:
    """Write an archive, the same for the same files: a function that has not changed stays as it is."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file != folder / SETTINGS_DIGEST:
                info = zipfile.ZipInfo(file.relative_to(folder).as_posix())  # without the time of its writing
                info.external_attr = (file.stat().st_mode | _READABLE) << 16
                archive.writestr(info, file.read_bytes())


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
