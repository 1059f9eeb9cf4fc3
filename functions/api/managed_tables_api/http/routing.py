"""Declare routes, and keep fixed words of a path out of its ids: `/upload-jobs` is never that table.

FastAPI parses nothing of a request, and OpenAPI is made from a route's declarations only when somebody reads
it, so neither costs a request or a cold start anything.

Where one route has a word and another a parameter at the same place, the word is no value of the parameter:
`PUT /upload` is 405, as `/upload` is known, and `GET /exports`, which is not, 404.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, request_response

from managed_tables_api.http.calls import answer_call, permission_of
from managed_tables_api.openapi.describing import Documentation

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_PARAMETER = re.compile(r"\{(\w+)\}")


class ApiRoute(Route):
    """One function for one path and method; its argument `call` says which permission it needs.

    A function without it takes the request, and needs no token.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        method: str,
        tags: Sequence[str],
        documentation: Documentation | None = None,
    ) -> None:
        super().__init__(path, endpoint, methods=[method])
        self.methods = {method}  # Starlette would let HEAD in
        self.tags = tags
        self.documentation = documentation
        self.permission = permission_of(endpoint)
        if self.permission is not None:
            self.app = request_response(self._answer)

    async def _answer(self, request: Request) -> Response:
        assert self.permission is not None  # noqa: S101 - as `__init__` has made sure
        return await answer_call(request, self.permission, self.endpoint, self.documentation)


class ApiRouter:
    """The routes of one module, their paths under a prefix."""

    def __init__(self, prefix: str, tags: Sequence[str] = ()) -> None:
        self.routes: list[ApiRoute] = []
        self._prefix = prefix
        self._tags = tags

    def route(
        self, method: str, path: str, documentation: Documentation | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare a function as the route of a method and a path."""

        def declare(endpoint: Endpoint) -> Endpoint:
            self.routes.append(ApiRoute(self._prefix + path, endpoint, method, self._tags, documentation))
            return endpoint

        return declare

    def get(self, path: str, documentation: Documentation | None = None) -> Callable[[Endpoint], Endpoint]:
        """Declare a route of GET."""
        return self.route("GET", path, documentation)

    def post(self, path: str, documentation: Documentation | None = None) -> Callable[[Endpoint], Endpoint]:
        """Declare a route of POST."""
        return self.route("POST", path, documentation)

    def put(self, path: str, documentation: Documentation | None = None) -> Callable[[Endpoint], Endpoint]:
        """Declare a route of PUT."""
        return self.route("PUT", path, documentation)

    def patch(self, path: str, documentation: Documentation | None = None) -> Callable[[Endpoint], Endpoint]:
        """Declare a route of PATCH."""
        return self.route("PATCH", path, documentation)

    def delete(self, path: str, documentation: Documentation | None = None) -> Callable[[Endpoint], Endpoint]:
        """Declare a route of DELETE."""
        return self.route("DELETE", path, documentation)


def reserve_fixed_words(routes: Sequence[BaseRoute]) -> None:
    """Let no parameter of these routes match a word that another route has in its place."""
    known = [route for route in routes if isinstance(route, Route)]
    paths = [_segments(route) for route in known]
    for route, segments in zip(known, paths, strict=True):
        for place, segment in enumerate(segments):
            parameter = _PARAMETER.fullmatch(segment)
            words = _words(paths, segments[:place]) if parameter else set()
            if parameter and words:
                route.path_regex = _without(route.path_regex, parameter[1], words)


def _segments(route: Route) -> list[str]:
    return route.path.split("/")


def _words(paths: Iterable[list[str]], before: list[str]) -> set[str]:
    """Return the fixed words that follow these segments in any path."""
    place = len(before)
    return {
        path[place]
        for path in paths
        if len(path) > place and not _PARAMETER.fullmatch(path[place]) and _alike(path[:place], before)
    }


def _alike(first: list[str], second: list[str]) -> bool:
    return [_PARAMETER.sub("", one) for one in first] == [_PARAMETER.sub("", one) for one in second]


def _without(pattern: re.Pattern[str], parameter: str, words: set[str]) -> re.Pattern[str]:
    listed = "|".join(map(re.escape, sorted(words)))
    found = f"(?P<{parameter}>"
    return re.compile(pattern.pattern.replace(found, f"{found}(?!(?:{listed})(?:/|$))"))
