"""Build a Lambda artefact: `artefact.py NAME FOLDER`, called by the makefiles of `sam build`.

NAME is a function's (`api`, `ingest`, `provision`, `analyze`, `insert`, `export`, `operations`) or `common`,
the layer. The packages come from requirements/NAME.txt, hashes checked; a function's are without the layer's.
What is never imported is removed, the rest is compiled, so that a cold start compiles nothing.

A function's artefact holds a digest of samconfig.toml, where parameters stand, and of the template. SAM makes
a version of a function only if its code or its own text differ, not if a parameter's value does
(aws/serverless-application-model#3820): callers of the alias would keep the old settings.

The target is AWS, unless the environment says otherwise:
ARTEFACT_RUNTIME (python3.13) and ARTEFACT_ARCHITECTURE (arm64), as the template's parameters Runtime and
Architecture; or ARTEFACT_PYTHON, an interpreter of this machine for which to build (the local stack).

Standard library only: it runs before anything is installed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYER = "common"
SETTINGS_DIGEST = "settings.sha256"
SOURCES = {
    LAYER: ROOT / "layers/common/managed_tables",
    "operations": ROOT / "operations/managed_tables_operations",
}
DEFAULT_RUNTIME = "python3.13"  # template.yaml's defaults, compared by a test
DEFAULT_ARCHITECTURE = "arm64"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_MANYLINUX = "manylinux_2_28"  # Amazon Linux 2023, on which Lambda's Pythons run, has glibc 2.34

# Never imported: sources for other compilers, type stubs, the installers' records, the packages' own tests.
_UNUSED_SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".h", ".cpp", ".hpp", ".typed", ".pth"}
_UNUSED_FOLDERS = {"tests", "__pycache__", "bin"}
# Of 445 services that botocore describes, in 28 MB, those that the functions call
AWS_SERVICES = frozenset({"dynamodb", "events", "lambda", "s3", "secretsmanager", "sqs", "stepfunctions"})
# Of a whole PostgreSQL, what copies a company to another cluster
_PROGRAMS = frozenset({"pg_dump", "pg_restore"})
_UNUSED_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "top_level.txt"}


@dataclass(frozen=True)
class Target:
    """A Python version, its interpreter if it is one of this machine, and how uv is told of both."""

    version: str
    interpreter: str | None
    options: list[str]


def read_target(environment: dict[str, str]) -> Target:
    """Return the target that the environment names."""
    interpreter = environment.get("ARTEFACT_PYTHON")
    if interpreter is not None:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        found = subprocess.run([interpreter, "-c", code], check=True, capture_output=True, text=True)
        return Target(found.stdout.strip(), interpreter, ["--python", interpreter])
    runtime = environment.get("ARTEFACT_RUNTIME", DEFAULT_RUNTIME)
    architecture = environment.get("ARTEFACT_ARCHITECTURE", DEFAULT_ARCHITECTURE)
    if architecture not in _MACHINES or not re.fullmatch(r"python3\.\d+", runtime):
        raise SystemExit(f"artefact: no such target: {runtime} on {architecture}")
    version, machine = runtime.removeprefix("python"), f"{_MACHINES[architecture]}-{_MANYLINUX}"
    return Target(version, None, ["--python-platform", machine, "--python-version", version])


def build(name: str, folder: Path, target: Target) -> None:
    """Fill `folder` with the artefact `name`; a layer's packages lie in its folder `python`."""
    packages = folder / "python" if name == LAYER else folder
    packages.mkdir(parents=True, exist_ok=True)
    sources = [SOURCES[name]] if name in SOURCES else sorted(ROOT.glob(f"functions/{name}/managed_tables_*"))
    requirements = ROOT / "requirements" / f"{name}.txt"
    if requirements.stat().st_size:
        _install(requirements, packages, target)
    for source in sources:
        shutil.copytree(source, packages / source.name, dirs_exist_ok=True)
    if name != LAYER:
        (folder / SETTINGS_DIGEST).write_text(settings_digest())
    prune(packages)
    _compile(packages, target)


def settings_digest() -> str:
    """Return the digest of what a function's environment comes of: parameters, mappings, nested stacks."""
    digest = hashlib.sha256()
    paths = [ROOT / "samconfig.toml", ROOT / "template.yaml", *sorted((ROOT / "templates").glob("*.yaml"))]
    for path in paths:
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def _install(requirements: Path, folder: Path, target: Target) -> None:
    exact = ["--no-deps", "--require-hashes", "--target", str(folder), "-r", str(requirements)]
    install = [find_uv(), "pip", "install", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*install, *target.options, *exact], check=True)


def find_uv() -> str:
    """Return uv's path, the project's own first; SystemExit where there is none."""
    own = ROOT / ".venv" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise SystemExit("artefact: uv is not installed: run `make setup`")
    return found


def prune(folder: Path) -> None:
    """Remove what no function imports or calls, keeping the metadata that packages read of themselves."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and _is_unused_folder(path):
            shutil.rmtree(path)
        elif path.is_file() and _is_unused_file(path):
            path.unlink()


def _is_unused_folder(folder: Path) -> bool:
    if folder.match("botocore/data/*"):
        return folder.name not in AWS_SERVICES
    if folder.name == "bin" and folder.parent.name == "pginstall":
        return False
    return folder.name in _UNUSED_FOLDERS or folder.name.endswith("-stubs")


def _is_unused_file(file: Path) -> bool:
    """Return whether it is a source, an installer's record, or of the PostgreSQL that no command runs."""
    if file.suffix in _UNUSED_SUFFIXES or file.name == ".lock":
        return True
    if file.parent.suffix == ".dist-info" and file.name in _UNUSED_RECORDS:
        return True
    return "pginstall" in file.parts and file.name not in _PROGRAMS


def _compile(folder: Path, target: Target) -> None:
    """Compile to bytecode that stays valid when files are copied or unzipped (no time stamps in it)."""
    find = [find_uv(), "python", "find", "--no-python-downloads", target.version]
    python = target.interpreter or subprocess.run(find, capture_output=True, text=True).stdout.strip()
    if not python:
        print(
            f"artefact: no python{target.version} here: the artefact goes without bytecode", file=sys.stderr
        )
        return
    options = ["-q", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", str(folder)]
    subprocess.run([str(python), "-m", "compileall", *options, str(folder)], check=True)


def main() -> None:
    """Build the artefact named by the first argument into the folder named by the second."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    build(sys.argv[1], Path(sys.argv[2]), read_target(dict(os.environ)))


if __name__ == "__main__":
    main()
