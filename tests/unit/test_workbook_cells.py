"""What the number in a cell becomes: exact digits, dates, durations, masks."""

import pytest

from managed_tables_analyze.workbooks.raw import Tally, Told
from managed_tables_analyze.workbooks.values.formats import (
    FormatKind,
    builtin_format,
    parse_format,
    show_mask,
    shown_date,
)
from managed_tables_analyze.workbooks.values.numbers import exact_number, float_text
from managed_tables_analyze.workbooks.values.serials import iso_text, serial_text
from managed_tables_analyze.workbooks.xlsx.strings import unescape_hex


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0", "0"),
        ("-35.01", "-35.01"),
        ("1234.50", "1234.5"),
        ("3.0", "3"),
        ("007", "7"),
        ("1E3", "1000"),
        ("1E-5", "0.00001"),
        ("8.3000000000000007", "8.3"),  # how Excel writes 8.3
        ("4.0999999999999996", "4.1"),
        ("0.30000000000000004", "0.30000000000000004"),  # 0.1+0.2, another double than 0.3
        ("0.1000000000000000055511151231257827", "0.1"),
        ("9007199254740993", "9007199254740993"),  # 2^53 + 1 is no double
        ("12345678901234567890", "12345678901234567890"),
        ("1.2345678901234567E+19", "12345678901234567168"),  # all that its double holds
        ("36028797018963968", "36028797018963968"),
        ("3.602879701896397E+16", "36028797018963968"),  # the same double, as XlsxWriter writes it
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9.2233720368547758E+18", "-9223372036854775808"),
        ("+9223372036854775807.0", "9223372036854775807"),
        ("0.33333333333333331", "0.33333333333333331"),  # no 15 digits are this double
        ("1.2345678901234567", "1.2345678901234567"),
        ("8.3000000000000001E-3", "0.0083"),
        ("35200114200166000187550010000000271023456789", "35200114200166000187550010000000271023456789"),
        ("3.52001142001660001E+43", "3.52001142001660001E+43"),  # its digits are lost: do not make up zeros
        ("123456789012345678.12345", "123456789012345678.12345"),
        ("1e300", "1E+300"),
        ("NaN", "NaN"),
        ("abc", "abc"),
    ],
)
def test_a_number_is_what_the_file_holds(raw: str, text: str) -> None:
    assert exact_number(raw) == text


def test_a_whole_double_is_all_its_digits() -> None:
    for power in range(53, 64):
        assert float_text(2.0**power) == str(2**power)
        assert float_text(-(2.0**power)) == str(-(2**power))


@pytest.mark.parametrize(
    ("raws", "told"),
    [
        (["8.3000000000000007", "4.0999999999999996"], []),  # Excel's own way of writing what was typed
        (
            ["8.3000000000000007", "12345678901234567.25"],  # no double has such digits
            [("ROUNDED_NUMBERS", 1, {"example": "8.3000000000000007", "taken": "8.3"}, [])],
        ),
        (["1.2345678901234567", "123456789012345678.12345", "12345678901234567"], []),
        (["1.23456789012345E+17"], [("DIGITS_LOST", 1, {}, [])]),
    ],
)
def test_digits_that_are_lost_are_told(raws: list[str], told: list[Told]) -> None:
    tally = Tally()
    for raw in raws:
        tally.number_cells.text(raw)
    assert tally.findings() == told


def test_a_double_comes_back_from_its_text() -> None:
    for value in (0.1, 1 / 3, 1e-7, 123456789.123456, 5e-324, 1.7976931348623157e308, -2.5, 2.0**60):
        assert float(float_text(value)) == value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", FormatKind.NUMBER),
        ("yyyy/m/d(aaa)", FormatKind.DATE),  # the day of the week, in Japanese
        ("h:mm AM/PM", FormatKind.TIME),
        ("0.00", FormatKind.NUMBER),
        ("0%", FormatKind.NUMBER),
        ("0.00E+00", FormatKind.NUMBER),
        ("# ?/?", FormatKind.NUMBER),
        ('"R$ "#,##0.00', FormatKind.NUMBER),
        ('_-"R$"\\ * #,##0.00_-', FormatKind.NUMBER),
        ("#,##0;[Red]-#,##0", FormatKind.NUMBER),
        ('0" dias"', FormatKind.NUMBER),
        ('"hoje" 0', FormatKind.NUMBER),
        ("[Red]0", FormatKind.NUMBER),
        ("dd/mm/yyyy", FormatKind.DATE),
        ("mmm/yy", FormatKind.DATE),
        ("mmmm", FormatKind.DATE),
        ("[$-F800]dddd, mmmm dd, yyyy", FormatKind.DATE),
        ("[$-416]d/m/yyyy h:mm", FormatKind.DATETIME),
        ("yyyy-mm-dd hh:mm:ss", FormatKind.DATETIME),
        ("h:mm", FormatKind.TIME),
        ("mm:ss", FormatKind.TIME),
        ("hh:mm:ss AM/PM", FormatKind.TIME),
        ("[h]:mm", FormatKind.DURATION),
        ("[mm]:ss", FormatKind.DURATION),
        (r"#\ ##0", FormatKind.NUMBER),
        (r"#\ ###\ ##0;\ \(\-\)\ ###\ ##0", FormatKind.NUMBER),
        ("00000", FormatKind.MASK),
        (r"000\ 000", FormatKind.MASK),
        (r"####\ ####", FormatKind.MASK),
        ("00000-000", FormatKind.MASK),
    ],
)
def test_a_number_format_tells_what_a_number_means(code: str, kind: FormatKind) -> None:
    assert parse_format(code).kind is kind


def test_formats_named_by_number_are_those_of_the_standard() -> None:
    kinds = {number: builtin_format(number).kind for number in range(60)}
    days = {number for number, kind in kinds.items() if kind is FormatKind.DATE}
    times = {number for number, kind in kinds.items() if kind is FormatKind.TIME}
    assert days == {14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58}
    assert times == {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
    assert (kinds[22], kinds[46]) == (FormatKind.DATETIME, FormatKind.DURATION)
    assert {number for number in range(60) if builtin_format(number).is_percent} == {9, 10}


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("mmm/yy", "jan/24"),
        ("mmm-yy", "jan/24"),  # a form that files name by number, with the reader's own separator
        ("[$-416]mmm/yy;@", "jan/24"),
        ("[$-409]mmm-yy;@", "Jan-24"),
        ("mm/yyyy", "01/2024"),
        ("dd/mm/yyyy", "01/01/2024"),
        ("mm-dd-yy", "01/01/2024"),
        ("yyyy", "2024"),
        ('mmmm" de "yyyy', "janeiro de 2024"),
        ('dddd, d "de" mmmm "de" yyyy', "segunda-feira, 1 de janeiro de 2024"),
        ("mmm", None),  # of which year?
        ("d-mmm", None),
        ("ggge", None),
        ("dd/mm/yyyy hh:mm", None),
        ("0.00", None),
    ],
)
def test_a_date_is_shown_as_its_format_says(code: str, shown: str | None) -> None:
    assert shown_date(parse_format(code), "2024-01-01") == shown
    assert shown_date(parse_format(code), "45296") is None


@pytest.mark.parametrize(("code", "shown"), [("mmm/yy", None), ("dd/mm/yy", "05/02/24"), ("yyyy", None)])
def test_a_date_of_which_the_day_is_not_shown_stays_as_it_is(code: str, shown: str | None) -> None:
    assert shown_date(parse_format(code), "2024-02-05") == shown


@pytest.mark.parametrize(
    ("code", "raw", "text"),
    [
        ("00000", "7", "00007"),
        ("00000", "1234567", "1234567"),
        ("00000-000", "1310100", "01310-100"),
        (r"000\.000\.000\-00", "1234567890", "012.345.678-90"),
        (r"00\.000\.000\/0000\-00", "12345678000195", "12.345.678/0001-95"),
        ("[<=99999999]####-####;(##) ####-####", "33334444", "3333-4444"),
        ("[<=99999999]####-####;(##) ####-####", "1133334444", "(11) 3333-4444"),
        ("00000", "12.5", None),
        ("00000", "-3", None),
    ],
)
def test_a_mask_shows_identifiers_as_excel_does(code: str, raw: str, text: str | None) -> None:
    assert show_mask(parse_format(code), raw) == text


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        ("45292", FormatKind.DATE, "2024-01-01"),
        ("45292", FormatKind.DATETIME, "2024-01-01T00:00:00"),
        ("45292.75", FormatKind.DATE, "2024-01-01T18:00:00"),
        ("45292.75694444445", FormatKind.DATETIME, "2024-01-01T18:10:00"),
        ("45292.99999999999", FormatKind.DATETIME, "2024-01-02T00:00:00"),
        ("0.41666666666666669", FormatKind.TIME, "10:00:00"),
        ("0", FormatKind.TIME, "00:00:00"),
        ("1.5", FormatKind.DURATION, "36:00:00"),
        ("1", FormatKind.DATE, "1900-01-01"),
        ("59", FormatKind.DATE, "1900-02-28"),
        ("61", FormatKind.DATE, "1900-03-01"),
        ("2958465", FormatKind.DATE, "9999-12-31"),
        ("0", FormatKind.DATE, "0"),
        ("60", FormatKind.DATE, "60"),
        ("-1", FormatKind.DATE, "-1"),
        ("2958466", FormatKind.DATE, "2958466"),
        ("1e300", FormatKind.DATE, "1E+300"),
        ("NaN", FormatKind.DATE, "NaN"),
    ],
)
def test_a_serial_is_a_day_of_the_calendar_or_stays_a_number(raw: str, kind: FormatKind, text: str) -> None:
    assert serial_text(raw, kind, False) == text


def test_the_epoch_of_1904_counts_from_zero() -> None:
    assert serial_text("0", FormatKind.DATE, True) == "1904-01-01"
    assert serial_text("43830", FormatKind.DATE, True) == "2024-01-01"


def test_an_iso_cell_keeps_its_text() -> None:
    assert iso_text("2024-02-29T00:00:00", FormatKind.DATE) == "2024-02-29"
    assert iso_text("2024-02-29T10:00:00", FormatKind.DATE) == "2024-02-29T10:00:00"
    assert iso_text("not-a-date", FormatKind.DATE) == "not-a-date"


def test_hex_escapes_are_resolved_and_nul_is_dropped() -> None:
    assert unescape_hex("a_x000D_b") == "a\rb"
    assert unescape_hex("_x005F_x000D_") == "_x000D_"
    assert unescape_hex("_x0000_a_xZZZZ_") == "a_xZZZZ_"
    assert unescape_hex("_xD83D__xDE00_") == "😀"
