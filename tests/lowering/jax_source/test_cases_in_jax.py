"""The cases of the tables of primitives in JAX: some of them in each run, and all of them if they are asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from all_cases import CASES, each_case
from cases import Case
from lowering.jax_source.in_jax import DIGITS, agrees
from lowering.test_cases import gradient, second, value

from tinygrad_cnn.lowering.numpy_source.expressions import NotPrintableError
from tinygrad_cnn.lowering.recorder import TracingError

jax = pytest.importorskip("jax")

SAMPLE = [case for case in CASES if zlib.crc32(case.name.encode()) % 25 == 0]  # JAX compiles each operation: it is slow

# What JAX has no counterpart of.
LACKING = (
    "real_if_close", "np.apply_", "np.piecewise", "np.gradient, both axes", "np.gradient, places, parabolas",
    "np.polymul, zeros in front", "np.polydiv", "np.logspace, bases", "np.quantile, several",
    "np.percentile, several", "np.nanquantile, q of two axes", "np.quantile, averaged_inverted_cdf",
    "np.quantile, closest_observation", "np.quantile, interpolated_inverted_cdf", "np.quantile, hazen",
    "np.quantile, weibull", "np.quantile, median_unbiased", "np.quantile, normal_unbiased",
)  # fmt: skip
LACKING_IN_SINGLE_PRECISION = ("np.quantile, inverted_cdf", "np.histogram, weighted")


@pytest.fixture(autouse=True, scope="module")
def without_what_was_compiled() -> Iterator[None]:
    """JAX keeps all that it compiles: hundreds of megabytes."""
    yield
    jax.clear_caches()


def compare(function, case: Case, dtype: type = np.float64, runs: bool = True) -> None:
    traced_with, run_with = ([as_(x, dtype) for x in case.operands(seed=seed)] for seed in (0, 1))
    try:
        # Of arguments in float32, NumPy rounds to that on the way to some results in float64, as in quantile.
        agrees(function, traced_with, run_with, runs, DIGITS.get(np.dtype(dtype)))
    except NotPrintableError:
        lacking = LACKING if dtype == np.float64 else (*LACKING, *LACKING_IN_SINGLE_PRECISION)
        assert case.name.startswith(lacking), "this case could be written for JAX before"
    except TracingError:
        pass  # test_cases.py says of which


def as_(x, dtype: type):
    x = np.asarray(x)
    return x.astype(dtype) if x.dtype == np.float64 else x


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_eighth_case_has_numpys_shapes_and_dtypes(dtype) -> None:
    for case in CASES[::8]:
        for function in (value(case), gradient(case)):
            compare(function, case, dtype, runs=False)


@pytest.mark.slow
@pytest.mark.parametrize("case", SAMPLE, ids=[case.name.replace(" ", "-") for case in SAMPLE])
def test_a_case_of_a_sample_has_numpys_value_and_gradient(case: Case) -> None:
    for function in (value(case), gradient(case)):
        compare(function, case)


@pytest.mark.exhaustive
@each_case
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_case_has_numpys_value_and_gradient(case: Case, dtype) -> None:
    for function in (value(case), gradient(case)):
        compare(function, case, dtype)


@pytest.mark.exhaustive
@each_case
def test_a_case_has_numpys_second_derivative(case: Case) -> None:
    if case.order > 1:
        compare(second(case), case)
