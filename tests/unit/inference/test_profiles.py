"""Profiles: a column's counts, most frequent values and histogram."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from staged_objects import open_session, write_staged

from managed_tables.conversion.columns import Formats
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.profiles import Kind, Profile, convert_first_rows, profile_columns
from managed_tables_analyze.inference.tallies import HEAD

COMMA = Formats(decimal_mark=",", date_order="dmy", null_tokens=True)


def profiles(folder: Path, rows: list[list[str | None]], *types: ColumnType) -> list[Profile]:
    kinds: list[Kind] = [(one, COMMA) for one in types]
    staged = write_staged(folder / "staged.parquet", rows)
    with open_session() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TEMP TABLE {HEAD} AS FROM {staged_rows(staged)} LIMIT 3000")
        shown = convert_first_rows(connection, staged, kinds, len(rows))
        return profile_columns(connection, kinds, shown, ZoneInfo("America/Sao_Paulo"))


def test_values_are_counted_and_shown_as_in_the_samples(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [
        ["10", "1.234,50", "sim", "31/12/2023", "01/01/2024 10:00", "b"],
        ["9", "0,5", "não", "01/02/2024", "01/01/2024 12:00", "a"],
        ["9", "-", "sim", None, "", "a"],
    ]
    number, amount, flag, day, moment, text = profiles(
        tmp_path,
        rows,
        ColumnType.INTEGER,
        ColumnType.DECIMAL,
        ColumnType.BOOLEAN,
        ColumnType.DATE,
        ColumnType.DATETIME,
        ColumnType.TEXT,
    )
    assert (number.rows, number.empty, number.distinct, number.min, number.max) == (3, 0, 2, 9, 10)
    assert number.top == [[9, 2], [10, 1]]
    assert (amount.empty, amount.min, amount.max) == (1, Decimal("0.5"), Decimal("1234.50"))
    assert (flag.min, flag.max, flag.top, flag.histogram) == (False, True, [[True, 2], [False, 1]], [])
    assert (day.min, day.max, day.empty) == ("2023-12-31", "2024-02-01", 1)
    assert (moment.min, moment.max) == ("2024-01-01T13:00:00Z", "2024-01-01T15:00:00Z")
    assert (text.min, text.max, text.top, text.histogram) == ("a", "b", [["a", 2], ["b", 1]], [])


def test_at_most_twenty_bins_hold_every_value(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [
        [str(number), f"{number % 28 + 1:02d}/01/2024"] for number in range(1_000)
    ]
    number, day = profiles(tmp_path, rows, ColumnType.INTEGER, ColumnType.DATE)
    for profile in (number, day):
        assert 1 < len(profile.histogram) <= 20
        assert sum(count for *_, count in profile.histogram) == 1_000
        assert len(profile.top) == 10
    assert (number.histogram[0][0], number.histogram[-1][1]) == (0, 999)
    assert (day.histogram[0][0], day.histogram[-1][1]) == ("2024-01-01", "2024-01-28")


def test_there_are_no_more_bins_than_values(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [
        ["1", "31/12/2025", "1,5"],
        ["1", "01/01/2026", "2,5"],
        ["3", None, "2,5"],
    ]
    number, day, amount = profiles(tmp_path, rows, ColumnType.INTEGER, ColumnType.DATE, ColumnType.DECIMAL)
    assert number.histogram == [[1, 2, 2], [3, 3, 1]]
    assert day.histogram == [["2025-12-31", "2025-12-31", 1], ["2026-01-01", "2026-01-01", 1]]
    assert amount.histogram == [[Decimal("1.5"), 2, 1], [2, Decimal("2.5"), 2]]


def test_one_value_makes_one_bin_and_no_value_none(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [["7", None], ["7", None]]
    same, empty = profiles(tmp_path, rows, ColumnType.INTEGER, ColumnType.DECIMAL)
    assert same.histogram == [[7, 7, 2]]
    expected: dict[str, Any] = {"rows": 2, "empty": 2, "distinct": 0, "min": None, "max": None}
    assert vars(empty) == {**expected, "top": [], "histogram": []}


def test_moments_of_several_zones_are_ordered_by_the_instant(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [
        ["2024-01-31 10:20:30-03:00", "2024-01-31 1:05 PM"],
        ["2024-01-31 10:20:30+02:00", "2024-01-31 12:30 AM"],
        ["2024-01-31 09:00:00", "2024-01-31 11:00 AM"],
    ]
    zoned, halves = profiles(tmp_path, rows, ColumnType.DATETIME, ColumnType.DATETIME)
    assert (zoned.min, zoned.max) == ("2024-01-31T08:20:30Z", "2024-01-31T13:20:30Z")
    assert [(low, high) for low, high, _ in zoned.histogram][:: len(zoned.histogram) - 1] == [
        ("2024-01-31T08:20:30Z", "2024-01-31T10:00:30Z"),
        ("2024-01-31T11:40:30Z", "2024-01-31T13:20:30Z"),
    ]
    assert [count for *_, count in zoned.histogram] == [1, 0, 2]
    assert (halves.min, halves.max) == ("2024-01-31T03:30:00Z", "2024-01-31T16:05:00Z")


@pytest.mark.parametrize("zone", ["", " Z"])
def test_moments_of_one_second_are_ordered_by_their_fractions(tmp_path: Path, zone: str) -> None:
    rows: list[list[str | None]] = [
        [f"2024-01-02 10:00:00.{end}{zone}"] for end in ("9", "1", "5", "001", "999")
    ]
    [moment] = profiles(tmp_path, rows, ColumnType.DATETIME)
    hour = 10 if zone else 13
    assert (moment.min, moment.max) == (f"2024-01-02T{hour}:00:00.001Z", f"2024-01-02T{hour}:00:00.999Z")


def test_the_last_moment_of_the_calendar_has_a_fraction_and_a_zone(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [["2024-01-01 10:00:00.000 Z"], ["9999-12-31 23:59:59.999 Z"]]
    [moment] = profiles(tmp_path, rows, ColumnType.DATETIME)
    assert (moment.min, moment.max) == ("2024-01-01T10:00:00Z", "9999-12-31T23:59:59.999Z")
    assert sum(count for *_, count in moment.histogram) == 2


def test_only_the_first_rows_are_profiled(tmp_path: Path) -> None:
    """The head of the staged object, or a fiftieth of its rows: profiles must stay cheap."""
    for columns, count, expected in ((2, 1_000, 1_000), (2, 20_000, 3_000), (1, 200_000, 4_000)):
        rows: list[list[str | None]] = [[str(number)] * columns for number in range(count)]
        found = profiles(tmp_path, rows, *[ColumnType.INTEGER] * columns)
        assert {(profile.rows, profile.max) for profile in found} == {(expected, expected - 1)}


def test_long_texts_that_start_alike_count_as_one_value(tmp_path: Path) -> None:
    """Also in the sample, which keeps longer texts."""
    rows: list[list[str | None]] = [["x" * 200 + str(number % 7)] for number in range(40)]
    [text] = profiles(tmp_path, rows, ColumnType.TEXT)
    assert (text.distinct, text.top) == (1, [["x" * 100, 40]])


@pytest.mark.parametrize(("columns", "values", "bins"), [(200, 10, 20), (600, 5, 10), (1_600, 2, 4)])
def test_many_columns_have_fewer_values_and_bins_each(
    tmp_path: Path, columns: int, values: int, bins: int
) -> None:
    rows: list[list[str | None]] = [[str(number)] * columns for number in range(20)]
    first, *_, last = profiles(tmp_path, rows, *[ColumnType.INTEGER] * columns)
    assert (len(first.top), len(first.histogram)) == (values, bins)
    assert first == last


def test_bins_of_decimals_and_moments_have_short_bounds(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [
        [f"{number},{number}", f"01/01/2024 {number:02d}:00"] for number in range(4)
    ]
    amount, moment = profiles(tmp_path, rows, ColumnType.DECIMAL, ColumnType.DATETIME)
    step = [Decimal("0.825"), Decimal("1.65"), Decimal("2.475")]
    assert amount.histogram == [
        [0, step[0], 1],
        [step[0], step[1], 1],
        [step[1], step[2], 1],
        [step[2], Decimal("3.3"), 1],
    ]
    assert [low for low, *_ in moment.histogram] == [
        "2024-01-01T03:00:00Z",
        "2024-01-01T03:45:00Z",
        "2024-01-01T04:30:00Z",
        "2024-01-01T05:15:00Z",
    ]
    assert moment.histogram[-1][1:] == ["2024-01-01T06:00:00Z", 1]


def test_bounds_are_rounded_to_twelve_digits(tmp_path: Path) -> None:
    rows: list[list[str | None]] = [["0"], ["1"], ["2"], ["0,333333333333333"]]
    [amount] = profiles(tmp_path, rows, ColumnType.DECIMAL)
    third = [["0"], ["1"], ["2,00000000001"]]
    [other] = profiles(tmp_path, third, ColumnType.DECIMAL)
    assert [low for low, *_ in amount.histogram] == [0, Decimal("0.5"), 1, Decimal("1.5")]
    assert [low for low, *_ in other.histogram] == [0, Decimal("0.666666666670"), Decimal("1.33333333334")]
