"""Make the bodies that go out: JSON with exact numbers, the one shape of every error, the reader's language.

The numbers of data are text where a request asks for that (`numbers=string`), since browsers round them;
counts stay numbers. Sentences are made in Portuguese, and said in English where a request prefers it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic import JsonValue, WithJsonSchema
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import Response
from starlette.types import Scope

from managed_tables import exact_json
from managed_tables.details import Detail, described
from managed_tables.documents.document import Document, saying
from managed_tables.errors import RESPONSE_TOO_LARGE, ApiError
from managed_tables.exact_json import Value
from managed_tables.messages.sentences import in_english
from managed_tables.observability import get_logger
from managed_tables.settings import MIB


def as_text(value: Any) -> Value:
    """Return a value of data, or the values of a row, with every integer and decimal as text."""
    if isinstance(value, Mapping):
        return {name: as_text(cell) for name, cell in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        unchanged: Value = value
        return unchanged
    return format(value, "f") if isinstance(value, Decimal) else str(value)


SERVICE = "api"
# A company's other requests are done in a second; a database that wakes takes longer.
RETRY_AFTER_SECONDS = {429: 1, 503: 5}


class JsonAnswer(Response):
    """A JSON body, or the text of one; numbers are written digit for digit."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return content if isinstance(content, bytes) else exact_json.dumps(as_json(content))


def list_answer(total: int, records: Iterable[Document], limit_bytes: int) -> Response:
    """Return `{"total", "quantity", "records"}`, records made one by one; raises RESPONSE_TOO_LARGE early."""
    texts: list[bytes] = []
    size_bytes = 0
    for record in records:
        texts.append(exact_json.dumps(as_json(record)))
        size_bytes += len(texts[-1])
        if size_bytes > limit_bytes:
            raise response_too_large(limit_bytes)
    return JsonAnswer(b'{"total":%d,"quantity":%d,"records":[%b]}' % (total, len(texts), b",".join(texts)))


def response_too_large(limit_bytes: int) -> ApiError:
    """Return RESPONSE_TOO_LARGE, which says how much an answer may have."""
    return ApiError(RESPONSE_TOO_LARGE, limit_mb=f"{limit_bytes / MIB:.1f}".replace(".", ","))


def error_body(error: ApiError) -> dict[str, Any]:
    """Return `{"error", "code"}`, with `details` and `row` where there are any; numbers as asked for."""
    reader = _reader.get()
    body: dict[str, Any] = {"error": reader.say(error.sentence), "code": error.kind.code}
    if error.rows:
        body["row"] = reader.shown(error.rows[0])
    details: list[Detail] = [{**known, "reason": reader.say(known["reason"])} for known in error.details]
    for known in details:
        if "value" in known:
            known["value"] = reader.shown(known["value"])
    return {**body, **described(details, error.details_total)} if details else body


def as_answer(content: Any, status_code: int) -> Response:
    """Return what a route has made as a response: one as it is, None as 204, all else as exact JSON."""
    if isinstance(content, Response):
        return content
    return Response(status_code=204) if content is None else JsonAnswer(content, status_code)


def error_answer(error: ApiError, headers: dict[str, str] | None = None) -> JsonAnswer:
    """Return an error's status and body; what is no fault of the caller's is logged."""
    status = error.kind.status
    if status >= 500:  # the caller is told what to do, the operator why
        get_logger(SERVICE).warning(error.kind.code, exc_info=error)
    headers = dict(headers or {})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS[status])
    return JsonAnswer(error_body(error), status, headers)


HeaderValues = list[str] | None  # of a header that may come several times


def header_schema(**limits: JsonValue) -> dict[str, JsonValue]:
    """Return how OpenAPI shows a header: once, if at all."""
    return {"anyOf": [{"type": "string", **limits}, {"type": "null"}]}


class EntityTags:
    """The tags in a request's `If-None-Match`: what its client has already."""

    def __init__(self, values: Sequence[str]) -> None:
        self._known = {tag.strip().removeprefix("W/") for value in values for tag in value.split(",")}

    def answer(self, content: Any, version: int | None = None) -> Response:
        """Return the content, or its JSON text, with its ETag; 304 where that is known, weakly compared.

        The tag changes with the body; that of a table begins with its version, which `If-Match` compares.
        """
        answer = JsonAnswer(content)
        tag = answer.headers["ETag"] = tag_of(bytes(answer.body), version)
        is_known = self._known & {tag, "*"}
        return Response(status_code=304, headers={"ETag": tag}) if is_known else answer


async def entity_tags(
    known: Annotated[
        HeaderValues,
        WithJsonSchema(header_schema()),
        Header(alias="If-None-Match", description="ETag que já se tem: 304 se nada mudou (extensão)"),
    ] = None,
) -> EntityTags:
    """Return the tags that the client has: a route that takes them answers with an ETag, or 304."""
    return EntityTags(known or ())


Entity = Annotated[EntityTags, Depends(entity_tags)]


def tag_of(body: bytes, version: int | None = None) -> str:
    """Return the ETag of a body, a table's with its version."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f'"{digest}"' if version is None else f'"v{version}-{digest}"'


async def matched_tags(
    wanted: Annotated[
        HeaderValues,
        WithJsonSchema(header_schema()),
        Header(alias="If-Match", description="ETag do que se conhece: se mudou, nada é gravado (412)"),
    ] = None,
) -> frozenset[str] | None:
    """Return the tags of which one must be that of what is to be changed; None for any."""
    tags = frozenset(tag.strip().removeprefix("W/") for value in wanted or () for tag in value.split(","))
    return None if not tags or "*" in tags else tags


SeenTags = Annotated[frozenset[str] | None, Depends(matched_tags)]


LANGUAGE_HEADER = "Accept-Language"
_RANGE = re.compile(
    r"\s*+(?P<language>[a-z]++|\*)(?:-[a-z\d-]*+)?\s*+(?:;\s*+q=(?P<quality>0(?:\.\d*+)?|1(?:\.0*+)?)\s*+)?"
)


class Reader:
    """Whoever reads an answer: in which language, numbers as what, and whether it has a sentence at all."""

    def __init__(self, accepted: str, query: bytes = b"") -> None:
        # Portuguese, for which `*` stands, too, unless English is preferred (RFC 9110, 12.5.4).
        ranges = [matched for text in accepted.lower().split(",") if (matched := _RANGE.fullmatch(text))]
        qualities = dict(sorted((each["language"], float(each["quality"] or 1)) for each in ranges))
        is_english = qualities.get("en", 0) > qualities.get("pt", qualities.get("*", 0))
        self.language = "en" if is_english else "pt-BR"
        self._query = query
        self._has_heard = False

    def say(self, sentence: str) -> str:
        """Return a Portuguese sentence as it is to be answered."""
        self._has_heard = True
        return in_english(sentence) if self.language == "en" else sentence

    def shown(self, value: Any) -> Value:
        """Return a value of data, or a row, as the request's `numbers` wants it."""
        return as_text(value) if self._wants_text else value

    @cached_property
    def _wants_text(self) -> bool:
        return QueryParams(self._query).get("numbers") == "string"

    def mark(self, headers: MutableHeaders) -> None:
        """Say in an answer's headers that it depends on the request's; one without a sentence does not."""
        if self._has_heard:
            headers["Content-Language"] = self.language
            headers.add_vary_header(LANGUAGE_HEADER)


_reader: ContextVar[Reader] = ContextVar("reader", default=Reader(""))  # noqa: B039 - of no request


@contextmanager
def answering(scope: Scope) -> Iterator[Reader]:
    """Have the answer to a request as it prefers; the calls within it have the same reader."""
    accepted = ",".join(Headers(scope=scope).getlist(LANGUAGE_HEADER))
    reader = _reader.get(None) or Reader(accepted, scope["query_string"])
    token = _reader.set(reader)
    try:
        yield reader
    finally:
        _reader.reset(token)


def say(sentence: str) -> str:
    """Return a Portuguese sentence in the language of this request."""
    return _reader.get().say(sentence)


def as_json(content: Any) -> Any:
    """Return what a route has made as JSON, in this request's language: what is stored stays Portuguese."""
    if not isinstance(content, Document):
        return content
    token = saying.set(say)
    try:
        return content.as_json()
    finally:
        saying.reset(token)
