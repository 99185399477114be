"""Every case of the tables of primitives as C: value and gradient, compared with the interpreter, for other arguments."""

from __future__ import annotations

import numpy as np
import pytest
from all_cases import CASES, each_case
from cases import Case
from lowering.test_cases import gradient, second, value

from tinygrad_cnn.lowering.c.compiler import CompilerError, compiler
from tinygrad_cnn.lowering.c.plan import CPlan
from tinygrad_cnn.lowering.interpreter import interpret
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.recorder import TracingError
from tinygrad_cnn.lowering.trace import leaves_of, traced

try:
    compiler()
except CompilerError as error:
    pytest.skip(str(error), allow_module_level=True)


def compare(function, case: Case, dtype=np.float64) -> None:
    """The function's program as C gives what the interpreter gives, for arguments that it was not traced with."""
    traced_with, run_with = ([_as(x, dtype) for x in case.operands(seed=seed)] for seed in (0, 1))
    with np.errstate(all="ignore"):
        try:
            listing = optimised(traced(function, tuple(traced_with), {}))
        except TracingError:
            return
        given = leaves_of(function, tuple(run_with), {}).leaves
        plan = CPlan(listing)
        plan(leaves_of(function, tuple(traced_with), {}).leaves)
        tolerance = 1e-12 if dtype == np.float64 else 3e-5
        for a, b in zip(plan(given), interpret(listing, given), strict=True):
            assert type(a) is type(b)
            scale = float(np.max(np.abs(b)[np.isfinite(b)], initial=1.0))
            np.testing.assert_allclose(a, b, tolerance, tolerance * scale, strict=isinstance(b, np.ndarray))


def _as(x, dtype):
    x = np.asarray(x)
    return x.astype(dtype) if x.dtype == np.float64 else x


@each_case
def test_the_c_of_a_case_gives_what_the_interpreter_gives(case: Case) -> None:
    compare(value(case), case)
    compare(gradient(case), case)
