"""Declare how a route describes itself: its query, headers, body, answers and errors, by their models.

Nothing is worked out here: `described_routes` makes OpenAPI of it when somebody reads the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from managed_tables.errors import ApiErrorKind


@dataclass(frozen=True)
class Documentation:
    """The documentation of a route, as given to `document`."""

    summary: str
    answers: Mapping[int, type[BaseModel] | None]
    errors: Sequence[ApiErrorKind]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    headers: type[BaseModel] | None
    other_bodies: Mapping[str, Any]
    is_entity: bool

    def takes(self, name: str) -> bool:
        """Return whether the query has such a parameter; `filter[a][gte]` is one of the deep `filter`."""
        plain, deep = self._parameters
        return name in plain or ("[" in name and name.partition("[")[0] in deep)

    @cached_property
    def _parameters(self) -> tuple[frozenset[str], frozenset[str]]:
        fields = self.query.model_fields if self.query else {}
        names = {field.alias or name: field for name, field in fields.items()}
        deep = frozenset(name for name, field in names.items() if _is_deep(field.json_schema_extra))
        return frozenset(names.keys() - deep), deep


def _is_deep(extra: Any) -> bool:
    return isinstance(extra, Mapping) and extra.get("style") == "deepObject"


def document(
    summary: str,
    *,
    answers: Mapping[int, type[BaseModel] | None],
    errors: Sequence[ApiErrorKind] = (),
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    headers: type[BaseModel] | None = None,
    other_bodies: Mapping[str, Any] = MappingProxyType({}),
    is_entity: bool = False,
) -> Documentation:
    """Declare what a route takes and answers.

    A field of `query` with the style `deepObject` takes `name[a][b]`.
    `answers` gives each success status its body (None for 204), the first one being the usual;
    `other_bodies` are OpenAPI's media types other than JSON. The errors of every route are added, and those
    of every list. An answer that `is_entity` has an ETag, and may be 304.
    """
    return Documentation(summary, answers, errors, query, body, headers, other_bodies, is_entity)
