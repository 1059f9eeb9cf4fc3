"""The builds that running stacks import their functions from."""

import os
from pathlib import Path

import pytest

from managed_tables_local import deployment


def test_the_builds_used_last_stay_and_that_of_the_running_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that is used again counts as the last one; `make up` may have used the oldest."""
    monkeypatch.setattr(deployment, "LOCAL", tmp_path)
    monkeypatch.setattr(deployment, "_BUILDS", tmp_path / "builds")
    monkeypatch.setattr(deployment, "run_sam", lambda arguments, *_: arguments[2].mkdir())
    monkeypatch.setattr(deployment, "_platform_parameters", dict)
    monkeypatch.setattr(deployment, "_python", Path)
    monkeypatch.setattr(deployment, "_switch_off_code_deploy", lambda _: None)
    (tmp_path / "deployed.json").write_text('["0", {}, false]')
    builds = tmp_path / "builds"
    for digest in "01231451":
        for built in builds.glob("*"):  # were used 10 s ago, and more
            before = built.stat().st_mtime - 10
            os.utime(built, (before, before))
        monkeypatch.setattr(deployment, "fingerprint", lambda digest=digest: digest)
        assert deployment.build() == builds / digest
    assert {path.name for path in builds.iterdir()} == set("0145")
