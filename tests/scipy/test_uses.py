"""tinygrad_cnn.scipy in use: with lists of Tensors, without recording, and in code that was written for SciPy."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg
import tinygrad_cnn.scipy

scipy = pytest.importorskip("scipy", reason="SciPy is not installed")

TABLES = (
    "test_special", "test_linalg", "test_stats", "test_interpolate", "test_signal", "test_ndimage", "test_spatial",
    "test_fft",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_without_recording_values_are_scipys_too(table: str) -> None:
    tests = importlib.import_module(table)
    for call in tests.CALLS:
        operands = call.operands()
        expected = call.function(tests.theirs, *operands)
        with tg.no_grad():
            found = call.function(tests.ours, *map(tg.Tensor, operands))
        close = 1e-10 * max(1, np.max(np.abs(expected), initial=0))
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-10, atol=close, err_msg=call.name)


A = np.array([[2.0, 0.3], [0.3, 1.5]])
OF_LISTS = {
    "logsumexp": lambda m, x: m.special.logsumexp(x, b=[1.0, *x[1:]]),
    "expit": lambda m, x: m.special.softmax([x[0], 1.0, x[1]]),
    "solve": lambda m, x: m.linalg.solve([[x[0], 0.3], [0.3, x[1]]], [x[2], 1.0]),
    "block_diag": lambda m, x: m.linalg.block_diag(x[0], [x[1], x[2]]),
    "toeplitz": lambda m, x: m.linalg.toeplitz(x),
    "norm": lambda m, x: m.stats.norm.logpdf(x, [x[1], 1.0, 2.0], scale=x[2]),
    "multivariate_normal": lambda m, x: m.stats.multivariate_normal.logpdf(x[:2], [x[2], 0.0], A),
    "zscore": lambda m, x: m.stats.zscore(x),
    "lfilter": lambda m, x: m.signal.lfilter([x[0], 0.5], [1.0, x[1] / 5], x),
    "interp1d": lambda m, x: m.interpolate.interp1d([0, 1, 2], x)([0.3, x[0] / 9]),
    "CubicSpline": lambda m, x: m.interpolate.CubicSpline([0, 1, 2], x)([0.3, x[0] / 9]),
    "map_coordinates": lambda m, x: m.ndimage.map_coordinates(A, [[x[0] / 9], [x[1] / 9]], order=1),
    "gaussian_filter": lambda m, x: m.ndimage.gaussian_filter(np.outer([1.0, 3, 2], [1.0, 4, 2]), [x[0], 1.0]),
    "cdist": lambda m, x: m.spatial.distance.cdist([[x[0], 1.0], [0.1, x[1]]], [[x[2], 2.0]]),
    "dct": lambda m, x: m.fft.dct(x),
}


@pytest.mark.parametrize("name", OF_LISTS)
def test_lists_may_hold_tensors(name: str) -> None:
    call, x = OF_LISTS[name], np.array([1.3, 0.7, 1.9])
    for module in tinygrad_cnn.scipy.MODULES:
        importlib.import_module(f"scipy.{module}")
    expected = call(scipy, list(x))
    found = call(tinygrad_cnn.scipy, [tg.Tensor(v) for v in x])
    np.testing.assert_allclose(found.value, expected, rtol=1e-10)
    derivatives_agree(lambda x: call(tinygrad_cnn.scipy, list(x)), [x], order=1)


OTHERS_CODE = """
import numpy as np
import scipy.signal
import scipy.spatial.distance as dist
from scipy import linalg, stats
from scipy.interpolate import CubicSpline, interp1d
from scipy.special import logsumexp
from scipy.stats import multivariate_normal as mvn
from scipy.stats import norm

def likelihood(x):
    x = np.asarray(x, dtype=float)
    total = logsumexp(x) + np.sum(norm.logpdf(x, loc=x.mean(), scale=x.std())) + stats.gamma(2.0).logpdf(x[0] + 1)
    kernel = np.exp(-dist.cdist(x[:, None], x[:, None], "sqeuclidean")) + np.eye(len(x))
    total = total + x @ linalg.cho_solve(linalg.cho_factor(kernel, lower=True), x)
    total = total + mvn.logpdf(x, np.zeros(len(x)), kernel)
    smooth = scipy.signal.lfilter([0.1], [1, -0.9], x)
    times = np.arange(len(x))
    return total + smooth[-1] + CubicSpline(times, x)(1.3) + interp1d(times, times**2.0)(x[1])
"""


def test_code_written_for_scipy_is_differentiated_where_it_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "others_code.py").write_text(OTHERS_CODE)
    specification = importlib.util.spec_from_file_location("others_code", tmp_path / "others_code.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    x = np.array([0.3, 1.2, 0.7, 2.1])
    plain = module.likelihood(x)
    with tg.adopt(module):
        assert module.likelihood(x) == plain
        derivatives_agree(module.likelihood, [x], order=1)
