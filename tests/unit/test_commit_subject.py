"""The commit-msg hook accepts Conventional Commits of at most 72 characters, and nothing else."""

import subprocess
from pathlib import Path

import pytest
from budgets import ROOT


@pytest.mark.parametrize(
    ("subject", "is_accepted"),
    [
        ("fix(layout): keep quoted cells whole in short rows", True),
        ("feat!: refuse unknown parameters", True),
        ("docs: " + "x" * 66, True),
        ("docs: " + "x" * 67, False),
        ("x", False),
        ("Fix the layout", False),
        ("fix: a full stop.", False),
        ("fix(Layout): capitals", False),
        ("Merge branch 'main'", True),
    ],
)
def test_a_subject_is_a_conventional_commit(tmp_path: Path, subject: str, is_accepted: bool) -> None:
    message = tmp_path / "message"
    message.write_text(
        f"{subject}\n\nfix: a body may say anything, however long it is and whatever it is about.\n"
    )
    done = subprocess.run([ROOT / ".ci/subject", message], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is is_accepted, done.stderr
