"""A small reverse-mode automatic differentiation engine over NumPy.

    import numpy as np
    import tinygrad_cnn as tg

    loss, gradient = tg.value_and_grad(lambda w: np.sum(np.maximum(0, x @ w) ** 2))(w)

NumPy's functions are called as NumPy's; what NumPy lacks (conv2d, max_pool2d, sigmoid, ...) is here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tinygrad_cnn import creation, nn, rules, tree
from tinygrad_cnn.conversions import GradientLostError, GradientLostWarning
from tinygrad_cnn.debug import debug
from tinygrad_cnn.graph import no_grad, scope
from tinygrad_cnn.names import named
from tinygrad_cnn.nn import SGD, Adam, Momentum, conv2d, he_normal, linear
from tinygrad_cnn.primitive import implements, primitive
from tinygrad_cnn.render import Mark, graph, render
from tinygrad_cnn.rules.cross_entropy import as_printed as binary_cross_entropy_as_printed
from tinygrad_cnn.rules.cross_entropy import shifted as binary_cross_entropy_shifted
from tinygrad_cnn.rules.cross_entropy import with_logits as binary_cross_entropy_with_logits
from tinygrad_cnn.rules.elementwise import relu, sigmoid
from tinygrad_cnn.rules.indexing import index_add
from tinygrad_cnn.rules.windows import avg_pool2d, col2im, im2col, max_pool2d
from tinygrad_cnn.tensor import Tensor
from tinygrad_cnn.transforms import (
    checkpoint,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)

if TYPE_CHECKING:
    from tinygrad_cnn import check

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "GradientLostError",
    "GradientLostWarning",
    "Mark",
    "Momentum",
    "Tensor",
    "avg_pool2d",
    "binary_cross_entropy_as_printed",
    "binary_cross_entropy_shifted",
    "binary_cross_entropy_with_logits",
    "check",
    "checkpoint",
    "col2im",
    "conv2d",
    "creation",
    "debug",
    "elementwise_grad",
    "grad",
    "graph",
    "he_normal",
    "hessian",
    "hvp",
    "im2col",
    "implements",
    "index_add",
    "jacobian",
    "jvp",
    "linear",
    "max_pool2d",
    "named",
    "nn",
    "no_grad",
    "primitive",
    "relu",
    "render",
    "rules",
    "scope",
    "sigmoid",
    "stop_gradient",
    "tree",
    "value_and_grad",
    "vjp",
]


def __getattr__(name: str) -> Any:
    """The tools that read a graph are imported when they are first used: a model in training needs none of them."""
    if name == "check":
        return importlib.import_module(f"tinygrad_cnn.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
