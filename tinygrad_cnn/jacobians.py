"""Derivatives composed of the engine's transforms: jacobian, hessian, hvp, elementwise_grad."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_cnn.argnums import ArgNums, Function, places_of, with_respect_to
from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.runs import Pullback, Run
from tinygrad_cnn.engine.transforms import grad, jvp


def jacobian(function: Function, argnums: ArgNums = 0) -> Function:
    """The derivatives of each element of the value of `function` with respect to each element of `argnums`.

    If the value and the argument are arrays, it is an array of shape value.shape + argument.shape. If the value is a
    tree, there is such a block for each of its leaves, in a tree like the value; if the argument is a tree, or
    `argnums` a tuple, each block is itself a tree like the argument. It takes one reverse sweep for each element of the
    value, or two if the value is complex; its block then is complex too.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.jacobian(lambda x: x[1:] * x[:-1])(np.array([1.0, 2.0, 3.0]))
    array([[2., 1., 0.],
           [0., 3., 2.]])
    >>> tg.jacobian(lambda x, y: {"sum": x + y, "product": x * y}, argnums=(0, 1))(2.0, 3.0)["product"]
    (np.float64(3.0), np.float64(2.0))
    """

    def derivative(*args: Any, **keywords: Any) -> Any:
        run = Run(*with_respect_to(argnums, function, args, keywords, "jacobian"))
        leaves = run.results("arrays of floats")
        return run.outputs.rebuild([run.argument.rebuild(_blocks(run, leaf)) for leaf in leaves])

    return derivative


def _blocks(run: Run, value: Any) -> list[Array]:
    """The derivatives of `value`, one of the results of `run`, by each leaf of its argument."""
    shape, dtype = np.shape(value), np.result_type(value.dtype if hasattr(value, "dtype") else float)
    pull = Pullback([value], run.pull.wrt, run.born, run.pull.recorded)
    rows = []
    for k in range(math.prod(shape)):
        basis = np.zeros(shape, dtype)
        basis.flat[k] = 1
        row = pull([basis])
        if dtype.kind == "c":  # of the imaginary part v of u + iv the cotangent is -i dL/dv
            row = [real + 1j * imag for real, imag in zip(row, pull([-1j * basis]), strict=True)]
        rows.append(row)
    blocks = []
    for position, node in enumerate(run.pull.wrt):
        of_leaf = [row[position].reshape(-1) for row in rows]
        if not rows:
            of_leaf = [np.zeros(0, np.result_type(node.like.dtype, 1j) if dtype.kind == "c" else node.like.dtype)]
        block = np.concatenate(of_leaf).reshape(shape + node.like.shape)
        blocks.append(block if block.ndim else block[()])
    return blocks


def hessian(function: Function, argnums: ArgNums = 0) -> Function:
    """The second derivatives of `function`, which returns one number, with respect to `argnums`.

    For an array of shape s it has shape s + s, and is symmetric. For a tree, or a tuple of `argnums`, it is a tree of
    trees of such blocks: hessian(f)(p)["W"]["b"] has shape W.shape + b.shape.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    >>> tg.hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 3.0, "b": 5.0})["a"]
    {'a': np.float64(10.0), 'b': np.float64(6.0)}
    """
    return jacobian(grad(function, argnums), argnums)


def hvp(function: Function, primal: Any, tangent: Any, *others: Any, argnums: ArgNums = 0, **keywords: Any) -> Any:
    """The product of the Hessian of `function` at `primal` with `tangent`, as a tree like both.

    primal   the argument `argnums` of the function; a tuple of arguments if `argnums` is a tuple
    others   its other positional arguments, in order; keyword arguments are passed on

    The Hessian is not computed: the cost is about that of four gradients, whatever the size of the argument.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.hvp(lambda x: x[0] ** 2 * x[1], np.array([3.0, 5.0]), np.array([1.0, 0.0]))
    array([10.,  6.])
    >>> tg.hvp(lambda scale, x: scale * x**3, 2.0, 1.0, 5.0, argnums=1)
    np.float64(60.0)
    """
    primals = primal if isinstance(argnums, tuple | list) else [primal]
    if isinstance(argnums, tuple | list) and (not isinstance(primal, list | tuple) or len(primal) != len(argnums)):
        raise TypeError(
            f"hvp: primal is of type {type(primal).__name__}; expected a tuple of {len(argnums)} arguments, as "
            f"argnums is {argnums!r}"
        )
    places = places_of(argnums, len(primals) + len(others), "hvp")
    rest = iter(others)
    args = tuple([None if i in places else next(rest) for i in range(len(primals) + len(others))])
    gradient, *_ = with_respect_to(argnums, grad(function, argnums), args, keywords, "hvp")
    return jvp(gradient, [primal], [tangent])[1]


def elementwise_grad(function: Function, argnums: ArgNums = 0) -> Function:
    """The derivative of an elementwise function, such as np.tanh, at each element of the argument(s) `argnums`.

    It is computed as the gradient of the sum of the result, which is that derivative only if `function` is elementwise:
    each element of the result depends on the corresponding element of the argument alone.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return grad(lambda *args, **keywords: np.sum(function(*args, **keywords)), argnums)
