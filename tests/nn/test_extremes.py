"""What the functions of `tg.nn` give at the ends of what they take: large and infinite numbers, ties, NaN, nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg

nn = tg.nn
INF = np.inf

# A function of one array, where, its value there and its gradient (of the sum).
POINTS = [
    ("relu at 0", nn.relu, [0.0, -0.0], [0, 0], [0, 0]),
    (
        "leaky_relu at 0 and far out",
        lambda x: nn.leaky_relu(x, 0.5),
        [0.0, -1e300, INF],
        [0, -5e299, INF],
        [0.5, 0.5, 1],
    ),
    ("elu at 0 and far out", nn.elu, [0.0, -1e4, 1e4, -INF], [0, -1, 1e4, -1], [1, 0, 1, 0]),
    ("gelu far out", nn.gelu, [-40.0, 0.0, 40.0], [0, 0, 40], [0, 0.5, 1]),
    ("gelu by tanh far out", lambda x: nn.gelu(x, "tanh"), [-40.0, 0.0, 40.0], [0, 0, 40], [0, 0.5, 1]),
    ("silu far out", nn.silu, [-1e3, 0.0, 1e3], [0, 0, 1e3], [0, 0.5, 1]),
    ("softplus far out", nn.softplus, [-1e3, 0.0, 1e3], [0, np.log(2), 1e3], [0, 0.5, 1]),
    ("logsumexp of large", nn.logsumexp, [1e4, 1e4], 1e4 + np.log(2), [0.5, 0.5]),
    ("logsumexp beside -inf", nn.logsumexp, [3.0, -INF], 3, [1, 0]),
    ("logsumexp of -inf alone", nn.logsumexp, [-INF, -INF], -INF, [0, 0]),
    ("softmax of large", nn.softmax, [-1e4, 1e4], [0, 1], [0, 0]),
    ("log_softmax of large", nn.log_softmax, [0.0, 1e4], [-1e4, 0], [1, -1]),
    ("a sure and right prediction", lambda x: nn.softmax_cross_entropy(x, np.array(1)), [0.0, 1e4], 0, [0, 0]),
    ("a sure and wrong prediction", lambda x: nn.softmax_cross_entropy(x, np.array(0)), [0.0, 1e4], 1e4, [-1, 1]),
    (
        "beside a class that is ruled out",
        lambda x: nn.softmax_cross_entropy(x, np.array(0)),
        [0.0, 0.0, -INF],
        np.log(2),
        [-0.5, 0.5, 0],
    ),
    ("binary, sure and wrong", lambda x: nn.binary_cross_entropy_with_logits(x, np.zeros(1)), [1e4], 1e4, [1]),
    ("l1 at 0", lambda x: nn.l1(x, np.zeros(1)), [0.0], 0, [0]),
    ("huber at its end", lambda x: nn.huber(x, np.zeros(1)), [1.0], 0.5, [1]),
    ("kl from a probability of 0", lambda x: nn.kl(x, np.array([1.0, 0.0])), [0.0, -INF], 0, [-1, 0]),
    (
        "max_pool2d with ties at the border",
        lambda x: nn.max_pool2d(x.reshape(1, 2), 2, padding=(1, 0)),
        [-3.0, -3.0],
        [[-3]],
        [0.5, 0.5],
    ),
    (
        "global_max_pool2d with ties",
        lambda x: nn.global_max_pool2d(x.reshape(2, 2)),
        [1.0, 5.0, 5.0, 5.0],
        5,
        [0, 1 / 3, 1 / 3, 1 / 3],
    ),
    (
        "adaptive_max_pool2d with ties",
        lambda x: nn.adaptive_max_pool2d(x.reshape(1, 3), (1, 2)),
        [7.0, 7.0, 7.0],
        [[7, 7]],
        [0.5, 1, 0.5],
    ),
    ("layer_norm of equal elements", nn.layer_norm, [2.0, 2.0], [0, 0], [0, 0]),
    ("rms_norm of zeros", nn.rms_norm, [0.0, 0.0], [0, 0], [1e3, 1e3]),
]


@pytest.mark.parametrize(("function", "at", "value", "gradient"), [p[1:] for p in POINTS], ids=[p[0] for p in POINTS])
def test_at_the_ends_value_and_gradient_are_those_of_the_limit(function, at, value, gradient) -> None:
    with np.errstate(invalid="ignore"):  # inf times 0, in what is then masked
        found, pullback = tg.vjp(function, np.array(at))
        (slope,) = pullback(np.ones_like(found))
    np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(slope, gradient, rtol=1e-12, atol=1e-12)


MAKES_NAN = {
    "softmax": nn.softmax,
    "log_softmax": nn.log_softmax,
    "logsumexp": nn.logsumexp,
    "layer_norm": nn.layer_norm,
    "rms_norm": nn.rms_norm,
    "leaky_relu": nn.leaky_relu,
    "elu": nn.elu,
    "gelu": nn.gelu,
    "silu": nn.silu,
    "softplus": nn.softplus,
    "mse": lambda x: nn.mse(x, np.zeros(3)),
    "huber": lambda x: nn.huber(x, np.zeros(3)),
    "cross-entropy": lambda x: nn.softmax_cross_entropy(x, np.array(0)),
    "max_pool2d": lambda x: nn.max_pool2d(x.reshape(1, 3), (1, 3), 1, padding=(0, 1)),
    "global_avg_pool2d": lambda x: nn.global_avg_pool2d(x.reshape(1, 3)),
    "conv2d": lambda x: nn.conv2d(x.reshape(1, 1, 3), np.ones((1, 1, 1, 2)), dilation=2),
}


@pytest.mark.parametrize("name", MAKES_NAN)
def test_a_nan_is_passed_on(name: str) -> None:
    with np.errstate(invalid="ignore"):  # logaddexp warns of it
        assert np.isnan(MAKES_NAN[name](np.array([1.0, 2.0, np.nan]))).any()


@pytest.mark.parametrize("scores", [[np.nan, np.nan], [np.nan, 0.0]])
def test_a_nan_is_never_a_right_prediction(scores) -> None:
    assert nn.accuracy(np.array([scores]), np.array([0])) == 0
    assert nn.top_k(np.array([scores]), np.array([0]), k=2) == 0


def test_a_query_that_may_take_no_key_gets_zeros_and_passes_no_gradient_on() -> None:
    x, mask = np.random.default_rng(0).standard_normal((2, 3)), np.array([[False, False], [True, True]])
    out, pullback = tg.vjp(lambda x: nn.scaled_dot_product_attention(x, x, x, mask)[0], x)
    assert not out.any()
    assert not pullback(np.ones(3))[0].any()


def test_batches_without_examples_have_results_without_elements() -> None:
    assert nn.conv2d(np.ones((0, 4, 5, 5)), np.ones((6, 2, 3, 3)), groups=2).shape == (0, 6, 3, 3)
    assert nn.conv2d(np.ones((0, 4, 5, 5)), np.ones((6, 4, 3, 3)), dilation=2).shape == (0, 6, 1, 1)
    assert nn.conv_transpose2d(np.ones((0, 4, 5, 5)), np.ones((4, 6, 3, 3))).shape == (0, 6, 7, 7)
    assert nn.max_pool2d(np.ones((0, 4, 4)), 2, padding=1).shape == (0, 3, 3)
    assert nn.softmax(np.ones((0, 3))).shape == (0, 3)
    assert nn.softmax_cross_entropy(np.ones((0, 3)), np.zeros(0, int), "sum") == 0
    assert nn.embedding(np.zeros((2, 0), int), np.ones((3, 4))).shape == (2, 0, 4)
    assert nn.one_hot(np.zeros(0, int), 3).shape == (0, 3)
    assert nn.layer_norm(np.ones((0, 3))).shape == (0, 3)
    assert nn.lstm(np.ones((0, 5, 3)), np.ones((8, 3)), np.ones((8, 2)))[0].shape == (0, 5, 2)


def test_a_compiled_loss_checks_the_labels_of_each_call() -> None:
    loss = tg.compile(tg.value_and_grad(lambda z, y: nn.softmax_cross_entropy(z, y, ignore_index=-1)))
    logits = np.random.default_rng(0).standard_normal((3, 4))
    loss(logits, np.array([0, 1, 2]))
    for labels, message in (([0, 1, 4], r"labels\[2\] is 4"), ([-1, -1, -1], "all labels are -1")):
        with pytest.raises(ValueError, match=message):
            loss(logits, np.array(labels))


def test_dropout_keeps_the_mean_and_drops_as_many_as_it_says() -> None:
    x = np.ones(100_000, np.float32)
    out = nn.dropout(x, 0.3, np.random.default_rng(0))
    assert out.dtype == np.float32
    assert np.mean(out == 0) == pytest.approx(0.3, abs=0.006)  # four standard deviations
    assert set(np.unique(out)) == {np.float32(0), np.float32(1) / np.float32(0.7)}
    gradient = tg.grad(lambda x: np.sum(nn.dropout(x, 0.3, np.random.default_rng(0))))(x)
    np.testing.assert_array_equal(gradient, out)
    assert nn.dropout(x, 0.3, None) is x


def test_running_statistics_come_to_those_of_the_data_and_have_no_gradient() -> None:
    rng = np.random.default_rng(0)
    running = (np.zeros(2), np.ones(2))
    for _ in range(200):
        _, running = nn.batch_norm(rng.normal([3, -1], [2, 0.5], (1000, 2)), running)
    np.testing.assert_allclose(running[0], [3, -1], atol=0.05)
    np.testing.assert_allclose(running[1], [4, 0.25], rtol=0.05)
    x = np.array([[1.0, 2.0], [2.0, 4.0], [6.0, 0.0]])
    assert not tg.grad(lambda x: np.sum(nn.batch_norm(x, running)[1][0] + 0 * x[0]))(x).any()


def test_a_sequence_in_two_parts_is_the_sequence() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6, 3))
    for function, gates in ((nn.rnn, 1), (nn.gru, 3), (nn.lstm, 4)):
        weights = [rng.standard_normal(s) for s in ((gates * 2, 3), (gates * 2, 2), (gates * 2,), (gates * 2,))]
        whole, last = function(x, *weights)
        first, state = function(x[:, :2], *weights)
        second, end = function(x[:, 2:], *weights, state=state)
        np.testing.assert_allclose(np.concatenate([first, second], 1), whole, rtol=1e-12)
        np.testing.assert_allclose(end, last, rtol=1e-12)


# Laws.

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


@given(seeds, sizes, sizes, st.floats(-100, 100))
def test_a_softmax_sums_to_one_and_does_not_change_with_a_shift(seed: int, rows: int, columns: int, by: float) -> None:
    x = np.random.default_rng(seed).normal(0, 30, (rows, columns))
    p = nn.softmax(x)
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-13)
    np.testing.assert_allclose(nn.softmax(x + by), p, rtol=1e-11)
    np.testing.assert_allclose(np.exp(nn.log_softmax(x)), p, rtol=1e-11)
    np.testing.assert_allclose(nn.logsumexp(x + by), nn.logsumexp(x) + by, rtol=1e-11, atol=1e-11)


@given(seeds, sizes, sizes, st.floats(0, 1))
def test_labels_are_probabilities_of_zero_and_one(seed: int, rows: int, classes: int, smoothing: float) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, 5, (rows, classes)), rng.integers(0, classes, rows)
    of_labels = nn.softmax_cross_entropy(logits, labels, "none", smoothing)
    of_vectors = nn.softmax_cross_entropy(logits, nn.one_hot(labels, classes), "none", smoothing)
    np.testing.assert_allclose(of_labels, of_vectors, rtol=1e-12, atol=1e-12)
    entropy = nn.kl(nn.log_softmax(logits), nn.one_hot(labels, classes), "none")
    np.testing.assert_allclose(entropy, nn.softmax_cross_entropy(logits, labels, "none"), rtol=1e-12, atol=1e-12)


@given(seeds, st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(3, 6))
def test_a_transposed_convolution_is_the_transpose(seed: int, stride: int, k: int, padding: int, size: int) -> None:
    """The inner product of conv2d(x) and y is that of x and conv_transpose2d(y)."""
    rng = np.random.default_rng(seed)
    x, weight = rng.standard_normal((2, 3, size, size + 1)), rng.standard_normal((4, 3, k, k))
    forward = nn.conv2d(x, weight, stride=stride, padding=padding)
    y = rng.standard_normal(forward.shape)
    more = tuple([(n + 2 * padding - k) % stride for n in x.shape[2:]])
    back = nn.conv_transpose2d(y, weight, stride=stride, padding=padding, output_padding=more)
    assert np.sum(forward * y) == pytest.approx(np.sum(x * back), rel=1e-9, abs=1e-9)


@given(seeds, st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(5, 9))
def test_same_padding_gives_the_size_divided_by_the_stride(seed, stride, k, dilation, size) -> None:
    x, weight = np.ones((1, 1, size, size + 3)), np.ones((1, 1, k, k))
    out = nn.conv2d(x, weight, stride=stride, padding="same", dilation=dilation)
    assert out.shape == (1, 1, -(-size // stride), -(-(size + 3) // stride))


@given(seeds, st.integers(1, 3), st.integers(1, 2), st.integers(1, 2))
def test_a_dilated_filter_is_one_with_zeros_between(seed: int, k: int, down: int, across: int) -> None:
    rng = np.random.default_rng(seed)
    x, weight = rng.standard_normal((2, 3, 6, 7)), rng.standard_normal((2, 3, k, k))
    spread = np.zeros((2, 3, (k - 1) * down + 1, (k - 1) * across + 1))
    spread[:, :, ::down, ::across] = weight
    np.testing.assert_allclose(nn.conv2d(x, weight, dilation=(down, across)), nn.conv2d(x, spread), atol=1e-12)


@given(seeds, sizes, sizes)
def test_of_k_classes_the_label_is_among_the_first_k(seed: int, rows: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 3, (rows, classes)).astype(float), rng.integers(0, classes, rows)  # with ties
    parts = [nn.top_k(scores, labels, k) for k in range(1, classes + 1)]
    assert parts == sorted(parts)
    assert parts[-1] == 1
    assert parts[0] == nn.accuracy(scores, labels) == np.mean(np.argmax(scores, -1) == labels)
    matrix = nn.confusion_matrix(np.argmax(scores, -1), labels, classes)
    assert np.trace(matrix) / rows == pytest.approx(parts[0])
    np.testing.assert_array_equal(matrix.sum(1), np.bincount(labels, minlength=classes))


INITIALISERS = [
    (nn.he_normal, 2 / 60), (nn.he_uniform, 2 / 60), (nn.lecun_normal, 1 / 60), (nn.lecun_uniform, 1 / 60),
    (nn.glorot_normal, 2 / (60 + 800)), (nn.glorot_uniform, 2 / (60 + 800)),
]  # fmt: skip


@pytest.mark.parametrize(("initialiser", "variance"), INITIALISERS, ids=lambda x: getattr(x, "__name__", ""))
def test_an_initialiser_has_the_variance_of_its_name(initialiser, variance: float) -> None:
    weights = initialiser(np.random.default_rng(0), (200, 15, 2, 2))  # 12,000 numbers, fan_in 60, fan_out 800
    assert weights.var() == pytest.approx(variance, rel=0.06)  # four standard deviations
    assert weights.mean() == pytest.approx(0, abs=4 * np.sqrt(variance / weights.size))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (6, 2, 2, 1)])
def test_orthogonal_weights_are_orthonormal(shape: tuple[int, ...]) -> None:
    W = nn.orthogonal(np.random.default_rng(0), shape, gain=2.0).reshape(shape[0], -1)
    gram = W @ W.T if len(W) <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(gram, 4 * np.eye(min(W.shape)), atol=1e-12)
