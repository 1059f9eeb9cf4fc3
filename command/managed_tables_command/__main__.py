"""The command's entry: `managed-tables login|tables|upload|export|undo|mcp|analyze`."""

import argparse
import getpass
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from managed_tables.wording import counted
from managed_tables_command import shown
from managed_tables_command.api import (
    FAILURES,
    Api,
    Json,
    Login,
    Refused,
    find_login,
    find_url,
    keep_login,
    read_token,
    sentence_of,
)
from managed_tables_command.uploading import (
    confirm,
    find_recipe_mode,
    find_table,
    follow,
    merge,
    read_repairs,
    send,
)

Options = argparse.Namespace
STANDARD_STREAM = Path("-")  # input or output
CHANGED = 3  # the exit status of an upload that is not as its table remembers
_WORDS = {  # argparse's own, which it takes from gettext
    "usage: ": "uso: ",
    "positional arguments": "argumentos",
    "options": "opções",
    "show this help message and exit": "mostra esta ajuda",
    "show program's version number and exit": "mostra a versão",
    "%(prog)s: error: %(message)s\n": "%(prog)s: %(message)s\n",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s: %(message)s",
    "the following arguments are required: %s": "falta %s",
    "unrecognized arguments: %s": "não há a opção %s",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r não está entre %(choices)s",
    "invalid %(type)s value: %(value)r": "%(value)r não é um valor que ela aceita",
    "expected one argument": "falta o valor",
    "expected at least one argument": "falta ao menos um valor",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s pode ser %(matches)s",
    "ignored explicit argument %r": "não tem valor, e recebeu %r",
}
INTERRUPTED = 130  # the exit status that a shell gives after Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 for success, 1 for refusal, 2 for wrong options, 3 where an upload waits."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except FAILURES as error:
        shown.complain(sentence_of(error), getattr(error, "details", ()))
    except (KeyboardInterrupt, EOFError):
        shown.complain("Interrompido")
        return INTERRUPTED
    return 1


def _run(given: list[str]) -> int:
    argparse._ = lambda text: _WORDS.get(text, text)  # type: ignore[attr-defined]
    if given[:1] == ["analyze"]:  # works offline, and prints JSON: a tool of its own
        from managed_tables_analyze.cli import main as analyze

        return analyze(given[1:], shown.show_explained)
    options = _parser().parse_args(given)
    run: Callable[[Options], int] = options.run
    if options.json or getattr(options, "output", None) == STANDARD_STREAM:
        shown.talk_on_stderr()
    return run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="managed-tables", description="Tabelas da empresa, sem o console.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('managed-tables')}")
    commands = parser.add_subparsers(required=True, metavar="COMANDO")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--url", help="endereço da instalação, sem /v1/managed-tables (ou MANAGED_TABLES_URL)"
    )
    common.add_argument("--json", action="store_true", help="o resultado em JSON, para outro programa")
    common.add_argument("--token-file", type=Path, help="arquivo com o token (ou MANAGED_TABLES_TOKEN)")

    def add(name: str, help_: str, run: Callable[[Options], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help_, description=help_, parents=[common])
        command.set_defaults(run=run)
        return command

    add("login", "guarda o endereço e o token", _login)
    add("tables", "lista as tabelas", _tables)
    command = add("upload", "envia arquivos a uma tabela, nova ou existente", _upload)
    command.add_argument(
        "files", nargs="+", type=Path, metavar="ARQUIVO", help="- é a entrada padrão, com --yes"
    )
    command.add_argument("--name", default="dados.csv", help="como se chama o arquivo da entrada padrão")
    command.add_argument("--table", help="nome da tabela; sem ele, uma nova com o nome do arquivo")
    command.add_argument(
        "--mode", choices=["append", "replace", "upsert", "merge"], help="para uma tabela que existe"
    )
    command.add_argument(
        "--conflicts",
        choices=["theirs", "mine"],
        help="de uma planilha que volta: se os dois mudaram, fica o valor da tabela (theirs) ou o dela",
    )
    command.add_argument(
        "--delete-absent",
        action="store_true",
        help="de uma planilha que volta: exclui as linhas que não estão nela",
    )
    command.add_argument("--yes", action="store_true", help="confirma sem perguntar")
    command.add_argument(
        "--auto-confirm",
        choices=["unchanged"],
        help="não pergunta: insere se for como a tabela lembra; senão o envio espera, com status 3",
    )
    command.add_argument(
        "--repair",
        action="append",
        default=[],
        metavar="'COLUNA: DE=PARA'",
        help="põe um texto no lugar de outro; sem PARA, a célula fica vazia; pode repetir-se",
    )
    command.add_argument(
        "--repairs", type=Path, metavar="ARQUIVO", help="consertos, um por linha como em --repair, ou em JSON"
    )
    command = add("export", "exporta uma tabela para um arquivo", _export)
    command.add_argument("table", metavar="TABELA")
    command.add_argument("--format", choices=["csv", "xlsx", "parquet", "jsonl"], default="xlsx")
    command.add_argument("--dialect", choices=["rfc4180", "excel-br"], help="do CSV")
    command.add_argument(
        "--for-editing", action="store_true", help="planilha para mudar no Excel e enviar de volta à tabela"
    )
    command.add_argument(
        "--output",
        type=Path,
        metavar="ARQUIVO",
        help="sem ele, o nome da tabela e a data; - é a saída padrão",
    )
    command = add("undo", "desfaz uma importação", _undo)
    command.add_argument("job", metavar="ENVIO", help="o id que o envio mostrou")
    command.add_argument("--force", action="store_true", help="deixa como estão as linhas já alteradas")
    command = add("mcp", "serve as ferramentas da instalação a um agente, pela entrada e saída padrão", _mcp)
    command.add_argument(
        "folders",
        type=Path,
        nargs="*",
        metavar="PASTA",
        help="de onde o agente pode enviar arquivos; sem nenhuma, das que o programa dele abriu",
    )
    commands.add_parser("analyze", help="lê arquivos sem instalação nenhuma e mostra o que entende, em JSON")
    return parser


def _open(options: Options) -> Api:
    return Api(find_login(options.url, options.token_file))


def _login(options: Options) -> int:
    url = find_url(options.url)
    if not url:
        raise Refused("Falta o endereço (--url)")
    login = Login(url, read_token(options.token_file) or getpass.getpass("Token: ").strip())
    with Api(login) as api:
        api.call("GET", "/status")
    shown.say(f"Guardado em {keep_login(login)}")
    return 0


def _tables(options: Options) -> int:
    with _open(options) as api:
        tables = list(api.tables())
    if options.json:
        shown.print_json(tables)
    else:
        shown.show_tables(tables)
    return 0


def _upload(options: Options) -> int:
    """Upload files to a table, or a new one: reviewed by a person, unless told otherwise."""
    if STANDARD_STREAM in options.files and not (options.yes or options.auto_confirm):
        raise Refused("Os dados vêm pela entrada padrão, e não há como perguntar: confirme com --yes")
    repairs = read_repairs(options.repair, options.repairs)
    with _open(options) as api, _opened_files(options.files, options.name) as files:
        target = find_table(api, options.table) if options.table else None
        asked = _asked(options, api, target)
        if target is None and asked:
            option, missing = next(iter(asked)).replace("_", "-"), options.table or "(falta --table)"
            raise Refused(f"--{option} é para uma tabela que existe; não há tabela {missing}")
        job_id = send(api, files, target, asked)
        shown.say(f"Envio {job_id}")  # whatever interrupts us, the job goes on without us
        job = follow(api, job_id, "Leitura")
        if job["status"] != "waiting_confirm":  # it has failed, or has confirmed itself
            return _ended(job, as_json=options.json)
        if options.auto_confirm:
            return _changed(job, as_json=options.json)
        return _reviewed(options, api, job, repairs, is_new=target is None)


def _asked(options: Options, api: Api, target: Json | None) -> dict[str, str]:
    """Return what the upload states; whoever lets it go alone and names no mode states the recipe's."""
    mode = options.mode
    if options.auto_confirm and target and not mode:
        mode = find_recipe_mode(api, target)
    stated = {"mode": mode, "auto_confirm": options.auto_confirm}
    return {name: value for name, value in stated.items() if value}


def _reviewed(options: Options, api: Api, job: Json, repairs: list[Json], *, is_new: bool) -> int:
    """Show how the files were read; insert them if the person agrees."""
    if plan := job["merge_plan"]:
        return _merged(options, api, job, plan)
    shown.show_review(job["inferred_schema"], job["warnings"])
    name = options.table or job["inferred_schema"]["suggested_table_name"]
    place = f"em uma tabela nova, {name}" if is_new else f"na tabela {name}"
    if not options.yes and not shown.is_agreed(f"Inserir {place}?"):
        shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
        return 1
    confirm(api, job, name, repairs)
    return _ended(follow(api, job["_id"], "Inserção"), as_json=options.json)


def _merged(options: Options, api: Api, job: Json, plan: Json) -> int:
    """Show what a workbook that has come back changes; merge it if the person agrees."""
    shown.show_merge(plan, job["warnings"])
    open_ = plan["conflicts_total"] if options.conflicts is None else 0
    if open_:
        shown.say(f"Diga com --conflicts qual valor fica em {counted(open_, 'célula', 'células')}")
    if open_ or not (options.yes or shown.is_agreed(f"Mesclar na tabela {options.table}?")):
        shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
        return 1
    merge(api, job, options.conflicts, delete_absent=options.delete_absent)
    return _ended(follow(api, job["_id"], "Inserção"), as_json=options.json)


@contextmanager
def _opened_files(files: Sequence[Path], name: str) -> Iterator[list[Path]]:
    """Give the files; in the place of `-`, one of this name with all of standard input."""
    if STANDARD_STREAM not in files:
        yield list(files)
        return
    with tempfile.TemporaryDirectory(prefix="managed-tables-") as folder:
        received = Path(folder) / Path(name).name
        with received.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield [received if file == STANDARD_STREAM else file for file in files]


def _ended(job: Json, *, as_json: bool) -> int:
    """Say what became of a job that has ended, or that waits since its values do not fit."""
    if job["status"] != "done":
        error = job["error"] or Json(message="O envio não terminou", details=[])
        shown.complain(error["message"], error["details"])
        if job["status"] == "waiting_confirm":
            shown.say(f"O envio espera por outra confirmação, no console: {job['_id']}")
        return 1
    if as_json:
        shown.print_json(job)
    shown.show_result(job["result"])
    shown.say(f"Para desfazer: managed-tables undo {job['_id']}")
    return 0


def _changed(job: Json, *, as_json: bool) -> int:
    """Say why the job waits for a person: the proofs, those that do not hold first, and warnings."""
    if as_json:
        shown.print_json(job)
    shown.show_proofs(job["proofs"])
    known = {proof["text"] for proof in job["proofs"] or ()}
    refusal = [job["error"]["message"]] if job["error"] else []
    notes = [
        note["text"] for note in [*(job["recipe"] or {"differences": []})["differences"], *job["warnings"]]
    ]
    for text in [*refusal, *notes]:
        if text not in known:
            shown.say(f"- {text}")
    shown.say(f"Nada foi inserido. O envio espera por confirmação: {job['_id']}")
    return CHANGED


def _export(options: Options) -> int:
    """Export a table to a file on this machine, or to standard output."""
    with _open(options) as api:
        table = find_table(api, options.table)
        if table is None:
            raise Refused(f"Não há tabela {options.table}")
        wanted = {"format": options.format, "dialect": options.dialect, "for_editing": options.for_editing}
        wanted = {name: value for name, value in wanted.items() if value}
        export_id = api.call("POST", f"/{table['_id']}/exports", wanted)["export_id"]
        with shown.following("Exportação") as show:
            ended = api.poll(f"/exports/{export_id}", ("done", "failed"), show)
        if ended["error"]:
            shown.complain(ended["error"]["message"], ended["error"]["details"])
            return 1
        target = None if options.output == STANDARD_STREAM else options.output or Path(ended["file_name"])
        with shown.progress() as bars:
            task = bars.add_task("Download", total=ended["size_bytes"])
            api.download(ended["url"], target, partial(bars.advance, task))
    if options.json:
        shown.print_json({**ended, "file": str(target)})
    shown.say(f"{target or options.table}: {counted(ended['rows'], 'linha', 'linhas')}")
    return 0


def _undo(options: Options) -> int:
    with _open(options) as api:
        answer = api.call("POST", f"/upload-jobs/{options.job}/undo", {"force": options.force})
    if options.json:
        shown.print_json(answer)
    removed = counted(answer["removed"], "removida", "removidas")
    kept = counted(answer["kept"], "mantida", "mantidas")
    shown.say(f"Desfeito: {removed}, {answer['restored']} de volta, {kept}")
    return 0


def _mcp(options: Options) -> int:
    from managed_tables_command.agents import serve  # late: the SDK takes a second

    serve(find_login(options.url, options.token_file), options.folders)
    return 0


if __name__ == "__main__":
    sys.exit(main())
