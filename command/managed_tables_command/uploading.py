"""Send files to a table, and confirm how they were read."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, cast

from managed_tables_command import shown
from managed_tables_command.answers import JobJson, TableJson
from managed_tables_command.api import Api

WAITING = ("waiting_confirm", "done", "failed")
NO_OPTIONS: Mapping[str, str] = {}


def find_table(api: Api, name: str) -> TableJson | None:
    """Return the table of this name."""
    return next((table for table in api.tables(search=name) if table["display_name"] == name), None)


def send(
    api: Api, files: Sequence[Path], target: TableJson | None = None, options: Mapping[str, str] = NO_OPTIONS
) -> str:
    """Declare the files, post each, and return their job's id."""
    sizes = [file.stat().st_size for file in files]
    declared = [{"name": file.name, "size_bytes": size} for file, size in zip(files, sizes, strict=True)]
    path = f"/{target['_id']}/upload" if target else "/upload"
    answer = api.call("POST", path, {"files": declared, **options})
    with shown.progress_of("Envio") as bar, ExitStack() as opened:
        bar.total(sum(sizes))
        for form, file in zip(answer["uploads"], files, strict=True):
            content = _Counted(opened.enter_context(file.open("rb")), bar)
            api.post_file(form, cast("IO[bytes]", content))
    return str(answer["job_id"])


class _Counted:
    """A file that reports how much of it was read."""

    def __init__(self, file: IO[bytes], bar: shown.ProgressBar) -> None:
        self._file, self._bar = file, bar

    def read(self, size: int = -1) -> bytes:
        """Read and count."""
        data = self._file.read(size)
        self._bar.advance(len(data))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def confirm(api: Api, job: JobJson, name: str) -> None:
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
