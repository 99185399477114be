"""Functions made into other functions: vjp, jvp, grad, value_and_grad, stop_gradient.

An argument, and what the function returns, may be any nesting of dict, list, tuple, namedtuple and dataclass with
arrays of floats as its leaves; a derivative comes back in the same form. The transforms compose: a gradient that is
taken within another function is differentiated like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine import tree
from tinygrad_cnn.engine.graph import now
from tinygrad_cnn.engine.runs import ArgNums, Function, Pullback, Run, described, with_respect_to
from tinygrad_cnn.engine.tensor import Tensor, leaf_on


def vjp(function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `function` at `primals`, and its pullback there: from a cotangent of it to one of each primal.

    The cotangent has the form of the value; the pullback returns a tuple, with a cotangent for each primal. It may be
    called any number of times. The cotangent of a complex value z = u + iv is dL/du - i dL/dv, for a real number L.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> value, pullback = tg.vjp(np.multiply, np.array([1.0, 2.0]), 3.0)
    >>> value
    array([3., 6.])
    >>> pullback(np.array([1.0, 1.0]))
    (array([3., 3.]), np.float64(3.0))
    """
    run = Run(lambda primals: function(*primals), primals, "argument")
    value = tree.map(lambda x: x.copy() if isinstance(x, np.ndarray) else x, run.value())  # the graph keeps its own

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = tree.flatten(cotangent)
        if given.names != run.outputs.names:
            raise ValueError(f"the value has the leaves {run.outputs.names}, but the cotangent {given.names}")
        return run.argument.rebuild(run.pull(given.leaves))  # type: ignore[no-any-return]

    return value, pullback


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `function` at `primals`, and its derivative there in the direction of `tangents`.

    Each tangent has the form of its primal. A pullback is linear in its cotangent, so its own pullback is the
    derivative that is looked for, and no rule for forward mode is needed
    (J. Townsend, "A new trick for calculating Jacobian vector products", 2017). The primals and tangents are real; the
    value may be complex, and its derivative then is too.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.jvp(np.square, [np.array([1.0, 2.0])], [np.array([1.0, 0.0])])
    (array([1., 4.]), array([2., 0.]))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, list | tuple):
            raise TypeError(f"jvp: {name} is a {type(given).__name__}, but has to be a list with one for each argument")
    run = Run(lambda primals: function(*primals), tuple(primals), "argument")
    directions = tree.flatten(tuple(tangents), "argument")
    if directions.names != run.argument.names:
        raise ValueError(f"the primals have the leaves {run.argument.names}, but the tangents {directions.names}")
    for name, primal, tangent in zip(directions.names, run.argument.leaves, directions.leaves, strict=True):
        if np.shape(tangent) != np.shape(primal):
            raise ValueError(f"the tangent {name} has shape {np.shape(tangent)}, but its primal {np.shape(primal)}")
        if np.iscomplexobj(tangent):
            raise TypeError(f"jvp: the tangent {name} is complex, but its primal is real: give the two parts in turn")
    born = now()
    values = [leaf.node.value if isinstance(leaf, Tensor) else leaf for leaf in run.outputs.leaves]
    # A real primal takes the real part of J.T @ dummy, and the cotangent of that by a complex dummy is J @ tangent.
    dummies = [leaf_on(_zeros_of_floats(value), None) for value in values]
    # A rule may come upon Tensors that are none of its operands, as that of a checkpoint does: of these too the tangent
    # is recorded only if the function depends on some from without.
    along = Pullback(run.pull(dummies), [dummy.node for dummy in dummies], born, run.pull.recorded)(directions.leaves)
    return run.value(), run.outputs.rebuild(along)


def grad(function: Function, argnums: ArgNums = 0, has_aux: bool = False) -> Function:
    """The gradient of `function`, which returns one number, with respect to the argument (or arguments) `argnums`.

    has_aux: the function returns (number, more), and the gradient function (gradient, more).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.grad(np.sin)(0.0)
    np.float64(1.0)
    >>> tg.grad(tg.grad(tg.grad(np.sin)))(0.0)
    np.float64(-1.0)
    >>> tg.grad(lambda p: np.sum(p["W"] * p["b"]))({"W": np.array([1.0, 2.0]), "b": 3.0})
    {'W': array([3., 3.]), 'b': np.float64(3.0)}
    """
    differentiate = value_and_grad(function, argnums, has_aux)

    def gradient(*args: Any, **keywords: Any) -> Any:
        value, found = differentiate(*args, **keywords)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(function: Function, argnums: ArgNums = 0, has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
    """As `grad`, but of (value, gradient); with `has_aux`, of ((value, more), gradient).

    The gradient has the form, the shapes and the dtypes of the argument; its arrays are the caller's own. Raises
    ValueError if the function returns more than one number, TypeError for a leaf that is not of floats.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """

    def differentiate(*args: Any, **keywords: Any) -> Any:
        run = Run(*with_respect_to(argnums, function, args, keywords), has_aux)
        run.only("a gradient is that of one number", "use has_aux=True and return (number, more)")
        return run.value(), run.argument.rebuild(run.pull([None]))

    return differentiate


def stop_gradient(tree_of_tensors: Any) -> Any:
    """The same values as constants, read-only: no gradient flows through them, of whatever order.

    >>> import tinygrad_cnn as tg
    >>> tg.grad(lambda x: x * tg.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return tree.map(lambda x: x.value if isinstance(x, Tensor) else x, tree_of_tensors)


def _zeros_of_floats(value: Any) -> Any:
    """Zeros of the shape of a result, from which a cotangent can be varied."""
    zeros = np.zeros_like(value)
    if zeros.dtype.kind not in "fc":
        raise TypeError(f"the function returned {described(value)}: gradients are for floats only")
    return zeros
