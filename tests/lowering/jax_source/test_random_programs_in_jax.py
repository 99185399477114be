"""Random programs in JAX: their value and gradient, for other arguments."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lowering.comparing import PLACES, close, leaves, value_and_gradient_of
from random_programs.generator import write

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.recorder import TracingError

jax = pytest.importorskip("jax")


def outcome(seed: int) -> str:
    """What became of the random program of that seed: "right", "refused", or "not run"; anything else is a fault."""
    program = write(seed)
    if program is None:
        return "not run"
    function, arguments = value_and_gradient_of(program)
    try:
        expected = [leaves(function(*arguments(place))) for place in PLACES]
    except Exception:
        return "not run"
    try:
        step = tg.to_jax(function)(*arguments(None))
    except (TracingError, NotImplementedError):
        return "refused"
    for k, place in enumerate(PLACES):
        found = leaves(step(*arguments(place)))
        single = program.uses_single_precision()
        if not all(close(a, b, single) for a, b in zip(found, expected[k], strict=True)):
            return f"differs:\n{program.source()}\n{step.source}"
    return "right"


def faults(seeds) -> dict[int, str]:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = {seed: outcome(seed) for seed in seeds}
    jax.clear_caches()
    assert sum(found == "right" for found in outcomes.values()) > 0.3 * len(outcomes)
    return {seed: found for seed, found in outcomes.items() if found not in ("right", "refused", "not run")}


@pytest.mark.slow
def test_some_random_programs_agree() -> None:
    assert not faults(range(4))


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", range(20))
def test_random_programs_agree(part: int) -> None:
    assert not faults(range(part * 20, part * 20 + 20))
