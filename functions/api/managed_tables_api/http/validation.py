"""Present pydantic's findings as details, and declare the field types that requests share.

Models of queries are built at once: FastAPI keeps pydantic's warnings of them quiet only then.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from managed_tables.details import (
    MAX_ERROR_DETAILS,
    Detail,
    DetailCode,
    Fault,
    InvalidValue,
    Place,
    detail,
    json_path,
    shown_value,
)
from managed_tables.documents.document import Count, Document
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.exact_json import Object

Numbers = Literal["number", "string"]

_WITHOUT_VALUE = frozenset({"missing", "string_unicode", "extra_forbidden"})

_FAULTS = {
    "missing": (DetailCode.REQUIRED, "obrigatório"),
    "string_type": (DetailCode.NOT_A_TEXT, "deve ser texto"),
    "string_unicode": (DetailCode.INVALID_CHARACTER, "contém um caractere inválido"),
    "string_too_short": (DetailCode.TOO_SHORT, "não pode ser vazio"),
    "string_too_long": (DetailCode.TOO_LONG, "deve ter no máximo {max_length} caracteres"),
    "int_type": (DetailCode.NOT_AN_INTEGER, "deve ser um número inteiro"),
    "int_parsing": (DetailCode.NOT_AN_INTEGER, "deve ser um número inteiro"),
    "int_from_float": (DetailCode.NOT_AN_INTEGER, "deve ser um número inteiro"),
    "bool_type": (DetailCode.NOT_A_BOOLEAN, "deve ser true ou false"),
    "bool_parsing": (DetailCode.NOT_A_BOOLEAN, "deve ser true ou false"),
    "list_type": (DetailCode.NOT_A_LIST, "deve ser uma lista"),
    "dict_type": (DetailCode.NOT_AN_OBJECT, "deve ser um objeto"),
    "model_type": (DetailCode.NOT_AN_OBJECT, "deve ser um objeto"),
    "model_attributes_type": (DetailCode.NOT_AN_OBJECT, "deve ser um objeto"),
    "too_short": (DetailCode.TOO_SHORT, "deve ter ao menos {min_length} item(ns)"),
    "too_long": (DetailCode.TOO_LONG, "deve ter no máximo {max_length} itens"),
    "greater_than_equal": (DetailCode.TOO_SMALL, "deve ser no mínimo {ge}"),
    "greater_than": (DetailCode.TOO_SMALL, "deve ser maior que {gt}"),
    "less_than_equal": (DetailCode.TOO_LARGE, "deve ser no máximo {le}"),
    "enum": (DetailCode.NOT_ALLOWED, "deve ser um destes: {expected}"),
    "literal_error": (DetailCode.NOT_ALLOWED, "deve ser um destes: {expected}"),
    "extra_forbidden": (DetailCode.UNKNOWN_FIELD, "campo desconhecido"),
}
_INVALID = (DetailCode.INVALID, "valor inválido")


def refusal_of(place: Place, findings: Sequence[Any]) -> ApiError:
    """Return INVALID_REQUEST with the first of pydantic's findings as details of the body or the query."""
    details: list[Detail] = [
        detail(place, _fault(finding), path=json_path(finding["loc"]), **_value(finding))
        for finding in findings[:MAX_ERROR_DETAILS]
    ]
    return ApiError(INVALID_REQUEST, details, len(findings))


def refusal(path: str, fault: Fault, place: Place = "body", **keys: Any) -> ApiError:
    """Return INVALID_REQUEST with a fault at one place of the request."""
    return ApiError(INVALID_REQUEST, [detail(place, fault, path=path, **keys)])


def _fault(finding: Any) -> Fault:
    context = finding.get("ctx", {})
    if finding["type"] == "value_error":
        refused = context["error"]
        return refused.fault if isinstance(refused, InvalidValue) else Fault(DetailCode.INVALID, str(refused))
    code, reason = _FAULTS.get(finding["type"], _INVALID)
    expected = str(context.get("expected", "")).replace(" or ", ", ")
    return Fault(code, reason.format(**{**context, "expected": expected}))


def _value(finding: Any) -> Object:
    """Return the given value, if it can be shown."""
    value = finding["input"]
    if finding["type"] in _WITHOUT_VALUE or not isinstance(value, str | bool | int | Decimal | None):
        return {}
    return {"value": shown_value(value)}


def _digits(value: object) -> object:
    # pydantic would also take "1.0", " 1 " and "1_000".
    if not (isinstance(value, str) and value.isascii() and value.isdecimal()):
        raise InvalidValue(DetailCode.NOT_AN_INTEGER, "deve ser um número inteiro")
    return int(value) if len(value) < 1_000 else 10**1_000


class NumbersQuery(BaseModel):
    """How numbers are answered."""

    numbers: Numbers = Field(
        default="number",
        description="`string` responde inteiros e decimais como texto, sem perda em navegadores (extensão)",
    )


def _boolean(value: object) -> object:
    truth = {"true": True, "false": False}.get(value) if isinstance(value, str) else None
    if truth is None:
        raise InvalidValue(DetailCode.NOT_A_BOOLEAN, "deve ser true ou false")
    return truth


QueryBoolean = Annotated[bool, BeforeValidator(_boolean)]
# Behind the field's limits: in front of them, OpenAPI would show the limits as no JSON Schema knows them.
QUERY_DIGITS = BeforeValidator(_digits)
Page = Annotated[int, Field(ge=1, description="Número da página, a partir de 1"), QUERY_DIGITS]


def refuse_null(value: object) -> object:
    """Refuse a null that was sent for a field that may be missing, which is None in its model."""
    if value is None:
        raise InvalidValue(DetailCode.REQUIRED, "não pode ser nulo")
    return value


class ListAnswer(Document):
    """A page of a list: how many there are, and how many are on it."""

    total: Count
    quantity: Count


class PageQuery(BaseModel):
    """Which page of a list."""

    page: Page = 1
    per_page: Annotated[int, Field(ge=1, le=100, description="Itens por página"), QUERY_DIGITS] = 20


def comma_words(max_items: int) -> BeforeValidator:
    """Return what makes a list of a text with commas, for a field of as many items at most."""
    listed = Annotated[list[str], Field(max_length=max_items)]
    return BeforeValidator(
        lambda value: value.split(",") if isinstance(value, str) else value,
        json_schema_input_type=str | listed,
    )
