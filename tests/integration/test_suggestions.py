"""What is suggested in the place of wrong values, on pairs of dirty and clean tables made here."""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from reports import Reports
from rows_client import RowsCompany
from tables_client import TableClient, column, created
from test_repairs import at, in_process

ROWS = 3_000
UFS = "AC AL AM AP BA CE DF ES GO MA MG MS MT PA PB PE PI PR RJ RN RO RR RS SC SE SP TO".split()  # noqa: SIM905
CITIES = (  # noqa: SIM905
    "São Paulo|Rio de Janeiro|Belo Horizonte|Brasília|Salvador|Fortaleza|Curitiba|Manaus|Recife"
    "|Belém|Goiânia|Porto Alegre|São Luís|Maceió|Campo Grande|Natal|Teresina|João Pessoa|Aracaju"
    "|Cuiabá|Macapá|Vitória|Florianópolis|Rio Branco|Boa Vista|Porto Velho|Palmas|Campinas|Guarulhos"
    "|Santo André|São Bernardo do Campo|Ribeirão Preto|Sorocaba|Uberlândia|Juiz de Fora|Contagem"
    "|Niterói|Duque de Caxias|Nova Iguaçu|Joinville|Londrina|Maringá|Caxias do Sul|Pelotas"
    "|Feira de Santana|Olinda|Caruaru|Petrolina|Mossoró|Campina Grande"
).split("|")
PRODUCTS = (  # noqa: SIM905
    "Café torrado 500 g|Café torrado 250 g|Açúcar cristal 1 kg|Açúcar refinado 1 kg|Farinha de trigo"
    "|Óleo de soja|Arroz branco tipo 1|Arroz integral|Feijão preto|Feijão carioca|Leite integral"
    "|Leite desnatado|Macarrão parafuso|Molho de tomate|Sabão em pó|Detergente neutro"
    "|Papel higiênico|Água sanitária|Biscoito recheado|Suco de laranja"
).split("|")
Worsen = Callable[[random.Random, str], str]


def plain(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def typo(chance: random.Random, text: str) -> str:
    """Return the text with a letter too few, too many, another, or two that changed places."""
    places = [place for place, letter in enumerate(text) if letter.isalpha() and place]
    at, letter = chance.choice(places), chance.choice("aeiorst")
    return chance.choice([
        text[:at] + text[at + 1 :],
        text[:at] + letter + text[at:],
        text[:at] + letter + text[at + 1 :],
        text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :],
    ])  # fmt: skip


WRITTEN: list[Worsen] = [
    lambda _, text: text.upper(),
    lambda _, text: text.lower(),
    lambda _, text: plain(text),
    lambda _, text: plain(text).upper(),
    lambda _, text: text.replace(" ", "  "),
    lambda _, text: f"{text}.",
    lambda _, text: f" {text} -",
    lambda _, text: " ".join([*text.split()[1:], f"{text.split()[0]}"]),
    lambda _, text: text.replace(" ", "-"),
]


def numbers(chance: random.Random) -> str:
    return f"{chance.randrange(1, 9_999)},{chance.randrange(100):02}"


def days(chance: random.Random) -> str:
    return f"{chance.randrange(1, 29):02}/{chance.randrange(1, 13):02}/2026"


class Dirty:
    """A clean table, and the same with one cell in twelve worse; `truth` by column and wrong text."""

    def __init__(self, seed: int) -> None:
        chance = self.chance = random.Random(seed)  # noqa: S311 - the same tables each time
        self.truth: dict[tuple[str, str], Counter[str | None]] = {}
        self.clean = [
            {
                "uf": chance.choice(UFS),
                "cidade": chance.choice(CITIES),
                "produto": chance.choice(PRODUCTS),
                "valor": numbers(chance),
                "dia": days(chance),
            }
            for _ in range(ROWS)
        ]

    def text(self, *, is_dirty: bool) -> str:
        lines = ["uf;cidade;produto;valor;dia"]
        for row in self.clean:
            shown = {name: self._worse(name, text) if is_dirty else text for name, text in row.items()}
            lines.append(";".join(shown.values()))
        return "\n".join(lines) + "\n"

    def _worse(self, name: str, text: str) -> str:
        chance = self.chance
        if chance.random() > 1 / 12:
            return text
        truth: str | None = text
        if name in ("cidade", "produto"):
            worse = (
                typo(chance, text)
                if name == "cidade" and chance.random() < 0.4
                else chance.choice(WRITTEN)(chance, text)
            )
        elif name == "uf":
            worse = chance.choice([text.lower(), f"{text}.", f" {text}-"])
        elif chance.random() < 0.3:
            worse, truth = chance.choice(["n/i", "não informado", "S/D", "-x-", "?"]), None
        elif name == "valor":
            worse = text.replace(",", ".")
        else:
            worse = re.sub(r"(\d+)/(\d+)/", r"\2/\1/", text)
        self.truth.setdefault((name, worse), Counter())[truth] += 1
        return worse


@pytest.fixture
def table(loading_company: RowsCompany) -> TableClient:
    columns = [column(name) for name in ("uf", "cidade", "produto")]
    rules: list[dict[str, Any]] = [
        {"kind": "list", "columns": ["uf"], "values": UFS},
        {"kind": "list", "columns": ["cidade"], "values": CITIES},
    ]
    return created(loading_company, *columns, column("valor", "decimal"), column("dia", "date"), rules=rules)


def every(table: TableClient, job_id: str, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in range(1, 100):
        answer = at(table, job_id, f"/misfits?kind={kind}&per_page=100&page={page}").json()
        found += answer["records"]
        if len(found) == answer["total"]:
            break
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_first_suggestion_is_right(
    loading_company: RowsCompany, table: TableClient, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """In nine of ten cells where one is made; and of clean cells 99 in 100 have none."""
    in_process(loading_company, monkeypatch)
    files, dirty = Reports(loading_company, table.name), Dirty(seed)
    job_id = files.wait(dirty.text(is_dirty=True), table.table_id)
    made: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: list[tuple[str, str, Any]] = []
    found = [*every(table, job_id, "alike"), *every(table, job_id, "misfit")]
    for (name, value), one in {(one["column"], one["value"]): one for one in found}.items():
        truth = dirty.truth.get((name, value), Counter({value: 1}))
        for first in one["suggestions"][:1]:
            count = sum(truth.values())
            hits = truth[first.get("to") if "to" in first else None]
            made[name] += count
            right[name] += hits
            if hits < count:
                wrong.append((name, value, first.get("to")))
    asked = sum(sum(counts.values()) for counts in dirty.truth.values())
    print(f"seed {seed}: made {made.total()} of {asked}, right {right.total()}, {dict(made)} {dict(right)}")
    assert right.total() >= 0.9 * made.total(), wrong[:20]
    assert made.total() >= 0.6 * asked
    job_id = files.wait(dirty.text(is_dirty=False), table.table_id)
    told = [*every(table, job_id, "misfit"), *every(table, job_id, "alike")]
    assert sum(one["count"] for one in told if one["suggestions"]) <= 0.01 * ROWS * 5
