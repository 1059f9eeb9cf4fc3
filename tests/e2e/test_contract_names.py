"""The contract, "Limits and constraints", and the clarifications, "Names": which names are allowed."""

from collections.abc import Callable

import pytest
from client import Console, column

pytestmark = pytest.mark.app

SYSTEM_COLUMNS = ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
RESERVED_WORDS = ("user", "order", "select", "table", "group", "from", "end")
INVALID = (
    "",
    " ",
    "1a",
    "Vendas",
    "a-b",
    "a b",
    "ação",
    "vendas\n",
    "\nvendas",
    "a.b",
    'a"b',
    "a$b",
    "a;b",
    "٣",
)

Query = Callable[..., list[tuple[object, ...]]]


@pytest.mark.parametrize("name", [*INVALID, "a" * 64, 7, None], ids=ascii)
def test_an_invalid_table_name_is_refused(company: Console, name: object) -> None:
    r"""A table's name matches `^[a-z_][a-z0-9_]*$` as a whole and has at most 63 bytes: else 422."""
    assert company.call("POST", "", {"display_name": name, "columns": [column("a")]}).status == 422


@pytest.mark.parametrize("name", [*INVALID, "a" * 64], ids=ascii)
def test_an_invalid_column_name_is_refused(company: Console, name: str) -> None:
    r"""A column's name matches `^[a-z_][a-z0-9_]*$` as a whole and has at most 63 bytes: else 422."""
    body = {"display_name": "vendas", "columns": [column("boa"), column(name) | {"display_name": "x"}]}
    assert company.call("POST", "", body).status == 422


@pytest.mark.parametrize("name", ["_", "_x", "a1", "a" * 63])
def test_any_other_name_is_accepted(company: Console, name: str) -> None:
    """Any name that the regex allows, up to 63 bytes, can name a table or a column."""
    table = company.create_table(name, column(name))
    assert (table["display_name"], table["columns"][0]["name"]) == (name, name)
    company.insert(table["_id"], {name: "X"})
    assert company.rows(table["_id"])[0][name] == "X"


@pytest.mark.parametrize("name", ["id", *SYSTEM_COLUMNS])
def test_reserved_column_names_are_refused_by_name(company: Console, name: str) -> None:
    """A column named `id` or like a PostgreSQL system column is 422 naming the column."""
    answer = company.call("POST", "", {"display_name": "vendas", "columns": [column("a"), column(name)]})
    assert answer.status == 422
    assert name in f"{answer.error} {answer.details}"


@pytest.mark.parametrize("name", ["pg_class", "pg_vendas", "pg_"])
def test_a_table_name_may_not_begin_with_pg(company: Console, name: str) -> None:
    """A table's name may not begin with `pg_`: PostgreSQL would find its own catalog first."""
    assert company.call("POST", "", {"display_name": name, "columns": [column("a")]}).status == 422


def test_column_names_are_distinct(company: Console) -> None:
    """Two columns with the same name are 422 naming the column."""
    columns = [column("produto"), column("valor"), column("produto")]
    answer = company.call("POST", "", {"display_name": "vendas", "columns": columns})
    assert answer.status == 422
    assert "produto" in f"{answer.error} {answer.details}"


def test_at_most_1500_columns(company: Console) -> None:
    """A table has at most 1,500 columns: one more is 422."""
    columns = [column(f"c{number}", "integer") for number in range(1_501)]
    assert company.call("POST", "", {"display_name": "larga", "columns": columns}).status == 422
    table = company.create_table("larga", *columns[:1_500])
    assert company.insert(table["_id"], {"c0": 1, "c1499": 2}) == 1
    assert company.rows(table["_id"])[0]["c1499"] == 2


def test_reserved_words_are_accepted(company: Console) -> None:
    """SQL's reserved words can name tables and columns."""
    for word in RESERVED_WORDS:
        company.create_table(word)
    table = company.create_table("palavras", *(column(word) for word in RESERVED_WORDS))
    company.insert(table["_id"], {word: word.upper() for word in RESERVED_WORDS})
    row = company.rows(table["_id"], sort_by="-user")[0]
    assert [row[word] for word in RESERVED_WORDS] == [word.upper() for word in RESERVED_WORDS]


def test_the_postgresql_table_bears_the_display_name(company: Console, query: Query) -> None:
    """The PostgreSQL table's name is the API's `display_name`; its columns' are `columns[].name`."""
    table = company.create_table("vendas_mensais", column("produto"), column("valor", "decimal"))
    company.insert(table["_id"], {"produto": "X", "valor": 1})
    assert query(company, "select produto, valor::text from vendas_mensais") == [("X", "1")]


def test_an_inactive_table_keeps_its_name(company: Console) -> None:
    """A name is unique among tables that are not deleted: an inactive one keeps its name."""
    table_id = company.create_table("vendas")["_id"]
    company.ok("PUT", f"/{table_id}", {"status": "inactive"})
    answer = company.call("POST", "", {"display_name": "vendas", "columns": [column("a")]})
    assert (answer.status, answer.code) == (400, "MANAGED_TABLE_DUPLICATE_NAME")
