"""Read the version that a row must have from where a request may name it: `If-Match`, query or body."""

import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic import Field
from starlette.requests import Request

from managed_tables.errors import INVALID_REQUEST, ApiError

HEADER = "If-Match"

_TAG = re.compile(r'(?:W/)?"([^"]+)"|([^",\s]+)')


async def read_if_match(
    request: Request,
    if_match: Annotated[  # noqa: ARG001 - for OpenAPI: more than one such header is refused
        Annotated[str, Field(json_schema_extra={"pattern": '^("[^"]+"|\\*)$'})] | None,
        Header(
            alias=HEADER,
            description="ETag da linha, sua `_version` entre aspas: 412 se outra pessoa a alterou (extensão)",
        ),
    ] = None,
) -> str | None:
    """Return the version that the header gives, None without one or for `*`; raises INVALID_REQUEST."""
    values = request.headers.getlist(HEADER)
    if not values:
        return None
    match = _TAG.fullmatch(values[0].strip())
    if len(values) > 1 or match is None:
        raise ApiError(
            INVALID_REQUEST, reason=f"{HEADER} deve vir uma vez, com a versão da linha entre aspas"
        )
    version = match[1] or match[2]
    return None if version == "*" else version


IfMatch = Annotated[str | None, Depends(read_if_match)]


def same_version(*given: str | None) -> str | None:
    """Return the version that all places of a request name; raises INVALID_REQUEST if they differ."""
    versions = {version for version in given if version is not None}
    if len(versions) > 1:
        raise ApiError(INVALID_REQUEST, reason=f"_version e {HEADER} não são iguais")
    return versions.pop() if versions else None
