"""Word findings, and how a file differs from those before, in Portuguese: sentences for a business user.

A sentence says what was seen, what was done, and what the person can do: it is in `sentences.json`, where
`{count}`, `{lines}` and `{preview}` are the finding's own, other fields its values.
"""

from collections.abc import Sequence
from typing import Any

from managed_tables.conversion.numbers import is_currency
from managed_tables.messages.findings import Finding
from managed_tables.schema import ColumnType
from managed_tables.wording import AND_OTHERS, SHOWN_NAMES, choose_sentence, number

_SHOWN_LINES = 5  # numbers in a sentence; `lines` has more

_TYPES = {  # of one value, and of several
    ColumnType.TEXT: ("texto", "textos"),
    ColumnType.INTEGER: ("número inteiro", "números inteiros"),
    ColumnType.DECIMAL: ("número decimal", "números decimais"),
    ColumnType.BOOLEAN: ("sim/não", "sim/não"),
    ColumnType.DATE: ("data", "datas"),
    ColumnType.DATETIME: ("data com hora", "datas com hora"),
}
TYPE_NAMES = {kind: one for kind, (one, _) in _TYPES.items()}
_MARKS = {",": "vírgula", ".": "ponto"}
_ORDERS = {"dmy": "dia/mês/ano", "mdy": "mês/dia/ano", "ymd": "ano-mês-dia"}
_SIGNS = {",": "vírgula", ";": "ponto e vírgula", "\t": "tabulação", "|": "barra vertical", " ": "espaço"}
_EXAMPLE_CHARACTERS = 60  # of a difference
_MONTHS = (
    "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
    "novembro", "dezembro",
)  # fmt: skip
_BECAUSE = {
    "columns": "Como outras colunas do arquivo usam {mark} decimal",
    "days": "Como as datas do arquivo estão na ordem dia/mês/ano",
    ";": "Como o arquivo usa ponto e vírgula entre as colunas",
    ",": "Como o arquivo usa vírgula entre as colunas",
    "\t": "Como o arquivo usa tabulação entre as colunas",
    "|": "Como o arquivo usa barras entre as colunas",
    "": "Como é o costume no Brasil",
}
_CURRENCY_NAMES = {"R$": "reais"}


def write_text(finding: Finding) -> str:
    """Return the sentence of a finding."""
    return choose_sentence(finding.code, _number_of(finding)).format_map(_fields(finding))


def _number_of(finding: Finding) -> int | None:
    """Return how many things the sentence speaks of."""
    fits, names = finding.values.get("fits"), finding.values.get("names")
    if finding.code == "CELLS_FIT" and isinstance(fits, int):
        return fits
    return len(names) if isinstance(names, list | tuple) else finding.count


def _fields(finding: Finding) -> dict[str, str]:
    fields = {name: _word(name, value) for name, value in finding.values.items()}
    fields["count"] = "" if finding.count is None else number(finding.count)
    fields["lines"] = _name_lines(finding.lines, finding.count)
    fields["preview"] = "; ".join(finding.preview)
    fields["columns"] = _enumerate(finding.columns)
    if "type" in finding.values:
        fields["one"], fields["many"] = _TYPES[ColumnType(str(finding.values["type"]))]
    if "because" in finding.values:
        fields["Because"] = _reason(str(finding.values["because"])).format(mark=fields["mark"])
    return fields


def _reason(because: str) -> str:
    """Return why a mark was taken as the decimal one; delimiters without a name decide nothing."""
    if is_currency(because):
        return f"Como são valores em {_CURRENCY_NAMES.get(because, because)}"
    return _BECAUSE.get(because, _BECAUSE[""])


def _word(name: str, value: Any) -> str:
    match name:
        case "mark":
            return _MARKS[value]
        case "order":
            return _ORDERS[value]
        case "names":
            return _enumerate(value)
        case "day" | "other_day":
            return _day_in_words(value)
    return number(value) if isinstance(value, int) else str(value)


def _day_in_words(day: str) -> str:
    """Return a day (`yyyy-mm-dd`, a time may follow) as nobody can misread it."""
    year, month, number = day[:10].split("-")
    return f"{int(number)} de {_MONTHS[int(month) - 1]} de {year}"


def _enumerate(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (AND_OTHERS if len(names) > SHOWN_NAMES else "")


def _name_lines(lines: Sequence[int], count: int | None) -> str:
    more = ["…"] if (count or 0) > min(len(lines), _SHOWN_LINES) else []
    shown = ", ".join([*map(str, lines[:_SHOWN_LINES]), *more])
    return f"linhas {shown}" if (count or 0) > 1 else f"linha {shown}"


def word_difference(code: str, **values: Any) -> str:
    """Return the sentence; `values` are what it names, a missing example is worded as an empty cell."""
    shown = {name: "nada" if value in (None, "") else value for name, value in values.items()}
    words = {"DELIMITER_CHANGED": _SIGNS, "DATE_ORDER_CHANGED": _ORDERS}.get(code)
    if words:  # before and after are signs, not what people say
        shown |= {name: words.get(shown[name], shown[name]) for name in ("before", "after")}
    example = values.get("example")
    shown["example"] = f'"{str(example)[:_EXAMPLE_CHARACTERS]}"' if example else "uma célula vazia"
    return choose_sentence(code, values.get("count")).format_map(shown)
