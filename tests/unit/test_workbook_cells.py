"""What the number in a cell becomes: exact digits, dates, durations, masks."""

import pytest

from managed_tables_reader.rows.sheets import Batch
from managed_tables_reader.workbooks.formats import (
    FormatKind,
    builtin_format,
    iso_text,
    moment_texts,
    parse_format,
    serial_text,
    serial_texts,
    show_mask,
    shown_date,
)
from managed_tables_reader.workbooks.numbers import NumberCells, exact_number, float_text, is_number, is_plain
from managed_tables_reader.workbooks.raw import BATCH_CELLS, BATCH_ROWS, Tally, Told, in_batches
from managed_tables_reader.workbooks.xlsx.strings import unescape_hex


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
        ("0.30000000000000004", "0.30000000000000004"),  # 0.1+0.2, which is not the double 0.3
        ("0.1000000000000000055511151231257827", "0.1"),
        ("9007199254740993", "9007199254740993"),  # 2^53 + 1 is not a double
        ("12345678901234567890", "12345678901234567890"),
        ("1.2345678901234567E+19", "12345678901234567168"),  # all digits of its double
        ("36028797018963968", "36028797018963968"),
        ("3.602879701896397E+16", "36028797018963968"),  # the same double, as XlsxWriter writes it
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9.2233720368547758E+18", "-9223372036854775808"),
        ("+9223372036854775807.0", "9223372036854775807"),
        ("0.33333333333333331", "0.33333333333333331"),  # no 15-digit number is this double
        ("1.2345678901234567", "1.2345678901234567"),
        ("8.3000000000000001E-3", "0.0083"),
        ("8.2999999999999998E-05", "0.000083"),
        ("35200114200166000187550010000000271023456789", "35200114200166000187550010000000271023456789"),
        ("3.52001142001660001E+43", "3.52001142001660001E+43"),  # its digits are lost: no zeros are made up
        ("123456789012345678.12345", "123456789012345678.12345"),
        ("1e300", "1E+300"),
        ("NaN", "NaN"),
        ("abc", "abc"),
        (" 12 ", "12"),
        ("+5", "5"),
        ("-0.0", "0"),
        ("-0.50", "-0.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0e5", "0"),
        ("-1e2", "-100"),
        ("1.23E+2", "123"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1E+21"),
        ("1E-30", "0.000000000000000000000000000001"),
        ("1E-31", "1E-31"),
        ("9007199254740993E0", "9007199254740993"),
        ("9007199254740992.5", "9007199254740992.5"),
        ("1_0", "1_0"),
    ],
)
def test_a_number_is_what_the_file_holds(raw: str, text: str) -> None:
    assert exact_number(raw) == text


def test_a_whole_double_is_written_with_all_its_digits() -> None:
    for power in range(53, 64):
        assert float_text(2.0**power) == str(2**power)
        assert float_text(-(2.0**power)) == str(-(2**power))


@pytest.mark.parametrize(
    ("raws", "findings"),
    [
        (["8.3000000000000007", "4.0999999999999996"], []),  # Excel's own way of writing what was typed
        (
            ["8.3000000000000007", "12345678901234567.25"],  # not the digits of a double
            [("ROUNDED_NUMBERS", 1, {"example": "8.3000000000000007", "taken": "8.3"}, [])],
        ),
        (["1.2345678901234567", "123456789012345678.12345", "12345678901234567"], []),
        (["1.23456789012345E+17"], [("DIGITS_LOST", 1, {}, [])]),
    ],
)
def test_lost_digits_are_reported(raws: list[str], findings: list[Told]) -> None:
    tally = Tally()
    for raw in raws:
        tally.number_cells.text(raw)
    assert tally.findings() == findings


def test_a_double_round_trips_through_its_text() -> None:
    for value in (0.1, 1 / 3, 1e-7, 123456789.123456, 5e-324, 1.7976931348623157e308, -2.5, 2.0**60):
        assert float(float_text(value)) == value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", FormatKind.NUMBER),
        ("yyyy/m/d(aaa)", FormatKind.DATE),  # the day of the week, in Japanese
        ("h:mm AM/PM", FormatKind.TIME),
        ("0.00 days", FormatKind.NUMBER),
        ("0%", FormatKind.NUMBER),
        ("0.00E+00", FormatKind.NUMBER),
        ("# ?/?", FormatKind.NUMBER),
        ('"R$ "#,##0.00', FormatKind.NUMBER),
        ('_-"R$"\\ * #,##0.00_-', FormatKind.NUMBER),
        ("#,##0;[Red]-#,##0", FormatKind.NUMBER),
        ('@" dias"', FormatKind.NUMBER),  # letters in quotes show no part of a moment
        ("US$ #,##0.00", FormatKind.NUMBER),  # letters that no quotes enclose
        ("[Red]0", FormatKind.NUMBER),
        ("yyyy?m?d?", FormatKind.DATE),  # by a program that cannot encode Japanese
        ("mmm/yy", FormatKind.DATE),
        ("mmmm", FormatKind.DATE),
        ("[$-F800]dddd, mmmm dd, yyyy", FormatKind.DATE),
        ("[$-416]d/m/yyyy h:mm", FormatKind.DATETIME),
        ("yyyy-mm-dd hh:mm:ss", FormatKind.DATETIME),
        ("h:mm", FormatKind.TIME),
        ('mm:ss"."0', FormatKind.TIME),  # some programs quote all that is no letter
        ("hh:00", FormatKind.TIME),
        ("[h]:mm", FormatKind.DURATION),
        ("[mm]:ss", FormatKind.DURATION),
        (r"#\ ##0", FormatKind.NUMBER),
        (r"####\ ###\ ###", FormatKind.NUMBER),
        (r"#\ ###\ ##0;\ \(\-\)\ ###\ ##0", FormatKind.NUMBER),
        ("00000", FormatKind.MASK),
        (r"000\ 000", FormatKind.MASK),
        (r"####\ ####", FormatKind.MASK),
        ("00000-000", FormatKind.MASK),
        ("general", FormatKind.NUMBER),
        ("General;dd/mm/yyyy", FormatKind.NUMBER),
        ("[=0]?;dd/mm/yyyy", FormatKind.DATE),  # the first section is for one value only
        ("[=0]?;[=1]?;hh:mm", FormatKind.TIME),
        ("[Red]dd/mm/yyyy", FormatKind.DATE),
        ("[HH]:MM", FormatKind.DURATION),
        ("[ss]", FormatKind.DURATION),
        ("aaa", FormatKind.NUMBER),
        ("m", FormatKind.DATE),
        ("e", FormatKind.DATE),
        ("gg", FormatKind.DATE),
        ("h", FormatKind.TIME),
        ("s", FormatKind.TIME),
        ("0", FormatKind.NUMBER),
        ("?0", FormatKind.NUMBER),
        ("##", FormatKind.NUMBER),
        ("00", FormatKind.MASK),
        ("#-#", FormatKind.MASK),
        ("(##)", FormatKind.NUMBER),
        ("000,00", FormatKind.NUMBER),
        ("#,##0", FormatKind.NUMBER),
        ("# ##0", FormatKind.NUMBER),
        ("[<=99]0.0;00", FormatKind.NUMBER),
        ("[<10]00", FormatKind.NUMBER),
        ("[<=99]00", FormatKind.NUMBER),
        ("[>=100]00000", FormatKind.NUMBER),
    ],
)
def test_a_number_format_gives_the_kind_of_a_number(code: str, kind: FormatKind) -> None:
    assert parse_format(code).kind is kind


def test_built_in_formats_are_those_of_the_standard() -> None:
    kinds = {number: builtin_format(number).kind for number in range(60)}
    days = {number for number, kind in kinds.items() if kind is FormatKind.DATE}
    times = {number for number, kind in kinds.items() if kind is FormatKind.TIME}
    assert days == {14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58}
    assert times == {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
    assert (kinds[22], kinds[46]) == (FormatKind.DATETIME, FormatKind.DURATION)
    assert {number for number in range(60) if builtin_format(number).is_percent} == {9, 10}


@pytest.mark.parametrize("code", ["0%", "0.0%", "[=0]?;[=1]?;0%", "0.00%;-0.00%"])
def test_a_percent_sign_scales_what_is_shown(code: str) -> None:
    assert parse_format(code).is_percent


@pytest.mark.parametrize("code", ['0"%"', "\\%0", "[=0]0%;0", "0;-0%", "0"])
def test_a_percent_sign_elsewhere_is_a_character(code: str) -> None:
    assert not parse_format(code).is_percent


def test_months_and_weekdays_have_names_in_two_languages() -> None:
    months = [f"2024-{month:02d}-01" for month in range(1, 13)]
    days = [f"2024-01-{day:02d}" for day in range(1, 8)]  # from a Monday

    def shown(code: str, isos: list[str]) -> str:
        return " ".join(str(shown_date(parse_format(code), iso)).split()[0] for iso in isos)

    assert shown("mmmm yyyy", months) == (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"
    )
    assert shown("mmm yyyy", months) == "jan fev mar abr mai jun jul ago set out nov dez"
    assert shown("mmmmm yyyy", months) == "j f m a m j j a s o n d"
    assert shown("[$-409]mmmm yyyy", months) == (
        "January February March April May June July August September October November December"
    )
    assert shown("[$-809]mmm yyyy", months) == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    assert shown("dddd dd/mm/yy", days) == (
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo"
    )
    assert shown("ddd dd/mm/yy", days) == "seg ter qua qui sex sáb dom"
    assert shown("[$-409]dddd d/m/yy", days) == "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
    assert shown("[$-409]ddd d/m/yy", days) == "Mon Tue Wed Thu Fri Sat Sun"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("mmm/yy", "jan/24"),
        ("d-mmm-yy", "01/jan/24"),
        ("MMM-YY", "jan/24"),
        ("d/m/yy", "1/1/24"),
        ("[$R$-416]yyyy", "2024"),
        ("[$-F400]yyyy", "2024"),
        ("yyyy_x", "2024"),
        ("yyyy\\x", "2024x"),
        ("@yyyy", "2024"),
        ("yyy", None),
        ("y", None),
        ("m/yy", "1/24"),
        ("mmm-yy", "jan/24"),  # a built-in format, with the reader's own separator
        ("[$-416]mmm/yy;@", "jan/24"),
        ("[$-409]mmm-yy;@", "Jan-24"),
        ("mm/yyyy", "01/2024"),
        ("dd/mm/yyyy", "01/01/2024"),
        ("mm-dd-yy", "01/01/2024"),
        ("yyyy", "2024"),
        ('mmmm" de "yyyy', "janeiro de 2024"),
        ('dddd, d "de" mmmm "de" yyyy', "segunda-feira, 1 de janeiro de 2024"),
        ("mmm", None),  # its year is unknown
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
def test_a_date_is_kept_if_its_format_hides_the_day(code: str, shown: str | None) -> None:
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
        ("[<=99]00;00-00;x", "7", "07"),
        ("[<=99]00;00-00;x", "99", "99"),
        ("[<=99]00;00-00;x", "100", "01-00"),
        ("[<=99]00;0.0", "7", "07"),
        ("[<=99]00;", "123", None),
        ('[<=0]"";00000-000', "1310100", "01310-100"),
        ('[<=0]"";00000-000', "0", None),
        ("00000;-00000", "7", "00007"),
        ("_-00000", "7", "00007"),
        ("*x00000", "7", "00007"),
        ('"N"00000', "7", "N00007"),
        (" 00 ", "7", "07"),
        ("0-0", "0", "0-0"),
        ("#-##", "1234", "12-34"),
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
        (" 45292 ", FormatKind.DATE, "2024-01-01"),
        (" x ", FormatKind.DATE, "x"),
        ("45292.000005", FormatKind.DATETIME, "2024-01-01T00:00:00.432"),
        ("0.5", FormatKind.DATE, "12:00:00"),
        ("0", FormatKind.DATETIME, "00:00:00"),
        ("1.5", FormatKind.TIME, "1900-01-01T12:00:00"),
        ("-0.5", FormatKind.TIME, "-0.5"),
        ("60.5", FormatKind.DATE, "60.5"),
        ("-1.5", FormatKind.DURATION, "-36:00:00"),
        ("0.0000001", FormatKind.DURATION, "0:00:00.009"),
        ("0.00001158", FormatKind.DURATION, "0:00:01.001"),
        ("0.0423726851851852", FormatKind.DURATION, "1:01:01"),
        ("99999999", FormatKind.DURATION, "2399999976:00:00"),
        ("100000000", FormatKind.DURATION, "100000000"),
    ],
)
def test_a_serial_becomes_a_date_or_stays_a_number(raw: str, kind: FormatKind, text: str) -> None:
    assert serial_text(raw, kind, False) == text


def test_the_epoch_of_1904_counts_from_zero() -> None:
    assert serial_text("0", FormatKind.DATE, True) == "1904-01-01"
    assert serial_text("43830", FormatKind.DATE, True) == "2024-01-01"
    assert serial_text("0.5", FormatKind.DATE, True) == "1904-01-01T12:00:00"
    assert serial_text("0.25", FormatKind.TIME, True) == "06:00:00"
    assert serial_text("2957003", FormatKind.DATE, True) == "9999-12-31"
    assert serial_text("2957004", FormatKind.DATE, True) == "2957004"
    assert serial_text("-1", FormatKind.DATE, True) == "-1"


@pytest.mark.parametrize("is_1904", [False, True])
def test_datetimes_convert_in_bulk_as_one_by_one(is_1904: bool) -> None:
    serials = [
        "45292", "45292.75", "45292.99998842593", "60", "0", "0.5", "1.25", "45292.000005", "59.5",
        "45292.7569444444443333333333333333333333", "2958465.99999999", "2958466", "2957003.5",
    ]  # fmt: skip
    alone = [serial_text(serial, FormatKind.DATETIME, is_1904) for serial in serials]
    assert moment_texts([*serials, None], is_1904) == [*alone, None]
    assert moment_texts(["45292.99998842593"], False) == ["2024-01-01T23:59:59"]
    text_of = serial_texts(FormatKind.DATETIME, is_1904=is_1904)
    assert [text_of(serial) for serial in [*serials, *serials]] == alone * 2


def test_an_iso_cell_keeps_its_text() -> None:
    assert iso_text("2024-02-29T00:00:00", FormatKind.DATE) == "2024-02-29"
    assert iso_text("2024-02-29T10:00:00", FormatKind.DATE) == "2024-02-29T10:00:00"
    assert iso_text("not-a-date", FormatKind.DATE) == "not-a-date"
    assert iso_text(" 2024-02-29 ", FormatKind.DATETIME) == "2024-02-29"
    assert iso_text(" x ", FormatKind.DATE) == "x"
    assert iso_text("2024-02-29T00:00:00Z", FormatKind.DATE) == "2024-02-29T00:00:00Z"
    assert iso_text("2024-02-29T00:00:00", FormatKind.DATETIME) == "2024-02-29T00:00:00"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e20, "100000000000000000000"),
        (1e21, "1E+21"),
        (1e-5, "0.00001"),
        (1e-30, "0.000000000000000000000000000001"),
        (1e-31, "1E-31"),
        (1.2345e-10, "0.00000000012345"),
        (-0.0, "0"),
        (123456.0, "123456"),
        (1.5e300, "1.5E+300"),
    ],
)
def test_a_double_is_written_out_if_it_stays_readable(value: float, text: str) -> None:
    assert float_text(value) == text


def test_whole_doubles_beyond_fifteen_digits_may_have_lost_some() -> None:
    cells = NumberCells()
    cut = [
        cells.text_of_double(value) and cells.cut for value in (2.0**53, 2.0**53 + 2, 1e18, 1.5, -(2.0**60))
    ]
    assert cut == [0, 1, 1, 1, 2]


def test_numbers_are_limited_in_form_and_length() -> None:
    assert [text for text in ("1", "+1.5e3", "-.5", "5.", "9" * 400) if not is_number(text)] == []
    assert [text for text in ("", "1 ", "1_0", "0x1", "1e", "1,5", "9" * 401, "١") if is_number(text)] == []
    assert [text for text in ("0", "-1", "1.50", "0.0", "-0.50", "5.") if not is_plain(text)] == []
    assert [text for text in ("-0", "-0.0", "+5", ".5", "007", "1e5", " 1") if is_plain(text)] == []


def test_batches_are_bounded_in_rows_and_cells() -> None:
    narrow = in_batches((number, ["x", None, None]) for number in range(BATCH_ROWS + 1))
    assert [(len(batch), len(batch.columns)) for batch in narrow] == [(BATCH_ROWS, 1), (1, 1)]
    width = BATCH_CELLS // 50
    wide = in_batches((number, ["x"] * width) for number in range(60))
    assert [len(batch) for batch in wide] == [51, 9]
    assert list(in_batches([(1, [None]), (2, [])])) == []


def test_a_sheets_findings_have_their_columns() -> None:
    tally = Tally(hidden_columns=frozenset({1, 27, 99}))
    assert tally.findings() == []
    tally.see(Batch([1], [["a"], [None], *[[None]] * 25, ["x"]]))
    tally.errors.update({3: 2, 1: 1})
    tally.percents.update((2, 0))
    tally.uncached, tally.hidden_rows, tally.other_tables = 4, 5, 6
    assert tally.findings() == [
        ("UNCACHED_FORMULAS", 4, {}, []),
        ("HIDDEN_ROWS", 5, {}, []),
        ("OTHER_TABLES", 6, {}, []),
        ("ERROR_CELLS", 3, {}, [1, 3]),
        ("PERCENT", 2, {}, [0, 2]),
        ("HIDDEN_COLUMNS", 1, {"names": ["AB"]}, [27]),
    ]
    tally.reset()
    assert [code for code, *_ in tally.findings()] == ["OTHER_TABLES", "HIDDEN_COLUMNS"]


def test_hex_escapes_are_resolved() -> None:
    assert unescape_hex("a_x000D_b") == "a\rb"
    assert unescape_hex("_x005F_x000D_") == "_x000D_"
    assert unescape_hex("_x0000_a_xZZZZ_") == "\0a_xZZZZ_"
    assert unescape_hex("_xD83D__xDE00_") == "😀"


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ('"R$" #,##0.00', "R$"),
        ("[$R$-416]\\ #,##0.00;[Red]-[$R$-416]\\ #,##0.00", "R$"),
        ('_-"R$"\\ * #,##0.00_-', "R$"),
        ("[$US$] #,##0.00", "US$"),
        ("#,##0.00\\ [$€-407]", "€"),
        ("[$-416]#,##0.00", ""),
        ("#,##0.00", ""),
    ],
)
def test_a_format_says_in_which_currency_numbers_are_shown(code: str, sign: str) -> None:
    assert parse_format(code).currency == sign
