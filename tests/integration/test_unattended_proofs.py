"""Facts about files that confirm themselves: only where every one of nine proofs holds (extensions 20)."""

import gzip
import io
import zipfile
from collections.abc import Iterable
from datetime import date, timedelta
from typing import get_args

import pytest
from reports import Reports, ask, recipe_of
from tables_client import TableClient

from managed_tables.catalog.keys import job_key
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.recipes import ProofCode
from managed_tables.documents.statements import LoadTerms, ReadingStatement, TableStatement
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.reanalysis import reanalyze_job
from managed_tables_insert.unattended import confirm_unchanged

NAMES = ("café", "pão", "leite", "mel", "mate")
SOURCES = LoadTerms(choices={"valor_total": ColumnChoice(source="vlr_total")})


def sales(first: date, days: int = 20, labels: str = "Produto;Vlr. Total;Data") -> str:
    """Return a report of so many days, whose order and mark can be seen."""
    lines = [
        f"{NAMES[day % 5]};{1000 + 37 * day % 400:,}".replace(",", ".") + f",{day % 90 + 10}"
        f";{first + timedelta(days=day):%d/%m/%Y}"
        for day in range(days)
    ]
    return "\n".join([labels, *lines, ""])


APRIL, MAY, JUNE = (sales(date(2026, month, 2)) for month in (4, 5, 6))


@pytest.fixture
def table(reports: Reports) -> TableClient:
    """A table with two loads, whose files confirm themselves."""
    table = reports.load(APRIL, terms=SOURCES)
    reports.load(MAY, table.table_id, terms=SOURCES)
    assert ask(table, "PUT", {"auto_confirm": "unchanged", "mode": "append"}).status_code == 200
    return table


def open_proofs(reports: Reports, content: str | bytes, table: TableClient, name: str = "a.csv") -> set[str]:
    """Return which proofs do not hold; the job waits exactly where there are any."""
    job_id = reports.wait(content, table.table_id, name=name)
    proofs = reports.analysis(job_id).proofs
    assert proofs is not None
    assert {one.code for one in proofs} == set(get_args(ProofCode))
    found = {one.code for one in proofs if not one.holds}
    assert [one.holds for one in proofs] == sorted(one.holds for one in proofs)
    assert reports.job(job_id).confirms_itself is not bool(found)
    return {*found}


def zipped(members: Iterable[tuple[str, str]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_a_proof_names_the_file_that_its_first_line_is_of(reports: Reports, table: TableClient) -> None:
    july = sales(date(2026, 7, 2)) + "Total geral;22.222,22;\n"
    job_id = reports.wait(zipped([("1.csv", JUNE), ("2.csv", july)]), table.table_id, name="a.zip")
    [found] = [one for one in reports.analysis(job_id).proofs or () if one.code == "EVERY_LINE_ACCOUNTED"]
    assert (found.holds, found.lines) == (False, [22])
    assert found.file is not None
    assert found.file.endswith("2.csv")


def test_a_file_as_before_is_proven_and_loads_itself(reports: Reports, table: TableClient) -> None:
    job_id = reports.wait("Emitido em junho\n\n" + JUNE.upper(), table.table_id)
    assert [one.code for one in reports.analysis(job_id).proofs or () if not one.holds] == []
    assert reports.insert(job_id) == "done"
    assert recipe_of(table)["auto_confirm"] == "unchanged"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text + "Total geral;22.222,22;\n", "EVERY_LINE_ACCOUNTED"),
        (lambda text: text + ";SALDO FINAL;\n", "NO_NEW_STRUCTURE"),
        (
            lambda text: text.replace("mel;", "Subtotal;").replace("Vlr. Total", "Vlr. Total"),
            "NO_NEW_STRUCTURE",
        ),
        (lambda text: text.replace("Vlr. Total", "Desconto"), "SAME_COLUMNS"),
        (lambda text: text.replace(";1.", ";-1."), "SAME_MEANING"),
        (lambda text: text.replace(";1.", ";1001."), "SAME_MEANING"),
        (lambda text: text + "mel;9;x\n", "ALL_FIT"),
        (lambda text: "\n".join(text.splitlines()[:2]) + "\n", "SAME_MEANING"),
        (lambda text: text.replace("2026", "2031"), "SAME_MEANING"),
    ],
)
def test_what_is_not_as_before_is_refuted_by_name(
    reports: Reports, table: TableClient, change: object, code: str
) -> None:
    assert callable(change)
    assert code in open_proofs(reports, change(JUNE), table)


def test_days_that_both_orders_allow_are_shown_by_running_on(reports: Reports) -> None:
    """Twelve days of February are twelve months of the other order, whichever the table has."""
    table = reports.load(sales(date(2026, 1, 5), 26), terms=SOURCES)
    assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
    february = sales(date(2026, 2, 1), 12)
    assert open_proofs(reports, february, table) == set()
    months = february
    for day in range(1, 13):
        months = months.replace(f";{day:02d}/02/2026", f";02/{day:02d}/2026")
    assert "SAME_WRITING" in open_proofs(reports, months, table)


def test_the_same_rows_are_known_in_any_file_and_twice_in_one_job(
    reports: Reports, table: TableClient
) -> None:
    """Also most of them beside new ones; undone, they may come again."""
    windows = MAY.replace("\n", "\r\n")
    for content, name in (
        (windows, "a.csv"),
        (gzip.compress(windows.encode()), "a.csv.gz"),
        (zipped([("maio.csv", MAY)]), "a.zip"),
        (MAY.replace(";", "|"), "a.csv"),
        (MAY + sales(date(2026, 5, 22), 3, "").lstrip(), "a.csv"),
    ):
        assert "NEW_ROWS" in open_proofs(reports, content, table, name)
    twice = zipped([("a.csv", JUNE), ("b.csv", JUNE)])
    assert "NEW_ROWS" in open_proofs(reports, twice, table, "a.zip")
    url = f"/v1/managed-tables/upload-jobs/{recipe_of(table)['job_id']}/undo"
    recipe = recipe_of(table)
    assert table.company.http.post(url, headers=table.rows.headers()).status_code == 200, recipe
    assert "NEW_ROWS" not in open_proofs(reports, MAY, table)


def test_a_row_that_was_skipped_once_takes_no_others_with_it(reports: Reports, table: TableClient) -> None:
    """It leaves no text behind; a recipe that has one from before leaves out nothing unproven."""
    job_id = reports.wait(JUNE, table.table_id, "append")
    services, company_id = reports.company.services, reports.company.company.company_id
    services.items.change(job_key(company_id, job_id), {"status": "waiting_confirm"})
    skipped = TableStatement(file=0, skip_lines=[2])
    reanalyze_job(services, reports.job(job_id), ReadingStatement(tables=[skipped]))
    analyze_job(services, company_id, job_id)
    services.items.change(job_key(company_id, job_id), {"status": "waiting_confirm"})
    reports.confirm(job_id, terms=SOURCES)
    assert reports.insert(job_id) == "done"
    [read] = recipe_of(table)["tables"]
    assert [text for text in read["skip_texts"] if text.startswith("café")] == []


def test_one_load_says_neither_mode_nor_misfits_and_other_columns_end_auto_confirm(
    reports: Reports, table: TableClient
) -> None:
    skipping = SOURCES.model_copy(update={"on_misfit": "skip"})
    assert ask(table, "PUT", {"auto_confirm": "never"}).status_code == 200
    reports.load(JUNE, table.table_id, mode="replace", terms=skipping)
    recipe = recipe_of(table)
    assert (recipe["mode"], recipe["on_misfit"]) == ("append", "reject")
    assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
    for month, label, keeps in ((7, "Desconto", True), (8, "Abatimento", False)):
        source = ColumnChoice(source=label.lower())
        terms = LoadTerms(choices={"valor_total": source}, keep_auto_confirm=keeps)
        content = sales(date(2026, month, 1), labels=f"Produto;{label};Data")
        reports.load(content, table.table_id, terms=terms)
        assert recipe_of(table)["auto_confirm"] == ("unchanged" if keeps else "never")


def test_all_labels_of_a_column_are_kept_the_tables_own_as_well(reports: Reports, table: TableClient) -> None:
    other = sales(date(2026, 6, 2), labels="Produto;Total;Data")
    total = LoadTerms(choices={"valor_total": ColumnChoice(source="total")})
    reports.load(other, table.table_id, terms=total)
    [column] = [one for one in recipe_of(table)["columns"] if one["name"] == "valor_total"]
    assert column["sources"] == ["Total", "Vlr. Total"]
    assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
    assert open_proofs(reports, sales(date(2026, 7, 2)), table) == set()
    own = sales(date(2026, 7, 2), labels="Produto;Valor;Data")
    assert open_proofs(reports, own, table) == set()


def test_the_mode_is_to_be_said_by_somebody(reports: Reports) -> None:
    table = reports.load(APRIL, terms=SOURCES)
    job_id = reports.wait(MAY, table.table_id)
    assert [one.code for one in reports.analysis(job_id).proofs or () if not one.holds] == ["MODE_SET"]
    stated = reports.wait(MAY, table.table_id, states_mode=True)
    assert all(one.holds for one in reports.analysis(stated).proofs or ())


def test_what_changed_meanwhile_is_read_again_once_and_then_waits(
    reports: Reports, table: TableClient
) -> None:
    """A column renamed after the analysis feeds the one that it is now: nothing is lost or added."""
    job_id = reports.wait(JUNE, table.table_id)
    _, total, _ = columns = table.get()["columns"]
    renamed = {**total, "name": "total", "previous_name": "valor_total"}
    table.changed(columns=[columns[0], renamed, columns[2]])
    assert reports.insert(job_id) == "reanalyze"
    services, company_id = reports.company.services, reports.company.company.company_id
    assert analyze_job(services, company_id, job_id) == {"outcome": "analyzed", "auto_confirm": True}
    assert ask(table, "PUT", {"timezone": "America/Manaus"}).status_code == 200
    assert reports.insert(job_id) == "rejected"
    job = reports.job(job_id)
    assert (job.confirmations, (job.error or {"code": ""})["code"]) == (0, "RECIPE_CHANGED")
    answer = table.company.http.get(
        f"/v1/managed-tables/upload-jobs/{job_id}", headers=table.rows.headers()
    ).json()
    services.items.change(job_key(company_id, job_id), {"status": "waiting_confirm"})
    assert answer["proofs"][0]["code"] == "AS_RECALLED"
    assert answer["proofs"][0]["holds"] is False
    again = reports.wait(JUNE, table.table_id)
    assert reports.insert(again) == "done"
    assert len(table.get()["columns"]) == 3


def test_a_change_between_confirmation_and_load_is_met_under_the_loads_lock(
    reports: Reports, table: TableClient
) -> None:
    job_id = reports.wait(JUNE, table.table_id)
    services, company_id = reports.company.services, reports.company.company.company_id
    assert confirm_unchanged(services, reports.job(job_id)) is None
    assert ask(table, "PUT", {"timezone": "America/Manaus"}).status_code == 200
    assert reports.insert(job_id) == "reanalyze"
    assert analyze_job(services, company_id, job_id)["auto_confirm"] is True
    assert reports.insert(job_id) == "done"
    assert table.get()["row_count"] == 60
