"""A ZIP's next file is prepared while one is staged; files and errors keep their order."""

import threading
from collections.abc import Iterator

import pytest

from managed_tables.ahead import one_ahead

WAIT_SECONDS = 30.0


def test_the_next_item_is_made_while_one_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def make() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in one_ahead(make()):
        following = number + 1
        assert following == len(made) or made[following].wait(WAIT_SECONDS)
        assert not any(event.is_set() for event in made[following + 1 :])


def test_an_error_comes_after_the_items_before_it() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("2")

    seen = []
    with pytest.raises(ValueError, match="2"):
        seen.extend(one_ahead(make()))
    assert seen == [1]


def test_closing_waits_for_the_item_in_progress() -> None:
    """Its folder may be deleted right after."""
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def make() -> Iterator[int]:
        yield 1
        begun.set()
        may_end.wait(WAIT_SECONDS)
        ended.set()
        yield 2

    items = one_ahead(make())
    assert next(items) == 1
    assert begun.wait(WAIT_SECONDS)
    threading.Timer(0.05, may_end.set).start()
    items.close()
    assert ended.is_set()
