"""The version that an update says it has seen: `version` in the body, `If-Match` in the header."""

import re

from managed_tables.errors import INVALID_REQUEST, ApiError

HEADER = "If-Match"
# A table's own ETag is `"v<version>-<hash of the body>"`; what counts is the version.
_TABLES_TAG = re.compile(r'(?:W/)?"?(?:v(\d{1,18})-[^",]*|(\d{1,18}))"?')
_ENTITY_TAG = re.compile(r'(?:W/)?"[^",]*"')


def expected_versions(header: str | None, version: int | None) -> frozenset[int] | None:
    """Return the versions that the table may have, None for any.

    A tag of no table is ignored. Raises INVALID_REQUEST for a header that is no list of tags.
    """
    tagged = _read_header(header)
    if version is None:
        return tagged
    named = frozenset({version})
    return named if tagged is None else named & tagged


def _read_header(header: str | None) -> frozenset[int] | None:
    if header is None or header.strip() == "*":
        return None
    versions: set[int] = set()
    for tag in header.split(","):
        match = _TABLES_TAG.fullmatch(tag.strip())
        if match is not None:
            versions.add(int(match[1] or match[2]))
        elif not _ENTITY_TAG.fullmatch(tag.strip()):
            raise ApiError(INVALID_REQUEST, reason='If-Match deve ser a ETag da tabela, "<versão>" ou *')
    return frozenset(versions)
