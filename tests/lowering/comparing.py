"""What the tests of programs have in common: running a listing in every way, and comparing with the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from random_programs.oracle import Judge

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.instructions import Listing
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.numpy_source.statements import write
from tinygrad_cnn.lowering.passes import PASSES
from tinygrad_cnn.lowering.passes.reading import READING, readable
from tinygrad_cnn.lowering.planned.plan import Plan
from tinygrad_cnn.lowering.trace import leaves_of, traced

Function = Callable[..., Any]
# Where what NumPy computes depends on how an array lies in memory, a program may round otherwise than the engine.
ROUNDING = {"rtol": 1e-12, "atol": 1e-13}


def after_each_pass(listing: Listing) -> Iterator[tuple[str, Listing]]:
    """The listing as it was traced, and after each pass."""
    yield "trace", listing
    for run in PASSES:
        listing = run(listing)
        yield run.__name__, listing


def after_each_reading_pass(listing: Listing) -> Iterator[tuple[str, Listing]]:
    """The listing after each pass that is for print."""
    for run in READING:
        listing = run(listing)
        yield run.__name__, listing


def leaves(result: Any) -> list[Any]:
    return [x.value if isinstance(x, tg.Tensor) else x for x in tg.tree.flatten(result).leaves]


def assert_same(found: list[Any], expected: list[Any], what: str) -> None:
    """The same shapes, dtypes and kinds, and the same numbers."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray), what
        np.testing.assert_allclose(a, b, **ROUNDING, err_msg=what, strict=isinstance(b, np.ndarray))


def printed(listing: Listing) -> Function:
    """The printed program, run in a namespace of its own."""
    space: dict[str, Any] = {}
    exec(write(readable(listing), "step"), space)
    return space["step"]  # type: ignore[no-any-return]


def agrees_in_every_way(function: Function, traced_with: list[Any], run_with: list[Any], prints: bool = True) -> None:
    """The program of `function`, traced with some arguments, gives the engine's results for others."""
    expected = leaves(function(*run_with))
    listing = traced(function, tuple(traced_with), {})
    given = leaves_of(function, tuple(run_with), {}).leaves
    for name, listing in after_each_pass(listing):
        assert_same(interpret(listing, given), expected, name)
    for name, printed_as in after_each_reading_pass(listing):
        assert_same(interpret(printed_as, given), expected, name)
    plan = Plan(listing)
    first = plan(leaves_of(function, tuple(traced_with), {}).leaves)
    kept = [np.copy(x) for x in first]
    assert_same(plan(given), expected, "planned")
    for x, before in zip(first, kept, strict=True):  # what a call returned stays what it is
        np.testing.assert_array_equal(x, before)
    if prints:
        assert_same(leaves(printed(listing)(*run_with)), expected, "printed")


PLACES = (None, 2e-3)  # along the line that the oracle of random programs moves arguments on


def value_and_gradient_of(program):
    """A random program's value and gradient as a function, and a function of a place that gives its arguments there."""
    judge = Judge(program, thorough=False)

    def function(tree, constants):
        return tg.value_and_grad(judge.of_tree(constants=constants))(tree)

    def arguments(place):
        return judge.tree(judge.arguments(place)), judge.fresh_constants()[1]

    return function, arguments


def close(a, b, single: bool) -> bool:
    """Whether they agree to the digits that are left where large terms cancel."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    relative = 1e-4 if single else 1e-9
    scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
    return np.allclose(a, b, rtol=relative, atol=relative * max(scale, 1e-1), equal_nan=True)
