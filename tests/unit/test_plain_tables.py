"""Ordinary tables of companies are split where they were joined, whatever words their texts repeat."""

import csv
import random
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from examples import examples

from managed_tables_analyze.analysis import analyze
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.tables import read

ZONE = ZoneInfo("America/Sao_Paulo")
TEXT = """
    casa porta azul norte sul centro rua avenida nota fiscal mes pedido cliente entrega produto caixa branco
    ltda comercio silva souza santos maria joao ana de da do para com
"""
WORDS = TEXT.split()
TITLES: tuple[tuple[str, ...], ...] = (
    (),
    ("Relatório de vendas",),
    ("Relatório de vendas", "Período: 01/01/2024 a 31/01/2024", ""),
)


class Words:
    """Random texts and cells; a seed always gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secret

    def phrase(self, longest: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(self.random.randint(1, longest)))

    def column(self, mark: str) -> Callable[[int], str]:
        """Return a function from row number to cell; `mark` is the decimal mark."""
        before, after = self.phrase(3), self.phrase(6)
        some = [self.phrase(3) for _ in range(4)]
        kinds: list[Callable[[int], str]] = [
            lambda _: str(self.random.randint(0, 10 ** self.random.randint(1, 6))),
            lambda _: f"{self.random.uniform(0, 9999):.2f}".replace(".", mark),
            lambda _: f"{self.random.randint(1, 28):02}/{self.random.randint(1, 12):02}/2024",
            lambda number: f"{before} {number}",
            lambda number: f"{before} {number} {after}",
            lambda _: self.phrase(8),
            lambda _: self.phrase(3).title(),
            lambda _: self.random.choice(some),
            lambda _: self.random.choice(["sim", "não"]),
            lambda _: f"{self.random.choice('ABC')}{self.random.randint(100, 999)}-1",
        ]
        return self.random.choice(kinds)


@pytest.mark.parametrize("seed", range(examples(12, 600)))
def test_an_ordinary_table_is_split_where_it_was_joined(tmp_path: Path, seed: int) -> None:
    words = Words(seed)
    delimiter = words.random.choice([";", ";", ",", "\t", "|"])
    columns = [words.column("." if delimiter == "," else ",") for _ in range(words.random.randint(2, 8))]
    labels: list[str] = []
    while len(labels) < len(columns):
        labels += {words.phrase(2)} - {*labels}
    rows = [[cell(number) for cell in columns] for number in range(words.random.choice([3, 5, 12, 40, 200]))]
    title = words.random.choice(TITLES)
    path = tmp_path / "vendas.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in title)
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([labels, *rows])
    record = analyze([SourceFile(path, path.name)], tmp_path, ZONE).document.as_json()
    [reading] = record["reading"]["tables"]
    found = [column["display_name"] for column in record["inferred_schema"]["columns"]]
    inferred = (reading["delimiter"], reading["header_line"], record["row_count"], found)
    assert inferred == (delimiter, len(title) + 1, len(rows), labels)


@pytest.mark.parametrize("below", ["Total,3", "Total geral,3", "Fonte: IBGE,"])
@pytest.mark.parametrize("rows", ["A,1\nB,2", "Caneta,1\nLapis,2"])
def test_a_total_below_few_rows_does_not_join_their_columns(tmp_path: Path, rows: str, below: str) -> None:
    (path := tmp_path / "a.csv").write_text(f"produto,qtd\n{rows}\n{below}\n")
    [table] = read(path).tables
    assert (table.labels, table.row_count) == (["produto", "qtd"], 2)
