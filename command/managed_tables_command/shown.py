"""Show tables, reviews and progress in a terminal, or as plain lines elsewhere."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from managed_tables.details import Detail
from managed_tables.wording import counted, number
from managed_tables_command.api import Json

MAX_SAMPLES = 3
MAX_CHARACTERS = 40  # of a value
MAX_WARNINGS = 10

console = Console()
errors = Console(stderr=True)

_BOOLEANS = {True: "verdadeiro", False: "falso"}
_YES = ("s", "sim", "y", "yes")
_NO = ("n", "não", "nao", "no")
_COUNTS = {
    "inserted": "inseridas",
    "updated": "atualizadas",
    "unchanged": "iguais",
    "deleted": "excluídas",
    "rejected": "recusadas",
}
_STATUSES = {
    "queued": "na fila",
    "analisando": "analisando",
    "waiting_confirm": "aguardando confirmação",
    "inserting": "inserindo",
    "running": "exportando",
    "done": "concluído",
    "failed": "falhou",
}

_SIGNS = {"\t": "tab", " ": "espaço", "": "nenhum"}
_PARTS = {
    "above": "acima",
    "header": "cabeçalho",
    "rows": "linhas",
    "footer": "abaixo",
    "others": "outras tabelas",
    "priors": "suposições",
}


_PROOFS = {  # what each says, in few words
    "EVERY_LINE_ACCOUNTED": "cada linha tem destino",
    "SAME_COLUMNS": "as mesmas colunas",
    "SAME_WRITING": "a mesma escrita",
    "SAME_MEANING": "os mesmos valores",
    "NO_NEW_STRUCTURE": "nada além da tabela",
    "ALL_FIT": "tudo cabe",
    "NEW_ROWS": "linhas novas",
    "AS_RECALLED": "tabela e modelo sem mudança",
    "MODE_SET": "modo definido",
}


def show_proofs(proofs: Sequence[Json] | None) -> None:
    """Show the nine proofs of a file, or that the table remembers none to compare it with."""
    if proofs is None:
        say("- A tabela ainda não tem modelo de importação")
    for proof in proofs or ():
        name = f"{proof['code']} ({_PROOFS.get(proof['code'], '')})"
        say(f"- sim: {name}" if proof["holds"] else f"- NÃO: {name}: {proof['text']}")


def talk_on_stderr() -> None:
    """Leave standard output to data: whatever is said to people goes to standard error."""
    global console
    console = errors


def print_json(value: Any) -> None:
    """Print data for another program, on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    """Print a line; names of users are no markup."""
    _print_line(console, escape(text))


def _print_line(where: Console, markup: str) -> None:
    """Print a line whole, however narrow a terminal or a log is."""
    where.print(markup, highlight=False, soft_wrap=True)


def is_agreed(question: str) -> bool:
    """Ask, and return whether the person says yes; no answer is a no."""
    word = ""
    while word not in _YES + _NO:
        if word:
            say("Responda s (sim) ou n (não)")
        try:
            word = console.input(escape(f"{question} [s/n] (n): ")).strip().casefold() or "n"
        except EOFError:
            return False
    return word in _YES


def complain(message: str, details: Iterable[Detail] = ()) -> None:
    """Print why something was not done, and where."""
    _print_line(errors, f"[bold red]{escape(message)}[/]")
    for detail in details:
        _print_line(errors, escape(f"  {place_of(detail)}{detail.get('reason', '')}"))


def place_of(detail: Mapping[str, Any]) -> str:
    """Return the place of a detail, as people say it."""
    forms = {
        "file": "{}",
        "sheet": "aba {}",
        "line": "linha {}",
        "row": "linha {}",
        "column": "{}",
        "path": "{}",
    }
    parts = [form.format(detail[key]) for key, form in forms.items() if detail.get(key) is not None]
    value = f" ({shortened(detail['value'])})" if detail.get("value") not in (None, "") else ""
    return f"{', '.join(parts)}{value}: " if parts else ""


def grid_of(*titles: str, folded: Sequence[str], title: str | None = None) -> Table:
    """Return a table in which only the columns `folded` are ever cut, which hold what users wrote."""
    grid = Table(title=title, title_justify="left")
    for name in titles:
        is_folded = name in folded
        grid.add_column(name, overflow="fold", no_wrap=not is_folded, min_width=len(name))
    return grid


def show_tables(tables: Iterable[Json]) -> None:
    """Print the company's tables."""
    grid = grid_of("Tabela", "Linhas", "Colunas", "Situação", "Atualizada", folded=("Tabela",))
    for table in tables:
        status = "ativa" if table["status"] == "active" else "inativa"
        name, rows = escape(table["display_name"]), number(table["row_count"])
        grid.add_row(name, rows, str(len(table["columns"])), status, table["updated_at"][:16])
    console.print(grid)


def show_review(schema: Json, notes: Sequence[Json]) -> None:
    """Print the review: each column with its type, some values and warnings."""
    grid = grid_of("Coluna", "Nome", "Tipo", "Vazios", "Exemplos", folded=("Coluna", "Nome", "Exemplos"))
    for column in schema["columns"]:
        samples = [row.get(column["name"]) for row in schema["sample_rows"]]
        shown = [shortened(value) for value in samples if value is not None][:MAX_SAMPLES]
        empty = "sim" if column["nullable"] else "não"
        cells = (column["display_name"], column["name"], column["type"], empty, " | ".join(shown))
        grid.add_row(*map(escape, cells))
    console.print(grid)
    say(counted(schema["total_row_count_estimate"], "linha", "linhas"))
    _show_notes(notes)


def show_merge(plan: Json, notes: Sequence[Json]) -> None:
    """Print what a workbook that has come back changes: conflicts, then refused rows, then other cells."""
    sides = ("Antes", "Na tabela", "Na planilha")
    grid = grid_of("Linha", "Coluna", *sides, folded=("Coluna", *sides))
    clashes = [(one, (one["base"], one["theirs"], one["mine"])) for one in plan["conflicts"]]
    changes = [(one, (one["before"], one["before"], one["after"])) for one in plan["changes"]]
    for one, cells in [*clashes, *changes]:
        texts = ("" if cell is None else shortened(cell) for cell in cells)
        grid.add_row(str(one["line"]), *map(escape, (one["column"], *texts)))
    console.print(grid)
    for one in plan["refused"][:MAX_WARNINGS]:
        say(f"Não entra: linha {one['line']}: {one['reason']}")
    counts = [
        counted(plan["updated"], "linha muda", "linhas mudam"),
        counted(plan["inserted"], "nova", "novas"),
        counted(plan["absent"], "não está na planilha", "não estão na planilha"),
        counted(plan["conflicts_total"], "célula mudada dos dois lados", "células mudadas dos dois lados"),
    ]
    say(", ".join(counts))
    _show_notes(notes)


def _show_notes(notes: Sequence[Json]) -> None:
    for note in notes[:MAX_WARNINGS]:
        _print_line(console, f"[yellow]Atenção:[/] {escape(note['text'])}")
    if len(notes) > MAX_WARNINGS:
        say(f"… e mais {len(notes) - MAX_WARNINGS} avisos")


def show_result(result: Mapping[str, int] | None) -> None:
    """Print the result of a job."""
    counts = [
        counted(result[key], name.removesuffix("s"), name)
        for key, name in _COUNTS.items()
        if result and result.get(key)
    ]
    if result and result.get("repaired"):
        counts.append(counted(result["repaired"], "célula consertada", "células consertadas"))
    say(f"Concluído: {', '.join(counts) or 'nenhuma linha'}")


def show_explained(result: Mapping[str, Any]) -> None:
    """Print the readings of a file as tables, their candidates with bits by part, and the warnings."""
    console.print(f"\n[bold]{escape(result['file'])}[/]", highlight=False)
    if result["error"]:
        complain(result["error"]["message"], result["error"].get("details") or [])
        return
    tables = result["reading"]["tables"]
    for table in tables:
        console.print(_reading(table))
        if table["candidates"]:
            console.print(_candidates(table))
    console.print("Avisos:" if result["warnings"] else "Sem avisos.")
    for warning in result["warnings"]:
        say(f"  {place_of(warning)}{warning['text']}")


def _reading(table: Mapping[str, Any]) -> Table:
    """Return how one table was read, a line for each thing: side by side they would not fit a terminal."""
    grid = grid_of("leitura", "", folded=("",), title=escape(_name_of(table)))
    grid.add_row("lida", "sim" if table["include"] else "não")
    grid.add_row("codificação", table["encoding"] or "")
    grid.add_row("separador", _sign(table["delimiter"]) if table["kind"] == "csv" else "")
    grid.add_row("aspas", escape(table["quote"] or ""))
    grid.add_row("cabeçalho", _lines(table["header_line"], table["header_lines"]))
    grid.add_row("dados", _span(table["first_line"], table["last_line"]))
    grid.add_row("linhas", str(table["rows"]))
    grid.add_row("fora", str(len(table["skipped_lines"])))
    return grid


def _candidates(table: Mapping[str, Any]) -> Table:
    """Return the three candidates of one table side by side, best first: the fewest bits win."""
    layouts = [candidate["layout"] for candidate in table["candidates"]]
    places = [f"{place}ª" for place in range(1, len(layouts) + 1)]
    grid = grid_of("", *places, folded=(), title=escape(f"Candidatas, em bits: {_name_of(table)}"))
    signs = [candidate["delimiter"] for candidate in table["candidates"]]
    grid.add_row("separador", *("" if sign is None else _sign(sign) for sign in signs))
    grid.add_row("cabeçalho", *(_lines(each["header_line"], each["header_lines"]) for each in layouts))
    grid.add_row("dados", *(_span(each["first_line"], each["last_line"]) for each in layouts))
    grid.add_row("número de colunas", *(str(each["columns"]) for each in layouts), end_section=True)
    for part, name in _PARTS.items():
        grid.add_row(f"bits: {name}", *(f"{each['bits'][part]:.1f}" for each in layouts))
    grid.add_row("bits: total", *(f"{sum(each['bits'].values()):.1f}" for each in layouts))
    return grid


def _name_of(table: Mapping[str, Any]) -> str:
    return table["name"] if table["sheet"] is None else f"{table['name']}, aba {table['sheet']}"


def _sign(delimiter: str | None) -> str:
    return escape(_SIGNS.get(delimiter or "", delimiter or ""))


def _lines(first: int | None, count: int) -> str:
    if first is None:
        return "nenhum"
    return str(first) if count == 1 else f"{first} ({count} linhas)"


def _span(first: int | None, last: int | None) -> str:
    return "–" if first is None else f"{first} a {last}"


@contextmanager
def progress() -> Iterator[Progress]:
    """Show bars for the `with` block."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        yield bars


@contextmanager
def following(what: str) -> Iterator[Callable[[Json], None]]:
    """Show a bar for the `with` block; give what puts the status and progress of a job or an export on it."""
    with progress() as bars:
        task = bars.add_task(escape(what), total=None)

        def show(state: Json) -> None:
            status = _STATUSES.get(state["status"], state["status"])
            so_far = state["progress"] or {"percent": 0}  # one that has failed says nothing of it
            completed = 100 if state["status"] == "done" else so_far["percent"]
            bars.update(task, description=escape(f"{what}: {status}"), total=100, completed=completed)

        yield show


def shortened(value: Any) -> str:
    """Return a value as people read it, on one line and of bounded length."""
    text = _BOOLEANS[value] if isinstance(value, bool) else str(value)
    text = text.replace("\n", "⏎")
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
