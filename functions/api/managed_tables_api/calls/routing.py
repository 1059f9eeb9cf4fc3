"""The one class of routes: exact JSON and our errors, and no fault of a request before an unknown id's 404.

Bodies and queries are parsed before anything is looked up, so that a valid request pays for no look-up that
its work does not need. Where they are refused, the ids of the path are looked up first (401, 403, 404, 422).

Where one route has a word and another a parameter at the same place, the word is no value of the parameter:
`PUT /upload` is 405, as `/upload` is known, and `GET /exports`, which is not, 404.
"""

import inspect
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, wraps
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from managed_tables import API_PREFIX
from managed_tables.errors import ApiError, ApiErrorKind
from managed_tables_api.calls.gate import require_known
from managed_tables_api.http.answers import ErrorAnswer, as_answer, error_answer
from managed_tables_api.http.validation import refusal_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_REFUSALS = frozenset({413, 422})  # of what was sent; every other error of a dependency comes as it is
_PARAMETER = re.compile(r"\{(\w+)\}")


class ApiRoute(APIRoute):
    """A route whose function returns a response, or content that is answered as exact JSON (None: 204)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _answering(endpoint, options.get("status_code") or 200), **options)
        self.errors: tuple[ApiErrorKind, ...] = getattr(endpoint, "errors", ())

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler of the route, with refusals in the contract's order."""
        handle = super().get_route_handler()

        async def handle_in_order(request: Request) -> Response:
            try:
                answer = await handle(request)
                return answer.as_asked(request) if isinstance(answer, ErrorAnswer) else answer
            except RequestValidationError as error:
                findings = [{**finding, "loc": finding["loc"][1:]} for finding in error.errors()]
                refusal = refusal_of("query", findings)
            except ApiError as error:
                refusal = error
                if refusal.kind.status not in _REFUSALS:
                    raise
            await run_in_threadpool(require_known, request, self.calls)
            raise refusal

        return handle_in_order

    @cached_property
    def calls(self) -> frozenset[Callable[..., Any] | None]:
        """The dependencies of the route, and theirs."""
        return frozenset(dependency.call for dependency in _dependencies(self.dependant))

    def takes(self, name: str) -> bool:
        """Return whether the query has such a parameter; `filter[a][gte]` is one of the deep `filter`."""
        plain, deep = self._parameters
        return name in plain or ("[" in name and name.partition("[")[0] in deep)

    @cached_property
    def _parameters(self) -> tuple[frozenset[str], frozenset[str]]:
        takers = (self.dependant, *_dependencies(self.dependant))
        fields = {name: field for taker in takers for name, field in _query_fields(taker)}
        deep = frozenset(name for name, field in fields.items() if _is_deep(field.json_schema_extra))
        return frozenset(fields.keys() - deep), deep


def _answering(endpoint: Endpoint, status_code: int) -> Endpoint:
    """Return the function with its content, or its error, made into an answer where it has its thread."""
    if inspect.iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def answer_later(**arguments: Any) -> Response:
            try:
                return as_answer(await endpoint(**arguments), status_code)
            except ApiError as error:
                return error_answer(error)

        return answer_later  # type: ignore[return-value]

    @wraps(endpoint)
    def answer(**arguments: Any) -> Response:
        try:
            return as_answer(endpoint(**arguments), status_code)
        except ApiError as error:
            return error_answer(error)

    return answer  # type: ignore[return-value]


def _dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for dependency in dependant.dependencies:
        yield dependency
        yield from _dependencies(dependency)


def _query_fields(dependant: Dependant) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the names in the query that a function takes, and what each is."""
    for taken in dependant.query_params:
        model = taken.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from ((field.alias or name, field) for name, field in model.model_fields.items())
        else:
            yield taken.alias, taken.field_info


def _is_deep(extra: Any) -> bool:
    return isinstance(extra, Mapping) and extra.get("style") == "deepObject"


def api_router(prefix: str, tag: str) -> APIRouter:
    """Return a router of such routes, under `API_PREFIX`."""
    return APIRouter(
        prefix=f"{API_PREFIX}{prefix}",
        tags=[tag],
        route_class=ApiRoute,
        generate_unique_id_function=lambda route: route.name,
    )


def raises(*kinds: ApiErrorKind) -> Callable[[Endpoint], Endpoint]:
    """Declare a route's own errors for the OpenAPI document, which knows those of ids, bodies and queries."""

    def declare(endpoint: Endpoint) -> Endpoint:
        endpoint.errors = kinds  # type: ignore[attr-defined]
        return endpoint

    return declare


def reserve_fixed_words(routes: Sequence[BaseRoute]) -> None:
    """Let no parameter of these routes match a word that another route has in its place."""
    known = [route for route in routes if isinstance(route, Route)]
    paths = [route.path.split("/") for route in known]
    for route, segments in zip(known, paths, strict=True):
        for place, segment in enumerate(segments):
            parameter = _PARAMETER.fullmatch(segment)
            words = _words(paths, segments[:place]) if parameter else set()
            if parameter and words:
                route.path_regex = _without(route.path_regex, parameter[1], words)


def _words(paths: Iterable[list[str]], before: list[str]) -> set[str]:
    """Return the fixed words that follow these segments in any path."""
    place = len(before)
    return {
        path[place]
        for path in paths
        if len(path) > place and not _PARAMETER.fullmatch(path[place]) and _alike(path[:place], before)
    }


def _alike(first: list[str], second: list[str]) -> bool:
    return [_PARAMETER.sub("", word) for word in first] == [_PARAMETER.sub("", word) for word in second]


def _without(pattern: re.Pattern[str], parameter: str, words: set[str]) -> re.Pattern[str]:
    listed = "|".join(map(re.escape, sorted(words)))
    group = f"(?P<{parameter}>"
    return re.compile(pattern.pattern.replace(group, f"{group}(?!(?:{listed})(?:/|$))"))
