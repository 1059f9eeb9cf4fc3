"""Rules that are proposed after three months of a report hold in the months after."""

import secrets
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from reports import Reports
from rows_client import RowsCompany
from series import make_month
from tables_client import TableClient

from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import Column

LEARNED_FROM = 3  # months
SHARE_THAT_HOLDS = 0.98
EARLIER = timedelta(days=365)  # than the series' days, which would break "no date in the future" today


def load_month(reports: Reports, series: int, month: int, table_id: str | None) -> TableClient:
    """Load a month as a person does who takes what is inferred."""
    made = make_month(series, month)
    rows = [[value - EARLIER if isinstance(value, date) else value for value in row] for row in made.rows]
    made = replace(made, rows=rows)
    job_id = reports.wait(made.content(), table_id, name=f"vendas.{made.kind}")
    if not reports.job(job_id).confirms_itself:
        reports.confirm(job_id, columns_of(reports, job_id, table_id), LoadTerms())
    assert reports.insert(job_id) == "done", (series, month, reports.job(job_id).error)
    return TableClient(reports.company, reports.job(job_id).user_table_id or "", reports.name)


def columns_of(reports: Reports, job_id: str, table_id: str | None) -> list[Column]:
    """Return the table's columns, or those of a new one."""
    if table_id is not None:
        own = TableClient(reports.company, table_id, reports.name).get()["columns"]
        return [Column.model_validate(one) for one in own]
    inferred = reports.analysis(job_id).inferred_schema.columns
    return [one.column.model_copy(update={"nullable": True}) for one in inferred]


def ask(table: TableClient, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
    url = f"/v1/managed-tables/{table.table_id}/rules/{path}"
    answer = table.company.http.request(method, url, json=body, headers=table.rows.headers())
    assert answer.status_code == 200, answer.text
    records: list[dict[str, Any]] = answer.json()["records"]
    return records


def follow(reports: Reports, series: int, months: int, counts: Counter[str]) -> list[str]:
    """Count in how many later months each proposed rule holds; return where one does not."""
    table_id, faults = None, []
    for month in range(LEARNED_FROM):
        table = load_month(reports, series, month, table_id)
        table_id = table.table_id
    proposed = [{**one["rule"], "severity": "warn"} for one in ask(table, "GET", "proposals")]
    counts["rules"] += len(proposed)
    counts.update(f"of {rule['kind']}" for rule in proposed)
    table.changed(rules=proposed)
    broken = {rule["id"]: 0 for rule in proposed}
    for month in range(LEARNED_FROM, months):
        load_month(reports, series, month, table_id)
        for one in ask(table, "POST", "check", {}):
            holds = one["broken"] == broken[one["rule"]]
            broken[one["rule"]] = one["broken"]
            counts["months"] += 1
            counts["months that hold"] += holds
            if not holds:
                (rule,) = [rule for rule in proposed if rule["id"] == one["rule"]]
                faults.append(f"series {series}, month {month}: {rule['kind']} of {rule['columns']}")
    return faults


def test_rules_that_are_proposed_after_three_months_hold_in_the_later_ones(
    loading_company: RowsCompany, pytestconfig: pytest.Config
) -> None:
    """In 98 % of them; one series of five months, and 20 of a year by `make test-series`."""
    is_whole = pytestconfig.getoption("--series")
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for series in range(20) if is_whole else (2,):
        reports = Reports(loading_company, f"serie_{secrets.token_hex(5)}")
        faults += follow(reports, series, 12 if is_whole else 5, counts)
    print(dict(counts), *faults, sep="\n")
    assert counts["months"] > 0
    assert counts["months that hold"] >= SHARE_THAT_HOLDS * counts["months"], faults
