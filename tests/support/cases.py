"""The functions whose derivatives are tested: a line each, from which `test_derivatives.py` makes many tests.

An operand is given by its shape and where its elements lie. Functions with kinks are tested where they have none; what
they do at a kink is stated by a test of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_as_printed, binary_cross_entropy_shifted


class Case(NamedTuple):
    name: str
    function: Callable[..., Any]
    shapes: list[tuple[int, ...]]
    low: float = -1.5
    high: float = 1.7
    order: int = 2  # how many derivatives are compared with finite differences

    def operands(self, dtype: Any = np.float64, seed: int = 0) -> list[np.ndarray]:
        """Elements that differ by more than a step of differences, so that none of them tie or change places."""
        rng = np.random.default_rng(seed)
        total = sum(int(np.prod(shape)) for shape in self.shapes)
        spread = rng.permutation(np.linspace(self.low, self.high, total + 2)[1:-1])
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        parts = np.split(spread, ends[:-1])
        return [part.reshape(shape).astype(dtype) for part, shape in zip(parts, self.shapes, strict=True)]


def takes(call: Callable[[], Any]) -> bool:
    """Whether this version of NumPy takes such arguments: what it lacks is left out of the tables."""
    try:
        call()
    except TypeError:
        return False
    return True


def unary(name: str, function: Callable[..., Any], low: float = -1.5, high: float = 1.7) -> list[Case]:
    return [
        Case(name, function, [(2, 3)], low, high),
        Case(f"{name} of one number", function, [()], low, high),
        Case(f"{name} of nothing", function, [(0, 3)], low, high),
    ]


def binary(name: str, function: Callable[..., Any], low: float = -1.5, high: float = 1.7) -> list[Case]:
    return [
        Case(name, function, [(2, 3), (2, 3)], low, high),
        Case(f"{name}, broadcasting", function, [(4, 1, 3), (2, 1)], low, high),
        Case(f"{name}, a number on the left", function, [(), (2, 2)], low, high),
        Case(f"{name}, a number on the right", function, [(3,), ()], low, high),
        Case(f"{name} of two numbers", function, [(), ()], low, high),
        Case(f"{name} of nothing", function, [(0, 3), (3,)], low, high),
    ]


MASK = np.array([[True, False, True], [False, False, True]])
PERMUTED = np.array([2, 0, 0, 1])

MODEL: list[Case] = [
    *binary("add", np.add),
    *binary("subtract", np.subtract),
    *binary("multiply", np.multiply),
    *binary("divide", np.divide, 0.5, 2.5),
    *binary("power", np.power, 0.5, 2.5),
    *binary("maximum", np.maximum),
    *binary("minimum", np.minimum),
    *binary("logaddexp", np.logaddexp),
    *unary("negative", np.negative),
    *unary("positive", np.positive),
    *unary("square", np.square),
    *unary("sqrt", np.sqrt, 0.5, 3),
    *unary("reciprocal", np.reciprocal, 0.5, 3),
    *unary("exp", np.exp),
    *unary("expm1", np.expm1),
    *unary("log", np.log, 0.5, 3),
    *unary("log1p", np.log1p, -0.5, 2),
    *unary("sin", np.sin),
    *unary("cos", np.cos),
    *unary("tanh", np.tanh),
    *unary("sigmoid", tg.sigmoid),
    *unary("abs of positive numbers", np.abs, 0.5, 2),
    *unary("abs of negative numbers", np.abs, -2, -0.5),
    *unary("relu", tg.relu),
    *unary("relu with slope 1 at 0", lambda x: tg.relu(x, at_zero=1.0)),
    *unary("x ** 0", lambda x: x**0),
    *unary("x ** 1", lambda x: x**1),
    *unary("x ** 2", lambda x: x**2),
    *unary("x ** 3", lambda x: x**3),
    *unary("x ** -1", lambda x: x**-1, 0.5, 2),
    *unary("x ** 0.5", lambda x: x**0.5, 0.5, 2),
    *unary("2 ** x", lambda x: 2.0**x),
    *unary("1 / x", lambda x: 1 / x, 0.5, 2),
    *unary("1 - x", lambda x: 1 - x),
    *unary("array - x", lambda x: np.ones(3) - x),
    Case("array @ x", lambda x: np.arange(6.0).reshape(2, 3) @ x**2, [(3, 2)]),
    Case("x @ array", lambda x: x**2 @ np.arange(6.0).reshape(2, 3), [(3, 2)]),
    Case("where", lambda x, y: np.where(MASK, x * x, y * y), [(2, 3), (2, 3)]),
    Case("where, broadcasting", lambda x, y: np.where(MASK, x * x, y * y), [(3,), ()]),
    Case("where with a condition of Tensors", lambda x, y: np.where(x > y, x * y, y * y), [(2, 3), (2, 3)]),
    *unary("sum", np.sum),
    Case("sum by method", lambda x: (x * x).sum(axis=0), [(2, 3)]),
    Case("sum over axes", lambda x: np.sum(x**2, axis=(0, -1)), [(2, 3, 2)]),
    Case("sum, axes kept", lambda x: np.sum(x**2, axis=1, keepdims=True), [(2, 3)]),
    Case("mean", lambda x: np.mean(x**2), [(2, 3)]),
    Case("mean of one number", lambda x: np.mean(x**2), [()]),
    Case("mean over an axis", lambda x: np.mean(x**2, axis=-1), [(2, 3)]),
    Case("mean over axes, kept", lambda x: (x**2).mean(axis=(0, 2), keepdims=True), [(2, 3, 2)]),
    Case("max", lambda x: np.max(x) ** 3, [(2, 3)]),
    Case("max of one number", lambda x: np.max(x) ** 3, [()]),
    Case("max over an axis", lambda x: np.max(x, axis=1) ** 3, [(2, 3)]),
    Case("max over axes, kept", lambda x: x.max(axis=(0, 1), keepdims=True) ** 3, [(2, 3, 2)]),
    Case("min over an axis", lambda x: np.min(x, axis=0) ** 3, [(2, 3)]),
    Case("max of empty rows along the other axis", lambda x: np.max(x, axis=1) ** 2, [(0, 3)]),
    Case("reshape", lambda x: np.reshape(x, (3, -1)) ** 3, [(2, 3)]),
    Case("reshape by method", lambda x: x.reshape(3, 2) ** 3, [(2, 3)]),
    Case("reshape of one number", lambda x: x.reshape(1, 1) ** 3, [()]),
    Case("reshape of nothing", lambda x: x.reshape(3, 0) ** 3, [(0, 3)]),
    Case("transpose", lambda x: np.transpose(x) ** 3, [(2, 3)]),
    Case("transpose by axes", lambda x: np.transpose(x, (2, 0, -2)) ** 3, [(2, 3, 2)]),
    Case("transpose of one axis by its number", lambda x: np.transpose(x, 0) ** 3, [(3,)]),
    Case("T", lambda x: x.T**3, [(2, 3)]),
    Case("transpose by method", lambda x: x.transpose(1, 0) ** 3, [(2, 3)]),
    Case("swapaxes", lambda x: np.swapaxes(x, 0, -1) ** 3, [(2, 3, 2)]),
    Case("broadcast_to", lambda x: np.broadcast_to(x, (4, 2, 3)) ** 3, [(2, 1)]),
    Case("broadcast_to of one number", lambda x: np.broadcast_to(x, (2, 3)) ** 3, [()]),
    Case("concatenate", lambda x, y: np.concatenate([x, y]) ** 3, [(2, 3), (1, 3)]),
    Case("concatenate along an axis", lambda x, y: np.concatenate((x, y, x), axis=-1) ** 3, [(2, 3), (2, 1)]),
    Case("concatenate flat", lambda x, y: np.concatenate((x, y), axis=None) ** 3, [(2, 3), (2,)]),
    Case("concatenate with nothing", lambda x, y: np.concatenate((x, y)) ** 3, [(0, 3), (2, 3)]),
    Case("x[i]", lambda x: x[1] ** 3, [(2, 3)]),
    Case("x[i, j]", lambda x: x[1, -1] ** 3, [(2, 3)]),
    Case("x[()]", lambda x: x[()] ** 3, [()]),
    Case("x[slices]", lambda x: x[::-1, 1:] ** 3, [(2, 3)]),
    Case("x[None, ..., i]", lambda x: x[None, ..., 0] ** 3, [(2, 3)]),
    Case("x[array], elements taken twice", lambda x: x[PERMUTED] ** 3, [(3, 2)]),
    Case("x[list]", lambda x: x[[2, 0, 0]] ** 3, [(3, 2)]),
    Case("x[arrays]", lambda x: x[PERMUTED[:, None], np.array([0, 1])] ** 3, [(3, 2)]),
    Case("x[array, slice]", lambda x: x[PERMUTED, 1:] ** 3, [(3, 2)]),
    Case("x[mask]", lambda x: x[MASK] ** 3, [(2, 3)]),
    Case("x[x > 0]", lambda x: x[x > 0] ** 3, [(2, 3)]),
    Case("x[nothing]", lambda x: x[:0] ** 3, [(2, 3)]),
    Case("pad", lambda x: np.pad(x, 1) ** 3, [(2, 3)]),
    Case("pad by axis", lambda x: np.pad(x, ((0, 1), (2, 0))) ** 3, [(2, 3)]),
    Case("pad with a number", lambda x: np.pad(x, (1, 0), constant_values=2.0) ** 3, [(2, 3)]),
    Case("pad of nothing", lambda x: np.pad(x, 1) ** 3, [(0, 2)]),
    Case("im2col of an image", lambda x: tg.im2col(x, 2) ** 3, [(3, 4)]),
    Case("im2col of a batch, stride 2", lambda x: tg.im2col(x, 3, 2) ** 3, [(2, 5, 6)]),
    Case("im2col of channels, oblong window", lambda x: tg.im2col(x, (2, 3), (1, 2)) ** 3, [(2, 2, 3, 5)]),
    Case("im2col of no images", lambda x: tg.im2col(x, 2) ** 3, [(0, 3, 3)]),
    Case("col2im, windows that overlap", lambda x: tg.col2im(x, (4, 4), 3) ** 3, [(9, 4)]),
    Case("col2im of a batch, windows apart", lambda x: tg.col2im(x, (2, 4, 5), 2, 2) ** 3, [(2, 4, 4)]),
    Case("col2im of channels", lambda x: tg.col2im(x, (1, 2, 3, 4), 2) ** 3, [(1, 8, 6)]),
    Case("max_pool2d", lambda x: tg.max_pool2d(x, 2) ** 3, [(2, 4, 5)]),
    Case("max_pool2d, ties in full", lambda x: tg.max_pool2d(x, 2, ties="all") ** 3, [(2, 4, 4)]),
    Case("max_pool2d, windows that overlap", lambda x: tg.max_pool2d(x, 3, 1) ** 3, [(4, 5)]),
    Case("max_pool2d of channels, oblong", lambda x: tg.max_pool2d(x, (2, 3), (1, 2)) ** 3, [(2, 2, 3, 5)]),
    Case("max_pool2d of no images", lambda x: tg.max_pool2d(x, 2) ** 3, [(0, 4, 4)]),
    Case("avg_pool2d", lambda x: tg.avg_pool2d(x, 2) ** 3, [(2, 4, 5)]),
    Case("avg_pool2d, windows that overlap", lambda x: tg.avg_pool2d(x, 3, 1) ** 3, [(4, 5)]),
    Case("avg_pool2d of channels, oblong", lambda x: tg.avg_pool2d(x, (2, 3), (1, 2)) ** 3, [(2, 2, 3, 5)]),
    Case("matmul", np.matmul, [(2, 3), (3, 4)]),
    Case("matmul of vectors", np.matmul, [(3,), (3,)]),
    Case("matmul, vector and matrix", np.matmul, [(3,), (3, 2)]),
    Case("matmul, matrix and vector", np.matmul, [(2, 3), (3,)]),
    Case("matmul of stacks", np.matmul, [(4, 2, 3), (4, 3, 2)]),
    Case("matmul of stacks, broadcasting", np.matmul, [(2, 1, 2, 3), (3, 3, 2)]),
    Case("matmul, matrix and stack", np.matmul, [(2, 3), (4, 3, 2)]),
    Case("matmul, vector and stack", np.matmul, [(3,), (4, 3, 2)]),
    Case("matmul, stack and vector", np.matmul, [(4, 2, 3), (3,)]),
    Case("matmul of nothing", np.matmul, [(0, 3), (3, 2)]),
    Case("matmul over nothing", np.matmul, [(2, 0), (0, 2)]),
    Case("linear", lambda x, W, b: tg.linear(x, W, b) ** 2, [(4, 3), (2, 3), (2,)]),
    Case("conv2d", lambda x, W: tg.conv2d(x, W) ** 2, [(2, 2, 4, 4), (3, 2, 3, 3)]),
    Case("conv2d with bias", lambda x, W, b: tg.conv2d(x, W, b, padding=1) ** 2, [(1, 2, 3, 3), (2, 2, 3, 3), (2,)]),
    Case("conv2d, strided", lambda x, W: tg.conv2d(x, W, stride=(2, 1), padding=(0, 1)), [(1, 2, 5, 4), (2, 2, 3, 2)]),
    Case("conv2d of many channels", lambda x, W: tg.conv2d(x, W, padding=1) ** 2, [(2, 9, 3, 3), (2, 9, 2, 2)]),
    Case("conv2d of no images", lambda x, W: tg.conv2d(x, W, padding=1) ** 2, [(0, 9, 3, 3), (2, 9, 2, 2)]),
    Case("conv2d of one channel", lambda x, W, b: tg.conv2d(x, W, b, padding=1) ** 2, [(2, 4, 4), (3, 3), ()]),
    *binary("cross-entropy as printed", binary_cross_entropy_as_printed, 0.1, 0.9),
    *binary("shifted cross-entropy", binary_cross_entropy_shifted, 0.1, 0.9),
    *binary("cross-entropy with logits", tg.binary_cross_entropy_with_logits),
    Case("astype", lambda x: x.astype(np.float64) ** 3, [(2, 3)]),
    Case("a value used twenty times over", lambda x: sum([x * x for _ in range(20)]), [(2,)]),
]
CASES = [case._replace(order=3) for case in MODEL]
