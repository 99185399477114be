"""vmap: a function of one example, as a function of many."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.lowering.batching import axes
from tinygrad_cnn.lowering.batching.examples import for_examples
from tinygrad_cnn.lowering.batching.values import Batched, is_batched
from tinygrad_cnn.lowering.trace import argument_names


def vmap(function: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """`function`, for many examples at once: each operation of it becomes one on the arrays of all examples.

    in_axes   which axis of the arguments runs over the examples: one for all arguments, or a tuple with an entry for
              each positional argument. An entry is an axis, None for an argument that is the same for all examples, or
              a dict, list, tuple or dataclass of these, like the argument. Keyword arguments are mapped over axis 0.
    out_axes  where that axis is in the results, in the same way; None for a result that is the same for all examples

    The result for example i is `function` of the parts i of the mapped arguments, stacked: if x has shape (n, ...), so
    has the result, and the function works with shape (...). It composes with itself, with `tg.grad` and the other
    transforms, inside and outside, and with `tg.compile` and `tg.program`. Arrays and Tensors that the function closes
    over are the same for all examples. From a numpy.random.Generator that is an argument (with None in in_axes), each
    example draws its own numbers, in order.

    The function is run on one example that is traced, twice: as with `tg.program`, it may not branch on the values of
    arrays, and has no side effects. Raises TracingError if it does, ValueError if the numbers of examples differ, or
    axes and arguments do not fit, and NotImplementedError for an operation that has no batching rule.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> def loss(w, x, y):  # w: (2,), x: (2,), y: ()
    ...     return (x @ w - y) ** 2
    >>> per_example = tg.vmap(tg.grad(loss), in_axes=(None, 0, 0))
    >>> per_example(np.ones(2), np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([1.0, 5.0]))  # one row for each example
    array([[ 4.,  8.],
           [-6., -2.]])
    """
    if not callable(function):
        raise TypeError(f"vmap: {function!r} is not callable; expected a function of one example")
    axes.checked_axes(in_axes, "in_axes")
    axes.checked_axes(out_axes, "out_axes")
    if isinstance(in_axes, dict):
        raise TypeError(f"vmap: in_axes is {in_axes!r}; expected an axis, None, or a tuple with an entry per argument")

    @functools.wraps(function)
    def mapped(*args: Any, **keywords: Any) -> Any:
        of_leaves = axes.of_arguments(in_axes, args, keywords)
        flat = tree.flatten((list(args), keywords))
        named = dict(zip(argument_names(function, len(args)), args, strict=True)) | keywords
        names = tree.flatten(named).names
        n = axes.size_of(flat.leaves, names, of_leaves)
        leaves = [
            x if axis is None else Batched(np.moveaxis(x, axis, 0) if axis else x)
            for x, axis in zip(flat.leaves, of_leaves, strict=True)
        ]

        def of_one(given: list[Any]) -> Any:
            args, keywords = flat.rebuild(given)
            return function(*args, **keywords)

        found, outputs = for_examples(of_one, leaves, names, n)
        wanted = axes.spread(out_axes, outputs.rebuild(outputs.leaves), "out_axes", "the result")
        results = [_placed(x, axis, n, name) for x, axis, name in zip(found, wanted, outputs.names, strict=True)]
        return outputs.rebuild(results)

    return mapped


def _placed(x: Any, axis: int | None, n: int, name: str) -> Any:
    """A result with the axis of the examples where it is wanted."""
    if axis is None:
        if is_batched(x):
            raise ValueError(
                f"vmap: {name or 'the result'} differs from example to example, and out_axes is None for it; expected "
                "an axis for it"
            )
        return np.copy(x) if isinstance(x, np.ndarray) else x
    x = x.value if is_batched(x) else np.broadcast_to(x, (n, *np.shape(x)))
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"vmap: out_axes has {axis} for {name or 'the result'}, which has shape {x.shape[1:]} for one example; "
            f"expected an axis from {-x.ndim} to {x.ndim - 1}"
        )
    x = np.moveaxis(x, 0, axis) if axis else x
    return np.copy(x) if isinstance(x, np.ndarray) else x  # the caller's own
