"""Take the bundled sample through a whole job, as the command does: `make run`."""

import secrets
from pathlib import Path

from rich.markup import escape

from managed_tables import API_PREFIX
from managed_tables_command import shown
from managed_tables_command.api import Api, Json, Login
from managed_tables_command.uploading import confirm, follow, send
from managed_tables_local.checkout import ROOT, StackError, say
from managed_tables_local.stack import Stack, make_token

SAMPLE = ROOT / "localstack" / "sample" / "vendas.csv"  # a Brazilian report, as an ERP exports it
_JOB_LIMIT_SECONDS = 180
_SHOWN_ROWS = 5
_SHOWN_COLUMNS = "pedido,data,cliente,cep,valor_total,pago"  # as many as a terminal is wide


def run(stack: Stack, folder: Path) -> None:
    """Take the sample from a file to rows read back, and say what to try next."""
    token = make_token(stack, _company(folder), "managed-tables:*")
    with Api(Login(stack.api_url, token)) as api:
        connection = api.call("POST", "/provision")["connection_id"]
        say(f"\n==> provisioned: the company's own database is co_{connection}")
        job_id = send(api, [SAMPLE])
        say(f"==> uploaded {SAMPLE.name} ({SAMPLE.stat().st_size:,} bytes) by presigned POST: job {job_id}")
        job = _followed(api, job_id, "Leitura", "waiting_confirm")
        schema, name = job["inferred_schema"], job["inferred_schema"]["suggested_table_name"]
        say("==> read, as `managed-tables upload` shows it")
        shown.show_review(schema, job["warnings"])
        confirm(api, job, name)
        done = _followed(api, job_id, "Inserção", "done")
        say(f"==> confirmed as it was inferred, and loaded as table {name}")
        _show_rows(api, done["user_table_id"])
        _say_what_next(stack, token, done["user_table_id"])


def _company(folder: Path) -> str:
    """Return the demonstration's company, the same at every run of one stack."""
    kept = folder / "demo-company"
    if not kept.exists():
        kept.write_text(secrets.token_hex(12))
    return kept.read_text()


def _followed(api: Api, job_id: str, what: str, wanted: str) -> Json:
    job = follow(api, job_id, what, _JOB_LIMIT_SECONDS)
    if job["status"] != wanted:
        raise StackError(f"the job is {job['status']}: {job['error']}")
    return job


def _show_rows(api: Api, table_id: str) -> None:
    per_page = str(_SHOWN_ROWS)
    page = api.call("GET", f"/{table_id}/data", per_page=per_page, fields=_SHOWN_COLUMNS, numbers="string")
    say(f"==> the first {page['quantity']} of {page['total']:,} rows, read back over the API")
    columns = _SHOWN_COLUMNS.split(",")
    grid = shown.grid_of(*columns, folded=())
    for record in page["records"]:
        grid.add_row(*(escape(shown.shortened(record[name])) for name in columns))
    shown.console.print(grid)


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
