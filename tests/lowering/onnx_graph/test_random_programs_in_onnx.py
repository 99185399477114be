"""Random programs as graphs: value and gradient, for other arguments too."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lowering.comparing import PLACES, close, value_and_gradient_of
from lowering.onnx_graph.in_onnxruntime import needs_onnxruntime, run, written
from random_programs.generator import write

from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.onnx_graph.refusal import NotInOnnxError
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import leaves_of, traced

needs_onnxruntime()


def outcome(seed: int) -> str:
    """What became of the random program of that seed: "right", "refused", or "not run"; anything else is a fault."""
    program = write(seed)
    if program is None or "partition" in program.source():  # which leaves the order open
        return "not run"
    function, arguments = value_and_gradient_of(program)
    try:
        listing = optimised(traced(function, arguments(None), {}))
        model = written(listing)
    except (TracingError, NotInOnnxError):
        return "refused"
    except Exception:
        return "not run" if not _runs(function, arguments(None)) else "not written"
    for place in PLACES:
        leaves = leaves_of(function, arguments(place), {}).leaves
        found, expected = run(model, leaves), interpret(listing, leaves)
        single = program.uses_single_precision()
        if not all(close(a, b, single) for a, b in zip(found, expected, strict=True)):
            return f"onnxruntime differs:\n{program.source()}"
    return "right"


def _runs(function, arguments) -> bool:
    try:
        function(*arguments)
    except Exception:
        return False
    return True


@pytest.mark.parametrize(
    "part",
    [pytest.param(0, marks=pytest.mark.slow), *[pytest.param(k, marks=pytest.mark.exhaustive) for k in range(1, 8)]],
)
def test_random_programs_give_what_the_interpreter_gives(part) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = {seed: outcome(seed) for seed in range(part * 50, part * 50 + 50)}
    faults = {seed: found for seed, found in outcomes.items() if found not in ("right", "refused", "not run")}
    assert not faults, faults
    assert sum(found == "right" for found in outcomes.values()) > 20
