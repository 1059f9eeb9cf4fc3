"""Statements are kept up to a number of bytes, the least recently used first out."""

from managed_tables_api.rows.statements import KEPT_BYTES, KEPT_STATEMENTS, kept_statement


def test_statements_are_kept_up_to_their_bytes_and_their_number() -> None:
    composed: list[str] = []

    @kept_statement
    def compose(name: str, length: int = 40) -> bytes:
        composed.append(name)
        return b"x" * length

    for name in ("a", "b", "a"):
        assert compose(name) == b"x" * 40
    assert composed == ["a", "b"]
    compose("long", KEPT_BYTES)
    compose("a")
    assert composed == ["a", "b", "long", "a"]
    for number in range(KEPT_STATEMENTS):
        compose(str(number))
    composed.clear()
    for name in (str(KEPT_STATEMENTS - 1), "a"):
        compose(name)
    assert composed == ["a"]
