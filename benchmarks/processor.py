"""Read the processor seconds of a step: on a shared machine they tell more than the clock."""

import os
import resource
import time
from pathlib import Path

from managed_tables.databases.connecting import PgConnection

_TICKS = os.sysconf("SC_CLK_TCK")
_OWN = slice(11, 13)  # utime and stime: fields of /proc/<pid>/stat after the name


Spent = tuple[float, float]  # seconds, and the processor's


class Clock:
    """Counts from when it is made; on the server from when the connection was."""

    def __init__(self) -> None:
        self._start, self._used = time.perf_counter(), own_seconds()

    def spent(self, connection: PgConnection | None = None) -> Spent:
        """Return what has gone by, with the time of the connection's process where there is one."""
        of_server = 0.0 if connection is None else backend_seconds(connection)
        return time.perf_counter() - self._start, own_seconds() - self._used + of_server


def own_seconds() -> float:
    """Return what this process and its ended children have used."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def backend_seconds(connection: PgConnection) -> float:
    """Return what the connection's own process on the server has used (Linux)."""
    return sum(map(int, _fields(connection.info.backend_pid)[_OWN])) / _TICKS


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
