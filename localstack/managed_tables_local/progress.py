"""Print a command's progress: one line a step, with the seconds passed."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_BEAT_SECONDS = 2.0  # a step that is longer than this shows that it is alive
_FRAME_SECONDS = 0.2


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print `title`, show the seconds while the block runs, and how long it took; steps may overlap."""
    started = time.monotonic()
    ended = threading.Event()
    _running[title] = started
    ticker = threading.Thread(target=_tick, args=(title, ended), daemon=True)
    ticker.start()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        del _running[title]
        ended.set()
        ticker.join()
        start = _LINE_START if sys.stdout.isatty() else ""
        say(f"{start}==> {title}: {outcome} in {time.monotonic() - started:.1f} s")


_running: dict[str, float] = {}  # when each step that runs was started
_LINE_START = "\r\x1b[K"  # and nothing of what stood there


def _tick(title: str, ended: threading.Event) -> None:
    if not sys.stdout.isatty():
        if not ended.wait(_BEAT_SECONDS):
            say(f"==> {title} …")
        return
    while not ended.wait(_FRAME_SECONDS):
        now = time.monotonic()
        steps = ", ".join(f"{step} … {now - started:.0f} s" for step, started in [*_running.items()])
        print(f"{_LINE_START}==> {steps} ", end="", flush=True)


def bar(done: int, total: int, width: int = 30) -> str:
    """Return a progress bar such as `[#####-----]  50 %`."""
    share = min(done / total, 1.0) if total else 0.0
    filled = round(share * width)
    return f"[{'#' * filled}{'-' * (width - filled)}] {share:4.0%}"


def table(rows: list[list[str]]) -> str:
    """Lay rows out in columns of even width; the first row is the header."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
