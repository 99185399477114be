"""A small reverse-mode automatic differentiation engine over NumPy.

    import numpy as np
    import tinygrad_cnn as tg

    loss, gradient = tg.value_and_grad(lambda w: np.sum(np.maximum(0, x @ w) ** 2))(w)

NumPy's functions are called as usual; what NumPy lacks (conv2d, max_pool2d, sigmoid, ...) is here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tinygrad_cnn import namespaces, nn, numpy_functions, primitives, tree  # noqa: F401 (which make Tensors take NumPy's functions)
from tinygrad_cnn.engine.conversions import GradientLostError, GradientLostWarning
from tinygrad_cnn.engine.graph import no_grad, scope
from tinygrad_cnn.engine.mutation.versions import index_add
from tinygrad_cnn.engine.primitive import implements, primitive
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.engine.transforms import grad, jvp, stop_gradient, value_and_grad, vjp
from tinygrad_cnn.implicit_functions import implicit
from tinygrad_cnn.jacobians import elementwise_grad, hessian, hvp, jacobian
from tinygrad_cnn.names import named
from tinygrad_cnn.nn import (
    SGD,
    Adam,
    Momentum,
    conv2d,
    he_normal,
    linear,
    relu,
    sigmoid,
)
from tinygrad_cnn.nn.losses import binary_cross_entropy_with_logits
from tinygrad_cnn.nn.recomputation import checkpoint
from tinygrad_cnn.objectives import optimize_args
from tinygrad_cnn.pictures import Mark, graph, influence, live, render
from tinygrad_cnn.primitives.windows import avg_pool2d, col2im, im2col, max_pool2d

if TYPE_CHECKING:
    from tinygrad_cnn import check, train
    from tinygrad_cnn.adoption import adopt
    from tinygrad_cnn.check.debug import debug
    from tinygrad_cnn.lowering import Program, TracingError, compile, data_parallel, program, to_jax, vmap  # noqa: A004
    from tinygrad_cnn.train import load, save

__version__ = "0.2.0"

__all__ = [
    "SGD",
    "Adam",
    "GradientLostError",
    "GradientLostWarning",
    "Mark",
    "Momentum",
    "Program",
    "Tensor",
    "TracingError",
    "adopt",
    "avg_pool2d",
    "binary_cross_entropy_with_logits",
    "check",
    "checkpoint",
    "col2im",
    "compile",
    "conv2d",
    "data_parallel",
    "debug",
    "elementwise_grad",
    "grad",
    "graph",
    "he_normal",
    "hessian",
    "hvp",
    "im2col",
    "implements",
    "implicit",
    "index_add",
    "influence",
    "jacobian",
    "jvp",
    "linear",
    "live",
    "load",
    "max_pool2d",
    "named",
    "nn",
    "no_grad",
    "optimize_args",
    "primitive",
    "program",
    "relu",
    "render",
    "save",
    "scope",
    "sigmoid",
    "stop_gradient",
    "to_jax",
    "train",
    "tree",
    "value_and_grad",
    "vjp",
    "vmap",
]


if not TYPE_CHECKING:  # which finds what is not there

    def __getattr__(name: str) -> Any:
        """The tools that read a graph are imported when they are first used: a model in training needs none of them."""
        if name in ("check", "train"):
            return importlib.import_module(f"tinygrad_cnn.{name}")
        if name in ("load", "save"):
            return getattr(importlib.import_module("tinygrad_cnn.train"), name)
        if name == "adopt":
            return importlib.import_module("tinygrad_cnn.adoption").adopt
        if name == "debug":
            return importlib.import_module("tinygrad_cnn.check.debug").debug
        if name in ("Program", "TracingError", "compile", "data_parallel", "program", "to_jax", "vmap"):
            return getattr(importlib.import_module("tinygrad_cnn.lowering"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
