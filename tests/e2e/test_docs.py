"""The guide's blocks run as they stand, in order, against the deployed stack."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from client import Console

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MAKE_TOKEN = re.compile(r"\$\(make -s token .*?\)")
LIMIT_SECONDS = 240


def blocks(document: str, language: str) -> str:
    """Return all blocks of one language of a page of docs/, joined."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return "\n".join(body for name, body in _BLOCK.findall(text) if name == language)


def test_the_shell_blocks_of_the_guide_run(console: Console, tmp_path: Path) -> None:
    script = "set -euo pipefail\n" + blocks("docs/api.md", "bash")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "API": console.base_url, "TOKEN": console.token()},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert '"code"' not in done.stdout, done.stdout


def test_the_shell_blocks_of_the_readme_run(console: Console, stack_file: Path, tmp_path: Path) -> None:
    for name in (".venv", "localstack"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").symlink_to(stack_file.resolve())
    # `make token` signs for the checkout's own stack; here another one is under test.
    script = _MAKE_TOKEN.sub(console.token(), blocks("README.md", "bash"))
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert '"valor_total"' in done.stdout
    assert (tmp_path / "rows" / "vendas.csv.csv").exists()


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
