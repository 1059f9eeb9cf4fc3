"""How many examples a property is tested with: few in `make test`, many in `make test-values`."""

import os

_MANY = "MANAGED_TABLES_MANY_EXAMPLES"  # passed to the worker processes of pytest-xdist


def want_many() -> None:
    """Test every property of this run with many examples; call it before the tests are imported."""
    os.environ[_MANY] = "1"


def examples(few: int, many: int) -> int:
    """Return the number of examples for this run."""
    return many if _MANY in os.environ else few
