"""The benchmarks' own bookkeeping, without a server."""

import threading
from typing import Any

from benchmarks.api import _measure_writes
from benchmarks.measuring import FULL, Table


class _Rows:
    """The rows of a table, to a client of the API and to bare SQL."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._lock = threading.Lock()

    def client(self) -> "_Rows":
        return self

    def call(self, method: str, _path: str, _body: bytes = b"") -> None:
        self._add({"POST": 1, "PUT": 0, "DELETE": -1}[method])

    def execute(self, statement: bytes, _values: Any = None) -> "_Rows":
        self._add({b"INSERT": 1, b"DELETE": -1}.get(statement.split()[0], 0))
        return self

    def fetchall(self) -> list[tuple[str]]:
        return [(f"row-{number}",) for number in range(self.count)]

    def _add(self, number: int) -> None:
        with self._lock:
            self.count += number

    def fetchone(self) -> None:
        return None


def test_deletes_at_full_size_find_a_row_each_and_leave_the_table_as_it_was() -> None:
    rows: Any = _Rows(1_000)
    _measure_writes(rows, rows, Table("/t/data", "mil", 1_000), FULL)
    assert rows.count == 1_000
