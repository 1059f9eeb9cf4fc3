"""Send files to a table, follow their job, and confirm how they were read."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.markup import escape

from managed_tables_command import shown
from managed_tables_command.api import Api, Json, Refused

WAITING = ("waiting_confirm", "done", "failed")


def find_table(api: Api, name: str) -> Json | None:
    """Return the table of this name."""
    return next((table for table in api.tables(search=name) if table["display_name"] == name), None)


def find_recipe_mode(api: Api, table: Json) -> str:
    """Return how the table's recipe loads files; they are added where it has none."""
    try:
        return str(api.call("GET", f"/{table['_id']}/recipe")["mode"])
    except Refused:
        return "append"


def send(
    api: Api, files: Sequence[Path], target: Json | None = None, options: Mapping[str, str] | None = None
) -> str:
    """Declare the files, post each, and return their job's id."""
    sizes = [file.stat().st_size for file in files]
    names = [os.fsencode(file.name).decode(errors="replace") for file in files]
    declared = [{"name": name, "size_bytes": size} for name, size in zip(names, sizes, strict=True)]
    path = f"/{target['_id']}/upload" if target else "/upload"
    answer = api.call("POST", path, {"files": declared, **(options or {})})
    for form, file, size in zip(answer["uploads"], files, sizes, strict=True):
        with shown.progress() as bars, file.open("rb") as content:
            api.post_file(form, bars.wrap_file(content, size, description=escape(f"Envio: {form['name']}")))
    return str(answer["job_id"])


def follow(api: Api, job_id: str, what: str, limit_seconds: float = math.inf) -> Json:
    """Show the job's progress until it waits or has ended, and return it; raises Refused as `poll` does."""
    path = f"/upload-jobs/{job_id}"
    with shown.following(what) as show:
        api.poll(path, WAITING, show, limit_seconds, fields="status,progress")
    job: Json = api.call("GET", path, numbers="string")
    return job


def read_repairs(stated: Sequence[str], file: Path | None) -> list[Json]:
    """Return the repairs that are stated, then those of a file: lines like `uf: SAO PAULO=SP`, or JSON.

    Raises Refused.
    """
    lines = [*stated]
    if file is not None:
        try:
            text = file.read_text("utf-8-sig")
            if text.lstrip().startswith("["):
                return [*map(_repair, lines), *json.loads(text)]
        except (OSError, ValueError) as error:
            raise Refused(f"O arquivo de consertos não pôde ser lido: {error}") from error
        lines += filter(str.strip, text.splitlines())
    return [*map(_repair, lines)]


def _repair(line: str) -> Json:
    """Return a repair; of several signs the first `:` ends the column, the last `=` the text."""
    column, colon, rest = line.partition(":")
    text, equals, becomes = rest.strip().rpartition("=")
    if not (column.strip() and colon and equals):
        raise Refused(f"Um conserto se escreve COLUNA: DE=PARA, e não {line!r}")
    outcome = {"to": becomes.strip()} if becomes.strip() else {"empty": True}
    return Json({"column": column.strip(), "from": text.strip(), **outcome})


def confirm(api: Api, job: Json, name: str, repairs: Sequence[Json] = ()) -> None:
    """Confirm the job's schema as it was inferred; of an existing table by the table's own columns.

    A new column may be empty, as in the console: next month's file has a blank.
    """
    plan = job["append_plan"]
    columns = [
        {
            "name": column["name"],
            "display_name": column["display_name"],
            "type": column["type"],
            "nullable": True,
            **(column.get("table_column") or {}),
            "source": column["name"],
        }
        for column in job["inferred_schema"]["columns"]
        if column.get("table_column") or plan is None or column["name"] in plan["new"]
    ]
    body = {"display_name": name, "columns": columns, **({"repairs": [*repairs]} if repairs else {})}
    api.call("POST", f"/upload-jobs/{job['_id']}/confirm", body)


def merge(api: Api, job: Json, conflicts: str | None, *, delete_absent: bool) -> None:
    """Confirm a workbook that has come back; a row that does not fit stops it, as any file."""
    body = {"delete_absent": delete_absent, **({"conflicts": conflicts} if conflicts else {})}
    api.call("POST", f"/upload-jobs/{job['_id']}/confirm", body)
