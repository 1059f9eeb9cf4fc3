"""The bundled sample and what `make run` promises of it."""

from managed_tables_local.sample import ROWS, SAMPLE, make_sample


def test_the_committed_sample_matches_its_generator() -> None:
    """Change both together."""
    assert SAMPLE.read_bytes() == make_sample()


def test_the_sample_is_awkward_in_the_brazilian_way() -> None:
    """Latin-1, semicolons, decimal commas, day first, sim and não, CEPs with leading zeros, 2,000 rows."""
    text = SAMPLE.read_bytes().decode("latin-1")
    assert ROWS >= 2_000
    for sign in ("Preço Unitário;", ";1.289,00;", ";02/01/2025;", ";sim;", ";não;", ";01"):
        assert sign in text
