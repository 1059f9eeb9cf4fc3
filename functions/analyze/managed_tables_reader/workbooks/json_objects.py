"""Read a list of JSON objects, or JSON lines, as a sheet whose labels are the names of the fields.

The text is decoded object by object, so that memory does not grow with the file. It is read twice: any
object may have a field that none before it has. Numbers keep their digits, and never become doubles; a
nested value is its JSON as it stands in the file.
"""

import io
import json
import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from functools import partial
from itertools import islice
from json.decoder import scanstring  # type: ignore[attr-defined]  # its stubs leave it out
from pathlib import Path
from typing import Any

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import FILE_NOT_TABULAR
from managed_tables.messages.findings import WarningCode
from managed_tables_reader.files.encodings import NotTextError, detect_encoding
from managed_tables_reader.rows.sheets import MAX_COLUMNS, Batch
from managed_tables_reader.workbooks.numbers import plain_digits
from managed_tables_reader.workbooks.raw import (
    BATCH_CELLS,
    BATCH_ROWS,
    RawSheet,
    Tally,
    WorkbookError,
    storable_text,
)

_CHUNK_CHARACTERS = 1_048_576
_MAX_OBJECT_CHARACTERS = 16 * 1_048_576  # far more than a row holds; what is decoded takes many times that
_BLANKS = re.compile(r"[ \t\r\n]*")
_LIST_OF_OBJECTS = re.compile(r"\[[ \t\r\n]*\{")
_LINE_ENDS = re.compile(r"[ \t]*\r?\n[ \t]*")  # of nested values: none is inside a string


class _Number(str):
    """The digits of a number, as distinct from a string of the file."""

    __slots__ = ()


_NAN = _Number("NaN")


class _OtherFormError(WorkbookError):
    """The text may be JSON, but in another form than was asked for."""


_Object = tuple[int, Sequence[tuple[str, Any]]]  # its number or line, and its fields: names and values


def read_json(path: Path, *, are_lines: bool = False) -> Iterator[RawSheet]:
    """Yield the objects as one sheet; its rows are numbered by line, or by their place in the list.

    An object that has one list of objects is read as its list. What is not read as rows is reported.
    """
    around: dict[str, None] = {}
    members: dict[WarningCode, Collection[str]] = {"MEMBERS_LEFT_OUT": around}
    try:
        objects = partial(_objects, path, are_lines=False, around=around)
        labels = _labels(objects())
    except _OtherFormError:
        objects = partial(_objects, path, are_lines=are_lines, around=None)
        labels = _labels(objects())
        rows = [*islice(objects(), 2)]
        only = rows[0][1] if len(rows) == 1 else ()
        nested = ((storable_text(name), value) for name, value in only if isinstance(value, _Number))
        members = {"LISTS_WITHIN": [name for name, value in nested if _LIST_OF_OBJECTS.search(value)]}
    names = [*map(storable_text, labels)] or None
    tally = Tally(members=members)
    yield RawSheet(None, True, _batches(objects(), labels, tally), labels=names, tally=tally)


def _labels(objects: Iterator[_Object]) -> dict[str, int]:
    """Return the names of the fields, each with its column."""
    labels: dict[str, int] = {}
    for _, fields in objects:
        for name, _ in fields:
            labels.setdefault(name, len(labels))
        if len(labels) > MAX_COLUMNS:
            raise WorkbookError(f"os registros têm mais de {MAX_COLUMNS} nomes de campos", FILE_NOT_TABULAR)
    return labels


read_json_lines = partial(read_json, are_lines=True)


def _batches(objects: Iterator[_Object], labels: dict[str, int], tally: Tally) -> Iterator[Batch]:
    rows = max(1, min(BATCH_ROWS, BATCH_CELLS // max(1, len(labels))))
    while group := list(islice(objects, rows)):
        columns: list[list[str | None]] = [[None] * len(group) for _ in labels]
        for place, (_, fields) in enumerate(group):
            for name, value in fields:
                columns[labels[name]][place] = _cell(value)
                if value is _NAN:
                    tally.nans[labels[name]] += 1
        yield Batch([number for number, _ in group], columns)


def _cell(value: Any) -> str | None:
    if value is _NAN:
        return None
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value and (mark_text(value) or None)


def _objects(path: Path, *, are_lines: bool, around: dict[str, None] | None) -> Iterator[_Object]:
    """Yield each object, or those of the only list, with other members' names `around`; or WorkbookError."""
    with path.open("rb") as raw:
        try:
            encoding = detect_encoding(path)
            raw.seek(encoding.mark_bytes)
            name = "utf-8" if encoding.broken_utf8 else encoding.name
            text = _Text(io.TextIOWrapper(raw, name, newline=""))
            last = 0
            objects = _members(text) if around is None else text.listed(around)
            for number, (line, fields) in enumerate(objects, start=1):
                if are_lines and line == last:
                    raise WorkbookError(f"a linha {line} tem mais de um registro", FILE_NOT_TABULAR)
                last = line
                yield line if are_lines else number, fields
            if text.peek():
                raise text.invalid() if around is None else _OtherFormError("")
        except NotTextError as error:
            raise WorkbookError("o conteúdo é binário", FILE_NOT_TABULAR) from error
        except UnicodeDecodeError as error:
            reason = "há letras que não estão em UTF-8, como o JSON exige"
            raise WorkbookError(reason, FILE_NOT_TABULAR) from error


def _members(text: "_Text") -> Iterator[_Object]:
    """Yield the objects of a list, or those that follow one another."""
    is_list = text.take("[")
    if (is_list and text.take("]")) or not text.peek():
        return
    yield text.fields()
    while text.take(",") if is_list else text.peek():
        yield text.fields()
    if is_list and not text.take("]"):
        raise text.invalid()


class _Text:
    """The text from some place on, read in chunks."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._first_line = 1  # of the place `_counted`
        self._counted = 0
        self._scan = json.JSONDecoder(
            object_pairs_hook=list,
            parse_int=_number,
            parse_float=_number,
            # Python writes what JSON does not have: NaN is an empty cell, and reported
            parse_constant=lambda name: _NAN if name == "NaN" else name,
        ).scan_once  # type: ignore[attr-defined]  # its stubs leave it out

    def peek(self) -> str:
        """Return the next character that is no blank, empty at the end."""
        while True:
            self._at = self._after_blanks(self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def take(self, character: str) -> bool:
        """Go beyond the character if it is the next one."""
        found = self.peek() == character
        self._at += found
        return found

    def listed(self, around: dict[str, None]) -> Iterator[_Object]:
        """Yield the objects of the one list in the object that comes next, and note its other members."""
        has_list, opening = False, "{"
        while self.take(opening):
            if self.peek() != '"':  # none at all, or none behind a comma
                raise _OtherFormError("")
            (name, self._at), opening = self._decode(), ","
            if not self.take(":"):
                raise self.invalid()
            if self.peek() and len(self._text) - self._at < 1_024:  # a list shows its first object before
                self._fill()
            if not _LIST_OF_OBJECTS.match(self._text, self._at):
                _, self._at = self._decode()
                around[storable_text(name)] = None
            elif has_list:
                raise _OtherFormError("")
            else:
                has_list = True
                yield from _members(self)
        if not has_list or not self.take("}"):
            raise _OtherFormError("")

    def fields(self) -> _Object:
        """Return the line of the object that comes next, and its fields: nested values as their JSON."""
        if self.peek() not in ("", "{"):
            reason = f"a linha {self._line()} não tem um registro, com nomes e valores entre chaves"
            raise _OtherFormError(reason, FILE_NOT_TABULAR)
        fields, end = self._decode()
        line = self._line()
        if len({name for name, _ in fields}) != len(fields):
            raise WorkbookError(f"o registro da linha {line} tem um campo duas vezes", FILE_NOT_TABULAR)
        if any(isinstance(value, list) for _, value in fields):
            fields = [
                (name, _Number(slice_) if isinstance(value, list) else value)
                for (name, value), slice_ in zip(fields, self._slices(), strict=True)
            ]
        self._at = end
        return line, fields

    def invalid(self, at: int | None = None) -> WorkbookError:
        """Return the error that names the line where the text is no JSON."""
        return WorkbookError(f"a linha {self._line(at)} não é um JSON válido", FILE_NOT_TABULAR)

    def _decode(self) -> tuple[Any, int]:
        """Return the value that comes next and where it ends, reading on until it is complete."""
        while True:
            try:
                fields, end = self._scan(self._text, self._at)
            except (json.JSONDecodeError, StopIteration) as error:
                if len(self._text) - self._at > _MAX_OBJECT_CHARACTERS:
                    megabytes = _MAX_OBJECT_CHARACTERS >> 20
                    reason = f"o registro da linha {self._line()} não termina em {megabytes} MB"
                    raise WorkbookError(reason, FILE_NOT_TABULAR) from error
                if not self._fill(len(self._text) - self._at):
                    raise self.invalid(getattr(error, "pos", None)) from error
            except RecursionError as error:
                reason = f"o registro da linha {self._line()} tem níveis demais, um dentro do outro"
                raise WorkbookError(reason, FILE_NOT_TABULAR) from error
            else:
                return fields, end

    def _slices(self) -> Iterator[str]:
        """Yield the JSON of each value of the object that comes next, on one line."""
        at = self._after_blanks(self._at + 1)
        while self._text[at] != "}":
            _, at = scanstring(self._text, at + 1, True)
            at = self._after_blanks(self._after_blanks(at) + 1)
            _, end = self._scan(self._text, at)
            yield _LINE_ENDS.sub(" ", self._text[at:end])
            at = self._after_blanks(end)
            if self._text[at] == ",":
                at = self._after_blanks(at + 1)

    def _after_blanks(self, at: int) -> int:
        found = _BLANKS.match(self._text, at)
        return found.end() if found else at

    def _line(self, at: int | None = None) -> int:
        """Return the line of a place; lines are counted once, since objects are asked for in order."""
        self._first_line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._first_line + (0 if at is None else self._text.count("\n", self._at, at))

    def _fill(self, least: int = 0) -> bool:
        """Read on, at least as much as is held, so that a long object is not decoded many times."""
        chunk = self._file.read(max(_CHUNK_CHARACTERS, least))
        if chunk:
            self._line()
            self._text, self._at, self._counted = self._text[self._at :] + chunk, 0, 0
        return bool(chunk)


def _number(digits: str) -> str:
    if digits.isdecimal():
        return _Number(digits)
    try:
        return _Number(plain_digits(Decimal(digits)))
    except ArithmeticError:  # an exponent beyond every number
        return digits
