"""The bundled sample and what `make run` promises of it."""

from managed_tables_local.sample import SAMPLE, make_sample


def test_the_committed_sample_matches_its_generator() -> None:
    """Change both together."""
    assert SAMPLE.read_bytes() == make_sample()
