"""What the local stack's emulator leaves on disk: 105 MB for each killed worker."""

import os
import subprocess
import sys
import time
from pathlib import Path

from managed_tables_local.deployed import emulator as local_emulator
from managed_tables_local.deployed.emulator import Emulator


def make_worker(folder: Path, name: str) -> Path:
    """Return a folder like that of a worker started long ago."""
    made = folder / "tmp" / f"ministack-lambda-{name}"
    made.mkdir(parents=True)
    (made / "_worker.py").write_text("input()")
    os.utime(made, (0, 0))
    return made


def test_starting_it_again_deletes_what_killed_workers_left(emulator: Emulator) -> None:
    """Workers that run, or are about to, keep their folders."""
    folder = Path(emulator.folder)
    dead, alive, new = (make_worker(folder, name) for name in ("dead", "alive", "new"))
    os.utime(new)
    command = [sys.executable, str(alive / "_worker.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as worker:
        assert local_emulator.start(folder, persistent=False) == emulator
        assert [path.exists() for path in (dead, alive, new)] == [False, True, True]
        worker.communicate(b"\n")


def test_stopping_it_deletes_them_all(tmp_path: Path) -> None:
    """Out of the way at once, then in the background, with what an interrupted deletion has left."""
    make_worker(tmp_path, "dead")
    (tmp_path / "gone-before").mkdir()
    local_emulator.stop(tmp_path)
    assert not (tmp_path / "tmp").exists()
    deadline = time.monotonic() + 30
    while list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, list(tmp_path.iterdir())
        time.sleep(0.02)
