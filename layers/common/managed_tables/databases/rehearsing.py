"""Do a write as a rehearsal: by the statements that would do it, in a transaction that is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from managed_tables.databases.connecting import PgConnection

_REHEARSES: ContextVar[bool] = ContextVar("rehearses", default=False)


@contextmanager
def rehearsal() -> Iterator[None]:
    """Let nothing that is written to companies' databases within the block stay."""
    token = _REHEARSES.set(True)
    try:
        yield
    finally:
        _REHEARSES.reset(token)


def is_rehearsal() -> bool:
    """Return whether this is one."""
    return _REHEARSES.get()


@contextmanager
def performed(connection: PgConnection) -> Iterator[None]:
    """Do the block's statements; in a rehearsal they are rolled back."""
    if is_rehearsal():
        with connection.transaction(force_rollback=True):
            yield
    else:
        yield
