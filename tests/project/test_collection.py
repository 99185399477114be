"""Python's collector runs seldom where many objects are made, and as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tinygrad_cnn.collection import SELDOM, seldom_collected


@pytest.fixture(autouse=True)
def threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("before", "within"), [(700, SELDOM), (0, 0), (SELDOM + 1, SELDOM + 1)], ids=["usual", "never", "more seldom still"]
)
def test_it_runs_as_seldom_as_is_asked_and_as_before_afterwards(before: int, within: int) -> None:
    gc.set_threshold(before, 7, 8)
    with seldom_collected():
        assert gc.get_threshold() == (within, 7, 8)
    assert gc.get_threshold() == (before, 7, 8)


def test_it_runs_as_before_after_an_exception() -> None:
    gc.set_threshold(701, 7, 8)
    with pytest.raises(KeyError), seldom_collected():
        raise KeyError
    assert gc.get_threshold() == (701, 7, 8)
