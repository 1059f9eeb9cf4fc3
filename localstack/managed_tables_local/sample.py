"""Make the sample: a Brazilian sales report as an ERP exports it, the same at every generation.

`python -m managed_tables_local.sample` writes localstack/sample/vendas.csv: Latin-1, `;`, decimal comma with
thousands points, `dd/mm/yyyy`, `sim`/`não`, CEPs with leading zeros, empty cells, quoted cells.
"""

import csv
import io
import random
from datetime import date, datetime, timedelta

from managed_tables_local.checkout import ROOT

SAMPLE = ROOT / "localstack" / "sample" / "vendas.csv"
ROWS = 2_500
_SEED = 2026
_HEADER = [
    "Pedido", "Data", "Cliente", "CEP", "Cidade", "Produto", "Quantidade", "Preço Unitário", "Valor Total",
    "Pago", "Entregue em", "Observação",
]  # fmt: skip
_FIRST = ["Ana", "João", "Antônio", "Márcia", "Luís", "Conceição", "Fábio", "Inês", "Zélia", "Otávio"]
_LAST = ["Souza", "Gonçalves", "Araújo", "Pereira", "Magalhães", "Simões", "Corrêa", "Antunes"]
_CITIES = [
    ("01", "São Paulo"),
    ("20", "Rio de Janeiro"),
    ("05", "Osasco"),
    ("74", "Goiânia"),
    ("66", "Belém"),
]
_PRODUCTS = [
    ("Café torrado 1 kg", 4_890), ("Açúcar cristal 5 kg", 2_199), ("Cadeira giratória", 128_900),
    ("Monitor 27\"", 189_990), ("Caderno capa dura", 1_875), ("Notebook 14\"", 489_900),
]  # fmt: skip
_REMARKS = [
    "",
    "",
    "",
    "entregar à tarde; portaria",
    "cliente pediu nota\nem duas vias",
    'presente: "feliz dia"',
]


def make_sample() -> bytes:
    """Return the file's bytes."""
    chance = random.Random(_SEED)  # noqa: S311 (a sample, not a secret)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(_HEADER)
    writer.writerows(_row(number, chance) for number in range(ROWS))
    return text.getvalue().encode("latin-1")


def _row(number: int, chance: random.Random) -> list[str]:
    day = date(2025, 1, 2) + timedelta(days=number * 360 // ROWS)
    prefix, city = chance.choice(_CITIES)
    product, cents = chance.choice(_PRODUCTS)
    quantity = chance.randint(1, 12)
    delivered = datetime(day.year, day.month, day.day, chance.randint(8, 18), chance.randint(0, 59))
    delivered += timedelta(days=chance.randint(1, 9))
    return [
        str(10_001 + number),
        f"{day:%d/%m/%Y}",
        f"{chance.choice(_FIRST)} {chance.choice(_LAST)}",
        f"{prefix}{chance.randint(0, 999_999):06d}",
        city,
        product,
        str(quantity),
        _brazilian(cents),
        f"R$ {_brazilian(cents * quantity)}",
        chance.choice(["sim", "sim", "não"]),
        f"{delivered:%d/%m/%Y %H:%M}" if chance.random() < 0.8 else "",
        chance.choice(_REMARKS),
    ]


def _brazilian(cents: int) -> str:
    return f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d}"


if __name__ == "__main__":
    SAMPLE.parent.mkdir(exist_ok=True)
    SAMPLE.write_bytes(make_sample())
