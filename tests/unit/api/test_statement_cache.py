"""Statements are kept up to a number of bytes, the least recently used first out."""

from managed_tables_api.rows.statement_cache import MAX_STATEMENTS, StatementCache


def test_statements_are_kept_up_to_their_bytes() -> None:
    cache, composed = StatementCache(100), []

    def find(key: str, length: int = 40) -> bytes:
        return cache.find_or_compose(key, lambda: composed.append(key) or b"x" * length)  # type: ignore[func-returns-value]

    for key in ("a", "b", "a", "c", "a", "b"):
        assert find(key) == b"x" * 40
    assert composed == ["a", "b", "c", "b"]
    assert cache.bytes_kept == 80
    assert find("long", 1_000) == b"x" * 1_000
    assert cache.bytes_kept == 0


def test_statements_are_kept_up_to_their_number() -> None:
    cache = StatementCache(1_000_000)
    for number in range(MAX_STATEMENTS + 10):
        cache.find_or_compose(number, lambda: b"x")
    assert cache.bytes_kept == MAX_STATEMENTS
