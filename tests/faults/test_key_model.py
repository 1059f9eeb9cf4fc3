"""A table with a key: loads, undos, deletions, restorations and exports, with faults, against a model.

A row is as a load left it while nobody has written it since: the model keeps who wrote each row, as
PostgreSQL's `xmin` does. Runs with `make test-model`, as tests/faults/test_model.py.
"""

import csv
import io
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from exporting import ExportMaker
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from injection import Fault
from lives import FAULTS, PICKS, Life, live
from loading_jobs import USER_ID, column
from worlds import World

from managed_tables.documents.statements import Additions, LoadMode
from managed_tables.errors import CHANGED_SINCE, DUPLICATE_KEY, NOT_UNDOABLE, ROW_NOT_FOUND
from managed_tables.ids import new_record_id
from managed_tables_api.routes.history_and_trash import restore_rows
from managed_tables_api.rows import bulk_changes
from managed_tables_api.rows.inserts import IdempotencyKey, NewRows, OnConflict, insert
from managed_tables_api.rows.row_history import RestoreBody, of_row
from managed_tables_api.rows.running import NamedTable
from managed_tables_api.undoing import undo_job
from managed_tables_insert.handler import run_job

_ROWS = "SELECT id::text, k, v FROM vendas"
COLUMNS = [column("k"), column("v", "integer")]
KEYS = st.sampled_from("abcdef")
CELLS = st.lists(st.tuples(KEYS, st.integers(0, 3)), min_size=1, max_size=4)
ON_CONFLICT = st.sampled_from([None, "update", "ignore"])
MODES = st.sampled_from(["append", "replace", "upsert"])


Cells = dict[str, tuple[str, int]]  # key and value of each row, by its id


@dataclass(eq=False)
class Row:
    """A row, who made it and who wrote it last."""

    key: str
    value: int
    made_by: str
    written_by: str


@dataclass
class Load:
    """A load that may be undone: of the rows that it changed what they were, and what it has replaced."""

    mode: LoadMode
    values_before: list[tuple[Row, int]] = field(default_factory=list)
    rows_before: list[Row] = field(default_factory=list)


class KeyedLife(Life):
    """One table whose key is `k`."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        made = world.services.table_operations.create(
            world.company, USER_ID, "vendas", COLUMNS, Additions(key=["k"])
        )
        self.table_id, self.rows = made.table_id, list[Row]()
        self.loads: dict[str, Load] = {}  # that can still be undone
        self.ended: list[str] = []  # undone, or replaced by a later load
        self.trash: dict[str, Row] = {}  # by id
        self.moments: list[Cells] = []  # the rows after each step, since the last replacement
        self.writers = map(str, itertools.count())

    @rule(cells=CELLS, on_conflict=ON_CONFLICT, fault=FAULTS)
    def insert(
        self, cells: list[tuple[str, int]], on_conflict: OnConflict | None, fault: Fault | None
    ) -> None:
        """Insert rows: all of them or none, what meets a key as asked for."""
        rows = [{"k": key, "v": value} for key, value in cells]
        new = NewRows(rows, IdempotencyKey(new_record_id(), "digest"), on_conflict=on_conflict)
        code = self._ask(lambda: self._table().do(insert, new), fault)
        keys = [key for key, _ in cells]
        is_repeated = len(set(keys)) < len(keys)
        meets = bool(set(keys) & self._keys())
        if (is_repeated and on_conflict != "ignore") or (meets and on_conflict is None):
            assert code == DUPLICATE_KEY.code
            return
        assert code == "ok"
        writer = next(self.writers)
        for key, value in cells:
            found = self._find(key)
            if found is None:
                self.rows.append(Row(key, value, writer, writer))
            elif on_conflict == "update":
                found.value, found.written_by = value, writer

    @precondition(lambda self: len(self.rows) > 1)
    @rule(first=PICKS, second=PICKS, fault=FAULTS)
    def swap_keys(self, first: int, second: int, fault: Fault | None) -> None:
        """Give two rows each other's key."""
        one, other = self.rows[first % len(self.rows)], self.rows[second % len(self.rows)]
        if one is other:
            return
        ids = dict(self.world.query("SELECT k, id::text FROM vendas"))
        body = {"rows": [{"id": ids[one.key], "k": other.key}, {"id": ids[other.key], "k": one.key}]}
        code = self._ask(lambda: self._table().do(bulk_changes.update, body), fault)
        assert code == "ok"
        one.key, other.key = other.key, one.key
        one.written_by = other.written_by = next(self.writers)

    @precondition(lambda self: self.rows)
    @rule(pick=PICKS, fault=FAULTS)
    def delete(self, pick: int, fault: Fault | None) -> None:
        """Put a row into the trash."""
        row = self.rows[pick % len(self.rows)]
        row_id = next(one for one, (key, _) in self._found().items() if key == row.key)
        body = {"ids": [row_id]}
        code = self._ask(lambda: self._table().do(bulk_changes.delete, body), fault)
        assert code in ("ok", ROW_NOT_FOUND.code)  # the latter where the first answer was lost
        self.rows.remove(row)
        self.trash[row_id] = row

    @precondition(lambda self: self.trash)
    @rule(first=PICKS, second=PICKS, fault=FAULTS)
    def restore(self, first: int, second: int, fault: Fault | None) -> None:
        """Bring one or two deleted rows back, all of them or none."""
        ids = {list(self.trash)[pick % len(self.trash)] for pick in (first, second)}
        asked = RestoreBody(ids=sorted(ids))
        code = self._ask(lambda: self._table().do(restore_rows, asked), fault)
        keys = [self.trash[row_id].key for row_id in ids]
        if len(set(keys)) < len(keys) or set(keys) & self._keys():
            assert code == DUPLICATE_KEY.code
            return
        assert code == "ok"
        writer = next(self.writers)
        for row_id in ids:
            row = self.trash.pop(row_id)
            row.written_by = writer
            self.rows.append(row)

    @rule(cells=CELLS, mode=MODES, fault=FAULTS, is_watched=st.booleans())
    def load(
        self, cells: list[tuple[str, int]], mode: LoadMode, fault: Fault | None, is_watched: bool
    ) -> None:
        """Load a file; an export beside it holds the rows of before or those of after."""
        before = self._cells()
        rows = [[key, str(value)] for key, value in cells]
        job_id = self.world.maker.inserting(rows, COLUMNS, mode=mode, table_id=self.table_id)
        if is_watched:
            with ThreadPoolExecutor(1) as pool:
                watching = pool.submit(self._export)
                outcome = self._load(job_id, fault)
                exported = watching.result()
        else:
            outcome, exported = self._load(job_id, fault), None
        keys = [key for key, _ in cells]
        is_refused = len(set(keys)) < len(keys) or (mode == "append" and bool(set(keys) & self._keys()))
        assert outcome == ("rejected" if is_refused else "done")
        if not is_refused:
            self._apply(job_id, mode, cells)
        assert exported in (None, before, self._cells())

    def _load(self, job_id: str, fault: Fault | None) -> str:
        def step() -> Any:
            return run_job(self.services, self.world.company_id, job_id)

        run = self._run(step, fault)
        if not run.ended_well:
            run = self._run(step, None)
        assert run.ended_well, run.error
        return str(run.value["outcome"])

    def _apply(self, job_id: str, mode: LoadMode, cells: list[tuple[str, int]]) -> None:
        load = Load(mode)
        if mode == "replace":
            self.moments.clear()
            load.rows_before, self.rows = self.rows, []
            self.ended += self.loads
            self.loads = {}
        self.loads[job_id] = load
        for key, value in cells:
            found = self._find(key)
            if found is None:
                self.rows.append(Row(key, value, job_id, job_id))
            elif found.value != value:  # else it stays as it is, and whose it is
                load.values_before.append((found, found.value))
                found.value, found.written_by = value, job_id

    @precondition(lambda self: self.loads)
    @rule(pick=PICKS, force=st.booleans(), fault=FAULTS)
    def undo(self, pick: int, force: bool, fault: Fault | None) -> None:
        """Undo a load: its own rows go, those of before are back, what others wrote since stays."""
        job_id = list(self.loads)[pick % len(self.loads)]
        load, kept = self.loads[job_id], self._kept(job_id)
        code = self._ask(lambda: undo_job(self.services, self.world.job(job_id), USER_ID, force=force), fault)
        if kept and not force:
            assert code == CHANGED_SINCE.code
            return
        assert code in ("ok", NOT_UNDOABLE.code)  # the latter where the first answer was lost
        outcome = "SELECT outcome FROM managed_tables.undoable_jobs WHERE undone_at IS NOT NULL"
        ((undone,),) = self.world.query(f"{outcome} AND job_id = '{job_id}'")
        assert undone["kept"] == kept
        self.rows = [row for row in self.rows if (row.made_by, row.written_by) != (job_id, job_id)]
        writer = next(self.writers)
        for row, value in load.values_before:
            if row in self.rows and row.written_by == job_id:
                row.value, row.written_by = value, writer
        for row in load.rows_before:
            if row.key not in self._keys():
                self.rows.append(row)
                row.written_by = writer
        if load.mode == "replace":
            self.moments.clear()
        del self.loads[job_id]
        self.ended.append(job_id)

    def _kept(self, job_id: str) -> int:
        """Return how many rows the undo of the load must leave, as others have written them since."""
        load = self.loads[job_id]
        changed = [row for row in self.rows if row.made_by == job_id != row.written_by]
        lost = [row for row, _ in load.values_before if not self._is_as_left(row, job_id)]
        own = {row.key for row in self.rows if row.made_by == row.written_by == job_id}
        taken = self._keys() - own - {row.key for row in changed}
        return len(changed) + len(lost) + sum(row.key in taken for row in load.rows_before)

    def _is_as_left(self, row: Row, job_id: str) -> bool:
        return any(one is row for one in self.rows) and row.written_by == job_id

    @precondition(lambda self: self.ended)
    @rule(pick=PICKS, force=st.booleans(), fault=FAULTS)
    def undo_again(self, pick: int, force: bool, fault: Fault | None) -> None:
        """A load that was undone, or replaced, cannot be undone."""
        job_id = self.ended[pick % len(self.ended)]
        code = self._ask(lambda: undo_job(self.services, self.world.job(job_id), USER_ID, force=force), fault)
        assert code == NOT_UNDOABLE.code

    def _table(self) -> NamedTable:
        return self.services.named_table(self.world.company_id, self.table_id, USER_ID)

    def _export(self) -> list[tuple[str, int]]:
        maker = ExportMaker(self.world.services, self.world.company)
        table = self.world.services.table_reading.get(self.world.company, self.table_id)
        export = maker.queue(table, format="csv")
        run = self._run(lambda: ExportMaker(self.services, self.world.company).run(export), None)
        assert run.value == {"outcome": "done"}, (run.error, maker.find(export).error)
        rows = csv.DictReader(io.StringIO(maker.content(export).decode("utf-8-sig")))
        return sorted((row["k"], int(row["v"])) for row in rows)

    @invariant()
    def the_rows_are_those_of_the_model(self) -> None:
        found = self._found()
        assert sorted(found.values()) == self._cells()
        if self.moments[-1:] != [found]:
            self.moments.append(found)

    def teardown(self) -> None:
        assert self._export() == self._cells()
        replayed = self._replayed()
        assert all(moment in replayed for moment in reversed(self.moments)), self.moments
        self.world.assert_sound()

    def _replayed(self) -> Iterator[Cells]:
        """Yield the rows of now, then those before each change that the history tells, the newest first."""
        rows = dict(self._found())
        yield dict(rows)
        for _, changes in itertools.groupby(self._changes(), key=lambda change: change["at"]):
            for change in changes:
                before = {one["column"]: one["before"] for one in change["changes"]}
                key, value = rows.pop(change["row_id"], ("", 0))
                if change["action"] not in ("insert", "restore"):
                    rows[change["row_id"]] = (before.get("k", key), int(before.get("v", value)))
            yield dict(rows)

    def _changes(self) -> list[dict[str, Any]]:
        """Return every change of every row that was there at a moment, the newest first."""
        ids = set[str]().union(*self.moments)
        table = self.world.services.named_table(self.world.company_id, self.table_id)
        changes = [
            {"row_id": row_id, **change}
            for row_id in ids
            for change in table.do(of_row, row_id, "string").as_json()["records"]
        ]
        return sorted(changes, key=lambda change: str(change["at"]), reverse=True)

    def _found(self) -> Cells:
        return {row_id: (key, value) for row_id, key, value in self.world.query(_ROWS)}

    def _cells(self) -> list[tuple[str, int]]:
        return sorted((row.key, row.value) for row in self.rows)

    def _keys(self) -> set[str]:
        return {row.key for row in self.rows}

    def _find(self, key: str) -> Row | None:
        return next((row for row in self.rows if row.key == key), None)


def test_any_life_of_a_table_with_a_key_ends_as_its_model_says(
    world: World, pytestconfig: pytest.Config
) -> None:
    live(lambda: KeyedLife(world), pytestconfig.getoption("--lives"))
