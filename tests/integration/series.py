"""Make monthly files as public reports, ERPs and banks of Brazil write them, and let them drift.

A series is one report, which a person reads once; each of its later months has at most one drift. What is
harmless must load by itself with every value right, what is harmful must wait for a person.
"""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import openpyxl

Value = str | int | Decimal | date | None
Row = list[Value]


@dataclass(frozen=True)
class Report:
    """A layout: its title lines, its columns (label, and what makes a value), and its footer."""

    name: str
    above: tuple[str, ...]
    columns: Mapping[str, str]
    below: tuple[str, ...] = ()


def _columns(text: str) -> dict[str, str]:
    return dict(one.split("=") for one in text.split(", "))


REPORTS = (
    Report(
        "extrato",
        ("Banco do Povo S.A.", "Agência 1234-5  Conta 67890-1", "Período: {month}", ""),
        _columns("Data=day, Histórico=history, Documento=code, Valor (R$)=money, Saldo (R$)=money"),
        ("", "Saldo final do período"),
    ),
    Report(
        "vendas",
        ("Relatório de Vendas por Vendedor", "Emitido em 05/{month}"),
        _columns("Emissão=day, Pedido=number, Cliente=company, UF=state, Vlr. Total=money"),
        ("Total geral",),
    ),
    Report(
        "despesas",
        (),
        _columns("Órgão=agency, Função=function, Favorecido=company, Data Empenho=day, Valor Pago=money"),
        (),
    ),
    Report(
        "precos",
        ("Levantamento de Preços", "", ""),
        _columns("Município=city, Estado=state, Produto=product, Preço Médio=price, Postos=number"),
        ("Fonte: Agência Nacional",),
    ),
    Report(
        "notas",
        ("Notas fiscais emitidas",),
        _columns("Chave de Acesso=key, CNPJ=cnpj, Dt. Emissão=day, Vlr. Produtos=money, Vlr. ICMS=price"),
    ),
    Report(
        "folha",
        ("EMPRESA MODELO LTDA", "Folha de Pagamento - {month}", ""),
        _columns("Matrícula=code, Nome=person, Cargo=job, Admissão=day, Salário=money, Líquido=money"),
        ("Total de proventos", "Emitido pelo sistema"),
    ),
    Report(
        "estoque",
        (),
        _columns("Cód. Produto=code, Descrição=product, Qtde=number, Custo Unit.=price, Dt. Inventário=day"),
    ),
    Report(
        "apuracao",
        ("Apuração do ICMS", "Mês de referência: {month}"),
        _columns("CFOP=cfop, Data Entrada=day, Base de Cálculo=money, Imposto=price, Isentas=money"),
    ),
    Report(
        "cartoes",
        (),
        _columns("Data da venda=day, Bandeira=brand, Parcelas=number, Valor bruto=money, Taxa=price"),
    ),
    Report(
        "agravos",
        ("Notificações registradas", "Sistema de Informação"),
        _columns("Cód. Município=code, Município=city, Semana=day, Casos=number, Incidência=price"),
        ("Dados sujeitos a revisão",),
    ),
)
WAYS: tuple[dict[str, Any], ...] = (
    {"delimiter": ";", "encoding": "cp1252"},
    {"delimiter": ",", "encoding": "utf-8"},
    {"delimiter": "\t", "encoding": "utf-8-sig"},
    {"delimiter": "|", "encoding": "utf-8"},
    {"kind": "xlsx"},
)
_WORDS: dict[str, Sequence[str]] = {
    "history": ("PIX RECEBIDO", "TED ENVIADA", "Tarifa bancária", "Pagamento de título", "Compra no cartão"),
    "company": ("Padaria São João", "Mercado Açaí", "Auto Peças Irmãos", "Café & Cia", "Ótica Visão"),
    "agency": ("Ministério da Saúde", "Ministério da Educação", "Fundação Nacional"),
    "function": ("Saúde", "Educação", "Administração"),
    "city": ("São Paulo", "Ribeirão Preto", "Goiânia", "Belém", "Florianópolis", "Maceió"),
    "state": ("SP", "GO", "PA", "SC", "AL"),
    "product": ("Gasolina comum", "Etanol", "Óleo diesel S10", "Arroz tipo 1", "Feijão preto"),
    "person": ("Ana Conceição", "José Araújo", "Márcia Lúcia", "João Antônio"),
    "job": ("Auxiliar", "Analista", "Técnico de manutenção"),
    "brand": ("Visa", "Master", "Elo", "Hipercard"),
    "cfop": ("1102", "1403", "2102", "5405"),
}


@dataclass
class Month:
    """A month's file before it is written: its lines, and how they are."""

    report: Report
    rows: list[Row]
    above: list[str]
    labels: list[str]
    below: list[str]
    delimiter: str = ";"
    encoding: str = "utf-8"
    kind: str = "csv"
    sheet: str = "Dados"
    mark: str = ","
    order: str = "%d/%m/%Y"
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL  # or QUOTE_ALL
    line_end: str = "\n"
    texts: dict[tuple[int, int], str] = field(default_factory=dict)  # what is written in place of a value

    def content(self) -> bytes:
        """Return the file."""
        return self._workbook() if self.kind == "xlsx" else self._text()

    def _text(self) -> bytes:
        out = io.StringIO()
        for line in self.above:
            out.write(line + "\n")
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.line_end, quoting=self.quoting)
        writer.writerow(self.labels)
        for number, row in enumerate(self.rows):
            writer.writerow([self.shown(number, place, value) for place, value in enumerate(row)])
        for line in self.below:
            out.write(line + "\n")
        return out.getvalue().encode(self.encoding)

    def _workbook(self) -> bytes:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = self.sheet
        for line in self.above:
            sheet.append([line] if line else [])
        sheet.append(self.labels)
        for number, row in enumerate(self.rows):
            sheet.append([self.texts.get((number, place), value) for place, value in enumerate(row)])
        for line in self.below:
            sheet.append([line] if line else [])
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def shown(self, number: int, place: int, value: Value) -> str:
        """Return what is written for a value."""
        if (number, place) in self.texts:
            return self.texts[number, place]
        if isinstance(value, Decimal):
            whole = f"{value:,.2f}"
            return whole if self.mark == "." else whole.translate(str.maketrans(",.", ".,"))
        return f"{value:{self.order}}" if isinstance(value, date) else "" if value is None else str(value)

    def places(self, *kinds: str) -> list[int]:
        """Return the columns of these kinds, as they stand now."""
        made = {label.casefold(): kind for label, kind in self.report.columns.items()}
        return [place for place, label in enumerate(self.labels) if made.get(label.casefold()) in kinds]


def make_month(series: int, month: int) -> Month:
    """Return month `month` (from 0) of a series without any drift; the same for the same numbers."""
    report, way = REPORTS[series % len(REPORTS)], WAYS[series // len(REPORTS) % len(WAYS)]
    return make_month_of(report, way, series * 100, month)


def make_month_of(report: Report, way: Mapping[str, Any], seed: int, month: int) -> Month:
    """Return month `month` (from 0) of a report, written in one way; the same for the same numbers."""
    chance = random.Random(seed + month)  # noqa: S311 - no secret
    shown = f"{month + 1:02d}/2026"
    kinds = [*report.columns.values()]
    rows = [
        [_make(kind, chance, month, number) for kind in kinds] for number in range(chance.randint(24, 40))
    ]
    made = Month(
        report, rows, [line.format(month=shown) for line in report.above], [*report.columns], [*report.below]
    )
    return replace(made, **way)


def _make(kind: str, chance: random.Random, month: int, number: int) -> Value:
    if kind == "day":
        return date(2026, 1, 1) + timedelta(days=30 * month + 13 + number % 14)  # its order can be seen
    if kind in ("money", "price"):
        cents = chance.randint(100_000, 900_000) if kind == "money" else chance.randint(120, 990)
        return Decimal(cents) / 100
    if kind == "number":
        return chance.randint(1, 400)
    if kind == "code":
        return f"{chance.randint(1, 99_999):06d}"
    if kind == "key":
        return "".join(chance.choices("123456789", k=44))
    if kind == "cnpj":
        return f"{chance.randint(10, 99)}.{chance.randint(100, 999)}.555/0001-{number:02d}"
    return chance.choice(_WORDS[kind])


# Drifts: each changes the month, which it may only have where it can

Drift = Callable[[Month], None]


def moved(month: Month) -> None:
    """More lines above the header."""
    month.above += ["Gerado automaticamente", ""]


def higher(month: Month) -> None:
    """No line above the header at all."""
    month.above = []


def longer_footer(month: Month) -> None:
    """More lines below the rows."""
    month.below += ["", "Observações: valores em reais", "Página 1 de 1"]


def reordered(month: Month) -> None:
    """The last column comes first."""
    month.labels.insert(0, month.labels.pop())
    for row in month.rows:
        row.insert(0, row.pop())


def louder(month: Month) -> None:
    """Labels in capitals."""
    month.labels = [label.upper() for label in month.labels]


def other_encoding(month: Month) -> None:
    """Another encoding."""
    month.encoding = "cp1252" if month.encoding.startswith("utf") else "utf-8"


def other_delimiter(month: Month) -> None:
    """Another delimiter."""
    month.delimiter = "|" if month.delimiter == ";" else ";"


def other_sheet(month: Month) -> None:
    """The sheet bears the month's name."""
    month.sheet = "Fev-26"


def some_blanks(month: Month) -> None:
    """A few cells are empty."""
    for place in month.places("money", "company", "city"):
        month.rows[3][place] = None


def other_mark(month: Month) -> None:
    """The decimal mark is another one."""
    month.mark = "." if month.mark == "," else ","


def other_order(month: Month) -> None:
    """Months before days."""
    month.order = "%m/%d/%Y"


def thousands(month: Month) -> None:
    """Amounts in thousands; prices, where there are no amounts, by the thousand."""
    amounts = month.places("money")
    for row in month.rows:
        for place in amounts or month.places("price"):
            value = row[place]
            assert isinstance(value, Decimal)
            row[place] = round(value / 1_000, 2) if amounts else value * 1_000
    month.above = [*month.above[:-1], "(em R$ mil)", *month.above[-1:]]


def words(month: Month) -> None:
    """Words where there were amounts."""
    for place in month.places("money", "price")[:1]:
        month.texts |= {(number, place): "a apurar" for number in range(len(month.rows))}


def missing(month: Month) -> None:
    """A column is gone."""
    place = (month.places("money", "price") or [1])[0]
    month.labels.pop(place)
    for row in month.rows:
        row.pop(place)


def renamed(month: Month) -> None:
    """A column has another label."""
    place = (month.places("money", "price") or [1])[0]
    month.labels[place] += " Corrigido"


def added(month: Month) -> None:
    """A new column."""
    month.labels.append("Situação")
    for row in month.rows:
        row.append("Ativo")


def emptied(month: Month) -> None:
    """A column that was full is empty."""
    place = (month.places("money", "price") or [1])[0]
    for row in month.rows:
        row[place] = None


def cut(month: Month) -> None:
    """A few rows of a month only."""
    del month.rows[2:]


TEXT_ONLY = (other_encoding, other_delimiter, other_mark, other_order)
SHEET_ONLY = (other_sheet,)
HARMLESS: tuple[Drift, ...] = (
    moved, reordered, louder, longer_footer, higher, some_blanks,
    other_encoding, other_delimiter, other_sheet,
)  # fmt: skip
HARMFUL: tuple[Drift, ...] = (
    other_mark, other_order, thousands, words, missing, renamed, added, emptied, cut,
)  # fmt: skip


def drifts_of(series: int) -> list[tuple[Drift | None, bool]]:
    """Return for each month after the first its drift and whether it is harmful: plain, harmless, harmful."""
    kind = WAYS[series // len(REPORTS) % len(WAYS)].get("kind", "csv")
    impossible = TEXT_ONLY if kind == "xlsx" else SHEET_ONLY
    harmless = [one for one in HARMLESS if one not in impossible]
    harmful = [one for one in HARMFUL if one not in impossible]
    found: list[tuple[Drift | None, bool]] = []
    for month in range(11):
        if month % 4 == 3:
            found.append((harmful[(series + month // 4 * 3) % len(harmful)], True))
        elif month % 4 == 0:
            found.append((None, False))
        else:
            found.append((harmless[(series + month) % len(harmless)], False))
    return found
