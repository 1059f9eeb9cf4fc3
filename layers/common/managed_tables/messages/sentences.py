"""Word findings, and how a file differs from those before, in Portuguese; say any sentence in English.

A sentence says what was seen, what was done, and what the person can do: it is in `sentences.json`, where
`{count}`, `{lines}` and `{preview}` are the finding's own, other fields its values.

What was worded, and perhaps stored long ago, is recognised by its template there, and what it names is put
into the English one, whose holes say what stands there: `{x}` text of the user, which stays as it is; `{x:n}`
a number in Brazilian form, `{x:d}` several whole ones, `{x:w}` text without blanks; `{x:s}` a sentence of the
catalogue, `{x:l}` several with commas; `{x:t}` a word of the catalogue, or other text; `{x:names}` names,
perhaps cut.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from managed_tables import wording
from managed_tables.conversion.numbers import is_currency
from managed_tables.messages.findings import Finding
from managed_tables.schema import ColumnType
from managed_tables.wording import AND_OTHERS, SHOWN_NAMES, catalogue, choose_form, choose_sentence, number

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
_SIGNS = {"DELIMITER_CHANGED": wording.DELIMITER_NAMES, "DATE_ORDER_CHANGED": wording.ORDER_NAMES}
_EXAMPLE_CHARACTERS = 60  # of a difference
_BECAUSE = {
    "columns": "Como outras colunas do arquivo usam {mark} decimal",
    "days": "Como as datas do arquivo estão na ordem dia/mês/ano",
    ";": "Como o arquivo usa ponto e vírgula entre as colunas",
    ",": "Como o arquivo usa vírgula entre as colunas",
    "\t": "Como o arquivo usa tabulação entre as colunas",
    "|": "Como o arquivo usa barras entre as colunas",
    "": "Como é o costume no Brasil",
}
_BECAUSE_OF_ORDER = {
    "columns": 'Como a coluna "{proof}" só pode estar na ordem {order}',
    "running_days": "Como os dias só seguem um ao outro na ordem {order}",
    "mixed": "Como o arquivo dá sinais das duas ordens",
    "kept": "Como nada no arquivo mostra a ordem e antes era {order}",
    "custom": "Como nada no arquivo mostra a ordem e no Brasil o dia vem antes",
}
_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PATTERNS = {"n": re.compile(r"[-\d.,%]+"), "d": re.compile(r"[\d, …]+"), "w": re.compile(r"\S+")}
_SWAPPED = str.maketrans(".,", ",.")
_START = 4  # characters by which a template is looked up
_MAX_CUTS = 500  # tried for one text: hostile values cost no more
_MAX_DEPTH = 5  # of sentences in sentences
_MAX_COMMAS = 12  # within one item of a list


def write_text(finding: Finding) -> str:
    """Return the sentence of a finding."""
    fits, names = finding.values.get("fits"), finding.values.get("names")
    number_of = len(names) if isinstance(names, list | tuple) else finding.count
    if finding.code == "CELLS_FIT" and isinstance(fits, int):
        number_of = fits
    return choose_sentence(finding.code, number_of).format_map(_fields(finding))


def _fields(finding: Finding) -> dict[str, str]:
    fields = {name: _word(name, value) for name, value in finding.values.items()}
    fields["count"] = "" if finding.count is None else number(finding.count)
    fields["lines"] = _name_lines(finding.lines, finding.count)
    fields["preview"] = "; ".join(finding.preview)
    fields["columns"] = _enumerate(finding.columns)
    if "type" in finding.values:
        fields["one"], fields["many"] = _TYPES[ColumnType(str(finding.values["type"]))]
    if "because" in finding.values:
        because = str(finding.values["because"])
        of_order = _BECAUSE_OF_ORDER.get(because) if finding.code == "AMBIGUOUS_DATES" else None
        fields["Because"] = (of_order or _reason(because)).format_map(fields)
    return fields


def _reason(because: str) -> str:
    """Return why a mark was taken as the decimal one; delimiters without a name decide nothing."""
    if is_currency(because):
        return f"Como são valores em {'reais' if because == 'R$' else because}"
    return _BECAUSE.get(because, _BECAUSE[""])


def _word(name: str, value: Any) -> str:
    match name:
        case "mark":
            return _MARKS[value]
        case "order":
            return wording.ORDER_NAMES[value]
        case "names":
            return _enumerate(value)
        case "day" | "other_day":
            year, month, day = value[:10].split("-")  # a time may follow
            return f"{int(day)} de {wording.MONTHS[int(month) - 1]} de {year}"
    return number(value) if isinstance(value, int) else str(value)


def _enumerate(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (AND_OTHERS if len(names) > SHOWN_NAMES else "")


def _name_lines(lines: Sequence[int], count: int | None) -> str:
    more = ["…"] if (count or 0) > min(len(lines), _SHOWN_LINES) else []
    shown = ", ".join([*map(str, lines[:_SHOWN_LINES]), *more])
    return f"linhas {shown}" if (count or 0) > 1 else f"linha {shown}"


_UNFED = (
    "A tabela exige {column}, e nenhuma coluna deste arquivo a preenche. "
    "Indique qual, ou envie o arquivo com ela"
)


def word_difference(code: str, **values: Any) -> str:
    """Return the sentence; `values` are what it names, a missing example is worded as an empty cell."""
    shown = {name: "nada" if value in (None, "") else value for name, value in values.items()}
    words = _SIGNS.get(code)
    if words:  # before and after are signs, not what people say
        shown |= {name: words.get(shown[name], shown[name]) for name in ("before", "after")}
    example = values.get("example")
    shown["example"] = f'"{str(example)[:_EXAMPLE_CHARACTERS]}"' if example else "uma célula vazia"
    is_unfed = code == "REQUIRED_MISSING" and values.get("before") is None  # by no file before it either
    return (_UNFED if is_unfed else choose_sentence(code, values.get("count"))).format_map(shown)


@dataclass(frozen=True)
class _Template:
    """A Portuguese sentence as the texts around its holes, and its English."""

    texts: Sequence[str]
    holes: Sequence[str]
    english: str
    kinds: Mapping[str, str]

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the English sentence with these values."""
        return _HOLE.sub(lambda hole: values[hole[1]], self.english)


@cache
def _catalogue() -> tuple[dict[str, str], dict[str, list[_Template]]]:
    """Return sentences without holes, and templates by how they start, those with the longest texts first."""
    coded = {one["pt"]: one["en"] for one in catalogue()["coded"].values()}
    pairs = {
        choose_form(portuguese, count): choose_form(english, count)
        for portuguese, english in {**coded, **catalogue()["others"]}.items()
        for count in (1, 2)
    }
    sentences: dict[str, str] = {}
    templates: dict[str, list[_Template]] = {}
    for portuguese in sorted(pairs, key=lambda one: len(_HOLE.sub("", one)), reverse=True):
        texts, holes, english = _HOLE.split(portuguese)[::3], _HOLE.findall(portuguese), pairs[portuguese]
        if holes:
            start = texts[0][:_START] if len(texts[0]) >= _START else ""
            template = _Template(texts, [name for name, _ in holes], english, dict(_HOLE.findall(english)))
            templates.setdefault(start, []).append(template)
        else:
            sentences[portuguese] = english
    return sentences, templates


def in_english(text: str) -> str:
    """Return the sentence in English; as it is where the catalogue does not know it."""
    reader = _Reader()
    return reader.find(text, 0) or reader.find_listed(text, ("; ", ", "), 0) or text


class _Reader:
    """Reads one text, which may hold sentences in sentences."""

    def __init__(self) -> None:
        self._sentences, self._templates = _catalogue()
        self._cuts = iter(range(_MAX_CUTS))

    def find(self, sentence: str, depth: int) -> str | None:
        """Return the English of a sentence, None where it has none."""
        known = self._sentences.get(sentence)
        if known is not None or depth > _MAX_DEPTH:
            return known
        templates = (*self._templates.get(sentence[:_START], ()), *self._templates.get("", ()))
        found = (self._read(sentence, template, depth + 1) for template in templates)
        return next((english for english in found if english is not None), None)

    def find_listed(self, text: str, separators: tuple[str, ...], depth: int) -> str | None:
        """Return sentences that stand in one text, in English: evidence is a list of lists."""
        separator, *others = separators
        items, found, start = text.split(separator), list[str](), 0
        while start < len(items):
            for end in range(start + 1, min(len(items), start + _MAX_COMMAS) + 1):
                item = separator.join(items[start:end])
                said = self.find(item, depth) or (others and self.find_listed(item, (*others,), depth))
                if said:
                    found.append(said)
                    start = end
                    break
            else:
                return None
        return separator.join(found)

    def _read(self, sentence: str, template: _Template, depth: int) -> str | None:
        """Return the English of a sentence; None where it is another one, or can be cut in two ways."""
        first, last = template.texts[0], template.texts[-1]
        end = len(sentence) - len(last)
        if end < len(first) or not (sentence.startswith(first) and sentence.endswith(last)):
            return None
        ways = self._values(sentence[:end], len(first), template, 0, depth)
        found = set(map(template.filled, ways))
        return found.pop() if len(found) == 1 else None

    def _values(
        self, sentence: str, start: int, template: _Template, place: int, depth: int
    ) -> Iterator[dict[str, str]]:
        """Yield the English of the holes from `place` on, for each way to cut the sentence."""
        hole, text = template.holes[place], template.texts[place + 1]
        is_last = place == len(template.holes) - 1
        at = len(sentence) if is_last else sentence.find(text, start)
        while at >= 0 and next(self._cuts, None) is not None:
            value = self._say(sentence[start:at], template.kinds[hole], depth)
            if value is not None:
                rest = self._values(sentence, at + len(text), template, place + 1, depth)
                for others in [{}] if is_last else rest:
                    if others.get(hole, value) == value:
                        yield {hole: value, **others}
            at = -1 if is_last else sentence.find(text, at + 1)

    def _say(self, value: str, kind: str, depth: int) -> str | None:
        """Return the English of what stands in a hole; None where it is not of that kind."""
        if kind in _PATTERNS and not _PATTERNS[kind].fullmatch(value):
            return None
        if kind == "s":
            return self.find(value, depth)
        if kind == "l":
            return self.find_listed(value, (", ",), depth)
        if kind == "t":
            return self._sentences.get(value, value)
        if kind == "names" and value.endswith(AND_OTHERS) and value.count(", ") >= SHOWN_NAMES - 1:
            return value.removesuffix(AND_OTHERS) + " and others"
        return value.translate(_SWAPPED) if kind == "n" else value
