"""Ways in which a next file differs from those before it: each is harmless, or must wait for a person.

Those of `series` and many more, of its lines, its values and its bytes.
"""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import series
from series import Month

Bytes = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Kind:
    """A named drift: of the month, or of its bytes; whether it is harmless; whether only texts have it."""

    name: str
    is_harmless: bool
    month: Callable[[Month], None] | None = None
    content: Bytes | None = None
    only: str = ""  # csv or xlsx
    needs: tuple[str, ...] = ()  # kinds of columns
    is_again: bool = False  # the rows of a file that was loaded
    suffix: str = ""


def _zipped(*names: str) -> Bytes:
    def pack(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                archive.writestr(name, content)
        return out.getvalue()

    return pack


def _label(change: Callable[[str], str]) -> Callable[[Month], None]:
    def of(month: Month) -> None:
        month.labels = [change(label) for label in month.labels]

    return of


def _numbers(change: Callable[[int, Decimal], Decimal]) -> Callable[[Month], None]:
    def of(month: Month) -> None:
        place = month.places("money", "price")[0]
        for number, row in enumerate(month.rows):
            value = row[place]
            assert isinstance(value, Decimal)
            row[place] = change(number, value)

    return of


def _texts(kinds: tuple[str, ...], change: Callable[[str], str]) -> Callable[[Month], None]:
    def of(month: Month) -> None:
        for place in month.places(*kinds)[:1]:
            for number, row in enumerate(month.rows):
                month.texts[number, place] = change(month.shown(number, place, row[place]))

    return of


def _line(at: int, make: Callable[[Month], list[str]]) -> Callable[[Month], None]:
    """Return a drift that puts a line of cells among the rows, which is no row."""

    def of(month: Month) -> None:
        cells, number = make(month), min(at, len(month.rows))
        month.rows.insert(number, [None] * len(month.labels))
        month.texts |= {(number, place): cell for place, cell in enumerate(cells)}

    return of


def _sum_line(month: Month) -> list[str]:
    at = month.places("money", "price")[0]
    total = f"{9_876_543.21:,.2f}".translate(str.maketrans(",.", ".,"))
    return ["Subtotal" if place == 0 else total if place == at else "" for place in range(len(month.labels))]


def _group_line(month: Month) -> list[str]:
    return ["Filial: Goiânia", *[""] * (len(month.labels) - 1)]


def _days(change: Callable[[date], date]) -> Callable[[Month], None]:
    def of(month: Month) -> None:
        for place in month.places("day"):
            for row in month.rows:
                day = row[place]
                assert isinstance(day, date)
                row[place] = change(day)

    return of


def _doubled(month: Month) -> None:
    month.labels.append(month.labels[0])
    for row in month.rows:
        row.append(row[0])


def _swapped(month: Month) -> None:
    month.labels[:2] = reversed(month.labels[:2])
    for row in month.rows:
        row[:2] = reversed(row[:2])


def _shuffled(month: Month) -> None:
    month.rows.reverse()


def _fewer(month: Month) -> None:
    del month.rows[-5:]


def _titled(month: Month) -> None:
    month.above.insert(0, "Uso interno")


def _cells(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def _negative_one(number: int, value: Decimal) -> Decimal:
    return -value if number == 0 else value


def _huge_one(number: int, value: Decimal) -> Decimal:
    return value * 1_000 if number == 0 else value


def _file_kind(drift: series.Drift) -> str:
    return "xlsx" if drift in series.SHEET_ONLY else "csv" if drift in series.TEXT_ONLY else ""


_AMOUNT = ("money", "price")
KINDS = (
    *(Kind(one.__name__, True, one, only=_file_kind(one)) for one in series.HARMLESS),
    *(Kind(one.__name__, False, one, only=_file_kind(one)) for one in series.HARMFUL),
    Kind("plain", True),
    Kind("line ends", True, content=_cells, only="csv"),
    Kind("no last line end", True, content=lambda text: text.rstrip(b"\n"), only="csv"),
    Kind("blank lines below", True, content=lambda text: text + b"\n\n\n", only="csv"),
    Kind("blank lines above", True, content=lambda text: b"\n\n" + text, only="csv"),
    Kind("gzip", True, content=gzip.compress, only="csv", suffix=".gz"),
    Kind("zip", True, content=_zipped("mes.csv"), only="csv", suffix=".zip"),
    Kind("labels lower", True, _label(str.lower)),
    Kind("labels with blanks", True, _label(lambda label: f" {label} ")),
    Kind("first two columns change places", True, _swapped),
    Kind("rows in another order", True, _shuffled),
    Kind("fewer rows", True, _fewer),
    Kind("somewhat dearer", True, _numbers(lambda _, value: round(value * Decimal("1.1"), 2))),
    Kind("somewhat cheaper", True, _numbers(lambda _, value: round(value * Decimal("0.9"), 2))),
    Kind("another title", True, _titled),
    Kind("all negative", False, _numbers(lambda _, value: -value)),
    Kind("one negative", False, _numbers(_negative_one)),
    Kind("one is huge", False, _numbers(_huge_one)),
    Kind("subtotal", False, _line(9, _sum_line)),
    Kind("subtotal at the end", False, _line(10_000, _sum_line), only="csv"),
    Kind("group line", False, _line(0, _group_line)),
    Kind("a column twice", False, _doubled),
    Kind("five years later", False, _days(lambda day: day.replace(year=day.year + 5))),
    Kind("five years earlier", False, _days(lambda day: day.replace(year=day.year - 5))),
    Kind("zeros lost", False, _texts(("code",), lambda text: text.lstrip("0")), needs=("code",)),
    Kind("codes are words", False, _texts(("code",), lambda text: f"abc-{text}/x"), needs=("code",)),
    Kind("days are words", False, _texts(("day",), lambda _: "ontem")),
    Kind("percent", False, _texts(_AMOUNT, lambda text: f"{text}%"), only="csv"),
    Kind("other money", False, _texts(_AMOUNT, lambda text: f"US$ {text}"), only="csv"),
    Kind("labels translated", False, _label(lambda label: f"Column {label[::-1]}")),
    Kind("the same file", False, is_again=True),
    Kind("the same rows reversed", False, _shuffled, is_again=True),
    Kind("the same rows, other line ends", False, content=_cells, only="csv", is_again=True),
    Kind("the same rows, gzip", False, content=gzip.compress, only="csv", is_again=True, suffix=".gz"),
    Kind("the same rows, zip", False, content=_zipped("m.csv"), only="csv", is_again=True, suffix=".zip"),
    Kind("twice in one zip", False, content=_zipped("a.csv", "b.csv"), only="csv", suffix=".zip"),
)  # fmt: skip


def kinds_of(month: Month) -> list[Kind]:
    """Return the kinds that a month can have."""
    return [
        one for one in KINDS if one.only in ("", month.kind) and (not one.needs or month.places(*one.needs))
    ]
