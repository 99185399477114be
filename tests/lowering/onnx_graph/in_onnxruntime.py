"""What the tests of graphs have in common: a listing, written and run by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.targets import TARGETS
from tinygrad_cnn.lowering.trace import leaves_of, traced

Function = Callable[..., Any]


def needs_onnxruntime() -> None:
    """Skip a module of tests where onnx or onnxruntime is missing."""
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed").set_default_logger_severity(4)


def session(model: bytes) -> Any:
    """onnxruntime with a model, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(model: bytes, leaves: list[Any]) -> list[Any]:
    """What a graph computes of the leaves of the arguments, in their order."""
    made = session(model)
    given = {x.name: np.asarray(leaf) for x, leaf in zip(made.get_inputs(), leaves, strict=True)}
    return made.run(None, given)  # type: ignore[no-any-return]


def written(listing: Listing) -> bytes:
    model = TARGETS["onnx"].written(listing, "step")
    assert isinstance(model, bytes)
    return model


def agrees(
    function: Function, traced_with: list[Any], run_with: list[Any], rtol: float = 1e-12, atol: float = 1e-13
) -> None:
    """The graph of `function`, traced with some arguments, gives what the interpreter gives for others."""
    listing = optimised(traced(function, tuple(traced_with), {}))
    model = written(listing)
    leaves = leaves_of(function, tuple(run_with), {}).leaves
    expected = interpret(listing, leaves)
    found = run(model, leaves)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=rtol, atol=atol, strict=True)
