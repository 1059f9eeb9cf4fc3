"""Recognise what a column holds by the words of its label, and digits that name something and so stay text.

Two signs of a code, which can only turn a number into text: a label that says so (`CEP`, `Nº do CPF`), or
check digits that all values carry. A label that names a quantity (`Qtd. telefones`) is no sign.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence

from managed_tables.conversion.times import DateOrder

_QUANTITY_WORDS = frozenset(
    {
        "qt", "qtd", "qtde", "quant", "quantidade", "quantidades", "total", "totais", "valor", "valores",
        "vlr", "saldo", "soma", "media", "percentual", "taxa", "count", "sum", "dias", "preco", "precos",
        "peso", "area", "custo", "idade", "price", "amount", "value", "indice", "indices", "index", "hora",
        "horas", "minutos", "juros", "consumo", "gasto", "gastos", "despesa", "despesas", "receita",
        "receitas", "indicador", "indicadores", "kwh", "mwh", "kw", "kg", "km", "litros", "metros",
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
_NAMED_AS_WRITTEN = (
    "CEP CPF CNPJ RG CNH RENAVAM PIS PASEP NIS NIT CNS celular conta lote modelo SKU NCM CFOP CEST CNAE CBO "
    "banco ISBN IMEI chassi"
)
_NAMED_OTHERWISE = {
    "CNPJ": "cgc",
    "telefone": "telefone telefones fone tel whatsapp fax phone mobile",
    "código postal": "zip zipcode",
    "agência": "agencia",
    "conta": "account",
    "código de barras": "ean gtin barras barcode",
    "chave de NF-e": "nfe",
    "código": "cod codigo codigos code",
    "versão": "versao version",
    "modelo": "model",
    "matrícula": "matricula",
}
CODE_WORDS = {name.lower(): name for name in _NAMED_AS_WRITTEN.split()}
CODE_WORDS |= {word: name for name, words in _NAMED_OTHERWISE.items() for word in words.split()}
# Words that name a code only together.
_CODE_PAIRS = {
    frozenset({"chave", "acesso"}): "chave de acesso",
    frozenset({"titulo", "eleitor"}): "título de eleitor",
    frozenset({"titulo", "eleitoral"}): "título de eleitor",
    frozenset({"inscricao", "estadual"}): "inscrição estadual",
    frozenset({"inscricao", "municipal"}): "inscrição municipal",
    frozenset({"nosso", "numero"}): "nosso número",
    frozenset({"linha", "digitavel"}): "linha digitável",
}
# Of labels, in languages that write the day first, the words that English has not; and those of English.
_DAY_FIRST_WORDS = frozenset(
    {
        "data", "datas", "dt", "dia", "mes", "ano", "anos", "hora", "horas", "valor", "valores", "vlr",
        "preco", "precos", "custo", "custos", "quantidade", "qtd", "qtde", "quant", "produto",
        "produtos", "descricao", "nome", "nomes", "cliente", "clientes", "fornecedor", "vendedor",
        "vendedora", "loja", "filial", "venda", "vendas", "compra", "compras", "pedido", "pedidos",
        "nota", "notas", "emissao", "vencimento", "venc", "pagamento", "pago", "recebimento",
        "recebido", "saldo", "conta", "contas", "banco", "agencia", "historico", "lancamento", "debito",
        "credito", "entrada", "saida", "estoque", "unidade", "categoria", "tipo", "situacao", "estado",
        "cidade", "municipio", "bairro", "endereco", "rua", "numero", "nro", "cep", "cpf", "cnpj",
        "telefone", "celular", "nascimento", "nasc", "idade", "sexo", "funcionario", "matricula",
        "cargo", "salario", "setor", "departamento", "empresa", "codigo", "cod", "observacao", "obs",
        "parcela", "parcelas", "desconto", "juros", "multa", "imposto", "taxa", "peso", "altura",
        "largura", "medico", "paciente", "consulta", "aluno", "turma", "escola", "curso", "professor",
        "processo", "protocolo", "inicio", "fim", "cadastro", "competencia", "referencia", "usuario",
        "responsavel", "origem", "destino", "placa", "motorista", "veiculo", "combustivel", "litros",
        "viagem", "contrato", "servico", "servicos", "prazo", "envio", "entrega", "retorno", "abertura",
        "fechamento", "da", "das", "de", "dos", "em", "por", "para", "fecha", "importe", "cantidad",
        "precio", "nombre", "ciudad", "cuenta", "datum", "betrag", "menge", "preis", "montant", "prix",
        "importo", "prezzo",
    }
)  # fmt: skip
_ENGLISH_WORDS = frozenset(
    {
        "date", "dates", "day", "month", "year", "time", "amount", "amounts", "price", "prices", "cost",
        "costs", "quantity", "qty", "product", "products", "description", "name", "customer",
        "customers", "client", "supplier", "vendor", "seller", "store", "branch", "sale", "sales",
        "purchase", "order", "orders", "invoice", "invoices", "due", "payment", "payments", "paid",
        "balance", "account", "bank", "entry", "debit", "credit", "stock", "unit", "category", "type",
        "state", "city", "county", "address", "street", "number", "phone", "birth", "age", "gender",
        "employee", "position", "salary", "department", "company", "code", "note", "notes", "of", "the",
        "by", "from", "to", "for", "shipped", "ship", "shipping", "delivery", "delivered", "created",
        "updated", "start", "end", "first", "last", "value", "weight", "height", "width", "rate", "tax",
        "discount", "fee", "transaction", "user", "owner", "source", "destination", "vehicle", "driver",
        "country", "opened", "closed", "hired", "visit",
    }
)  # fmt: skip
_FEWEST_ENGLISH_WORDS = 2  # one is in labels of every language
_GLUED = ("codigo", "cpf", "cnpj", "pasep", "telefone", "renavam")  # in no other word
LONGEST_CODE = 64
_MEASURE = re.compile(r"[$€%]")  # `Conta de luz (R$)`
_LENGTHS = {"CEP": 8, "CPF": 11, "CNPJ": 14, "PIS": 11, "PASEP": 11, "NIS": 11, "NIT": 11}
# `PIS` is also a tax, whose column may hold whole amounts: as a person's number it has 11 digits.
_FEWEST_DIGITS = {"pis": 9}
# Enrolments are so labelled as well: their counts differ in length, numbers of persons hardly.
_EVEN_WORDS = frozenset({"matricula"})
_EVEN_DIGITS = 1  # by which the longest of them exceeds the shortest
FEWEST_VALUES = 10  # of the sample: ten values with right check digits by chance are one in 10^10 or less
_DIGITS = re.compile("[0-9]+")
# By their number of digits: the name, how many digits check the others, and the greatest weight.
_CHECKED = {11: ("CPF", 2, 11), 14: ("CNPJ", 2, 9), 44: ("chave de NF-e", 1, 9)}
_ACCENT = re.compile("[À-ÖØ-öø-ÿ]")
_LETTERED = re.compile("(?=.*[A-Z])[0-9A-Z]{12}[0-9]{2}")
_INTERNATIONAL_PHONE = re.compile(r"\+[0-9]{8,15}")


def words_of(label: str) -> list[str]:
    """Return the words of a label, in lower case without accents (`CódigoBarras` has two)."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    plain = re.sub(r"([a-z])([A-Z])", r"\1 \2", plain).lower()
    return re.findall("[a-z]+", plain)


def names_quantity(label: str) -> bool:
    """Return whether a label says that its values are quantities."""
    return not _QUANTITY_WORDS.isdisjoint(words_of(label))


def names_day(label: str) -> bool:
    """Return whether a label says that its values are days."""
    return any(word in _DAY_WORDS or word.startswith("dt") for word in words_of(label))


def names_birth(label: str) -> bool:
    """Return whether a label says that its values are days of birth, which do not lie in the future."""
    return not _BIRTH_WORDS.isdisjoint(words_of(label))


def names_year(label: str) -> bool:
    """Return whether a label says that its values are years."""
    return not _YEAR_WORDS.isdisjoint(words_of(label))


def find_order_of_language(labels: Sequence[str]) -> tuple[DateOrder, str] | None:
    """Return the order of days and months in the labels' language, and a label of it; None where none shows.

    An accent is in no English word; English words alone, and several of them, show English.
    """
    day_first, english = list[str](), list[str]()
    for label in labels:
        for word in {*words_of(label)}:
            if word in _DAY_FIRST_WORDS or (word not in _ENGLISH_WORDS and _ACCENT.search(label)):
                day_first.append(label)
            elif word in _ENGLISH_WORDS:
                english.append(label)
    if len(day_first) > len(english):
        return "dmy", day_first[0]
    return ("mdy", english[0]) if len(english) >= _FEWEST_ENGLISH_WORDS and not day_first else None


def find_code_in_label(label: str, longest_digits: int, shortest_digits: int | None = None) -> str | None:
    """Return which code a label names, or None, of values with so many digits; None for unknown."""
    words = words_of(label)
    if names_quantity(label) or names_year(label) or _MEASURE.search(label):
        return None
    known = _known_codes(words, longest_digits - (shortest_digits or longest_digits))
    found = [CODE_WORDS[word] for word in known if longest_digits >= _FEWEST_DIGITS.get(word, 1)]
    found += [name for pair, name in _CODE_PAIRS.items() if pair.issubset(words)]
    return "/".join(dict.fromkeys(found)) or None


def _known_codes(words: Sequence[str], difference: int) -> list[str]:
    """Return the words of codes in a label, of values of which the longest has so many digits more."""
    known = [one for word in words for one in _known_words(word)]
    return [one for one in known if difference <= _EVEN_DIGITS or one not in _EVEN_WORDS]


def _known_words(word: str) -> list[str]:
    """Return the words of codes that a word is or contains (`cpfcnpj`, `nrcep`)."""
    if word in CODE_WORDS:
        return [word]
    rests = {known: word.replace(known, "", 1) for known in _GLUED if known in word}
    glued = [known for known, rest in rests.items() if len(rest) != 1 or rest == "s"]  # CPFE is a company
    return glued + ["cep"] * word.endswith("cep")  # no other word ends so


def lengths_of(names: str) -> set[int]:
    """Return how many digits the codes have that a label names, if they have a fixed number."""
    return {_LENGTHS[name] for name in names.split("/") if name in _LENGTHS}


def is_lettered_code(text: str) -> bool:
    """Return whether a text is a CNPJ with letters, with or without its marks."""
    bare = re.sub("[./-]", "", text)
    return _LETTERED.fullmatch(bare) is not None and checked_code(bare) == "CNPJ"


def is_whole_code(lengths: Collection[int], cell: str) -> str:
    """Return the SQL test that a text has as many digits as such a code."""
    return f"strlen({_digits_of(cell)}) IN ({', '.join(map(str, sorted(lengths)))})"


def is_cut_code(lengths: Collection[int], cell: str) -> str:
    """Return the SQL test that a text is such a code without leading zeros, three at most."""
    short = {length - zeros for length in lengths for zeros in (1, 2, 3)} - set(lengths)
    counts = ", ".join(map(str, sorted(short)))
    return f"regexp_full_match({cell}, '[0-9][-0-9./ ]*') AND strlen({_digits_of(cell)}) IN ({counts})"


def is_short_code(lengths: Collection[int], cell: str) -> str:
    """Return the SQL test that a number has too few digits for such a code, however many zeros it lost."""
    counts = ", ".join(map(str, sorted(lengths)))
    pattern = f"[1-9][0-9]{{0,{max(lengths) - 2}}}"
    return f"regexp_full_match(trim({cell}), '{pattern}') AND strlen(trim({cell})) NOT IN ({counts})"


def _digits_of(cell: str) -> str:
    return f"regexp_replace({cell}, '[^0-9]', '', 'g')"


def find_code_in_values(values: Collection[str]) -> str | None:
    """Return which code all values are, by their check digits, or None; `values` are distinct."""
    if any(_INTERNATIONAL_PHONE.fullmatch(value) for value in values):
        return "telefone"
    if len(values) < FEWEST_VALUES or not all(map(_DIGITS.fullmatch, values)):
        return None
    code = checked_code(next(iter(values)))
    return code if code and all(checked_code(value) == code for value in values) else None


def checked_code(digits: str) -> str | None:
    """Return which code digits are by their number and their check digits, None where these are wrong.

    Each of the last digits checks those before it, modulo 11, by weights 2, 3, … from the right. The letters
    that a CNPJ may have before them count as their code less 48 (IN RFB 2.229/2024).
    """
    name, count, highest = _CHECKED.get(len(digits), (None, 0, 2))
    for end in range(len(digits) - count, len(digits)):
        weighted = ((ord(sign) - 48) * (2 + at % (highest - 1)) for at, sign in enumerate(digits[:end][::-1]))
        remainder = sum(weighted) % 11
        if int(digits[end]) != (0 if remainder < 2 else 11 - remainder):
            return None
    return name
