"""Facts about what once loaded itself wrongly, attack by attack: each waits, by a proof's name."""

import io
import json
from datetime import date, timedelta
from typing import Any

import openpyxl
import pytest
from deployments import bearer
from reports import Reports, ask, recipe_of
from rows_client import RowsCompany
from tables_client import TableClient

from managed_tables.catalog.keys import job_key
from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import Column
from managed_tables_analyze.handler import analyze_job

LABELS = ("Produto", "Bruto", "Líquido", "Data")
BESIDE = (";;Sigla;Nome", ";;C;Café", ";;P;Pão", ";;L;Leite")
NAMES = ("café", "pão", "leite", "mel", "mate")


def cells(month: int, number: int) -> tuple[str, str, str, str]:
    day = date(2026, month, 2) + timedelta(days=number)
    return (
        NAMES[number % 5],
        f"1.{100 + 31 * number % 800},40",
        f"1.{100 + 17 * number % 800},25",
        f"{day:%d/%m/%Y}",
    )


def sales(month: int) -> str:
    lines = [LABELS, *(cells(month, number) for number in range(24))]
    return "\n".join([*map(";".join, lines), ""])


def book(month: int, *, mark: str = ",") -> bytes:
    """Return the same report as a workbook, its amounts texts, as an ERP writes them."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(LABELS)
    for number in range(24):
        name, gross, net, day = cells(month, number)
        texts = (
            (gross, net)
            if mark == ","
            else (one.translate(str.maketrans(",.", ".,")) for one in (gross, net))
        )
        sheet.append([name, *texts, date(int(day[6:]), int(day[3:5]), int(day[:2]))])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def load_first(reports: Reports, content: str | bytes, name: str = "vendas.csv") -> TableClient:
    """Load a file as its columns were inferred, and let the next ones confirm themselves."""
    job_id = reports.wait(content, name=name)
    reports.confirm(job_id, columns_of(reports, job_id), LoadTerms())
    assert reports.insert(job_id) == "done"
    table = TableClient(reports.company, reports.job(job_id).user_table_id or "", reports.name)
    assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
    return table


def columns_of(reports: Reports, job_id: str) -> list[Column]:
    inferred = reports.analysis(job_id).inferred_schema.columns
    return [one.column.model_copy(update={"nullable": True}) for one in inferred]


def open_proofs(
    reports: Reports, content: str | bytes, table: TableClient, name: str = "vendas.csv"
) -> list[str]:
    job_id = reports.wait(content, table.table_id, name=name)
    found = [one.code for one in reports.analysis(job_id).proofs or () if not one.holds]
    assert reports.job(job_id).confirms_itself is not bool(found)
    return sorted(found)


@pytest.fixture
def table(reports: Reports) -> TableClient:
    return load_first(reports, sales(4))


def confirm_by_http(company: RowsCompany, job_id: str, body: dict[str, Any], *permissions: str) -> int:
    answer = company.http.post(
        f"/v1/managed-tables/upload-jobs/{job_id}/confirm",
        content=json.dumps(body),
        headers=bearer(
            company.services.jwt_secret, company.company.company_id, permissions=list(permissions)
        ),
    )
    return answer.status_code


def exchanged(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    other = {"bruto": "liquido", "liquido": "bruto"}
    return [{**one, "source": other[one["name"]]} if one["name"] in other else one for one in columns]


@pytest.mark.parametrize("permissions", [["upload"], ["upload", "update"]])
@pytest.mark.parametrize("attack", ["exchanges two columns", "leaves a column out"])
def test_who_may_upload_alone_teaches_no_file_to_load_itself_otherwise(
    reports: Reports, table: TableClient, attack: str, permissions: list[str]
) -> None:
    """`keep_auto_confirm` is worth nothing without `managed-tables:update`; with it the owner has said so."""
    job_id = wait_for_a_person(reports, table, sales(5))
    columns = [one.model_dump(mode="json") for one in columns_of(reports, job_id)]
    sent = exchanged(columns) if attack == "exchanges two columns" else [columns[0], *columns[2:]]
    body = {"columns": sent, "keep_auto_confirm": True}
    granted = [f"managed-tables:{one}" for one in permissions]
    assert confirm_by_http(reports.company, job_id, body, *granted) == 200
    assert reports.insert(job_id) == "done"
    is_owner = "update" in permissions
    assert recipe_of(table)["auto_confirm"] == ("unchanged" if is_owner else "never")
    next_job = reports.wait(sales(6), table.table_id)
    assert reports.job(next_job).confirms_itself is is_owner


def test_one_upload_that_skips_and_replaces_is_no_word_on_the_next_ones(
    reports: Reports, table: TableClient
) -> None:
    job_id = wait_for_a_person(reports, table, sales(5), mode="replace")
    columns = [one.model_dump(mode="json") for one in columns_of(reports, job_id)]
    body = {"columns": columns, "on_misfit": "skip"}
    assert confirm_by_http(reports.company, job_id, body, "managed-tables:upload") == 200
    assert reports.insert(job_id) == "done"
    recipe = recipe_of(table)
    assert (recipe["mode"], recipe["on_misfit"], recipe["auto_confirm"]) == ("append", "reject", "unchanged")
    next_job = reports.wait(sales(6), table.table_id)
    assert reports.insert(next_job) == "done"
    assert table.get()["row_count"] == 48


def wait_for_a_person(reports: Reports, table: TableClient, content: str, mode: Any = "append") -> str:
    job_id = reports.wait(content, table.table_id, mode, states_mode=mode != "append")
    services, company_id = reports.company.services, reports.company.company.company_id
    changes = {"status": "waiting_confirm"}  # as the state machine lets a job wait
    services.items.change(job_key(company_id, job_id), changes, removals=("confirms_itself",))
    return job_id


def with_lines(text: str, at: int, *lines: str) -> str:
    known = text.splitlines()
    return "\n".join([*known[:at], *lines, *known[at:], ""])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("group lines", lambda text: with_lines(with_lines(text, 13, "Filial Sul;;;"), 1, "Filial Norte;;;")),
        ("sections", lambda text: with_lines(text, 13, "Total;9,00;9,00;", ";".join(LABELS))),
        ("subtotals", lambda text: with_lines(
            with_lines(text, 25, "Subtotal;9,00;9,00;"), 12, "Subtotal;8,00;8,00;")),
        ("a total that nothing names", lambda text: with_lines(text, 25, ";33.333,33;;")),
        ("a table below", lambda text: with_lines(
            text, 25, "", "Vendedor;Meta;Comissão", "Ana;10,00;1,50", "Rui;20,00;2,50", "Eva;30,00;3,50")),
        ("a wider table right below", lambda text: with_lines(
            text, 25, "Loja;Meta;Prazo;Gerente;Cota",
            "L1;10,00;5;Ana;1", "L2;20,00;9;Rui;2", "L3;9,00;3;Eva;3")),
        ("a table beside", lambda text: "\n".join(
            line + beside for line, beside in zip(
                text.splitlines(), (*BESIDE, *[";;;"] * 21), strict=True))),
    ],
)  # fmt: skip
def test_lines_and_tables_that_no_load_had_neither_load_nor_vanish_alone(
    reports: Reports, table: TableClient, name: str, change: Any
) -> None:
    found = open_proofs(reports, change(sales(5)), table)
    assert {"NO_NEW_STRUCTURE", "EVERY_LINE_ACCOUNTED"} & {*found}, (name, found)


def test_amounts_that_a_workbook_has_as_texts_keep_their_mark(reports: Reports) -> None:
    """So that those of the other mark wait, which once loaded as what they are not."""
    table = load_first(reports, book(4), "vendas.xlsx")
    kept = {one["name"]: one["decimal_mark"] for one in recipe_of(table)["columns"]}
    assert (kept["bruto"], kept["liquido"]) == (",", ",")
    assert open_proofs(reports, book(5), table, "vendas.xlsx") == []
    assert "SAME_WRITING" in open_proofs(reports, book(5, mark="."), table, "vendas.xlsx")


def test_a_job_that_waits_has_a_proof_that_does_not_hold(reports: Reports, table: TableClient) -> None:
    """Also where it is the confirmation that is refused, after all was proven."""
    job_id = reports.wait(sales(5), table.table_id)
    assert reports.job(job_id).confirms_itself
    assert table.put(status="inactive").status_code == 200
    services, company_id = reports.company.services, reports.company.company.company_id
    if reports.insert(job_id) == "reanalyze":  # under the table as it is now, once
        assert analyze_job(services, company_id, job_id)["auto_confirm"] is True
        assert reports.insert(job_id) == "rejected"
    services.items.change(job_key(company_id, job_id), {"status": "waiting_confirm"})
    answer = table.company.http.get(
        f"/v1/managed-tables/upload-jobs/{job_id}", headers=table.rows.headers()
    ).json()
    first = answer["proofs"][0]
    assert (first["code"], first["holds"]) == ("AS_RECALLED", False)
    assert answer["error"]["code"] == "CONFIRMATION_REFUSED"
