"""Upload files: declared, sent, reviewed by a person, confirmed and followed to the end."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from managed_tables_command import shown
from managed_tables_command.api import Api, Refused

WAITING = ("waiting_confirm", "done", "failed")


STANDARD_INPUT = Path("-")
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
        yield [received if one == STANDARD_INPUT else one for one in files]


def upload(
    api: Api,
    files: Sequence[Path],
    table: str | None,
    mode: str | None,
    *,
    is_sure: bool,
    if_unchanged: bool = False,
    as_json: bool = False,
) -> int:
    """Upload the files into the table, or a new one; return the exit status.

    With `if_unchanged` nobody is asked: a job that is not as the table remembers waits, which is status 3.
    """
    target = find_table(api, table) if table else None
    if target is None and (mode or if_unchanged):
        option = "--mode" if mode else "--auto-confirm"
        raise Refused(
            f"{option} é para uma tabela que existe; não há tabela {table or '(falta --table)'}", []
        )
    given = {"mode": mode, "auto_confirm": "unchanged" if if_unchanged else None}
    job_id = _send(api, files, target, {name: one for name, one in given.items() if one})
    job = _follow(api, job_id, "Leitura", WAITING)
    if job["status"] == "failed":
        return _failed(job)
    if job["status"] == "done":  # it has confirmed itself
        return _done(job, as_json=as_json)
    if if_unchanged:
        return _changed(job, as_json=as_json)
    return _review(api, job, table, target, is_sure=is_sure, as_json=as_json)


def _review(
    api: Api,
    job: dict[str, Any],
    table: str | None,
    target: dict[str, Any] | None,
    *,
    is_sure: bool,
    as_json: bool,
) -> int:
    shown.show_review(job)
    name = job["inferred_schema"]["suggested_table_name"] if table is None else table
    where = f"na tabela {name}" if target else f"em uma tabela nova, {name}"
    if not is_sure and not shown.is_agreed(f"Inserir {where}?"):
        shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
        return 1
    return _confirm(api, job, name, as_json=as_json)


def find_table(api: Api, name: str) -> dict[str, Any] | None:
    """Return the table of this name."""
    found = api.pages("", per_page="100", search=name)
    return next((one for one in found if one["display_name"] == name), None)


def _send(api: Api, files: Sequence[Path], target: dict[str, Any] | None, options: dict[str, str]) -> str:
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

    def __init__(self, file: IO[bytes], bar: shown.Shown) -> None:
        self._file, self._bar = file, bar

    def read(self, size: int = -1) -> bytes:
        """Read and count."""
        data = self._file.read(size)
        self._bar.advance(len(data))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _follow(api: Api, job_id: str, what: str, until: Sequence[str]) -> dict[str, Any]:
    with shown.progress_of(what) as bar:
        path = f"/upload-jobs/{job_id}"
        api.poll(path, lambda job: job["status"] in until, bar.follow, fields="status,progress")
    found: dict[str, Any] = api.call("GET", path, numbers="string")
    return found


def _confirm(api: Api, job: dict[str, Any], name: str, *, as_json: bool) -> int:
    plan = job["append_plan"] or {"new": None}
    columns = [
        {
            **{key: column[key] for key in ("name", "display_name", "type", "nullable")},
            **(column.get("table_column") or {}),
            "source": column["name"],
        }
        for column in job["inferred_schema"]["columns"]
        if column.get("table_column") or plan["new"] is None or column["name"] in plan["new"]
    ]
    job_id = job["_id"]
    api.call("POST", f"/upload-jobs/{job_id}/confirm", {"display_name": name, "columns": columns})
    ended = _follow(api, job_id, "Inserção", WAITING)
    if ended["status"] != "done":
        return _failed(ended)
    return _done(ended, as_json=as_json)


def _done(job: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        shown.print_json(job)
    shown.show_result(job.get("result"))
    shown.say(f"Para desfazer: managed-tables undo {job['_id']}")
    return 0


def _changed(job: dict[str, Any], *, as_json: bool) -> int:
    """Tell why the job waits for a person: what is not as before, what does not fit, what is in doubt."""
    if as_json:
        shown.print_json(job)
    recipe = job["recipe"] or {"differences": [{"text": "A tabela ainda não tem modelo de importação"}]}
    conflicts = [
        f"{one['column']}: {one['count']} valores não cabem" for one in job["append_plan"]["conflicts"]
    ]
    refusal = [job["error"]["message"]] if job["error"] else []
    told = (one["text"] for one in [*recipe["differences"], *job["warnings"]])
    for text in [*refusal, *conflicts, *told]:
        shown.say(f"- {text}")
    shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
    return CHANGED


def _failed(job: dict[str, Any]) -> int:
    error = job["error"] or {"message": "O envio não terminou", "details": []}
    shown.complain(error["message"], error["details"])
    if job["status"] == "waiting_confirm":
        shown.say(f"O envio espera por outra confirmação, no console: {job['_id']}")
    return 1
