"""tinygrad_cnn.scipy.ndimage: values are SciPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy_cases import Call, each, gradients_agree, values_agree

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

import scipy.ndimage as theirs

from tinygrad_cnn.scipy import ndimage as ours

FILTER_MODES = ("reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "wrap", "grid-wrap")
S = (5, 6)
WHERE = np.array([[0.3, 2.2, 3.7, 1.4], [4.4, 0.2, 2.6, 3.3]])  # within the image
SQUARE, MIXED = WHERE.reshape(2, 2, 2), ["constant", "mirror"]
BEYOND = np.array([[-0.7, 2.2, 5.3, -1.7, 8.6, -7.3], [4.4, -3.3, 6.2, 5.2, 12.7, -9.4]])

CALLS = [
    *[
        Call(f"correlate, {mode}", lambda m, x, w, mode=mode: m.correlate(x, w, mode=mode, cval=0.5), [S, (3, 3)])
        for mode in FILTER_MODES
    ],
    *[
        Call(
            f"{name} of {w}, {origin}",
            lambda m, x, w, name=name, origin=origin: getattr(m, name)(x, w, origin=origin),
            [S, w],
        )
        for name in ("correlate", "convolve")
        for w, origin in [((3, 2), 0), ((2, 3), (0, 1)), ((4, 1), (1, 0)), ((4, 3), (-1, -1)), ((9, 3), 0)]
    ],
    *[
        Call(
            f"{name} of {n}, {origin}",
            lambda m, x, w, name=name, o=origin: getattr(m, name)(x, w, axis=0, origin=o),
            [S, (n,)],
        )
        for name in ("correlate1d", "convolve1d") for n, origin in [(3, 0), (4, 0), (4, 1), (5, -2)]
    ],
    *[
        Call(f"gaussian_filter1d, {n}", lambda m, x, s, n=n: m.gaussian_filter1d(x, s, order=n), [S, ()], 0.7, 1.0)
        for n in (0, 1, 2, 3)
    ],
    Call("gaussian_filter1d, radius", lambda m, x: m.gaussian_filter1d(x, 0.8, 0, radius=2, mode="wrap"), [S]),
    Call("gaussian_filter", lambda m, x: m.gaussian_filter(x, 0.8), [S]),
    Call("gaussian_filter by sigma", lambda m, x, s: m.gaussian_filter(x, s, truncate=3.0), [S, (2,)], 0.7, 1.0),
    Call("gaussian_filter, more", lambda m, x: m.gaussian_filter(x, (0.8, 0), (1, 0), mode=["wrap", "nearest"]), [S]),
    Call("gaussian_filter, axes", lambda m, x: m.gaussian_filter(x, 0.8, axes=(1,)), [S]),
    Call("uniform_filter", lambda m, x: m.uniform_filter(x), [S]),
    Call("uniform_filter, sizes", lambda m, x: m.uniform_filter(x, (2, 4), mode=MIXED, origin=(0, 1)), [S]),
    Call("uniform_filter1d", lambda m, x: m.uniform_filter1d(x, 4, 0, origin=-1), [S]),
    Call("sobel", lambda m, x: m.sobel(x), [S]),
    Call("sobel along an axis", lambda m, x: m.sobel(x, 0, mode=["wrap", "constant"], cval=0.5), [S]),
    Call("prewitt", lambda m, x: m.prewitt(x, 0), [S]),
    Call("laplace", lambda m, x: m.laplace(x), [S]),
    Call("gaussian_laplace", lambda m, x: m.gaussian_laplace(x, 0.8), [S]),
    Call("gaussian_gradient_magnitude", lambda m, x: m.gaussian_gradient_magnitude(x, 0.8), [S]),
    Call("maximum_filter", lambda m, x: m.maximum_filter(x, 3), [S]),
    Call("maximum_filter, sizes", lambda m, x: m.maximum_filter(x, (2, 3), mode=MIXED, origin=(0, 1)), [S]),
    Call("minimum_filter", lambda m, x: m.minimum_filter(x, 3, mode="wrap"), [S]),
    Call("maximum_filter1d", lambda m, x: m.maximum_filter1d(x, 4, 0), [S]),
    Call("minimum_filter1d", lambda m, x: m.minimum_filter1d(x, 3), [S]),
    *[
        Call(
            f"map_coordinates, {mode}, {order}, {name}",
            lambda m, x, c, o=order, mode=mode, at=at: m.map_coordinates(x, at + c / 20, order=o, mode=mode, cval=0.5),
            [S, at.shape],
            order=1 if order == 0 else 2,
        )
        for mode in FILTER_MODES for order in (0, 1, 2, 3) for name, at in (("within", WHERE), ("beyond", BEYOND))
    ],
    Call("map_coordinates, not filtered", lambda m, x: m.map_coordinates(x, WHERE, prefilter=False), [S]),
    Call("map_coordinates of an array", lambda m, x, c: m.map_coordinates(x, SQUARE + c / 20, order=1), [S, (2, 2, 2)]),
    Call("map_coordinates of a plain image", lambda m, c: m.map_coordinates(np.eye(6), WHERE + c / 20), [(2, 4)]),
    *[
        Call(f"shift, {o}, {mode}", lambda m, x, s, o=o, mode=mode: m.shift(x, s + 0.2, order=o, mode=mode), [S, (2,)])
        for o in (1, 3) for mode in ("constant", "nearest", "grid-wrap")
    ],
    Call("shift by one number", lambda m, x, s: m.shift(x, s), [S, ()], 0.2, 0.9),
    Call("zoom", lambda m, x: m.zoom(x, 1.7), [S]),
    Call("zoom by axis", lambda m, x: m.zoom(x, (0.6, 2), order=1, mode="nearest"), [S]),
    *[
        Call(
            f"affine_transform, {order}",
            lambda m, x, a, t, o=order: m.affine_transform(x, EYE + a / 9, t / 9, order=o, mode="nearest"),
            [S, (2, 2), (2,)],
        )
        for order in (1, 3)
    ],
    Call("affine_transform, 1", lambda m, x, a: m.affine_transform(x, 0.9 + a / 30, 0.1, (3, 4), order=1), [S, (2,)]),
    Call("affine_transform, wide", lambda m, x, a: m.affine_transform(x, WIDE + a / 50, order=1), [S, (2, 3)]),
    *[
        Call(
            f"rotate, {order}",
            lambda m, x, a, o=order: m.rotate(x, 20 * a, reshape=False, order=o, mode="nearest"),
            [S, ()], 0.5, 0.9,
        )
        for order in (1, 3)
    ],
    Call("rotate, reshaped", lambda m, x: m.rotate(x, 25.0, order=1), [S]),
    Call("rotate of a stack", lambda m, x: m.rotate(x, 25.0, (2, 1), order=1), [(2, 4, 3)]),
    Call("center_of_mass", lambda m, x: m.center_of_mass(x)[1], [S], 0.5, 2),
]  # fmt: skip
EYE, WIDE = np.eye(2) * 0.87 + 0.05, np.array([[0.83, 0.11, 0.2], [0.07, 0.93, 0.13]])


@each(CALLS)
def test_values_are_scipys(call: Call) -> None:
    values_agree(call, ours, theirs)


@each([call for call in CALLS if "plain image" not in call.name])
def test_values_of_single_precision_are_scipys(call: Call) -> None:
    values_agree(call, ours, theirs, np.float32)


@each([call for call in CALLS if ", 0, " not in call.name])
def test_derivatives_are_what_differences_give(call: Call) -> None:
    gradients_agree(call, ours)


def test_the_nearest_element_has_slope_zero_in_the_coordinates_and_one_in_the_image() -> None:
    x = np.arange(12.0).reshape(3, 4)
    found = tg.grad(lambda x: ours.map_coordinates(x, [[1.2], [2.4]], order=0)[0])(x)
    assert found[1, 2] == np.sum(found) == 1
    by_coordinates = tg.grad(lambda c: np.sum(ours.map_coordinates(tg.Tensor(x), c, order=0)) + np.sum(0 * c))
    assert by_coordinates(np.ones((2, 1))).tolist() == [[0], [0]]


T = tg.Tensor(np.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ours.map_coordinates(T, [[1.0], [2.0]], order=5), NotImplementedError, "order=5 is not supported for"),
        (lambda: ours.map_coordinates(T, [[1.0]]), RuntimeError, "invalid shape for coordinate array"),
        (lambda: ours.shift(np.eye(3, dtype=int), tg.Tensor(0.5)), TypeError, "input has dtype int64, to which SciPy"),
        (lambda: ours.shift(T, 0.5, mode="odd"), RuntimeError, "boundary mode not supported"),
        (lambda: ours.shift(T, [0.5, 1, 2]), RuntimeError, "sequence argument must have length"),
        (lambda: ours.zoom(np.eye(3), tg.Tensor(2.0)), NotImplementedError, "zoom is a Tensor; expected plain numbers"),
        (lambda: ours.zoom(T, 2, grid_mode=True), NotImplementedError, "grid_mode=True is not supported for Tensors"),
        (lambda: ours.affine_transform(T, np.eye(4)), RuntimeError, "affine matrix has wrong number of rows"),
        (lambda: ours.correlate(T, np.ones(3)), RuntimeError, "filter weights array has incorrect shape"),
        (lambda: ours.correlate1d(T, np.ones(3), origin=2), ValueError, "invalid origin"),
        (lambda: ours.correlate(T, np.ones((3, 3)), mode="odd"), RuntimeError, "boundary mode not supported"),
        (lambda: ours.gaussian_filter1d(T, 1.0, order=-1), ValueError, "order must be non-negative"),
        (lambda: ours.maximum_filter(T), RuntimeError, "no footprint or filter size provided"),
        (lambda: ours.maximum_filter(T, footprint=np.eye(3)), NotImplementedError, "footprint="),
        (lambda: ours.uniform_filter1d(T, 0), RuntimeError, "incorrect filter size"),
        (lambda: ours.center_of_mass(T, [[1]]), NotImplementedError, "labels="),
        (lambda: ours.gaussian_filter(T, 1, output=np.zeros((3, 4))), NotImplementedError, "output="),
        (lambda: ours.median_filter(T, 3), tg.GradientLostError, "gradient"),
    ],
)  # fmt: skip
def test_what_is_not_supported_raises(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
