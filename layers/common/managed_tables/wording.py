"""Word counts and values for people, in Portuguese."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

AND_OTHERS = " e outras"
SHOWN_NAMES = 10  # of sheets or columns in a sentence
_FORMS = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")


MONTHS = (
    "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
    "novembro", "dezembro",
)  # fmt: skip
ORDER_NAMES = {"dmy": "dia/mês/ano", "mdy": "mês/dia/ano", "ymd": "ano-mês-dia"}
DELIMITER_NAMES = {",": "vírgula", ";": "ponto e vírgula", "\t": "tabulação", "|": "barra vertical"}
DELIMITER_NAMES |= {" ": "espaço", ":": "dois-pontos"}
_REASONS = {FileNotFoundError: "não existe", PermissionError: "sem permissão", IsADirectoryError: "é pasta"}


def why_not_opened(error: OSError) -> str:
    """Return why a file of this machine could not be opened or read."""
    return _REASONS.get(type(error)) or str(error.strerror or error)


def number(count: float) -> str:
    """Return a number with points between thousands and a comma before decimals."""
    return f"{count:,.15g}".translate(str.maketrans(",.", ".,"))  # 15 digits: a float has no more of its own


@cache
def catalogue() -> Any:
    """Return the sentences in both languages: `coded` ones by their codes, `others` by the Portuguese."""
    return json.loads(Path(__file__).with_name("sentences.json").read_text("utf-8"))


def choose_sentence(code: str, count: int | None) -> str:
    """Return the sentence of a finding or a difference, worded for one or for several."""
    return choose_form(catalogue()["coded"][code]["pt"], count)


def choose_form(text: str, count: int | None) -> str:
    """Return the text with `[linha|linhas]` worded for one or for several."""
    form = 1 if count == 1 else 2
    return _FORMS.sub(lambda forms: forms[form], text)


def counted(count: int, one: str, many: str) -> str:
    """Return the count with the words for one thing or for several (`1 linha`, `1.234 linhas`)."""
    return f"{number(count)} {one if count == 1 else many}"


def named_values(values: Mapping[str, object]) -> str:
    """Return values by their columns, as people read them (`valor = 1.50, pago = sim, dia = vazio`)."""
    return ", ".join(f"{name} = {_word(value)}" for name, value in values.items())


def _word(value: object) -> object:
    if value is None:
        return "vazio"
    return ("sim" if value else "não") if isinstance(value, bool) else value
