"""What the local stack's emulator leaves on disk."""

import time
from pathlib import Path

from managed_tables_local import emulator as local_emulator


def test_stopping_it_deletes_them_all(tmp_path: Path) -> None:
    """Out of the way at once, then in the background, with what an interrupted deletion has left."""
    (tmp_path / "tmp" / "worker").mkdir(parents=True)
    (tmp_path / "gone-before").mkdir()
    local_emulator.stop(tmp_path)
    assert not (tmp_path / "tmp").exists()
    deadline = time.monotonic() + 30
    while list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, list(tmp_path.iterdir())
        time.sleep(0.02)
