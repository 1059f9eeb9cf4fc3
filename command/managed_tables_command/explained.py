"""Show how a file was read: its reading, the candidates that were weighed, and what was found."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from managed_tables_command import shown

_SIDE_BY_SIDE = 3  # candidates, in 80 columns
_NAMES = {"\t": "tab", " ": "espaço", "": "nenhum"}
_PARTS = {
    "above": "acima",
    "header": "cabeçalho",
    "rows": "linhas",
    "footer": "abaixo",
    "others": "outras tabelas",
    "priors": "suposições",
}


def show_explained(result: Mapping[str, Any]) -> None:
    """Print the readings of a file as tables, their candidates with bits by part, and the warnings."""
    shown.console.print(f"\n[bold]{escape(result['file'])}[/]", highlight=False)
    if result["error"]:
        shown.complain(result["error"]["message"], result["error"].get("details") or [])
        return
    tables = result["reading"]["tables"]
    for table in tables:
        shown.console.print(_reading(table))
        for first in range(0, len(table["candidates"]), _SIDE_BY_SIDE):
            shown.console.print(_candidates(table, first))
    shown.console.print("Avisos:" if result["warnings"] else "Sem avisos.")
    for warning in result["warnings"]:
        shown.say(f"  {shown.place_of(warning)}{warning['text']}")


def _reading(table: Mapping[str, Any]) -> Table:
    """Return how one table was read, a line for each thing: side by side they would not fit a terminal."""
    grid = shown.grid_of("leitura", "", folded=("",), title=escape(_name(table)))
    grid.add_row("lida", "sim" if table["include"] else "não")
    grid.add_row("codificação", table["encoding"] or "")
    grid.add_row("separador", _sign(table["delimiter"]) if table["kind"] == "csv" else "")
    grid.add_row("aspas", escape(table["quote"] or ""))
    grid.add_row("cabeçalho", _lines(table["header_line"], table["header_lines"]))
    grid.add_row("dados", _span(table["first_line"], table["last_line"]))
    grid.add_row("linhas", str(table["rows"]))
    grid.add_row("fora", str(len(table["skipped_lines"])))
    return grid


def _candidates(table: Mapping[str, Any], first: int) -> Table:
    """Return some candidates of one table side by side, best first: the fewest bits win."""
    some = table["candidates"][first : first + _SIDE_BY_SIDE]
    read = [(candidate["delimiter"], candidate["layout"]) for candidate in some]
    places = [f"{place}ª" for place in range(first + 1, first + len(read) + 1)]
    grid = shown.grid_of("", *places, folded=(), title=escape(f"Candidatas, em bits: {_name(table)}"))
    grid.add_row("separador", *("" if sign is None else _sign(sign) for sign, _ in read))
    grid.add_row("cabeçalho", *(_lines(layout["header_line"], layout["header_lines"]) for _, layout in read))
    grid.add_row("dados", *(_span(layout["first_line"], layout["last_line"]) for _, layout in read))
    grid.add_row("número de colunas", *(str(layout["columns"]) for _, layout in read), end_section=True)
    for part, name in _PARTS.items():
        grid.add_row(f"bits: {name}", *(f"{layout['bits'][part]:.1f}" for _, layout in read))
    grid.add_row("bits: total", *(f"{sum(layout['bits'].values()):.1f}" for _, layout in read))
    return grid


def _name(table: Mapping[str, Any]) -> str:
    return table["name"] if table["sheet"] is None else f"{table['name']}, aba {table['sheet']}"


def _sign(delimiter: str | None) -> str:
    return escape(_NAMES.get(delimiter or "", delimiter or ""))


def _lines(first: int | None, count: int) -> str:
    if first is None:
        return "nenhum"
    return str(first) if count == 1 else f"{first} ({count} linhas)"


def _span(first: int | None, last: int | None) -> str:
    return "–" if first is None else f"{first} a {last}"
