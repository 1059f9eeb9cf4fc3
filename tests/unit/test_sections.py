"""Totals and titles above a repeated header: which lines are left out, and how they are reported."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from managed_tables_analyze.analysis import analyze
from managed_tables_reader.reading_files import SourceFile

HEADER = "nome;valor;dia\n"
TOTAL = "Total;99,00;\n"


def rows(name: str) -> str:
    return "".join(f"{name}{number};3,50;{number:02}/01/2024\n" for number in range(1, 9))


def read(folder: Path, text: str) -> tuple[int, dict[str, Any]]:
    """Return the number of rows, and the warnings by their code."""
    path = folder / "vendas.csv"
    path.write_text(text)
    found = analyze([SourceFile(path, path.name)], folder, ZoneInfo("UTC"))
    record = found.document.as_json()
    return found.document.row_count, {warning["code"]: warning for warning in record["warnings"]}


@pytest.mark.parametrize(
    ("end", "lines", "shown"),
    [
        (TOTAL, [10, 20], ["Total 99,00", "Total 99,00"]),
        (TOTAL + "\xa0;\xa0;\n", [10, 11, 21, 22], ["Total 99,00", "Total 99,00"]),
        ('Total;99,00;"a\nb"\n', [10, 21], ["Total 99,00 a\nb", "Total 99,00 a\nb"]),
    ],
)
def test_section_totals_are_left_out_and_reported(
    tmp_path: Path, end: str, lines: list[int], shown: list[str]
) -> None:
    text = HEADER + end.join([rows("ana"), HEADER + rows("bia"), HEADER + rows("caio")])
    count, warnings = read(tmp_path, text)
    assert count == 24
    warning = warnings["SECTION_LINES"]
    assert (warning["lines"], warning["preview"], warning["count"]) == (lines, shown, len(lines))
    assert not warnings.keys() & {"SHORT_ROWS", "SUBTOTAL_LINES"}


def test_a_cell_of_any_length_may_stand_above_a_repeated_header(tmp_path: Path) -> None:
    long = f"{'x' * 200_000};1,00;01/01/2024\n"
    count, warnings = read(
        tmp_path, HEADER + rows("ana") + long + HEADER + rows("bia") + HEADER + rows("caio")
    )
    assert count == 25
    assert "SECTION_LINES" not in warnings
