"""Say in Portuguese what a rule wants: its own message, or a sentence of its kind."""

from collections.abc import Mapping
from typing import Any

from managed_tables.details import Fault
from managed_tables.rules.rule import TODAY, Comparator, NamedKind, Rule

_NAMES: Mapping[NamedKind, str] = {
    "cpf": "não é um CPF válido",
    "cnpj": "não é um CNPJ válido",
    "cep": "não é um CEP",
    "uf": "não é a sigla de um estado",
    "email": "não é um e-mail",
    "ean": "não é um código de barras (EAN) válido",
    "nfe_key": "não é uma chave de NF-e válida",
    "phone_br": "não é um telefone com DDD",
}


def reason_of(rule: Rule) -> str:
    """Return why a row that breaks the rule is not right."""
    return rule.message or _sentence(rule)


def fault_of(rule: Rule) -> Fault:
    """Return what is wrong with a row that breaks the rule."""
    return Fault("RULE_BROKEN", reason_of(rule))


def _sentence(rule: Rule) -> str:
    match rule.kind:
        case "range":
            return _bounds(rule)
        case "length":
            return _lengths(rule)
        case "pattern":
            return f"não segue o padrão {rule.pattern}"
        case "list":
            return "não é um dos valores da lista"
        case "unique":
            return "é igual em outra linha, e não pode se repetir"
        case "compare":
            return _comparison(rule.op or "eq", *rule.columns)
        case "in_table":
            return f"não existe na coluna {rule.column} da outra tabela"
        case _:
            return _NAMES[rule.name or "cpf"]


def _bounds(rule: Rule) -> str:
    least, most = _word(rule.min), _word(rule.max)
    if rule.max is None:
        return f"deve ser no mínimo {least}"
    return f"deve ser no máximo {most}" if rule.min is None else f"deve estar entre {least} e {most}"


def _lengths(rule: Rule) -> str:
    least, most = rule.min, rule.max
    if most is None:
        return f"deve ter ao menos {least} caracteres"
    if least is None:
        return f"deve ter no máximo {most} caracteres"
    return f"deve ter de {least} a {most} caracteres"


def _word(bound: Any) -> Any:
    return "a data de hoje" if bound == TODAY else bound


def _comparison(op: Comparator, left: str, right: str) -> str:
    sentences: Mapping[Comparator, str] = {
        "lt": f"{left} deve ser menor que {right}",
        "lte": f"{left} deve ser menor ou igual a {right}",
        "eq": f"{left} deve ser igual a {right}",
        "ne": f"{left} deve ser diferente de {right}",
        "gte": f"{left} deve ser maior ou igual a {right}",
        "gt": f"{left} deve ser maior que {right}",
    }
    return sentences[op]
