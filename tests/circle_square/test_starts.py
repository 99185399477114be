"""Trainings from many random starts at once are those one by one."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_cnn.circle_square import drawing, starts
from tinygrad_cnn.circle_square.data import Scaling
from tinygrad_cnn.circle_square.training import train_as_published

EPOCHS = 20


@pytest.fixture(scope="module")
def batch():
    grey = drawing.draw_set(("circle", "square"), 6, np.random.default_rng(0))
    return Scaling()(grey), np.repeat([0.0, 1.0], 6)[:, None]


def one_by_one(x, y, seed):
    with np.errstate(all="ignore"):
        for epoch in train_as_published(x, y, epochs=EPOCHS, seed=seed):
            if epoch.trouble:
                break
    final = epoch.before if epoch.trouble else epoch.after
    return epoch.number, float(epoch.accuracy), not epoch.steps.relu.any(), final


def test_each_ends_as_it_does_alone_and_the_next_takes_its_place(batch, monkeypatch) -> None:
    monkeypatch.setattr(starts, "AT_ONCE", 3)
    endings = {ending.seed: ending for ending in starts.train_from_starts(*batch, range(8), epochs=EPOCHS)}
    assert sorted(endings) == list(range(8))
    assert len({ending.number for ending in endings.values()}) > 1  # some end early, and the others go on
    assert {ending.died for ending in endings.values()} == {True, False}
    for seed, ending in endings.items():
        number, accuracy, died, final = one_by_one(*batch, seed)
        assert (ending.number, ending.accuracy, ending.died) == (number, accuracy, died)
        for name, weights in vars(final).items():
            np.testing.assert_allclose(getattr(ending.final, name), weights, rtol=1e-9, atol=1e-12, strict=True)


def test_of_no_start_there_is_nothing(batch) -> None:
    assert list(starts.train_from_starts(*batch, [])) == []
