"""Recognise what a column's label names: a code, a quantity, a day, a birth, a year."""

import re
import unicodedata

QUANTITY_WORDS = frozenset(
    {
        "qtd", "qtde", "quant", "quantidade", "quantidades", "total", "totais", "valor", "valores", "vlr",
        "saldo", "soma", "media", "percentual", "taxa", "count", "sum", "dias", "preco", "precos", "peso",
        "area", "custo", "idade", "price", "amount", "value", "indice", "indices", "index", "hora", "horas",
        "minutos", "juros", "consumo", "gasto", "gastos", "despesa", "despesas", "receita", "receitas",
    }
)  # fmt: skip
_DAY_WORDS = frozenset(
    {
        "data", "datas", "dt", "date", "dia", "day", "nascimento", "nasc", "birth", "birthdate",
        "vencimento", "venc", "emissao", "admissao", "demissao", "competencia", "inicio", "fim",
        "pagamento", "cadastro",
    }
)  # fmt: skip
_BIRTH_WORDS = frozenset({"nascimento", "nasc", "dtnasc", "birth", "birthdate", "birthday", "dob", "nascido"})
_YEAR_WORDS = frozenset({"ano", "anos", "year", "exercicio", "safra"})


def words_of(label: str) -> list[str]:
    """Return the words of a label, in lower case without accents (`CódigoBarras` has two)."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    plain = re.sub(r"([a-z])([A-Z])", r"\1 \2", plain).lower()
    return re.findall("[a-z]+", plain)


def names_day(label: str) -> bool:
    """Return whether a label says that its values are days."""
    return any(word in _DAY_WORDS or word.startswith("dt") for word in words_of(label))


def names_birth(label: str) -> bool:
    """Return whether a label says that its values are days of birth, which do not lie in the future."""
    return not _BIRTH_WORDS.isdisjoint(words_of(label))


def names_year(label: str) -> bool:
    """Return whether a label says that its values are years."""
    return not _YEAR_WORDS.isdisjoint(words_of(label))
