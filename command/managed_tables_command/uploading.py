"""Send files to a table, and confirm how they were read."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.markup import escape

from managed_tables_command import shown
from managed_tables_command.api import Api, Json

WAITING = ("waiting_confirm", "done", "failed")
NO_OPTIONS: Mapping[str, str] = {}


def find_table(api: Api, name: str) -> Json | None:
    """Return the table of this name."""
    return next((table for table in api.tables(search=name) if table["display_name"] == name), None)


def send(
    api: Api, files: Sequence[Path], target: Json | None = None, options: Mapping[str, str] = NO_OPTIONS
) -> str:
    """Declare the files, post each, and return their job's id."""
    sizes = [file.stat().st_size for file in files]
    declared = [{"name": file.name, "size_bytes": size} for file, size in zip(files, sizes, strict=True)]
    path = f"/{target['_id']}/upload" if target else "/upload"
    answer = api.call("POST", path, {"files": declared, **options})
    with shown.progress() as bars, ExitStack() as opened:
        for form, file, size in zip(answer["uploads"], files, sizes, strict=True):
            content = opened.enter_context(file.open("rb"))
            api.post_file(form, bars.wrap_file(content, size, description=escape(f"Envio: {file.name}")))
    return str(answer["job_id"])


def confirm(api: Api, job: Json, name: str) -> None:
    """Confirm the job's schema as it was inferred; of an existing table by the table's own columns."""
    plan = job["append_plan"]
    columns = [
        {
            "name": column["name"],
            "display_name": column["display_name"],
            "type": column["type"],
            "nullable": column["nullable"],
            **(column.get("table_column") or {}),
            "source": column["name"],
        }
        for column in job["inferred_schema"]["columns"]
        if column.get("table_column") or plan is None or column["name"] in plan["new"]
    ]
    api.call("POST", f"/upload-jobs/{job['_id']}/confirm", {"display_name": name, "columns": columns})
