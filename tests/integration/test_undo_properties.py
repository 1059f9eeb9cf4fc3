"""Random loads, edits and undos, compared with a model: what nobody edited is as before the load."""

import itertools
import random
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from loading_jobs import JobMaker
from loads import Loads
from rows_client import RowsCompany
from tables_client import column, created

from managed_tables.catalog.job_records import JobMode

KEYS = [f"k{number}" for number in range(7)]
STEPS = 12


@dataclass
class Row:
    """A row: its id, and a number that shows whether it has been written since."""

    row: int
    key: str
    value: int
    written: int


@dataclass
class Load:
    """What a load did: the rows that it inserted and updated, as it left them, and their former values."""

    job: Any
    mode: JobMode
    inserted: dict[int, int] = field(default_factory=dict)  # row: written
    updated: dict[int, tuple[int, int]] = field(default_factory=dict)  # row: written, the former value
    replaced: list[Row] = field(default_factory=list)


class Model:
    """The table as it should be, and the loads that can be taken back."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.loads: list[Load] = []
        self._count = itertools.count()

    def insert(self, key: str, value: int) -> Row:
        self.rows[key] = Row(next(self._count), key, value, next(self._count))
        return self.rows[key]

    def update(self, row: Row, value: int) -> int:
        row.value, row.written = value, next(self._count)
        return row.written

    def load(self, job: Any, mode: JobMode, rows: dict[str, int]) -> None:
        load = Load(job, mode)
        if mode == "replace":
            load.replaced, self.rows, self.loads = list(self.rows.values()), {}, []
        for key, value in rows.items():
            present = self.rows.get(key)
            if present is None:
                made = self.insert(key, value)
                load.inserted[made.row] = made.written
            elif present.value != value:
                before = present.value
                load.updated[present.row] = (self.update(present, value), before)
        self.loads.append(load)

    def undo(self, load: Load) -> tuple[int, int, int]:
        """Take the load back, leaving what has changed; return the numbers removed, restored and kept."""
        self.loads.remove(load)
        own = [row for row in self.rows.values() if row.row in load.inserted]
        removed = [row for row in own if row.written == load.inserted[row.row]]
        for row in removed:
            del self.rows[row.key]
        values, rows = self._give_values_back(load), self._give_rows_back(load)
        # Where a changed row of the load has the key of a row of before, it is one row, and counts once.
        same = sum(self.rows[row.key].row in load.inserted for row in load.replaced)
        lost = len(load.updated) - values + len(load.replaced) - rows - same
        return len(removed), values + rows, len(own) - len(removed) + lost

    def _give_values_back(self, load: Load) -> int:
        same = [
            row
            for row in self.rows.values()
            if row.row in load.updated and row.written == load.updated[row.row][0]
        ]
        for row in same:
            self.update(row, load.updated[row.row][1])
        return len(same)

    def _give_rows_back(self, load: Load) -> int:
        back = [row for row in load.replaced if row.key not in self.rows]
        for row in back:
            self.rows[row.key] = Row(row.row, row.key, row.value, next(self._count))
        return len(back)


@dataclass
class Run:
    """One random sequence, on both the table and the model."""

    loads: Loads
    chance: random.Random
    model: Model = field(default_factory=Model)

    def step(self) -> None:
        """Do one thing that a person or an upload would do."""
        doing = [self.load, self.load, self.change, self.change]
        self.chance.choice([*doing, self.undo, self.undo] if self.model.loads else doing)()
        found = sorted(self.loads.rows("k", "v"))
        assert found == sorted((row.key, row.value) for row in self.model.rows.values())

    def load(self) -> None:
        mode: JobMode = self.chance.choice(["append", "upsert", "upsert", "replace"])
        free = [key for key in KEYS if mode != "append" or key not in self.model.rows]
        keys = self.chance.sample(free, min(len(free), self.chance.randint(1, 4)))
        if not keys:
            return
        rows = {key: self.chance.randint(0, 2) for key in keys}
        job = self.loads.run(mode, [[key, str(value)] for key, value in rows.items()], "k", "v")
        assert job.status == "done", job.error
        self.model.load(job, mode, rows)

    def change(self) -> None:
        key, value, rows = self.chance.choice(KEYS), self.chance.randint(0, 2), self.loads.table.rows
        present = self.model.rows.get(key)
        if present is None:
            rows.insert({"k": key, "v": value})
            self.model.insert(key, value)
            return
        row_id = next(row["id"] for row in rows.list()["records"] if row["k"] == key)
        if self.chance.random() < 0.3:
            assert rows.call("DELETE", f"/{row_id}").status == 204
            del self.model.rows[key]
        else:
            assert rows.call("PUT", f"/{row_id}", body={"v": value}).status == 200
            self.model.update(present, value)

    def undo(self) -> None:
        load = self.chance.choice(self.model.loads)
        refused = self.loads.undo(load.job)
        removed, restored, kept = self.model.undo(load)
        if kept:
            assert refused.status_code == 409, refused.text
            assert self.loads.undone(load.job, force=True) == (removed, restored, kept)
        else:
            assert refused.status_code == 200, refused.text
            assert refused.json() == {"removed": removed, "restored": restored, "kept": 0}


@pytest.mark.parametrize("seed", range(4))
def test_undos_in_any_order_lose_nothing(loading_company: RowsCompany, tmp_path: Path, seed: int) -> None:
    """After every step the table matches the model, and each undo reports what it did."""
    table = created(
        loading_company, column("k"), column("v", "integer"), display_name=f"u_{secrets.token_hex(5)}"
    )
    table.changed(key=["k"])
    loads = Loads(JobMaker(loading_company.services, loading_company.company, tmp_path), table)
    run = Run(loads, random.Random(seed))  # noqa: S311
    for _ in range(STEPS):
        run.step()
