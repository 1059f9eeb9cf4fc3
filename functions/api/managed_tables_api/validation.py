"""Owns how pydantic's findings are told in Portuguese, and the field types that requests share."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from managed_tables.errors import Detail

MAX_DETAILS = 20  # the first ones tell what is wrong; a thousand would not tell more

_REASONS = {
    "missing": "obrigatório",
    "string_type": "deve ser texto",
    "string_unicode": "contém um caractere inválido",
    "string_too_short": "não pode ser vazio",
    "int_type": "deve ser um número inteiro",
    "int_parsing": "deve ser um número inteiro",
    "int_from_float": "deve ser um número inteiro",
    "bool_type": "deve ser true ou false",
    "bool_parsing": "deve ser true ou false",
    "list_type": "deve ser uma lista",
    "dict_type": "deve ser um objeto",
    "model_type": "deve ser um objeto",
    "model_attributes_type": "deve ser um objeto",
    "too_short": "deve ter ao menos {min_length} item(ns)",
    "too_long": "deve ter no máximo {max_length} itens",
    "greater_than_equal": "deve ser no mínimo {ge}",
    "greater_than": "deve ser maior que {gt}",
    "less_than_equal": "deve ser no máximo {le}",
    "enum": "deve ser um destes: {expected}",
    "literal_error": "deve ser um destes: {expected}",
}


def details_of(error: ValidationError, word: str) -> list[Detail]:
    """Return `[{word: "columns.0.name", "reason": "obrigatório"}]` for the first findings."""
    return [
        {word: ".".join(str(part) for part in found["loc"]) or "corpo", "reason": _reason(found)}
        for found in error.errors(include_url=False, include_input=False)[:MAX_DETAILS]
    ]


def _reason(found: Any) -> str:
    context = found.get("ctx", {})
    if found["type"] == "value_error":
        return str(context["error"])
    expected = str(context.get("expected", "")).replace(" or ", ", ")
    return _REASONS.get(found["type"], "valor inválido").format(**{**context, "expected": expected})


def _digits(value: object) -> object:
    # pydantic would also take "1.0", " 1 " and "1_000".
    if not (isinstance(value, str) and value.isascii() and value.isdecimal()):
        raise ValueError("deve ser um número inteiro")
    return int(value) if len(value) < 1_000 else 10**1_000


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("não pode conter o caractere NUL")
    return text


QueryInteger = Annotated[int, BeforeValidator(_digits)]
Page = Annotated[QueryInteger, Field(ge=1, description="Número da página, a partir de 1")]
PlainText = Annotated[str, AfterValidator(_without_nul)]  # PostgreSQL stores no NUL in text
