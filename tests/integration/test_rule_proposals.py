"""Rules are proposed by what the rows keep; none is imposed, and a dismissed one does not come again."""

from typing import Any

import pytest
from rows_client import RowsCompany
from tables_client import TableClient, column, created


def cpf(number: int) -> str:
    """Return the CPF of nine digits."""
    digits = [int(one) for one in f"{number:09d}"]
    for size in (10, 11):
        total = sum(digit * weight for digit, weight in zip(digits, range(size, 1, -1), strict=True))
        digits.append((11 - total % 11) % 11 % 10)
    return "".join(map(str, digits))


def row(place: int, **more: Any) -> dict[str, Any]:
    return {
        "cpf": cpf(100_000_007 + place * 977),
        "situacao": ("novo", "pago", "enviado")[place % 3],
        "valor": place % 37 + 0.5,
        "saldo": place % 11 - 5,
        "inicio": f"2024-01-{place % 20 + 1:02d}",
        "fim": f"2024-02-{place % 25 + 1:02d}",
        "vence": f"{2024 + place % 80}-06-01",
        "cidade": ("Recife", "Natal", "Olinda", "Maceió")[place % 4],
        "obs": f"texto {place % 150}",
        **more,
    }


COLUMNS = (
    column("cpf"),
    column("situacao"),
    column("valor", "decimal"),
    column("saldo", "integer"),
    column("inicio", "date"),
    column("fim", "date"),
    column("vence", "date"),
    column("cidade"),
    column("obs"),
)


@pytest.fixture
def table(rows_company: RowsCompany) -> TableClient:
    return created(rows_company, *COLUMNS)


def call(table: TableClient, method: str, path: str, body: Any = None) -> Any:
    url = f"/v1/managed-tables/{table.table_id}/rules/{path}"
    return table.company.http.request(method, url, json=body, headers=table.rows.headers())


def proposals(table: TableClient) -> dict[tuple[str, ...], dict[str, Any]]:
    answer = call(table, "GET", "proposals")
    assert answer.status_code == 200, answer.text
    return {(one["rule"]["kind"], *one["rule"]["columns"]): one for one in answer.json()["records"]}


def test_what_the_rows_keep_is_proposed_with_its_evidence(
    table: TableClient, rows_company: RowsCompany
) -> None:
    """Check digits, few values, signs, no future dates, unique and ordered values, another table's."""
    cities = created(rows_company, column("nome"), key=["nome"])
    cities.rows.insert(*({"nome": name} for name in ("Recife", "Natal", "Olinda", "Maceió", "Aracaju")))
    assert proposals(table) == {}
    table.rows.insert(*map(row, range(300)))
    found = proposals(table)
    assert set(found) == {
        ("named", "cpf"), ("unique", "cpf"), ("list", "situacao"), ("range", "valor"), ("range", "inicio"),
        ("range", "fim"), ("compare", "inicio", "fim"), ("compare", "inicio", "vence"),
        ("compare", "fim", "vence"),
        ("list", "cidade"), ("in_table", "cidade"),
    }  # fmt: skip
    listed = found[("list", "situacao")]
    assert listed["rule"]["values"] == ["enviado", "novo", "pago"]
    assert (listed["rule"]["origin"], listed["rows"], listed["loads"]) == ("learned", 300, 0)
    assert all(one["evidence"] for one in found.values())
    reference = found[("in_table", "cidade")]["rule"]
    assert (reference["table"], reference["column"]) == (cities.table_id, "nome")
    accepted = table.changed(rules=[one["rule"] for one in found.values()])["rules"]
    assert len(accepted) == len(found)
    assert proposals(table) == {}
    table.changed(rules=[])


def test_one_that_is_dismissed_does_not_come_again(table: TableClient) -> None:
    """By the rule or by its id; also once it would say other values."""
    table.rows.insert(*map(row, range(300)))
    found = proposals(table)
    assert (
        call(table, "POST", "proposals/dismiss", {"rule": found[("list", "situacao")]["rule"]}).status_code
        == 204
    )
    assert (
        call(table, "POST", "proposals/dismiss", {"rule": found[("unique", "cpf")]["rule"]["id"]}).status_code
        == 204
    )
    table.rows.insert(*(row(place, situacao="outro") for place in range(300, 400)))
    left = proposals(table)
    assert {("list", "situacao"), ("unique", "cpf")}.isdisjoint(left)
    assert ("named", "cpf") in left


def test_a_dismissal_knows_its_own_field_alone(table: TableClient) -> None:
    answer = call(table, "POST", "proposals/dismiss", {"rule": "r_x", "rules": []})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "rules")


def test_one_row_that_does_not_keep_a_rule_ends_its_proposal(table: TableClient) -> None:
    table.rows.insert(*map(row, range(300)), row(300, cpf="11111111111", valor=-1, situacao="raro"))
    found = proposals(table)
    assert {("named", "cpf"), ("range", "valor"), ("list", "situacao")}.isdisjoint(found)
