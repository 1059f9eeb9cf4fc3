"""The table of costs in the docs is computed from prices and usage."""

import runpy

from managed_tables_local.checkout import ROOT

COSTS = runpy.run_path(str(ROOT / "benchmarks" / "costs.py"))


def test_the_docs_show_the_computed_costs() -> None:
    """`python -m benchmarks costs` prints it."""
    assert COSTS["table"]() in (ROOT / "docs" / "operations.md").read_text()


def test_the_cost_per_company_falls_as_companies_are_added() -> None:
    for region in (0, 1):
        shares = [COSTS["total"](companies, region) / companies for companies in COSTS["COMPANIES"][1:]]
        assert shares == sorted(shares, reverse=True)
    assert all(row.factor >= 1 for row in COSTS["ROWS"])
