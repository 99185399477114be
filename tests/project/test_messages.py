"""Error messages: each is triggered, and its text stands in messages.txt, for a person to read.

`python tests/project/test_messages.py` writes that file anew.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import functools
import importlib.util
import math
import pickle
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

TEXTS = Path(__file__).with_name("messages.txt")


def t(*shape: int) -> tg.Tensor:
    return tg.Tensor(np.ones(shape))


class Layer:
    """A layer that forgets the gradient of its parameter."""

    def __init__(self) -> None:
        self.W = np.ones(2)

    def forward(self, x: Any) -> Any:
        return x * self.W

    def backward(self, dout: Any) -> Any:
        return dout * self.W


def itself() -> list[Any]:
    x: list[Any] = [1.0]
    x.append(x)
    return x


@tg.primitive(opaque=True)
def assigning(x, /):
    changed = np.copy(x)
    changed[0] = 1
    return changed


@tg.primitive
def product(x, y, /, scale=1.0):
    return scale * x * y


@tg.primitive
def twice(x, /):
    return 2 * x


twice.defvjp(lambda g, out, x: np.sum(g))


@tg.primitive
def pair(x, /):
    return x, x


def drawing(rng: np.random.Generator) -> Callable[[Any], Any]:
    return lambda x: x * rng.random()


def no_longer() -> Callable[[Any], Any]:
    """A function that does something else the third time it is called, of which nobody can know."""
    calls = iter([1.0, 1.0, 2.0])

    class Hidden:
        __slots__ = ()

        def __call__(self) -> float:
            return next(calls)

    hidden = Hidden()
    return lambda x: x * hidden()


def assign(a: Any, index: Any, value: Any) -> None:
    a[index] = value


def fitted(loss: Any = lambda p, x, y: np.mean(p["w"] * x - y), **keywords: Any) -> Any:
    given = {"model": {"w": 1.0}, "data": (np.ones(8), np.ones(8)), "optimiser": tg.SGD(0.1), "epochs": 2, **keywords}
    return tg.train.fit(loss=loss, **given)


def resumed(**keywords: Any) -> None:
    with contextlib.chdir(tempfile.mkdtemp()):
        fitted(checkpoints="run")
        fitted(checkpoints="run", **{"resume": True, **keywords})


def loaded(tree: Any, like: Any, cut: int = 0) -> None:
    content = tg.train.saving.dumped(tree)
    tg.train.saving.loads(content[: len(content) - cut], "model.safetensors").like(like)


CASES: dict[str, Callable[[], Any]] = {
    # Transforms
    "an integer": lambda: tg.grad(np.sin)(3),
    "an integer array in a tree": lambda: tg.grad(lambda p: p)({"layers": [{"W": np.arange(3)}]}),
    "a string in a tree": lambda: tg.grad(lambda p: p[1])(("relu", 1.0)),
    "a tree in itself": lambda: tg.grad(lambda p: p[0])(itself()),
    "no argument": lambda: tg.grad(np.sin)(),
    "argnums out of range": lambda: tg.grad(np.sin, argnums=1)(1.0),
    "argnums twice": lambda: tg.grad(np.multiply, argnums=(0, 0))(1.0, 2.0),
    "argnums no integer": lambda: tg.grad(np.sin, argnums="x")(1.0),
    "several elements": lambda: tg.grad(np.sin)(np.ones(3)),
    "several results": lambda: tg.grad(lambda x: (x, x))(1.0),
    "no result": lambda: tg.grad(lambda x: None)(1.0),
    "a string as a result": lambda: tg.grad(lambda x: "x")(1.0),
    "an integer as a result": lambda: tg.grad(lambda x: 3)(1.0),
    "a complex result": lambda: tg.grad(lambda x: x * 1j)(1.0),
    "a lost gradient": lambda: tg.grad(lambda x: float(x.value))(1.0),
    "has_aux without a pair": lambda: tg.value_and_grad(lambda x: x, has_aux=True)(1.0),
    "jacobian of nothing": lambda: tg.jacobian(lambda x: None)(1.0),
    "implicit: a double root": lambda: tg.grad(tg.implicit(lambda p: 0 * p, lambda x, p: p * x * x))(2.0),
    "implicit: no solution": lambda: tg.grad(tg.implicit(lambda p: p, lambda x, p: x * x - p))(2.0),
    "implicit: a residual of another shape": lambda: tg.grad(tg.implicit(lambda p: p, lambda x, p: np.stack([x, p])))(
        2.0
    ),
    "implicit: a residual without x": lambda: tg.grad(tg.implicit(lambda p: p, lambda x, p: 1.0))(2.0),
    "implicit: a solver of two arrays": lambda: tg.grad(tg.implicit(lambda p: [p, p], lambda x, p: x))(2.0),
    "optimize_args of integers": lambda: tg.optimize_args(np.sum, {"W": np.arange(3)}),
    "optimize_args and a longer vector": lambda: tg.optimize_args(np.sum, np.ones(3))["fun"](np.ones(4)),
    "hvp of one argument for two": lambda: tg.hvp(np.multiply, 1.0, 1.0, argnums=(0, 1)),
    "jvp of no list": lambda: tg.jvp(np.sin, 1.0, [1.0]),
    "jvp of too few tangents": lambda: tg.jvp(np.multiply, [1.0, 2.0], [1.0]),
    "jvp of another structure": lambda: tg.jvp(np.sin, [1.0], [{"a": 1.0}]),
    "jvp of another shape": lambda: tg.jvp(np.sin, [1.0], [np.ones(2)]),
    "jvp of a complex tangent": lambda: tg.jvp(np.sin, [1.0], [1j]),
    "vjp of another structure": lambda: tg.vjp(lambda x: (x, x), 1.0)[1](1.0),
    "vjp of another shape": lambda: tg.vjp(np.sin, 1.0)[1](np.ones(2)),
    "a checkpoint that assigns": lambda: tg.grad(tg.checkpoint(lambda x: assign(x, 0, 1.0) or np.sum(x)))(np.ones(2)),
    # Tensors
    "Tensor of integers": lambda: tg.Tensor([1, 2]),
    "Tensor of a Tensor": lambda: tg.Tensor(t(2)),
    "backward of several elements": lambda: t(3).backward(),
    "backward with another shape": lambda: t(3).backward(np.ones(2)),
    "float": lambda: float(t()),
    "math.exp": lambda: math.exp(t()),
    "np.asarray": lambda: np.asarray(t(2)),
    "pickle": lambda: pickle.dumps(t(2)),
    "assignment of .value": lambda: setattr(t(2), "value", 1.0),
    "assignment of .grad": lambda: setattr(t(2), "grad", 1.0),
    "assignment to a scalar": lambda: assign(np.sum(t(2)), ..., 1.0),
    "iteration over a scalar": lambda: list(t()),
    "in place with another shape": lambda: t(3).__iadd__(np.ones((2, 3))),
    "mT of a vector": lambda: t(3).mT,
    "t.numpy": lambda: t(2).numpy(),
    "t.zero_grad": lambda: t(2).zero_grad(),
    "t.requires_grad": lambda: t(2).requires_grad,
    "t.at": lambda: t(2).at,
    "t.exp": lambda: t(2).exp(),
    "t.nonsense": lambda: t(2).nonsense,
    "a function without a rule": lambda: np.left_shift(t(3), 1),
    "np.frompyfunc": lambda: np.frompyfunc(lambda x: x, 1, 1)(t(3)),
    "a masked array": lambda: t(2) + np.ma.array([1.0, 2.0], mask=[True, False]),
    "trees of other structure": lambda: tg.SGD(0.1).step({"a": 1.0}, {"b": 1.0}),
    # Primitives
    "no rule": lambda: tg.grad(product)(1.0, 2.0),
    "too few rules": lambda: product.defvjp(lambda g, out, x, y: g),
    "no operands": lambda: tg.primitive(lambda x: x),
    "a static argument that is a Tensor": lambda: product(t(2), 1.0, scale=t(2)),
    "an argument twice": lambda: tg.im2col(t(4, 4), 2, window=2),
    "too many arguments": lambda: tg.im2col(t(4, 4), 2, 2, 2),
    "a cotangent of another shape": lambda: tg.grad(lambda x: np.sum(twice(x)))(np.ones(2)),
    "two arrays": lambda: pair(t(2)),
    # Layers
    "conv2d of a vector": lambda: tg.conv2d(t(3), np.ones((3, 3))),
    "conv2d of other channels": lambda: tg.conv2d(t(1, 3, 4, 4), np.ones((8, 1, 3, 3))),
    "conv2d with another bias": lambda: tg.conv2d(t(1, 4, 4), np.ones((3, 3)), np.ones(2)),
    "conv2d with padding of three numbers": lambda: tg.conv2d(t(1, 4, 4), np.ones((3, 3)), padding=(1, 1, 1)),
    "a window too large": lambda: tg.im2col(t(2, 2), 3),
    "a window of 0": lambda: tg.max_pool2d(t(4, 4), 0),
    "windows of a vector": lambda: tg.im2col(t(4), 2),
    "col2im of other columns": lambda: tg.col2im(t(4, 4), (4, 4), 2),
    "unknown ties": lambda: tg.max_pool2d(t(4, 4), 2, ties="x"),
    "a slope out of range": lambda: tg.relu(t(2), at_zero=2.0),
    "linear of other features": lambda: tg.linear(t(2, 3), np.ones((4, 5))),
    "he_normal of one axis": lambda: tg.he_normal(np.random.default_rng(0), (3,)),
    "he_normal of no inputs": lambda: tg.he_normal(np.random.default_rng(0), (3, 0)),
    # tg.nn
    "conv2d of groups that do not divide": lambda: tg.nn.conv2d(t(1, 3, 4, 4), np.ones((8, 1, 3, 3)), groups=3),
    "conv2d of other channels in groups": lambda: tg.nn.conv2d(t(1, 3, 4, 4), np.ones((8, 3, 3, 3)), groups=2),
    "conv2d with unknown padding": lambda: tg.nn.conv2d(t(1, 4, 4), np.ones((3, 3)), padding="full"),
    "conv2d with dilation of 0": lambda: tg.nn.conv2d(t(1, 4, 4), np.ones((3, 3)), dilation=0),
    "conv1d of images": lambda: tg.nn.conv1d(t(1, 3, 4), np.ones((3, 3))),
    "conv1d with negative padding": lambda: tg.nn.conv1d(t(1, 3, 4), np.ones((3, 3, 2)), padding=-1),
    "conv_transpose2d of other channels": lambda: tg.nn.conv_transpose2d(t(1, 3, 4, 4), np.ones((2, 3, 2, 2))),
    "conv_transpose2d with another bias": lambda: tg.nn.conv_transpose2d(
        t(1, 2, 4, 4), np.ones((2, 3, 2, 2)), np.ones(2)
    ),
    "conv_transpose2d with too much output_padding": lambda: tg.nn.conv_transpose2d(
        t(1, 2, 4, 4), np.ones((2, 3, 2, 2)), stride=2, output_padding=2
    ),
    "conv_transpose2d to nothing": lambda: tg.nn.conv_transpose2d(t(1, 2, 1, 1), np.ones((2, 3, 2, 2)), padding=1),
    "conv_transpose2d of groups that do not divide": lambda: tg.nn.conv_transpose2d(
        t(1, 3, 4, 4), np.ones((3, 1, 2, 2)), groups=2
    ),
    "a layer that was not initialised": lambda: tg.nn.Sequential(tg.nn.Linear(None, 3))(np.ones((2, 4))),
    "a layer for other channels": lambda: tg.nn.Conv2d(1, 8, 3).init(np.random.default_rng(0), np.ones((2, 1, 5, 5)))(
        np.ones((2, 3, 5, 5))
    ),
    "a layer of no size": lambda: tg.nn.Linear(None, 0),
    "a layer without a generator": lambda: tg.nn.Linear(2, 3).init(0, np.ones((1, 2))),
    "a hyperparameter that is a list": lambda: tg.nn.MaxPool2d([2, 2]),
    "a number among layers": lambda: tg.nn.Sequential(3),
    "batch norm without state": lambda: tg.nn.BatchNorm(2, weight=np.ones(2), bias=np.zeros(2))(np.ones((3, 2))),
    "dropout without a generator": lambda: tg.nn.Dropout(0.5).train(np.ones(3)),
    "a residual of another shape": lambda: tg.nn.Residual(tg.nn.Linear(2, 3)).init(
        np.random.default_rng(0), np.ones((1, 2))
    ),
    "pooling with too much padding": lambda: tg.nn.max_pool2d(t(4, 4), 2, padding=2),
    "pooling of no pixels": lambda: tg.nn.global_avg_pool2d(t(2, 0, 4)),
    "pooling to no regions": lambda: tg.nn.adaptive_max_pool2d(t(4, 4), 0),
    "softmax of no classes": lambda: tg.nn.softmax(t(2, 0)),
    "softmax of an axis that is not there": lambda: tg.nn.log_softmax(t(2), axis=1),
    "gelu in an unknown way": lambda: tg.nn.gelu(t(2), approximate="x"),
    "dropout of everything": lambda: tg.nn.dropout(t(2), 1.0, np.random.default_rng(0)),
    "dropout with a seed": lambda: tg.nn.dropout(t(2), 0.5, 3),  # type: ignore[arg-type]
    "batch_norm of a vector": lambda: tg.nn.batch_norm(t(2), (np.zeros(2), np.ones(2))),
    "batch_norm of other channels": lambda: tg.nn.batch_norm(t(4, 3), (np.zeros(2), np.ones(2))),
    "batch_norm of one example": lambda: tg.nn.batch_norm(t(1, 2), (np.zeros(2), np.ones(2))),
    "layer_norm with another weight": lambda: tg.nn.layer_norm(t(2, 3), np.ones(2)),
    "layer_norm of no features": lambda: tg.nn.layer_norm(t(2, 0)),
    "group_norm of groups that do not divide": lambda: tg.nn.group_norm(t(2, 3), 2),
    "group_norm with another bias": lambda: tg.nn.group_norm(t(2, 4), 2, bias=np.ones(2)),
    "a label out of range": lambda: tg.nn.softmax_cross_entropy(t(3, 4), np.array([0, 4, 1])),
    "a negative label": lambda: tg.nn.softmax_cross_entropy(t(2, 4), np.array([-1, 4]), ignore_index=-100),
    "labels that are floats": lambda: tg.nn.softmax_cross_entropy(t(2, 4), np.array([0.0, 1.0])),
    "labels of another batch": lambda: tg.nn.softmax_cross_entropy(t(3, 4), np.array([0, 1])),
    "labels that are all ignored": lambda: tg.nn.softmax_cross_entropy(t(2, 4), np.array([9, 9]), ignore_index=9),
    "probabilities with a label to ignore": lambda: tg.nn.softmax_cross_entropy(t(2, 4), t(2, 4), ignore_index=9),
    "smoothing beyond 1": lambda: tg.nn.softmax_cross_entropy(t(2, 4), np.array([0, 1]), label_smoothing=1.5),
    "an empty batch": lambda: tg.nn.softmax_cross_entropy(t(0, 4), np.zeros(0, int)),
    "an unknown reduction": lambda: tg.nn.mse(t(2), t(2), reduction="max"),  # type: ignore[arg-type]
    "targets of another shape": lambda: tg.nn.mse(t(4, 1), np.ones(4)),
    "the mean of no errors": lambda: tg.nn.l1(t(0), np.ones(0)),
    "huber with a delta of 0": lambda: tg.nn.huber(t(2), t(2), delta=0),
    "kl of other shapes": lambda: tg.nn.kl(t(2, 3), t(3)),
    "an index that is not there": lambda: tg.nn.embedding(np.array([[0, -1]]), t(3, 2)),
    "a class that is not there": lambda: tg.nn.one_hot(np.array(3), 3),
    "attention of other features": lambda: tg.nn.scaled_dot_product_attention(t(2, 3), t(4, 2), t(4, 3)),
    "attention with another mask": lambda: tg.nn.scaled_dot_product_attention(
        t(2, 3), t(4, 3), t(4, 3), mask=np.ones((4, 2), bool)
    ),
    "lstm of other weights": lambda: tg.nn.lstm(t(5, 3), np.ones((6, 3)), np.ones((8, 2))),
    "gru of no times": lambda: tg.nn.gru(t(0, 3), np.ones((6, 3)), np.ones((6, 2)), bias_x=np.ones(6)),
    "lstm with another cell": lambda: tg.nn.lstm(t(5, 3), np.ones((8, 3)), np.ones((8, 2)), state=(t(2), t(3))),
    "accuracy of labels alone": lambda: tg.nn.accuracy(np.array([0, 1]), np.array([0, 1])),
    "top_k of more than there are": lambda: tg.nn.top_k(np.ones((2, 3)), np.array([0, 1]), k=5),
    "confusion_matrix of scores": lambda: tg.nn.confusion_matrix(np.ones((2, 3)), np.array([0, 1]), 3),
    "glorot_uniform of one axis": lambda: tg.nn.glorot_uniform(np.random.default_rng(0), (3,)),
    "orthogonal of nothing": lambda: tg.nn.orthogonal(np.random.default_rng(0), (3, 0)),
    "uniform from high to low": lambda: tg.nn.uniform(np.random.default_rng(0), (3,), 1.0, 0.0),
    "a negative learning rate": lambda: tg.SGD(-0.1),
    "nesterov without momentum": lambda: tg.SGD(0.1, nesterov=True),
    "a beta of 1": lambda: tg.nn.AdamW(beta2=1.0),
    "gradients of another shape": lambda: tg.SGD(0.1).step({"W": np.ones(3)}, {"W": np.ones((2, 3))}),
    "clipping to nothing": lambda: tg.nn.clip_by_norm({"W": np.ones(3)}, 0.0),
    "an average that grows": lambda: tg.nn.moving_average(1.0, 2.0, decay=1.1),
    "a schedule of no steps": lambda: tg.nn.cosine_schedule(0.1, steps=0),
    "a cycle that only rises": lambda: tg.nn.one_cycle_schedule(0.1, steps=10, rising=1.0),
    # Training
    "x and y of different lengths": lambda: fitted(data=(np.ones(8), np.ones(7))),
    "a batch larger than the data": lambda: fitted(batch_size=9),
    "NaN in the data": lambda: fitted(data=(np.array([[1.0, 2.0], [3.0, np.nan]]), np.ones(2))),
    "a label out of range in a DataLoader": lambda: tg.train.DataLoader(np.ones(3), np.array([0, 3, 1]), classes=3),
    "data that are no pair": lambda: fitted(data=np.ones(8)),
    "a loop over a DataLoader": lambda: list(tg.train.DataLoader(np.ones(3), np.ones(3))),
    "a loss without its state": lambda: fitted(lambda p, state, x, y: p["w"]),
    "patience without validation": lambda: fitted(patience=3),
    "a metric of an array": lambda: fitted(metrics={"residuals": lambda p, x, y: p["w"] * x - y}),
    "resume with another model": lambda: resumed(model={"w": 1.0, "b": 0.0}),
    "resume with another batch size": lambda: resumed(batch_size=4),
    "resume with another optimiser": lambda: resumed(optimiser=tg.Adam(0.1)),
    "a new training among checkpoints": lambda: resumed(resume=False),
    "load: a leaf that is missing": lambda: loaded({"W": 1.0}, {"W": 1.0, "b": 0.0}),
    "load: a leaf that is left over": lambda: loaded([np.ones(2), [0.0, 1.0]], [np.ones(2)]),
    "load: another shape": lambda: loaded({"W": np.ones((2, 3))}, {"W": np.ones((3, 2))}),
    "load: another dtype": lambda: loaded({"W": np.ones(3)}, {"W": np.ones(3, np.float32)}),
    "load: another static field": lambda: loaded(tg.nn.Dropout(0.1), tg.nn.Dropout(0.2)),
    "load: half of a file": lambda: loaded({"W": np.ones(300)}, None, cut=1200),
    "load: the end of a file is missing": lambda: loaded({"W": np.ones(300)}, None, cut=1),
    "save: a function in a tree": lambda: tg.train.saving.dumped({"layers": [tg.relu]}),
    "save: an array of objects": lambda: tg.train.saving.dumped({"names": np.array(["a", None])}),
    # NumPy's functions
    "np.sum into an array": lambda: np.sum(t(2), out=np.zeros(())),
    "np.add into an array": lambda: np.add(t(2), 1.0, out=np.zeros(2)),
    "np.sum into another shape": lambda: np.sum(t(2, 3), axis=0, out=t(2)),
    "np.add where": lambda: np.add(t(2), 1.0, where=[True, False]),
    "np.sum from a Tensor": lambda: np.sum(t(2), initial=t()),
    "np.add.at of an array": lambda: np.add.at(np.zeros(2), [0], t(1)),
    "np.einsum of other axes": lambda: np.einsum("ij->i", t(2)),
    "np.einsum of other operands": lambda: np.einsum("i,i->i", t(2)),
    "np.linalg.qr of a vector": lambda: np.linalg.qr(t(3)),
    "np.linalg.svd in full": lambda: np.linalg.svd(t(3, 2)),
    "np.pad in an unknown way": lambda: np.pad(t(2), 1, mode="empty"),
    "np.ravel by memory": lambda: np.ravel(t(2, 2), order="K"),
    "np.quantile of a Tensor": lambda: np.quantile(t(3), t()),
    "np.sort by a field": lambda: np.sort(t(3), order="a"),
    "np.cross of other vectors": lambda: np.cross(t(4), t(4)),
    # Pictures and checks
    "an unknown format": lambda: tg.render(t(2), "a.bmp"),
    "a picture of a number": lambda: tg.render(3),
    "a check of several elements": lambda: tg.check.gradients(lambda p: p, np.ones(3)),
    "an unknown theme": lambda: tg.render(t(2), theme="blue"),
    "values of another kind": lambda: tg.render(t(2), values="all"),
    "a scope that is not there": lambda: tg.render(np.exp(t(2)), collapse="conv"),
    "a depth below 0": lambda: tg.render(np.exp(t(2)), depth=-1),
    "a number of scopes": lambda: tg.render(np.exp(t(2)), collapse=2),
    "a scope without a name": lambda: tg.render(np.exp(t(2)), collapse=[3]),
    "an input that is no leaf": lambda: tg.render(np.exp(t(2)), inputs="x"),
    "a mark out of range": lambda: tg.Mark(2.0),
    "a mark elsewhere": lambda: tg.render(t(2), marks={t(2).node: tg.Mark(1.0)}),
    "a file without a suffix": lambda: tg.render(t(2), "picture"),
    "a check of no number": lambda: tg.check.gradients(lambda p: None, np.ones(3)),
    "a check of integers": lambda: tg.check.gradients(np.sum, np.arange(3)),
    "a hand-derived gradient of other names": lambda: tg.check.gradients(
        lambda p: p["a"] * 1.0, {"a": np.ones(())}, by_hand=lambda p: {"b": 1.0}
    ),
    "a list of too many gradients": lambda: tg.check.gradients(
        lambda p: p["a"] * p["b"], {"a": 1.0, "b": 2.0}, by_hand=[1.0, 2.0, 3.0, 4.0]
    ),
    "a name of no value": lambda: tg.check.gradients(
        lambda p: p["a"] ** 2, {"a": 1.0}, by_hand={"dh": 1.0, "da": 2.0}, names={"dh": "h"}
    ),
    "a layer without a backward pass": lambda: tg.check.layer(Layer, np.ones(2), backward="carry_back"),
    "a layer without that parameter": lambda: tg.check.layer(Layer, np.ones(2), parameters=["V"]),
    "a gradient that a layer does not keep": lambda: tg.check.layer(Layer, np.ones(2), parameters=["W"]),
    "a layer of two functions without a cache": lambda: tg.check.layer((np.sin, np.multiply), np.ones(2)),
    # Debug mode
    "the first inf": lambda: in_debug(lambda: np.log(t(2) - 1)),
    "a NaN from outside": lambda: in_debug(lambda: t(2) * np.nan),
    "a rule that makes a NaN": lambda: in_debug(lambda: tg.grad(lambda x: np.sqrt(x - 1) ** 2)(1.0)),
    "a wrong rule": lambda: in_debug(lambda: tg.primitive(lambda x, /: x * x).defvjp(lambda g, out, x: g * x)),
    # Numbers and arrays of Tensors
    "int of a Tensor": lambda: int(t()),
    "round of a Tensor": lambda: round(t()),
    "a Tensor as an index": lambda: [1.0, 2.0][t()],
    "iterating over a number": lambda: list(t()),
    "assigning to a read-only view": lambda: assign(np.broadcast_to(t(2), (3, 2)), 0, 1.0),
    "setting .grad": lambda: setattr(t(2), "grad", 1.0),
    "setting .value": lambda: setattr(t(2), "value", 1.0),
    # Programs
    "a branch in a program": lambda: tg.program(lambda x: x if np.sum(x) > 0 else -x)(np.ones(2)),
    "a number in a program": lambda: tg.program(lambda x: float(np.sum(x)))(np.ones(2)),
    "an array in a program": lambda: tg.program(lambda x: np.asarray(x))(np.ones(2)),
    "a shape in a program": lambda: tg.program(lambda x: np.zeros(np.argmax(x)))(np.ones(2)),
    "a mask in a program": lambda: tg.program(lambda x: x[x > 0])(np.ones(2)),
    "a set in a program": lambda: tg.program(lambda x: np.unique(x))(np.ones(2)),
    "eigenvalues in a program": lambda: tg.program(np.linalg.eigvals)(np.eye(2)),
    "random numbers in a program": lambda: tg.program(drawing(np.random.default_rng(0)))(np.ones(2)),
    "a draw with an array in a program": lambda: tg.program(lambda x, rng: rng.normal(x))(
        np.ones(2), np.random.default_rng(0)
    ),
    "a shuffle in a program": lambda: tg.program(lambda x, rng: rng.shuffle(x))(np.ones(2), np.random.default_rng(0)),
    "an operation that JavaScript lacks": lambda: tg.program(np.linalg.svd)(np.eye(2)).source(to="js"),
    "a dtype that JavaScript lacks": lambda: tg.program(lambda x: x + x)(np.ones(2, np.float16)).source(to="js"),
    "an integer that JavaScript lacks": lambda: tg.program(lambda x: x + 2**60)(np.arange(2)).source(to="js"),
    "a function that JAX lacks": lambda: tg.program(lambda x: np.polydiv(x, x)[0])(np.ones(2)).source(to="jax"),
    "a method that JAX lacks": lambda: tg.program(lambda x: np.quantile(x, 0.5, method="hazen"))(np.ones(2)).source(
        to="jax"
    ),
    "a dtype that JAX lacks": lambda: tg.program(np.sin)(np.ones(2, np.longdouble)).source(to="jax"),
    "a primitive that assigns, in JAX": lambda: tg.program(assigning)(np.ones(2)).source(to="jax"),
    "an argument that a program assigns to": lambda: tg.program(lambda x: assign(x, 0, 1.0))(np.ones(2)),
    "a Tensor as an argument of a program": lambda: tg.program(np.sin)(t(2)),
    "out= in a program": lambda: tg.program(lambda x: np.sin(x, out=np.ones(2)))(np.ones(2)),
    "np.copyto in a program": lambda: tg.program(lambda x: np.copyto(np.zeros(2), x))(np.ones(2)),
    "a function of NumPy's that cannot be printed": lambda: tg.program(lambda x: np.apply_along_axis(np.sort, 0, x))(
        np.ones(2)
    ).source(),
    "a compiled function that is not what it was": lambda: tg.compile(no_longer(), verify=True)(np.ones(2)),
    # Checkpoints
    "a checkpoint that draws": lambda: tg.grad(tg.checkpoint(lambda x: x * np.random.default_rng().random()))(1.0),
    "a checkpoint of a Jacobian of nothing": lambda: tg.jacobian(tg.checkpoint(lambda x: None))(1.0),
    # The command
    "a learning rate of 0": lambda: command("train", "--learning-rate", "0"),
    "a folder that is not there": lambda: command("train", "--data", "/nowhere"),
    "an image that is not there": lambda: command("predict", "/nowhere", "/nowhere.png"),
    "a run that is not there": lambda: command("check", "--run", "/nowhere"),
    "--before without a run": lambda: command("graph", "--before"),
    "a picture without a file": lambda: command("graph", "--format", "png"),
}

# Code that was written for NumPy alone, in the four ways in which one has it. Its functions are the cases: all of them
# in a program, and in the other ways those for which it makes a difference.
OTHERS_CODE = Path(__file__).parent / "others_code"
WAYS = {
    "in a program": [
        node.name for node in ast.parse((OTHERS_CODE / "kepler.py").read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    ],
    "in a module": [
        "as_array", "list_written_out", "element", "in_place", "exponential", "number", "integer", "index", "checked",
    ],
    "in an installed module": [
        "as_array", "element", "out", "number", "integer", "index", "left_shift", "flags", "checked", "of_a_type",
        "each",
    ],
    "in an adopted module": [
        "in_memory", "shape", "index", "by_argument", "polynomial", "matrix_times_list", "in_set",
        "left_shift",
    ],
}  # fmt: skip
AWARE = ["exponential", "of_memory", "of_integers", "number", "number_of_numpy", "by_argument", "index"]
# Not a root of SciPy's: it goes on when a function raises, and what it raises itself may replace that.
TABLES = ["series", "column", "solved", "filtered", "sparse", "flags"]


@functools.cache
def installed() -> Path:
    """A folder for installed packages, with one of them."""
    packages = Path(tempfile.mkdtemp()) / "site-packages"
    atexit.register(shutil.rmtree, packages.parent)
    shutil.copytree(OTHERS_CODE, packages / "orbits")
    return packages / "orbits"


def in_others_code(function: str, way: str, name: str = "kepler") -> Any:
    """The gradient of a function of the file `name`."""
    point = np.array([1.0, 2.0, 3.0])
    if way == "in a program":
        return tg.grad(runpy.run_path(str(OTHERS_CODE / f"{name}.py"), run_name="__main__")[function])(point)
    is_installed = way != "in a module"
    folder = installed() if is_installed else OTHERS_CODE
    spec = importlib.util.spec_from_file_location(f"orbits.{name}" if is_installed else name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tg.adopt(module) if way == "in an adopted module" else contextlib.nullcontext():
        return tg.grad(vars(module)[function])(point)


def in_tables(function: str, way: str) -> Any:
    pytest.importorskip("scipy")
    pytest.importorskip("pandas")
    return in_others_code(function, way, "tables")


for _way, _functions in WAYS.items():
    CASES |= {f"{name}, {_way}": functools.partial(in_others_code, name, _way) for name in _functions}
CASES |= {f"{name} of tables, in a program": functools.partial(in_tables, name, "in a program") for name in TABLES}
CASES |= {
    f"{name}, where NumPy is tinygrad_cnn.numpy": functools.partial(in_others_code, name, "in a program", "aware")
    for name in AWARE
}
CASES["solved of tables, in an installed module"] = functools.partial(in_tables, "solved", "in an installed module")


def in_scipy(action: Callable[[Any], Any]) -> None:
    pytest.importorskip("scipy")
    import tinygrad_cnn.scipy

    action(tinygrad_cnn.scipy)


SCIPYS: dict[str, Callable[[Any], Any]] = {
    "a parameter that is not supported": lambda s: s.signal.filtfilt([1.0], [1.0], t(9), method="gust"),
    "a function that is not supported": lambda s: s.ndimage.median_filter(t(3), 3),
    "the order of a Bessel function": lambda s: tg.grad(s.special.jv)(2.0, 1.0),
    "a shape parameter of a distribution function": lambda s: tg.grad(lambda a: s.stats.gamma.cdf(1.0, a))(2.0),
    "a count": lambda s: s.stats.poisson.logpmf(t(), 2.0),
    "knots": lambda s: s.interpolate.CubicSpline(t(3), np.ones(3)),
    "a complex matrix": lambda s: s.linalg.expm(t(2, 2) * 1j),
    "a logarithm that is complex": lambda s: s.linalg.logm(-np.eye(2) * t()),
    "an image of integers": lambda s: s.ndimage.shift(np.eye(3, dtype=int), t()),
    "a metric": lambda s: s.spatial.distance.cdist(t(2, 2), t(2, 2), "hamming"),
}
CASES |= {f"SciPy: {name}": functools.partial(in_scipy, call) for name, call in SCIPYS.items()}


def in_debug(action: Callable[[], Any]) -> None:
    with tg.debug():
        action()


class CommandError(Exception):
    """What the command printed to standard error, with its exit code."""


def command(*args: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tinygrad_cnn", *args], capture_output=True, text=True, check=False)
    raise CommandError(f"exit code {done.returncode}\n{done.stderr.strip()}")


def message(case: str) -> str:
    """The text of the error, without the line that it names."""
    try:
        CASES[case]()
    except Exception as error:
        text = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        text = re.sub(
            r"Node \d+", "Node 1", re.sub(r"in \S*<lambda>\S*, line \d+ of \S+", "in <lambda>, line 1 of file.py", text)
        )
        text = re.sub(r"\([^()\n]*test_messages\.py:\d+ in [^\n]*?\)(?=[.;,]|$| )", "(file.py:1)", text)
        return re.sub(r"line \d+ of test_messages\.py", "line 1 of test_messages.py", text)
    raise AssertionError(f"{case}: no error")


def texts() -> str:
    return "\n".join(f"{case}\n    " + message(case).replace("\n", "\n    ") + "\n" for case in CASES)


@pytest.mark.parametrize("case", CASES)
def test_a_message_is_the_one_in_the_file(case: str) -> None:
    stated = TEXTS.read_text(encoding="utf-8")
    assert f"{case}\n    " + message(case).replace("\n", "\n    ") + "\n" in stated


if __name__ == "__main__":
    from test_messages import texts as texts_of_module  # the messages name the module that they come from

    sys.exit(None if TEXTS.write_text(texts_of_module(), encoding="utf-8") else 1)
