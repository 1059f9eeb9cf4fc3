"""Print a command's progress: one line a step, with the seconds passed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

_console = Console()


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


def table(rows: list[list[str]]) -> str:
    """Lay rows out in columns of even width; the first row is the header."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
