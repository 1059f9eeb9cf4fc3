"""The scorecard's page is written from what programs answer about labelled files."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from budgets import ROOT

_SCORECARD = ROOT / "reader" / "scorecard"
_LINES = "Sales of May,,\n,,\nid,name,value\n1,Ana,2.5\n2,Rui,3.5\nTotal,,6.0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Labelled files: two dialects, and the lines of one table."""
    for name, text in {
        "dialects/w3c-csvw/semicolons.csv": "a;b\n1;2\n3;4\n",
        "dialects/w3c-csvw/refused.csv": "Report of May\n\nid;name;value\n1;Ana;2,50\n2;Rui;3,75\n",
        "lines/saus/sales.csv": _LINES,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    rows = ["file\tdelimiter\tquote", "w3c-csvw/semicolons.csv\t;\t", "w3c-csvw/refused.csv\t;\t"]
    (tmp_path / "dialects.tsv").write_text("\n".join(rows) + "\n")
    records = ["metadata", "empty", "header", "data", "data", "derived"]
    (tmp_path / "lines.jsonl").write_text(json.dumps({"file": "saus/sales.csv", "records": records}))
    return tmp_path


def _rows_of(page: Path, program: str) -> list[list[str]]:
    rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    return [cells[1:] for cells in rows if cells[0] == program]


def test_the_page_has_what_each_program_gives(folder: Path) -> None:
    """A refused file is wrong; a header that is not on the first line is found by this reader alone."""
    page = folder / "page.md"
    command = [sys.executable, _SCORECARD / "measure.py", folder, page]
    programs = ["--program", "managed-tables-reader", "--program", "csv.Sniffer"]
    subprocess.run([*command, *programs], check=True, capture_output=True)
    dialects, header, rows, silent, _ = _rows_of(page, "managed-tables-reader")
    assert (dialects[0], header, rows, silent[0]) == ("1.000", ["1.000", "1.000"], ["1.000", "1.000"], "0")
    dialects, header, _, _, _ = _rows_of(page, "csv.Sniffer")
    assert (dialects, header) == (["0.500", "1", "0"], ["0.000", "0.000"])


def test_the_manifest_says_where_files_come_from() -> None:
    """Each set has its place, its licence, and how it was labelled."""
    sets: Mapping[str, Mapping[str, str]] = tomllib.loads((_SCORECARD / "sets.toml").read_text())
    for name, one in sets.items():
        assert set(one) == {"kind", "title", "from", "origin", "licence", "labelled"}, name
        assert one["from"].startswith("https://"), name


def test_the_page_in_the_docs_has_every_set_and_six_other_programs() -> None:
    page = ROOT / "docs" / "scorecard.md"
    sets = tomllib.loads((_SCORECARD / "sets.toml").read_text())
    assert [one["title"] for one in sets.values() if one["title"] not in page.read_text()] == []
    versions = {line.split(" | ")[0].strip("| ") for line in page.read_text().splitlines() if "| " in line}
    others = {"clevercsv", "duckdb", "csv.Sniffer", "csvkit", "pandas", "polars", "frictionless"}
    assert {"managed-tables-reader", *others} <= versions
