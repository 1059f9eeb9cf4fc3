"""Read requests: their bodies, bounded, with exact numbers; the types of fields; what is wrong, as details.

    def save_view(body: FromJson[NewView], query: FromQuery[PageQuery], …) -> Any:

A body is received before the request has a thread (`receive_body`), and parsed once it has one. Models of
queries are built at once: FastAPI keeps pydantic's warnings of them quiet only then.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from fastapi import Depends, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from managed_tables import exact_json
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
from managed_tables.documents.document import SCALAR, Count, Document, LateModel, built
from managed_tables.errors import INVALID_REQUEST, REQUEST_TOO_LARGE, REQUEST_TOO_SLOW, ApiError
from managed_tables.exact_json import Object
from managed_tables.settings import MIB
from managed_tables_api.http import exact_yaml

Numbers = Literal["number", "string"]
YAML = "application/yaml"

_WITHOUT_VALUE = frozenset({"missing", "string_unicode", "extra_forbidden"})

# Pydantic's names of the types of a union, which are no places of a body.
_UNION_TYPES = frozenset({"constrained-int", "constrained-str"})

_FAULTS: dict[str, tuple[DetailCode, str]] = {
    "missing": ("REQUIRED", "obrigatório"),
    "string_type": ("NOT_A_TEXT", "deve ser texto"),
    "string_unicode": ("INVALID_CHARACTER", "contém um caractere inválido"),
    "string_too_short": ("TOO_SHORT", "não pode ser vazio"),
    "string_too_long": ("TOO_LONG", "deve ter no máximo {max_length} caracteres"),
    "int_type": ("NOT_AN_INTEGER", "deve ser um número inteiro"),
    "int_parsing": ("NOT_AN_INTEGER", "deve ser um número inteiro"),
    "int_from_float": ("NOT_AN_INTEGER", "deve ser um número inteiro"),
    "bool_type": ("NOT_A_BOOLEAN", "deve ser true ou false"),
    "bool_parsing": ("NOT_A_BOOLEAN", "deve ser true ou false"),
    "list_type": ("NOT_A_LIST", "deve ser uma lista"),
    "dict_type": ("NOT_AN_OBJECT", "deve ser um objeto"),
    "model_type": ("NOT_AN_OBJECT", "deve ser um objeto"),
    "model_attributes_type": ("NOT_AN_OBJECT", "deve ser um objeto"),
    "too_short": ("TOO_SHORT", "deve ter ao menos {min_length} item(ns)"),
    "too_long": ("TOO_LONG", "deve ter no máximo {max_length} itens"),
    "greater_than_equal": ("TOO_SMALL", "deve ser no mínimo {ge}"),
    "greater_than": ("TOO_SMALL", "deve ser maior que {gt}"),
    "less_than_equal": ("TOO_LARGE", "deve ser no máximo {le}"),
    "enum": ("NOT_ALLOWED", "deve ser um destes: {expected}"),
    "literal_error": ("NOT_ALLOWED", "deve ser um destes: {expected}"),
    "extra_forbidden": ("UNKNOWN_FIELD", "campo desconhecido"),
}


def refusal_of(place: Place, findings: Sequence[Any]) -> ApiError:
    """Return INVALID_REQUEST with the first of pydantic's findings as details of the body or the query."""
    details: list[Detail] = [
        detail(place, _fault(finding), path=json_path(_place(finding)), **_value(finding))
        for finding in findings[:MAX_ERROR_DETAILS]
    ]
    return ApiError(INVALID_REQUEST, details, len(findings))


def refusal(path: str, fault: Fault, place: Place = "body", **keys: Any) -> ApiError:
    """Return INVALID_REQUEST with a fault at one place of the request."""
    return ApiError(INVALID_REQUEST, [detail(place, fault, path=path, **keys)])


def _place(finding: Any) -> Sequence[str | int]:
    if finding["type"] == "extra_forbidden":  # the name is the sender's
        return finding["loc"]  # type: ignore[no-any-return]
    return [part for part in finding["loc"] if part not in _UNION_TYPES]


def _fault(finding: Any) -> Fault:
    context = finding.get("ctx", {})
    if finding["type"] == "value_error":
        refused = context["error"]
        return refused.fault if isinstance(refused, InvalidValue) else Fault("INVALID", str(refused))
    code, reason = _FAULTS.get(finding["type"], ("INVALID", "valor inválido"))
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
        raise InvalidValue("NOT_AN_INTEGER", "deve ser um número inteiro")
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
        raise InvalidValue("NOT_A_BOOLEAN", "deve ser true ou false")
    return truth


QueryBoolean = Annotated[bool, BeforeValidator(_boolean)]
# Behind the field's limits: in front of them, OpenAPI would show the limits as no JSON Schema knows them.
QUERY_DIGITS = BeforeValidator(_digits)
Page = Annotated[int, Field(ge=1, description="Número da página, a partir de 1"), QUERY_DIGITS]


def refuse_null(value: object) -> object:
    """Refuse a null that was sent for a field that may be missing, which is None in its model."""
    if value is None:
        raise InvalidValue("REQUIRED", "não pode ser nulo")
    return value


class StrictModel(LateModel):
    """A body, or a part of one, whose unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


def without(value: Any, names: Collection[str]) -> Any:
    """Return a JSON object without some of its fields, anything else as it is."""
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if name not in names}


_READ_ONLY = Fault("READ_ONLY", "só é respondido, e não muda por aqui")
_OBJECTS = {"type": "object", "additionalProperties": {"type": [kind["type"] for kind in SCALAR]}}
_SHOWN_LIST: Mapping[str, Any] = {"type": "array", "maxItems": 2_000, "items": _OBJECTS}


class SentBack(StrictModel):
    """A body that may be the `GET`'s answer beside it: what is only answered is taken, but not changed."""

    answered: ClassVar[type[Document]]
    _shown: Object = PrivateAttr(default_factory=dict)

    @classmethod
    def _only_answered(cls) -> Iterator[str]:
        for name, known in cls.answered.model_fields.items():
            if name not in cls.model_fields:
                yield known.serialization_alias or name

    @model_validator(mode="wrap")
    @classmethod
    def _put_aside(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, dict):
            return validate(given)
        shown = {name: given[name] for name in cls._only_answered() if name in given}
        body = validate({name: value for name, value in given.items() if name not in shown})
        body._shown = shown
        return body

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema with what is only answered."""
        schema = handler(core_schema)
        shown = built(cls.answered).model_json_schema(mode="serialization")["properties"]
        properties = handler.resolve_ref_schema(schema)["properties"]
        for name in cls._only_answered():
            known = _SHOWN_LIST if shown[name].get("type") == "array" else shown[name]
            properties[name] = {**known, "readOnly": True}
        return schema

    @property
    def shows_answer(self) -> bool:
        """Whether anything was sent that is only answered."""
        return bool(self._shown)

    def require_unchanged(self, answer: Mapping[str, Any]) -> None:
        """Raise INVALID_REQUEST for what is only answered, and is otherwise now."""
        changed = [name for name, value in self._shown.items() if value != answer[name]]
        if changed:
            raise ApiError(INVALID_REQUEST, [detail("body", _READ_ONLY, path=name) for name in changed])


class ListAnswer(Document):
    """A page of a list: how many there are, and how many are on it."""

    total: Count
    quantity: Count


_MAX_OFFSET = 10**15  # beyond every table: larger numbers would not fit PostgreSQL's bigint


def offset_of(page: int, per_page: int) -> str:
    """Return how many items come before a page, as a statement's parameter."""
    return str(min((page - 1) * per_page, _MAX_OFFSET))


class PageQuery(BaseModel):
    """Which page of a list."""

    page: Page = 1
    per_page: Annotated[int, Field(ge=1, le=100, description="Itens por página"), QUERY_DIGITS] = 20

    @property
    def window(self) -> dict[str, str | None]:
        """The parameters of a statement that reads the page: `limit` and `offset`."""
        return {"limit": str(self.per_page), "offset": offset_of(self.page, self.per_page)}


def comma_words(max_items: int) -> BeforeValidator:
    """Return what makes a list of a text with commas, for a field of as many items at most."""
    listed = Annotated[list[str], Field(max_length=max_items)]
    return BeforeValidator(
        lambda value: value.split(",") if isinstance(value, str) else value,
        json_schema_input_type=str | listed,
    )


BODY_PAUSE_MAX_SECONDS = 20.0  # between two pieces of a body; API Gateway hands a body over whole
PARSED_AT_ONCE_BYTES = 64 * 1_024  # in under a millisecond; a longer body would keep other requests waiting

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


async def receive_body(request: Request) -> None:
    """Receive the body and keep it for `received`, nothing beyond the limit; raises REQUEST_TOO_SLOW."""
    limit_bytes = request.app.state.services.settings.request_max_bytes
    chunks: list[bytes] = []
    total_bytes = 0
    async for chunk in stream_body(request):
        total_bytes += len(chunk)
        if total_bytes > limit_bytes:
            request.state.body = None
            return
        chunks.append(chunk)
    request.state.body = b"".join(chunks)


async def stream_body(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; raises REQUEST_TOO_SLOW when nothing comes for a while."""
    more = True
    while more:
        try:
            async with asyncio.timeout(BODY_PAUSE_MAX_SECONDS):
                message = await request.receive()
        except TimeoutError as error:
            raise ApiError(REQUEST_TOO_SLOW) from error
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        yield message.get("body", b"")


def received(request: Request) -> bytes:
    """Return the body that `receive_body` has kept; raises REQUEST_TOO_LARGE."""
    body: bytes | None = request.state.body
    if body is None:
        raise ApiError(
            REQUEST_TOO_LARGE, limit_mb=request.app.state.services.settings.request_max_bytes // MIB
        )
    return body


def media_type_of(request: Request) -> str:
    """Return what the body is declared as, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_multipart(request: Request) -> bool:
    """Return whether the body is declared as multipart/form-data."""
    return media_type_of(request) == "multipart/form-data"


class JsonBody:
    """The dependency that gives a route its JSON body: as a model, or as the object that it is.

    Raises REQUEST_TOO_LARGE and INVALID_REQUEST, `details` naming each wrong field. No type is taken for
    another one: `1` is no boolean, `"1"` no number. Where the body may be left out, it is None.
    """

    form_schema: Mapping[str, Any] | None = None  # of the multipart form that the route takes instead

    def __init__(
        self,
        model: type[BaseModel],
        *,
        is_object: bool = False,
        is_optional: bool = False,
        holds_values: bool = False,
    ) -> None:
        self.model = model
        self.is_optional = is_optional
        self._is_object = is_object
        self._holds_values = holds_values

    async def __call__(self, request: Request) -> Any:
        """Return the body."""
        if is_multipart(request):
            raise _not_json("o corpo deve ser JSON")
        raw = received(request)
        if self.is_optional and not raw:
            return None
        if len(raw) <= PARSED_AT_ONCE_BYTES and media_type_of(request) != YAML:
            return self.parse(raw, request)
        return await run_in_threadpool(self.parse, raw, request)

    def parse(self, raw: bytes, request: Request) -> Any:
        """Return the body of these bytes."""
        value = self.read(raw, request)
        return value if self._is_object else self.validate(raw, value)

    def read(self, raw: bytes, request: Request) -> exact_json.Object:  # noqa: ARG002 - what a kind of body may need
        """Return the object that the body is."""
        return json_object(raw)

    def validate(self, raw: bytes, value: exact_json.Object, context: Any = None) -> BaseModel:
        """Return the object as the model; `context` is for its validators."""
        # An escape can write half a character, which no text of the database holds.
        if not self._holds_values and b"\\ud" in raw.lower():
            written = json.dumps(value, ensure_ascii=False, default=str)
            if _HALF_CHARACTER.search(written):
                fault = Fault("INVALID_CHARACTER", "contém um caractere inválido")
                raise ApiError(INVALID_REQUEST, [detail("body", fault)])
        try:
            return built(self.model).model_validate(value, strict=True, context=context)
        except ValidationError as error:
            raise refusal_of("body", error.errors(include_url=False)) from error


class JsonOrYamlBody(JsonBody):
    """A body that may also be YAML, where its type says so; OpenAPI has one type, as of every operation."""

    def read(self, raw: bytes, request: Request) -> exact_json.Object:
        """Return the object that the body is."""
        if media_type_of(request) != YAML:
            return super().read(raw, request)
        if len(raw) > exact_yaml.MAX_BYTES:
            raise ApiError(REQUEST_TOO_LARGE, limit_mb=exact_yaml.MAX_BYTES // MIB)
        try:
            return _object(exact_yaml.loads(raw))
        except exact_yaml.InvalidYaml as error:
            raise _unreadable("NOT_YAML", str(error)) from error


class BodyOf:
    """Declares arguments that are JSON bodies: `FromJson[NewView]`, or `FromJson[UndoBody | None]`."""

    def __init__(self, kind: type[JsonBody] = JsonBody, **options: bool) -> None:
        self._kind = kind
        self._options = options

    def __getitem__(self, annotation: Any) -> Any:
        """Return the annotation of an argument that is such a body."""
        model, *others = get_args(annotation) or [annotation]
        body = self._kind(model, is_optional=bool(others), **self._options)
        return Annotated[annotation, Depends(body)]


Model = TypeVar("Model")
FromQuery = Annotated[Model, Query()]
if TYPE_CHECKING:  # what a checker of types sees of an annotation that is made
    FromJson = Annotated[Model, JsonBody]
    FromValues = Annotated[Model, JsonBody]
else:
    FromJson = BodyOf()
    # Values of columns are left to whoever knows the columns, and names the wrong ones.
    FromValues = BodyOf(holds_values=True)


def json_object_of(model: type[BaseModel], *, is_optional: bool = False) -> Any:
    """Declare the argument that takes a JSON body as an object, for a route that judges it by its table."""
    return Depends(JsonBody(model, is_object=True, is_optional=is_optional))


def json_or_yaml_object_of(model: type[BaseModel]) -> Any:
    """Declare the argument that takes a JSON or YAML body as an object."""
    return Depends(JsonOrYamlBody(model, is_object=True))


def json_object(raw: bytes) -> exact_json.Object:
    """Return a JSON body with exact numbers, which must be an object; raises INVALID_REQUEST."""
    try:
        value = exact_json.loads(raw)
    except exact_json.InvalidJson as error:
        raise _not_json(str(error)) from error
    return _object(value)


def _object(value: Any) -> exact_json.Object:
    if not isinstance(value, dict):
        fault = Fault("NOT_AN_OBJECT", "o corpo deve ser um objeto JSON")
        raise ApiError(INVALID_REQUEST, [detail("body", fault)], reason=fault.reason)
    return value


def _not_json(reason: str) -> ApiError:
    return _unreadable("NOT_JSON", reason)


def _unreadable(code: DetailCode, reason: str) -> ApiError:
    return ApiError(INVALID_REQUEST, [detail("body", Fault(code, reason))], reason=reason)
