"""Write what `sam deploy` uploads: an archive for each artefact of a build, and the template that names them.

To an emulator on this machine an archive only says where `sam build` has put its files, and functions import
them from there: 360 MB are not packed and uploaded for each stack, nor unpacked for each of its processes. An
emulator in a container sees none of them: its archives hold all, each function's the layer's packages too,
since there are emulators that apply no layers.
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


def pack(build: Path, packed: Path, digest: str, *, whole: bool) -> None:
    """Write the archives and the template of a deployment whose settings have this digest.

    `whole` is for an emulator that does not see the build. Raises ValueError for a template of another form.
    """
    template = (build / "template.yaml").read_text()
    names = {match[2] for match in _ARTEFACT.finditer(template)}
    if not names or _LAYERS not in template:
        raise ValueError(f"{build} names no artefacts, or no layer, as the template of `sam build` does")
    layer = build / LAYER / "python"
    for name in names:
        with zipfile.ZipFile(packed / f"{name}.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo(SETTINGS_DIGEST), digest)
            if whole:
                for folder in (build / name, layer) if name != LAYER else ():
                    _archive(folder, archive)
            else:
                for package in (build / name).glob("managed_tables_*"):
                    _point_to(package, layer, archive)
    for nested in re.findall(r"^ +TemplateURL: (\S+)$", template, re.MULTILINE):
        (packed / nested).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(build / nested, packed / nested)
    template = template.replace(_LAYERS, "") if whole else template
    (packed / "template.yaml").write_text(_ARTEFACT.sub(r"\1\2.zip", template))


def _archive(folder: Path, archive: zipfile.ZipFile) -> None:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file != folder / SETTINGS_DIGEST:
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix())  # without the time of its writing
            info.external_attr = (file.stat().st_mode | _READABLE) << 16
            archive.writestr(info, file.read_bytes())


def _point_to(package: Path, layer: Path, archive: zipfile.ZipFile) -> None:
    """Put a package into an archive that is the built one, its modules where they lie, beside the layer's."""
    paths, own = [str(package.parent), str(layer)], (package / "__init__.py").read_text()
    code = f"import sys\n\nsys.path[:0] = {paths!r}\n__path__ = [{str(package)!r}]\n{own}"
    archive.writestr(zipfile.ZipInfo(f"{package.name}/__init__.py"), code)
