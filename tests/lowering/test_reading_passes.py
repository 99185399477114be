"""What each pass for print does, and what it leaves alone; that it changes no result, test_cases.py states."""

from __future__ import annotations

import re

import numpy as np
import pytest
from lowering.comparing import after_each_reading_pass, agrees_in_every_way

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.interpreter import interpret

RNG = np.random.default_rng(0)
X, W, V = RNG.normal(size=(6, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=4)


def body(function, *arguments) -> str:
    """The lines of the printed function, without its docstring and comments."""
    source = tg.program(function)(*arguments).source()
    lines = source[source.index("def step(") :].splitlines()
    start = next(k for k, line in enumerate(lines) if line.rstrip().endswith('"""') and k) + 1
    return "\n".join(line.split("  # ")[0].strip() for line in lines[start:])


def gradient(loss):
    return tg.grad(loss, argnums=0)


# What is written for the gradient of a loss.
WRITTEN = {
    "twice the same cotangent": (lambda x: np.sum(x * x), (X,), "2 * x"),
    "factors that cancel": (lambda x: 0.5 * np.sum(x**2), (X,), "return np.copy(x)"),
    "a share of a mean": (lambda x: np.mean(np.sin(x)), (X,), "np.cos(x) / 18"),
    "a share of a batch": (lambda w, x: np.sum(np.mean(np.tanh(x @ w), axis=0)), (W, X), "/ len(x)"),
    "a share of a difference once": (
        lambda z, y: np.mean(np.logaddexp.reduce(z, axis=1) - np.sum(z * y, axis=1)),
        (X, X**2), "(softmax(z, axis=1) - y) / len(z)",
    ),
    "all of an axis": (lambda x: np.sum(tg.avg_pool2d(np.pad(x, ((1, 0), (0, 0))), 1) ** 2), (X,), "[1:7, :]"),
    "a minus outside": (lambda x: np.sum(1 / x), (X,), "-1 / x / x"),
    "no minus": (lambda x, y: np.sum(y - np.sin(x)) - np.sum(np.cos(x)), (X, X), r"np.sin(x) - np.cos(x)"),
    "a column times a row": (lambda w, x: np.sum(np.sin(x @ w[:, :1] @ w[:1])), (np.ones((3, 3)), X), " @ "),
    "an outer product": (lambda w, v: np.sum(np.sin(v @ w)), (W, X[0]), "np.outer(v, "),
    "no axis of length one": (lambda x: np.sum(np.var(x, axis=0) * np.mean(x, axis=0)), (X,), "x - mean"),
    "no broadcasting": (
        lambda x: np.sum(np.sum(np.sin(x), axis=1) ** 2), (X,),
        "(2 * np.sin(x).sum(axis=1)).reshape(len(x), 1) * np.cos(x)",
    ),
    "a diagonal": (lambda x: np.sum(np.exp(np.diag(x))), (X[:3],), "np.diag(np.exp("),
    "half at ties": (lambda x: np.sum(np.maximum(x, 0)), (X,), "larger(x, 0)"),
    "half at ties of the smaller": (lambda x, y: np.sum(np.minimum(x, y)), (X, X), "larger(y, x)"),
    "gates that are split": (
        lambda z: np.sum(np.sin(z[:, :1]) * np.cos(z[:, 1:2]) + np.exp(z[:, 2:])), (X,), "np.concatenate([",
    ),
    "elements that are split": (lambda v: np.sin(v[0]) * v[1] * v[2] * v[3], (V,), "np.array(["),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_a_gradient_is_written_as_a_person_would(name) -> None:
    loss, arguments, expected = WRITTEN[name]
    text = body(gradient(loss), *arguments)
    assert any(part in text for part in expected.split("|")), text
    others = [RNG.normal(size=np.shape(x)) for x in arguments]
    agrees_in_every_way(gradient(loss), list(arguments), others)


# What the user's code says.
KEPT = {
    "his sum": (lambda x: x + x, (X,), "x + x"),
    "his factors": (lambda x: 0.5 * (2 * x), (X,), "0.5 * (2 * x)"),
    "his division": (lambda x: 0.25 * np.sin(x), (X,), "0.25 * np.sin(x)"),
    "his sum with zero": (lambda x: 0.0 + x, (X,), "0.0 + x"),
    "his minus": (lambda x, y: -x * y, (X, X), "-x * y"),
    "his transposition": (lambda x, w: (w.T @ x.T).T, (X, W), "(w.T @ x.T).T"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_the_users_code_says_stays(name) -> None:
    function, arguments, expected = KEPT[name]
    assert expected in body(function, *arguments)


def test_sums_of_cotangents_begin_with_zeros_and_are_added_in_place() -> None:
    def loss(w, xs):
        h = xs[0]
        for t in range(1, 9):
            h = np.tanh(xs[t] + h @ w)
        return np.sum(h)

    text = body(gradient(loss), RNG.normal(size=(4, 4)), RNG.normal(size=(9, 4)))
    assert "dL_dw = np.zeros((4, 4))" in text
    assert (
        len(re.findall(r"^dL_dw \+= np.outer\(hs\[\w+\], scaled\)$", text, re.MULTILINE)) == 2
    )  # in the loop, and at its end
    assert text.count("(1 - ") == 2


IMAGES = {
    "stride 1": ((2, 3, 7, 6), (4, 3, 3, 2), 1, 0),
    "stride 2 and padding": ((2, 3, 7, 6), (4, 3, 3, 2), 2, 1),
    "other strides": ((1, 2, 9, 8), (2, 2, 2, 3), (3, 2), (0, 2)),
    "no images": ((0, 2, 5, 5), (3, 2, 3, 3), 1, 0),
}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_convolution_and_its_gradients_are_one_call_each_to_the_last_bit(name, dtype) -> None:
    shape, kernel_shape, stride, padding = IMAGES[name]

    def function(x, kernel):
        return tg.vjp(lambda x, k: tg.conv2d(x, k, stride=stride, padding=padding), x, kernel)[1](
            np.cos(tg.conv2d(x, kernel, stride=stride, padding=padding))
        )

    draw = [RNG.normal(size=s).astype(dtype) for s in (shape, kernel_shape, shape, kernel_shape)]
    program = tg.program(function)(*draw[:2])
    text = program.source()
    for helper in ("conv2d", "conv2d_kernel_gradient", "conv2d_image_gradient"):
        assert re.search(rf"\b{helper}\(", text[text.index("def step(") :])
    expected = program(*draw[2:])
    for _, listing in after_each_reading_pass(program.listing):
        for a, b in zip(interpret(listing, draw[2:]), expected, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)
    space = {}
    exec(text, space)
    for a, b in zip(space["step"](*draw[2:]), expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_images_without_channels_keep_their_columns() -> None:
    text = body(gradient(lambda k, x: np.sum(tg.conv2d(x, k) ** 2)), np.ones((3, 3)), np.ones((2, 5, 5)))
    assert "conv2d" not in text
    assert text.count("im2col(") == 1


def test_softmax_is_zero_where_all_of_its_row_is_minus_infinity() -> None:
    program = tg.program(gradient(lambda z: np.sum(np.logaddexp.reduce(z, axis=1))))(X)
    assert "softmax(z, axis=1)" in program.source()
    z = np.array([[-np.inf] * 3, [0.0, 1.0, -np.inf]])
    z = np.concatenate([z, z, z])
    space = {}
    exec(program.source(), space)
    np.testing.assert_array_equal(space["step"](z), program(z))
    assert not np.isnan(program(z)).any()


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, -0.0])
def test_special_values_are_where_the_engine_has_them(special) -> None:
    """For losses whose gradient the passes change."""
    for loss, arguments, _ in WRITTEN.values():
        others = [np.array(x, copy=True) for x in arguments]
        others[0].flat[1] = special
        with np.errstate(all="ignore"):
            agrees_in_every_way(gradient(loss), list(arguments), others)
