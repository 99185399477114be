"""Facts about NumPy's functions that a table of cases cannot say: kinks, zeros, NaNs, errors, and shapes at random."""

from __future__ import annotations

import warnings
from pathlib import Path

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numeric import derivatives_agree

import tinygrad_cnn as tg

# Kinks.


def gradient(f, *x):
    value, pullback = tg.vjp(f, *x)
    return pullback(np.ones_like(value))[0]


def test_equal_elements_keep_their_places_when_sorted() -> None:
    _, pullback = tg.vjp(np.sort, np.array([2.0, 1.0, 2.0, 1.0]))
    np.testing.assert_array_equal(pullback(np.array([1.0, 2.0, 3.0, 4.0]))[0], [3, 1, 4, 2])


def test_at_a_bound_clip_passes_half_of_the_cotangent_on() -> None:
    np.testing.assert_array_equal(
        gradient(lambda x: np.clip(x, 0, 1), np.array([-1, 0, 0.5, 1, 2])), [0, 0.5, 1, 0.5, 0]
    )


def test_the_median_of_an_even_number_of_elements_is_that_of_the_two_in_the_middle() -> None:
    np.testing.assert_array_equal(gradient(np.median, np.array([5.0, 1.0, 4.0, 2.0])), [0, 0, 0.5, 0.5])


def test_at_a_node_interp_has_the_slope_to_its_right() -> None:
    nodes, values = np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 7.0])
    x = np.array([-1.0, 0.0, 1.0, 2.0, 4.0])
    np.testing.assert_array_equal(gradient(lambda x: np.interp(x, nodes, values), x), [0, 1, 3, 3, 0])


def test_sinc_is_smooth_at_0() -> None:
    derivative = np.sinc
    for expected in (0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5):
        derivative = tg.grad(derivative)
        assert float(derivative(0.0)) == pytest.approx(expected, rel=1e-14, abs=1e-14)


# Zeros.


@pytest.mark.parametrize("zeros", [[], [1], [0, 3], [0, 1, 2, 3]])
def test_the_derivatives_of_a_product_are_right_where_factors_are_zero(zeros: list[int]) -> None:
    x = np.array([2.0, -3.0, 5.0, 0.5])
    x[zeros] = 0
    others = [np.prod(np.delete(x, i)) for i in range(4)]
    np.testing.assert_array_equal(tg.grad(np.prod)(x), others)
    for i in range(4):
        row = tg.grad(lambda x, i=i: tg.grad(np.prod)(x)[i])(x)
        np.testing.assert_array_equal(row, [0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)])


@pytest.mark.parametrize("zeros", [[], [2], [0, 3], [0, 1, 2, 3, 4]])
def test_the_derivatives_of_products_so_far_are_right_where_factors_are_zero(zeros: list[int]) -> None:
    x, weights = np.array([2.0, -3.0, 5.0, 0.5, 4.0]), np.array([1.0, 2.0, -1.0, 3.0, 0.5])
    x[zeros] = 0

    def first(x, i):
        return sum(weights[k] * np.prod(np.delete(x[: k + 1], i)) for k in range(i, 5))

    def weighted(x):
        return np.sum(weights * np.cumprod(x))

    np.testing.assert_allclose(tg.grad(weighted)(x), [first(x, i) for i in range(5)], rtol=1e-14)
    for i in range(5):
        row = tg.grad(lambda x, i=i: tg.grad(weighted)(x)[i])(x)
        bump = 1.0  # each derivative is linear in every factor, so that a difference is exact
        expected = [0 if i == j else first(x + bump * (np.arange(5) == j), i) - first(x, i) for j in range(5)]
        np.testing.assert_allclose(row, expected, rtol=1e-13, atol=1e-13)


# NaN and infinity.


def test_a_nan_in_a_slice_makes_its_maximum_and_its_median_nan() -> None:
    x = np.array([[1.0, np.nan, 2.0], [1.0, 3.0, 2.0]])
    for function in (np.max, np.median, np.mean, np.prod):
        np.testing.assert_array_equal(function(tg.Tensor(x), axis=1).value, function(x, axis=1))


@pytest.mark.parametrize("function", [np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanvar, np.nanstd, np.nanmedian])
def test_what_leaves_nan_out_has_slope_0_there(function) -> None:
    x = np.array([1.0, np.nan, 4.0, 2.5])
    found = gradient(function, x)
    np.testing.assert_allclose(np.delete(found, 1), gradient(function, np.delete(x, 1)), rtol=1e-14)
    assert found[1] == 0


def test_the_nanmax_of_nothing_but_nan_is_nan() -> None:
    found = np.nanmax(tg.Tensor([[np.nan, np.nan], [1.0, np.nan]]), axis=1)
    np.testing.assert_array_equal(found.value, [np.nan, 1])


def test_elements_that_are_masked_may_be_nan() -> None:
    x, mask = np.array([1.0, np.nan, 3.0]), np.array([True, False, True])
    for function in (np.sum, np.prod, np.mean, np.var, np.std):
        found = gradient(lambda x, f=function: f(x, where=mask), x)
        assert np.isfinite(found).all()
        assert found[1] == 0


def test_the_quantile_at_an_infinity_is_that_infinity() -> None:
    np.testing.assert_array_equal(np.quantile(tg.Tensor([1.0, 2.0, np.inf]), [0.0, 0.5, 1.0]).value, [1, 2, np.inf])


def test_logaddexp_of_nothing_but_zeros_has_no_slope() -> None:
    np.testing.assert_array_equal(gradient(np.logaddexp.reduce, np.array([-np.inf, -np.inf])), [0, 0])


# Arguments.


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp])
def test_the_method_reduce_goes_along_axis_0_as_numpys_does(ufunc: np.ufunc) -> None:
    x = np.arange(6.0).reshape(2, 3)
    for how in ({}, {"axis": None}, {"axis": 1}, {"keepdims": True}):
        np.testing.assert_array_equal(ufunc.reduce(tg.Tensor(x), **how).value, ufunc.reduce(x, **how), strict=True)


@pytest.mark.parametrize("function", [np.sum, np.prod, np.mean, np.max, np.min, np.var, np.cumsum, np.median])
def test_there_is_no_array_to_write_a_result_into(function) -> None:
    assert function(tg.Tensor([1.0, 2.0]), out=None).dtype == float
    with pytest.raises(TypeError, match=rf"as out of np\.{function.__name__} is a plain array: omit out="):
        function(tg.Tensor([1.0, 2.0]), out=np.zeros(()))


@pytest.mark.parametrize("reduce", [np.sum, np.prod, np.add.reduce, np.multiply.reduce])
def test_a_reduction_of_nothing_writes_its_identity_into_a_tensor(reduce) -> None:
    for operand in (np.zeros((0, 3)), tg.Tensor(np.zeros((0, 3)))):
        into = tg.Tensor(np.full(3, 7.0))
        assert reduce(operand, axis=0, out=into) is into
        np.testing.assert_array_equal(into.value, reduce(np.zeros((0, 3)), axis=0))


REFUSED_OUT = {
    "another shape": (lambda t: np.sum(t, axis=0, out=tg.Tensor(np.zeros(2))), ValueError, r"out has shape \(2,\)"),
    "another kind": (lambda t: np.sum(t * 1j, axis=0, out=tg.Tensor(np.zeros(3))), TypeError, "out has dtype float64"),
    "an array": (lambda t: np.add.reduce(t, axis=0, out=np.zeros(3)), TypeError, "use the result"),
    "an array beside a Tensor": (lambda t: np.modf(t, out=(t, np.zeros((2, 3)))), TypeError, "use the result"),
}


@pytest.mark.parametrize("use", REFUSED_OUT)
def test_a_result_is_written_where_it_fits(use: str) -> None:
    function, error, match = REFUSED_OUT[use]
    with pytest.raises(error, match=match):
        function(tg.Tensor(np.ones((2, 3))))


def test_what_has_no_gradient_is_written_into_arrays() -> None:
    t = tg.Tensor([[0.5, np.nan, 2.5]])
    found = np.zeros((1, 3), bool)
    assert np.isnan(t, out=found) is found
    np.testing.assert_array_equal(found, [[False, True, False]])
    np.testing.assert_array_equal(np.floor(t, out=np.zeros((1, 3))), [[0, np.nan, 2]])
    np.testing.assert_array_equal(np.argmax(t, axis=1, out=np.zeros(1, int)), [1])


def test_clip_as_a_method_takes_one_bound() -> None:
    x = np.array([-11.0, 0.5, 3.0])
    t = tg.Tensor(x)
    for args, bounds in (((-9,), {}), ((), {"max": 2}), ((-9, 2), {}), ((), {"min": 1, "max": 2}), ((None, 2), {})):
        np.testing.assert_array_equal(t.clip(*args, **bounds).value, x.clip(*args, **bounds))


SINGLE = np.linspace(0.5, 2, 3, dtype=np.float32)
# What NumPy computes in another precision than that of the Tensors alone.
DTYPES = {
    "clip of a number": lambda t: np.clip(-1.56, t, t),
    "clip of an integer": lambda t: np.clip(2, t, t),
    "clip by numbers": lambda t: np.clip(t, 0.7, np.float32(1)),
    "lstsq, residuals": lambda t: np.linalg.lstsq(t[:, None], np.array([1.0, 2, 2.5]))[1],
    "lstsq, no residuals": lambda t: np.linalg.lstsq(t[None], np.array([1.0]))[1],
    "lstsq, singular values": lambda t: np.linalg.lstsq(t[:, None], np.array([1, 2, 3]))[3],
    "nanquantile, q of two axes": lambda t: np.nanquantile(t, np.array([[0.2], [0.5]])),
    "nanquantile of NaN": lambda t: np.nanquantile(t * np.float32(np.nan), np.array([[0.2], [0.5]])),
    "nanquantile of nothing": lambda t: np.nanquantile(t[:0], 0.5),
    "quantile, q of float32": lambda t: np.quantile(t, np.float32(0.3)),
}


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning", "ignore:Mean of empty slice:RuntimeWarning")
@pytest.mark.parametrize("function", DTYPES.values(), ids=DTYPES)
def test_the_dtype_beside_other_dtypes_is_numpys(function) -> None:
    found, expected = function(tg.Tensor(SINGLE)), np.asarray(function(SINGLE))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.value if isinstance(found, tg.Tensor) else found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["edge", "linear_ramp", "maximum", "minimum", "mean", "median", "reflect", "wrap"])
def test_padding_of_an_empty_array_is_numpys(mode: str) -> None:
    for shape, width in (((0, 2), ((0, 0), (1, 1))), ((2, 0), ((1, 2), (0, 0))), ((0,), 0)):
        x = np.ones(shape)
        found = np.pad(tg.Tensor(x), width, mode)
        assert found.shape == np.pad(x, width, mode).shape
        assert tg.grad(lambda x, w=width: np.sum(np.pad(x, w, mode)))(x).shape == shape
    with pytest.raises(ValueError, match="can't extend empty axis 0"):
        np.pad(tg.Tensor(np.ones((0, 2))), 1, mode)


def test_a_mask_and_an_index_may_change_afterwards() -> None:
    mask, places = np.array([True, False, True]), np.array([0, 0, 2])
    for function, argument in ((lambda x: np.sum(x, where=mask), mask), (lambda x: np.take(x, places), places)):
        _, pullback = tg.vjp(function, np.ones(3))
        expected = pullback(np.ones_like(function(np.ones(3))))[0]
        argument[:] = 1
        np.testing.assert_array_equal(pullback(np.ones_like(function(np.ones(3))))[0], expected)


X = tg.Tensor([[1.0, 2.0, 4.0], [0.0, 3.0, -1.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: np.sum(X, initial=X[0, 0]), r"np\.sum: initial is a Tensor"),
        (lambda: np.nanmax(X, initial=X[0, 0]), r"np\.nanmax: initial is a Tensor"),
        (lambda: np.quantile(X, X[0, 0]), r"np\.quantile: q is a Tensor, but has no derivative"),
        (lambda: np.percentile(X, 5, weights=X, method="inverted_cdf"), r"np\.percentile: weights="),
        (lambda: np.ravel(X, "K"), "depends on memory layout"),
        (lambda: np.sort(X, order="a"), "have no fields"),
        (lambda: np.pad(X, 1, constant_values=X[0, 0]), r"np\.pad: constant_values is"),
        (lambda: np.pad(X, 1, "linear_ramp", end_values=X[0, 0]), r"np\.pad: end_values is a Tensor"),
        (lambda: np.pad(X, 1, "empty"), "mode='empty'"),
        (lambda: np.pad(X, 1, lambda *row: None), "function as mode"),
    ],
)
def test_what_is_not_supported_says_so(call, message: str) -> None:
    with pytest.raises(NotImplementedError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, axis=5),
        lambda x: np.max(x, where=np.ones((2, 3), bool)),
        lambda x: np.median(x, axis=7),
        lambda x: np.quantile(x, 2.0),
        lambda x: np.cumulative_sum(x),
        lambda x: np.average(x, axis=0, weights=np.ones(3)),
        lambda x: np.average(x, weights=np.zeros((2, 3))),
        lambda x: np.pad(x, -1),
        lambda x: np.pad(x, 1, "mirror"),
        lambda x: np.split(x, 5),
        lambda x: np.split(x, x[0]),
        lambda x: np.array_split(x, x[0]),
        lambda x: np.dsplit(x, 1),
        lambda x: np.stack([x, x[0]]),
        lambda x: np.block([[x], x]),
        lambda x: np.squeeze(x, 0),
        lambda x: np.moveaxis(x, 9, 0),
        lambda x: np.take(x, 99),
        lambda x: np.clip(x, 0),
        lambda x: np.clip(x, 0, 1, min=0),
        lambda x: np.gradient(x, edge_order=3),
        lambda x: np.diff(x, -1),
        lambda x: np.cov(x[None]),
        lambda x: np.convolve(x[0], x[0, :0]),
        lambda x: np.var(x, ddof=1, correction=1),
        lambda x: np.where(np.ones((2, 3), bool), x),
    ],
)
def test_an_error_is_numpys_own(call) -> None:
    with pytest.raises(Exception) as of_numpy:  # noqa: PT011 (whatever NumPy raises)
        call(X.value)
    with pytest.raises(type(of_numpy.value)) as of_tensors:
        call(X)
    assert str(of_tensors.value) == str(of_numpy.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.einsum("ii", x),
        lambda x: np.einsum("ii->i", x[:1]),
        lambda x: np.einsum("...j->j", x),
        lambda x: np.tensordot(x, np.ones((3, 3)), ([5], [0])),
        lambda x: np.tensordot(x[0, 0], np.ones(3), 1),
        lambda x: np.linalg.multi_dot([x[None], np.ones((3, 3)), np.ones(3)]),
        lambda x: np.linalg.multi_dot([x, np.ones(3), np.ones(3)]),
        lambda x: np.linalg.multi_dot([x]),
    ],
)
def test_a_sum_of_products_is_refused_where_numpy_refuses_it(call) -> None:
    with pytest.raises((ValueError, IndexError, np.linalg.LinAlgError)) as of_numpy:
        call(X.value)
    with pytest.raises(of_numpy.type):
        call(X)


# Arguments, as NumPy takes and refuses them.

OF_ANY_SHAPE = [
    np.ones(()), np.arange(4.0), np.arange(12.0).reshape(3, 4), np.ones((0, 3)), np.ones((3, 0)),
    np.array([[1.0, np.nan], [3.0, 4.0]]), np.array([[1.0, np.inf], [-np.inf, 2.0]]),
]  # fmt: skip


def quantile(x, **how):
    return np.quantile(np.nan_to_num(x, posinf=9.0, neginf=-9.0), [0.1, 0.5], **how)


OF_AXES = [
    np.sum, np.prod, np.mean, np.std, np.var, np.max, np.min, np.ptp, np.nansum, np.nanprod, np.nanmean, np.nanstd,
    np.nanvar, np.nanmax, np.nanmin, np.median, np.cumsum, np.cumprod, np.all, np.any, np.argmax, np.sort, np.squeeze,
    np.flip, np.diff, np.fft.rfft, np.linalg.norm, quantile,
]  # fmt: skip


def outcome(function, x, **settings):
    """What comes of a call: an array, or the kind of the error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = function(x, **settings)
        except (ValueError, TypeError, IndexError) as error:
            return type(error)
    return found.value if isinstance(found, tg.Tensor) else np.asarray(found)


@pytest.mark.parametrize("function", OF_AXES, ids=lambda f: f.__name__)
def test_axes_are_taken_and_refused_as_by_numpy_of_any_shape_and_any_numbers(function) -> None:
    for x in OF_ANY_SHAPE:
        for axis in (None, 0, 1, -1, 2, -3, (0, 1), (0, 0)):
            for more in ({}, {"keepdims": True}, {"ddof": 1}, {"ddof": 5}, {"initial": 0.5}):
                expected, found = (outcome(function, t, axis=axis, **more) for t in (x, tg.Tensor(x)))
                case = f"{x.shape}, axis={axis}, {more}: {found} but {expected}"
                if isinstance(expected, type):
                    assert isinstance(found, type), case
                    assert issubclass(found, expected) or issubclass(expected, found), case
                else:
                    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15, err_msg=case)
                    assert found.dtype == expected.dtype


@pytest.mark.parametrize(
    "function",
    [
        np.unwrap,
        lambda x: np.linalg.matrix_power(x, 0),
        lambda x: np.linspace(x, 1.0, 3),
        lambda x: np.linalg.norm(x, 2),
    ],
)
def test_infinities_and_emptiness_pass_as_in_numpy(function) -> None:
    for x in OF_ANY_SHAPE[3:]:
        expected = outcome(function, x)
        if not isinstance(expected, type):
            np.testing.assert_array_equal(outcome(function, tg.Tensor(x)), expected)


def test_errors_of_linear_algebra_name_the_function_and_the_shape() -> None:
    for function in (np.linalg.qr, np.linalg.svd, np.linalg.eigh, np.linalg.cholesky):
        with pytest.raises(np.linalg.LinAlgError, match=rf"np\.linalg\.{function.__name__}: a has shape \(3,\)"):
            function(tg.Tensor(np.ones(3)))
    with pytest.raises(TypeError, match="integer"):
        np.linalg.matrix_power(tg.Tensor(np.eye(2)), 1.5)


def test_an_array_of_integers_that_a_tensor_is_made_into_is_plain() -> None:
    t = tg.Tensor([1.5, 2.5])
    for made in (np.astype(t, int), t.astype(int)):
        np.testing.assert_array_equal(made, [1, 2], strict=True)
    with pytest.raises(TypeError, match="Cannot cast"):
        t.astype(int, casting="safe")


# Shapes at random.

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def linear_function_agrees(f, shape: tuple[int, ...]) -> None:
    """Assert that f, which is linear, has the value that NumPy gives, and a pullback that is its transpose."""
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal(shape), rng.standard_normal(shape)
    value, pullback = tg.vjp(f, x)
    np.testing.assert_allclose(value, f(x), rtol=1e-13, atol=1e-13, strict=True)
    g = rng.standard_normal(np.shape(value))
    assert np.sum(g * f(v)) == pytest.approx(np.sum(pullback(g)[0] * v), rel=1e-11, abs=1e-11)


@st.composite
def shapes_and_axes(draw):
    shape = draw(SHAPES)
    axes = draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    return shape, tuple([axis - len(shape) if draw(st.booleans()) else axis for axis in axes])


@settings(deadline=None)
@given(shapes_and_axes(), st.booleans(), st.sampled_from([np.sum, np.mean]))
def test_a_reduction_over_any_axes(where: tuple, keepdims: bool, function) -> None:
    shape, axes = where
    linear_function_agrees(lambda x: function(x, axis=axes, keepdims=keepdims), shape)


@settings(deadline=None)
@given(shapes_and_axes(), st.integers(-9, 9))
def test_a_roll_and_a_flip_of_any_axes(where: tuple, shift: int) -> None:
    shape, axes = where
    linear_function_agrees(lambda x: np.flip(x, axes), shape)
    linear_function_agrees(lambda x: np.roll(x, shift), shape)
    linear_function_agrees(lambda x: np.roll(x, [shift] * len(axes), axes), shape)


@settings(deadline=None)
@given(SHAPES, st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_tiles_of_any_number(shape: tuple, times: list[int]) -> None:
    linear_function_agrees(lambda x: np.tile(x, times), shape)


LINEAR_MODES = ["constant", "edge", "reflect", "symmetric", "wrap", "mean", "linear_ramp"]


@settings(deadline=None, max_examples=200)
@given(hnp.array_shapes(max_dims=2, max_side=4), st.sampled_from(LINEAR_MODES), st.data())
def test_padding_of_any_width(shape: tuple, mode: str, data) -> None:
    width = st.tuples(st.integers(0, 9), st.integers(0, 9))
    widths = data.draw(st.lists(width, min_size=len(shape), max_size=len(shape)))
    how = {"reflect_type": "odd"} if mode in ("reflect", "symmetric") and data.draw(st.booleans()) else {}
    linear_function_agrees(lambda x: np.pad(x, widths, mode, **how), shape)


@settings(deadline=None)
@given(SHAPES, st.data())
def test_taking_at_any_places(shape: tuple, data) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    places = data.draw(hnp.arrays(np.intp, SHAPES, elements=st.integers(-n, n - 1)))
    linear_function_agrees(lambda x: np.take(x, places, axis=axis), shape)
    linear_function_agrees(lambda x: np.take(x, places * 3, axis=axis, mode="wrap"), shape)


@settings(deadline=None)
@given(st.integers(1, 9), st.floats(0, 1), st.booleans())
def test_a_quantile_of_any_number_of_elements(n: int, q: float, keepdims: bool) -> None:
    x = np.random.default_rng(n).standard_normal((3, n))
    found = np.quantile(tg.Tensor(x), q, axis=1, keepdims=keepdims)
    np.testing.assert_allclose(found.value, np.quantile(x, q, axis=1, keepdims=keepdims), rtol=1e-12, atol=1e-14)


ALONG_AN_AXIS = [
    np.sum, np.mean, np.prod, np.max, np.min, np.median, np.average, np.std, np.cumsum, np.flip, np.sort, np.diff,
    np.cumulative_sum, np.gradient, np.trapezoid, np.unwrap, np.fft.fft, np.fft.rfft, np.fft.irfft, np.add.reduce,
    np.add.accumulate, np.linalg.norm, np.linalg.vector_norm, np.expand_dims, np.squeeze,
]  # fmt: skip


@pytest.mark.parametrize("function", ALONG_AN_AXIS, ids=lambda f: getattr(f, "__qualname__", str(f)))
def test_an_axis_is_counted_from_the_end_and_refused_as_numpy_does(function) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 1))

    def loss(x, axis):
        return np.sum(np.abs(function(x, axis=axis)) ** 2)

    axis = x.ndim - 1 if function in (np.squeeze, np.expand_dims) else 1
    negative = axis - x.ndim - (function is np.expand_dims)
    np.testing.assert_array_equal(tg.grad(loss)(x, axis), tg.grad(loss)(x, negative))
    for wrong in (4, -5):
        with pytest.raises(IndexError):
            function(x, axis=wrong)
        with pytest.raises(IndexError):
            tg.grad(loss)(x, wrong)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.logaddexp], ids=lambda ufunc: ufunc.__name__)
def test_accumulate_takes_one_axis_also_in_a_tuple(ufunc) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ufunc.accumulate(tg.Tensor(x), (1,)).value, ufunc.accumulate(x, (1,)))
    for several in (None, (), (0, 1)):
        with pytest.raises(ValueError, match="multiple axes"):
            ufunc.accumulate(tg.Tensor(x), several)


def test_axes_are_normalised_in_one_place() -> None:
    modules = Path(tg.__file__).parent.rglob("*.py")
    using = {path.name for path in modules if "normalize_axis" in path.read_text(encoding="utf-8")}
    assert using == {"arguments.py"}


def test_interpolation_between_nodes_that_are_one_has_their_value() -> None:
    nodes, values = np.array([0.0, 1.0, 1.0, 2.0]), np.array([3.0, 4.0, 4.0, 5.0])
    x = np.array([0.5, 1.0, 1.5])
    np.testing.assert_array_equal(np.interp(tg.Tensor(x), nodes, values).value, np.interp(x, nodes, values))
    np.testing.assert_array_equal(np.interp(tg.Tensor(x), nodes[1:3], values[1:3]).value, [4, 4, 4])


FLAT = {
    "an element": lambda x: x.flat[4] * x.flat[-1],
    "a slice": lambda x: x.flat[1::2] ** 2,
    "a list": lambda x: x.flat[[0, 0, 5]] ** 2,
    "of what is transposed": lambda x: x.T.flat[1:3] ** 2,
    "each": lambda x: sum(u**3 for u in x.flat) + len(x.flat),
}


@pytest.mark.parametrize("function", FLAT.values(), ids=FLAT)
def test_flat_has_the_elements_row_by_row(function) -> None:
    x = np.linspace(-1.0, 2.0, 6).reshape(2, 3)
    np.testing.assert_allclose(tg.vjp(function, x)[0], function(x), rtol=1e-15)
    derivatives_agree(function, [x], order=2)


PLACES = {
    "a diagonal": (slice(None, None, 4), 1.5),
    "as many": ([0, 4], np.array([7.0, 8.0])),
    "too few": (slice(None), np.array([7.0, 8.0])),
    "one place": (4, np.float64(7.0)),
}


@pytest.mark.parametrize(("place", "values"), PLACES.values(), ids=PLACES)
def test_flat_is_assigned_to_as_numpys_is(place, values) -> None:
    def program(x, v):
        t = x * 1.0
        seen = t.T
        seen.flat[place] = v * v
        return t**2 + t.T.flat[1]

    x = np.linspace(-1.0, 2.0, 9).reshape(3, 3)
    np.testing.assert_array_equal(program(tg.Tensor(x), tg.Tensor(values)).value, program(x, values))
    derivatives_agree(program, [x, np.asarray(values)], order=2)


def test_flat_itself_is_assigned_to() -> None:
    t = tg.Tensor(np.zeros((2, 2))) + 0.0
    t.flat = [1.0, 2.0]
    np.testing.assert_array_equal(t.value, [[1, 2], [1, 2]])
