"""Take the bundled sample through a whole job, over HTTP only, as a console would: `make run`."""

import secrets
from pathlib import Path

from managed_tables import API_PREFIX
from managed_tables_command.api import Api, Json, Login
from managed_tables_command.shown import percent_of
from managed_tables_command.uploading import WAITING, confirm, send
from managed_tables_local.checkout import ROOT, StackError, say
from managed_tables_local.stack import Stack, make_token

SAMPLE = ROOT / "localstack" / "sample" / "vendas.csv"  # a Brazilian report, as an ERP exports it
JOB_LIMIT_SECONDS = 180
_SHOWN_ROWS = 5
_SHOWN_WIDTH = 20


def run(stack: Stack, folder: Path) -> None:
    """Take the sample from a file to rows read back, and say what to try next."""
    token = make_token(stack, _company(folder), "managed-tables:*")
    with Api(Login(stack.api_url, token)) as api:
        connection = api.call("POST", "/provision")["connection_id"]
        say(f"\n==> provisioned: the company's own database is co_{connection}")
        job_id = send(api, [SAMPLE])
        say(f"==> uploaded {SAMPLE.name} ({SAMPLE.stat().st_size:,} bytes) by presigned POST: job {job_id}")
        job = _wait(api, job_id, "waiting_confirm")
        _show_schema(job["inferred_schema"])
        name = job["inferred_schema"]["suggested_table_name"]
        confirm(api, job, name)
        say(f"==> confirmed as it was inferred, as table {name}")
        done = _wait(api, job_id, "done")
        _show_rows(api, done["user_table_id"])
        _say_what_next(stack, token, done["user_table_id"])


def _company(folder: Path) -> str:
    """Return the demonstration's company, the same at every run of one stack."""
    kept = folder / "demo-company"
    if not kept.exists():
        kept.write_text(secrets.token_hex(12))
    return kept.read_text()


def _wait(api: Api, job_id: str, wanted: str) -> Json:
    """Wait until the job has the wanted status, showing each status and the progress as they come."""
    shown = [""]

    def show(state: Json) -> None:
        percent = percent_of(state)
        shown.append(f"    {state['status']}" + (f"  {percent} %" if 0 < percent < 100 else ""))
        if shown[-1] != shown[-2]:
            say(shown[-1])

    path = f"/upload-jobs/{job_id}"
    job = api.poll(path, WAITING, show, JOB_LIMIT_SECONDS, numbers="string")
    if job["status"] != wanted:
        raise StackError(f"the job is {job['status']}: {job['error']}")
    return job


def _show_schema(schema: Json) -> None:
    say(f"\n==> inferred schema of {schema['total_row_count_estimate']:,} rows")
    example = schema["sample_rows"][0] if schema["sample_rows"] else {}
    rows = [["column", "label", "type", "nullable", "first value"]]
    for column in schema["columns"]:
        nullable = "yes" if column["nullable"] else "no"
        value = _cell(example.get(column["name"]))
        rows.append([column["name"], column["display_name"], column["type"], nullable, value])
    say(_table(rows) + "\n")


def _show_rows(api: Api, table_id: str) -> None:
    page = api.call("GET", f"/{table_id}/data", per_page=str(_SHOWN_ROWS), numbers="string")
    columns = [name for name in page["records"][0] if name != "id"]
    rows = [columns, *([_cell(record[name]) for name in columns] for record in page["records"])]
    say(f"\n==> the first {page['quantity']} of {page['total']:,} rows, read back over the API")
    say(_table([[cell[:_SHOWN_WIDTH] for cell in row] for row in rows]))


def _table(rows: list[list[str]]) -> str:
    """Lay rows out in columns of even width; the first row is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


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
