"""Word in Portuguese how a file differs from what its table remembers."""

from typing import Any

from managed_tables.messages.wording import choose_sentence

_EXAMPLE_CHARACTERS = 60
_NOTHING = "nada"
_WORDS = {
    "dmy": "dia/mês/ano",
    "mdy": "mês/dia/ano",
    "ymd": "ano-mês-dia",
    ",": "vírgula",
    ";": "ponto e vírgula",
    "\t": "tabulação",
    "|": "barra vertical",
    " ": "espaço",
}
_WORDED = ("DELIMITER_CHANGED", "DATE_ORDER_CHANGED")  # before and after are signs, not what people say


def word_difference(code: str, **values: Any) -> str:
    """Return the sentence; `values` are what it names, a missing example is worded as an empty cell."""
    shown = {name: _NOTHING if value in (None, "") else value for name, value in values.items()}
    if code in _WORDED:
        shown |= {name: _WORDS.get(shown[name], shown[name]) for name in ("before", "after")}
    example = values.get("example")
    shown["example"] = f'"{str(example)[:_EXAMPLE_CHARACTERS]}"' if example else "uma célula vazia"
    return choose_sentence(code, values.get("count")).format_map(shown)
