"""Keep fixed words of a path out of its ids: `/upload-jobs` is never the table of that name.

Where one route has a word and another a parameter at the same place, the word is no value of the parameter:
`PUT /upload` is 405, as `/upload` is known, and `GET /exports`, which is not, 404.
"""

import re
from collections.abc import Iterable, Sequence

from starlette.routing import BaseRoute, Route

_PARAMETER = re.compile(r"\{(\w+)\}")


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
