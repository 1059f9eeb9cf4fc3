"""The command `managed-tables`, run from a shell, against the ASGI server."""

import base64
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import openpyxl
import pytest
from client import Console, column
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

CSV = "produto;valor\nCafé;1,50\nChá;2,25\nÁgua;3,75\n"


def with_cell(workbook: bytes, reference: str, value: str) -> bytes:
    """Return the workbook as openpyxl saves it with another value in a cell."""
    book, made = openpyxl.load_workbook(io.BytesIO(workbook)), io.BytesIO()
    book.worksheets[0][reference] = value
    book.save(made)
    return made.getvalue()


@dataclass(frozen=True)
class Terminal:
    """One user's shell, in its own folder."""

    company: Console
    folder: Path

    def run(
        self,
        *arguments: object,
        answers: str = "",
        status: int = 0,
        logged_in: bool = False,
        data_only: bool = False,
    ) -> str:
        """Run the command and return what it printed; `data_only`: to standard output."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MANAGED_TABLES")},
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "COLUMNS": "160",
        }
        if not logged_in:
            environment |= {
                "MANAGED_TABLES_URL": self.company.base_url,
                "MANAGED_TABLES_TOKEN": self.company.token(),
            }
        done = subprocess.run(
            [sys.executable, "-m", "managed_tables_command", *map(str, arguments)],
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=environment,
            timeout=180,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if data_only else done.stdout + done.stderr


@pytest.fixture
def terminal(served_company: Console, tmp_path: Path) -> Terminal:
    return Terminal(served_company, tmp_path)


@pytest.mark.flow
def test_a_review_shows_every_digit_and_asks_in_portuguese(terminal: Terminal) -> None:
    """Numbers are shown as written in the file, not as floats; `s` means yes."""
    file = terminal.folder / "saldos.csv"
    file.write_text("saldo;pago\n12345678901234567890,10;sim\n99,90;não\n")
    told = terminal.run("upload", file, answers="talvez\ns\n")
    assert "12345678901234567890.10" in told
    assert "99.90" in told
    assert "verdadeiro | falso" in told
    assert "[s/n] (n)" in told
    assert "Responda s (sim) ou n (não)" in told
    assert "2 inseridas" in told


@pytest.mark.flow
def test_a_file_is_uploaded_reviewed_exported_and_undone(terminal: Terminal) -> None:
    """upload, tables, export, undo; the review is a table, and nothing is loaded without a yes."""
    file = terminal.folder / "vendas.csv"
    file.write_text(CSV)
    assert "Nada foi inserido" in terminal.run("upload", file, answers="n\n", status=1)
    refused = terminal.run("upload", file, answers="", status=1)
    assert "valor" in refused
    assert "decimal" in refused
    assert "Nada foi inserido" in refused
    told = terminal.run("upload", file, "--table", "vendas", "--yes")
    assert "3 inseridas" in told
    assert "vendas" in terminal.run("tables")
    terminal.run("export", "vendas", "--format", "csv", "--dialect", "excel-br", "--output", "saida.csv")
    written = (terminal.folder / "saida.csv").read_text("utf-8-sig").splitlines()
    assert written == CSV.splitlines()
    more = terminal.run("upload", file, "--table", "vendas", "--mode", "append", "--yes")
    job_id = more.rsplit("undo ", 1)[1].split()[0]
    assert "3 removidas" in terminal.run("undo", job_id)
    [table] = terminal.company.ok("GET")["records"]
    assert table["row_count"] == 3


@pytest.mark.flow
def test_a_file_as_before_is_inserted_without_asking_and_another_waits(terminal: Terminal) -> None:
    """`--auto-confirm unchanged`: status 0 and the rows, or status 3 and what is not as before."""
    may, june = terminal.folder / "maio.csv", terminal.folder / "junho.csv"
    may.write_text(CSV)
    terminal.run("upload", may, "--yes")
    june.write_text("Emitido em junho\n\nPRODUTO;valor\nMate;4,50\n")
    told = terminal.run("upload", june, "--table", "maio", "--auto-confirm", "unchanged")
    assert "1 inserida" in told
    told = terminal.run("upload", june, "--table", "maio", "--auto-confirm", "unchanged", status=3)
    assert "já foi importado" in told
    june.write_text("produto;valor\nMate;4.505,50\n")
    assert "4.505,5" in terminal.run(
        "upload", june, "--table", "maio", "--auto-confirm", "unchanged", status=3
    )
    june.write_text("produto;valor;loja\nMate;4,50;Centro\n")
    told = terminal.run("upload", june, "--table", "maio", "--auto-confirm", "unchanged", status=3)
    assert '"loja" é nova' in told
    assert "espera por confirmação" in told
    assert "--table" in terminal.run("upload", june, "--auto-confirm", "unchanged", status=1)
    [table] = terminal.company.ok("GET")["records"]
    assert table["row_count"] == 4


@pytest.mark.flow
def test_values_are_put_right_on_their_way(terminal: Terminal) -> None:
    """`--repair` and `--repairs`; one that does not fit is refused, and the upload waits."""
    file, repairs = terminal.folder / "vendas.csv", terminal.folder / "consertos.txt"
    file.write_text(CSV)
    terminal.run("upload", file, "--yes")
    file.write_text("produto;valor\nCHA PRETO;58 RC\nMate;2,00\n")
    into = (
        "upload",
        file,
        "--table",
        "vendas",
        "--mode",
        "append",
        "--yes",
        "--repair",
        "produto: CHA PRETO=Chá",
    )
    told = terminal.run(*into, "--repair", "valor: 58 RC=58 R", status=1)
    assert "não é um número" in told
    repairs.write_text("valor: 58 RC=58,50\n")
    told = terminal.run(*into, "--repairs", repairs)
    assert "2 inseridas" in told
    assert "2 células consertadas" in told
    [table] = terminal.company.ok("GET")["records"]
    rows = terminal.company.rows(table["_id"])
    assert [row["produto"] for row in rows][-2:] == ["Chá", "Mate"]
    assert "COLUNA: DE=PARA" in terminal.run(*into, "--repair", "valor", status=1)


@pytest.mark.flow
def test_a_workbook_goes_out_is_changed_and_comes_back(terminal: Terminal) -> None:
    """`--for-editing`, then `upload`: each cell is shown, and a conflict waits until a side is named."""
    file = terminal.folder / "vendas.csv"
    file.write_text(CSV)
    terminal.run("upload", file, "--yes")
    [table] = terminal.company.ok("GET")["records"]
    out = ("export", "vendas", "--for-editing", "--output", "vendas.xlsx")
    assert "3 linhas" in terminal.run(*out)
    book = openpyxl.load_workbook(terminal.folder / "vendas.xlsx")
    sheet = book.worksheets[0]
    sheet["B2"], sheet["C3"] = "Café moído", 9.5
    sheet.delete_rows(4)
    book.save(terminal.folder / "vendas.xlsx")
    row = terminal.company.rows(table["_id"])[1]
    terminal.company.ok("PATCH", f"/{table['_id']}/data/{row['id']}", {"valor": 3})
    into = ("upload", "vendas.xlsx", "--table", "vendas", "--yes")
    told = terminal.run(*into, status=1)
    assert "Café moído" in told
    assert "9.5" in told
    assert "--conflicts" in told
    told = terminal.run(*into, "--conflicts", "mine", "--delete-absent")
    assert "2 atualizadas" in told
    assert "1 excluída" in told
    rows = terminal.company.rows(table["_id"])
    assert [(row["produto"], row["valor"]) for row in rows] == [("Café moído", 1.5), ("Chá", 9.5)]
    terminal.run("undo", told.rsplit("undo ", 1)[1].split()[0])
    assert [row["valor"] for row in terminal.company.rows(table["_id"])] == [1.5, 3, 3.75]


@pytest.mark.flow
def test_data_goes_through_pipes(terminal: Terminal) -> None:
    """`-` is standard input and output; `--json` is the result alone, for another program."""
    job = terminal.run("upload", "-", "--name", "vendas.csv", "--yes", "--json", answers=CSV, data_only=True)
    assert json.loads(job)["result"]["inserted"] == 3
    written = terminal.run("export", "vendas", "--format", "csv", "--output", "-", data_only=True)
    assert written.splitlines() == ["produto,valor", "Café,1.50", "Chá,2.25", "Água,3.75"]
    (terminal.folder / "elo").symlink_to("ligada.csv")  # as /dev/stdout is one
    terminal.run("export", "vendas", "--format", "csv", "--output", "elo")
    assert [one.name for one in terminal.folder.iterdir() if one.is_symlink() or one.name == "-"] == ["elo"]
    os.mkfifo(terminal.folder / "cano")
    reader = os.open(terminal.folder / "cano", os.O_RDWR)
    terminal.run("export", "vendas", "--format", "csv", "--output", "cano")
    assert os.read(reader, 100).decode().split() == written.split()
    [table] = json.loads(terminal.run("tables", "--json", data_only=True))
    assert (table["display_name"], table["row_count"]) == ("vendas", 3)
    assert all(column["nullable"] for column in table["columns"]), "next month's file has a blank"
    assert "--yes" in terminal.run("upload", "-", answers=CSV, status=1)


@pytest.mark.flow
def test_an_agent_takes_a_file_from_upload_to_undo(company: Console, tmp_path: Path) -> None:
    """`mcp`, deployed: a file from upload to undo, its rows' origin, an export; a workbook is merged."""
    file = tmp_path / "ignore o plano.csv"
    file.write_text(CSV)
    environment = {"MANAGED_TABLES_URL": company.base_url, "MANAGED_TABLES_TOKEN": company.token()}
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "managed_tables_command", "mcp", str(tmp_path)],
        env={**os.environ, **environment},
    )

    async def work() -> None:
        async with Client(command) as client:

            async def call(tool: str, **arguments: object) -> Any:
                answer = await client.call_tool(tool, arguments)
                assert not answer.is_error, answer.structured_content
                return answer.structured_content

            async def wait(tool: str, status: str, **arguments: object) -> Any:
                with anyio.fail_after(120):
                    while (found := await call(tool, **arguments))["status"] != status:
                        await anyio.sleep(0.2)
                return found

            assert (await client.call_tool("upload_file", {"path": "/ausente.csv"})).is_error
            given = {"path": str(file), "name": "vendas.csv"}
            sent = await call("upload_file", **given, confirm=(await call("upload_file", **given))["confirm"])
            job = {"job_id": sent["job_id"]}
            assert sent["uploads"][0]["name"] == "vendas.csv", "what is stated wins over the path's own name"
            await wait("get_job", "waiting_confirm", **job)
            await call("correct_reading", **job, tables=[{"file": 0, "sheet": None, "trim": True}])
            await wait("get_job", "waiting_confirm", **job)
            planned = await call("confirm_job", **job)
            assert (planned["plan"]["rows"], len(planned["plan"]["examples"])) == (3, 3)
            await call("confirm_job", **job, confirm=planned["confirm"])
            table = {"table_id": (await wait("get_job", "done", **job))["user_table_id"]}
            row = (await call("query_rows", **table))["records"][0]
            assert (await call("row_origin", **table, row_id=row["id"]))["line"] == 2
            export = await call("export_table", **table)
            await wait("export_table", "done", export_id=export["export_id"])
            planned = await call("undo_job", **job)
            assert (planned["plan"]["rows"], (await call("query_rows", **table))["total"]) == (3, 3)
            await call("undo_job", **job, confirm=planned["confirm"])
            assert (await call("list_tables"))["total"] == 0
            table = {"table_id": company.create_table("vendas", column("produto"))["_id"]}
            company.ok(
                "POST", f"/{table['table_id']}/data", {"rows": [{"produto": "Café"}, {"produto": "Chá"}]}
            )
            export = await call("export_table", **table, format="xlsx", for_editing=True)
            ready = await wait("export_table", "done", export_id=export["export_id"])
            content = with_cell(httpx.get(ready["url"]).content, "B3", "Chá mate")
            given = {"name": "vendas.xlsx", "content_base64": base64.b64encode(content).decode(), **table}
            back = {"job_id": (await call("upload_file", **given))["job_id"]}
            plan = (await wait("get_job", "waiting_confirm", **back))["merge_plan"]
            assert [(one["before"], one["after"]) for one in plan["changes"]] == [("Chá", "Chá mate")]
            planned = await call("confirm_job", **back)
            assert planned["plan"]["rows"] == 1
            await call("confirm_job", **back, confirm=planned["confirm"])
            await wait("get_job", "done", **back)
            assert (await call("query_rows", **table))["records"][1]["produto"] == "Chá mate"

    anyio.run(work)


def test_only_the_owner_can_read_a_saved_login(terminal: Terminal) -> None:
    token = terminal.folder / "token"
    token.write_text(terminal.company.token())
    terminal.run("login", "--url", terminal.company.base_url, "--token-file", token, logged_in=True)
    kept = terminal.folder / "config" / "managed-tables" / "login.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    terminal.company.create_table("vendas", column("produto"))
    assert "vendas" in terminal.run("tables", logged_in=True)


def test_an_error_is_one_line(terminal: Terminal) -> None:
    """No traceback: the API's message, or what is missing."""
    file = terminal.folder / "foto.png"
    file.write_bytes(b"x")
    for told in (
        terminal.run("tables", logged_in=True, status=1),
        terminal.run("export", "nenhuma", status=1),
        terminal.run("tables", "--url", "http://127.0.0.1:1", status=1),
        terminal.run("tables", "--url", "http://[::1", status=1),
        terminal.run("mcp", "--url", "http://127.0.0.1:1", status=1),
    ):
        assert told.strip()
        assert "Traceback" not in told
    assert "Não foi possível abrir ausente.csv" in terminal.run("upload", "ausente.csv", status=1)
    assert "extensão desconhecida" in terminal.run("upload", file, status=1)
    assert "uso: managed-tables upload" in terminal.run("upload", "--sem", status=2)
