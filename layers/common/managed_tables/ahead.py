"""Prepare one thing while another one is used, as Python works while DuckDB or PostgreSQL does."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield the items in order; a thread makes each while the one before it is used.

    Raises what making an item raises, when it is that item's turn. `items` is at rest again once this
    generator is closed.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(_take, items)
        while item := coming.result():
            coming = pool.submit(_take, items)
            yield item[0]


def _take(items: Iterator[Item]) -> tuple[Item] | None:
    """Return the next item in a tuple, None where there are no more."""
    for item in items:
        return (item,)
    return None
