"""Export a table to a file on this machine."""

from pathlib import Path
from typing import cast

from managed_tables_command import shown
from managed_tables_command.answers import ExportJson
from managed_tables_command.api import Api, Refused
from managed_tables_command.uploading import find_table

ENDED = ("done", "failed")


STANDARD_OUTPUT = Path("-")


def export(
    api: Api, table: str, form: str, dialect: str | None, output: Path | None, *, as_json: bool = False
) -> int:
    """Export the table and write the file, `-` for standard output; return the exit status."""
    known = find_table(api, table)
    if known is None:
        raise Refused(f"Não há tabela {table}", [])
    wanted = {"format": form, **({"dialect": dialect} if dialect else {})}
    export_id = api.call("POST", f"/{known['_id']}/exports", wanted)["export_id"]
    with shown.progress_of("Exportação") as bar:
        ended = cast("ExportJson", api.poll(f"/exports/{export_id}", ENDED, bar.follow))
    if ended["error"]:
        shown.complain(ended["error"]["message"], ended["error"]["details"])
        return 1
    target = None if output == STANDARD_OUTPUT else output or Path(ended["file_name"])
    with shown.progress_of("Download") as bar:
        bar.total(ended["size_bytes"])
        api.download(ended["url"], target, bar.advance)
    if as_json:
        shown.print_json({**ended, "file": str(target)})
    shown.say(f"{target or table}: {shown.counted(ended['rows'], 'linha', 'linhas')}")
    return 0
