"""Load: many clients of several companies read, write and upload for a while, and nothing is lost.

`make test-load` runs it at full length: 5 minutes on the ASGI server, 10 minutes on the deployed stack.
"""

import json
import random
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from client import Answer, Console, column

CLIENTS = 16
COMPANIES = 4
BATCH = 20
CHOICES = ("insert",) * 6 + ("list",) * 6 + ("update",) * 3 + ("delete",) * 2 + ("upload",)
ENDED_SECONDS = 300.0  # for the jobs still running at the end
POOL_LIMIT = 8  # DATABASE_CONNECTIONS_MAX of the server's one process
# Beyond the pool: connections of 4 operations on tables and 4 inserts at once
FLOW_LIMIT = 8
MEMORY_GROWTH_MAX = 1.35  # of the memory of the warm server


@dataclass
class Ledger:
    """What one company had acknowledged: rows that it wrote, changed and deleted."""

    console: Console
    table_id: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, int] = field(default_factory=dict)  # the row's key → its acknowledged value
    free: list[str] = field(default_factory=list)  # ids of rows that no client is changing
    ids: dict[str, str] = field(default_factory=dict)  # id → key
    unsure: set[str] = field(default_factory=set)  # keys whose last request was not acknowledged
    uploading: threading.Lock = field(default_factory=threading.Lock)
    uploaded: list[str] = field(default_factory=list)  # jobs

    def take(self, chance: random.Random) -> str | None:
        with self.lock:
            return self.free.pop(chance.randrange(len(self.free))) if self.free else None


@dataclass
class Run:
    """One run: its answers, and what was observed of the server meanwhile."""

    deadline: float
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    connections: list[int] = field(default_factory=list)
    memory_kib: list[int] = field(default_factory=list)

    def note(self, what: str, answer: Answer) -> Answer:
        with self.lock:
            self.answers[what, answer.status] += 1
            if answer.status >= 500:
                self.faults.append(f"{what}: {answer.status} {answer.text[:200]}")
        return answer


def insert(run: Run, ledger: Ledger, chance: random.Random) -> None:
    keys = [f"k{chance.getrandbits(64):x}" for _ in range(BATCH)]
    rows = [{"chave": key, "valor": 0} for key in keys]
    answer = run.note("insert", ledger.console.call("POST", f"/{ledger.table_id}/data", {"rows": rows}))
    with ledger.lock:
        if answer.status != 201:
            ledger.unsure.update(keys)
            return
        ledger.keys.update(dict.fromkeys(keys, 0))


def read(run: Run, ledger: Ledger, chance: random.Random) -> None:
    """Read a page, and note the ids of rows that may then be changed."""
    params = {"per_page": 50, "page": chance.randint(1, 20), "sort_by": chance.choice(["id", "valor"])}
    answer = run.note("list", ledger.console.call("GET", f"/{ledger.table_id}/data", params=params))
    if answer.status == 200:
        with ledger.lock:
            for row in answer.json["records"]:
                if row["id"] not in ledger.ids and row["chave"] in ledger.keys:
                    ledger.ids[row["id"]] = row["chave"]
                    ledger.free.append(row["id"])


def update(run: Run, ledger: Ledger, chance: random.Random) -> None:
    row_id = ledger.take(chance)
    if row_id is None:
        return
    value = chance.randrange(10**6)
    path = f"/{ledger.table_id}/data/{row_id}"
    answer = run.note("update", ledger.console.call("PUT", path, {"valor": value}))
    with ledger.lock:
        key = ledger.ids[row_id]
        if answer.status == 200:
            ledger.keys[key] = value
            ledger.free.append(row_id)
        else:
            ledger.unsure.add(key)


def delete(run: Run, ledger: Ledger, chance: random.Random) -> None:
    row_id = ledger.take(chance)
    if row_id is None:
        return
    answer = run.note("delete", ledger.console.call("DELETE", f"/{ledger.table_id}/data/{row_id}"))
    with ledger.lock:
        key = ledger.ids[row_id]
        if answer.status == 204:
            del ledger.keys[key]
        else:
            ledger.unsure.add(key)


def upload(run: Run, ledger: Ledger, chance: random.Random) -> None:
    """Append a file to the company's table and follow it to the end; one at a time per company.

    Each runs two functions on the cores that the clients and servers use.
    """
    if not ledger.uploading.acquire(blocking=False):
        return
    try:
        _upload(run, ledger, chance)
    finally:
        ledger.uploading.release()


def _upload(run: Run, ledger: Ledger, chance: random.Random) -> None:
    keys = [f"u{chance.getrandbits(64):x}" for _ in range(BATCH)]
    text = "chave,valor\n" + "".join(f"{key},1\n" for key in keys)
    console = ledger.console
    job_id = console.upload_presigned({"a.csv": text}, ledger.table_id, "append")
    job = console.wait(job_id, "waiting_confirm", limit_seconds=ENDED_SECONDS)
    answer = run.note("confirm", console.confirm(job))
    console.wait(job_id, "done", limit_seconds=ENDED_SECONDS)
    assert answer.status == 200, answer.text
    with ledger.lock:
        ledger.keys.update(dict.fromkeys(keys, 1))
        ledger.uploaded.append(job_id)


ACTIONS = {"insert": insert, "list": read, "update": update, "delete": delete, "upload": upload}


def work(run: Run, ledger: Ledger, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
    while time.monotonic() < run.deadline:
        ACTIONS[chance.choice(CHOICES)](run, ledger, chance)


def watch(run: Run, stack_file: Path, databases: list[str], stop: threading.Event) -> None:
    """Record once a second the connections to the companies' databases and the ASGI server's memory."""
    facts = json.loads(stack_file.read_text())
    pid = (stack_file.parent / "server.pid").read_text().strip()
    with psycopg.connect(facts["postgres_admin_dsn"], autocommit=True) as admin:
        while not stop.wait(1.0):
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = ANY(%s)", [databases]
            ).fetchone()
            run.connections.append(int(row[0]) if row else 0)
            run.memory_kib.append(memory_kib(pid))


def memory_kib(pid: str) -> int:
    """Return the process's memory use."""
    command = ["ps", "-o", "rss=", "-p", pid]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def stored(ledger: Ledger) -> dict[str, int]:
    """Return key and value of every row, page after page."""
    found: dict[str, int] = {}
    page = 1
    while True:
        records: list[dict[str, Any]] = ledger.console.rows(ledger.table_id, page=page)
        if not records:
            return found
        for row in records:
            assert row["chave"] not in found, f"{row['chave']} is there twice"
            found[row["chave"]] = row["valor"]
        page += 1


@pytest.fixture
def ledgers(console: Console) -> list[Ledger]:
    made = []
    with ThreadPoolExecutor(COMPANIES) as pool:
        companies = [console.other_company() for _ in range(COMPANIES)]
        list(pool.map(Console.provision, companies))
        for company in companies:
            table = company.create_table("vendas", column("chave"), column("valor", "integer"))
            made.append(Ledger(company, table["_id"]))
    return made


@pytest.mark.flow
def test_nothing_is_lost_under_load(
    ledgers: list[Ledger],
    stack_file: Path,
    target: str,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """16 clients of 4 companies: no 5xx, every acknowledged write there, connections bounded, memory flat."""
    seconds = pytestconfig.getoption("load_seconds")
    run = Run(time.monotonic() + seconds)
    databases = [f"co_{one.console.ok('GET', '/status')['connection_id']}" for one in ledgers]
    stop = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        watching = pool.submit(watch, run, stack_file, databases, stop)
        tasks = [pool.submit(work, run, ledgers[number % COMPANIES], number) for number in range(CLIENTS)]
        try:
            for task in tasks:
                task.result()
        finally:
            stop.set()
        watching.result()
    with capsys.disabled():
        print("\n" + report(run, ledgers, target, seconds))
    assert run.faults == []
    for ledger in ledgers:
        found = stored(ledger)
        sure = {key: value for key, value in ledger.keys.items() if key not in ledger.unsure}
        assert {key: value for key, value in found.items() if key not in ledger.unsure} == sure
        assert ledger.console.table(ledger.table_id)["row_count"] == len(found)
    if target == "serve":
        assert max(run.connections) <= POOL_LIMIT + FLOW_LIMIT
        warm, end = run.memory_kib[len(run.memory_kib) // 4], run.memory_kib[-1]
        assert end <= warm * MEMORY_GROWTH_MAX


def report(run: Run, ledgers: list[Ledger], target: str, seconds: float) -> str:
    """Summarize the run in figures."""
    answers = ", ".join(f"{what} {status}: {count}" for (what, status), count in sorted(run.answers.items()))
    kept, jobs = sum(len(one.keys) for one in ledgers), sum(len(one.uploaded) for one in ledgers)
    start, most, end = (kib // 1024 for kib in (run.memory_kib[0], max(run.memory_kib), run.memory_kib[-1]))
    return (
        f"{target}, {CLIENTS} clients, {COMPANIES} companies, {seconds:.0f} s\n"
        f"answers       {answers}\n"
        f"rows kept     {kept}, of them {jobs * BATCH} by {jobs} jobs\n"
        f"connections   at most {max(run.connections)} of these companies in PostgreSQL\n"
        f"server memory {start} MiB at the start, {most} at most, {end} at the end\n"
    )
