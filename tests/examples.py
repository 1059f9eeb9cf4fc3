"""How many examples a property is tried on: few in `make test`, many in `make test-values`."""

import os

_MANY = "MANAGED_TABLES_MANY_EXAMPLES"  # handed to the worker processes of pytest-xdist


def want_many() -> None:
    """Have every property of this run tried on many examples; before the tests are imported."""
    os.environ[_MANY] = "1"


def examples(few: int, many: int) -> int:
    """Return the number for this run."""
    return many if _MANY in os.environ else few
