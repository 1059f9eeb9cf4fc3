"""A workbook that goes out, is changed, and comes back: what of it goes in, and what people are asked."""

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import openpyxl
import pytest
from editing import export_for_editing
from loads import Loads
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from reports import Reports
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.catalog.exports import ExportRecord
from managed_tables.object_keys import BASE, base_key
from managed_tables_analyze.handler import analyze_job
from managed_tables_insert.errands import find_errand, recall_for

JOBS = "/v1/managed-tables/upload-jobs"
Change = Callable[[Any], object]
COLUMNS = ("nome", "n", "v", "pago", "dia", "quando")
ROWS: list[dict[str, Any]] = [
    dict(zip(COLUMNS, cells, strict=True))
    for cells in (
        ("Ana", 1, "10.50", True, "2026-01-31", "2026-01-31T10:30:00Z"),
        ("Bia", 2, "20", False, "2026-02-01", None),
        ("Caio", 3, None, None, None, "2026-03-01T00:00:00.125Z"),
        ("Davi", 4, "-0.01", True, "2026-02-03", None),
    )
]


@dataclass(frozen=True)
class Workbooks:
    """A table, and workbooks of it that go out and come back."""

    table: TableClient

    @property
    def company(self) -> RowsCompany:
        return self.table.company

    @property
    def reports(self) -> Reports:
        return Reports(self.company, self.table.name)

    def export(self, **wanted: Any) -> tuple[ExportRecord, bytes]:
        """Return the table as a workbook to be changed."""
        services, company_id = self.company.services, self.company.company.company_id
        table = services.tables.find(company_id, self.table.table_id)
        assert table is not None
        return export_for_editing(services, table, **wanted)

    def upload(self, content: bytes, table: TableClient | None = None, **options: Any) -> str:
        """Return the id of a job whose workbook is read, and planned where it is one of ours."""
        services, company_id = self.company.services, self.company.company.company_id
        table_id = (table or self.table).table_id
        job_id = self.reports.queue(content, table_id, name="vendas.xlsx", **options)
        recall_for(services, company_id, job_id)
        outcome = analyze_job(services, company_id, job_id)
        if outcome.get("merge"):
            event: Any = {"company_id": company_id, "job_id": job_id, "plan_merge": True}
            errand = find_errand(event)
            assert errand is not None
            errand(services, event)
        if self.reports.job(job_id).status == "analisando":
            self.reports.let_wait(job_id)
        return job_id

    def job(self, job_id: str) -> Any:
        """Return the job as the API answers it."""
        answer = self.company.http.get(f"{JOBS}/{job_id}", headers=self.table.rows.headers())
        return json.loads(answer.text, parse_float=Decimal)

    def confirm(self, job_id: str, **body: Any) -> Any:
        return self.company.http.post(
            f"{JOBS}/{job_id}/confirm", content=json.dumps(body), headers=self.table.rows.headers()
        )

    def merged(self, content: bytes, **body: Any) -> Any:
        """Bring a workbook back and return the job, done."""
        job_id = self.upload(content)
        answer = self.confirm(job_id, **body)
        assert answer.status_code == 200, answer.text
        assert self.reports.insert(job_id) == "done", self.reports.job(job_id).error
        return self.reports.job(job_id)

    def plan(self, content: bytes) -> Any:
        """Return what a workbook that comes back would change."""
        job = self.job(self.upload(content))
        assert job["mode"] == "merge", job
        return job["merge_plan"]

    def set(self, place: int, **cells: Any) -> None:
        """Change a row by its place, as another person does."""
        row = self.rows()[place]
        answer = self.table.rows.call("PUT", f"/{row['id']}", body=cells)
        assert answer.status == 200, answer

    def delete(self, *places: int) -> None:
        rows = self.rows()
        for place in places:
            assert self.table.rows.call("DELETE", f"/{rows[place]['id']}").status in (200, 204)

    def delete_all(self) -> None:
        self.table.sql("DELETE FROM {t}")

    def cells(self) -> dict[str, dict[str, Any]]:
        """Return the cells by row and column."""
        return {row["id"]: {name: row[name] for name in NAMES} for row in self.rows()}

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table.rows.list(per_page=1000)["records"]
        return found


def changed(content: bytes, *changes: Change) -> bytes:
    """Return the workbook as openpyxl saves it once its sheet is changed."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for change in changes:
        change(book.worksheets[0])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def put(**cells: Any) -> Change:
    """Return the change that writes these cells, by their references."""

    def change(sheet: Any) -> None:
        for reference, value in cells.items():
            sheet[reference] = value

    return change


def counts(plan: Any) -> tuple[int, ...]:
    names = ("inserted", "updated", "cells", "unchanged", "absent", "conflicts_total")
    return tuple(plan[name] for name in names)


@pytest.fixture
def books(loading_company: RowsCompany) -> Workbooks:
    columns = [
        column("nome", nullable=False),
        column("n", "integer"),
        column("v", "decimal"),
        column("pago", "boolean"),
        column("dia", "date"),
        column("quando", "datetime"),
    ]
    table = created(loading_company, *columns)
    table.rows.insert(*ROWS)
    return Workbooks(table)


def test_a_workbook_that_nobody_changed_changes_nothing(books: Workbooks) -> None:
    export, content = books.export()
    assert export.base_expires_at is not None
    for returned in (content, changed(content)):
        job = books.job(books.upload(returned))
        plan = job["merge_plan"]
        assert counts(plan) == (0, 0, 0, 4, 0, 0)
        assert [one["code"] for one in job["warnings"] if one["code"] != "SAME_FILE"] == []
        assert (plan["refused"], plan["changes"]) == ([], [])
    done = books.merged(changed(content))
    assert (done.result.inserted, done.result.updated, done.result.unchanged) == (0, 0, 4)


def test_each_cell_lands_where_it_belongs(books: Workbooks) -> None:
    """Mine go in, theirs stay, both alike are nothing; undo takes all of it back."""
    _, content = books.export()
    books.set(1, nome="Beatriz", n=22)
    before = books.rows()
    returned = changed(
        content, put(B2="Anna", D3=21.5, C3=22, D4=7), lambda sheet: sheet.append([None, "Eva", 5])
    )
    plan = books.plan(returned)
    assert counts(plan) == (1, 3, 3, 1, 0, 0)
    assert [(one["line"], one["column"], one["after"]) for one in plan["changes"]] == [
        (2, "nome", "Anna"),
        (3, "v", Decimal("21.5")),
        (4, "v", 7),
    ]
    job = books.merged(returned)
    assert (job.mode, job.result.inserted, job.result.updated) == ("merge", 1, 3)
    assert books.table.values("nome", "n", "v")[:3] == [
        ("Anna", 1, Decimal("10.5")),
        ("Beatriz", 22, Decimal("21.5")),
        ("Caio", 3, 7),
    ]
    history = books.table.rows.call("GET", f"/{before[0]['id']}/history").body["records"]
    assert (history[0]["via"], history[0]["job_id"]) == ("workbook", job.job_id)
    assert Loads(None, books.table).undone(job) == (1, 3, 0)  # type: ignore[arg-type]
    assert books.rows() == before


def test_a_cell_that_two_have_changed_is_asked_about(books: Workbooks) -> None:
    _, content = books.export()
    books.set(0, nome="Anita", n=11)
    returned = changed(content, put(B2="Anna", C2=12))
    job_id = books.upload(returned)
    plan = books.job(job_id)["merge_plan"]
    assert counts(plan) == (0, 0, 0, 3, 0, 2)
    row_id = books.rows()[0]["id"]
    first = plan["conflicts"][0]
    names = ("row_id", "line", "column", "base", "theirs", "mine")
    assert tuple(first[name] for name in names) == (row_id, 2, "nome", "Ana", "Anita", "Anna")
    as_texts = books.company.http.get(f"{JOBS}/{job_id}?numbers=string", headers=books.table.rows.headers())
    second = as_texts.json()["merge_plan"]["conflicts"][1]
    assert (second["theirs"], second["mine"]) == ("11", "12")
    assert first["by"]
    assert first["at"]
    refused = books.confirm(job_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICTS_OPEN")
    one = [{"row_id": row_id, "column": "nome", "take": "mine"}]
    assert books.confirm(job_id, conflicts=one).status_code == 409
    both = [*one, {"row_id": row_id, "column": "n", "take": "theirs"}]
    assert books.confirm(job_id, conflicts=both).status_code == 200
    assert books.reports.insert(job_id) == "done"
    assert books.table.values("nome", "n")[0] == ("Anna", 11)


def test_a_conflict_that_comes_later_waits_for_a_person(books: Workbooks) -> None:
    _, content = books.export()
    job_id = books.upload(changed(content, put(B2="Anna")))
    assert books.confirm(job_id).status_code == 200
    books.set(0, nome="Anita")
    assert books.reports.insert(job_id) == "rejected"
    books.reports.let_wait(job_id)
    job = books.job(job_id)
    assert (job["error"]["code"], job["merge_plan"]["conflicts_total"]) == ("CONFLICTS_OPEN", 1)
    assert books.confirm(job_id, conflicts="mine").status_code == 200
    assert books.reports.insert(job_id) == "done"
    assert books.table.values("nome")[0] == ("Anna",)


def test_a_row_that_others_deleted_comes_back_only_as_mine(books: Workbooks) -> None:
    _, content = books.export()
    deleted = books.rows()[0]
    books.delete(0)
    returned = changed(content, put(B2="Anna"))
    plan = books.plan(returned)
    assert (plan["conflicts_total"], plan["conflicts"][0]["theirs"]) == (1, None)
    books.merged(returned, conflicts="theirs")
    assert len(books.rows()) == 3
    job = books.merged(returned, conflicts="mine")
    assert {**deleted, "nome": "Anna"} in books.rows()
    assert Loads(None, books.table).undone(job) == (1, 0, 0)  # type: ignore[arg-type]
    assert len(books.rows()) == 3


def test_rows_that_are_absent_stay_unless_asked(books: Workbooks) -> None:
    _, content = books.export()
    before = books.rows()
    returned = changed(content, lambda sheet: sheet.delete_rows(3, 2))
    assert counts(books.plan(returned)) == (0, 0, 0, 2, 2, 0)
    assert books.merged(returned).result.deleted == 0
    assert books.rows() == before
    job = books.merged(returned, delete_absent=True)
    assert (job.result.deleted, len(books.rows())) == (2, 2)
    assert books.table.get()["row_count"] == 2
    trash = books.company.http.get(
        f"/v1/managed-tables/{books.table.table_id}/trash", headers=books.table.rows.headers()
    )
    assert [one["nome"] for one in trash.json()["records"]] == ["Caio", "Bia"], trash.text
    assert Loads(None, books.table).undone(job) == (0, 2, 0)  # type: ignore[arg-type]
    assert books.rows() == before


def shuffled(rows: range, columns: int, *, with_ids: bool) -> Change:
    """Return the change that sorts the rows by name, downwards."""

    def change(sheet: Any) -> None:
        first = 1 if with_ids else 2
        cells = [[sheet.cell(row, place).value for place in range(first, columns + 1)] for row in rows]
        for row, values in zip(rows, cells[::-1], strict=True):
            for place, value in zip(range(first, columns + 1), values, strict=True):
                sheet.cell(row, place).value = value

    return change


def test_sorted_with_its_ids_it_is_the_same(books: Workbooks) -> None:
    _, content = books.export()
    returned = changed(content, shuffled(range(2, 6), 7, with_ids=True), put(B2="Davi II"))
    assert counts(books.plan(returned)) == (0, 1, 1, 3, 0, 0)


def test_sorted_without_its_ids_nothing_is_written(books: Workbooks) -> None:
    _, content = books.export()
    before = books.rows()
    job_id = books.upload(changed(content, shuffled(range(2, 6), 7, with_ids=False), put(B2="Zélia")))
    job = books.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "IDS_MISALIGNED")
    assert job["error"]["details"][0]["line"] == 3
    assert books.rows() == before


def test_columns_are_found_wherever_they_are(books: Workbooks) -> None:
    """Renamed, moved, one short and one of the person's own: the table's others are not touched."""

    def rearrange(sheet: Any) -> None:
        sheet["B1"] = "Cliente"
        sheet.move_range("C1:C5", cols=7)
        sheet["J1"].number_format, sheet["C1"].number_format = sheet["C1"].number_format, "General"
        for row in range(1, 6):
            sheet.cell(row, 5).value = None
        sheet["E1"].number_format = "General"
        sheet["K1"], sheet["K2"] = "Minha nota", "ver depois"
        sheet["J3"], sheet["B3"] = 222, "Beatriz"

    _, content = books.export()
    job_id = books.upload(changed(content, rearrange))
    job = books.job(job_id)
    assert counts(job["merge_plan"]) == (0, 1, 2, 3, 0, 0)
    told = [one["code"] for one in job["warnings"]]
    assert "COLUMNS_NOT_MERGED" in told
    assert books.confirm(job_id).status_code == 200
    assert books.reports.insert(job_id) == "done"
    assert books.table.values("nome", "n", "pago")[1] == ("Beatriz", 222, False)


def test_a_copied_row_is_a_new_one(books: Workbooks) -> None:
    def copy(sheet: Any) -> None:
        for place in range(1, 8):
            sheet.cell(6, place).value = sheet.cell(2, place).value
        sheet["B6"] = "Ana Maria"

    _, content = books.export()
    returned = changed(content, copy)
    plan = books.plan(returned)
    assert (counts(plan), plan["copied"]) == ((1, 0, 0, 4, 0, 0), 1)
    books.merged(returned)
    assert books.table.values("nome")[-1] == ("Ana Maria",)


def test_cells_that_do_not_fit_are_refused_by_line(books: Workbooks) -> None:
    _, content = books.export()
    returned = changed(content, put(C2="muitos", B3=None, D4="=1+1", B5="David"))
    job_id = books.upload(returned)
    plan = books.job(job_id)["merge_plan"]
    assert [(one["line"], one["column"]) for one in plan["refused"]] == [(2, "n"), (3, "nome"), (4, "v")]
    assert counts(plan) == (0, 1, 1, 0, 0, 0)
    assert books.confirm(job_id).status_code == 200
    assert books.reports.insert(job_id) == "rejected"
    books.reports.let_wait(job_id)
    assert books.confirm(job_id, on_misfit="skip").status_code == 200
    assert books.reports.insert(job_id) == "done", books.reports.job(job_id).error
    assert books.table.values("nome") == [("Ana",), ("Bia",), ("Caio",), ("David",)]


def test_rules_judge_rows_as_they_are_to_stand(books: Workbooks) -> None:
    rules = [
        {"id": "r_n", "kind": "range", "columns": ["n"], "max": 100},
        {"id": "r_u", "kind": "unique", "columns": ["nome"]},
    ]
    books.table.changed(rules=rules)
    _, content = books.export()
    returned = changed(content, put(C2=101, B3="Caio", B5="David"))
    job_id = books.upload(returned)
    plan = books.job(job_id)["merge_plan"]
    assert [(one["line"], one["column"], one["code"]) for one in plan["refused"]] == [
        (2, "n", "RULE_BROKEN"),
        (3, "nome", "RULE_BROKEN"),
    ]
    assert books.confirm(job_id).status_code == 200
    assert books.reports.insert(job_id) == "rejected"
    books.reports.let_wait(job_id)
    assert books.confirm(job_id, on_misfit="skip").status_code == 200
    assert books.reports.insert(job_id) == "done"
    assert books.table.values("nome")[-1] == ("David",)


def test_without_its_base_it_is_a_file_like_others(books: Workbooks, loading_company: RowsCompany) -> None:
    """In another table, or when the base is gone: told, and the ids are no column."""
    export, content = books.export()
    other = created(loading_company, column("nome"), column("n", "integer"))
    job = books.job(books.upload(content, other))
    assert (job["mode"], job["merge_plan"]) == ("append", None)
    services = loading_company.services
    company_id = loading_company.company.company_id
    services.storage.delete(base_key(company_id, books.table.table_id, export.base_id, BASE))
    job = books.job(books.upload(content))
    assert job["mode"] == "append"
    assert "WORKBOOK_BASE_GONE" in [one["code"] for one in job["warnings"]]
    assert job["inferred_schema"]["columns"][0]["name"] == "nome"
    asked = books.job(books.upload(content, mode="merge", states_mode=True))
    assert (asked["status"], asked["error"]["code"]) == ("failed", "WORKBOOK_BASE_GONE")


@pytest.mark.parametrize("kept", ["property", "name", "header"])
def test_one_token_is_enough(books: Workbooks, kept: str) -> None:
    _, content = books.export()
    book: Any = openpyxl.load_workbook(io.BytesIO(content))
    if kept != "property":
        for one in list(book.custom_doc_props.props):
            del book.custom_doc_props[one.name]
    if kept != "name":
        del book.defined_names["managed_tables_export"]
    if kept != "header":
        book.worksheets[0]["A1"] = "id"
    made = io.BytesIO()
    book.save(made)
    assert counts(books.plan(made.getvalue())) == (0, 0, 0, 4, 0, 0)


def in_1904(book: Any) -> None:
    """Days count from 1904, as in workbooks of old Macs."""
    book.epoch = CALENDAR_MAC_1904


def with_15_digits(book: Any) -> None:
    """Numbers have the digits that a program shows."""
    for (cell,) in book.worksheets[0]["D2:D5"]:
        cell.value = None if cell.value is None else float(f"{cell.value:.15g}")


def with_words(book: Any) -> None:
    """Yes and no are words, in the language of the program."""
    for (cell,) in book.worksheets[0]["E2:E5"]:
        cell.value = {True: "VERDADEIRO", False: "FALSO", None: None}[cell.value]


def filtered(book: Any) -> None:
    """A filter hides rows, and a person a column."""
    sheet = book.worksheets[0]
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[5].hidden = True
    sheet.column_dimensions["C"].hidden = True


def behind_another_sheet(book: Any) -> None:
    """A sheet of one's own stands in front."""
    notes = book.create_sheet("Contas", 0)
    for row in (["nome", "n"], ["Soma", 10], ["Média", 2.5]):
        notes.append(row)
    book.active = 0


def with_a_title(book: Any) -> None:
    """Lines are put above the header, and a note under the rows, in a column of its own."""
    sheet = book.worksheets[0]
    sheet.insert_rows(1, 2)
    sheet["B1"] = "Conferido em março"
    sheet.tables.clear()


def with_formulas(book: Any) -> None:
    """A cell is the formula that has its value."""
    book.worksheets[0]["C2"] = "=0+1"


def packed_again(content: bytes, change: Callable[[str], str]) -> bytes:
    """Return the workbook with its sheet's XML changed, as another program writes the same."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            is_sheet = name == "xl/worksheets/sheet1.xml"
            new.writestr(name, change(part.decode()).encode() if is_sheet else part)
    return made.getvalue()


def prefixed(xml: str) -> str:
    """Return the XML with a prefix before each element of the main namespace."""
    xml = re.sub(r"<(/?)(?=[a-zA-Z])(?![a-zA-Z0-9]+:)", r"<\1x:", xml)
    return xml.replace("xmlns=", "xmlns:x=", 1)


@pytest.mark.parametrize(
    "change", [in_1904, with_15_digits, with_words, filtered, behind_another_sheet, with_a_title]
)
def test_what_programs_and_people_do_is_no_change(books: Workbooks, change: Change) -> None:
    _, content = books.export()
    book: Any = openpyxl.load_workbook(io.BytesIO(content))
    change(book)
    made = io.BytesIO()
    book.save(made)
    plan = books.plan(made.getvalue())
    assert (plan["changes"], plan["refused"]) == ([], [])
    assert counts(plan) == (0, 0, 0, 4, 0, 0)


def test_another_programs_xml_is_no_change(books: Workbooks) -> None:
    _, content = books.export()
    assert counts(books.plan(packed_again(content, prefixed))) == (0, 0, 0, 4, 0, 0)


def test_a_formulas_value_is_the_cells(books: Workbooks) -> None:
    """With its result it is a value like others; without, the row is refused by its cell."""
    _, content = books.export()
    book: Any = openpyxl.load_workbook(io.BytesIO(content))
    with_formulas(book)
    made = io.BytesIO()
    book.save(made)
    plan = books.plan(made.getvalue())
    assert [(one["line"], one["column"], one["code"]) for one in plan["refused"]] == [(2, "n", "REQUIRED")]
    calculated = partial(re.sub, r"<f>0\+1</f>(<v ?/>|<v></v>)", "<f>0+1</f><v>1</v>")
    known = packed_again(made.getvalue(), calculated)
    assert counts(books.plan(known)) == (0, 0, 0, 4, 0, 0)


TEXTS = [
    "=1+1", "'x", " nas pontas ", "linha 1\nlinha 2", "a\r\nb", "00123", "1,5", "1e5", "31/12/2026",
    "VERDADEIRO", "#N/A", "-", "null", "", " ", "é😀", "_x0041_", "a;b\tc", "<b>&amp;", "Total", "n/d", "12%",
    "R$ 5,00", "\x01",
]  # fmt: skip
NUMBERS = [0, -1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 12345678901234567]
DECIMALS = [
    "0.1", "0.30000000000000004", "-0.000001", "123456789012345678901234567890.123456789", "1.50", "1e20",
    "1234.567", "0.1234567890123456789", "99999999999999.99", "12345678901234567", "1000000", "0.005",
]  # fmt: skip
DAYS = [
    "0001-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1900-02-28", "1900-03-01", "2026-02-03",
    "9999-12-31",
]  # fmt: skip
MOMENTS = [
    "0001-01-01T00:00:00Z", "1899-12-31T12:00:00Z", "2026-02-03T04:05:06Z", "2026-02-03T04:05:06.789Z",
    "2026-02-03T04:05:06.789012Z", "9999-12-31T23:59:59Z", "2018-11-04T02:30:00Z", "2026-01-01T00:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("shown", [False, True])
def test_values_of_every_kind_come_back_as_they_went(loading_company: RowsCompany, shown: bool) -> None:
    """Written by us and saved by openpyxl: 0 changes, whatever the table shows them as."""
    formats: dict[str, Any] = {
        "n": {"thousands": True},
        "v": {"percent": True},
        "dia": {"date": "month"},
        "quando": {"date": "date"},
    }
    columns = [
        column("t"),
        column("n", "integer"),
        column("v", "decimal"),
        column("pago", "boolean"),
        column("dia", "date"),
        column("quando", "datetime"),
        column("ultimo"),
    ]
    for one in columns:
        if shown and one["name"] in formats:
            one["format"] = formats[one["name"]]
    table = created(loading_company, *columns)
    kinds: dict[str, list[Any]] = {
        "t": TEXTS,
        "n": NUMBERS,
        "v": DECIMALS,
        "pago": [True, False],
        "dia": DAYS,
        "quando": MOMENTS,
    }
    table.rows.insert(
        *(
            {name: values[place % len(values)] for name, values in kinds.items()}
            for place in range(len(TEXTS))
        )
    )
    table.rows.insert(*({"ultimo": text} for text in TEXTS))
    books = Workbooks(table)
    _, content = books.export()
    total = 2 * len(TEXTS)
    for returned in (content, changed(content)):
        plan = books.plan(returned)
        assert (plan["changes"], plan["refused"]) == ([], [])
        assert counts(plan) == (0, 0, 0, total, 0, 0)


Cells = dict[str, dict[str, Any]]
NAMES = ("a", "b", "c")


def merged_by_hand(base: Cells, theirs: Cells, mine: Cells, take: str) -> tuple[Cells, set[tuple[str, str]]]:
    """Return what a table becomes, and its conflicts: the model that the merge is held to."""
    table, conflicts = {row_id: {**row} for row_id, row in theirs.items()}, set()
    for row_id, row in mine.items():
        for name in NAMES:
            if row[name] == base[row_id][name] or row[name] == theirs.get(row_id, {}).get(name, object()):
                continue
            is_contested = row_id not in theirs or theirs[row_id][name] != base[row_id][name]
            if is_contested:
                conflicts.add((row_id, name))
            if not is_contested or take == "mine":
                table.setdefault(row_id, {**base[row_id]})[name] = row[name]
    return table, conflicts


@pytest.mark.parametrize("part", range(2))
def test_random_histories_are_merged_as_by_hand(
    loading_company: RowsCompany, part: int, pytestconfig: pytest.Config
) -> None:
    """Others edit and delete rows while a workbook is changed and sorted: no conflict missed or invented."""
    table = created(loading_company, column("a"), column("b", "integer"), column("c", "decimal"))
    books = Workbooks(table)
    draw = random.Random(part)  # noqa: S311 - a fixed one
    pools: dict[str, list[Any]] = {
        "a": ["x", "y", "z w", None], "b": [1, 2, 30, None], "c": [Decimal("1.5"), Decimal(7), None],
    }  # fmt: skip
    for _ in range(pytestconfig.getoption("--histories") // 2):
        books.delete_all()
        rows = [{name: draw.choice(pools[name]) for name in NAMES} for _ in range(draw.randint(1, 6))]
        for number, row in enumerate(rows):
            row["a"] = f"{row['a']} {number}"
        table.rows.insert(*[{**row, "c": str(row["c"]) if row["c"] is not None else None} for row in rows])
        base = books.cells()
        _, content = books.export()
        for row_id in base:
            if draw.random() < 0.15:
                table.rows.call("DELETE", f"/{row_id}")
            elif draw.random() < 0.5:
                name = draw.choice(NAMES)
                value = draw.choice(pools[name])
                table.rows.call(
                    "PUT", f"/{row_id}", body={name: str(value) if isinstance(value, Decimal) else value}
                )
        theirs, mine = books.cells(), {row_id: {**row} for row_id, row in base.items()}
        book = openpyxl.load_workbook(io.BytesIO(content))
        sheet = book.worksheets[0]
        for line in range(2, sheet.max_row + 1):
            for place, name in enumerate(NAMES, start=2):
                if draw.random() < 0.3:
                    value = draw.choice(pools[name])
                    mine[str(sheet.cell(line, 1).value)][name] = value
                    sheet.cell(line, place).value = value
        if draw.random() < 0.5:
            shuffled(range(2, sheet.max_row + 1), 4, with_ids=True)(sheet)
        made = io.BytesIO()
        book.save(made)
        take = draw.choice(["mine", "theirs"])
        wanted, conflicts = merged_by_hand(base, theirs, mine, take)
        job_id = books.upload(made.getvalue())
        plan = books.job(job_id)["merge_plan"]
        assert {(one["row_id"], one["column"]) for one in plan["conflicts"]} == conflicts
        assert plan["conflicts_total"] == len(conflicts)
        assert books.confirm(job_id, conflicts=take).status_code == 200
        assert books.reports.insert(job_id) == "done", books.reports.job(job_id).error
        assert books.cells() == wanted
