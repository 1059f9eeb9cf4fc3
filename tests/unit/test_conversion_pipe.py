"""The pipe from DuckDB to COPY, on a system as bare as Lambda's."""

import shutil
import subprocess
import sys

import pytest

_UNSHARE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
_CONVERT = """
import duckdb
from managed_tables_insert.pipe import _converted
with duckdb.connect() as connection, _converted(connection, "SELECT 'café' AS a, 1 AS b") as chunks:
    print(b"".join(chunks).decode())
"""


def may_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_UNSHARE, "mount -t tmpfs none /dev"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_unshare(), reason="needs Linux namespaces that this user may make")
def test_the_pipe_works_without_dev() -> None:
    """Lambda's /dev is read-only, and lacks /dev/fd for files opened later."""
    script = f'mount -t tmpfs -o ro none /dev && exec {sys.executable} -c "$0"'
    done = subprocess.run([*_UNSHARE, script, _CONVERT], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("café,1", "")
