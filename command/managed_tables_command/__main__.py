"""The command's entry: `managed-tables login|tables|upload|export|undo|mcp|analyze`."""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import httpx

from managed_tables_command import shown
from managed_tables_command.api import Api, Refused
from managed_tables_command.exporting import STANDARD_OUTPUT, export
from managed_tables_command.login import Login, NotLoggedIn, find_login, keep_login, read_token
from managed_tables_command.uploading import STANDARD_INPUT, opened_files, upload

Options = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 for success, 1 for a refusal, 2 for wrong options.

    3: an upload was not as its table remembers, and waits.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["analyze"]:  # works offline, and prints JSON: a tool of its own
        from managed_tables_analyze.cli import main as analyze
        from managed_tables_command.explained import show_explained

        return analyze(given, show_explained)
    options = _parser().parse_args(given)
    run: Callable[[Options], int] = options.run
    if options.json or getattr(options, "output", None) == STANDARD_OUTPUT:
        shown.talk_on_stderr()
    try:
        return run(options)
    except Refused as error:
        shown.complain(str(error), error.details)
    except NotLoggedIn as error:
        shown.complain(str(error))
    except OSError as error:
        shown.complain(f"Não foi possível abrir {error.filename or 'o arquivo'} ({error.strerror or error})")
    except httpx.HTTPError as error:
        shown.complain(f"O endereço não responde: {error}")
    return 1


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
    command.add_argument("--mode", choices=["append", "replace", "upsert"], help="para uma tabela que existe")
    command.add_argument("--yes", action="store_true", help="confirma sem perguntar")
    command.add_argument(
        "--auto-confirm",
        choices=["unchanged"],
        help="não pergunta: insere se for como a tabela lembra; senão o envio espera, com status 3",
    )
    command = add("export", "exporta uma tabela para um arquivo", _export)
    command.add_argument("table", metavar="TABELA")
    command.add_argument("--format", choices=["csv", "xlsx", "parquet", "jsonl"], default="xlsx")
    command.add_argument("--dialect", choices=["rfc4180", "excel-br"], help="do CSV")
    command.add_argument(
        "--output",
        type=Path,
        metavar="ARQUIVO",
        help="sem ele, o nome da tabela e a data; - é a saída padrão",
    )
    command = add("undo", "desfaz uma importação", _undo)
    command.add_argument("job", metavar="ENVIO", help="o id que o envio mostrou")
    command.add_argument("--force", action="store_true", help="deixa como estão as linhas já alteradas")
    add("mcp", "serve as ferramentas da instalação a um agente, pela entrada e saída padrão", _mcp)
    commands.add_parser("analyze", help="lê arquivos sem instalação nenhuma e mostra o que entende, em JSON")
    return parser


def _open(options: Options) -> Api:
    return Api(find_login(options.url, options.token_file))


def _login(options: Options) -> int:
    token = read_token(options.token_file) or getpass.getpass("Token: ").strip()
    if not options.url:
        raise NotLoggedIn("Falta o endereço (--url)")
    login = Login(options.url.rstrip("/"), token)
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
    if STANDARD_INPUT in options.files and not (options.yes or options.auto_confirm):
        raise Refused("Os dados vêm pela entrada padrão, e não há como perguntar: confirme com --yes", [])
    with _open(options) as api, opened_files(options.files, options.name) as files:
        return upload(
            api,
            files,
            options.table,
            {"mode": options.mode, "auto_confirm": options.auto_confirm},
            is_sure=options.yes,
            as_json=options.json,
        )


def _export(options: Options) -> int:
    with _open(options) as api:
        return export(
            api, options.table, options.format, options.dialect, options.output, as_json=options.json
        )


def _undo(options: Options) -> int:
    with _open(options) as api:
        answer = api.call("POST", f"/upload-jobs/{options.job}/undo", {"force": options.force})
    if options.json:
        shown.print_json(answer)
    removed = shown.counted(answer["removed"], "removida", "removidas")
    kept = shown.counted(answer["kept"], "mantida", "mantidas")
    counts = f"{removed}, {answer['restored']} de volta, {kept}"
    shown.say(f"Desfeito: {counts}")
    return 0


def _mcp(options: Options) -> int:
    from managed_tables_command.agents import serve  # late: the SDK takes a second

    serve(find_login(options.url, options.token_file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
