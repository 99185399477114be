"""What the tests of the C backend have in common."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_cnn.lowering.c.compiler import CompilerError, compiler
from tinygrad_cnn.lowering.c.plan import CPlan
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.trace import leaves_of, traced


def needs_a_compiler() -> None:
    """Skip the tests of a module where there is none."""
    try:
        compiler()
    except CompilerError as error:
        pytest.skip(str(error), allow_module_level=True)


def agrees(function, traced_with, run_with, signs: bool = False, single: bool = False) -> CPlan:
    """The function's program as C gives what the interpreter gives, for arguments that it was not traced with.

    single: results in double precision are computed of values in single precision, and are as precise as those.
    """
    with np.errstate(all="ignore"):
        listing = optimised(traced(function, tuple(traced_with), {}))
        given = leaves_of(function, tuple(run_with), {}).leaves
        plan = CPlan(listing)
        first = plan(leaves_of(function, tuple(traced_with), {}).leaves)
        kept = [np.copy(x) for x in first]
        for a, b in zip(plan(given), interpret(listing, given), strict=True):
            assert type(a) is type(b)
            tolerance = 3e-5 if single or np.asarray(b).dtype == np.float32 else 1e-12
            scale = float(np.max(np.abs(b)[np.isfinite(b)], initial=1.0))
            np.testing.assert_allclose(a, b, tolerance, tolerance * scale, strict=isinstance(b, np.ndarray))
            if signs:
                np.testing.assert_array_equal(np.signbit(a), np.signbit(b))
        for x, before in zip(first, kept, strict=True):  # what a call returned stays what it is
            np.testing.assert_array_equal(x, before)
    return plan


def kinds(plan: CPlan) -> set[str]:
    """The kinds of the steps of a plan."""
    return {step.kind for step in plan.source.steps.all}
