"""Print a command's progress: one line a step, with the seconds passed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

_console = Console()


class StackError(RuntimeError):
    """A part of the local stack, or what was run on it, has failed; the message says which."""


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show in a terminal that the block runs, then print how long it took; steps may overlap."""
    started = time.monotonic()
    outcome = "failed"
    try:
        with _console.status(escape(title)):
            yield
        outcome = "done"
    finally:
        say(f"==> {title}: {outcome} in {time.monotonic() - started:.1f} s")
