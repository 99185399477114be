"""Transforms, which make functions into other functions: vjp, jvp, grad, value_and_grad, stop_gradient.

An argument, and what the function returns, may be any nesting of dict, list, tuple, namedtuple and dataclass with
arrays of floats as its leaves; a derivative has the tree structure of the argument. The transforms compose: a gradient
that is taken within another function is differentiated like everything else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.advice.arguments import other_structure
from tinygrad_cnn.argnums import ArgNums, Function, with_respect_to
from tinygrad_cnn.engine.graph import now
from tinygrad_cnn.engine.runs import Pullback, Run, described
from tinygrad_cnn.engine.tensor import Tensor, leaf_on
from tinygrad_cnn.infinities import generic


def vjp(function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `function` at `primals`, and its pullback: from a cotangent of the value to those of the primals.

    The cotangent has the tree structure of the value; the pullback returns a tuple, with a cotangent for each primal.
    It may be called any number of times. The cotangent of a complex value z = u + iv is dL/du - i dL/dv, for a real
    number L.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> value, pullback = tg.vjp(np.multiply, np.array([1.0, 2.0]), 3.0)
    >>> value
    array([3., 6.])
    >>> pullback(np.array([1.0, 1.0]))
    (array([3., 3.]), np.float64(3.0))
    """
    run = Run(lambda primals: function(*primals), primals, "argument", "vjp")
    value = tree.map(lambda x: x.copy() if isinstance(x, np.ndarray) else x, run.value())  # the graph keeps its own

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = tree.flatten(cotangent)
        if given.names != run.outputs.names:
            raise ValueError(other_structure("vjp: the cotangent", given.names, "the value", run.outputs.names))
        return run.argument.rebuild(run.pull(given.leaves))  # type: ignore[no-any-return]

    return value, pullback


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `function` at `primals`, and its derivative there in the direction of `tangents`.

    Each tangent has the tree structure of its primal. A pullback is linear in its cotangent, so that its own pullback
    is the JVP, and no rules for forward mode are needed (J. Townsend, "A new trick for calculating Jacobian vector
    products", 2017). The primals and tangents are real; the value may be complex, and its derivative then is too.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.jvp(np.square, [np.array([1.0, 2.0])], [np.array([1.0, 0.0])])
    (array([1., 4.]), array([2., 0.]))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"jvp: {name} is of type {type(given).__name__}; expected a list or tuple with one entry for each "
                "argument"
            )
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: {len(tangents)} tangents were given for {len(primals)} primals; expected one for each")
    run = Run(lambda primals: function(*primals), tuple(primals), "argument", "jvp")
    directions = tree.flatten(tuple(tangents), "argument")
    if directions.names != run.argument.names:
        raise ValueError(
            other_structure("jvp: the tree of tangents", directions.names, "the primals", run.argument.names)
        )
    for name, primal, tangent in zip(directions.names, run.argument.leaves, directions.leaves, strict=True):
        if np.shape(tangent) != np.shape(primal):
            raise ValueError(
                f"jvp: the tangent of {name} has shape {np.shape(tangent)}; expected {np.shape(primal)}, as its primal"
            )
        if np.iscomplexobj(tangent):
            raise TypeError(
                f"jvp: the tangent of {name} is complex; expected a real one, as its primal is real. Call jvp with "
                "its real and its imaginary part separately"
            )
    born = now()
    values = [leaf.node.value if isinstance(leaf, Tensor) else leaf for leaf in run.outputs.leaves]
    # A real primal takes the real part of J.T @ dummy, and the cotangent of that by a complex dummy is J @ tangent.
    dummies = [leaf_on(dummy, None) for dummy in _dummies(values)]
    # A rule may use Tensors that are not its operands, as that of a checkpoint does. The tangent is recorded with
    # respect to these too only if the function closes over Tensors.
    with np.errstate(all="ignore"):  # of the dummies
        pulled = run.pull(dummies)
    along = Pullback(pulled, [dummy.node for dummy in dummies], born, run.pull.recorded)(directions.leaves)
    return run.value(), run.outputs.rebuild(along)


def grad(function: Function, argnums: ArgNums = 0, has_aux: bool = False, *, adopt: Sequence[Any] = ()) -> Function:
    """The gradient of `function`, which returns one number, with respect to the argument (or arguments) `argnums`.

    has_aux: the function returns (value, aux), and the gradient function (gradient, aux).
    adopt: modules of code written for NumPy alone, which the function calls. They stay adopted: see `tg.adopt`.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.grad(np.sin)(0.0)
    np.float64(1.0)
    >>> tg.grad(tg.grad(tg.grad(np.sin)))(0.0)
    np.float64(-1.0)
    >>> tg.grad(lambda p: np.sum(p["W"] * p["b"]))({"W": np.array([1.0, 2.0]), "b": 3.0})
    {'W': array([3., 3.]), 'b': np.float64(3.0)}
    """
    differentiate = _differentiated("grad", function, argnums, has_aux, adopt)

    def gradient(*args: Any, **keywords: Any) -> Any:
        value, found = differentiate(*args, **keywords)
        return (found, value[1]) if has_aux else found

    gradient.__wrapped__ = function  # type: ignore[attr-defined]
    return gradient


def value_and_grad(
    function: Function, argnums: ArgNums = 0, has_aux: bool = False, *, adopt: Sequence[Any] = ()
) -> Callable[..., tuple[Any, Any]]:
    """As `grad`, but returns (value, gradient); with `has_aux`, ((value, aux), gradient).

    The gradient has the tree structure, the shapes and the dtypes of the argument; its arrays are the caller's own.
    Raises ValueError if the function returns an array of several elements, TypeError for a leaf that is not of floats.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    return _differentiated("value_and_grad", function, argnums, has_aux, adopt)


def _differentiated(
    caller: str, function: Function, argnums: ArgNums, has_aux: bool, adopt: Sequence[Any]
) -> Callable[..., tuple[Any, Any]]:
    """`value_and_grad`, whose errors name the transform that was called."""
    if adopt:
        sys.modules["tinygrad_cnn"].adopt(*adopt)  # of a layer above, which is imported only when it is needed

    def differentiate(*args: Any, **keywords: Any) -> Any:
        run = Run(*with_respect_to(argnums, function, args, keywords, caller), has_aux)
        run.only("one number", "pass has_aux=True and return (value, aux)")
        return run.value(), run.argument.rebuild(run.pull([None]))

    differentiate.__wrapped__ = function  # type: ignore[attr-defined]
    return differentiate


def stop_gradient(tree_of_tensors: Any) -> Any:
    """The same values as read-only constants: no gradient of any order flows through them.

    >>> import tinygrad_cnn as tg
    >>> tg.grad(lambda x: x * tg.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return tree.map(lambda x: x.value if isinstance(x, Tensor) else x, tree_of_tensors)


def _dummies(values: list[Any]) -> Iterator[Any]:
    """Cotangents of results to differentiate with respect to. Their own values count for nothing, but are not 0."""
    rng = np.random.default_rng(0)
    for floats in map(np.zeros_like, values):
        if floats.dtype.kind not in "fc":
            raise TypeError(f"jvp: the function returned {described(floats)}; expected floats")
        yield generic(floats, rng)
