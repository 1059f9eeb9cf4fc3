"""Measure an operation of the API beside the bare statement that does the same, and print both."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.served import Client, Served

MANY_CLIENTS = 8
WARM_UP = 20  # prepared statements, connections and caches on both sides

Action = Callable[[], object]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: int
    repetitions: int
    batches: int


FULL = Size(rows=1_000_000, repetitions=400, batches=40)
SMALL = Size(rows=50_000, repetitions=60, batches=8)


@dataclass(frozen=True)
class Measured:
    """Latencies in milliseconds, and requests a second over all clients."""

    p50: float
    p95: float
    per_second: float


@dataclass(frozen=True)
class Table:
    """A table of the benchmark: reached by the API, and by SQL."""

    path: str
    name: str
    rows: int


def print_row(
    name: str, served: Served, make_action: Callable[[Client], Action], bare: Action, repetitions: int
) -> None:
    """Measure an operation both ways, in turns, and print its line."""
    alone, reference = in_turns([make_action(served.client()), bare], repetitions)
    actions = [make_action(served.client()) for _ in range(MANY_CLIENTS)]
    together = _measure(actions, max(repetitions // MANY_CLIENTS, 5))
    figures = (alone.p50, alone.p95, reference.p50, alone.p50 / reference.p50, together.p50)
    line = "".join(f"{figure:10.2f}" for figure in figures)
    print(f"{name:44}{line}{together.per_second:10.0f}", flush=True)


def in_turns(actions: Sequence[Action], repetitions: int) -> list[Measured]:
    """Measure actions one after the other, again and again: what slows the machine down slows down all."""
    for _ in range(min(WARM_UP, repetitions)):
        for action in actions:
            action()
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(repetitions):
        for action, latencies in zip(actions, taken, strict=True):
            started = time.perf_counter()
            action()
            latencies.append(time.perf_counter() - started)
    return [_measured(latencies, sum(latencies)) for latencies in taken]


def _measured(latencies: Sequence[float], seconds: float) -> Measured:
    taken = sorted(one * 1_000 for one in latencies)
    return Measured(taken[len(taken) // 2], taken[int(len(taken) * 0.95)], len(taken) / seconds)


def _measure(actions: Sequence[Action], repetitions: int) -> Measured:
    """Return what each action took, `repetitions` times, all of them at once."""
    warm_up = min(WARM_UP, repetitions)
    barrier = threading.Barrier(len(actions))

    def repeat(action: Action) -> tuple[list[float], float, float]:
        for _ in range(warm_up):
            action()
        barrier.wait()
        started = time.perf_counter()
        marks = [started]
        for _ in range(repetitions):
            action()
            marks.append(time.perf_counter())
        return [after - before for before, after in itertools.pairwise(marks)], started, marks[-1]

    with ThreadPoolExecutor(len(actions)) as pool:
        results = list(pool.map(repeat, actions))
    seconds = max(end for _, _, end in results) - min(start for _, start, _ in results)
    return _measured([one for latencies, _, _ in results for one in latencies], seconds)
