"""Read YAML as JSON is read: its values alone, with exact numbers.

What YAML has beyond JSON is refused by its place: tags (objects of a program), anchors and aliases (one line
that stands for millions), several documents. A scalar without quotes is what JSON would make of it, otherwise
a text: `no`, `1.0.0`, `2026-01-31` and `12:30` stay as they are written.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Self

import yaml

from managed_tables import exact_json
from managed_tables.settings import MIB

MAX_BYTES = MIB  # a contract of 1,500 columns with a rule each; 0.3 s of the processor, 1.5 at worst
_MAX_DEPTH = 64
_WORDS: dict[str, exact_json.Value] = {"": None, "~": None}
for _word, _value in {"null": None, "true": True, "false": False}.items():
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), _value)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,999})(\.\d{1,1000})?([eE][+-]?\d{1,3})?", re.ASCII)


class InvalidYaml(ValueError):  # noqa: N818 - named for what it tells
    """The text is not YAML that we read; its message is a Portuguese reason for the user."""

    @classmethod
    def at(cls, mark: Any, reason: str) -> Self:
        """Return what is wrong at a place of the text, which the reason names."""
        return cls(reason.format(line=mark.line + 1, column=mark.column + 1))


def loads(raw: bytes) -> Any:
    """Parse UTF-8 YAML text of one document; raises InvalidYaml, and nothing else."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidYaml(f"o texto não é UTF-8 (byte {error.start})") from error
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    try:
        return _document(events)
    except yaml.MarkedYAMLError as error:
        raise InvalidYaml.at(
            error.problem_mark, "YAML malformado na linha {line}, coluna {column}"
        ) from error
    except yaml.YAMLError as error:  # by its reader of characters, which knows no lines
        raise InvalidYaml("o YAML contém um caractere inválido") from error


def _document(events: Iterator[yaml.Event]) -> Any:
    value: Any = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise InvalidYaml.at(
                    event.start_mark, "o texto tem mais de um documento na linha {line}, coluna {column}"
                )
        elif isinstance(event, yaml.NodeEvent):
            value = _node(event, events, 0)
    return value


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Any:
    """Return the value that begins with an event."""
    _require_plain(event, depth)
    if isinstance(event, yaml.ScalarEvent):
        return event.value if event.style else _scalar(event.value)
    if isinstance(event, yaml.SequenceStartEvent):
        return [_node(part, events, depth + 1) for part in _parts(events, yaml.SequenceEndEvent)]
    found: dict[str, Any] = {}
    for part in _parts(events, yaml.MappingEndEvent):
        _require_plain(part, depth)
        if not isinstance(part, yaml.ScalarEvent):
            raise InvalidYaml.at(
                part.start_mark, "uma chave deve ser um texto na linha {line}, coluna {column}"
            )
        if part.value in found:
            raise InvalidYaml.at(
                part.start_mark, "a mesma chave aparece duas vezes na linha {line}, coluna {column}"
            )
        found[part.value] = _node(next(events), events, depth + 1)
    return found


def _parts(events: Iterator[yaml.Event], end: type[yaml.Event]) -> Iterator[yaml.Event]:
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _require_plain(event: yaml.Event, depth: int) -> None:
    """Refuse what JSON has not."""
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise InvalidYaml.at(
            event.start_mark, "âncoras e referências (& e *) não são aceitas na linha {line}, coluna {column}"
        )
    if event.tag is not None:
        raise InvalidYaml.at(event.start_mark, "tags (!) não são aceitas na linha {line}, coluna {column}")
    if depth > _MAX_DEPTH:
        raise InvalidYaml.at(event.start_mark, "aninhamento profundo demais na linha {line}, coluna {column}")


def _scalar(text: str) -> exact_json.Value:
    """Return what a scalar without quotes is."""
    if text in _WORDS:
        return _WORDS[text]
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    return int(text) if found[2] is None and found[3] is None else Decimal(text)
