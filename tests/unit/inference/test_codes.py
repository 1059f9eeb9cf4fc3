"""Codes that a word in the label or the check digits of the values give away."""

from managed_tables_analyze.inference.signs import (
    CODE_WORDS,
    checked_code,
    find_code_in_label,
    find_code_in_values,
)

NAMED = {
    "CEP": "cep nrcep",
    "CPF": "cpf cpfcliente",
    "CNPJ": "cnpj cgc",
    "RG": "rg",
    "CNH": "cnh",
    "RENAVAM": "renavam",
    "PIS": "pis",
    "PASEP": "pasep",
    "NIS": "nis",
    "NIT": "nit",
    "CNS": "cns",
    "telefone": "telefone telefones fone tel whatsapp fax phone mobile",
    "celular": "celular",
    "código postal": "zip zipcode",
    "agência": "agência agencia",
    "conta": "conta account",
    "código de barras": "ean gtin barras barcode",
    "chave de NF-e": "nfe",
    "código": "cod codigo código codigos code codigocliente",
    "versão": "versao versão version",
    "lote": "lote",
    "modelo": "modelo model",
    "SKU": "sku",
    "NCM": "ncm",
    "CFOP": "cfop",
    "CEST": "cest",
    "CNAE": "cnae",
    "CBO": "cbo",
    "banco": "banco",
    "matrícula": "matricula matrícula",
    "ISBN": "isbn",
    "IMEI": "imei",
    "chassi": "chassi",
}
PAIRS = {
    "chave de acesso": "Chave de Acesso",
    "título de eleitor": "Título de Eleitor|título eleitoral",
    "inscrição estadual": "Inscrição Estadual",
    "inscrição municipal": "inscrição municipal",
    "nosso número": "Nosso Número",
    "linha digitável": "Linha digitável",
}
CNPJS = (
    "11222333000181", "00000000000191", "33000167000101", "60746948000112", "11444777000161",
    "06990590000123", "47960950000121", "45543915000181", "07526557000100", "61186888000193",
)  # fmt: skip
INVOICE_KEY = "52060433009911002506550120000007800267301615"


def test_every_code_word_is_found_in_a_label() -> None:
    words = {word: name for name, written in NAMED.items() for word in written.split()}
    assert set(CODE_WORDS) <= set(words)
    for word, name in words.items():
        for label in (word, word.upper(), f"Nº {word}", f"{word}_cliente"):
            assert find_code_in_label(label, 11) == name, label
        for quantity in ("Qtd", "Total", "Valor"):
            assert find_code_in_label(f"{quantity} {word}", 11) is None, word
    for name, written in PAIRS.items():
        for label in written.split("|"):
            assert find_code_in_label(label, 11) == name
            assert find_code_in_label(label.split()[0], 11) is None


def test_numbers_too_short_for_the_code_in_their_label_are_not_codes() -> None:
    assert [find_code_in_label("PIS", digits) for digits in (8, 9)] == [None, "PIS"]
    assert find_code_in_label("Ano modelo", 4) is None


def test_one_wrong_digit_fails_the_check_digits() -> None:
    assert {checked_code(code) for code in CNPJS} == {"CNPJ"}
    assert {checked_code(code) for code in ("52998224725", "11144477735")} == {"CPF"}
    assert checked_code(INVOICE_KEY) == "chave de NF-e"
    for code in (CNPJS[0], "52998224725", INVOICE_KEY):
        for place in range(len(code)):
            wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
            assert checked_code(wrong) is None, (wrong, place)


def test_enough_values_with_valid_check_digits_are_codes() -> None:
    assert find_code_in_values(CNPJS) == "CNPJ"
    assert find_code_in_values(CNPJS[:9]) is None
    assert find_code_in_values([*CNPJS[:9], "11222333000182"]) is None
    keys = [_invoice_key(number) for number in range(10)]
    assert find_code_in_values(keys) == "chave de NF-e"
    assert find_code_in_values(["+5511999998888", "5"]) == "telefone"


def _invoice_key(number: int) -> str:
    digits = f"{INVOICE_KEY[:33]}{number:010d}"
    return next(key for last in range(10) if checked_code(key := f"{digits}{last}"))
