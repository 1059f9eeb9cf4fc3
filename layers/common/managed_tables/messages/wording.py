"""Word counts for people: one Portuguese sentence for one, another for many."""


def number(count: int) -> str:
    """Return a whole number with points between thousands."""
    return f"{count:,}".replace(",", ".")


def counted(count: int, one: str, many: str) -> str:
    """Return the count with the words for one thing or for several (`1 linha`, `1.234 linhas`)."""
    return f"{number(count)} {one if count == 1 else many}"
