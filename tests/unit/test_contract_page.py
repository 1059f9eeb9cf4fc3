"""docs/contract.md is written from the tests."""

import contract


def test_the_page_is_up_to_date() -> None:
    """`make contract` has been run since a test file came, went, or changed what it is about."""
    assert contract.page() == contract.PAGE.read_text(encoding="utf-8")


def test_every_test_file_says_what_it_is_about() -> None:
    """Its module's docstring is its line of the page."""
    assert [line for line in contract.page().splitlines() if line.endswith("): ")] == []
