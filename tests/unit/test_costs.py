"""The table of costs in the docs is computed."""

import runpy

from managed_tables_local.checkout import ROOT

COSTS = runpy.run_path(str(ROOT / "benchmarks" / "costs.py"))


def test_the_docs_show_the_computed_costs() -> None:
    """`python -m benchmarks costs` prints it."""
    assert COSTS["table"]() in (ROOT / "docs" / "operations.md").read_text()
