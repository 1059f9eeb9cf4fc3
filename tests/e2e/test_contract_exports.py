"""Extensions, "Exports": from the request to the downloaded file."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from client import JOB_LIMIT_SECONDS, Console, column, until

COLUMNS = [
    column("nome", display_name="Nome do Produto"),
    column("valor", "decimal", display_name="Preço (R$)"),
    column("quantidade", "integer"),
    column("pago", "boolean"),
    column("dia", "date"),
    column("quando", "datetime"),
]
ROWS: list[dict[str, Any]] = [
    {
        "nome": "Café; forte\ne quente", "valor": "1234.56", "quantidade": 7, "pago": True,
        "dia": "2026-01-31", "quando": "2026-01-31T10:30:00Z",
    },
    {
        "nome": 'diz "olá"', "valor": "-0.5", "quantidade": -12, "pago": False, "dia": "1999-12-25",
        "quando": "1999-12-25T23:59:59.25Z",
    },
]  # fmt: skip


def make(company: Console) -> str:
    table_id: str = company.create_table("vendas", *COLUMNS)["_id"]
    company.insert(table_id, *ROWS)
    return table_id


def finished(company: Console, table_id: str, **wanted: object) -> dict[str, Any]:
    """Ask for an export and return it once it has ended."""
    made = company.ok("POST", f"/{table_id}/exports", wanted)
    assert made["status"] == "queued"

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = company.ok("GET", f"/exports/{made['export_id']}")
        return found if found["status"] in ("done", "failed") else None

    return until(ended, JOB_LIMIT_SECONDS)


@pytest.mark.flow
def test_an_export_from_request_to_file(company: Console) -> None:
    """201 with an id; then the status, and a URL that downloads the file under its name."""
    table_id = make(company)
    export = finished(company, table_id, format="csv", dialect="excel-br", sort=["-valor"])
    assert (export["status"], export["rows"], export["table_id"]) == ("done", 2, table_id)
    assert re.fullmatch(r"vendas_\d{4}-\d{2}-\d{2}\.csv", export["file_name"])
    assert export["file_name"] in parse_qs(urlsplit(export["url"]).query)["response-content-disposition"][0]
    response = company.http.get(export["url"])
    assert export["file_name"] in response.headers["content-disposition"]
    assert len(response.content) == export["size_bytes"]
    assert response.content.decode("utf-8-sig").splitlines()[0].startswith("Nome do Produto;Preço (R$)")
    assert export["expires_at"] > export["created_at"]


@pytest.mark.parametrize("form", ["xlsx", "parquet", "jsonl"])
def test_a_dialect_is_ignored_for_other_formats(company: Console, form: str) -> None:
    """One request suits every format; the answer shows that no dialect was used."""
    made = company.ok("POST", f"/{make(company)}/exports", {"format": form, "dialect": "excel-br"})
    export = company.ok("GET", f"/exports/{made['export_id']}")
    assert (export["format"], export["dialect"]) == (form, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "format"),
        ({"format": "pdf"}, "format"),
        ({"format": "csv", "dialect": "excel"}, "dialect"),
        ({"format": "csv", "colour": "blue"}, "colour"),
        ({"format": "csv", "fields": ["nome", "outra"]}, "fields[1]"),
        ({"format": "csv", "fields": []}, "fields"),
        ({"format": "csv", "sort": "nome,-outra"}, "sort[1]"),
        ({"format": "csv", "where": {"column": "valor", "op": "gte", "value": "x"}}, "where.value"),
    ],
)
def test_a_wrong_request_is_named(company: Console, body: dict[str, Any], path: str) -> None:
    """422 with details, before anything is created."""
    answer = company.call("POST", f"/{make(company)}/exports", body)
    assert (answer.status, answer.code) == (422, "INVALID_REQUEST")
    assert [(one["in"], one["path"]) for one in answer.details] == [("body", path)]
