"""Mini-batches: every example once, in an order that the seed and the epoch determine; bad data are refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_cnn.train import Batch, DataLoader

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


def drawn(loader: DataLoader, epoch: int = 0, start: int = 0) -> list[tuple[Any, Any]]:
    return [(batch.x.tolist(), batch.y.tolist()) for batch in loader.batches(epoch, start)]


@given(st.integers(1, 30), st.data(), st.integers(0, 5), st.booleans(), st.booleans(), st.integers(0, 3))
def test_an_epoch_has_every_example_once(
    count: int, data: st.DataObject, epoch: int, shuffle: bool, drop_last: bool, workers: int
) -> None:
    size = data.draw(st.integers(1, count))
    loader = DataLoader(
        np.arange(count), -np.arange(count), batch_size=size, shuffle=shuffle, drop_last=drop_last, workers=workers
    )
    batches = list(loader.batches(epoch))
    assert len(batches) == len(loader)
    assert all(len(x) == size for x, _ in batches[:-1])
    seen = np.concatenate([x for x, _ in batches])
    assert np.array_equal(seen, -np.concatenate([y for _, y in batches]))
    assert len(set(seen.tolist())) == len(seen) == (count - count % size if drop_last else count)
    assert shuffle or np.array_equal(seen, np.arange(len(seen)))


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    first, again, other = (DataLoader(X, Y, batch_size=3, seed=seed) for seed in (1, 1, 2))
    drawn(again, 0)  # what was drawn before makes no difference
    assert drawn(first, 5) == drawn(again, 5)
    assert drawn(first, 5) != drawn(first, 6)
    assert drawn(first, 5) != drawn(other, 5)


def test_an_epoch_continues_from_any_batch() -> None:
    loader = DataLoader(X, Y, batch_size=3, transform=lambda batch, rng: (batch.x + rng.random(), batch.y))
    for start in range(5):
        assert drawn(loader, 2, start) == drawn(loader, 2)[start:]


def test_threads_change_nothing_but_the_time() -> None:
    names = set()

    def jitter(batch: Batch, rng: np.random.Generator) -> Batch:
        names.add(threading.current_thread().name)
        return Batch(batch.x + rng.normal(size=batch.x.shape), batch.y)

    alone, *others = (drawn(DataLoader(X, Y, batch_size=2, transform=jitter, workers=n), 3) for n in (0, 1, 2, 7))
    assert all(other == alone for other in others)
    assert any(name.startswith("DataLoader") for name in names)


def test_threads_end_when_nobody_takes_more_batches() -> None:
    for _ in DataLoader(X, Y, batch_size=1, workers=2).batches(0):
        break
    for thread in threading.enumerate():
        if thread.name.startswith("DataLoader"):
            thread.join(5)
            assert not thread.is_alive()


def test_threads_have_the_error_handling_of_the_caller() -> None:
    def divided(batch: Batch, rng: np.random.Generator) -> Batch:
        return Batch(batch.x / np.zeros(()), batch.y)

    with np.errstate(all="ignore"):
        assert np.isinf(next(iter(DataLoader(X + 1, Y, transform=divided, workers=1).batches(0))).x).all()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_exception_of_a_transform_arrives(workers: int) -> None:
    def wrong(batch: Batch, rng: np.random.Generator) -> Batch:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        drawn(DataLoader(X, Y, batch_size=2, transform=wrong, workers=workers))


def test_examples_are_read_where_they_are_needed(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.npy" for k in range(4)]
    for k, path in enumerate(paths):
        np.save(path, np.full((2, 2), float(k)))
    loader = DataLoader(paths, range(4), batch_size=2, read=np.load, workers=2)
    for x, y in loader.batches(1):
        assert x.shape == (2, 2, 2)
        np.testing.assert_array_equal(x[:, 0, 0], y)


def test_examples_that_are_read_have_one_shape_and_are_finite() -> None:
    def read(k: int) -> Any:
        return np.zeros(k)

    with pytest.raises(ValueError, match=r"read gives shape \(3,\) for x\[1\] and \(2,\) for x\[0\]"):
        drawn(DataLoader([2, 3], [0, 0], shuffle=False, read=read))
    with pytest.raises(ValueError, match=r"x\[1\]\[0\] is nan; expected finite"):
        drawn(DataLoader([1.0, np.nan], [0, 0], shuffle=False, read=lambda number: np.array([number])))


BAD = np.zeros((4, 3))
BAD[2, 1] = np.nan
INFINITE = np.full((4, 3), 1e308)  # finite, though their sum is not
INFINITE[3, 0] = -np.inf


@pytest.mark.parametrize(
    ("x", "y", "keywords", "message"),
    [
        (X, Y[:9], {}, "x has 10 examples and y 9; expected as many of both"),
        (X, Y, {"batch_size": 11}, "batch_size is 11; expected 1 to 10, the number of examples"),
        (X, Y, {"batch_size": 0}, "batch_size is 0; expected 1 to"),
        (X[:0], Y[:0], {}, "x has no examples; expected at least one"),
        (3.0, Y, {}, "x is of type float; expected an array"),
        (np.ma.masked_array(X, X > 3), Y, {}, "x has a mask, which a batch would lose"),
        ({"a": X}, Y, {}, "x is of type dict; expected an array"),
        ([[1.0], [2.0, 3.0]], Y[:2], {}, "x is of type list; expected an array"),
        (X, Y, {"seed": -1}, "seed is -1; expected an integer of at least 0"),
        (X, Y, {"workers": -1}, "workers is -1; expected a number of threads"),
        (BAD, np.zeros(4), {}, r"x\[2, 1\] is nan; expected finite numbers"),
        (np.zeros(4), BAD[:, 1], {}, r"y\[2\] is nan; expected finite numbers"),
        (INFINITE, np.zeros(4), {}, r"x\[3, 0\] is -inf; expected finite numbers"),
        (X, Y, {"classes": 9}, r"y\[9\] is 9; expected labels from 0 to 8"),
        (X, -Y, {"classes": 10}, r"y\[1\] is -1; expected labels from 0 to 9"),
        (X, Y / 2, {"classes": 10}, r"y is float64 of shape \(10,\); expected one integer label for each example"),
    ],
)
def test_data_that_do_not_fit_together_are_refused(x: Any, y: Any, keywords: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^DataLoader: {message}"):
        DataLoader(x, y, **keywords)


def test_large_numbers_are_finite() -> None:
    assert len(DataLoader(np.full(4, 1e308), np.zeros(4))) == 1


def test_iterating_over_it_asks_for_the_epoch() -> None:
    with pytest.raises(TypeError, match=r"loader\.batches\(epoch\)"):
        iter(DataLoader(X, Y))
