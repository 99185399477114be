"""Every case of the tables of primitives as C, compared with the interpreter, for other arguments."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from all_cases import each_case
from cases import Case
from lowering.c.in_c import agrees, needs_a_compiler
from lowering.test_cases import gradient, second, value

from tinygrad_cnn.lowering.recorder import TracingError

needs_a_compiler()
pytestmark = pytest.mark.exhaustive  # each is compiled


def compare(function, case: Case, dtype: type) -> None:
    traced_with, run_with = ([as_(x, dtype) for x in case.operands(seed=seed)] for seed in (0, 1))
    with contextlib.suppress(TracingError):  # test_cases.py says of which
        agrees(function, traced_with, run_with)


def as_(x, dtype: type):
    x = np.asarray(x)
    return x.astype(dtype) if x.dtype == np.float64 else x


# np.polydiv drops leading terms that are close to 0, so that in single precision rounding decides how many there are.
ROUNDED_LENGTHS = {"np.polydiv, remainder"}


@each_case
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_c_of_a_case_gives_what_the_interpreter_gives(case: Case, dtype) -> None:
    if dtype == np.float32 and case.name in ROUNDED_LENGTHS:
        pytest.skip("how long its result is depends on rounding")
    for function in (value(case), gradient(case)):
        compare(function, case, dtype)


@each_case
def test_the_c_of_a_second_derivative_gives_what_the_interpreter_gives(case: Case) -> None:
    if case.order > 1:
        compare(second(case), case, np.float64)
