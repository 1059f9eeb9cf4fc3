"""The clarifications, "Names": names stay unique under concurrency, however they are claimed."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Answer, Console, column

ROUNDS = 5  # each a separate race
CLIENTS = 32  # as many as in the contract's load test
NAMES = tuple(f"t{number}" for number in range(12))  # fewer than clients, so that they collide
COLUMNS = [column("a")]

Query = Callable[..., list[tuple[object, ...]]]


def at_once(*calls: Callable[[], Answer]) -> list[Answer]:
    """Make the calls simultaneously; return their answers in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def outcomes(answers: Sequence[Answer]) -> list[tuple[int, str]]:
    return sorted((one.status, one.code if one.status >= 400 else "") for one in answers)


def listed(company: Console) -> list[str]:
    page = company.ok("GET", params={"per_page": 100})
    assert page["total"] == page["quantity"]
    return sorted(table["display_name"] for table in page["records"])


def in_database(company: Console, query: Query) -> list[str]:
    rows = query(company, "select tablename from pg_tables where schemaname = 'public' order by 1")
    return [str(name) for (name,) in rows]


DUPLICATE = (400, "MANAGED_TABLE_DUPLICATE_NAME")


def test_of_two_creations_one_wins(company: Console, query: Query) -> None:
    """Of two simultaneous creations with one name, one is 201, the other MANAGED_TABLE_DUPLICATE_NAME."""
    for number in range(ROUNDS):
        body = {"display_name": f"t{number}", "columns": COLUMNS}
        answers = at_once(*[lambda body=body: company.call("POST", "", body)] * 2)
        assert outcomes(answers) == [(201, ""), DUPLICATE]
    assert listed(company) == in_database(company, query) == [f"t{number}" for number in range(ROUNDS)]


def test_of_two_renames_one_wins(company: Console, query: Query) -> None:
    """Of two simultaneous renames to one name, one is 200, the other MANAGED_TABLE_DUPLICATE_NAME."""
    for number in range(ROUNDS):
        ids = [company.create_table(f"{side}{number}")["_id"] for side in "ab"]
        body = {"display_name": f"c{number}"}
        answers = at_once(*(lambda i=i, body=body: company.call("PUT", f"/{i}", body) for i in ids))
        assert outcomes(answers) == [(200, ""), DUPLICATE]
    assert listed(company) == in_database(company, query)
    assert len(listed(company)) == 2 * ROUNDS


def test_a_creation_and_a_rename_do_not_share_a_name(company: Console) -> None:
    """Of a simultaneous creation and rename to one name, exactly one succeeds."""
    for number in range(ROUNDS):
        table_id = company.create_table(f"a{number}")["_id"]
        name = {"display_name": f"b{number}"}
        answers = at_once(
            lambda name=name: company.call("POST", "", name | {"columns": COLUMNS}),
            lambda name=name, i=table_id: company.call("PUT", f"/{i}", name),
        )
        assert sorted(one.status for one in answers) in ([200, 400], [201, 400])
        assert listed(company).count(f"b{number}") == 1


@pytest.mark.app
def test_counts_are_exact_after_concurrent_writes(company: Console) -> None:
    """Counts stay exact while many clients insert and delete rows at once."""
    table_id = company.create_table("vendas", column("a", "integer"))["_id"]
    company.insert(table_id, *({"a": number} for number in range(20)))
    doomed = [row["id"] for row in company.rows(table_id)[:8]]
    answers = at_once(
        *(lambda i=i: company.call("DELETE", f"/{table_id}/data/{i}") for i in doomed),
        *[lambda: company.call("POST", f"/{table_id}/data", {"rows": [{"a": 1}] * 3})] * 8,
    )
    assert outcomes(answers) == [(201, "")] * 8 + [(204, "")] * 8
    page = company.ok("GET", f"/{table_id}/data", params={"per_page": 1_000})
    assert page["total"] == len(page["records"]) == 20 - 8 + 24
    assert company.table(table_id)["row_count"] == page["total"]


@pytest.mark.app
def test_many_clients_create_rename_and_delete(
    company: Console, query: Query, pytestconfig: pytest.Config
) -> None:
    """32 clients create, rename and delete for a while: no 5xx, no duplicate, listing and database agree."""
    statuses: Counter[tuple[str, int]] = Counter()
    faults: list[str] = []
    lock = threading.Lock()
    deadline = time.monotonic() + pytestconfig.getoption("seconds")

    def note(answer: Answer, method: str) -> Answer:
        with lock:
            statuses[method, answer.status] += 1
            faults.extend([answer.text] if answer.status >= 500 else [])
        return answer

    def work(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
        while time.monotonic() < deadline:
            name = {"display_name": chance.choice(NAMES)}
            tables = company.ok("GET", params={"per_page": 100})["records"]
            held = [table["display_name"] for table in tables]
            assert len(held) == len(set(held)), held
            method = chance.choice(("POST", "POST", "PUT", "DELETE"))
            if method == "POST" or not tables:
                note(company.call("POST", "", name | {"columns": COLUMNS}), "POST")
                continue
            path = f"/{chance.choice(tables)['_id']}"
            note(company.call(method, path, name if method == "PUT" else None), method)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for result in [pool.submit(work, seed) for seed in range(CLIENTS)]:
            result.result()
    print({f"{method} {status}": count for (method, status), count in sorted(statuses.items())})
    assert faults == []
    expected = {("POST", 201), ("POST", 400), ("PUT", 200), ("PUT", 400), ("PUT", 404)}
    assert set(statuses) <= expected | {("DELETE", 204), ("DELETE", 404)}, statuses
    held = listed(company)
    assert held == sorted(set(held)) == in_database(company, query)
