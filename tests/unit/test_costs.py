"""The table of what a deployment costs is what prices and use give."""

import runpy

from managed_tables_local.checkout import ROOT

COSTS = runpy.run_path(str(ROOT / "benchmarks" / "costs.py"))


def test_the_docs_have_the_table_that_the_prices_give() -> None:
    """`python -m benchmarks costs` prints it."""
    assert COSTS["table"]() in (ROOT / "docs" / "operations.md").read_text()


def test_a_company_costs_less_the_more_there_are() -> None:
    for region in (0, 1):
        shares = [COSTS["total"](companies, region) / companies for companies in COSTS["COMPANIES"][1:]]
        assert shares == sorted(shares, reverse=True)
    assert all(row.factor >= 1 for row in COSTS["ROWS"])
