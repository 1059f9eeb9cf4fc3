"""The guide's blocks run unchanged, in order, against the deployed stack."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from client import Console

from managed_tables_local import demo
from managed_tables_local import stack as local

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs from one run to the next: steps that take time, ids, addresses, tokens
_VARIES = re.compile(r" s$|[0-9a-f]{24}|https?://|eyJ")
_MAKE_TOKEN = re.compile(r"\$\(make -s token .*?\)")
LIMIT_SECONDS = 240


def blocks(document: str, language: str) -> str:
    """Return all blocks in one language of a page in docs/, joined."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return "\n".join(body for name, body in _BLOCK.findall(text) if name == language)


@pytest.fixture
def checkout(stack_file: Path, tmp_path: Path) -> Path:
    """A folder like this checkout, with the stack under test as its stack."""
    for name in (".venv", "localstack"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").symlink_to(stack_file.resolve())
    return tmp_path


def run_shell(script: str, folder: Path, console: Console) -> str:
    """Run a script in the folder and return what it prints."""
    # `make token` signs for the checkout's stack; here another one is under test.
    script = "set -euo pipefail\n" + _MAKE_TOKEN.sub(console.token(), script)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout


def test_the_shell_blocks_of_the_guide_run(console: Console, checkout: Path) -> None:
    printed = run_shell(blocks("docs/api.md", "bash"), checkout, console)
    assert '{"error":"' not in printed, printed


def test_the_shell_blocks_of_the_readme_run(console: Console, checkout: Path) -> None:
    printed = run_shell(blocks("README.md", "bash"), checkout, console)
    assert '"valor_total"' in printed
    assert '"total":' in printed
    assert (checkout / "vendas_excel.csv").exists()


def test_the_shell_blocks_of_getting_started_run(console: Console, checkout: Path) -> None:
    printed = run_shell(blocks("docs/getting-started.md", "bash"), checkout, console)
    assert "'_2026_valor'" in printed
    assert "\n3\n" in printed, "the total, 3, is not printed"
    assert '"produto":"Café","codigo":"00123"' in printed
    assert (checkout / "janeiro.csv").read_text(encoding="utf-8-sig").count("\n") == 3


def test_make_run_prints_what_the_readme_shows(
    stack_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compares every line without a time, an id, a token or an address."""
    demo.run(local.load(stack_file), tmp_path)
    printed = set(capsys.readouterr().out.splitlines())
    shown = blocks("README.md", "console").partition("\n$")[0].splitlines()[1:]
    fixed = [line for line in shown if line and line != "…" and not _VARIES.search(line)]
    assert len(fixed) > 8
    assert set(fixed) <= printed


def test_the_python_block_of_the_guide_runs(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console.provision()
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"API": console.base_url, "TOKEN": console.token()}
    exec(blocks("docs/api.md", "python"), names)  # noqa: S102 - the page's own code is what is tested
    assert capsys.readouterr().out.splitlines() == [
        "Ana 012.345.678-90 1234.56",
        "João 987.654.321-00 -10.00",
    ]
