"""Facts about files that are read under what their table remembers (extensions 8)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from reports import COLUMNS, MAY, TERMS, Reports, ask, recipe_of
from tables_client import TableClient

from managed_tables.catalog.keys import job_key
from managed_tables.documents.recipes import Difference
from managed_tables.documents.statements import LoadTerms, ReadingStatement
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.reanalysis import reanalyze_job

JUNE = "Produto;Vlr. Total;Data\nleite;2.345,60;01/06/2026\nmel;n/d;02/06/2026\n"
UNDATED = MAY.replace(";Data", "").replace(";01/05/2026", "").replace(";02/05/2026", "")


@pytest.fixture
def table_id(reports: Reports) -> str:
    """A table that remembers the report of May."""
    return reports.load(MAY).table_id


def differences(reports: Reports, content: str | bytes, table_id: str) -> list[Difference]:
    recipe = reports.analysis(reports.wait(content, table_id)).recipe
    assert recipe is not None
    return recipe.differences


def codes(reports: Reports, content: str | bytes, table_id: str) -> set[tuple[str, str]]:
    return {(one.code, one.severity) for one in differences(reports, content, table_id)}


def test_a_header_is_followed_and_its_columns_feed_what_they_fed(reports: Reports, table_id: str) -> None:
    content = "Loja 1\n\n\n\n\nData;PRODUTO;vlr.  total\n01/06/2026;leite;2.345,60\n02/06/2026;mel;n/d\n"
    job_id = reports.wait(content, table_id)
    found = reports.analysis(job_id)
    assert found.reading is not None
    assert found.reading.tables[0].header_line == 6
    assert found.append_plan is not None
    fed = [["Data", "data"], ["PRODUTO", "produto"], ["vlr.  total", "valor_total"]]
    assert found.append_plan.matched == fed
    assert (found.append_plan.new, found.append_plan.missing, found.append_plan.conflicts) == ([], [], [])
    assert found.recipe is not None
    assert (found.recipe.version, found.recipe.verdict) == (1, "unchanged")
    assert {one.code for one in found.recipe.differences} == {"HEADER_MOVED", "COLUMNS_REORDERED"}


def test_the_code_page_of_before_is_taken_where_bytes_do_not_decide(reports: Reports) -> None:
    table = reports.load(MAY.encode("mac_roman"))
    june = JUNE.replace("leite", "1ª via")
    found = reports.analysis(reports.wait(june.encode("mac_roman"), table.table_id))
    assert found.inferred_schema.sample_rows[0]["produto"] == "1ª via"
    assert ("ENCODING_CHANGED", "told") not in codes(reports, JUNE, table.table_id)
    clear = june.replace("mel", "pão").encode("cp1252")
    assert ("ENCODING_CHANGED", "told") in codes(reports, clear, table.table_id)


def test_what_was_chosen_holds_unless_a_confirmation_says_otherwise(reports: Reports, table_id: str) -> None:
    sources = {"valor_total": TERMS.choice("valor_total").model_copy(update={"null_tokens": None})}
    job_id = reports.wait(JUNE, table_id)
    reports.confirm(job_id, COLUMNS, LoadTerms(choices=sources))
    assert reports.insert(job_id) == "done"
    assert reports.rows()[2:] == [("leite", "2345.60", "2026-06-01"), ("mel", None, "2026-06-02")]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (JUNE, {("HEADER_MOVED", "told")}),
        (MAY.replace("Total;", "Total;Loja;").replace("0;0", "0;A;0"), {("COLUMN_NEW", "check")}),
        (MAY.replace("Total;", "Total;Produto;").replace("0;0", "0;A;0"), {("COLUMN_NEW", "check")}),
        (MAY.replace("Vlr. Total", "Valor Total (R$)"), {("COLUMN_RENAMED", "check")}),
        (MAY.replace("Vlr. Total", "Desconto").replace("n/d", "9,50"), {("COLUMN_RENAMED", "check")}),
        (
            MAY.replace("Vlr. Total", "Situação").replace("1.234,50", "pago"),
            {("COLUMN_MISSING", "check"), ("COLUMN_NEW", "check")},
        ),
        (UNDATED, {("COLUMN_MISSING", "check")}),
        (MAY.replace("1.234,50", "1,234.50"), {("MARK_CHANGED", "stop")}),
        (MAY.replace("01/05", "05/31").replace("02/05", "05/30"), {("DATE_ORDER_CHANGED", "stop")}),
        (MAY.replace("1.234,50", "dez"), {("TYPE_CHANGED", "stop")}),
        (MAY.replace(";", "|"), {("DELIMITER_CHANGED", "told")}),
        (MAY.encode("cp1252"), {("ENCODING_CHANGED", "told")}),
        (MAY.replace("1.234,50", "1.234.000,50"), {("VALUES_CHANGED", "check")}),
        (MAY + "leite;999,00;03/05/2026\n" * 18, {("ROWS_CHANGED", "check")}),
    ],
)
def test_each_difference_has_its_code_and_severity(
    reports: Reports, table_id: str, content: str | bytes, found: set[tuple[str, str]]
) -> None:
    assert codes(reports, content, table_id) == found


def test_a_renamed_column_has_the_pictures_of_before_and_of_this_file(
    reports: Reports, table_id: str
) -> None:
    may = MAY.replace("Vlr. Total", "Valor Total (R$)").replace("n/d", "-9,50")
    [found] = differences(reports, may, table_id)
    assert found.pictures is not None
    before, after = found.pictures.before, found.pictures.after
    assert before is not None
    assert (before.label, before.type, before.rows, before.empty) == ("Vlr. Total", "decimal", 2, 0.5)
    assert (before.negative, before.least, before.greatest) == (0, 1234.5, 1234.5)
    assert (after.label, after.type, after.rows, after.empty) == ("Valor Total (R$)", "decimal", 2, 0)
    assert (after.negative, after.least, after.greatest) == (0.5, 9.5, 1234.5)


def test_a_renamed_column_of_days_shows_them_as_dates(reports: Reports, table_id: str) -> None:
    [found] = differences(reports, MAY.replace(";Data", ";Data da venda"), table_id)
    assert found.pictures is not None
    assert (found.pictures.after.least, found.pictures.after.greatest) == ("2026-05-01", "2026-05-02")


def test_an_order_that_both_readings_allow_is_told_by_a_cell(reports: Reports, table_id: str) -> None:
    days = MAY.replace("01/05/2026", "2026-05-01").replace("02/05/2026", "2026-05-02")
    [found] = differences(reports, days, table_id)
    assert (found.code, found.lines) == ("DATE_ORDER_CHANGED", [5, 6])
    assert '(como "2026-05-01")' in found.text


def test_days_and_numbers_of_json_contradict_nothing_before_or_after(reports: Reports) -> None:
    """Neither do numbers without a mark."""
    columns = [COLUMNS[1].model_copy(update={"name": "qtd"}), *COLUMNS[1:]]
    june, labels = '[{"Qtd": 2, "Vlr. Total": 1.5, "Data": "2026-06-01"}]', "Qtd;Vlr. Total;Data"
    table_id: str | None = None
    for content, name in ((june, "a.json"), (f"{labels}\n1;1.25;05/13/2026\n", "b.csv"), (june, "c.json")):
        job_id = reports.wait(content, table_id, name=name)
        recipe = reports.analysis(job_id).recipe
        assert recipe is None or recipe.differences == []
        reports.confirm(job_id, columns)
        assert reports.insert(job_id) == "done"
        table_id = reports.job(job_id).user_table_id
    found = differences(reports, f"{labels}\n3;1,75;13/07/2026\n", table_id or "")
    contradicted = {one.column: one.code for one in found}
    assert contradicted == {"valor_total": "MARK_CHANGED", "data": "DATE_ORDER_CHANGED"}


def test_codes_that_have_lost_their_zeros_are_told(reports: Reports) -> None:
    table = reports.load("Produto\n007\n012\n", columns=COLUMNS[:1], terms=LoadTerms())
    [found] = differences(reports, "Produto\n7\n112\n", table.table_id)
    assert (found.code, found.column, found.before, found.after) == ("VALUES_CHANGED", "produto", "999", "7")


def test_a_column_that_every_row_needs_stops_where_it_is_missing(reports: Reports) -> None:
    required = COLUMNS[2].model_copy(update={"nullable": False})
    table = reports.load(MAY, columns=[*COLUMNS[:2], required])
    [found] = differences(reports, UNDATED, table.table_id)
    assert (found.code, found.severity, found.before) == ("REQUIRED_MISSING", "stop", "Data")


def auto_confirmed(reports: Reports, **changes: str) -> TableClient:
    table = reports.load(MAY)
    assert ask(table, "PUT", {"auto_confirm": "unchanged", **changes}).status_code == 200
    return table


def test_a_file_as_before_confirms_itself_by_the_recipes_mode(reports: Reports) -> None:
    table = auto_confirmed(reports, mode="replace", on_misfit="skip")
    job_id = reports.wait(JUNE, table.table_id)
    with ThreadPoolExecutor(2) as pool:  # delivered twice, at the same time
        outcomes = list(pool.map(reports.insert, [job_id] * 2))
    job = reports.job(job_id)
    assert (job.status, job.mode, job.confirmations, "done" in outcomes) == ("done", "replace", 1, True)
    assert reports.rows() == [("leite", "2345.60", "2026-06-01"), ("mel", None, "2026-06-02")]
    recipe = recipe_of(table)
    assert (recipe["version"], recipe["auto_confirm"], recipe["on_misfit"]) == (3, "unchanged", "skip")


def test_a_mode_that_is_stated_is_not_the_recipes(reports: Reports) -> None:
    """Where they differ a person decides: what was to be added replaces nothing."""
    table = auto_confirmed(reports)
    base = f"/v1/managed-tables/{table.table_id}/upload"
    for kept, stated in (("replace", {"mode": "append"}), ("append", {"mode": "replace"}), ("replace", {})):
        assert ask(table, "PUT", {"mode": kept}).status_code == 200
        body = {"files": [{"name": "a.csv", "size_bytes": 99}], "auto_confirm": "unchanged", **stated}
        answer = table.company.http.post(base, json=body, headers=table.rows.headers())
        job = reports.job(answer.json()["job_id"])
        assert job.states_mode is bool(stated)
        job_id = reports.wait(JUNE, table.table_id, job.mode, states_mode=job.states_mode)
        assert reports.job(job_id).status == ("waiting_confirm" if stated else "analisando")


@pytest.mark.parametrize(
    "content",
    [
        JUNE.replace("2.345,60", "2,345.60"),  # another mark
        JUNE.replace("Data", "Dia"),  # another label
        JUNE.replace("2.345,60", "2.345,60 kg"),  # a value that does not fit
        JUNE.replace("01/06/2026", "01/06/26").replace("02/06/2026", "02/06/26"),  # a doubt
    ],
)
def test_anything_else_waits_for_a_person(reports: Reports, content: str) -> None:
    table = auto_confirmed(reports)
    job = reports.job(reports.wait(content, table.table_id))
    assert (job.status, job.confirms_itself) == ("waiting_confirm", False)


def test_a_file_that_was_loaded_before_waits_for_a_person(reports: Reports) -> None:
    """Its rows would be there twice; where they replace the others, nothing doubles."""
    table = auto_confirmed(reports)
    again = reports.wait(MAY, table.table_id)
    assert (reports.job(again).status, reports.job(again).confirms_itself) == ("waiting_confirm", False)
    assert reports.analysis(again).warnings[0].code == "SAME_FILE"
    assert ask(table, "PUT", {"mode": "replace"}).status_code == 200
    assert reports.job(reports.wait(MAY, table.table_id)).confirms_itself


def test_of_a_file_that_comes_twice_at_once_one_is_loaded(reports: Reports) -> None:
    """The other waits, and says why; one whose rows did not fit gives the file up, and leaves none out."""
    table = auto_confirmed(reports)
    jobs = [reports.wait(JUNE, table.table_id) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(reports.insert, jobs))
    assert sorted(outcomes) == ["done", "rejected"]
    assert len(reports.rows()) == 4
    waiting = reports.job(jobs[outcomes.index("rejected")])
    assert (waiting.status, waiting.confirmations) == ("analisando", 0)
    assert (waiting.error or {"code": ""})["code"] == "FILES_IMPORTED"
    table.changed(key=["produto"])
    assert ask(table, "PUT", {"on_misfit": "skip"}).status_code == 200
    refused = reports.wait(JUNE.replace("Produto", "Vendas;;\nProduto"), table.table_id)
    assert reports.insert(refused) == "rejected"
    assert reports.company.services.imports.find(waiting, reports.job(refused).digests[0]) is None


def test_a_recipe_that_says_otherwise_by_now_leaves_it_to_a_person(reports: Reports) -> None:
    table = auto_confirmed(reports)
    job_id = reports.wait(JUNE, table.table_id)
    assert ask(table, "PUT", {"auto_confirm": "never"}).status_code == 200
    assert reports.insert(job_id) == "rejected"
    assert (reports.job(job_id).status, reports.job(job_id).confirmations) == ("analisando", 0)
    services, company_id = reports.company.services, reports.company.company.company_id
    services.items.change(job_key(company_id, job_id), {"status": "waiting_confirm"})
    reanalyze_job(services, reports.job(job_id), ReadingStatement(timezone="UTC"))
    assert analyze_job(services, company_id, job_id) == {"outcome": "analyzed", "auto_confirm": False}


def test_read_as_if_nothing_were_known_nothing_is_recalled(reports: Reports, table_id: str) -> None:
    job_id = reports.wait(JUNE, table_id)
    reanalyze_job(reports.company.services, reports.job(job_id), ReadingStatement(recipe=False))
    company_id = reports.company.company.company_id
    assert analyze_job(reports.company.services, company_id, job_id)["outcome"] == "analyzed"
    found = reports.analysis(job_id)
    assert (found.recipe, found.wish.recipe) == (None, False)
    assert found.append_plan is not None
    assert [source for source, _ in found.append_plan.matched] == ["Produto", "Data"]
