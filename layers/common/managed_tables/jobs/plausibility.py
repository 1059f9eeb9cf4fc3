"""Check a reading that a person states: whether file, sheet and line exist, and a delimiter can be one."""

import codecs
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.details import Detail, DetailCode, Fault, detail

MAX_DELIMITER_CHARACTERS = 3  # `~|~`, and room for no word
_NOT_TEXT = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})
_CONTROLS = "\t\x01\x1e\x1f"  # that part cells in files of machines
_TEXT_ONLY = ("encoding", "delimiter", "quote")
_LINES = ("header_line", "first_line", "last_line")

_UNKNOWN_FILE = Fault(DetailCode.UNKNOWN_FILE, "o envio não tem este arquivo")
_UNKNOWN_SHEET = Fault(DetailCode.UNKNOWN_SHEET, "o arquivo não tem esta aba")
_REPEATED = Fault(DetailCode.REPEATED, "o mesmo arquivo ou aba aparece mais de uma vez")
_NOT_FOR_A_WORKBOOK = Fault(
    DetailCode.NOT_FOR_A_WORKBOOK, "só vale para arquivos de texto, e não para planilhas"
)
_UNKNOWN_TIMEZONE = Fault(DetailCode.UNKNOWN_TIMEZONE, "não é um fuso horário, como America/Sao_Paulo")
_UNKNOWN_ENCODING = Fault(DetailCode.UNKNOWN_ENCODING, "não é uma codificação de texto, como utf-8 ou cp1252")
_NOT_A_DELIMITER = Fault(
    DetailCode.NOT_A_DELIMITER, "um separador tem de 1 a 3 sinais: nem letra, nem algarismo, nem aspas"
)
_NOT_A_QUOTE = Fault(DetailCode.NOT_A_QUOTE, "as aspas são um único sinal, diferente do separador")
_HEADER_BELOW = Fault(DetailCode.NO_SUCH_LINE, "os dados começam abaixo do cabeçalho")
_ENDS_ABOVE = Fault(DetailCode.NO_SUCH_LINE, "a última linha dos dados não pode vir antes da primeira")
_HEADER_SKIPPED = Fault(DetailCode.NO_SUCH_LINE, "a linha do cabeçalho não pode ser ignorada")
_NO_HEADER_LINES = Fault(DetailCode.NOT_ALLOWED, "sem cabeçalho não há linhas dele")


def find_impossible(analysis: Mapping[str, Any], stated: Mapping[str, Any]) -> Iterator[Detail]:
    """Yield what cannot be, of the tables that the analysis knows and their numbers of lines."""
    if stated.get("timezone") is not None and not is_timezone(stated["timezone"]):
        yield detail("body", _UNKNOWN_TIMEZONE, path="timezone", value=stated["timezone"])
    tables = analysis["reading"]["tables"]
    line_counts = analysis.get("line_counts") or [None] * len(tables)
    places = {
        (one["file"], one["sheet"]): (one, count) for one, count in zip(tables, line_counts, strict=True)
    }
    files = {file for file, _ in places}
    seen = set()
    for index, table in enumerate(stated["tables"]):
        place = (table["file"], table["sheet"])
        known = places.get(place)
        if place in seen:
            yield detail("body", _REPEATED, path=f"tables[{index}]")
        elif known is None:
            yield _unknown(index, table, files)
        else:
            yield from _impossible_in(index, table, *known)
        seen.add(place)


def is_timezone(name: str) -> bool:
    """Return whether a time zone has this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _unknown(index: int, table: Mapping[str, Any], files: set[int]) -> Detail:
    if table["file"] not in files:
        return detail("body", _UNKNOWN_FILE, path=f"tables[{index}].file", value=table["file"])
    return detail("body", _UNKNOWN_SHEET, path=f"tables[{index}].sheet", value=table["sheet"])


def _impossible_in(
    index: int, table: Mapping[str, Any], reading: Mapping[str, Any], line_count: int | None
) -> Iterator[Detail]:
    def wrong(fault: Fault, name: str) -> Detail:
        return detail("body", fault, path=f"tables[{index}].{name}", value=table.get(name))

    if reading["kind"] == "csv":
        yield from (wrong(fault, name) for name, fault in _dialect_faults(table, reading))
    else:
        yield from (wrong(_NOT_FOR_A_WORKBOOK, name) for name in _TEXT_ONLY if table.get(name) is not None)
    lowest = {name: table.get(name) or 0 for name in _LINES}
    lowest["skip_lines"] = max(table.get("skip_lines") or (0,))
    for name, line in lowest.items():
        if line_count is not None and line > line_count:
            yield wrong(Fault(DetailCode.NO_SUCH_LINE, f"vai só até a linha {line_count}"), name)
    yield from (wrong(fault, name) for name, fault in _order_faults(table))


def _dialect_faults(table: Mapping[str, Any], reading: Mapping[str, Any]) -> Iterator[tuple[str, Fault]]:
    encoding, delimiter, quote = (table.get(name) for name in _TEXT_ONLY)
    if encoding is not None and not _is_encoding(encoding):
        yield "encoding", _UNKNOWN_ENCODING
    if delimiter is not None and not _is_delimiter(delimiter):
        yield "delimiter", _NOT_A_DELIMITER
    if quote is not None and (not _is_mark(quote) or quote == (delimiter or reading["delimiter"])):
        yield "quote", _NOT_A_QUOTE


def _is_encoding(name: str) -> bool:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return getattr(found, "_is_text_encoding", True) and found.name not in _NOT_TEXT


def _is_delimiter(text: str) -> bool:
    return 0 < len(text) <= MAX_DELIMITER_CHARACTERS and all(map(_parts_cells, text))


def _parts_cells(mark: str) -> bool:
    if mark in _CONTROLS:
        return True
    return mark.isprintable() and not mark.isalnum() and mark != '"'


def _is_mark(text: str) -> bool:
    return len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace()


def _order_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, Fault]]:
    yield from _header_faults(table)
    header, first, last = (table.get(name) for name in _LINES)
    if last is not None and last < (first or header or 1):
        yield "last_line", _ENDS_ABOVE
    if header is not None and header in (table.get("skip_lines") or ()):
        yield "skip_lines", _HEADER_SKIPPED


def _header_faults(table: Mapping[str, Any]) -> Iterator[tuple[str, Fault]]:
    header, first, lines = (table.get(name) for name in ("header_line", "first_line", "header_lines"))
    if "header_line" in table and header is None and lines:
        yield "header_lines", _NO_HEADER_LINES
    if header is not None and first is not None and first < header + (lines or 1):
        yield "first_line", _HEADER_BELOW
