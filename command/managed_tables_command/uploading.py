"""Upload files: declared, sent, reviewed by a person, confirmed and followed to the end."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from managed_tables_command import shown
from managed_tables_command.answers import FailureJson, JobJson, TableJson
from managed_tables_command.api import Api, Refused

WAITING = ("waiting_confirm", "done", "failed")


STANDARD_INPUT = Path("-")
NO_OPTIONS: Mapping[str, str] = {}
CHANGED = 3  # the exit status of an upload that is not as its table remembers


@contextmanager
def opened_files(files: Sequence[Path], name: str) -> Iterator[list[Path]]:
    """Give the files; in the place of `-`, one of this name with all of standard input."""
    if STANDARD_INPUT not in files:
        yield list(files)
        return
    with tempfile.TemporaryDirectory(prefix="managed-tables-") as folder:
        received = Path(folder) / Path(name).name
        with received.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield [received if file == STANDARD_INPUT else file for file in files]


def upload(
    api: Api,
    files: Sequence[Path],
    table: str | None,
    asked: Mapping[str, str | None],
    *,
    is_sure: bool,
    as_json: bool = False,
) -> int:
    """Upload the files into the table, or a new one; return the exit status.

    `asked` are the upload's `mode` and `auto_confirm`. With the latter no person is asked: a job that is not
    as the table remembers waits, which is status 3.
    """
    target = find_table(api, table) if table else None
    options = {name: value for name, value in asked.items() if value}
    if target is None and options:
        option, missing = next(iter(options)).replace("_", "-"), table or "(falta --table)"
        raise Refused(f"--{option} é para uma tabela que existe; não há tabela {missing}", [])
    job = _follow(api, send(api, files, target, options), "Leitura")
    if job["status"] != "waiting_confirm":  # it has failed, or has confirmed itself
        return _ended(job, as_json=as_json)
    if "auto_confirm" in options:
        return _changed(job, as_json=as_json)
    shown.show_review(job["inferred_schema"], job["warnings"])
    name = table or job["inferred_schema"]["suggested_table_name"]
    if not is_sure and not shown.is_agreed(_question(name, target)):
        shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
        return 1
    confirm(api, job, name)
    return _ended(_follow(api, job["_id"], "Inserção"), as_json=as_json)


def _question(name: str, target: TableJson | None) -> str:
    return f"Inserir na tabela {name}?" if target else f"Inserir em uma tabela nova, {name}?"


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
            api.post_file(form, _Counted(opened.enter_context(file.open("rb")), bar))
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


def _follow(api: Api, job_id: str, what: str) -> JobJson:
    path = f"/upload-jobs/{job_id}"
    with shown.progress_of(what) as bar:
        api.poll(path, WAITING, bar.follow, fields="status,progress")
    job: JobJson = api.call("GET", path, numbers="string")
    return job


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


def _ended(job: JobJson, *, as_json: bool) -> int:
    """Say what became of a job that has ended, or that waits since its values do not fit."""
    if job["status"] != "done":
        error = job["error"] or FailureJson(message="O envio não terminou", details=[])
        shown.complain(error["message"], error["details"])
        if job["status"] == "waiting_confirm":
            shown.say(f"O envio espera por outra confirmação, no console: {job['_id']}")
        return 1
    if as_json:
        shown.print_json(job)
    shown.show_result(job["result"])
    shown.say(f"Para desfazer: managed-tables undo {job['_id']}")
    return 0


def _changed(job: JobJson, *, as_json: bool) -> int:
    """Say why the job waits for a person: what is not as before, what does not fit, what is in doubt."""
    if as_json:
        shown.print_json(job)
    refusal = [job["error"]["message"]] if job["error"] else []
    conflicts = job["append_plan"]["conflicts"] if job["append_plan"] else []
    misfits = [f"{conflict['column']}: {conflict['count']} valores não cabem" for conflict in conflicts]
    recipe = job["recipe"] or {"differences": [{"text": "A tabela ainda não tem modelo de importação"}]}
    notes = [note["text"] for note in [*recipe["differences"], *job["warnings"]]]
    for text in [*refusal, *misfits, *notes]:
        shown.say(f"- {text}")
    shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
    return CHANGED
