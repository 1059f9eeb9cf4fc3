"""Rows sent in COPY's binary format are what PostgreSQL makes of the same values' texts, digit for digit."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from staged_objects import write_staged

from managed_tables.conversion.columns import Formats
from managed_tables.databases.connecting import PgConnection
from managed_tables.ids import row_id_range, row_number
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables_insert import transfer as transferring
from managed_tables_insert.converter import open_converter
from managed_tables_insert.plan import LoadedColumn, LoadPlan
from managed_tables_insert.transfer import Transfer

BASE_MS = 1_700_000_000_000
BATCH_ROWS = 7
FORMATS = Formats(decimal_mark=",", date_order="dmy")
ZONES = ("America/Sao_Paulo", "America/New_York", "Europe/Lisbon", "Asia/Kathmandu", "Pacific/Apia", "UTC")
# Around changes of clocks in one of the zones: past, listed, by rule; the ends of the calendar
DAYS = (
    "01/01/0002", "31/12/1883", "01/01/1914", "08/10/2000", "15/10/2000", "29/12/2011", "30/12/2011",
    "18/02/2018", "04/11/2018", "11/03/2035", "04/11/2035", "27/03/2050", "30/10/2050", "14/03/2066",
    "30/10/2067", "28/03/2100", "13/03/2411", "31/10/9998", "30/12/9999",
)  # fmt: skip

Cells = Sequence[str | None]


@pytest.fixture(scope="module")
def connection(postgres_dsn: str) -> Iterator[PgConnection]:
    with psycopg.connect(postgres_dsn, autocommit=True) as found:
        yield found


def check(
    connection: PgConnection, kinds: Sequence[ColumnType], rows: Sequence[Cells], zone: str = "UTC"
) -> None:
    """Load the rows, and compare what arrives, as PostgreSQL writes it, with what it makes of texts."""
    columns = tuple(
        LoadedColumn(
            Column(name=f"k{place}", display_name="k", type=kind, nullable=True), f"c{place}", FORMATS
        )
        for place, kind in enumerate(kinds)
    )
    types = [POSTGRES_TYPES[kind] for kind in kinds]
    with (
        TemporaryDirectory() as folder,
        open_converter(Path(folder)) as converter,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        plan = LoadPlan(write_staged(Path(folder) / "staged", rows), columns, ("f",), len(rows), zone)
        fields = ", ".join(f"k{place} {kind}" for place, kind in enumerate(types))
        connection.execute(f"CREATE TEMP TABLE loaded (id uuid, {fields})")
        transfer = Transfer(connection, converter, plan, plan.columns, BASE_MS, lambda _: None)
        assert transfer.copy_into(sql.Identifier("loaded")) == len(rows)
        query = f"SELECT id, {_texts(types)} FROM loaded AS t ORDER BY id"  # noqa: S608 - own SQL
        found = connection.execute(query).fetchall()
        wanted = ", ".join(
            f"CASE WHEN {one.conversion.converts} AND {one.cell} <> '' THEN {one.conversion.value} END"
            for one in columns
        )
        query = f"SELECT {wanted} FROM {plan.rows} ORDER BY file_row_number"  # noqa: S608 - own SQL
        texts = converter.execute(query).fetchall()
        made = ", ".join(f"%s::text::{kind} AS k{place}" for place, kind in enumerate(types))
        query = f"SELECT {_texts(types)} FROM (SELECT {made}) AS t"  # noqa: S608 - own SQL
        expected = [connection.execute(query, row).fetchone() for row in texts]
    assert [row[1:] for row in found] == expected
    first, last = row_id_range(BASE_MS, len(rows))
    assert all(first <= row[0] <= last for row in found)
    assert [row_number(row[0]) for row in found] == list(range(len(rows)))


def _texts(types: Sequence[str]) -> str:
    return ", ".join(f"t.k{place}::text" for place in range(len(types)))


@pytest.mark.parametrize("zone", ZONES)
def test_moments_are_those_that_postgresql_reads(connection: PgConnection, zone: str) -> None:
    """Each half hour around changes of clocks, skipped and repeated ones too; every way to write a time."""
    start = datetime(2024, 1, 1)
    clocks = [f"{start + timedelta(minutes=29 * step):%H:%M:%S}" for step in range(50)]
    written = [
        "0:00",
        "12:30 AM",
        "12:30:59.999999 pm",
        "9:05:07,25",
        "23:59:59.000001",
        "10:30Z",
        "10:30 GMT",
    ]
    written += ["10:30:15 UTC", "10:30-03", "10:30 +05:45", "10:30:15,5 -0330", "1:02 pm +1530"]
    cells = [f"{day} {clock}" for day in DAYS for clock in clocks + written]
    cells += [
        *DAYS,
        "2024-02-29T08:00:01,250",
        "1/2/2024 9:05",
        "1/2/24 9:05",
        "jan/2024",
        "5 de maio de 2024 10:30",
    ]
    check(connection, [ColumnType.DATETIME], [[cell] for cell in [*cells, None, ""]], zone)


def test_long_numbers_keep_their_digits(connection: PgConnection) -> None:
    """Up to a thousand digits, with exponents, and with many scales in a column."""
    cells = [
        "0",
        "-0",
        "-0,00",
        ",5",
        "-,05",
        "5",
        "10000",
        "9999",
        "99999999,9999",
        "0,00010000",
        "1e3",
        "-1,5E-7",
    ]
    cells += ["1,50e1", "12e-2", "0e5", "9" * 999, "0," + "0" * 900 + "1", "-" + "1" * 500 + "," + "2" * 400]
    cells += [f"{10**digits},{'1' * digits}" for digits in range(1, 60)]
    check(connection, [ColumnType.DECIMAL, ColumnType.DECIMAL], [[cell, cell] for cell in cells])


_CELLS: dict[ColumnType, st.SearchStrategy[str]] = {
    ColumnType.TEXT: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    ColumnType.INTEGER: st.integers(-(2**63), 2**63 - 1).map(str),
    ColumnType.DECIMAL: st.decimals(-(10**45), 10**45, places=9).map(
        lambda found: f"{found:f}".replace(".", ",")
    ),
    ColumnType.BOOLEAN: st.sampled_from(["sim", "não", "true", "0"]),
    ColumnType.DATE: st.dates().map(lambda found: f"{found:%d/%m}/{found.year:04d}"),
    ColumnType.DATETIME: st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)).map(str),
}
_COLUMNS = st.lists(st.sampled_from(list(ColumnType)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=examples(40, 2_000))
@given(st.data())
def test_rows_of_any_types_arrive(connection: PgConnection, data: Any) -> None:
    """Columns of every type in every order, NULL anywhere, over several batches."""
    kinds = data.draw(_COLUMNS)
    count = data.draw(st.integers(1, 3 * BATCH_ROWS))
    columns = [
        data.draw(st.lists(_CELLS[kind] | st.none(), min_size=count, max_size=count)) for kind in kinds
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transferring, "LEAST_ROWS", BATCH_ROWS)
        check(connection, kinds, list(zip(*columns, strict=True)), data.draw(st.sampled_from(ZONES)))


def test_texts_of_many_bytes_are_whole(connection: PgConnection) -> None:
    """They are copied by their lengths, short ones byte by byte."""
    texts = ["é" * 40_000, "b" * 40_001, None, "ç" * 40_000, "x", "é" * 40_000]
    check(connection, [ColumnType.TEXT, ColumnType.TEXT], [[text, text and text[::-1]] for text in texts])
