"""One range, fifty values beyond it: each door refuses all of them, and none takes another one out."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from reports import Reports
from rows_client import Answer, RowsCompany
from tables_client import BASE, TableClient, column, created

from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import Column

RULE: dict[str, Any] = {"id": "r_valor", "kind": "range", "columns": ["valor"], "min": 0, "max": 100}
WRONG = [f"-{n}.01" for n in range(25)] + [f"{100 + n**9}.01" for n in range(25)]
COLUMNS = (column("chave", "integer"), column("valor", "decimal"))

Refused = list[str]  # the values that a door did not take
Door = Callable[[TableClient], Refused]


def is_refused(answer: Answer) -> bool:
    """Whether an answer refuses a row by the rule."""
    if answer.status < 300:
        return False
    assert (answer.status, answer.body["code"]) == (422, "RULE_BROKEN"), answer
    assert answer.body["details"][0]["rule"] == RULE["id"]
    return True


def refused(
    table: TableClient, method: str, body: Callable[[str], Any], path: str = "", **query: Any
) -> Refused:
    """Return the values that are refused where each is sent in a body of its own."""
    return [one for one in WRONG if is_refused(table.rows.call(method, path, body(one), **query))]


def present(table: TableClient) -> str:
    """Return the id of the row that is there."""
    return str(table.rows.list()["records"][0]["id"])


def by_insert(table: TableClient) -> Refused:
    return refused(table, "POST", lambda one: {"rows": [{"valor": one}]})


def by_update(table: TableClient) -> Refused:
    return refused(table, "PATCH", lambda one: {"valor": one}, f"/{present(table)}")


def by_paste(table: TableClient) -> Refused:
    """Rows by their ids, as the page sends what is pasted."""
    row_id = present(table)
    return refused(table, "PATCH", lambda one: {"rows": [{"id": row_id, "valor": one}]})


def by_bulk(table: TableClient) -> Refused:
    where = {"column": "chave", "op": "eq", "value": 1}
    return refused(table, "PATCH", lambda one: {"where": where, "set": {"valor": one}})


def by_upsert(table: TableClient) -> Refused:
    return refused(table, "POST", lambda one: {"rows": [{"chave": 1, "valor": one}]}, on_conflict="update")


def by_restore(table: TableClient) -> Refused:
    """What was deleted before there was a rule."""
    table.changed(rules=[])
    table.rows.insert(*({"chave": n + 10, "valor": one} for n, one in enumerate(WRONG)))
    ids = [str(row["id"]) for row in table.rows.list(per_page=100)["records"]][1:]
    table.rows.call("POST", "/delete", {"ids": ids})
    table.changed(rules=[RULE])
    url, headers = f"{BASE}/{table.table_id}/trash/restore", table.rows.headers()
    sent = [table.company.http.post(url, json={"ids": [one]}, headers=headers) for one in ids]
    answers = [Answer(one.status_code, one.json(), one.text) for one in sent]
    return [one for one, answer in zip(WRONG, answers, strict=True) if is_refused(answer)]


def by_agent(table: TableClient) -> Refused:
    found = []
    for one in WRONG:
        arguments = {"table_id": table.table_id, "action": "insert", "rows": [{"valor": one}]}
        asked = {"name": "change_rows", "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
        headers = {**table.rows.headers(), "Accept": "application/json, text/event-stream"}
        answer = table.company.http.post(f"{BASE}/mcp", json=message, headers=headers).json()["result"]
        if answer["isError"]:
            assert answer["structuredContent"]["code"] == "RULE_BROKEN", answer
            found.append(one)
    return found


def by_owner(table: TableClient) -> Refused:
    taken = []
    for one in WRONG:
        with suppress(psycopg.errors.CheckViolation):
            table.rows.execute(f'UPDATE "{table.name}" SET valor = {one}')  # noqa: S608
            taken.append(one)
    return [one for one in WRONG if one not in taken]


DOORS = [by_insert, by_update, by_paste, by_bulk, by_upsert, by_restore, by_agent, by_owner]


@pytest.fixture
def table(rows_company: RowsCompany) -> TableClient:
    made = created(rows_company, *COLUMNS, key=["chave"], rules=[RULE])
    made.rows.insert({"chave": 1, "valor": 50})
    return made


@pytest.mark.parametrize("door", DOORS, ids=[door.__name__ for door in DOORS])
def test_each_door_refuses_the_same_fifty_values(table: TableClient, door: Door) -> None:
    assert door(table) == WRONG
    assert table.values("chave", "valor") == [(1, 50)]


def test_a_file_is_such_a_door(loading_company: RowsCompany, reports: Reports) -> None:
    """The values that stay out are those, by their lines; the row that is right loads."""
    table = created(loading_company, *COLUMNS, rules=[RULE])
    files = Reports(reports.company, table.name)
    lines = "".join(f"{n};{one.replace('.', ',')}\n" for n, one in enumerate(WRONG))
    job_id = files.wait(f"chave;valor\n{lines}99;50,5\n", table.table_id)
    (check,) = files.analysis(job_id).checks
    assert (check.broken, [one.line for one in check.examples]) == (50, list(range(2, 22)))
    own = [Column.model_validate(one) for one in table.get()["columns"]]
    files.confirm(job_id, own, LoadTerms(on_misfit="skip"))
    assert files.insert(job_id) == "done"
    result = files.job(job_id).result
    assert result is not None
    assert (result.inserted, result.rejected) == (1, 50)
    assert table.values("chave") == [(99,)]
