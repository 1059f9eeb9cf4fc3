"""Keys and indexes of tables (extensions 4): built beside writers, kept through changes, never partial."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import sql
from rows_client import RowsCompany
from tables_client import TableClient, column, create, created

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import PgConnection

LIMIT_SECONDS = 30.0


def indexes_of(table: TableClient) -> list[tuple[str, bool]]:
    """Return the SQL definitions of the table's indexes, and whether each is valid."""
    return [
        (definition.split(" USING btree ")[1], valid)
        for definition, valid in table.sql(
            "SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index"
            " WHERE indrelid = 'public.{t}'::regclass AND NOT indisprimary ORDER BY 1"
        )
    ]


def sales(company: RowsCompany) -> TableClient:
    table = created(company, column("loja"), column("dia", "date"), column("valor", "decimal"))
    table.rows.insert(
        {"loja": "A", "dia": "2026-01-01", "valor": 1}, {"loja": "A", "dia": "2026-01-02", "valor": 2}
    )
    return table


def test_a_key_is_set_and_removed(rows_company: RowsCompany) -> None:
    """`key` names columns; the table shows it, PostgreSQL enforces it, null removes it."""
    table = sales(rows_company)
    assert table.changed(key=["loja", "dia"])["key"] == ["loja", "dia"]
    assert indexes_of(table) == [("(loja, dia) NULLS NOT DISTINCT", True)]
    assert table.changed(title="x")["key"] == ["loja", "dia"]
    assert table.changed(key=None)["key"] is None
    assert indexes_of(table) == []


def test_a_key_with_duplicates_is_refused_and_they_are_named(rows_company: RowsCompany) -> None:
    """422 `DUPLICATE_KEY` with the first values and how often each occurs; empty counts as a value."""
    table = created(rows_company, column("a"), column("b", "integer"))
    table.rows.insert(*[{"a": "x", "b": 1}] * 3, {"a": "y"}, {"a": "y"}, {"a": "z"}, {"a": "z", "b": 1})
    before = table.get()
    answer = table.put(key=["a", "b"], title="não")
    assert (answer.status_code, answer.json()["code"]) == (422, "DUPLICATE_KEY")
    details = answer.json()["details"]
    assert [(one["value"], one["path"], one["code"]) for one in details] == [
        ({"a": "x", "b": 1}, "key", "DUPLICATE_KEY"),
        ({"a": "y", "b": None}, "key", "DUPLICATE_KEY"),
    ]
    assert details[0]["reason"] == "3 linhas com os valores a = x, b = 1"
    assert table.get() == before
    assert indexes_of(table) == []


def test_only_the_first_duplicates_are_listed(rows_company: RowsCompany) -> None:
    """`details_total` is the number of such values."""
    table = created(rows_company, column("a", "integer"))
    table.rows.insert(*({"a": number // 2} for number in range(100)))
    answer = table.put(key=["a"]).json()
    assert (len(answer["details"]), answer["details_total"]) == (20, 50)
    assert answer["details"][0]["column"] == "a"


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"key": []}, "key", "TOO_SHORT"),
        ({"key": ["x"]}, "key[0]", "UNKNOWN_COLUMN"),
        ({"key": ["id"]}, "key[0]", "UNKNOWN_COLUMN"),
        ({"key": ["loja", "loja"]}, "key[1]", "REPEATED"),
        ({"indexes": [["loja"], []]}, "indexes[1]", "TOO_SHORT"),
        ({"indexes": [["loja"], ["loja"]]}, "indexes[1]", "REPEATED"),
        ({"indexes": [["loja", "x"]]}, "indexes[0][1]", "UNKNOWN_COLUMN"),
    ],
)
def test_a_key_and_indexes_name_columns_of_the_table(
    rows_company: RowsCompany, body: dict[str, Any], path: str, code: str
) -> None:
    """Anything else is 422 and says where."""
    table = sales(rows_company)
    answer = table.put(**body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCHEMA")
    assert (answer.json()["details"][0]["path"], answer.json()["details"][0]["code"]) == (path, code)


def test_a_table_has_at_most_ten_indexes_of_three_columns(rows_company: RowsCompany) -> None:
    """The limits are inclusive."""
    names = [f"c{number}" for number in range(11)]
    table = created(rows_company, *(column(name, "integer") for name in names))
    ten = [[names[0], names[1], name] for name in names[2:]] + [[names[0]]]
    assert table.changed(indexes=ten)["indexes"] == ten
    assert len(indexes_of(table)) == 10
    assert table.put(indexes=[*ten, [names[1]]]).status_code == 422
    assert table.put(indexes=[names[:4]]).status_code == 422
    assert table.changed(indexes=ten[:1])["indexes"] == ten[:1]
    assert len(indexes_of(table)) == 1
    assert table.changed(indexes=[])["indexes"] == []
    assert indexes_of(table) == []


def test_a_key_follows_a_rename(rows_company: RowsCompany) -> None:
    """The same index is kept under the new name; it is not rebuilt."""
    table = sales(rows_company)
    table.changed(key=["loja", "dia"], indexes=[["valor", "dia"]])
    names = table.sql("SELECT indexrelid FROM pg_index WHERE indrelid = 'public.{t}'::regclass ORDER BY 1")
    columns = [column("data", "date", previous_name="dia"), column("valor", "decimal"), column("loja")]
    after = table.changed(columns=columns)
    assert (after["key"], after["indexes"]) == (["loja", "data"], [["valor", "data"]])
    assert names == table.sql(
        "SELECT indexrelid FROM pg_index WHERE indrelid = 'public.{t}'::regclass ORDER BY 1"
    )


def test_a_converted_key_column_is_indexed_again(rows_company: RowsCompany) -> None:
    """If values differ only in the old type, the change is 422 `DUPLICATE_KEY` and changes nothing."""
    table = created(rows_company, column("a"), column("b"))
    table.rows.insert({"a": "1", "b": "x"}, {"a": "2", "b": "y"})
    table.changed(key=["a"], indexes=[["a"], ["b"]])
    table.changed(columns=[column("a", "integer"), column("b")])
    assert ("(a)", True) in indexes_of(table)
    assert [row for row in indexes_of(table) if "NULLS" in row[0]] == [("(a) NULLS NOT DISTINCT", True)]
    table.changed(columns=[column("a"), column("b")])
    table.rows.insert({"a": "1.0", "b": "z"})
    answer = table.put(columns=[column("a", "decimal"), column("b")])
    assert (answer.status_code, answer.json()["code"]) == (422, "DUPLICATE_KEY")
    assert table.values("a") == [("1",), ("2",), ("1.0",)]
    assert len(indexes_of(table)) == 3


def test_a_key_column_is_not_hidden_implicitly(rows_company: RowsCompany) -> None:
    """It is 422 naming the column, unless the key changes in the same request; its index is dropped too."""
    table = sales(rows_company)
    table.changed(key=["loja", "dia"], indexes=[["valor"], ["loja"]])
    rest = [column("dia", "date"), column("loja")]
    after = table.changed(columns=rest)
    assert after["indexes"] == [["loja"]]
    answer = table.put(columns=rest[1:])
    assert answer.status_code == 422
    assert answer.json()["details"][0]["column"] == "dia"
    assert answer.json()["details"][0]["code"] == "KEY_COLUMN"
    assert table.put(columns=rest[1:], key=["loja"]).json()["code"] == "DUPLICATE_KEY"
    assert table.changed(columns=rest[1:], key=None)["key"] is None
    assert len(indexes_of(table)) == 1


def test_a_key_may_name_a_column_from_the_same_request(rows_company: RowsCompany) -> None:
    """Renamed, converted and new columns may be in it; everything is applied, or nothing."""
    table = sales(rows_company)
    columns = [
        column("data", "text", previous_name="dia"),
        column("loja"),
        column("valor", "decimal"),
        column("filial", "integer", nullable=False, default=1),
    ]
    after = table.changed(columns=columns, key=["data", "filial"], indexes=[["filial", "loja"]])
    assert after["key"] == ["data", "filial"]
    assert all(valid for _, valid in indexes_of(table))
    columns = [column("data"), *columns[1:3], column("outra", "integer", nullable=False, default=1)]
    assert table.put(columns=columns, key=["outra"]).json()["code"] == "DUPLICATE_KEY"
    assert table.get() == after


def test_a_key_with_a_value_too_long_for_an_index_is_refused(rows_company: RowsCompany) -> None:
    """PostgreSQL's limit is 422 with a message; a plain index accepts any text."""
    table = created(rows_company, column("a"))
    table.rows.insert({"a": "".join(chr(0x4E00 + number % 20_000) for number in range(20_000))})
    answer = table.put(key=["a"])
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCHEMA")
    assert indexes_of(table) == []
    table.changed(indexes=[["a"]])


@contextmanager
def connected(table: TableClient) -> Iterator[PgConnection]:
    company: ConnectionRecord = table.company.company
    with table.company.services.databases.company_connection(company) as connection:
        yield connection


def write(connection: PgConnection, table: TableClient) -> None:
    """Change a row, in the caller's transaction."""
    statement = sql.SQL("UPDATE {} SET valor = 3 WHERE valor = 2")
    connection.execute(statement.format(sql.Identifier(table.name)))


def in_thread(work: Any) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


def wait_for_build(table: TableClient, connection: PgConnection, phase: str = "") -> int:
    """Return the process that builds an index of the table, once it waits in the phase."""
    for _ in range(3_000):
        row = connection.execute(
            "SELECT pid FROM pg_stat_progress_create_index WHERE relid = %s::regclass AND phase LIKE %s"
            " AND pg_sleep(0.01) IS NOT NULL",
            [f"public.{table.name}", f"{phase}%"],
        ).fetchone()
        if row:
            return int(row[0])
    raise AssertionError("no index was built")


def test_writers_continue_while_an_index_is_built(rows_company: RowsCompany) -> None:
    """While a transaction that has written blocks the build, others can still write."""
    table = sales(rows_company)
    with connected(table) as writer, connected(table) as watcher:
        with writer.transaction():
            write(writer, table)
            thread, results = in_thread(lambda: table.put(key=["loja", "dia"], indexes=[["valor"]]))
            wait_for_build(table, watcher, "waiting for writers")
            table.rows.insert({"loja": "B", "dia": "2026-01-01"})
        thread.join(LIMIT_SECONDS)
    assert results[0].status_code == 200, results[0].text
    assert len(table.values("loja")) == 3
    assert len(indexes_of(table)) == 2


def test_a_build_survives_a_lost_connection(rows_company: RowsCompany) -> None:
    """Its session is ended midway: the remains are dropped and built again in the same request."""
    table = sales(rows_company)
    version = table.get()["version"]
    with connected(table) as writer, connected(table) as watcher:
        with writer.transaction():
            write(writer, table)
            thread, results = in_thread(lambda: table.put(key=["loja", "dia"], version=version))
            pid = wait_for_build(table, watcher, "waiting for writers")
            watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
        thread.join(LIMIT_SECONDS)
    assert results[0].status_code == 200, results[0].text
    assert indexes_of(table) == [("(loja, dia) NULLS NOT DISTINCT", True)]


def test_a_writer_that_does_not_end_leaves_nothing_behind(rows_company: RowsCompany) -> None:
    """The build gives up with 409 and drops what it built; the next attempt starts over."""
    table = sales(rows_company)
    with connected(table) as writer, connected(table) as watcher, writer.transaction():
        write(writer, table)
        thread, results = in_thread(lambda: table.put(key=["loja", "dia"]))
        pid = wait_for_build(table, watcher, "waiting for writers")
        watcher.execute("SELECT pg_cancel_backend(%s)", [pid])
        thread.join(LIMIT_SECONDS)
    assert results[0].status_code in (409, 503), results[0].text
    assert table.changed(key=["loja", "dia"])["key"] == ["loja", "dia"]
    assert indexes_of(table) == [("(loja, dia) NULLS NOT DISTINCT", True)]


def test_filters_use_a_text_index(rows_company: RowsCompany) -> None:
    """It holds the folded text, so that filters ignoring case and accents can use it."""
    table = created(rows_company, column("a"), column("b", "integer"))
    table.changed(indexes=[["a"], ["b"]])
    assert sorted("lower" in row[0] for row in indexes_of(table)) == [False, True]


def test_a_table_is_created_with_a_key_and_indexes(rows_company: RowsCompany) -> None:
    """They exist from the first row; by default a table has none."""
    plain = created(rows_company, column("a"))
    assert (plain.get()["key"], plain.get()["indexes"], indexes_of(plain)) == (None, [], [])
    table = created(rows_company, column("a"), column("b", "integer"), key=["a"], indexes=[["b"]])
    assert (table.get()["key"], table.get()["indexes"]) == (["a"], [["b"]])
    assert indexes_of(table) == [("(b)", True), ("(a) NULLS NOT DISTINCT", True)]
    assert table.rows.call("POST", body={"rows": [{"a": "x"}, {"a": "x"}]}).status == 409
    assert table.changed(**{**table.get(), "title": "o mesmo"})["key"] == ["a"]
    refused = create(rows_company, column("a"), indexes=[["a"], ["x"]])
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_SCHEMA")
    assert refused.json()["details"][0]["path"] == "indexes[1][0]"
