"""Prepare one thing while another one is used, as Python works while DuckDB or PostgreSQL does."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
_END: Any = object()


def one_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield the items in order; a thread makes each while the one before it is used.

    Raises what making an item raises, when it is that item's turn. `items` is at rest again once this
    generator is closed.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield item
