"""Every case of the tables of primitives as a program: value, first and second derivative, in every way to run one."""

from __future__ import annotations

import numpy as np
import pytest
from all_cases import CASES, each_case
from cases import Case
from lowering.comparing import agrees_in_every_way

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.numpy_source.expressions import NotPrintableError
from tinygrad_cnn.lowering.recorder import TracingError


def value(case: Case):
    return lambda *operands: case.function(*operands)


def gradient(case: Case):
    return tg.grad(lambda *operands: np.sum(case.function(*operands)), argnums=tuple(range(len(case.shapes))))


def second(case: Case):
    """The gradient of a weighted sum of the gradient, so that all second derivatives have a share in it."""

    def weighted(*operands):
        return sum(np.sum(g * np.cos(np.arange(g.size)).reshape(g.shape)) for g in gradient(case)(*operands))

    return tg.grad(weighted, argnums=tuple(range(len(case.shapes))))


def is_compared(function, case: Case) -> bool:
    """Compare the program of `function` with the engine; False where it says that it cannot be traced or printed."""
    traced_with, run_with = ([np.asarray(x) for x in case.operands(seed=seed)] for seed in (0, 1))
    with np.errstate(all="ignore"):
        try:
            agrees_in_every_way(function, traced_with, run_with)
        except NotPrintableError:
            agrees_in_every_way(function, traced_with, run_with, prints=False)
        except TracingError:
            return False
    return True


@each_case
def test_its_program_has_the_value_and_the_gradient_of_the_engine(case: Case) -> None:
    for function in (value(case), gradient(case)):
        if not is_compared(function, case):
            assert any(case.name.startswith(name) for name in UNTRACEABLE), "this case could be traced before"


@each_case
@pytest.mark.slow
def test_its_program_has_the_second_derivative_of_the_engine(case: Case) -> None:
    if case.order > 1 and not is_compared(second(case), case):
        assert any(case.name.startswith(name) for name in UNTRACEABLE)


def test_few_cases_cannot_be_traced() -> None:
    assert sum(any(case.name.startswith(name) for name in UNTRACEABLE) for case in CASES) < len(CASES) / 10


# Cases whose function goes another way for other elements, or changes an array that is no Tensor in place, so that
# `tg.program` raises TracingError.
UNTRACEABLE: tuple[str, ...] = (
    "x[x > 0]", "np.extract", "np.trim_zeros", "np.unique", "np.union1d", "np.intersect1d", "np.setdiff1d",
    "np.setxor1d", "np.histogram", "np.poly", "np.piecewise",
    "lstsq", "eig, ", "eig of", "eigvals", "roots", "emath.",
    "sum, out=", "mean, out=", "prod, out=", "max, out=", "add.reduce, out=", "sum of nothing, out=",
)  # fmt: skip
