"""The tables of costs and of cells in the docs are computed."""

import runpy

from managed_tables_local.checkout import ROOT

CELLS = runpy.run_path(str(ROOT / "benchmarks" / "cells.py"))
COSTS = runpy.run_path(str(ROOT / "benchmarks" / "costs.py"))


def test_the_docs_show_the_computed_costs() -> None:
    """`python -m benchmarks costs` prints it."""
    assert COSTS["table"]() in (ROOT / "docs" / "operations.md").read_text()


def test_the_cost_per_company_falls_as_companies_are_added() -> None:
    for region in (0, 1):
        shares = [COSTS["total"](companies, region) / companies for companies in COSTS["COMPANIES"][1:]]
        assert shares == sorted(shares, reverse=True)
    assert all(row.factor >= 1 for row in COSTS["ROWS"])


def test_the_docs_show_the_simulated_cells() -> None:
    """`python -m benchmarks cells` prints the table; its largest line takes seconds and is left to that."""
    text = (ROOT / "docs" / "scale.md").read_text()
    for companies in CELLS["COMPANIES"][:2]:
        one = CELLS["simulate"](companies)
        assert f"| {companies:,} | {one.cells} | {one.moves_a_month:.0f} | {one.busiest:.0%} |" in text
