"""Random programs, traced: their value and gradient in every way to run a listing, for other arguments too."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lowering.comparing import PLACES, after_each_pass, close, leaves, printed, value_and_gradient_of
from random_programs.generator import write

from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.numpy_source.expressions import NotPrintableError
from tinygrad_cnn.lowering.planned.plan import Plan
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import leaves_of, traced

pytestmark = pytest.mark.slow


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
        listing = traced(function, arguments(None), {})
    except TracingError:
        return "refused"
    ways = {}
    for name, after in after_each_pass(listing):
        ways[name] = lambda given, after=after: interpret(after, leaves_of(function, given, {}).leaves)
        listing = after
    plan = Plan(listing)
    ways["planned"] = lambda given: plan(leaves_of(function, given, {}).leaves)
    try:
        step = printed(listing)
        ways["printed"] = lambda given: leaves(step(*given))
    except NotPrintableError:
        pass
    for name, way in ways.items():
        for k in (0, 1, 0):
            found = way(arguments(PLACES[k]))
            single = program.uses_single_precision()
            if not all(close(a, b, single) for a, b in zip(found, expected[k], strict=True)):
                return f"{name} differs:\n{program.source()}"
    return "right"


@pytest.mark.parametrize("part", range(4))
def test_random_programs_agree_in_every_way(part) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = {seed: outcome(seed) for seed in range(part * 100, part * 100 + 100)}
    faults = {seed: found for seed, found in outcomes.items() if found not in ("right", "refused", "not run")}
    assert not faults, faults
    assert sum(found == "right" for found in outcomes.values()) > 45
