"""`t.__array_namespace__`: code for the array API standard takes Tensors, or raises; it loses no gradient."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numeric import derivatives_agree

import tinygrad_cnn as tg
import tinygrad_cnn.numpy


def test_it_is_the_namespace_for_tensors() -> None:
    t = tg.Tensor([1.0, 2.0])
    assert t.__array_namespace__() is tinygrad_cnn.numpy
    assert t.__array_namespace__(api_version="2023.12") is tinygrad_cnn.numpy
    with pytest.raises(ValueError, match="1999"):
        t.__array_namespace__(api_version="1999.01")


def spread(x: Any) -> Any:
    """A function as it is written for any array of the standard."""
    xp = x.__array_namespace__()
    y = xp.zeros_like(x)
    y[0, ...] = xp.cumulative_sum(x[0, ...])
    y[1:, ...] = xp.permute_dims(xp.concat([x, x])[:2, ...], (1, 0))[:1, :2]
    kind = xp.isdtype(x.dtype, "real floating")
    return xp.linalg.vector_norm(xp.astype(y, xp.float64) @ xp.matrix_transpose(x)) + xp.acos(x)[0, 0] + kind


def test_a_function_of_the_standards_names_is_differentiated() -> None:
    derivatives_agree(spread, [np.array([[0.3, -0.2], [0.7, 0.5]])], order=2)


def test_array_api_compat_finds_the_namespace_and_refuses_a_plain_array_beside_a_tensor() -> None:
    compat = pytest.importorskip("array_api_compat")

    def loss(x: Any, beside: Any) -> Any:
        xp = compat.array_namespace(x, beside(x))
        return xp.sum(xp.exp(x) * beside(x))

    x = np.array([0.5, 1.0])
    np.testing.assert_allclose(tg.grad(loss)(x, tinygrad_cnn.numpy.ones_like), np.exp(x))
    with pytest.raises(TypeError, match="Multiple namespaces") as raised:
        tg.grad(loss)(x, lambda x: np.ones(2))
    assert "tinygrad_cnn.numpy.asarray" in raised.value.__notes__[0]


PROGRAM = """
import json, sys, warnings
import numpy as np
import tinygrad_cnn as tg
from scipy import cluster, constants, differentiate, fft, integrate, interpolate, linalg, ndimage, optimize, signal
from scipy import special, stats
from scipy.cluster import vq
from scipy.optimize import elementwise
from scipy.spatial.transform import Rotation

warnings.simplefilter("ignore")
x = np.array([0.3, 0.8, 0.55, 0.7, 0.2])

FUNCTIONS = {
    "expit": special.expit, "logsumexp": special.logsumexp, "softmax": special.softmax, "gammaln": special.gammaln,
    "zscore": stats.zscore, "gmean": stats.gmean, "skew": stats.skew, "kurtosis": stats.kurtosis, "sem": stats.sem,
    "entropy": stats.entropy, "variation": stats.variation, "iqr": stats.iqr, "circvar": stats.circvar,
    "tmean": stats.tmean, "mode": stats.mode, "rankdata": stats.rankdata, "shapiro": stats.shapiro,
    "pmean": lambda x: stats.pmean(x, 2), "describe": lambda x: stats.describe(x).variance,
    "pearsonr": lambda x: stats.pearsonr(x, x**2).statistic, "f_oneway": lambda x: stats.f_oneway(x, x**2).statistic,
    "ttest_ind": lambda x: stats.ttest_ind(x, x**2).pvalue, "quantile": lambda x: stats.quantile(x, 0.3),
    "boxcox_llf": lambda x: stats.boxcox_llf(0.3, x), "normal pdf": stats.norm.pdf,
    "trapezoid": integrate.trapezoid, "simpson": integrate.simpson, "romb": integrate.romb,
    "tanhsinh": lambda x: integrate.tanhsinh(lambda s: np.exp(-s * s), 0.0, x).integral,
    "detrend": signal.detrend, "hilbert": lambda x: np.abs(signal.hilbert(x)),
    "fftconvolve": lambda x: signal.fftconvolve(x, x), "lfilter": lambda x: signal.lfilter([1.0, 0.5], [1.0, 0.2], x),
    "rfft": lambda x: np.abs(fft.rfft(x)), "dct": fft.dct, "fht": lambda x: fft.fht(x, 0.1, 0.2),
    "gaussian_filter": lambda x: ndimage.gaussian_filter(x, 1.0), "ndimage.mean": ndimage.mean,
    "solve": lambda x: linalg.solve(np.eye(5) + np.outer(x, x), x), "expm": lambda x: linalg.expm(np.outer(x, x)),
    "whiten": lambda x: vq.whiten(np.outer(x, x**2)), "vq": lambda x: vq.vq(np.outer(x, x), np.outer(x[:2], x))[1],
    "linkage": lambda x: cluster.hierarchy.linkage(x[:, None])[:, 2],
    "from_rotvec": lambda x: Rotation.from_rotvec(x[:3]).as_matrix(),
    "apply": lambda x: Rotation.from_quat(x[:4]).apply(x[1:4]),
    "convert_temperature": lambda x: constants.convert_temperature(x, "C", "K"),
    "derivative": lambda x: differentiate.derivative(np.sin, x).df,
    "find_root": lambda x: elementwise.find_root(lambda s, p: s - p, (x - 1.0, x + 1.0), args=(x,)).x,
    "rosen": optimize.rosen, "CubicSpline": lambda x: interpolate.CubicSpline(np.arange(5.0), x)(1.5),
    "BarycentricInterpolator": lambda x: interpolate.BarycentricInterpolator(np.arange(5.0), x)(1.5),
}

def verdict(function):
    def loss(x):
        y = function(x)
        y = y[0] if isinstance(y, tuple) else y
        return np.sum(y * np.cos(np.arange(1.0, 1 + np.size(y))).reshape(np.shape(y)))

    differences = [(loss(x + step) - loss(x - step)) / 2e-5 for step in 1e-5 * np.eye(5)]
    try:
        found = tg.grad(loss)(x)
    except Exception as error:
        return "refused"
    return "right" if np.allclose(found, differences, rtol=1e-5, atol=1e-7) else f"wrong: {found}, {differences}"

print(json.dumps({name: verdict(function) for name, function in FUNCTIONS.items()}))
"""

# What SciPy 1.17 computes by the namespace alone. An older one may refuse; none may be wrong.
BY_NAMESPACE = [
    "logsumexp", "softmax", "zscore", "gmean", "skew", "kurtosis", "sem", "iqr", "circvar", "pmean", "describe",
    "quantile", "boxcox_llf", "trapezoid", "romb", "tanhsinh", "hilbert", "fftconvolve", "rfft", "fht", "whiten",
    "from_rotvec", "apply", "convert_temperature", "derivative", "find_root", "rosen",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("dispatch", ["0", "1"])
def test_scipys_functions_are_right_or_raise(dispatch: str) -> None:
    scipy = pytest.importorskip("scipy")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "SCIPY_ARRAY_API": dispatch},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout)
    assert {name: verdict for name, verdict in verdicts.items() if verdict not in ("right", "refused")} == {}
    if dispatch == "1" and scipy.__version__.startswith("1.17."):
        assert [name for name in BY_NAMESPACE if verdicts[name] != "right"] == []
