"""Conversion: DuckDB gives the same values as an independent implementation in Python."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from managed_tables.conversion.columns import DateOrder, DecimalMark, Formats, build_conversion, explain
from managed_tables.details import Fault
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.profiles import format_instant

CONNECTION = duckdb.connect()
MARKS = st.sampled_from([",", "."])
INT64 = range(-(2**63), 2**63)
BLANK_PAIRS = st.sampled_from([("", ""), (" ", ""), ("\u00a0", " "), ("\t", "\r")])


def convert(texts: Sequence[str | None], column_type: str, formats: Formats) -> list[str | None]:
    """Return each text's canonical form: `empty` if it is empty, None if it does not convert."""
    conversion = build_conversion("cell", ColumnType(column_type), formats)
    rows = CONNECTION.execute(
        f"SELECT CASE WHEN {conversion.converts} AND cell <> '' THEN {conversion.value} "  # noqa: S608
        f"WHEN {conversion.empty} THEN 'empty' END FROM (SELECT unnest($1::VARCHAR[]) AS cell)",
        [list(texts)],
    ).fetchall()
    return [value for (value,) in rows]


def separator(mark: str) -> str:
    return "." if mark == "," else ","


def write_number(value: Decimal, mark: str, *, grouped: bool) -> str:
    """Write a number with all its digits and a leading sign."""
    return f"{value:{',' if grouped else ''}f}".translate({ord(","): separator(mark), ord("."): mark})


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    digits = draw(st.integers(-(10**40), 10**40))
    return Decimal(f"{digits}E-{draw(st.integers(0, 12))}")


@given(st.lists(decimals(), min_size=1, max_size=30), MARKS, st.booleans(), BLANK_PAIRS)
def test_decimals_keep_every_digit(
    values: list[Decimal], mark: DecimalMark, grouped: bool, blanks: tuple[str, str]
) -> None:
    texts = [blanks[0] + write_number(value, mark, grouped=grouped) + blanks[1] for value in values]
    found = convert(texts, "decimal", Formats(decimal_mark=mark))
    assert [text.removeprefix("-") for text in map(str, found)] == [
        f"{value.copy_abs():f}" for value in values
    ]
    assert [Decimal(text or "NaN") for text in found] == values


@given(st.lists(decimals(), min_size=1, max_size=30), MARKS)
def test_currency_signs_and_parentheses_are_read(values: list[Decimal], mark: DecimalMark) -> None:
    forms = []
    for value in values:
        plain = write_number(value.copy_abs(), mark, grouped=True)
        sign = "-" if value.is_signed() else ""
        forms += [f"{sign}R$ {plain}", f"R$ {sign}{plain}", f"{sign}R${plain}"]
        forms += [f"({plain})", f"R$ ({plain})", f"(R$\u00a0{plain})"] if sign else [f" R$   {plain} "] * 3
    found = convert(forms, "decimal", Formats(decimal_mark=mark))
    assert [Decimal(text or "NaN") for text in found] == [value for value in values for _ in range(6)]


@given(st.lists(st.integers(-(2**64), 2**64), min_size=1, max_size=30), MARKS, st.booleans())
def test_integers_convert_if_they_fit_64_bits(values: list[int], mark: DecimalMark, grouped: bool) -> None:
    texts = [write_number(Decimal(value), mark, grouped=grouped) for value in values]
    found = convert(texts, "integer", Formats(decimal_mark=mark))
    assert [None if text is None else int(text) for text in found] == [
        value if value in INT64 else None for value in values
    ]


def read_number(text: str, mark: str) -> Decimal | None:
    """Read a plain number character by character: sign, whole part, mark, fraction."""
    body = text[1:] if text[:1] in ("+", "-") else text
    whole, found, fraction = body.partition(mark)
    if (found and not fraction) or not set(fraction) <= set("0123456789"):
        return None
    groups = whole.split(separator(mark))
    digits = "".join(groups)
    is_number = set(digits) <= set("0123456789") and (digits or fraction)
    is_grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(one) == 3 for one in groups[1:]))
    if not is_number or not is_grouped or (digits[:1] == "0" and len(digits) > 1):
        return None
    return Decimal(f"{'-' if text[0] == '-' else ''}{digits or '0'}.{fraction or '0'}")


@given(st.lists(st.text("0123456789.,+-", min_size=1, max_size=14), min_size=1, max_size=60), MARKS)
def test_random_texts_convert_as_in_the_reference(texts: list[str], mark: DecimalMark) -> None:
    texts = [text for text in texts if not text.endswith("-")]  # SAP's negatives, and a lone sign
    found = convert(texts, "decimal", Formats(decimal_mark=mark))
    assert [None if text is None else Decimal(text) for text in found] == [
        read_number(text, mark) for text in texts
    ]


DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
WRITTEN = {
    "dmy": "{0.day:0{w}d}{s}{0.month:0{w}d}{s}{0.year:04d}",
    "mdy": "{0.month:0{w}d}{s}{0.day:0{w}d}{s}{0.year:04d}",
    "ymd": "{0.year:04d}{s}{0.month:0{w}d}{s}{0.day:0{w}d}",
}


@given(
    st.lists(DAYS, min_size=1, max_size=40),
    st.sampled_from(["dmy", "mdy", "ymd"]),
    st.sampled_from("/-"),
    st.sampled_from([1, 2]),
)
def test_dates_are_read_in_their_order(days: list[date], order: DateOrder, mark: str, width: int) -> None:
    texts = [WRITTEN[order].format(day, s=mark, w=width) for day in days]
    assert convert(texts, "date", Formats(date_order=order)) == [day.isoformat() for day in days]


@given(st.lists(st.tuples(st.integers(0, 32), st.integers(0, 13), st.integers(1895, 2105)), max_size=60))
def test_only_days_that_exist_are_dates(parts: list[tuple[int, int, int]]) -> None:
    def reference(day: int, month: int, year: int) -> str | None:
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            return None

    texts = [f"{day:02d}/{month:02d}/{year}" for day, month, year in parts]
    assert convert(texts, "date", Formats()) == [reference(*one) for one in parts]


MOMENTS = st.one_of(
    st.datetimes(),
    st.datetimes(datetime.min, datetime(1, 1, 2)),
    st.datetimes(datetime(9999, 12, 30), datetime.max),
)


def in_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


@given(st.lists(MOMENTS, min_size=1, max_size=30), st.integers(-14 * 60, 14 * 60), st.sampled_from("T "))
def test_datetimes_keep_their_instant(moments: list[datetime], offset_minutes: int, mark: str) -> None:
    zone = timezone(timedelta(minutes=offset_minutes))
    written = [moment.replace(tzinfo=zone) for moment in moments]
    found = convert([moment.isoformat(mark) for moment in written], "datetime", Formats(date_order="ymd"))
    instants = [text and datetime.fromisoformat(format_instant(text, ZoneInfo("UTC"))) for text in found]
    assert instants == [in_utc(one) for one in written]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("0001-01-01T00:00:00+05:00", "UTC"),
        ("01/01/0001", "Asia/Tokyo"),
        ("31/12/9999 23:59:59", "America/Sao_Paulo"),
        ("9999-12-31 11:00 PM", "America/Sao_Paulo"),
        ("1-1-0001 12:30 AM +01:00", "UTC"),
        ("31.12.9999 22:30 -01:30", "UTC"),
    ],
)
def test_a_refusal_says_that_a_datetime_leaves_the_years_1_to_9999_in_utc(text: str, zone: str) -> None:
    assert explain(text, ColumnType.DATETIME, Formats(timezone=zone)) == Fault(
        "OUT_OF_RANGE", "fica fora dos anos 0001 a 9999 quando levada ao horário UTC"
    )


@pytest.mark.parametrize("text", ["9" * 1_000, "1e900", "-1.5E-900", "(" + "9" * 998 + ")"])
def test_a_number_may_have_a_thousand_digits(text: str) -> None:
    assert convert([text], "decimal", Formats(decimal_mark=".")) != [None]


@pytest.mark.parametrize("text", ["9" * 1_001, "1e1000", "1E+9999", "1e-1000", "0e1000", "9" * 500 + "e501"])
def test_a_number_with_more_than_a_thousand_digits_does_not_convert(text: str) -> None:
    """Counted when written out: seven characters can mean thousands of zeros in every response."""
    assert convert([text], "decimal", Formats()) == [None]
    fault = explain(text, ColumnType.DECIMAL, Formats())
    assert fault.code == "TOO_LONG"
    assert fault.reason.endswith("tem mais de 1000 algarismos, escrito por extenso")


def test_a_fraction_that_would_be_rounded_is_refused() -> None:
    [found] = convert(["2024-01-31 10:00:00.1234567"], "datetime", Formats())
    assert found is None
    assert explain("2024-01-31 10:00:00.1234567", ColumnType.DATETIME, Formats()) == (
        "NOT_A_DATETIME",
        "a fração de segundo tem mais de 6 casas",
    )


def test_eight_digits_convert_to_a_date_but_do_not_suggest_one() -> None:
    conversion = build_conversion("'20240229'", ColumnType.DATE, Formats())
    assert CONNECTION.execute(f"SELECT {conversion.suggests}").fetchone() == (False,)


def test_spaces_between_digits_convert_but_do_not_suggest_a_number() -> None:
    """Phone numbers are written like this; a person may still state that they are numbers."""
    for kind in ("integer", "decimal"):
        assert convert(["912 345 678"], kind, Formats()) == ["912345678"]
        conversion = build_conversion("$1", ColumnType(kind), Formats())
        found = CONNECTION.execute(f"SELECT {conversion.suggests}", ["912 345 678"]).fetchone()
        assert found == (False,)


def test_a_text_keeps_its_characters() -> None:
    texts: list[str | None] = [" a ", "\u00a0x", "NULL", "-", "01", "#1", "é\n\t\"'\\"]
    assert convert(texts, "text", Formats(null_tokens=True)) == texts
    assert convert(["", None, "a\0b"], "text", Formats()) == ["empty", "empty", None]


@given(st.lists(st.text(max_size=20), max_size=40), st.sampled_from([one.value for one in ColumnType]))
def test_any_text_converts_or_has_a_reason(texts: list[str], column_type: str) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    found = convert(texts, column_type, Formats(null_tokens=True))
    for text, value in zip(texts, found, strict=True):
        assert value is not None or explain(text, ColumnType(column_type), Formats())


def test_a_huge_text_costs_no_more_than_its_length() -> None:
    texts = ["1" * 1_000_000, "1." * 500_000, " " * 1_000_000 + "x", "(" * 1_000_000]
    for column_type in ("integer", "decimal", "boolean", "date", "datetime"):
        assert convert(texts, column_type, Formats()) == [None] * len(texts)
