"""The random numbers of a step: which are drawn before it is those that it would draw itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_cnn.lowering import TracingError
from tinygrad_cnn.train.draws import _METHODS, Call, Recording, Replay

METHODS = {
    name for name, x in vars(np.random.Generator).items() if callable(x) and not name.startswith("_")
}  # as NumPy has them


def test_every_method_of_a_generator_is_intercepted() -> None:
    assert set(_METHODS) >= METHODS


def draw(rng: np.random.Generator) -> list[Any]:
    return [
        rng.random((2, 3)), rng.normal(0.0, 2.0, size=4), rng.integers(10, size=3), rng.permutation(5),
        rng.choice([1, 2, 3]), rng.standard_normal(3, dtype=np.float32), rng.uniform(),
    ]  # fmt: skip


def test_what_is_replayed_is_what_the_generator_gives() -> None:
    recording = Recording(np.random.default_rng(1))
    recorded = draw(recording)
    rng = np.random.default_rng(2)
    drawn = [call.drawn(rng) for call in recording.calls]
    assert repr(recorded) == repr(draw(np.random.default_rng(1)))
    assert repr(draw(Replay(tuple(recording.calls), drawn))) == repr(draw(np.random.default_rng(2)))


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.shuffle([1, 2]),
        lambda rng: rng.spawn(2),
        lambda rng: rng.bytes(2),
        lambda rng: rng.permutation(np.arange(3)),
        lambda rng: rng.random(out=np.zeros(3)),
        lambda rng: rng.normal(np.zeros(3)),
    ],
)
def test_what_depends_on_arrays_is_not_recorded(draw: Any) -> None:
    with pytest.raises(TracingError, match=r"rng\.\w+ was called with more than numbers and shapes"):
        draw(Recording(np.random.default_rng(0)))


def test_another_call_than_the_recorded_one_is_refused() -> None:
    calls = (Call("random", (3,), {}),)
    with pytest.raises(TracingError, match=r"rng\.random was called where"):
        Replay(calls, [np.zeros(3)]).random(4)
    with pytest.raises(TracingError, match=r"rng\.normal was called where"):
        Replay((), []).normal()
