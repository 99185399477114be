"""Functions of trees as what scipy.optimize.minimize takes: a function of one vector, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.argnums import Function
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.runs import Run, described
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.jacobians import hessian, hvp


class OptimizeArgs(dict[str, Any]):
    """Keyword arguments for scipy.optimize.minimize, and the way back from its vector to a tree like x0."""

    unflatten: Callable[[Any], Any]


def optimize_args(function: Function, x0: Any = None, *, hess: bool = False, hessp: bool = False) -> OptimizeArgs:
    """The keyword arguments with which scipy.optimize.minimize minimises `function`, with its exact derivatives.

    They are fun and jac=True (one evaluation computes the value and the gradient); with `hess` also the Hessian, and
    with `hessp` its product with a vector, for methods that use them ("trust-exact", "trust-ncg", "Newton-CG", ...).

    x0      where to begin, in any form that `function` takes: an array of any shape, or a tree. SciPy is given it as
            one vector, and unflatten(result.x) is the result in the form of x0. Without x0, `function` takes SciPy's
            vector, and x0 is passed to minimize
    args    further arguments, minimize(..., args=(data,)), are passed on to `function`

    Everything is computed in float64, whose accuracy SciPy's stopping criteria assume; `unflatten` returns the dtypes
    of x0.

    >>> import numpy as np, scipy.optimize, tinygrad_cnn as tg
    >>> def loss(p, x, y):
    ...     return np.mean((x @ p["w"] + p["b"] - y) ** 2)
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> minimize = tg.optimize_args(loss, {"w": np.zeros(2), "b": 0.0})
    >>> result = scipy.optimize.minimize(**minimize, args=(x, x @ [2.0, 3.0] + 1))
    >>> tg.tree.map(lambda leaf: leaf.round(4) + 0, minimize.unflatten(result.x))
    {'w': array([2., 3.]), 'b': np.float64(1.0)}
    """
    form = _Form(x0) if x0 is not None else None

    def argument(x: Any) -> Any:
        vector = x if isinstance(x, Tensor) else np.asarray(x, np.float64)
        return vector if form is None else form.of_vector(vector)

    def value_and_gradient(x: Any, *args: Any) -> tuple[Any, Any]:
        run = Run(lambda x: function(x, *args), argument(x), "", "optimize_args")
        run.only("one number", "return their sum, or the one to minimise")
        return run.value(), _vector(run.argument.rebuild(run.pull([None])))

    def of_vector(x: Any, *args: Any) -> Any:
        return function(argument(x), *args)

    given = OptimizeArgs(fun=value_and_gradient, jac=True)
    if hess:
        given["hess"] = lambda x, *args: hessian(of_vector)(x, *args)
    if hessp:
        given["hessp"] = lambda x, direction, *args: _vector(
            hvp(lambda p: function(p, *args), argument(x), argument(direction))
        )
    if form is not None:
        given["x0"] = form.vector
        given.unflatten = form.unflatten
    else:
        given.unflatten = lambda x: x
    return given


def _vector(parameters: Any) -> Any:
    leaves = tree.flatten(parameters).leaves
    return np.concatenate([np.reshape(leaf, -1) for leaf in leaves]) if leaves else np.zeros(0)


class _Form:
    """The tree structure, shapes and dtypes of x0, and x0 as a vector."""

    def __init__(self, x0: Any) -> None:
        self.flat = tree.flatten(x0, "x0")
        for leaf, name in zip(self.flat.leaves, self.flat.names, strict=True):
            if not hasattr(leaf, "dtype") and not isinstance(leaf, float):
                raise TypeError(f"optimize_args: {name} is {described(leaf)}; expected an array or a number of floats")
        self.arrays = [np.asarray(leaf) for leaf in self.flat.leaves]
        for array, name in zip(self.arrays, self.flat.names, strict=True):
            if array.dtype.kind != "f":
                raise TypeError(
                    f"optimize_args: {name} has dtype {array.dtype}; expected floats. Write 1.0 for 1, or use "
                    ".astype(float)"
                )
        self.vector: Array = _vector([array.astype(np.float64) for array in self.arrays])

    def of_vector(self, vector: Any) -> Any:
        """The parts of `vector`, in the tree structure and shapes of x0."""
        if np.shape(vector) != self.vector.shape:
            raise ValueError(
                f"optimize_args: x has shape {np.shape(vector)}; expected {self.vector.shape}, the elements of x0 in "
                "one vector"
            )
        parts, start = [], 0
        for array in self.arrays:
            part = np.reshape(vector[start : start + array.size], array.shape)
            parts.append(part if array.ndim else part[()])
            start += array.size
        return self.flat.rebuild(parts)

    def unflatten(self, vector: Any) -> Any:
        """The parts of `vector` in the form of x0, in its dtypes too."""
        parts = tree.flatten(self.of_vector(vector)).leaves
        return self.flat.rebuild([part.astype(array.dtype) for part, array in zip(parts, self.arrays, strict=True)])
