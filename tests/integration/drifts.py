"""Ways in which a next file differs from those before it: each is harmless, or must wait for a person.

Those of `series` and many more, of its lines and its values; those of its bytes stand in `drifts_of_bytes`.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import series
from series import Drift, Month

Bytes = Callable[[bytes, Month], bytes]
AMOUNT = ("money", "price")
_FIVE_YEARS = timedelta(days=5 * 365)
_NO_COMMON_DAY = 12  # the last day of a month that may be a month


@dataclass(frozen=True)
class Kind:
    """A named drift: of the month, or of its bytes; whether it is harmless; which files may have it.

    What is neither harmless nor harmful may load itself or wait, but never load otherwise than it is.
    """

    name: str
    is_harmless: bool | None
    month: Drift | None = None
    content: Bytes | None = None
    only: str = ""  # csv or xlsx
    needs: tuple[str, ...] = ()  # kinds of columns, of which one is to be there
    is_again: bool = False  # the rows of a file that was loaded
    suffix: str = ""

    def fits(self, month: Month) -> bool:
        """Return whether a month can have it."""
        return self.only in ("", month.kind) and (not self.needs or bool(month.places(*self.needs)))


def after(*drifts: Drift) -> Drift:
    """Return the drift that is all of these, one after the other."""

    def of(month: Month) -> None:
        for drift in drifts:
            drift(month)

    return of


def bare(label: str) -> str:
    """Return a label without accents and in lower case."""
    parts = unicodedata.normalize("NFKD", label.strip().casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


# Labels and columns


def _label(change: Callable[[str], str]) -> Drift:
    def of(month: Month) -> None:
        month.labels = [change(label) for label in month.labels]

    return of


def _without_accents(label: str) -> str:
    parts = unicodedata.normalize("NFKD", label)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _doubled(month: Month) -> None:
    month.labels.append(month.labels[0])
    for row in month.rows:
        row.append(row[0])


def _swapped(month: Month) -> None:
    month.labels[:2] = reversed(month.labels[:2])
    for row in month.rows:
        row[:2] = reversed(row[:2])


def _exchanged(month: Month) -> None:
    """Exchange the labels of an amount and of another column; the values stay."""
    at = month.places(*AMOUNT)[0]
    other = next(place for place in range(len(month.labels)) if place not in month.places(*AMOUNT))
    month.labels[at], month.labels[other] = month.labels[other], month.labels[at]


# Values


def _numbers(change: Callable[[int, Decimal], Decimal]) -> Drift:
    def of(month: Month) -> None:
        place = month.places(*AMOUNT)[0]
        for number, row in enumerate(month.rows):
            value = row[place]
            assert isinstance(value, Decimal)
            row[place] = change(number, value)

    return of


def _texts(kinds: tuple[str, ...], change: Callable[[str], str], rows: int = 1_000) -> Drift:
    """Return a drift of how the first column of these kinds is written, in so many rows."""

    def of(month: Month) -> None:
        for place in month.places(*kinds)[:1]:
            for number, row in enumerate(month.rows[:rows]):
                month.texts[number, place] = change(month.shown(number, place, row[place]))

    return of


def _written(kinds: tuple[str, ...]) -> Drift:
    """Return a drift by which a workbook's values are texts, as a text file has them."""

    def of(month: Month) -> None:
        for place in month.places(*kinds):
            month.texts |= {
                (number, place): month.shown(number, place, row[place])
                for number, row in enumerate(month.rows)
            }

    return of


def _days(change: Callable[[date], date]) -> Drift:
    def of(month: Month) -> None:
        for place in month.places("day"):
            for row in month.rows:
                day = row[place]
                assert isinstance(day, date)
                row[place] = change(day)

    return of


def _early_days(month: Month) -> None:
    """Let the days run through the first twelve of a month, which both orders allow."""
    for place in month.places("day"):
        first = month.rows[0][place]
        assert isinstance(first, date)
        for number, row in enumerate(month.rows):
            row[place] = first.replace(day=1 + number * _NO_COMMON_DAY // len(month.rows))


def _scattered(month: Month) -> None:
    """Let the rows follow one another in no order of theirs."""
    month.rows[:] = [*month.rows[1::3], *reversed(month.rows[::3]), *month.rows[2::3]]


def _whole(month: Month) -> None:
    """Let amounts be whole ones of some thousands, which both marks allow."""
    for place in month.places("money"):
        for number, row in enumerate(month.rows):
            value = row[place]
            assert isinstance(value, Decimal)
            row[place] = Decimal(int(value))
            month.texts[number, place] = month.shown(number, place, row[place])[:-3]


def _capitals(month: Month) -> None:
    for row in month.rows:
        row[:] = [value.upper() if isinstance(value, str) else value for value in row]


def _half_empty(month: Month) -> None:
    for row in month.rows[::2]:
        row[month.places(*AMOUNT)[0]] = None


def _negative_one(number: int, value: Decimal) -> Decimal:
    return -value if number == 0 else value


def _huge_one(number: int, value: Decimal) -> Decimal:
    return value * 1_000 if number == 0 else value


# Lines


def _line(at: int, make: Callable[[Month], list[str]]) -> Drift:
    """Return a drift that puts a line of cells among the rows, which is no row."""

    def of(month: Month) -> None:
        cells, number = make(month), min(at, len(month.rows))
        month.rows.insert(number, [None] * len(month.labels))
        month.texts |= {(number, place): cell for place, cell in enumerate(cells)}

    return of


def _sum_line(month: Month) -> list[str]:
    at = month.places(*AMOUNT)[0]
    return ["Subtotal" if place == 0 else "9.876.543,21" if place == at else "" for place in _places(month)]


def _totals(label: str) -> Callable[[Month], list[str]]:
    """Return what makes a line of the amounts' sums, with a label in its first cell if that is free."""

    def of(month: Month) -> list[str]:
        cells = ["" for _ in _places(month)]
        for place in month.places(*AMOUNT):
            total = sum((row[place] for row in month.rows if isinstance(row[place], Decimal)), Decimal(0))
            cells[place] = month.shown(-1, place, total)
        cells[0] = cells[0] or label
        return cells

    return of


def _group_line(month: Month) -> list[str]:
    return ["Filial: Goiânia", *["" for _ in _places(month)[1:]]]


def _places(month: Month) -> range:
    return range(len(month.labels))


def _second_table(month: Month) -> None:
    lines = (("Vendedor", "Comissão"), ("Ana", "10,00"), ("Rui", "20,00"), ("Eva", "30,00"))
    month.below += ["", *(month.delimiter.join(line) for line in lines)]


def _fewer(month: Month) -> None:
    del month.rows[-5:]


def _with_new_rows(month: Month) -> None:
    place = month.places(*AMOUNT)[0]
    for row in month.rows[:3]:
        value = row[place]
        assert isinstance(value, Decimal)
        month.rows.append([*row[:place], value + Decimal("1.23"), *row[place + 1 :]])


def _titled(month: Month) -> None:
    month.above.insert(0, "Uso interno")


# How the file is written


def _set(part: str, value: object) -> Drift:
    def of(month: Month) -> None:
        setattr(month, part, value)

    return of


def _with_a_column_more(month: Month) -> None:
    month.line_end = month.delimiter + "\n"


def _file_kind(drift: Drift) -> str:
    return "xlsx" if drift in series.SHEET_ONLY else "csv" if drift in series.TEXT_ONLY else ""


def _of_series(drift: Drift, *, is_harmless: bool) -> Kind:
    needs = ("day",) if drift is series.other_order else ()
    return Kind(drift.__name__, is_harmless, drift, only=_file_kind(drift), needs=needs)


_MONTHS_FIRST = _set("order", "%m/%d/%Y")
_OTHER_MARK = _set("mark", ".")

KINDS_OF_MONTHS = (
    *(_of_series(one, is_harmless=True) for one in series.HARMLESS),
    *(_of_series(one, is_harmless=False) for one in series.HARMFUL),
    Kind("plain", True),
    Kind("labels lower", True, _label(str.lower)),
    Kind("labels with blanks", True, _label(lambda label: f" {label} ")),
    Kind("labels without accents", True, _label(_without_accents)),
    Kind("first two columns change places", True, _swapped),
    Kind("rows in another order", True, lambda month: month.rows.reverse()),
    Kind("fewer rows", True, _fewer),
    Kind("somewhat dearer", True, _numbers(lambda _, value: round(value * Decimal("1.1"), 2))),
    Kind("somewhat cheaper", True, _numbers(lambda _, value: round(value * Decimal("0.9"), 2))),
    Kind("another title", True, _titled),
    Kind("texts in capitals", True, _capitals),
    Kind("all quoted", True, _set("quoting", 1), only="csv"),
    Kind("with a byte order mark", True, _set("encoding", "utf-8-sig"), only="csv"),
    Kind("in UTF-16", True, _set("encoding", "utf-16"), only="csv"),
    Kind("early days that run on", True, _early_days, needs=("day",)),
    Kind("early days in no order", None, after(_early_days, _scattered), needs=("day",)),
    Kind("early days, months first", False, after(_early_days, _MONTHS_FIRST), only="csv", needs=("day",)),
    Kind("early days in no order, months first", False, after(_early_days, _scattered, _MONTHS_FIRST),
         only="csv", needs=("day",)),
    Kind("early days as texts, months first", False, after(_early_days, _MONTHS_FIRST, _written(("day",))),
         only="xlsx", needs=("day",)),
    Kind("whole thousands", None, _whole, only="csv", needs=("money",)),
    Kind("whole thousands, other mark", False, after(_OTHER_MARK, _whole), only="csv", needs=("money",)),
    Kind("days as texts", None, _written(("day",)), only="xlsx", needs=("day",)),
    Kind("amounts as texts", None, _written(AMOUNT), only="xlsx"),
    Kind("amounts as texts by the other mark", None, after(_OTHER_MARK, _written(AMOUNT)), only="xlsx"),
    Kind("days written as ISO 8601", None, _set("order", "%Y-%m-%d"), only="csv", needs=("day",)),
    Kind("years of two digits", None, _set("order", "%d/%m/%y"), only="csv", needs=("day",)),
    Kind("days with a time", None, _set("order", "%d/%m/%Y 00:00:00"), only="csv", needs=("day",)),
    Kind("amounts with R$", None, _texts(AMOUNT, lambda text: f"R$ {text}"), only="csv"),
    Kind("a delimiter at each line's end", None, _with_a_column_more, only="csv"),
    Kind("the header again", None, _line(12, lambda month: [*month.labels])),
    Kind("a blank line among the rows", None, _line(12, lambda month: ["" for _ in _places(month)])),
    Kind("all negative", False, _numbers(lambda _, value: -value)),
    Kind("one negative", False, _numbers(_negative_one)),
    Kind("one in parentheses", False, _texts(AMOUNT, lambda text: f"({text})", rows=1)),
    Kind("one is huge", False, _numbers(_huge_one)),
    Kind("half is empty", False, _half_empty),
    Kind("subtotal", False, _line(9, _sum_line)),
    Kind("subtotal at the end", False, _line(10_000, _sum_line)),
    Kind("totals at the end", False, _line(10_000, _totals("Total"))),
    Kind("totals without a word", False, _line(10_000, _totals(""))),
    Kind("balance", False, _line(10_000, _totals("SALDO FINAL"))),
    Kind("group line", False, _line(0, _group_line)),
    Kind("a second table below", False, _second_table, only="csv"),
    Kind("a column twice", False, _doubled),
    Kind("two labels exchanged", False, _exchanged),
    Kind("five years later", False, _days(lambda day: day + _FIVE_YEARS), needs=("day",)),
    Kind("five years earlier", False, _days(lambda day: day - _FIVE_YEARS), needs=("day",)),
    Kind("zeros lost", False, _texts(("code",), lambda text: text.lstrip("0")), needs=("code",)),
    Kind("codes are words", False, _texts(("code",), lambda text: f"abc-{text}/x"), needs=("code",)),
    Kind("days are words", False, _texts(("day",), lambda _: "ontem"), needs=("day",)),
    Kind("percent", False, _texts(AMOUNT, lambda text: f"{text}%"), only="csv"),
    Kind("other money", False, _texts(AMOUNT, lambda text: f"US$ {text}"), only="csv"),
    Kind("labels translated", False, _label(lambda label: f"Column {label[::-1]}")),
    Kind("the same file", False, is_again=True),
    Kind("the same rows reversed", False, lambda month: month.rows.reverse(), is_again=True),
    Kind("the same rows, all quoted", False, _set("quoting", 1), only="csv", is_again=True),
    Kind("the same rows, louder", False, _label(str.upper), is_again=True),
    Kind("the same rows and a few new ones", False, _with_new_rows, is_again=True),
)  # fmt: skip
