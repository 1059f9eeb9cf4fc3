"""`make smoke`: try a deployment from outside, as a console and a script would, and clean up.

Everything except the inbox uses HTTP with one bearer token of a company for trials: what it makes has a name
of its own and is deleted at the end, whatever failed.
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import httpx

from managed_tables_command.api import POLL_SECONDS, Api, Json, Login, Refused
from managed_tables_command.uploading import WAITING, confirm, send

WAKING_LIMIT_SECONDS = 120.0  # a cluster that has been paused for a day takes 30 s and more
JOB_LIMIT_SECONDS = 300.0
MIB = 1_048_576
CALLERS = 4


class SmokeError(RuntimeError):
    """Something is not as it should be; the message says what."""


@dataclass(frozen=True)
class Smoke:
    """One try of the API, as one company, under one name."""

    api: Api
    name: str

    def provision(self) -> str:
        """Have the company's database made, waiting for a cluster that wakes."""
        started = time.monotonic()
        while (answer := self.api.send("POST", "/provision")).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            expect(time.monotonic() - started <= WAKING_LIMIT_SECONDS, f"it does not wake: {answer.text}")
            time.sleep(POLL_SECONDS)
        expect(answer.status_code == HTTPStatus.OK, f"POST /provision: {answer.status_code} {answer.text}")
        return f"the database answers after {time.monotonic() - started:.1f} s"

    def confirm(self) -> str:
        """Take a file to rows, by a presigned post."""
        job = self._analyzed("produto;valor\nCafé;1,50\nPão;2,25\n")
        done = self._confirmed(job)
        expect(done["status"] == "done", f"the job ended as {done['status']}: {done.get('error')}")
        page = self.api.call("GET", f"/{done['user_table_id']}/data")
        values = {row["produto"]: row["valor"] for row in page["records"]}
        expect(values == {"Café": 1.5, "Pão": 2.25}, f"the rows are {values}")
        return "a file is read, confirmed and loaded"

    def reject(self) -> str:
        """Confirm with a type that the values do not have: the job waits again, with its misfits."""
        job = self._analyzed("produto;valor\nCafé;um\n", "recusada")
        for column in job["inferred_schema"]["columns"]:
            column["type"] = "integer"
        again = self._confirmed(job)
        expect(again["status"] == "waiting_confirm", f"a rejected job is {again['status']}")
        expect(bool(again.get("error")), "a rejected job says nothing of what was wrong")
        self.api.call("DELETE", f"/upload-jobs/{job['_id']}")
        return "values that do not convert are rejected, and nothing is loaded"

    def inbox(self, s3: Any, bucket: str, company_id: str) -> str:
        """Put a file into the bucket's inbox: it becomes a table without a person."""
        table = f"{self.name}_caixa"
        key, said = f"inbox/{company_id}/{table}.csv", {"auto-confirm": "true", "table": table}
        s3.put_object(Bucket=bucket, Key=key, Body="produto\nCafé\n".encode(), Metadata=said)
        deadline = time.monotonic() + JOB_LIMIT_SECONDS
        while not any(known["row_count"] for known in self.api.tables(search=table)):
            expect(time.monotonic() < deadline, "the file in the inbox has made no table")
            time.sleep(POLL_SECONDS)
        return "a file in the inbox is a table"

    def refuse_bodies(self) -> str:
        """Send bodies of 7 MB, beyond Lambda's limit, and of 11 MB, beyond API Gateway's."""
        table_id = self._make_table("corpo")
        for size in (7, 11):
            body = json.dumps({"rows": [{"produto": "x" * (size * MIB)}]})
            headers = {"Content-Type": "application/json"}
            answer = self.api.send("POST", f"/{table_id}/data", content=body, headers=headers)
            said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            right = answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and "error" in said
            expect(right, f"a body of {size} MB: {answer.status_code} {answer.text[:200]}")
        return "bodies of 7 and 11 MB are refused in the API's own words"

    def load(self, seconds: float) -> str:
        """Read and write for a while, during an upgrade for one: nothing refused or failed, no row lost."""
        table_id = self._make_table("carga")
        deadline = time.monotonic() + seconds
        with ThreadPoolExecutor(CALLERS) as pool:
            results = list(pool.map(lambda _: self._call(table_id, deadline), range(CALLERS)))
        written = sum(rows for rows, _ in results)
        answers = [status for _, statuses in results for status in statuses]
        wrong = [status for status in answers if status >= HTTPStatus.BAD_REQUEST]
        expect(not wrong, f"{len(wrong)} of {len(answers)} requests were answered {sorted(set(wrong))}")
        counted = self.api.call("GET", f"/{table_id}")["row_count"]
        expect(counted == written, f"{counted} rows where {written} were written")
        return f"{len(answers)} requests in {seconds:.0f} s, none refused or failed, {written} rows"

    def clean(self) -> str:
        """Delete every table of this try."""
        found = self.api.tables(search=self.name)
        mine = [table for table in found if table["display_name"].startswith(self.name)]
        for table in mine:
            self.api.call("DELETE", f"/{table['_id']}")
            gone = self.api.send("GET", f"/{table['_id']}").status_code
            expect(gone == HTTPStatus.NOT_FOUND, f"a deleted table is answered {gone}")
        return f"{len(mine)} tables deleted"

    def _make_table(self, name: str) -> str:
        column: Json = {"name": "produto", "display_name": "Produto", "type": "text", "nullable": True}
        made = self.api.call("POST", "", {"display_name": f"{self.name}_{name}", "columns": [column]})
        return str(made["_id"])

    def _call(self, table_id: str, deadline: float) -> tuple[int, list[int]]:
        """Write a row and read, again and again; return how many were written and every answer's status."""
        written, answers = 0, list[int]()
        while time.monotonic() < deadline or not answers:
            headers = {"Idempotency-Key": secrets.token_hex(16)}
            body = {"rows": [{"produto": "Café"}]}
            made = self.api.send("POST", f"/{table_id}/data", json=body, headers=headers)
            written += not made.is_error
            answers += [made.status_code, self.api.send("GET", f"/{table_id}/data").status_code]
        return written, answers

    def _analyzed(self, text: str, name: str = "vendas") -> Json:
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}.csv"
            file.write_bytes(text.encode())
            return self._wait(send(self.api, [file]))

    def _confirmed(self, job: Json) -> Json:
        """Confirm the job, and return it as it has ended, or waits again."""
        expect(job["status"] == "waiting_confirm", f"the job is {job['status']}: {job.get('error')}")
        confirm(self.api, job, f"{self.name}_{job['_id'][-6:]}")
        return self._wait(job["_id"])

    def _wait(self, job_id: str) -> Json:
        path = f"/upload-jobs/{job_id}"
        return self.api.poll(path, WAITING, limit_seconds=JOB_LIMIT_SECONDS)


def expect(holds: bool, otherwise: str) -> None:
    """Raise SmokeError unless it holds."""
    if not holds:
        raise SmokeError(otherwise)


def run(smoke: Smoke, seconds: float, inbox: Callable[[], str] | None) -> list[str]:
    """Try everything, print what holds, and return what does not."""
    steps: list[Callable[[], str]] = [smoke.provision, smoke.confirm, smoke.reject, smoke.refuse_bodies]
    steps += [inbox] if inbox else []
    failures = []
    for step in [*steps, lambda: smoke.load(seconds), smoke.clean]:
        try:
            print(f"ok    {step()}", flush=True)
        except (SmokeError, Refused, httpx.HTTPError, KeyError, ValueError) as error:
            failures.append(f"{type(error).__name__}: {error}")
            print(f"FAIL  {failures[-1]}", flush=True)
    return failures


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the token comes from the environment, where no other user can read it."""
    made = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    made.add_argument("--api", required=True, help="the output ApiUrl")
    made.add_argument("--bucket", default="", help="the output BucketName: the inbox is tried, too")
    made.add_argument("--company", default="", help="the token's company, for the inbox")
    made.add_argument("--seconds", type=float, default=5.0, help="of load: 900 while an upgrade goes on")
    chosen = made.parse_args(arguments)
    with httpx.Client(timeout=35, transport=httpx.HTTPTransport(retries=2)) as http:
        name = f"fumaca_{secrets.token_hex(4)}"
        smoke = Smoke(Api(Login(chosen.api.rstrip("/"), os.environ["SMOKE_TOKEN"]), http), name)
        inbox = None
        if chosen.bucket and chosen.company:
            inbox = partial(smoke.inbox, boto3.client("s3"), chosen.bucket, chosen.company)
        else:
            print("skip  the inbox: give BUCKET and COMPANY, and AWS credentials")
        return 1 if run(smoke, chosen.seconds, inbox) else 0


if __name__ == "__main__":
    sys.exit(main())
