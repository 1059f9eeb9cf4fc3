"""Simulate how companies are placed on cells and moved between them: `python -m benchmarks cells`.

A cell is a stack with its clusters. Companies come evenly over two years; their load is log-normal (the
largest hundredth has 37 % of all), grows by GROWTH a month and drifts by DRIFT. New ones go to a cell below
FILL; a cell above FULL gives its largest companies away. Random, but the same each time.
"""

import random
from dataclasses import dataclass, field

MONTHS = 24
CAPACITY = 1_500.0  # average companies of a cell: connections and autovacuum's launcher end there
FILL, FULL = 0.7, 0.85
GROWTH, DRIFT = 0.03, 0.3
SIGMA = 2.0
COMPANIES = (1_000, 10_000, 100_000)


@dataclass
class Cell:
    """One cell: the loads of its companies, an average one's being 1."""

    loads: list[float] = field(default_factory=list)
    total: float = 0.0

    def add(self, load: float) -> None:
        """Place a company."""
        self.loads.append(load)
        self.total += load

    def drift(self, chance: random.Random) -> None:
        """Let each company grow or shrink by a month."""
        self.loads = [load * chance.lognormvariate(GROWTH - DRIFT**2 / 2, DRIFT) for load in self.loads]
        self.total = sum(self.loads)


@dataclass(frozen=True)
class Outcome:
    """What two years took."""

    cells: int
    moves_a_month: float
    busiest: float


def simulate(companies: int, seed: int = 1) -> Outcome:
    """Return how many cells there are in the end, the moves a month, and the highest load of a cell."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    cells, moves, busiest = [Cell()], 0, 0.0
    for _ in range(MONTHS):
        for _ in range(companies // MONTHS):
            _place(cells, chance.lognormvariate(-(SIGMA**2) / 2, SIGMA))
        for cell in cells:
            cell.drift(chance)
        busiest = max(busiest, *(cell.total / CAPACITY for cell in cells))
        moves += sum(_relieve(cell, cells) for cell in list(cells))
    return Outcome(len(cells), moves / MONTHS, busiest)


def _place(cells: list[Cell], load: float) -> None:
    """Add to the fullest cell that has room, so that the others stay whole; else make one."""
    open_cells = [cell for cell in cells if cell.total + load <= FILL * CAPACITY]
    if not open_cells:
        cells.append(Cell())
        open_cells = cells[-1:]
    max(open_cells, key=lambda cell: cell.total).add(load)


def _relieve(cell: Cell, cells: list[Cell]) -> int:
    """Move the largest companies away until the cell is below FILL again; return how many."""
    if cell.total <= FULL * CAPACITY:
        return 0
    moved = 0
    cell.loads.sort()
    while cell.total > FILL * CAPACITY and len(cell.loads) > 1:
        load = cell.loads.pop()
        cell.total -= load
        _place([one for one in cells if one is not cell] or cells, load)
        moved += 1
    return moved


def run(_small: bool) -> None:
    """Print the table."""
    print(table())


def table() -> str:
    """Return the table of docs/scale.md."""
    head = "| companies | cells after two years | moves a month | highest load of a cell |\n|---|---|---|---|"
    rows = [
        f"| {number:,} | {one.cells} | {one.moves_a_month:.0f} | {one.busiest:.0%} |"
        for number, one in ((number, simulate(number)) for number in COMPANIES)
    ]
    return "\n".join([head, *rows])
