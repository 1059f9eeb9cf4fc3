"""Read the version that a row must have from where a request may name it: `If-Match`, query or body.

It is answered as `_version`, unless a column of the table takes the name.
"""

import re
from collections.abc import Container
from typing import Annotated

from fastapi import Depends, Header
from pydantic import Field
from starlette.requests import Request

from managed_tables.details import DetailCode, Fault, Place
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables_api.http.validation import refusal

HEADER = "If-Match"
VERSION_FIELD = "_version"  # of a row as it is answered

_NAME_TAKEN = Fault(DetailCode.NOT_ALLOWED, f"a tabela tem uma coluna {VERSION_FIELD}; use ETag e If-Match")
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
        raise ApiError(INVALID_REQUEST, reason=f"{VERSION_FIELD} e {HEADER} não são iguais")
    return versions.pop() if versions else None


def read_row_version(given: object) -> str:
    """Return the version that a body names; raises INVALID_REQUEST."""
    if not isinstance(given, str) or not given or "\x00" in given:
        raise ApiError(INVALID_REQUEST, reason=f"{VERSION_FIELD} deve ser um texto que a API respondeu")
    return given


def check_version_field(columns: Container[str], place: Place) -> None:
    """Raise INVALID_REQUEST for rows asked for with their versions where a column takes the name."""
    if VERSION_FIELD in columns:
        raise refusal("versions", _NAME_TAKEN, place)
