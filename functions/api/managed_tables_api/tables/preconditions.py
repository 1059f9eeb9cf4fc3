"""The version that an update says it has seen: `version` in the body, `If-Match` in the header."""

import re
from typing import Annotated

from fastapi import Depends, Header

from managed_tables.errors import INVALID_REQUEST, ApiError

# A table's own ETag is `"v<version>-<hash of the body>"`; what counts is the version.
_TABLES_TAG = re.compile(r'(?:W/)?"?(?:v(\d{1,18})-[^",]*|(\d{1,18}))"?')
_ENTITY_TAG = re.compile(r'(?:W/)?"[^",]*"')


async def seen_versions(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description='A ETag da tabela, `"<versão>"` ou `*`: em outra versão, nada muda (412; extensão)',
        ),
    ] = None,
) -> frozenset[int] | None:
    """Return the versions that the header allows, None for any; a tag of no table is ignored.

    Raises INVALID_REQUEST for a header that is no list of tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    versions: set[int] = set()
    for tag in if_match.split(","):
        match = _TABLES_TAG.fullmatch(tag.strip())
        if match is not None:
            versions.add(int(match[1] or match[2]))
        elif not _ENTITY_TAG.fullmatch(tag.strip()):
            raise ApiError(INVALID_REQUEST, reason='If-Match deve ser a ETag da tabela, "<versão>" ou *')
    return frozenset(versions)


SeenVersions = Annotated[frozenset[int] | None, Depends(seen_versions)]


def expected_versions(seen: frozenset[int] | None, version: int | None) -> frozenset[int] | None:
    """Return the versions that the table may have by header and body together, None for any."""
    if version is None:
        return seen
    named = frozenset({version})
    return named if seen is None else named & seen
