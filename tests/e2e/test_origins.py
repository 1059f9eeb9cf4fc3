"""Where a row comes from, on the deployed stack: the file and line, its cells as they stand there.

`make test-values` runs 20 loads and looks up 10,000 cells.
"""

import csv
import io
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from client import Console
from openpyxl import Workbook

LABELS = ["Código", "Valor", "Quantidade", "Dia", "Texto", "Pago"]
MODES = ["append", "upsert", "replace", "upsert", "append", "upsert"]

Texts = list[str | None]


@dataclass
class Life:
    """A table and where each of its rows was last written, by its key: the file, line and texts."""

    company: Console
    chance: random.Random
    rows_a_load: int
    table_id: str = ""
    places: dict[str, tuple[str, int, Texts]] = field(default_factory=dict)

    def load(self, number: int) -> None:
        """Load one file of random rows, in a random mode, and note what it wrote."""
        mode = "append" if number == 0 else self.chance.choice(MODES)
        rows = [self._row(f"n{number}x{place}") for place in range(self.rows_a_load)]
        if mode == "upsert":
            known = self.chance.sample(sorted(self.places), min(len(self.places), self.rows_a_load // 2))
            rows[: len(known)] = [self._row(key) for key in known]
        name, content, lines = self.chance.choice([self._csv, self._xlsx])(number, rows)
        if number == 0:
            self.table_id = self.company.loaded({name: content})["user_table_id"]
            columns = self.company.table(self.table_id)["columns"]
            self.company.ok("PUT", f"/{self.table_id}", {"columns": columns, "key": ["codigo"]})
        else:
            self.company.loaded({name: content}, self.table_id, mode)
        if mode == "replace":
            self.places.clear()
        for row, line in zip(rows, lines, strict=True):
            self.places[str(row[0])] = (name, line, row)

    def _row(self, key: str) -> Texts:
        chance = self.chance
        cents = f"{chance.randrange(10**6):03d}"
        text = "".join(chance.choices('abç ;,"\n', k=chance.randrange(12)))
        return [
            key,
            f"{cents[:-2]},{cents[-2:]}",
            str(chance.randrange(10**9)),
            f"{chance.randrange(1, 29):02d}/{chance.randrange(1, 13):02d}/{chance.randrange(1990, 2030)}",
            f"x{text}z" if chance.random() < 0.8 else None,
            chance.choice(["Sim", "Não"]),
        ]

    def _csv(self, number: int, rows: list[Texts]) -> tuple[str, str, list[int]]:
        title = ["Relatório de vendas", ""][: self.chance.choice([0, 2])]
        delimiter = self.chance.choice(";\t,")
        text, lines = "".join(f"{line}\n" for line in title), []
        for row in [LABELS, *rows]:
            lines.append(text.count("\n") + 1)
            record = io.StringIO()
            csv.writer(record, delimiter=delimiter, lineterminator="\n").writerow(row)
            text += record.getvalue()
        return f"vendas_{number}.csv", text, lines[1:]

    def _xlsx(self, number: int, rows: list[Texts]) -> tuple[str, bytes, list[int]]:
        book, above = Workbook(), self.chance.choice([0, 2])
        sheet = book.active
        assert sheet is not None
        if above:
            sheet.append(["Relatório de vendas"])
            sheet.append([])
        for row in [LABELS, *rows]:
            sheet.append(row)
        content = io.BytesIO()
        book.save(content)
        return f"vendas_{number}.xlsx", content.getvalue(), [above + 2 + place for place in range(len(rows))]


def test_every_cell_tells_its_file_its_line_and_its_text(
    company: Console, pytestconfig: pytest.Config
) -> None:
    """After appends, upserts and replacements by CSV files and workbooks, of any row that is there."""
    is_long = pytestconfig.getoption("--values") > 100
    life = Life(company, random.Random(7), rows_a_load=320 if is_long else 12)  # noqa: S311 - the same files each time
    for number in range(20 if is_long else 4):
        life.load(number)
    page: list[dict[str, Any]] = []
    for number in range(1, 6):
        page += company.rows(life.table_id, page=number)
    rows = life.chance.sample(page, min(len(page), 1_667))
    assert {row["codigo"] for row in page} == set(life.places)
    for row in rows:
        origin = company.ok("GET", f"/{life.table_id}/data/{row['id']}/origin")
        name, line, texts = life.places[row["codigo"]]
        assert (origin["kind"], origin["available"], origin["file"], origin["line"]) == (
            "upload",
            True,
            name,
            line,
        )
        assert [cell["text"] for cell in origin["cells"]] == texts
        assert [cell["source"] for cell in origin["cells"]] == LABELS
