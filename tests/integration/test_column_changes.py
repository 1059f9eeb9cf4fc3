"""Column changes: applied completely or not at all, values kept exactly."""

import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from psycopg import sql
from written_values import EMPTY, WRITTEN

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.databases.migrations import FIRST_VERSION, MIGRATIONS
from managed_tables.databases.schema_sql import CONVERSION_FUNCTIONS
from managed_tables.details import Detail
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.column_changes import readings
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables.tables.hidden_columns import find_hidden_columns

CODES = {
    "text": "NOT_A_TEXT",
    "integer": "NOT_AN_INTEGER",
    "decimal": "NOT_A_DECIMAL",
    "boolean": "NOT_A_BOOLEAN",
    "date": "NOT_A_DATE",
    "datetime": "NOT_A_DATETIME",
}

USER = "507f1f77bcf86cd799439014"


def column(name: str, kind: str = "text", nullable: bool = True, previous: str | None = None) -> ColumnChange:
    return ColumnChange(
        name=name, display_name=name, type=ColumnType(kind), nullable=nullable, previous_name=previous
    )


class Company:
    """A company's tables, as these tests use them."""

    def __init__(self, services: Services, record: ConnectionRecord) -> None:
        self.services = services
        self.record = record

    def create(
        self, columns: Sequence[ColumnChange], rows: Sequence[Sequence[object]] = (), name: str = "t"
    ) -> TableRecord:
        plain = [change.as_column() for change in columns]
        table = self.services.table_operations.create(self.record, USER, name, plain)
        with self.services.databases.company_connection(self.record) as connection:
            for number, row in enumerate(rows):
                values = [
                    sql.SQL("CAST({} AS {})").format(value, sql.SQL(POSTGRES_TYPES[one.type]))
                    for value, one in zip(row, columns, strict=True)
                ]
                row_id = f"00000000-0000-7000-8000-{number:012d}"
                connection.execute(
                    sql.SQL("INSERT INTO {} VALUES ({})").format(
                        sql.Identifier(name), sql.SQL(", ").join([sql.Literal(row_id), *values])
                    )
                )
            connection.execute(
                "INSERT INTO managed_tables.row_counts VALUES (%s, 0, %s)", [table.table_id, len(rows)]
            )
        return table

    def change(self, table: TableRecord, columns: Sequence[ColumnChange]) -> TableRecord:
        change = TableChange(columns=columns)
        return self.services.table_operations.update(self.record, table.table_id, change)

    def refused(self, table: TableRecord, columns: Sequence[ColumnChange]) -> list[Detail]:
        before = self.rows(table)
        with pytest.raises(ApiError) as error:
            self.change(table, columns)
        assert error.value.kind is INVALID_SCHEMA
        assert self.services.table_reading.get(self.record, table.table_id) == table
        assert self.rows(table) == before
        return error.value.details

    def rows(self, table: TableRecord) -> list[tuple[Any, ...]]:
        """Return the rows in order, the values of the table's columns as text."""
        current = self.services.table_reading.get(self.record, table.table_id)
        names = sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(one.name)) for one in current.columns
        )
        with self.services.databases.company_connection(self.record) as connection:
            return connection.execute(
                sql.SQL("SELECT {} FROM {} ORDER BY id").format(names, sql.Identifier(current.display_name))
            ).fetchall()


@pytest.fixture
def tables(services: Services, company: ConnectionRecord) -> Company:
    return Company(services, company)


def test_a_missing_column_is_hidden_and_its_name_makes_an_empty_one(tables: Company) -> None:
    table = tables.create([column("a", nullable=False), column("b")], [("1", "2")])
    for _ in range(2):
        tables.change(table, [column("b")])
        tables.change(table, [column("b"), column("a")])
        assert tables.rows(table) == [("2", None)]
    with tables.services.databases.company_connection(tables.record) as connection:
        # Hidden columns have left the table, so neither writes nor SELECT * include them.
        connection.execute("INSERT INTO t (id, b) VALUES (gen_random_uuid(), 'x')")
        cursor = connection.execute("SELECT * FROM t LIMIT 1")
        assert [one.name for one in cursor.description or ()] == ["id", "b", "a"]
        hidden = find_hidden_columns(connection, table.table_id)
    told = [(one.hidden_name, one.kind, one.name, one.display_name) for one in hidden]
    assert told == [("hidden$2_0", "text", "a", "a"), ("hidden$4_0", "text", "a", "a")]


def test_long_names_are_hidden_too(tables: Company) -> None:
    table = tables.create([column("a" * 63), column("a" * 62 + "b"), column("c")])
    tables.change(table, [column("c")])
    assert len(tables.change(table, [column("c"), column("a" * 63)]).columns) == 2


def test_a_renamed_columns_old_name_can_be_a_new_column(tables: Company) -> None:
    table = tables.create([column("a")], [("1",)])
    tables.change(table, [column("b", previous="a"), column("a")])
    assert tables.rows(table) == [("1", None)]


def test_a_rename_takes_the_name_of_a_column_that_is_hidden(tables: Company) -> None:
    table = tables.create([column("a"), column("b")], [("1", "2")])
    tables.change(table, [column("b", previous="a")])
    assert tables.rows(table) == [("1",)]


def test_display_names_change_without_touching_the_table(tables: Company) -> None:
    table = tables.create([column("a")])
    label = column("a").model_copy(update={"display_name": "Preço Médio (R$)"})
    with tables.services.databases.company_connection(tables.record) as reader, reader.transaction():
        reader.execute("SELECT * FROM t")
        assert tables.change(table, [label]).columns[0].display_name == "Preço Médio (R$)"


@pytest.mark.parametrize(
    ("old", "new", "values", "expected"),
    [
        ("text", "integer", ["0", "-7", "9223372036854775807"], ["0", "-7", "9223372036854775807"]),
        ("text", "decimal", ["1.10", "-0.5", "1e3", "9" * 60], ["1.10", "-0.5", "1000", "9" * 60]),
        ("text", "decimal", ["1.234,56", "R$ 7,00", "12"], ["1234.56", "7.00", "12"]),
        ("text", "date", ["12/31/2024", "01/02/2024"], ["2024-12-31", "2024-01-02"]),
        ("text", "datetime", ["31/12/2024 23:59:59"], ["2024-12-31 23:59:59+00"]),
        ("integer", "text", ["-9223372036854775808"], ["-9223372036854775808"]),
        ("integer", "decimal", ["9223372036854775807"], ["9223372036854775807"]),
        ("decimal", "text", ["1.10", "1e-30"], ["1.10", "0." + "0" * 29 + "1"]),
        ("decimal", "integer", ["1.00", "-3"], ["1", "-3"]),
        ("boolean", "text", ["true", "false"], ["true", "false"]),
        ("boolean", "integer", ["true", "false"], ["1", "0"]),
        ("boolean", "decimal", ["true", "false"], ["1", "0"]),
        ("integer", "boolean", ["1", "0"], ["true", "false"]),
        ("decimal", "boolean", ["1.0", "0"], ["true", "false"]),
        ("date", "text", ["2024-02-29"], ["2024-02-29"]),
        ("date", "datetime", ["2024-02-29"], ["2024-02-29 00:00:00+00"]),
        ("datetime", "date", ["2024-02-29 00:00Z"], ["2024-02-29"]),
        (
            "datetime",
            "text",
            ["2024-01-02T03:04:05.120Z", "2024-01-02T03:04:05Z"],
            ["2024-01-02T03:04:05.12Z", "2024-01-02T03:04:05Z"],
        ),
    ],
)
def test_a_type_is_changed_exactly(
    tables: Company, old: str, new: str, values: list[str], expected: list[str]
) -> None:
    table = tables.create([column("v", old)], [*((value,) for value in values), (None,)])
    tables.change(table, [column("v", new)])
    assert tables.rows(table) == [*((value,) for value in expected), (None,)]


def test_texts_become_what_the_table_of_written_values_says(tables: Company) -> None:
    orders = ("ymd", "dmy", "mdy")
    with tables.services.databases.company_connection(tables.record) as connection:
        for column_type, formats, cells in WRITTEN:
            if formats.unit or formats.latest:
                continue  # no change of a column's type knows any
            found = readings("v", ColumnType.TEXT, column_type, formats.timezone)
            number = (
                formats.decimal_mark == "," if column_type.is_number else orders.index(formats.date_order)
            )
            reading = found[0 if column_type is ColumnType.BOOLEAN else number]
            if column_type is ColumnType.DATETIME:
                reading = sql.SQL("managed_tables.datetime_text({})").format(reading)
            query = sql.SQL("SELECT v, ({})::text FROM unnest(%s::text[]) AS v").format(reading)
            values = dict(connection.execute(query, [list(cells)]).fetchall())
            assert values == {text: None if value == EMPTY else value for text, value in cells.items()}


def test_what_is_read_changes_by_a_migration() -> None:
    """Where this fails after a release, append CONVERSION_FUNCTIONS to MIGRATIONS again, and state both."""
    last = max(place for place, one in enumerate(MIGRATIONS) if one == CONVERSION_FUNCTIONS)
    assert (zlib.crc32(CONVERSION_FUNCTIONS.encode()), FIRST_VERSION + last) == (2046663705, 18)


@pytest.mark.parametrize(
    ("old", "new", "good", "bad"),
    [
        ("text", "integer", "1", ["", "01", "x"]),
        ("text", "boolean", "sim", ["", "2", "talvez"]),
        ("text", "datetime", "2024-02-28 10:00", ["2024-02-30 10:00", "2024-02-28 24:00", "10:00"]),
        ("decimal", "integer", "1", ["1.5", "9223372036854775808"]),
        ("integer", "boolean", "1", ["2", "-1"]),
        ("integer", "date", None, ["20240101"]),
        ("boolean", "date", None, ["true"]),
        (
            "datetime",
            "text",
            "9999-12-31 23:59:59+00",
            ["10000-01-01 00:00:00+00", "0001-12-31 19:00:00+00 BC"],
        ),
        (
            "datetime",
            "date",
            "2024-02-28 00:00:00+00",
            ["2024-02-28 10:00:00+00", "0001-12-31 00:00:00+00 BC"],
        ),
    ],
)
def test_values_that_do_not_convert_are_named_and_nothing_changes(
    tables: Company, old: str, new: str, good: str | None, bad: list[str]
) -> None:
    table = tables.create([column("k"), column("v", old)], [("a", good), *(("b", value) for value in bad)])
    details = tables.refused(table, [column("k"), column("v", new), column("new")])
    assert [one["value"] for one in details] == bad
    shape = {"in": "body", "path": "columns[1].type", "column": "v", "code": CODES[new]}
    assert all(shape.items() <= one.items() for one in details)


def test_the_first_twenty_values_that_do_not_convert_are_shown(tables: Company) -> None:
    table = tables.create([column("v")], [(f"x{number}",) for number in range(30)])
    details = tables.refused(table, [column("v", "integer")])
    assert [one["value"] for one in details] == [f"x{number}" for number in range(20)]
    assert {one["reason"] for one in details} == {"30 valores não convertem para número inteiro"}


def test_values_that_do_not_convert_are_named_once_each_with_its_rows(tables: Company) -> None:
    table = tables.create([column("v")], [(value,) for value in ("x", "n/d", "n/d", "1")])
    details = tables.refused(table, [column("v", "integer")])
    assert [(one["value"], one["count"]) for one in details] == [("n/d", 2), ("x", 1)]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ([column("c", previous="x")], 0),
        ([column("c", previous="a"), column("d", previous="a")], 1),
        ([column("a"), column("a")], 1),
        ([column("a"), column("id", previous="b")], 1),
        ([column("a"), column("b", previous="a")], None),
    ],
)
def test_renames_are_checked(tables: Company, wanted: list[ColumnChange], index: int | None) -> None:
    table = tables.create([column("a"), column("b")])
    if index is None:
        # `a` continues as `b`, the new `a` is empty and the old `b` hidden.
        assert [one.name for one in tables.change(table, wanted).columns] == ["a", "b"]
    else:
        assert [one["path"][:10] for one in tables.refused(table, wanted)] == [f"columns[{index}]"]


def test_postgresqls_column_limit_is_reported(tables: Company) -> None:
    table = tables.create([column(f"a{number}") for number in range(900)])
    tables.refused(table, [column(f"b{number}") for number in range(900)])


def test_everything_at_once(tables: Company) -> None:
    table = tables.create(
        [column("a"), column("b"), column("c", "integer"), column("d")], [("1", "2", "3", "4")]
    )
    wanted = [
        column("b", "decimal", nullable=False, previous="a"),
        column("a", "integer", previous="b"),
        column("c", "text"),
        column("e", "date"),
    ]
    changed = tables.change(table, wanted)
    assert changed.columns == tuple(one.as_column() for one in wanted)
    assert tables.rows(table) == [("1", "2", "3", None)]


def test_added_columns_are_added_once(tables: Company) -> None:
    table = tables.create([column("a")])
    new = [Column(name="b", display_name="B", type=ColumnType.DATE, nullable=True)]
    operations = tables.services.table_operations
    for _ in range(2):
        changed = operations.update(tables.record, table.table_id, TableChange(added_columns=new))
    assert ([one.name for one in changed.columns], changed.version) == (["a", "b"], 2)
