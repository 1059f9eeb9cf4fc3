"""Deploy template.yaml to the emulator by `sam build` and `sam deploy`, as to AWS."""

import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import boto3

from managed_tables_local.checkout import (
    LOCAL,
    TEMPLATE,
    exclusive,
    fingerprint,
    run_quietly,
    step,
    tool_environment,
)
from managed_tables_local.emulator import REGION, Emulator, delete_in_background

STACK_NAME = "managed-tables"
STAGE = "local"
_BUILDS = LOCAL / "builds"
_KEPT_BUILDS = 3  # the last ones used, beside that of `make up`: running stacks import from theirs
_PACKED = LOCAL / "packed"  # as deep as the builds, as the template's paths to sources need it
_POLL_SECONDS = "0.5"  # between looks at a deployment: sam's default is 5, the emulator takes 1
_DEPLOY_OPTIONS = (
    "--stack-name", STACK_NAME, "--resolve-s3", "--capabilities", "CAPABILITY_IAM",
    "--no-confirm-changeset", "--no-fail-on-empty-changeset",
)  # fmt: skip
LAYER = "CommonLayer"
_LAYERS = f"    Layers:\n    - Ref: {LAYER}\n"
SETTINGS_DIGEST = "settings.sha256"  # what functions/artefact.py calls it, compared by a test
_ARTEFACT = re.compile(r"^( +(?:CodeUri|ContentUri): )(\w+)$", re.MULTILINE)
_READABLE = 0o444  # by Lambda's own user, too, as SAM sees to it


Outputs = Mapping[str, str]  # the template's, by their names


def deploy(emulator: Emulator, parameters: dict[str, str], record: Path, *, whole: bool = False) -> Outputs:
    """Deploy, unless the stack is there and `record` notes these sources and parameters.

    `whole` archives are for an emulator in a container, which does not see what was built here.
    """
    everything = {**_platform_parameters(), **parameters}
    wanted = json.dumps([fingerprint(), everything, whole], sort_keys=True)
    outputs = read_outputs(emulator)
    if outputs and record.exists() and record.read_text() == wanted:
        return outputs
    built = build()
    _PACKED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_PACKED) as folder, step("sam deploy"):
        # Takes the place of the settings' digest, which functions/artefact.py explains
        settings = json.dumps(everything, sort_keys=True).encode() + TEMPLATE.read_bytes()
        pack(built, Path(folder), hashlib.sha256(settings).hexdigest(), whole=whole)
        run_sam(
            ["deploy", "--template-file", Path(folder) / "template.yaml", *_DEPLOY_OPTIONS],
            everything,
            {**emulator.credentials, "SAM_CLI_POLL_DELAY": _POLL_SECONDS},
        )
    record.write_text(wanted)
    outputs = read_outputs(emulator)
    if outputs is None:
        raise SystemExit("sam deploy ended well, but the stack has no outputs")
    return outputs


def read_outputs(emulator: Emulator) -> Outputs | None:
    """Return the deployed stack's outputs, or None if it is not (wholly) deployed."""
    client = boto3.client("cloudformation", **emulator.client_arguments)
    try:
        stack = client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    except client.exceptions.ClientError:
        return None
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def read_environment(emulator: Emulator, logical_id: str) -> dict[str, str]:
    """Return the environment variables of a deployed function."""
    functions = boto3.client("lambda", **emulator.client_arguments)
    deployed = functions.get_function_configuration(FunctionName=function_name(emulator, logical_id))
    return dict(deployed["Environment"]["Variables"])


def function_name(emulator: Emulator, logical_id: str) -> str:
    """Return the name of a deployed function."""
    stacks = boto3.client("cloudformation", **emulator.client_arguments)
    resource = stacks.describe_stack_resource(StackName=STACK_NAME, LogicalResourceId=logical_id)
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


def _platform_parameters() -> dict[str, str]:
    code = "import sys; print('python%d.%d' % sys.version_info[:2])"
    runtime = run_quietly([_python(), "-c", code]).strip()
    return {**function_parameters(runtime), "DeletionProtection": "false", "Emulated": "true"}


def _python() -> Path:
    """Return the emulator's interpreter, on which functions run."""
    return tool_environment("ministack") / "python"


def function_parameters(runtime: str) -> dict[str, str]:
    """Return the template's parameters that say what functions are built for, on this machine."""
    architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    return {"Stage": STAGE, "Runtime": runtime, "Architecture": architecture}


def build() -> Path:
    """Run `sam build` unless these sources are built, and return where; needs no emulator."""
    built = _BUILDS / fingerprint()
    with exclusive(LOCAL / "build.lock"):
        if not built.exists():
            begun = _BUILDS / "begun"
            _BUILDS.mkdir(exist_ok=True)
            shutil.rmtree(begun, ignore_errors=True)
            with step("sam build"):
                made_for = {"ARTEFACT_PYTHON": str(_python())}
                run_sam(["build", "--build-dir", begun], _platform_parameters(), made_for)
            _switch_off_code_deploy(begun / "template.yaml")
            begun.rename(built)
            record = LOCAL / "deployed.json"  # of the stack of `make up`, which may run for days
            used = record.read_text() if record.exists() else ""
            others = (path for path in _BUILDS.iterdir() if path.name not in used)
            by_use = sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)
            delete_in_background(LOCAL, by_use[_KEPT_BUILDS:])
        built.touch()
    return built


def _switch_off_code_deploy(template: Path) -> None:
    """Make the default of GradualDeployment `false`: the emulator transforms without our parameters."""
    text = template.read_text()
    on, off = (f"  GradualDeployment:\n    Type: String\n    Default: '{word}'" for word in ("true", "false"))
    if on not in text:
        raise ValueError(f"{template} has no GradualDeployment as template.yaml has it")
    template.write_text(text.replace(on, off))


def run_sam(arguments: list[object], parameters: dict[str, str], environment: dict[str, str]) -> None:
    """Run SAM on the template with these parameters, in an environment that has little of the developer's."""
    sam = tool_environment("sam") / "sam"
    quoted = {name: json.dumps(value) if '"' in value else value for name, value in parameters.items()}
    overrides = [f"{name}={value}" for name, value in quoted.items()]  # JSON has its quotes escaped
    home = LOCAL / "sam-home"
    home.mkdir(exist_ok=True)
    clean = {
        "PATH": f"{sam.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))},
        **environment,
    }
    template = [] if "--template-file" in arguments else ["--template-file", TEMPLATE]
    run_quietly([sam, *arguments, *template, "--parameter-overrides", *overrides], clean)


def pack(build: Path, packed: Path, digest: str, *, whole: bool) -> None:
    """Write the archives and the template of a deployment whose settings have this digest.

    To an emulator on this machine an archive only says where `sam build` has put its files, and functions
    import them from there: 360 MB are not packed and uploaded for each stack, nor unpacked for each of its
    processes. `whole` is for an emulator in a container, which sees none of them: its archives hold all, each
    function's the layer's packages too, since there are emulators that apply no layers.
    Raises ValueError for a template of another form.
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
