"""Keep the statements that were composed last: as many as fit into a number of bytes, whatever their size."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial, wraps
from typing import ParamSpec

MAX_BYTES = 16 * 1024 * 1024  # of all statements: a page of 1,500 columns has 150 KB, one of ten 2 KB
MAX_STATEMENTS = 1_000  # each keeps its table's definition in memory, too

Parameters = ParamSpec("Parameters")


class StatementCache:
    """Statements by what they were composed of; the least recently used go first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._statements: OrderedDict[Hashable, bytes] = OrderedDict()
        self.bytes_kept = 0

    def find_or_compose(self, key: Hashable, compose: Callable[[], bytes]) -> bytes:
        """Return the statement of the key, composed where it is not kept."""
        with self._lock:
            found = self._statements.get(key)
            if found is not None:
                self._statements.move_to_end(key)
                return found
        statement = compose()
        with self._lock:
            if key not in self._statements:
                self._statements[key] = statement
                self.bytes_kept += len(statement)
            while self.bytes_kept > self._max_bytes or len(self._statements) > MAX_STATEMENTS:
                _, evicted = self._statements.popitem(last=False)
                self.bytes_kept -= len(evicted)
        return statement


STATEMENTS = StatementCache(MAX_BYTES)


def kept_statement(compose: Callable[Parameters, bytes]) -> Callable[Parameters, bytes]:
    """Keep what a function composes; its arguments stay as long, and must hold no values of a request."""

    @wraps(compose)
    def find_or_compose(*args: Parameters.args, **kwargs: Parameters.kwargs) -> bytes:
        key = (compose.__qualname__, args, tuple(kwargs.items()))
        return STATEMENTS.find_or_compose(key, partial(compose, *args, **kwargs))

    return find_or_compose
