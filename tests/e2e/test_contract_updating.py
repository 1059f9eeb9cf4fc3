"""The contract, "Update table", and the clarifications, "Updating a table": name, status and columns."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from client import Answer, Console, column, new_id

pytestmark = pytest.mark.app

Query = Callable[..., list[tuple[object, ...]]]

PRODUTO = column("produto")
VALOR = column("valor")


def make(company: Console, *rows: dict[str, Any]) -> str:
    """Create the table `vendas` of two nullable text columns, insert the rows, return its id."""
    table_id = str(company.create_table("vendas", PRODUTO, VALOR)["_id"])
    if rows:
        company.insert(table_id, *rows)
    return table_id


def set_columns(company: Console, table_id: str, *columns: dict[str, Any]) -> Answer:
    return company.call("PUT", f"/{table_id}", {"columns": list(columns)})


def values(company: Console, table_id: str) -> list[dict[str, Any]]:
    """Return the table's rows without their ids."""
    return [{name: value for name, value in row.items() if name != "id"} for row in company.rows(table_id)]


# --- the request --------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_put_and_patch_do_the_same(company: Console, method: str) -> None:
    """PUT and PATCH both update a table: 200 with the table, in the shape of GET /:id."""
    table_id = make(company)
    answer = company.call(method, f"/{table_id}", {"display_name": "novo_nome"})
    assert answer.status == 200
    assert answer.json == company.table(table_id)
    assert answer.json["display_name"] == "novo_nome"


def test_every_field_is_optional(company: Console) -> None:
    """A field missing from the body keeps its value."""
    before = company.table(make(company))
    company.ok("PUT", f"/{before['_id']}", {"status": "inactive"})
    company.ok("PUT", f"/{before['_id']}", {})
    after = company.table(before["_id"])
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"status", "updated_at", "version"}


def test_all_fields_at_once(company: Console) -> None:
    """`display_name`, `columns` and `status` may come together."""
    table_id = make(company)
    body = {"display_name": "novo_nome", "columns": [PRODUTO], "status": "inactive"}
    table = company.ok("PUT", f"/{table_id}", body)
    assert {name: table[name] for name in body} == body


def test_updated_at_changes_and_created_at_stays(company: Console) -> None:
    """An update changes `updated_at` but not `created_at`."""
    before = company.table(make(company))
    after = company.ok("PUT", f"/{before['_id']}", {"display_name": "novo_nome"})
    assert after["created_at"] == before["created_at"]
    assert after["updated_at"] > before["updated_at"]


def test_update_an_unknown_table(company: Console) -> None:
    """Updating a table that does not exist is 404."""
    answer = company.call("PUT", f"/{new_id()}", {"display_name": "x"})
    assert (answer.status, answer.error) == (404, "Tabela não encontrada")


# --- name ---------------------------------------------------------------------------------------------
def test_rename_to_a_taken_name(company: Console) -> None:
    """Renaming to another table's name is 400 MANAGED_TABLE_DUPLICATE_NAME and changes nothing."""
    table_id = make(company)
    company.create_table("clientes")
    body = {"display_name": "clientes", "columns": [PRODUTO]}
    answer = company.call("PUT", f"/{table_id}", body)
    assert (answer.status, answer.code) == (400, "MANAGED_TABLE_DUPLICATE_NAME")
    assert company.table(table_id)["display_name"] == "vendas"
    assert company.table(table_id)["columns"] == [PRODUTO, VALOR]


def test_rename_to_its_own_name(company: Console) -> None:
    """A table's own name is not a duplicate."""
    table_id = make(company)
    assert company.ok("PUT", f"/{table_id}", {"display_name": "vendas"})["display_name"] == "vendas"


@pytest.mark.parametrize("name", ["", "1a", "Vendas", "vendas\n", "pg_x", "a" * 64, None, 7], ids=ascii)
def test_rename_to_an_invalid_name(company: Console, name: object) -> None:
    """A name that a creation would refuse is 422."""
    table_id = make(company)
    assert company.call("PUT", f"/{table_id}", {"display_name": name}).status == 422
    assert company.table(table_id)["display_name"] == "vendas"


# --- columns ------------------------------------------------------------------------------------------
def test_a_new_name_adds_a_column(company: Console, query: Query) -> None:
    """A name not in the table adds a column, NULL in the existing rows."""
    table_id = make(company, {"produto": "X"})
    answer = set_columns(company, table_id, PRODUTO, VALOR, column("nova", "integer"))
    assert answer.status == 200
    assert [one["name"] for one in answer.json["columns"]] == ["produto", "valor", "nova"]
    company.insert(table_id, {"produto": "Y", "nova": 2})
    assert [row["nova"] for row in values(company, table_id)] == [None, 2]
    assert query(company, "select nova from vendas order by nova") == [(2,), (None,)]


def test_columns_come_in_the_order_of_the_new_list(company: Console) -> None:
    """`columns` is the whole new list: its order becomes the table's."""
    table_id = make(company, {"produto": "X", "valor": "1"})
    assert set_columns(company, table_id, VALOR, PRODUTO).json["columns"] == [VALOR, PRODUTO]
    assert company.table(table_id)["columns"] == [VALOR, PRODUTO]
    assert list(company.rows(table_id)[0]) == ["id", "valor", "produto"]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("integer", "-7", -7),
        ("decimal", "12.50", Decimal("12.50")),
        ("boolean", "true", True),
        ("date", "2026-01-15", "2026-01-15"),
        ("datetime", "2026-01-15T10:30:00Z", "2026-01-15T10:30:00Z"),
    ],
)
def test_a_changed_type_converts_the_data(company: Console, type_: str, text: str, value: object) -> None:
    """A changed `type` converts what the column holds; NULL stays NULL."""
    table_id = make(company, {"valor": text}, {"valor": None})
    answer = set_columns(company, table_id, PRODUTO, VALOR | {"type": type_})
    assert answer.status == 200
    assert answer.json["columns"][1]["type"] == type_
    assert [row["valor"] for row in values(company, table_id)] == [value, None]


def test_values_that_do_not_convert_are_named(company: Console) -> None:
    """A type that some values do not convert to is 422 naming the first of them, and changes nothing."""
    table_id = make(company, {"valor": "1"}, {"valor": "dois"}, {"valor": "três"})
    columns = [PRODUTO | {"display_name": "Outro"}, VALOR | {"type": "integer"}, column("nova")]
    answer = set_columns(company, table_id, *columns)
    assert answer.status == 422
    assert "valor" in f"{answer.error} {answer.details}"
    assert "dois" in f"{answer.error} {answer.details}"
    assert company.table(table_id)["columns"] == [PRODUTO, VALOR]
    assert [row["valor"] for row in values(company, table_id)] == ["1", "dois", "três"]


def test_a_changed_label_is_applied(company: Console) -> None:
    """A column's changed `display_name` is applied."""
    table_id = make(company, {"produto": "X"})
    relabelled = PRODUTO | {"display_name": "Produto (novo)"}
    assert set_columns(company, table_id, relabelled, VALOR).json["columns"] == [relabelled, VALOR]
    assert values(company, table_id) == [{"produto": "X", "valor": None}]


def test_changed_nullability_is_applied(company: Console) -> None:
    """A changed `nullable` is applied both ways."""
    table_id = make(company, {"produto": "X"})
    strict = PRODUTO | {"nullable": False}
    assert set_columns(company, table_id, strict, VALOR).status == 200
    assert company.call("POST", f"/{table_id}/data", {"rows": [{"valor": "1"}]}).status == 422
    assert set_columns(company, table_id, PRODUTO, VALOR).status == 200
    assert company.insert(table_id, {"valor": "1"}) == 1


def test_a_missing_name_hides_the_column(company: Console, query: Query) -> None:
    """A column missing from the new list no longer appears in answers, and is refused as unknown."""
    table_id = make(company, {"produto": "X", "valor": "1"})
    assert set_columns(company, table_id, PRODUTO).json["columns"] == [PRODUTO]
    assert company.table(table_id)["columns"] == [PRODUTO]
    assert values(company, table_id) == [{"produto": "X"}]
    assert company.call("POST", f"/{table_id}/data", {"rows": [{"valor": "2"}]}).status == 422
    assert company.call("GET", f"/{table_id}/data", params={"sort_by": "valor"}).status == 422
    named = "select count(*) from information_schema.columns where table_name = %s and column_name = %s"
    assert query(company, named, "vendas", "valor") == [(0,)]


def test_the_data_of_a_hidden_column_is_kept(company: Console, query: Query) -> None:
    """A hidden column's data stays in the database, under a name that no user can choose."""
    table_id = make(company, {"produto": "X", "valor": "guardado"})
    set_columns(company, table_id, PRODUTO)
    found = query(
        company,
        "select quote_ident(relname), quote_ident(attname) from pg_attribute"
        " join pg_class on pg_class.oid = attrelid"
        " where relnamespace = 'deleted_tables'::regnamespace and attname like %s",
        "hidden$%",
    )
    [(table, hidden)] = found
    assert query(company, f"select {hidden} from deleted_tables.{table}") == [("guardado",)]  # noqa: S608


def test_a_hidden_column_that_was_required_blocks_nothing(company: Console) -> None:
    """Rows can be inserted after a non-nullable column was hidden."""
    table = company.create_table("vendas", PRODUTO, column("valor", nullable=False))
    company.insert(table["_id"], {"produto": "X", "valor": "1"})
    assert set_columns(company, table["_id"], PRODUTO).status == 200
    assert company.insert(table["_id"], {"produto": "Y"}) == 1


def test_a_hidden_name_that_is_added_again_is_empty(company: Console) -> None:
    """Adding a hidden column's name again makes an empty column, any number of times."""
    table_id = make(company, {"produto": "X", "valor": "velho"})
    for _ in range(2):
        set_columns(company, table_id, PRODUTO)
        assert set_columns(company, table_id, PRODUTO, column("valor", "integer")).status == 200
        assert values(company, table_id) == [{"produto": "X", "valor": None}]


def test_previous_name_renames_a_column(company: Console, query: Query) -> None:
    """`previous_name` with `name` renames a column and keeps its data."""
    table_id = make(company, {"produto": "X", "valor": "1"})
    answer = set_columns(company, table_id, PRODUTO, column("preco", previous_name="valor"))
    assert answer.status == 200
    assert answer.json["columns"] == [PRODUTO, column("preco")]
    assert values(company, table_id) == [{"produto": "X", "preco": "1"}]
    assert query(company, "select preco from vendas") == [("1",)]


def test_previous_name_and_a_new_type_go_together(company: Console) -> None:
    """A column can be renamed and converted at once."""
    table_id = make(company, {"valor": "12"})
    assert set_columns(company, table_id, column("preco", "integer", previous_name="valor")).status == 200
    assert values(company, table_id) == [{"preco": 12}]


def test_two_columns_can_swap_names(company: Console) -> None:
    """Columns can exchange their names in one update."""
    table_id = make(company, {"produto": "p", "valor": "v"})
    swapped = (column("valor", previous_name="produto"), column("produto", previous_name="valor"))
    assert set_columns(company, table_id, *swapped).status == 200
    assert values(company, table_id) == [{"valor": "p", "produto": "v"}]


def test_previous_name_must_exist(company: Console) -> None:
    """A `previous_name` that the table does not have is 422."""
    table_id = make(company)
    assert set_columns(company, table_id, PRODUTO, column("x", previous_name="nenhuma")).status == 422


@pytest.mark.parametrize(
    "wrong",
    [column("valor", "varchar"), column("Valor"), column("id"), column("xmin"), column("produto")],
    ids=["type", "regex", "id", "system column", "twice"],
)
def test_an_invalid_column_is_refused(company: Console, wrong: dict[str, Any]) -> None:
    """A column that a creation would refuse is 422, and nothing changes."""
    table_id = make(company)
    assert set_columns(company, table_id, PRODUTO, column("nova"), wrong).status == 422
    assert company.table(table_id)["columns"] == [PRODUTO, VALOR]


def test_an_empty_list_of_columns_is_refused(company: Console) -> None:
    """An empty list of columns is 422."""
    assert set_columns(company, make(company)).status == 422


def test_a_required_column_cannot_be_added_to_rows(company: Console) -> None:
    """Adding a non-nullable column to a table with rows is 422 naming the column and the number of rows."""
    table_id = make(company, *({"produto": "X"} for _ in range(17)))
    answer = set_columns(company, table_id, PRODUTO, VALOR, column("nova", nullable=False))
    assert answer.status == 422
    assert "nova" in f"{answer.error} {answer.details}"
    assert "17" in f"{answer.error} {answer.details}"
    assert company.table(table_id)["columns"] == [PRODUTO, VALOR]


def test_a_required_column_can_be_added_to_an_empty_table(company: Console) -> None:
    """Without rows a non-nullable column can be added."""
    table_id = make(company)
    assert set_columns(company, table_id, PRODUTO, column("nova", nullable=False)).status == 200


def test_a_column_with_nulls_cannot_become_required(company: Console) -> None:
    """Making a column with NULLs non-nullable is 422 naming the column and the number of rows."""
    rows = [{"produto": "X", "valor": "1"}, *({"produto": "X"} for _ in range(13))]
    table_id = make(company, *rows)
    answer = set_columns(company, table_id, PRODUTO, VALOR | {"nullable": False})
    assert answer.status == 422
    assert "valor" in f"{answer.error} {answer.details}"
    assert "13" in f"{answer.error} {answer.details}"
    assert company.table(table_id)["columns"] == [PRODUTO, VALOR]


def test_an_update_is_all_or_nothing(company: Console, query: Query) -> None:
    """If one part of an update is refused, none of it is applied, the new name included."""
    table_id = make(company, {"produto": "X", "valor": "um"})
    columns = [column("nome", previous_name="produto"), VALOR | {"type": "integer"}, column("nova")]
    body = {"display_name": "novo_nome", "columns": columns, "status": "inactive"}
    before = company.table(table_id)
    assert company.call("PUT", f"/{table_id}", body).status == 422
    assert company.table(table_id) == before
    assert query(company, "select produto, valor from vendas") == [("X", "um")]
    assert company.create_table("novo_nome")["status"] == "active"


# --- status -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", ["deleted", "ACTIVE", "", None, True])
def test_other_statuses_are_refused(company: Console, status: object) -> None:
    """`status` is `active` or `inactive`: anything else is 422."""
    assert company.call("PUT", f"/{make(company)}", {"status": status}).status == 422


def test_an_inactive_table_is_listed_and_readable(company: Console) -> None:
    """An inactive table is in the listing and its rows can be read."""
    table_id = make(company, {"produto": "X"})
    assert company.ok("PUT", f"/{table_id}", {"status": "inactive"})["status"] == "inactive"
    assert [table["status"] for table in company.ok("GET")["records"]] == ["inactive"]
    assert values(company, table_id) == [{"produto": "X", "valor": None}]


def test_an_inactive_table_refuses_writes(company: Console) -> None:
    """Writing rows and uploading to an inactive table are 400 MANAGED_TABLE_INACTIVE."""
    table_id = make(company, {"produto": "X"})
    row_id = company.rows(table_id)[0]["id"]
    company.ok("PUT", f"/{table_id}", {"status": "inactive"})
    answers = [
        company.call("POST", f"/{table_id}/data", {"rows": [{"produto": "Y"}]}),
        company.call("PUT", f"/{table_id}/data/{row_id}", {"produto": "Y"}),
        company.call("DELETE", f"/{table_id}/data/{row_id}"),
        company.call("POST", f"/{table_id}/upload", {"files": [{"name": "a.csv", "size_bytes": 1}]}),
        company.call("POST", f"/{table_id}/upload", files=[("files", ("a.csv", b"produto\nY\n"))]),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(400, "MANAGED_TABLE_INACTIVE")}
    assert values(company, table_id) == [{"produto": "X", "valor": None}]


def test_an_inactive_table_can_be_updated_and_deleted(company: Console) -> None:
    """An inactive table can be renamed, changed, activated again and deleted."""
    table_id = make(company)
    company.ok("PUT", f"/{table_id}", {"status": "inactive"})
    assert company.ok("PUT", f"/{table_id}", {"display_name": "x", "columns": [PRODUTO]})["columns"]
    company.ok("PUT", f"/{table_id}", {"status": "active"})
    assert company.insert(table_id, {"produto": "X"}) == 1
    company.ok("PUT", f"/{table_id}", {"status": "inactive"})
    assert company.call("DELETE", f"/{table_id}").status == 204
