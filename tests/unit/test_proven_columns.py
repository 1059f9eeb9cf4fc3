"""Columns whose every cell analyze has seen convert are loaded without testing each cell again."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import ColumnType
from managed_tables_analyze.analysis import analyze
from managed_tables_insert.plan import LoadPlan, make_plan
from managed_tables_reader.reading_files import SourceFile

ROWS = [
    ("pedido", "valor", "dia", "quando", "ativo", "cep", "lacuna", "texto"),
    ("100", "R$ 1.234,50", "31/12/2024", "31/12/2024 10:30:00", "sim", "01310100", "5", "a"),
    ("200", "-0,5", "1/2/24", "1/2/2024 9:05", "não", "20040002", "-", "b"),
    ("300", "", "2024-02-29", "2024-02-29T08:00:01,250", "sim", "30110000", " ", " c"),
    ("400", "(2.000,00)", "05.03.0999", "05/03/2024 23:59:59 -03:00", "não", "40010000", "7", "#N/D"),
]
PROVEN = {"pedido", "valor", "dia", "quando", "ativo"}


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AnalysisDocument]:
    """The staged object and the analysis of the rows."""
    folder = tmp_path_factory.mktemp("proven")
    file = folder / "pedidos.csv"
    file.write_text("".join(";".join(row) + "\n" for row in ROWS), encoding="utf-8")
    found = analyze([SourceFile(file, file.name)], folder, ZoneInfo("UTC"))
    return found.staged, found.document


def plan_of(
    analysed: tuple[Path, AnalysisDocument], terms: dict[str, Any] | None = None, **types: ColumnType
) -> LoadPlan:
    staged, analysis = analysed
    columns = [one.column for one in analysis.inferred_schema.columns]
    confirmed = [one.model_copy(update={"type": types.get(one.name, one.type)}) for one in columns]
    return make_plan(staged, analysis, confirmed, "UTC", LoadTerms.model_validate(terms or {}))


def proven(plan: LoadPlan) -> set[str]:
    return {one.column.name for one in plan.columns if one.is_proven}


def rows(plan: LoadPlan) -> list[tuple[Any, ...]]:
    values = ", ".join(one.value() for one in plan.columns)
    return duckdb.execute(f"SELECT {values} FROM {plan.rows} ORDER BY file_row_number").fetchall()  # noqa: S608


def test_a_column_is_proven_if_every_cell_was_seen_to_convert(
    analysed: tuple[Path, AnalysisDocument],
) -> None:
    """Columns with blank cells or null tokens are not proven, nor are texts."""
    assert proven(plan_of(analysed)) == PROVEN


def test_a_proven_column_gives_the_same_values_as_a_tested_one(
    analysed: tuple[Path, AnalysisDocument],
) -> None:
    """Every form of a number, a date and a datetime, NULL included."""
    plan = plan_of(analysed)
    tested = replace(plan, columns=tuple(replace(one, is_proven=False) for one in plan.columns))
    assert rows(plan) == rows(tested)
    assert [row[2].isoformat() for row in rows(plan)] == [
        "2024-12-31",
        "2024-02-01",
        "2024-02-29",
        "0999-03-05",
    ]
    assert [row[1] for row in rows(plan)] == ["1234.50", "-0.5", None, "-2000.00"]


def test_a_persons_choices_invalidate_the_proof(analysed: tuple[Path, AnalysisDocument]) -> None:
    """Another type, another format, other null tokens."""
    assert proven(plan_of(analysed, pedido=ColumnType.DECIMAL)) == PROVEN - {"pedido"}
    terms = {"choices": {"valor": {"decimal_mark": "."}, "dia": {"null_tokens": ["x"]}}}
    assert proven(plan_of(analysed, terms)) == PROVEN - {"valor", "dia"}
