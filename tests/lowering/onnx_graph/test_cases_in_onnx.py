"""Every case of the tables of primitives as a graph, run by onnxruntime, compared with the interpreter."""

from __future__ import annotations

import warnings
import zlib

import numpy as np
import pytest
from all_cases import CASES
from cases import Case
from lowering.onnx_graph.in_onnxruntime import agrees, needs_onnxruntime
from lowering.test_cases import gradient, value

from tinygrad_cnn.lowering.onnx_graph.refusal import NotInOnnxError
from tinygrad_cnn.lowering.recorder import TracingError

needs_onnxruntime()

# What ONNX has no operators for, whose cases are refused: see docs/programs.md.
REFUSED = (
    # complex numbers
    "fft", "complex", "angle", "hermitian", "sort_complex", "real", "imag", "conj", "eig", "roots", "emath",
    # linear algebra
    "det", "inv", "solve", "lstsq", "cholesky", "qr", "svd", "norm nuc", "norm 2", "norm -2", "matrix_norm", "cond",
    "matrix_power -", "tensorinv", "polyfit",
    # the bits of a number
    "nextafter", "frexp", "spacing", "ldexp of",
    # lengths that depend on elements
    "histogram", "bincount", "polymul", "polydiv", "piecewise", "like", "put, repeating",
)  # fmt: skip
REFUSED_IN_SINGLE_PRECISION = ("nan_to_num",)
SHARE = 5  # one in so many is run each time, the others where time does not matter


def cases() -> list[object]:
    """The cases, those that are not of this run marked as exhaustive."""
    marked = []
    for case in CASES:
        exhaustive = zlib.crc32(case.name.encode()) % SHARE != 0
        marked.append(pytest.param(case, id=case.name, marks=pytest.mark.exhaustive if exhaustive else ()))
    return marked


def compare(function, case: Case, dtype: type) -> bool:
    """Whether it is written; where it is, onnxruntime computes what the interpreter does."""
    traced_with, run_with = ([as_(x, dtype) for x in case.operands(seed=seed)] for seed in (0, 1))
    tolerance = {"rtol": 1e-12, "atol": 1e-13} if dtype == np.float64 else {"rtol": 2e-4, "atol": 2e-5}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.RankWarning)  # of polyfit's
        try:
            agrees(function, traced_with, run_with, **tolerance)
        except TracingError:  # test_cases.py says of which
            return True
        except NotInOnnxError:
            return False
    return True


def as_(x, dtype: type):
    x = np.asarray(x)
    return x.astype(dtype) if x.dtype == np.float64 else x


@pytest.mark.parametrize("case", cases())
@pytest.mark.parametrize("dtype", [np.float64, pytest.param(np.float32, marks=pytest.mark.exhaustive)])
def test_the_graph_of_a_case_gives_what_the_interpreter_gives(case: Case, dtype) -> None:
    written = [compare(function, case, dtype) for function in (value(case), gradient(case))]
    if not all(written):
        refused = REFUSED if dtype == np.float64 else (*REFUSED, *REFUSED_IN_SINGLE_PRECISION)
        assert any(name in case.name for name in refused), "this case could be written before"
