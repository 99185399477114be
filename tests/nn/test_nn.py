"""Layers, initialisers and optimisers, against what they are defined to be."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_as_printed, binary_cross_entropy_shifted
from tinygrad_cnn.primitives.convolution import by_columns, convolution


def convolved(x: np.ndarray, weight: np.ndarray, stride: tuple[int, int], padding: tuple[int, int]) -> np.ndarray:
    """The definition, in loops."""
    x = np.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2])
    kh, kw = weight.shape[2:]
    out_h, out_w = (x.shape[2] - kh) // stride[0] + 1, (x.shape[3] - kw) // stride[1] + 1
    out = np.empty((x.shape[0], weight.shape[0], out_h, out_w))
    for b, f, i, j in np.ndindex(*out.shape):
        top, left = i * stride[0], j * stride[1]
        out[b, f, i, j] = np.sum(x[b, :, top : top + kh, left : left + kw] * weight[f])
    return out


windows = st.tuples(st.integers(1, 3), st.integers(1, 3))
images = st.tuples(st.integers(3, 6), st.integers(3, 6))


@given(images, windows, windows, st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(1, 3), st.integers(1, 2))
def test_conv2d_is_what_its_definition_says(size, window, stride, padding, channels, filters) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, channels, *size)), rng.standard_normal((filters, channels, *window))
    found = tg.conv2d(x, weight, stride=stride, padding=padding)
    np.testing.assert_allclose(found, convolved(x, weight, stride, padding), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("images", "filters", "stride", "padding"),
    [
        ((3, 9, 6, 7), (4, 9, 3, 3), (1, 1), (1, 1)),  # a product for each row of the window
        ((3, 2, 6, 7), (4, 2, 3, 3), (1, 1), (1, 1)),  # one product
        ((3, 9, 8, 7), (4, 9, 3, 2), (2, 3), (1, 0)),
        ((3, 9, 5, 5), (4, 9, 5, 5), (1, 1), (0, 0)),  # the window is the image
        ((3, 9, 5, 5), (4, 9, 2, 2), (1, 1), (5, 4)),  # windows that lie in the padding alone
        ((1000, 9, 5, 4), (4, 9, 2, 3), (1, 1), (0, 1)),  # more images than are taken at a time
        ((0, 9, 5, 4), (4, 9, 2, 3), (1, 1), (0, 1)),
        ((2, 0, 5, 4), (4, 0, 2, 3), (1, 1), (0, 1)),
        ((2, 9, 5, 4), (0, 9, 2, 3), (1, 1), (0, 1)),
    ],
)
def test_a_convolution_and_its_gradients_are_those_by_columns(images, filters, stride, padding, dtype) -> None:
    rng = np.random.default_rng(0)
    x, weight = (rng.normal(size=shape).astype(dtype) for shape in (images, filters))
    (found, back), (expected, as_in_a_textbook) = (
        tg.vjp(lambda x, weight, f=f: f(x, weight, stride, padding), x, weight) for f in (convolution, by_columns)
    )
    g = rng.normal(size=found.shape).astype(dtype)
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    for a, b in zip((found, *back(g)), (expected, *as_in_a_textbook(g)), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max(initial=1), strict=True)


def test_an_infinite_weight_meets_no_zeros_around_a_cotangent() -> None:
    weight = np.zeros((1, 9, 3, 3))
    weight[0, 0, 0, 0] = np.inf
    gradient = tg.grad(lambda x: np.sum(tg.conv2d(x, weight)))(np.ones((1, 9, 5, 5)))
    assert np.isinf(gradient[0, 0, :3, :3]).all()
    assert not gradient[0, 0, 3:].any()
    assert not gradient[0, 1:].any()


def test_a_convolution_takes_images_that_lie_in_memory_in_any_way() -> None:
    rng = np.random.default_rng(0)
    channels_last, weight = rng.normal(size=(2, 6, 7, 9)), rng.normal(size=(3, 3, 9, 4)).T
    x = channels_last.transpose(0, 3, 1, 2)[:, :, ::-1]
    np.testing.assert_allclose(tg.conv2d(x, weight), convolved(x, weight, (1, 1), (0, 0)), rtol=1e-12)


def test_the_articles_form_is_that_of_one_channel_and_one_filter() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 5, 5)), rng.standard_normal((3, 3))
    four = tg.conv2d(x[:, None], weight[None, None], np.array([0.5]), padding=1)
    np.testing.assert_allclose(tg.conv2d(x, weight, 0.5, padding=1), four[:, 0], rtol=1e-14)


@given(images, windows, windows)
def test_pooling_is_what_its_definition_says(size, window, stride) -> None:
    x = np.random.default_rng(0).standard_normal((2, *size))
    largest, mean = tg.max_pool2d(x, window, stride), tg.avg_pool2d(x, window, stride)
    assert largest.shape == mean.shape
    for b, i, j in np.ndindex(*largest.shape):
        top, left = i * stride[0], j * stride[1]
        part = x[b, top : top + window[0], left : left + window[1]]
        assert largest[b, i, j] == part.max()
        assert mean[b, i, j] == pytest.approx(part.mean(), rel=1e-12)


@given(images, windows, windows, st.booleans())
def test_col2im_is_the_transpose_of_im2col(size, window, stride, channels: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 2, *size) if channels else (2, *size))
    columns = tg.im2col(x, window, stride)
    y = rng.standard_normal(columns.shape)
    assert np.sum(columns * y) == pytest.approx(np.sum(x * tg.col2im(y, x.shape, window, stride)), rel=1e-11, abs=1e-11)


def test_a_column_is_a_window_read_row_by_row() -> None:
    x = np.arange(2 * 2 * 4 * 4.0).reshape(2, 2, 4, 4)
    columns = tg.im2col(x, (2, 3), (2, 1))
    np.testing.assert_array_equal(columns[1, :, 3].reshape(2, 2, 3), x[1, :, 2:4, 1:4])


def test_im2col_of_objects_counts_who_refers_to_them() -> None:
    one = Fraction(1, 3)
    before = sys.getrefcount(one)
    columns = tg.im2col(np.full((3, 3), one), 2)
    assert np.all(columns == one)
    assert sys.getrefcount(one) - before == columns.size
    del columns
    assert sys.getrefcount(one) == before


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: tg.conv2d(np.ones((1, 3, 5, 5)), np.ones((8, 1, 3, 3))), r"^conv2d: x has 3 channels; expected 1"),
        (lambda: tg.conv2d(np.ones((5, 5)), np.ones((3, 3))), r"^conv2d: x has shape \(5, 5\) and weight \(3, 3\);"),
        (
            lambda: tg.conv2d(np.ones((1, 2, 2)), np.ones((3, 3))),
            "window is 3 x 3; expected at most the size of an image, 2 x 2",
        ),
        (lambda: tg.max_pool2d(np.ones((1, 2, 2)), 3), "window is 3 x 3; expected at most the size of an image, 2 x 2"),
        (lambda: tg.avg_pool2d(np.ones(4), 2), r"the images have shape \(4,\); expected at least two axes"),
        (lambda: tg.max_pool2d(np.ones((4, 4)), 0), "window is 0; expected an integer of at least 1"),
        (lambda: tg.max_pool2d(np.ones((4, 4)), 2, (1, 2, 3)), r"stride is \(1, 2, 3\); expected an integer"),
        (lambda: tg.max_pool2d(np.ones((4, 4)), 1.5), r"window is 1\.5; expected an integer"),
        (lambda: tg.col2im(np.ones((4, 4)), (4, 4), 2), r"columns have shape \(4, 4\); expected \(4, 9\)"),
        (lambda: tg.linear(np.ones((2, 3)), np.ones((4, 5))), r"linear: x has shape \(2, 3\) and weight"),
    ],
)
def test_shapes_that_do_not_fit_are_named(attempt, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        attempt()


LISTS = [
    (tg.conv2d, ([[[1.0, 2.0], [3.0, 4.0]]], [[5.0]], [1.0])),
    (tg.linear, ([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [1.0, 2.0])),
    (tg.im2col, ([[1.0, 2.0], [3.0, 4.0]], 2)),
    (tg.col2im, ([[1.0], [2.0], [3.0], [4.0]], (2, 2), 2)),
    (tg.max_pool2d, (((1.0, 2.0), (3.0, 4.0)), 2)),
    (tg.avg_pool2d, ([[1.0, 2.0], [3.0, 4.0]], 2)),
    (tg.relu, ([1.0, -2.0],)),
    (tg.sigmoid, ([1.0, -2.0],)),
    (tg.binary_cross_entropy_with_logits, ([1.0, -2.0], [0, 1])),
    (binary_cross_entropy_as_printed, ([0.1, 0.2], [0, 1])),
    (binary_cross_entropy_shifted, ([0.1, 0.2], [0, 1])),
]


@pytest.mark.parametrize(("function", "given"), LISTS, ids=[function.__name__ for function, _ in LISTS])
def test_lists_are_taken_as_numpys_functions_take_them(function, given) -> None:
    x, *more = given
    expected = function(np.array(x), *[np.array(y) if isinstance(y, list) else y for y in more])
    np.testing.assert_array_equal(function(*given), expected)
    np.testing.assert_array_equal(function(tg.Tensor(x), *more).value, expected)


def test_what_the_package_has_of_nn_is_the_same_there() -> None:
    """But for three that are primitives at the top level: without padding, and without a reduction."""
    both = set(tg.nn.__all__) & set(tg.__all__)
    primitives = {"avg_pool2d", "binary_cross_entropy_with_logits", "max_pool2d"}
    assert {name for name in both if getattr(tg, name) is not getattr(tg.nn, name)} == primitives
    assert {"relu", "sigmoid", "max_pool2d", "avg_pool2d", "conv2d", "linear", "SGD", "Adam", "he_normal"} <= both
    z, y = np.array([0.5, -2.0]), np.array([1.0, 0.0])
    elementwise = tg.nn.binary_cross_entropy_with_logits(z, y, reduction="none")
    np.testing.assert_array_equal(elementwise, tg.binary_cross_entropy_with_logits(z, y))
    x = np.random.default_rng(0).standard_normal((2, 5, 4))
    np.testing.assert_array_equal(tg.nn.max_pool2d(x, 2, 1), tg.max_pool2d(x, 2, 1))
    np.testing.assert_array_equal(tg.nn.avg_pool2d(x, 2, 1), tg.avg_pool2d(x, 2, 1))


def test_a_gradient_flows_past_an_operand_that_is_a_list() -> None:
    def f(weight):
        return np.sum(tg.conv2d([[[1.0, 2.0], [3.0, 4.0]]], weight))

    assert tg.grad(f)(np.ones((1, 1))) == 10


def test_a_list_of_tensors_is_stacked() -> None:
    assert tg.max_pool2d([[tg.Tensor(1.0), tg.Tensor(2.0)]], 1).value.tolist() == [[1, 2]]


def test_windows_and_strides_may_be_lists() -> None:
    x = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(tg.max_pool2d(x, [2, 2], [2, 2]), tg.max_pool2d(x, 2))


def test_the_three_cross_entropies_are_their_formulas() -> None:
    s, y = np.array([0.2, 0.5, 0.9]), np.array([0.0, 1.0, 1.0])
    z = np.log(s / (1 - s))
    true = -y * np.log(s) - (1 - y) * np.log(1 - s)
    np.testing.assert_allclose(tg.binary_cross_entropy_with_logits(z, y), true, rtol=1e-14)
    np.testing.assert_allclose(binary_cross_entropy_shifted(s, y, epsilon=0.0), true, rtol=1e-14)
    shifted = -y * np.log(s + 0.01) - (1 - y) * np.log(1 - s - 0.01)
    np.testing.assert_allclose(binary_cross_entropy_shifted(s, y, 0.01), shifted, rtol=1e-14)
    printed = -y * np.log(1 + s) - (1 - y) * np.log(1 + (1 - s))
    np.testing.assert_allclose(binary_cross_entropy_as_printed(s, y), printed, rtol=1e-14)


def test_he_normal_has_variance_2_over_fan_in() -> None:
    rng = np.random.default_rng(0)
    assert tg.he_normal(rng, (50, 8, 3, 3)).std() == pytest.approx(np.sqrt(2 / 72), rel=0.05)
    assert tg.he_normal(rng, (100, 100), fan_in=9).std() == pytest.approx(np.sqrt(2 / 9), rel=0.05)


OPTIMISERS = [tg.SGD(0.1), tg.Momentum(0.02), tg.Adam(0.1)]


@pytest.mark.parametrize("optimiser", OPTIMISERS, ids=lambda o: type(o).__name__)
def test_an_optimiser_finds_the_minimum_of_a_bowl(optimiser) -> None:
    p = {"a": np.array([3.0, -2.0]), "rest": [5.0]}
    bowl = lambda p: np.sum((p["a"] - 1) ** 2) + (p["rest"][0] + 1) ** 2
    for _ in range(400):
        p = optimiser.step(p, tg.grad(bowl)(p))
    np.testing.assert_allclose([*p["a"], *p["rest"]], [1, 1, -1], atol=1e-3)


def test_momentum_is_not_touched_by_a_gradient_that_changes_afterwards() -> None:
    optimiser, gradient = tg.Momentum(1.0, momentum=0.5), np.array([1.0])
    p = optimiser.step(np.array([0.0]), gradient)
    gradient[:] = 100
    assert optimiser.step(p, np.array([0.0])) == [-1.5]


def test_the_second_step_of_adam_by_hand() -> None:
    optimiser = tg.Adam(0.1, beta1=0.9, beta2=0.99, epsilon=0.0)
    w = optimiser.step(optimiser.step(1.0, 2.0), -1.0)
    mean = (0.9 * 0.1 * 2 + 0.1 * -1) / (1 - 0.9**2)
    square = (0.99 * 0.01 * 4 + 0.01 * 1) / (1 - 0.99**2)
    assert w == pytest.approx(1 - 0.1 - 0.1 * mean / np.sqrt(square), rel=1e-12)


@pytest.mark.parametrize("make", [tg.SGD, tg.Momentum, tg.Adam])
def test_an_optimiser_given_tensors_returns_leaves_without_history(make) -> None:
    optimiser = make(0.1)
    W, b = tg.Tensor(np.float32([1.0, 2.0]), name="W"), tg.Tensor(0.5, name="b")
    for _ in range(3):
        np.sum(W * W + b * b).backward()
        W, b = optimiser.step([W, b], [W.grad, b.grad])
    assert [x.node.primitive for x in (W, b)] == [None, None]
    assert [x.name for x in (W, b)] == ["W", "b"]
    assert W.dtype == np.float32


@pytest.mark.parametrize("make", [tg.SGD, tg.Momentum, tg.Adam])
def test_the_gradients_of_tensors_by_grad_leave_no_history_either(make) -> None:
    optimiser, W = make(0.1), tg.Tensor([1.0, 2.0])
    for _ in range(3):
        W = optimiser.step(W, tg.grad(lambda w: np.sum(w**3))(W))
    assert W.node.primitive is None
    assert not any(isinstance(x, tg.Tensor) for x in tg.tree.flatten(vars(optimiser)).leaves)


def test_a_step_of_an_optimiser_is_differentiated_within_a_transform() -> None:
    """One step of p -> p - rate 2 p, and then the loss p^2: its derivatives by p and by the rate."""

    def loss_after_a_step(p, rate):
        return np.square(tg.SGD(rate).step(p, tg.grad(np.square)(p)))

    found = tg.grad(loss_after_a_step, (0, 1))(3.0, 0.1)
    np.testing.assert_allclose(found, (2 * 3.0 * 0.8**2, 2 * (0.8 * 3.0) * (-2 * 3.0)))


@pytest.mark.parametrize("make", [tg.SGD, tg.Momentum, tg.Adam])
def test_a_rate_that_is_a_numpy_scalar_leaves_float32_parameters_what_they_are(make) -> None:
    p = np.float32([1.0, 2.0])
    assert make(np.float64(0.1)).step(p, p).dtype == np.float32
    assert make(np.array(0.1)).step(p, p).dtype == np.float32
    assert make(np.linspace(0.1, 0.2, 2)[0]).step({"a": tg.Tensor(p)}, {"a": p})["a"].dtype == np.float32


def test_an_optimiser_refuses_gradients_of_another_form() -> None:
    with pytest.raises(ValueError, match=r"has the leaves \['b'\]; expected the tree structure of the parameters"):
        tg.SGD(0.1).step({"a": 1.0}, {"b": 1.0})


def test_a_checkpoint_has_the_gradient_of_a_tensor_and_of_one_computed_from_it() -> None:
    """Both are closed over: a gradient with respect to the second alone is not passed on to the first."""

    def outer(x: tg.Tensor) -> tg.Tensor:
        return tg.grad(lambda k: tg.checkpoint(lambda: x * k)())(x)

    assert tg.grad(outer)(2.0) == 1.0
