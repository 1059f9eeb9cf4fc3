"""Take CSV files of 100, 1,000 and 2,000 MB through the deployed stack, as a browser does.

Printed are the seconds of sending, analysis and insertion, and the most memory that the processes of both
functions have held: files come in order of size, so that what a larger one adds shows.
"""

import secrets
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import httpx

from benchmarks.files import BYTES_A_ROW, make_orders
from managed_tables_command.api import Api, Json, Login
from managed_tables_command.uploading import WAITING, confirm, send
from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL
from managed_tables_local.stack import make_token

_MIB = 1_048_576
_REPEAT_AFTER = 100_000  # rows: a gigabyte is written quickly
_LIMIT_SECONDS = 1_800  # of a step, which the function's 900 end before
_FOLDER = LOCAL / "gigabyte"


def run(small: bool) -> None:
    """Measure each file and print its line."""
    try:
        stack = local.up(_FOLDER, persistent=False, overrides={"UploadMaxMb": "5000"})
        token = make_token(stack, secrets.token_hex(12), "managed-tables:*")
        with Api(Login(stack.api_url, token), httpx.Client(timeout=_LIMIT_SECONDS)) as api:
            api.call("POST", "/provision")
            for mib in (10, 100, 200) if small else (100, 1_000, 2_000):
                figures = _measure(api, mib * _MIB // BYTES_A_ROW)
                print(
                    "{} MiB: sent in {} s, analyzed {}, inserted {}; MiB {}, {}".format(*figures), flush=True
                )
    finally:
        local.remove(_FOLDER)


def _measure(api: Api, rows: int) -> list[int]:
    with tempfile.TemporaryDirectory(dir=_FOLDER) as folder:
        file = make_orders(Path(folder), rows, _REPEAT_AFTER).brazilian_csv()
        size, marks = file.stat().st_size, [time.monotonic()]
        job_id = send(api, [file])
    marks.append(time.monotonic())
    job = _wait(api, job_id)
    marks.append(time.monotonic())
    confirm(api, job, job["inferred_schema"]["suggested_table_name"])
    inserted = (_wait(api, job_id)["result"] or {})["inserted"]
    marks.append(time.monotonic())
    if inserted != rows:
        raise SystemExit(f"{inserted} rows were loaded of {rows}")
    seconds = [round(after - before) for before, after in pairwise(marks)]
    return [size // _MIB, *seconds, _peak_mib("Analyze"), _peak_mib("Insert")]


def _wait(api: Api, job_id: str) -> Json:
    path = f"/upload-jobs/{job_id}"
    return api.poll(path, WAITING, limit_seconds=_LIMIT_SECONDS, numbers="string")


def _peak_mib(function: str) -> int:
    """Return the most memory that a process of this stack's function has held (Linux)."""
    most = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (process / "environ").read_bytes()
            if str(_FOLDER).encode() in environment and f"-{function}".encode() in environment:
                held = (process / "status").read_text().partition("VmHWM:")[2]
                most = max(most, int(held.split()[0]) // 1_024)
    return most
