"""Take the bundled sample through a whole job, over HTTP only, as a console would: `make run`."""

import secrets
import time
from pathlib import Path

from managed_tables import API_PREFIX
from managed_tables_command.answers import JobJson, SchemaJson
from managed_tables_command.api import Api
from managed_tables_command.login import Login
from managed_tables_command.shown import percent_of
from managed_tables_command.uploading import confirm
from managed_tables_local.checkout import ROOT
from managed_tables_local.progress import bar, say, table
from managed_tables_local.stack import Stack
from managed_tables_local.tokens import make_token

SAMPLE = ROOT / "localstack" / "sample" / "vendas.csv"  # a Brazilian report, as an ERP exports it
POLL_SECONDS = 0.3
JOB_LIMIT_SECONDS = 180
_SHOWN_ROWS = 5
_SHOWN_WIDTH = 20


class DemoError(RuntimeError):
    """The job did not go as it should; the message says where."""


def run(stack: Stack, folder: Path) -> None:
    """Take the sample from a file to rows read back, and say what to try next."""
    token = make_token(stack, _company(folder), "managed-tables:*")
    with Api(Login(stack.api_url, token)) as api:
        connection = api.call("POST", "/provision")["connection_id"]
        say(f"\n==> provisioned: the company's own database is co_{connection}")
        job = wait(api, upload(api, SAMPLE), "waiting_confirm")
        _show_schema(job["inferred_schema"])
        name = job["inferred_schema"]["suggested_table_name"]
        confirm(api, job, name)
        say(f"==> confirmed as it was inferred, as table {name}")
        done = wait(api, job["_id"], "done")
        _show_rows(api, done["user_table_id"])
        _say_what_next(stack, token, done["user_table_id"])


def _company(folder: Path) -> str:
    """Return the demonstration's company, the same at every run of one stack."""
    kept = folder / "demo-company"
    if not kept.exists():
        kept.write_text(secrets.token_hex(12))
    return kept.read_text()


def upload(api: Api, file: Path) -> str:
    """Send a file by presigned POST and return its job's id."""
    size = file.stat().st_size
    answer = api.call("POST", "/upload", {"files": [{"name": file.name, "size_bytes": size}]})
    with file.open("rb") as content:
        api.post_file(answer["uploads"][0], content)
    say(f"==> uploaded {file.name} ({size:,} bytes) by presigned POST: job {answer['job_id']}")
    return str(answer["job_id"])


def wait(api: Api, job_id: str, wanted: str, limit_seconds: int = JOB_LIMIT_SECONDS) -> JobJson:
    """Poll the job until it has the wanted status, showing each status and the progress as they come."""
    shown = ""
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        job: JobJson = api.call("GET", f"/upload-jobs/{job_id}", numbers="string")
        line = _status_line(job)
        if line != shown:
            say(f"    {line}")
            shown = line
        if job["status"] == wanted:
            return job
        if job["status"] == "failed":
            raise DemoError(f"the job failed: {job['error']}")
        if job["status"] == "waiting_confirm" and job["error"]:
            raise DemoError(f"values did not convert: {job['error']}")
        time.sleep(POLL_SECONDS)
    raise DemoError(f"the job is still {job['status']} after {limit_seconds} s")


def _status_line(job: JobJson) -> str:
    percent = percent_of(job)
    return f"{job['status']}  {bar(percent, 100)}" if 0 < percent < 100 else job["status"]


def _show_schema(schema: SchemaJson) -> None:
    say(f"\n==> inferred schema of {schema['total_row_count_estimate']:,} rows")
    example = schema["sample_rows"][0] if schema["sample_rows"] else {}
    rows = [["column", "label", "type", "nullable", "first value"]]
    for column in schema["columns"]:
        nullable = "yes" if column["nullable"] else "no"
        value = _cell(example.get(column["name"]))
        rows.append([column["name"], column["display_name"], column["type"], nullable, value])
    say(table(rows) + "\n")


def _show_rows(api: Api, table_id: str) -> None:
    page = api.call("GET", f"/{table_id}/data", per_page=str(_SHOWN_ROWS), numbers="string")
    columns = [name for name in page["records"][0] if name != "id"]
    rows = [columns, *([_cell(record[name]) for name in columns] for record in page["records"])]
    say(f"\n==> the first {page['quantity']} of {page['total']:,} rows, read back over the API")
    say(table([[cell[:_SHOWN_WIDTH] for cell in row] for row in rows]))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).replace("\n", "⏎")


def _say_what_next(stack: Stack, token: str, table_id: str) -> None:
    console = f"{stack.console_url}/tabelas/{table_id}#token={token}" if stack.console_url else "not served"
    say(
        f"""
==> done; the stack goes on running (`make down` stops it)

console {console}
API     {stack.api_url}
token   {token}

Try next:
  URL={stack.api_url}{API_PREFIX}
  TOKEN={token}
  curl -H "Authorization: Bearer $TOKEN" "$URL"
  curl -H "Authorization: Bearer $TOKEN" "$URL/{table_id}/data?per_page=3&sort_by=-valor_total"
  make token COMPANY=$(openssl rand -hex 12)     another company's token
  make serve                                     the same API by uvicorn, with reload
  psql "{stack.postgres_admin_dsn}"
"""
    )
