"""Facts about the history of rows, the trash and hidden columns (extensions 9)."""

import json
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from loading_jobs import JobMaker
from loads import Loads
from lost_answers import lose_the_first_answer, lose_the_first_commit
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.history import forget_changes
from managed_tables_insert.errands import find_origin

USER = "5f0000000000000000000002"  # of every request
COLUMNS = [
    column("k"),
    column("v", "decimal"),
    column("n", "integer"),
    column("pago", "boolean"),
    column("dia", "date"),
    column("quando", "datetime"),
]
ROW = {
    "k": "A",
    "v": "12345678901234567890.10",
    "n": 9007199254740993,
    "pago": True,
    "dia": "2025-12-31",
    "quando": "2025-12-31T23:59:59.5Z",
}


@pytest.fixture
def loads(loading_company: RowsCompany, tmp_path: Path) -> Loads:
    table = created(loading_company, *COLUMNS, key=["k"], display_name=f"hist_{secrets.token_hex(5)}")
    return Loads(JobMaker(loading_company.services, loading_company.company, tmp_path), table)


@pytest.fixture
def table(loads: Loads) -> TableClient:
    return loads.table


def ask(table: TableClient, path: str, method: str = "GET", body: Any = None, **query: Any) -> Any:
    """Return the status and the body of an answer, numbers exact."""
    answer = table.company.http.request(
        method,
        f"/v1/managed-tables/{table.table_id}{path}",
        params=query,
        content=None if body is None else json.dumps(body),
        headers=table.rows.headers(),
    )
    return answer.status_code, json.loads(answer.text, parse_float=Decimal) if answer.text else None


def found(table: TableClient, path: str, **query: Any) -> Any:
    status, body = ask(table, path, **query)
    assert status == 200, body
    return body


def inserted(table: TableClient, *rows: dict[str, Any]) -> list[str]:
    answer = table.rows.call("POST", body={"rows": rows}, **{"return": "ids"})
    assert answer.status == 201, answer
    ids: list[str] = answer.body["ids"]
    return ids


def told(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a record says, but when."""
    changes = {one["column"]: (one["before"], one["after"]) for one in record["changes"]}
    return record["action"], record["via"], record["user_id"], record["job_id"], changes


def test_each_change_of_a_row_says_who_when_and_from_what_to_what(table: TableClient) -> None:
    """Insert, update, bulk update and deletion, newest first, values digit for digit."""
    (row_id,) = inserted(table, ROW)
    assert table.rows.call("PATCH", f"/{row_id}", {"v": "0.10", "k": "B"}).status == 200
    bulk = {"where": {"column": "k", "op": "eq", "value": "B"}, "set": {"n": 1}}
    assert table.rows.call("PATCH", "", bulk).status == 200
    assert table.rows.call("PATCH", f"/{row_id}", {"n": 1}).status == 200  # changes nothing: not kept
    assert table.rows.call("DELETE", f"/{row_id}").status == 204
    body = found(table, f"/data/{row_id}/history")
    first = {**ROW, "v": Decimal(ROW["v"])}
    last = {**first, "v": Decimal("0.10"), "k": "B", "n": 1}
    assert body["total"] == 4
    assert [told(record) for record in body["records"]] == [
        ("delete", "api", USER, None, {name: (value, None) for name, value in last.items()}),
        ("update", "bulk", USER, None, {"n": (ROW["n"], 1)}),
        ("update", "api", USER, None, {"k": ("A", "B"), "v": (first["v"], Decimal("0.10"))}),
        ("insert", "api", USER, None, {name: (None, value) for name, value in first.items()}),
    ]
    texts = found(table, f"/data/{row_id}/history", numbers="string")
    assert texts["records"][1]["changes"] == [{"column": "n", "before": str(ROW["n"]), "after": "1"}]


def test_loads_upserts_and_undos_are_part_of_the_history(loads: Loads) -> None:
    """What a load wrote is told as inserted by its job, what an upsert changed as updated; an undo, too."""
    first = loads.run("append", [["A", "1"], ["B", "2"]], "k", "v")
    a, b = [row["id"] for row in loads.table.rows.list()["records"]]
    second = loads.run("upsert", [["A", "7"], ["C", "3"]], "k", "v")
    assert loads.table.rows.call("PATCH", f"/{b}", {"v": 5}).status == 200
    assert loads.undone(second) == (1, 1, 0)
    records = found(loads.table, f"/data/{a}/history")["records"]
    others = dict.fromkeys(("n", "pago", "dia", "quando"), (None, None))
    assert [told(record) for record in records] == [
        ("update", "undo", USER, second.job_id, {"v": (7, 1)}),
        ("update", "upload", second.user_id, second.job_id, {"v": (1, 7)}),
        ("insert", "upload", first.user_id, first.job_id, {"k": (None, "A"), "v": (None, 1), **others}),
    ]
    page = found(loads.table, "/history", per_page=2)
    assert (page["total"], page["quantity"]) == (4, 2)
    walked = [*page["records"]]
    inserted(loads.table, {"k": "D"})  # between two pages: a page by its number would repeat a change
    while page["next_cursor"]:
        page = found(loads.table, "/history", per_page=2, cursor=page["next_cursor"])
        walked += page["records"]
    now = found(loads.table, "/history")["records"]
    assert walked == now[1:]
    assert ask(loads.table, "/history", cursor="1.x")[0] == 422
    assert ask(loads.table, "/history", cursor=f"1.{a}", page=2)[0] == 422
    everything = {(one["action"], one["via"]) for one in walked}
    assert everything == {("update", "undo"), ("delete", "undo"), ("update", "api"), ("update", "upload")}
    assert found(loads.table, "/history", action="delete")["total"] == 1
    assert found(loads.table, "/history", user_id="0" * 24)["total"] == 0
    assert found(loads.table, "/history", to="2020-01-01")["total"] == 0
    swapped = [column("n", "decimal", previous_name="v"), column("v", "integer", previous_name="n")]
    for columns, shown in (([COLUMNS[0], *swapped], {"n": (1, 7)}), (COLUMNS[:1], {})):
        loads.table.changed(columns=columns)
        assert told(found(loads.table, f"/data/{a}/history")["records"][1])[4] == shown


def test_rows_that_a_replacement_took_away_come_back_by_its_undo(loads: Loads) -> None:
    """Each is told as restored, and is in the trash no longer, where it was once deleted and restored."""
    (row_id,) = inserted(loads.table, {"k": "A", "v": 1})
    loads.table.rows.call("DELETE", f"/{row_id}")
    ask(loads.table, "/trash/restore", "POST", {"ids": [row_id]})
    job = loads.run("replace", [["B", "2"]], "k", "v")
    assert found(loads.table, "/trash")["total"] == 0
    loads.undone(job)
    records = found(loads.table, f"/data/{row_id}/history")["records"]
    assert [one["via"] for one in records] == ["undo", "restore", "api", "api"]


def test_deleted_rows_come_back_with_ids_and_values(table: TableClient) -> None:
    """By ids or by time and person; the row count is right; a second time there is nothing to restore."""
    ids = inserted(table, ROW, {"k": "B"}, {"k": "C"})
    before = table.rows.list()["records"]
    assert table.rows.call("DELETE", f"/{ids[0]}").status == 204
    assert table.rows.call("POST", "/delete", {"ids": ids[1:]}).status == 200
    trash = found(table, "/trash")
    assert (trash["total"], [row["k"] for row in trash["records"]][-1]) == (3, "A")
    kept = {name: value for name, value in trash["records"][-1].items() if not name.startswith("deleted_")}
    assert kept == before[0]
    assert trash["records"][0]["deleted_by"] == USER
    restore = partial(ask, table, "/trash/restore", "POST")
    assert restore({"ids": ids[:1]}) == (200, {"restored": 1})
    assert restore({"deleted_after": "2020-01-01", "deleted_by": "0" * 24}) == (200, {"restored": 0})
    assert restore({"deleted_after": "2020-01-01T00:00:00Z"}) == (200, {"restored": 2})
    assert sorted(table.rows.list()["records"], key=lambda row: row["id"]) == before
    assert table.get()["row_count"] == 3
    assert found(table, "/trash")["total"] == 0
    assert found(table, f"/data/{ids[0]}/history")["records"][0]["action"] == "restore"


def test_a_key_taken_meanwhile_refuses_a_restoration_whole(table: TableClient) -> None:
    """409 `DUPLICATE_KEY`, nothing restored."""
    ids = inserted(table, {"k": "A"}, {"k": "B"})
    table.rows.call("POST", "/delete", {"ids": ids})
    inserted(table, {"k": "B"})
    status, body = ask(table, "/trash/restore", "POST", {"ids": ids})
    assert (status, body["code"]) == (409, "DUPLICATE_KEY")
    assert table.values("k") == [("B",)]
    assert found(table, "/trash")["total"] == 2


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_restoration_whose_answer_is_lost_is_found_out(
    table: TableClient, monkeypatch: pytest.MonkeyPatch, *, is_committed: bool
) -> None:
    """Rows come back once, and the answer counts them."""
    ids = inserted(table, {"k": "A"}, {"k": "B"})
    table.rows.call("POST", "/delete", {"ids": ids})
    with monkeypatch.context() as broken:
        lost = lose_the_first_commit(broken) if is_committed else lose_the_first_answer(broken, b"back AS")
        answer = ask(table, "/trash/restore", "POST", {"ids": ids})
    assert (answer, len(lost)) == ((200, {"restored": 2}), 1)
    assert (table.get()["row_count"], found(table, "/trash")["total"]) == (2, 0)


def test_the_trash_hides_no_column(rows_company: RowsCompany) -> None:
    """A cell whose column is called as what the trash adds is answered beside it, under `_` and the name."""
    columns = [column("deleted_at"), column("_deleted_at"), column("deleted_by", "integer")]
    table = created(rows_company, *columns)
    (row_id,) = inserted(table, {"deleted_at": "ontem", "_deleted_at": "x", "deleted_by": 7})
    table.rows.call("DELETE", f"/{row_id}")
    (row,) = found(table, "/trash")["records"]
    assert row.pop("deleted_at") > "2026"
    assert row == {
        "id": row_id, "deleted_by": USER, "__deleted_at": "ontem", "_deleted_at": "x", "_deleted_by": 7
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["x"]},
        {"ids": ["x"], "deleted_after": "2020-01-01"},
        {"deleted_after": "ontem"},
    ],
)
def test_a_restoration_names_what_it_wants(table: TableClient, body: dict[str, Any]) -> None:
    """422 for neither or both, and for what is no id or no time."""
    assert ask(table, "/trash/restore", "POST", body)[0] == 422


def test_deleted_rows_stay_where_their_columns_have_changed(table: TableClient) -> None:
    """No text is read otherwise than its column's was: 422, with the column; the old type brings it back."""
    (row_id,) = inserted(table, {"k": "03/04/2025", "n": 1})
    table.rows.call("DELETE", f"/{row_id}")
    restore, faults = ("/trash/restore", "POST", {"ids": [row_id]}), []
    for kind in ("date", "datetime", "text"):
        table.changed(columns=[column("k", kind), column("v", nullable=False), column("n", "decimal")])
        faults += [(one["path"], one["code"], one.get("value")) for one in ask(table, *restore)[1]["details"]]
    assert faults == [("k", "INVALID", "03/04/2025")] * 2 + [("v", "REQUIRED", None)]
    table.changed(columns=[column("k"), column("v"), column("n", "decimal")])
    assert (ask(table, *restore), table.values("k", "n")) == ((200, {"restored": 1}), [("03/04/2025", 1)])


def test_a_renamed_or_hidden_column_keeps_its_history(table: TableClient) -> None:
    """Changes are told under the name of now; deleted rows come back under it, new columns as new."""
    (row_id,) = inserted(table, {"k": "A", "v": 1, "n": 2})
    table.rows.call("PATCH", f"/{row_id}", {"v": 3, "n": 4})
    table.rows.call("DELETE", f"/{row_id}")
    renamed = [COLUMNS[0], column("valor", "decimal", previous_name="v"), *COLUMNS[3:]]
    table.changed(columns=renamed)  # and n is taken out
    update = found(table, f"/data/{row_id}/history")["records"][1]
    assert told(update)[4] == {"valor": (1, 3)}  # what is hidden hides with all its values
    new = [column("n", "text"), column("desconto", default="100% {x} %(id)s '\\ $1")]  # another n
    table.changed(columns=[COLUMNS[0], column("valor", "decimal"), *new])
    (deleted,) = found(table, "/trash")["records"]
    assert ask(table, "/trash/restore", "POST", {"ids": [row_id]}) == (200, {"restored": 1})
    shown = [(deleted["k"], deleted["valor"], deleted["n"])]
    assert shown == table.values("k", "valor", "n") == [("A", 3, None)]
    assert table.values("desconto") == [("100% {x} %(id)s '\\ $1",)]


def test_the_values_of_a_hidden_column_hide_with_it(loads: Loads) -> None:
    """In changes of a row, of the table, of loads; who changed it stays; the values come back with it."""
    table = loads.table
    loads.run("append", [["A", "47110811"]], "k", "v")
    ((row_id, _),) = table.sql("SELECT id::text, k FROM {t}")
    loads.run("upsert", [["A", "47110812"]], "k", "v")
    table.rows.call("PATCH", f"/{row_id}", {"v": 47110813})
    table.rows.call("DELETE", f"/{row_id}")
    doors = (f"/data/{row_id}/history", "/history", "/trash")
    seen = [found(table, door) for door in doors]
    others = [one for one in COLUMNS if one["name"] != "v"]
    table.changed(columns=others)
    hidden = [found(table, door) for door in doors]
    assert "4711081" not in json.dumps(hidden, default=str)
    assert hidden[0]["total"] == 4
    assert [told(one)[4] for one in hidden[0]["records"][1:3]] == [{}, {}]  # somebody changed something
    table.changed(columns=[*others, column("v", previous_name=None)])  # another column of the same name
    assert "4711081" not in json.dumps([found(table, door)["records"] for door in doors], default=str)
    table.changed(columns=others)
    assert ask(table, "/columns/v/restore", "POST")[0] == 200  # the last of the name, without a value
    renamed = [*others, column("w", previous_name="v")]
    table.changed(columns=renamed)
    assert ask(table, "/columns/v/restore", "POST")[0] == 200
    table.changed(columns=COLUMNS)
    assert [found(table, door) for door in doors] == seen


def test_hidden_columns_are_listed_and_come_back(table: TableClient) -> None:
    """With name, label, type, when and how many values; then they are the table's last."""
    inserted(table, {"k": "A", "v": "1.50"}, {"k": "B"})
    table.changed(columns=[one for one in COLUMNS if one["name"] != "v"])
    (hidden,) = found(table, "/columns/hidden")
    assert hidden.pop("hidden_at")
    assert hidden == {"name": "v", "display_name": "V", "type": "decimal", "values": 1}
    assert ask(table, "/columns/v/restore", "POST")[1]["columns"][-1]["name"] == "v"
    assert table.values("k", "v") == [("A", Decimal("1.50")), ("B", None)]
    assert (found(table, "/columns/hidden"), ask(table, "/columns/v/restore", "POST")[0]) == ([], 404)


@pytest.mark.parametrize("order", ["HDUR", "DHUR", "DHRU", "HDRU"])
def test_a_row_has_its_value_of_a_hidden_column(table: TableClient, order: str) -> None:
    """In whichever order it is deleted and restored, the column taken out and brought back."""
    (row_id,) = inserted(table, {"k": "A", "quando": "2026-01-31T10:30:00.5Z"})
    steps: Any = {
        "H": lambda: table.changed(columns=COLUMNS[:-1]),
        "D": lambda: table.rows.call("DELETE", f"/{row_id}"),
        "U": lambda: ask(table, "/columns/quando/restore", "POST"),
        "R": lambda: ask(table, "/trash/restore", "POST", {"ids": [row_id]}),
    }
    assert all(steps[step]() for step in order)
    back = told(found(table, f"/data/{row_id}/history")["records"][0])[4]["quando"]
    assert back == (None, found(table, f"/data/{row_id}")["quando"]) == (None, "2026-01-31T10:30:00.5Z")


def test_a_table_without_history_keeps_none(table: TableClient) -> None:
    """`history: false` clears what there is and keeps nothing more; `true` begins again."""
    (row_id,) = inserted(table, {"k": "A"})
    assert table.changed(history=False)["history"] is False
    table.rows.call("PATCH", f"/{row_id}", {"k": "B"})
    inserted(table, {"k": "C"})
    assert found(table, "/history")["total"] == 0
    assert table.changed(history=True)["history"] is True
    table.rows.call("PATCH", f"/{row_id}", {"k": "D"})
    assert found(table, "/history")["total"] == 1


def test_changes_are_forgotten_once_they_are_old(loads: Loads) -> None:
    """Those of more than `HISTORY_DAYS` ago go; while the oldest is to stay, none of them is locked."""
    table = loads.table
    inserted(table, {"k": "A"}, {"k": "B"})
    locked = "SELECT count(*) FROM managed_tables.row_history WHERE xmax = pg_current_xact_id()::xid"
    with table.company.connect() as connection, connection.transaction(force_rollback=True):
        assert (forget_changes(connection, 1), connection.execute(locked).fetchall()) == (0, [(0,)])
        connection.execute("DELETE FROM managed_tables.row_history WHERE table_id <> %s", [table.table_id])
        connection.execute("UPDATE managed_tables.row_history SET changed_at = 'epoch'")
        assert [forget_changes(connection, 1) for _ in range(2)] == [2, 0]


def test_a_row_that_never_was_has_no_history(table: TableClient) -> None:
    """404 with the contract's sentence, also where the question is wrong, which it is for a deleted row."""
    (row_id,) = inserted(table, {"k": "A"})
    table.rows.call("DELETE", f"/{row_id}")
    assert ask(table, f"/data/{row_id}/history", numbers="x")[0] == 422
    unknown = "/data/00000000-0000-7000-8000-000000000000/history"
    refused = 404, {"error": "Linha não encontrada", "code": "ROW_NOT_FOUND"}
    assert ask(table, unknown) == ask(table, unknown, numbers="x") == refused


def test_a_row_tells_the_file_and_line_that_it_came_from(loads: Loads) -> None:
    """By the last load of it that was not undone, an upsert too, under the names of now; of the API: none."""
    services = loads.maker.services
    services.read_place = lambda job, number: find_origin(services, job, number)  # type: ignore[attr-defined]
    first = loads.run("append", [["A", "1,50"], ["B", "2,5"]], "k", "v")
    second = loads.run("upsert", [["C", "3"], ["B", "7,25"]], "k", "v")
    (of_api,) = inserted(loads.table, {"k": "D"})
    ids = {row["k"]: row["id"] for row in loads.table.rows.list()["records"]}
    origin = found(loads.table, f"/data/{ids['A']}/origin")
    assert (origin["kind"], origin["job_id"], origin["available"]) == ("upload", first.job_id, True)
    assert (origin["file"], origin["sheet"], origin["line"]) == ("vendas.csv", None, 2)
    assert [(one["column"], one["text"]) for one in origin["cells"]] == [("k", "A"), ("v", "1,50")]
    renamed = column("valor", "decimal", previous_name="v")
    loads.table.changed(columns=[renamed if one["name"] == "v" else one for one in COLUMNS])
    origin = found(loads.table, f"/data/{ids['B']}/origin")
    assert (origin["job_id"], origin["line"], origin["cells"][1]["column"]) == (second.job_id, 3, "valor")
    assert origin["cells"][1]["text"] == "7,25"
    loads.undone(second)
    origin = found(loads.table, f"/data/{ids['B']}/origin")
    assert (origin["job_id"], origin["line"], origin["cells"][1]["text"]) == (first.job_id, 3, "2,5")
    origin = found(loads.table, f"/data/{of_api}/origin")
    assert (origin["kind"], origin["job_id"], origin["cells"]) == ("api", None, [])
    loads.table.changed(history=False)
    (unrecorded,) = inserted(loads.table, {"k": "Y"})
    loads.table.changed(history=True)
    loads.undone(loads.run("upsert", [["Y", "9"]], "k", "valor"))
    origin = found(loads.table, f"/data/{unrecorded}/origin")
    assert (origin["kind"], origin["job_id"], origin["at"]) == ("api", None, None)
    services.storage.delete(first.staged_key)
    assert found(loads.table, f"/data/{ids['A']}/origin")["available"] is False
    assert ask(loads.table, "/data/00000000-0000-7000-8000-000000000000/origin")[0] == 404


def test_loads_are_readable_by_sql(loads: Loads) -> None:
    """`catalog.loads` has the job, its table, mode, files, ids and rows."""
    job = loads.run("append", [["A", "1"], ["B", "2"]], "k", "v")
    ids = [row["id"] for row in loads.table.rows.list()["records"]]
    ((mode, files, first, last, rows, user),) = loads.table.rows.execute(
        "SELECT mode, files, first_id::text, last_id::text, rows, user_id FROM catalog.loads"
        " ORDER BY applied_at DESC LIMIT 1"
    )
    assert (mode, rows, user, len(files)) == ("append", 2, job.user_id, 1)
    assert first <= ids[0] <= ids[1] <= last


@pytest.mark.parametrize("seed", range(3))
def test_the_history_replays_the_table(loads: Loads, seed: int) -> None:
    """Taken back change by change, the rows of now are those of every earlier moment."""
    chance = random.Random(seed)  # noqa: S311 - the same life each time
    life = Life(loads, chance)
    moments = [life.rows()]
    for step in range(12):
        chance.choice([life.insert, life.edit, life.bulk, life.delete, life.restore, life.upsert, life.undo])(
            step
        )
        moments.append(life.rows())
    seen = list(life.replayed())
    assert all(moment in seen for moment in moments)


@dataclass
class Life:
    """What people do to a table, at random."""

    loads: Loads
    chance: random.Random
    undoable: list[Any] = field(default_factory=list)

    def rows(self) -> dict[str, Any]:
        listed = self.loads.table.rows.list(per_page=1000, numbers="string")["records"]
        return {row["id"]: (row["k"], row["v"]) for row in listed}

    def insert(self, step: int) -> None:
        inserted(self.loads.table, {"k": f"i{step}", "v": step})

    def edit(self, step: int) -> None:
        for row_id in sorted(self.rows())[:1]:
            self.loads.table.rows.call("PATCH", f"/{row_id}", {"v": f"{step}.50"})

    def bulk(self, step: int) -> None:
        body = {"where": {}, "all": True, "set": {"v": str(step)}}
        self.loads.table.rows.call("PATCH", "", body)

    def delete(self, _step: int) -> None:
        for row_id in sorted(self.rows())[-1:]:
            self.loads.table.rows.call("DELETE", f"/{row_id}")

    def restore(self, _step: int) -> None:
        ask(self.loads.table, "/trash/restore", "POST", {"deleted_after": "2020-01-01"})

    def upsert(self, step: int) -> None:
        keys = [k for k, _ in list(self.rows().values())[:2]]
        cells = [[key, f"{step}.25"] for key in [*keys, f"u{step}"]]
        self.undoable.append(self.loads.run("upsert", cells, "k", "v"))

    def undo(self, _step: int) -> None:
        if self.undoable:
            self.loads.undo(self.undoable.pop())

    def replayed(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as they were before each change, the newest first."""
        cells = {row_id: {"k": k, "v": v} for row_id, (k, v) in self.rows().items()}
        changes = self._changes()
        for number, record in enumerate(changes):
            if number == 0 or changes[number - 1]["at"] != record["at"]:
                yield {row_id: (one["k"], one["v"]) for row_id, one in cells.items()}
            row = cells.setdefault(record["row_id"], {})
            for change in record["changes"]:
                row[change["column"]] = change["before"]
            if record["action"] in ("insert", "restore"):
                del cells[record["row_id"]]
        yield {row_id: (one["k"], one["v"]) for row_id, one in cells.items()}

    def _changes(self) -> list[Any]:
        """Return every change of every row, the newest first, what loads inserted among them."""
        table = self.loads.table
        ids = {one["row_id"] for one in found(table, "/history", per_page=1000)["records"]}
        records = [
            {"row_id": row_id, **record}
            for row_id in ids | set(self.rows())
            for record in found(table, f"/data/{row_id}/history", numbers="string")["records"]
        ]
        return sorted(records, key=lambda record: str(record["at"]), reverse=True)
