"""tinygrad_cnn.scipy.spatial.distance: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy_cases import Call, comparisons_of

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.spatial.distance as theirs

from tinygrad_cnn.scipy.spatial import distance as ours

V, A, B = (4,), (3, 4), (5, 4)
METRICS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "cosine", "correlation", "braycurtis", "canberra")
WEIGHTED = ("euclidean", "sqeuclidean", "cityblock", "cosine", "correlation", "braycurtis", "canberra", "minkowski")
MATRIX = np.array([[2.0, 0.3, 0, 0.1], [0.3, 1, 0.2, 0], [0, 0.2, 3, 0.4], [0.1, 0, 0.4, 1.5]])

CALLS = [
    *[Call(name, lambda m, u, v, name=name: getattr(m, name)(u, v), [V, V]) for name in METRICS],
    *[
        Call(f"{name} with weights", lambda m, u, v, w, name=name: getattr(m, name)(u, v, w=np.exp(w)), [V, V, V])
        for name in WEIGHTED
    ],
    *[Call(f"minkowski, {p}", lambda m, u, v, p=p: m.minkowski(u, v, p), [V, V]) for p in (1, 1.5, 3, np.inf)],
    Call("correlation, not centered", lambda m, u, v: m.correlation(u, v, centered=False), [V, V]),
    Call("seuclidean", lambda m, u, v, s: m.seuclidean(u, v, np.exp(s)), [V, V, V]),
    Call("mahalanobis", lambda m, u, v, s: m.mahalanobis(u, v, MATRIX + np.diag(np.exp(s))), [V, V, V]),
    Call("jensenshannon", lambda m, u, v: m.jensenshannon(u, v, 2), [V, V], 0.5, 2),
    Call("jensenshannon along an axis", lambda m, u, v: m.jensenshannon(u, v, axis=1, keepdims=True), [A, A], 0.5, 2),
    *[Call(f"cdist, {name}", lambda m, a, b, name=name: m.cdist(np.exp(a), b, name), [A, B]) for name in METRICS],
    *[Call(f"pdist, {name}", lambda m, a, name=name: m.pdist(np.exp(a), name), [B]) for name in METRICS],
    Call("cdist, minkowski", lambda m, a, b: m.cdist(a, b, "minkowski", p=3), [A, B]),
    Call("cdist with weights", lambda m, a, b, w: m.cdist(a, b, w=np.exp(w)), [A, B, V]),
    Call("cdist, jensenshannon", lambda m, a, b: m.cdist(a, b, "jensenshannon"), [A, B], 0.5, 2),
    Call("cdist, seuclidean", lambda m, a, b: m.cdist(a, b, "seuclidean"), [A, B]),
    Call("cdist, seuclidean by variances", lambda m, a, b: m.cdist(a, b, "seuclidean", V=np.ones(4) * 2), [A, B]),
    Call("cdist, mahalanobis", lambda m, a, b: m.cdist(a, b, "mahalanobis", VI=MATRIX), [A, B]),
    Call("pdist, mahalanobis", lambda m, a: m.pdist(a + SPREAD, "mahalanobis"), [(6, 2)]),
    Call("squareform of distances", lambda m, x: m.squareform(x), [(6,)]),
    Call("squareform of a matrix", lambda m, x: m.squareform((x + x.T) * (1 - np.eye(4, dtype=x.dtype))), [(4, 4)]),
]  # fmt: skip
SPREAD = np.array([[0, 3], [2, -1], [-4, 1], [1, 1], [5, 0], [-2, -3.0]])


test_values_are_scipys, test_values_of_single_precision_are_scipys, test_derivatives_are_what_differences_give = (
    comparisons_of(CALLS, ours, theirs)
)


def test_a_distance_that_is_zero_has_slope_zero() -> None:
    x = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])
    found = tg.grad(lambda x: np.sum(ours.pdist(x)))(x)
    np.testing.assert_allclose(found * np.sqrt(2), [[1, 1], [1, 1], [-2, -2]])


T = tg.Tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.euclidean(T, np.ones(3)), ValueError, r"u and v have shapes \(2,\) and \(3,\)"),
        (lambda: ours.cosine(T[None], T), ValueError, r"Input vector should be 1-D, but has shape \(1, 2\)"),
        (lambda: ours.minkowski(T, T, -1), ValueError, "p must be greater than 0"),
        (lambda: ours.chebyshev(T, T, w=T), NotImplementedError, "chebyshev: w=Tensor"),
        (lambda: ours.cdist(T, T), ValueError, "expected 2 dimensions"),
        (lambda: ours.cdist(T[None], np.ones((1, 3))), ValueError, "same number of columns"),
        (lambda: ours.cdist(T[None], T[None], "hamming"), NotImplementedError, "metric='hamming' is not supported for"),
        (lambda: ours.cdist(T[None], T[None], out=np.ones((1, 1))), NotImplementedError, "out=array"),
        (lambda: ours.hamming(T, T), tg.GradientLostError, "gradient"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
