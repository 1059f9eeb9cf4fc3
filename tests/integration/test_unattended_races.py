"""Facts about a job that confirms itself while somebody changes what it was read under (extensions 20)."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from reports import COLUMNS, Reports, ask, recipe_of
from rows_client import RowsCompany
from tables_client import TableClient
from test_unattended_proofs import NAMES, SOURCES, sales

from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.statements import LoadTerms, ReadingStatement
from managed_tables.errors import ApiError
from managed_tables.schema import ColumnType
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.reanalysis import reanalyze_job
from managed_tables_insert import loading
from managed_tables_insert.errands import recall_for
from managed_tables_insert.handler import Loading, run_job
from managed_tables_insert.unattended import confirm_unchanged

APRIL, MAY, JUNE = (sales(date(2026, month, 2)) for month in (4, 5, 6))
TWO_A_DAY = JUNE.replace(";03/06/2026", ";02/06/2026")
ROUNDS = 8  # of steps, or of a person's requests: more count as one that never ends
HELD_SECONDS = 2.0  # a request either waits for the load or is answered by then
BUSY_ANSWERS = (409, 503)
CLEAR_ERRORS = {"TABLE_GONE", "TABLE_NOT_ACTIVE"}

Change = Callable[[TableClient], int]
"""What another person does meanwhile; returns the answer's status."""


def retype(table: TableClient) -> int:
    columns = table.get()["columns"]
    return table.put(columns=[columns[0], {**columns[1], "type": "text"}, columns[2]]).status_code


def rename(table: TableClient) -> int:
    columns = table.get()["columns"]
    columns[1] |= {"name": "total", "previous_name": "valor_total"}
    return table.put(columns=columns).status_code


def exchange(table: TableClient) -> int:
    """Two columns take each other's names."""
    columns = table.get()["columns"]
    columns[0] |= {"name": "data", "previous_name": "produto"}
    columns[2] |= {"name": "produto", "previous_name": "data"}
    return table.put(columns=columns).status_code


def take_column_away(table: TableClient) -> int:
    columns = table.get()["columns"]
    return table.put(columns=[columns[0], columns[2]]).status_code


def give_key(table: TableClient) -> int:
    return table.put(key=["data"]).status_code


def give_mode(table: TableClient) -> int:
    return ask(table, "PUT", {"mode": "replace"}).status_code


def skip_misfits(table: TableClient) -> int:
    return ask(table, "PUT", {"on_misfit": "skip"}).status_code


def end_auto_confirm(table: TableClient) -> int:
    return ask(table, "PUT", {"auto_confirm": "never"}).status_code


def change_recipe(table: TableClient) -> int:
    return ask(table, "PUT", {"timezone": "America/Manaus"}).status_code


def forget_recipe(table: TableClient) -> int:
    return ask(table, "DELETE").status_code


def undo_the_load_before(table: TableClient) -> int:
    url = f"/v1/managed-tables/upload-jobs/{recipe_of(table)['job_id']}/undo"
    return table.company.http.post(url, headers=table.rows.headers()).status_code


def deactivate(table: TableClient) -> int:
    return table.put(status="inactive").status_code


def delete(table: TableClient) -> int:
    return table.call("DELETE").status_code


CHANGES: tuple[Change, ...] = (
    rename, exchange, retype, take_column_away, give_key, give_mode, skip_misfits, end_auto_confirm,
    change_recipe, forget_recipe, undo_the_load_before, deactivate, delete,
)  # fmt: skip
JUNE_BEGINS = "2026-06-01"
STEPS = ("before Analyze", "before the confirmation", "before Insert", "before the load", "during the load")


@dataclass
class Execution:
    """The steps of one job, as the state machine takes them, with a change before one of them."""

    reports: Reports
    table: TableClient
    change: Change
    step: str
    answers: list[int] = field(default_factory=list)

    def reach(self, step: str) -> None:
        """Make the change if this is its step, once, as a person does who repeats what was busy."""
        if step != self.step or self.answers:
            return
        for _ in range(ROUNDS):
            self.answers.append(self.change(self.table))
            if self.answers[-1] not in BUSY_ANSWERS:
                return

    def run(self, job_id: str) -> str:
        """Take a job from its arrival to where it ends, or waits for a person; return its status."""
        services, company_id = self.reports.company.services, self.reports.company.company.company_id
        recall_for(services, company_id, job_id)
        self.reach("before Analyze")
        outcome = self._analyze(job_id)
        self.reach("before the confirmation")
        if self.step == "before Insert":
            assert confirm_unchanged(services, self.reports.job(job_id)) is None
            self.reach("before Insert")
        for number in range(ROUNDS):
            if outcome not in ("confirmed", "busy", "reanalyze"):
                break
            if outcome == "reanalyze":
                outcome = self._analyze(job_id)
            else:
                ended = run_job(services, company_id, job_id, is_last_attempt=number == ROUNDS - 1)
                outcome = str(ended["outcome"])
        if outcome == "rejected":
            self.reports.let_wait(job_id)
        return self.reports.job(job_id).status

    def _analyze(self, job_id: str) -> str:
        answer = analyze_job(self.reports.company.services, self.reports.company.company.company_id, job_id)
        if answer["outcome"] != "analyzed":
            return answer["outcome"]
        return "confirmed" if answer["auto_confirm"] else "rejected"


def make_table(company: RowsCompany, *contents: str) -> tuple[Reports, TableClient]:
    """Return a table with a load of each report, whose files confirm themselves."""
    reports = Reports(company, f"vendas_{secrets.token_hex(5)}")
    first, *others = contents
    table = reports.load(first, terms=SOURCES)
    for content in others:
        reports.load(content, table.table_id, terms=SOURCES)
    assert ask(table, "PUT", {"auto_confirm": "unchanged", "mode": "append"}).status_code == 200
    return reports, table


def hook(monkeypatch: pytest.MonkeyPatch, execution: Execution) -> list[threading.Thread]:
    """Have the execution reach the steps of a load; what is done during one goes on beside it."""
    remind, keep, beside = Loading._remind, loading.keep_memory, []

    def before_the_load(this: Loading) -> None:
        execution.reach("before the load")
        remind(this)

    def during_the_load(*arguments: Any) -> None:
        keep(*arguments)
        beside.append(threading.Thread(target=execution.reach, args=["during the load"]))
        beside[-1].start()
        beside[-1].join(HELD_SECONDS)  # it waits for the load, or is told that the table is busy

    monkeypatch.setattr(Loading, "_remind", before_the_load)
    monkeypatch.setattr(loading, "keep_memory", during_the_load)
    return beside


def run_with_change(
    monkeypatch: pytest.MonkeyPatch,
    made: tuple[Reports, TableClient],
    content: str,
    change: Change,
    step: str,
) -> Any:
    """Take a file through its steps, with a change at one of them; return the job as it is answered.

    Its rows are in once, and right by the table's columns as they are then, or none is. Where it waits, or
    has failed, it says why.
    """
    reports, table = made
    execution = Execution(reports, table, change, step)
    job_id = reports.queue(content, table.table_id)
    with monkeypatch.context() as patch:
        beside = hook(patch, execution)
        execution.run(job_id)
        for thread in beside:
            thread.join()
    path = f"/v1/managed-tables/upload-jobs/{job_id}"
    answer = table.company.http.get(path, headers=table.rows.headers())
    assert answer.status_code == 200, answer.text
    job = answer.json()
    told = (
        f"{change.__name__} {step}: {job['status']}, {open_proofs(job)}, {job['error']}, {execution.answers}"
    )
    print(told)
    assert execution.answers, told
    assert execution.answers[-1] < 500, told
    assert says_why(job) or change is end_auto_confirm, told
    if table.call("GET").status_code == 200:
        is_done = job["status"] == "done"
        assert rows_of(table, JUNE_BEGINS) == (as_loaded(content, table) if is_done else []), told
        assert len(rows_of(table)) == table.get()["row_count"], told
    return job


def open_proofs(job: Any) -> set[str]:
    return {one["code"] for one in job["proofs"] or () if not one["holds"]}


def says_why(job: Any) -> bool:
    """Return whether the job is done, or names what is in its way."""
    code = job["error"] and job["error"]["code"]
    if job["status"] == "failed":
        return code in CLEAR_ERRORS
    is_named = bool(open_proofs(job)) or code == "CONFIRMATION_REFUSED"
    return job["status"] == "done" or (job["status"] == "waiting_confirm" and is_named)


def rows_of(table: TableClient, since: str = "") -> list[tuple[str, ...]]:
    """Return the rows since a day, as texts, in the order of insertion."""
    names = {one["display_name"]: one["name"] for one in table.get()["columns"]}
    rows = [row for row in table.rows.list(per_page=1000)["records"] if str(row[names["Data"]]) >= since]
    return [tuple(str(row[name]) for name in names.values()) for row in rows]


def as_loaded(content: str, table: TableClient) -> list[tuple[str, ...]]:
    """Return a report's rows as the table is to have them, whatever its columns are called by now."""
    labels = [one["display_name"] for one in table.get()["columns"]]
    found = []
    for line in content.splitlines()[1:]:
        name, total, day = line.split(";")
        values = {"Produto": name, "Data": "-".join(reversed(day.split("/")))}
        values["Valor"] = total.replace(".", "").replace(",", ".")
        found.append(tuple(values[label] for label in labels))
    return found


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_changes_at_any_step_nothing_loads_unproven(
    loading_company: RowsCompany,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
    change: Change,
) -> None:
    """One step of each, and every step by `make test-faults`; what was there stays, but for the change."""
    steps = STEPS if pytestconfig.getoption("--faults") == 0 else [STEPS[CHANGES.index(change) % len(STEPS)]]
    for step in steps:
        _, table = made = make_table(loading_company, APRIL, MAY)
        job = run_with_change(monkeypatch, made, JUNE, change, step)
        if change is delete:
            assert (job["status"] == "done") is (step == "during the load")
            continue
        is_replaced = job["status"] == "done" and job["mode"] == "replace"
        before = 20 if change is undo_the_load_before else 0 if is_replaced else 40
        assert len(rows_of(table)) - len(rows_of(table, JUNE_BEGINS)) == before


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", [rename, undo_the_load_before], ids=["rename", "undo"])
def test_a_change_before_the_load_has_the_file_read_again(
    loading_company: RowsCompany, monkeypatch: pytest.MonkeyPatch, change: Change, step: str
) -> None:
    """Also one that Analyze has met, after the job was handed what the table remembers."""
    reports, _ = made = make_table(loading_company, APRIL, MAY)
    job = run_with_change(monkeypatch, made, JUNE, change, step)
    assert job["status"] == "done"
    assert reports.job(job["_id"]).is_read_again is (step != "during the load")


def test_columns_that_exchange_their_names_during_a_review_are_not_filled(
    loading_company: RowsCompany,
) -> None:
    """What the person saw led to the other column; read again, the plan follows the names."""
    reports, table = make_table(loading_company, APRIL, MAY)
    assert ask(table, "PUT", {"auto_confirm": "never"}).status_code == 200
    columns = table.get()["columns"]
    columns = [{**column, "type": "text"} for column in columns]
    assert table.put(columns=columns).status_code == 200
    job_id = reports.wait(JUNE, table.table_id)
    sent = [column.model_copy(update={"type": ColumnType.TEXT}) for column in COLUMNS]
    assert exchange(table) == 200
    with pytest.raises(ApiError) as refused:
        reports.confirm(job_id, sent, SOURCES)
    details = refused.value.details
    assert {(one["column"], one["code"]) for one in details} == {
        ("produto", "UNKNOWN_COLUMN"), ("data", "UNKNOWN_COLUMN"),
    }  # fmt: skip
    assert reports.job(job_id).status == "waiting_confirm"
    services, company_id = reports.company.services, reports.company.company.company_id
    reanalyze_job(services, reports.job(job_id), ReadingStatement())
    assert analyze_job(services, company_id, job_id)["outcome"] == "analyzed"
    reports.let_wait(job_id)
    plan = reports.analysis(job_id).append_plan
    assert plan is not None
    assert dict(plan.matched) == {"Produto": "data", "Vlr. Total": "valor_total", "Data": "produto"}
    followed = LoadTerms(
        choices={
            **SOURCES.choices,
            "data": ColumnChoice(source="produto"),
            "produto": ColumnChoice(source="data"),
        }
    )
    reports.confirm(job_id, sent, followed)
    assert reports.insert(job_id) == "done"
    assert {row[0] for row in rows_of(table)} == set(NAMES)


@pytest.mark.parametrize("step", STEPS[:-1])
def test_what_only_an_undone_load_has_shown_is_proven_no_more(
    loading_company: RowsCompany, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A person takes May back, whose values had the wrong sign; June's have it as well."""
    may, june = (content.replace(";1.", ";-1.") for content in (MAY, JUNE))
    made = make_table(loading_company, APRIL, may)
    job = run_with_change(monkeypatch, made, june, undo_the_load_before, step)
    assert (job["status"], open_proofs(job)) == ("waiting_confirm", {"SAME_MEANING"})


@pytest.mark.parametrize("step", STEPS)
def test_a_new_key_is_held_whenever_it_comes(
    loading_company: RowsCompany, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Two rows of one day: they wait for a person, or the key is refused, since they are in."""
    made = make_table(loading_company, APRIL, MAY)
    job = run_with_change(monkeypatch, made, TWO_A_DAY, give_key, step)
    is_loaded = step == "during the load"
    assert job["status"] == ("done" if is_loaded else "waiting_confirm")
    assert made[1].get().get("key") == (None if is_loaded else ["data"])
