"""Write rows in the binary format of PostgreSQL's COPY: columns of numbers and texts in, bytes out.

The bytes of a batch are put in place by numpy, a column at a time: no value becomes an object of Python, but
for numbers with an exponent. A record begins with its number of fields; a field is its length in four bytes,
then the value, numbers with their greatest byte first, as the types' `…recv` functions in PostgreSQL read it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # the format's signature; no flags, no extension
TRAILER = b"\xff\xff"

_LENGTH = ">i4"
_LENGTH_BYTES = 4
_NULL = -1
_NEGATIVE = 0x4000  # a numeric's sign
_BASE_DIGITS = 4  # of a numeric, whose digits are those of base 10,000
_NUMERIC_BYTES = 8  # before them
_ZERO, _MINUS, _POINT = b"0-."
# Of texts in a batch; beyond, copying by lengths is quicker (measured, 1,024 to 65,536 rows).
_FEW_BYTES = 131_072
_EXPONENTS = tuple(b"eE")

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Word = tuple[str, Any]  # a numpy type, and the values of the rows, or one for all


@dataclass(frozen=True)
class Values:
    """A column of fields that are made of the same words, their lengths among them."""

    words: Sequence[Word]
    nulls: Flags | None = None

    def sizes(self, count: int) -> Ints:
        """Return the bytes of each row's field."""
        filled = np.full(count, _size(self.words))
        return filled if self.nulls is None else np.where(self.nulls, _LENGTH_BYTES, filled)

    def write(self, out: Bytes, places: Ints) -> None:
        """Write each row's field to its place."""
        filled = np.ones(len(places), np.bool_) if self.nulls is None else ~self.nulls
        _put(out, places[filled], _records(self.words, len(places))[filled])
        _put_nulls(out, places, self.nulls)


@dataclass(frozen=True)
class Texts:
    """A column of texts: those of `data` that begin at `starts`; a NULL has no length."""

    data: Bytes
    starts: Ints
    lengths: Ints
    nulls: Flags | None = None

    def sizes(self, _count: int) -> Ints:
        """Return the bytes of each row's field."""
        return self.lengths + _LENGTH_BYTES

    def write(self, out: Bytes, places: Ints) -> None:
        """Write each row's field to its place."""
        _put(out, places, _records([(_LENGTH, self.lengths)], len(places)))
        _put_nulls(out, places, self.nulls)
        first, total_bytes = int(self.starts[0]), int(self.lengths.sum())
        if total_bytes < _FEW_BYTES:  # byte by byte; longer texts by length, those of one copied together
            moved = np.repeat(places + _LENGTH_BYTES - self.starts, self.lengths)
            end = first + total_bytes
            out[moved + np.arange(first, end)] = self.data[first:end]
            return
        for length, rows in _groups(self.lengths):
            if length:
                _put(out, places[rows] + _LENGTH_BYTES, self.windows(length, rows))

    def windows(self, length: int, rows: Ints) -> NDArray[np.void]:
        """Return the texts of rows whose texts have this length."""
        return _windows(self.data, length)[self.starts[rows]]

    def of_row(self, row: int) -> str:
        """Return the text of a row."""
        return self.data[self.starts[row] : self.starts[row] + self.lengths[row]].tobytes().decode()


@dataclass(frozen=True)
class _DecimalForm:
    """What decimals that are written together have in common: their digits on either side of the point."""

    whole: int
    decimals: int
    is_negative: bool

    @property
    def size(self) -> int:
        """The bytes of the value."""
        return _NUMERIC_BYTES + 2 * len(self._places)

    @property
    def length(self) -> int:
        """The characters of the text."""
        return self.is_negative + self.whole + bool(self.decimals) + self.decimals

    @property
    def _places(self) -> list[list[int]]:
        """The places in the text of the decimal digits of each digit of the numeric; -1 for a zero."""
        first = int(self.is_negative)
        point = first + self.whole
        digits = [-1] * (-self.whole % _BASE_DIGITS) + list(range(first, point))
        digits += [*range(point + 1, self.length), *[-1] * (-self.decimals % _BASE_DIGITS)]
        return [digits[start : start + _BASE_DIGITS] for start in range(0, len(digits), _BASE_DIGITS)]

    def words(self, texts: Bytes) -> list[Word]:
        """Return the words of the values of these texts, a row of bytes each."""
        places = self._places
        columns = np.ascontiguousarray(texts.T).astype(np.int16) - _ZERO
        digits = []
        for group in places:
            digit = np.zeros(len(texts), np.int16)
            for place in group:
                digit = digit * 10 + (columns[place] if place >= 0 else 0)
            digits.append(digit)
        weight = -(-self.whole // _BASE_DIGITS) - 1
        sign = _NEGATIVE if self.is_negative else 0
        header: list[Word] = [(">i2", len(places)), (">i2", weight), (">i2", sign), (">i2", self.decimals)]
        return [*header, *((">i2", digit) for digit in digits)]


@dataclass(frozen=True)
class Decimals:
    """A column of exact numbers, given as PostgreSQL's texts: numeric keeps the digits and scale of each."""

    texts: Texts

    def sizes(self, count: int) -> Ints:
        """Return the bytes of each row's field."""
        sizes = np.full(count, _LENGTH_BYTES)
        for form, rows in self._forms:
            sizes[rows] += form.size
        for row, value in self._with_exponent.items():
            sizes[row] += len(value)
        return sizes

    def write(self, out: Bytes, places: Ints) -> None:
        """Write each row's field to its place."""
        for form, rows in self._forms:
            texts = self.texts.windows(form.length, rows).view(np.uint8).reshape(len(rows), form.length)
            _put(out, places[rows], _records(with_length(*form.words(texts)), len(rows)))
        for row, value in self._with_exponent.items():
            field = len(value).to_bytes(_LENGTH_BYTES, "big") + value
            out[places[row] : places[row] + len(field)] = np.frombuffer(field, np.uint8)
        _put_nulls(out, places, self.texts.nulls)

    @cached_property
    def _with_exponent(self) -> dict[int, bytes]:
        """The values of the rows whose number has an exponent."""
        exponents = np.flatnonzero(np.isin(self.texts.data, _EXPONENTS))
        rows = np.searchsorted(self.texts.starts, exponents, side="right") - 1
        return {int(row): _numeric(self.texts.of_row(row)) for row in rows}

    @cached_property
    def _forms(self) -> list[tuple[_DecimalForm, Ints]]:
        """The forms of the other numbers, each with its rows."""
        data, starts, lengths = self.texts.data, self.texts.starts, self.texts.lengths
        is_point = data == _POINT
        points = np.append(np.flatnonzero(is_point), 0)
        before = np.append(0, np.cumsum(is_point))  # how many points there are before each byte
        has_point = before[starts + lengths] > before[starts]
        decimals = np.where(has_point, starts + lengths - 1 - points[before[starts]], 0)
        is_negative = np.append(data, 0)[starts] == _MINUS
        whole = lengths - decimals - has_point - is_negative
        usual = lengths > 0
        usual[list(self._with_exponent)] = False
        rows = np.flatnonzero(usual)
        bits = 7 if max(whole.max(initial=0), decimals.max(initial=0)) < 2**7 else 10
        keys = ((whole << bits | decimals) << 1 | is_negative)[rows]
        return [
            (_DecimalForm(key >> bits + 1, key >> 1 & (1 << bits) - 1, bool(key & 1)), rows[group])
            for key, group in _groups(keys)
        ]


Field = Values | Texts | Decimals


def encode(count: int, fields: Sequence[Field]) -> Bytes:
    """Return the records of `count` rows with these fields."""
    parts = list(_joined(fields))
    sizes = [part.sizes(count) for part in parts]
    ends = np.cumsum(np.sum(sizes, axis=0))
    out = np.empty(int(ends[-1]) if count else 0, np.uint8)
    places = np.append(0, ends[:-1])
    for part, size in zip(parts, sizes, strict=True):
        part.write(out, places)
        places = places + size
    return out


def _joined(fields: Sequence[Field]) -> Iterator[Field]:
    """Yield what records are made of: their number of fields, and the fields, those of fixed sizes joined."""
    words: list[Word] = [(">i2", len(fields))]
    for field in fields:
        if isinstance(field, Values) and field.nulls is None:
            words += field.words
        else:
            if words:
                yield Values(words)
            words = []
            yield field
    if words:
        yield Values(words)


def _numeric(text: str) -> bytes:
    """Return the value of any number."""
    sign, digits, exponent = Decimal(text).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"not a number: {text!r}")
    number = "".join(map(str, digits)) + "0" * max(0, exponent)
    scale = max(0, -exponent)
    number = number.rjust(scale, "0")
    form = _DecimalForm(len(number) - scale, scale, is_negative=bool(sign))
    written = f"{'-' * sign}{number[: form.whole]}{'.' * bool(scale)}{number[form.whole :]}"
    return _records(form.words(np.frombuffer(written.encode(), np.uint8)[None, :]), 1).tobytes()


def _groups(keys: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each key, with the places where it is."""
    # Numbers of two bytes are sorted byte by byte, which is quicker than by comparing them.
    is_short = keys.max(initial=0) < 2**16
    order = np.argsort(keys.astype(np.uint16) if is_short else keys, kind="stable")
    sorted_keys = keys[order]
    bounds = np.append(np.flatnonzero(np.diff(sorted_keys, prepend=-1)), len(sorted_keys))
    for first, end in pairwise(bounds):
        yield int(sorted_keys[first]), order[first:end]


def with_length(*words: Word) -> list[Word]:
    """Return the words of a field that is not NULL: its length, and those of the value."""
    return [(_LENGTH, _size(words)), *words]


def _size(words: Sequence[Word]) -> int:
    return sum(np.dtype(kind).itemsize for kind, _ in words)


def _records(words: Sequence[Word], count: int) -> NDArray[np.void]:
    """Return a record of these words for each row, as bytes that are copied whole."""
    records = np.empty(count, [(f"w{place}", kind) for place, (kind, _) in enumerate(words)])
    for place, (_, values) in enumerate(words):
        records[f"w{place}"] = values
    return records.view(f"V{records.dtype.itemsize}")


def _put(out: Bytes, places: Ints, records: NDArray[np.void]) -> None:
    """Copy each record to its place."""
    _windows(out, records.dtype.itemsize)[places] = records


def _put_nulls(out: Bytes, places: Ints, nulls: Flags | None) -> None:
    if nulls is not None:
        _put(out, places[nulls], _records([(_LENGTH, _NULL)], int(nulls.sum())))


def _windows(data: Bytes, size: int) -> NDArray[np.void]:
    """Return every run of so many bytes as one value, which indexing copies without Python."""
    return np.ndarray((max(0, len(data) - size + 1),), f"V{size}", data, strides=(1,))
