"""How analyze proposes that the values of a column are shown."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from managed_tables_analyze.analysis import analyze
from managed_tables_reader.reading_files import SourceFile

PLAIN, MARKED = {"thousands": False}, {"thousands": True}
MONEY = {"thousands": True, "currency": "BRL", "decimals": 2}


def _proposed(folder: Path, label: str, cells: list[str]) -> tuple[str, dict[str, Any] | None]:
    path = folder / "a.csv"
    path.write_text("\n".join([f"{label};x", *(f"{cell};a" for cell in cells)]), encoding="utf-8")
    found = analyze([SourceFile(path, "a.csv")], folder, ZoneInfo("UTC")).document.inferred_schema.columns[0]
    return found.type, found.format.model_dump(exclude_none=True) if found.format else None


@pytest.mark.parametrize(
    ("label", "cells", "expected"),
    [
        ("Ano", ["2023", "2024"], ("integer", PLAIN)),
        ("Referência", ["1998", "2024", "2024"], ("integer", PLAIN)),
        ("Nº do pedido", ["10533", "99120"], ("integer", PLAIN)),
        ("Pedido", ["10533", "99120"], ("integer", PLAIN)),
        ("Caso", [str(one) for one in range(10_000, 10_020)], ("integer", PLAIN)),
        ("Habitantes", ["10533", "99120", "7"], ("integer", MARKED)),
        ("Qtd. de pedidos", ["10533", "99120"], ("integer", MARKED)),
        ("Valor", ["10,5", "1.099,25"], ("decimal", MARKED)),
        ("Valor", ["R$ 10,50", "R$ 1.099,25"], ("decimal", MONEY)),
        ("Valor (R$)", ["10,50", "1.099,25"], ("decimal", MONEY)),
        ("Preço (R$)", ["10,505", "1,25"], ("decimal", {"thousands": True, "currency": "BRL"})),
        ("Taxa", ["12,5%", "3,1%"], ("decimal", {"percent": True})),
        ("Dia", ["31/12/2025", "01/01/2026"], ("date", {"date": "date"})),
        ("Quando", ["31/12/2025 10:30", "01/01/2026 00:01"], ("datetime", {"date": "datetime"})),
        ("CEP", ["01310-100", "20040-002"], ("text", None)),
        ("Pago", ["sim", "não"], ("boolean", None)),
    ],
    ids=str,
)
def test_years_orders_and_codes_have_no_thousands_mark(
    tmp_path: Path, label: str, cells: list[str], expected: tuple[str, dict[str, Any] | None]
) -> None:
    assert _proposed(tmp_path, label, cells) == expected
