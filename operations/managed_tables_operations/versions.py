"""Delete a function's old versions: with SnapStart each one that is kept is billed, some 4 USD a month."""

from collections.abc import Iterator
from typing import Any


def prune_versions(functions: Any, function: str, keep: int) -> Iterator[str]:
    """Delete all but the newest `keep` published versions and those that an alias names; yield each deleted.

    `functions` is Lambda's client. CodeDeploy's weights count as names of an alias.
    """
    used: set[str] = set()
    for page in functions.get_paginator("list_aliases").paginate(FunctionName=function):
        for alias in page["Aliases"]:
            used |= {
                alias["FunctionVersion"],
                *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}),
            }
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    numbers = sorted(
        int(each["Version"]) for page in pages for each in page["Versions"] if each["Version"] != "$LATEST"
    )
    for version in map(str, numbers[: -keep or None]):
        if version not in used:
            functions.delete_function(FunctionName=function, Qualifier=version)
            yield version
