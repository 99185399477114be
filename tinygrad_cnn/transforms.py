"""Functions made into other functions: vjp, jvp, grad, value_and_grad.

An argument, and what the function returns, may be any nesting of dict, list, tuple, namedtuple and dataclass with
arrays of floats as its leaves; a derivative comes back in the same form. The transforms compose: a gradient that is
taken within another function is differentiated like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.backward import pull_back, seed
from tinygrad_cnn.graph import Array, Node, ancestors, now, recording
from tinygrad_cnn.primitive import primitive
from tinygrad_cnn.tensor import Tensor

Function = Callable[..., Any]

_ARRAYS = (np.ndarray, np.generic)


def vjp(function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `function` at `primals`, and its pullback there: from a cotangent of it to one of each primal.

    The cotangent has the form of the value; the pullback returns a tuple, with a cotangent for each primal. It may be
    called any number of times.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> value, pullback = tg.vjp(np.multiply, np.array([1.0, 2.0]), 3.0)
    >>> value
    array([3., 6.])
    >>> pullback(np.array([1.0, 1.0]))
    (array([3., 3.]), np.float64(3.0))
    """
    run = _Run(lambda primals: function(*primals), primals, "argument")

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = tree.flatten(cotangent)
        if given.names != run.outputs.names:
            raise ValueError(f"the value has the leaves {run.outputs.names}, but the cotangent {given.names}")
        return run.argument.rebuild(run.pull(given.leaves))  # type: ignore[no-any-return]

    return run.value(), pullback


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `function` at `primals`, and its derivative there in the direction of `tangents`.

    Each tangent has the form of its primal. A pullback is linear in its cotangent, so its own pullback is the
    derivative that is looked for, and no rule for forward mode is needed
    (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.jvp(np.square, [np.array([1.0, 2.0])], [np.array([1.0, 0.0])])
    (array([1., 4.]), array([2., 0.]))
    """
    run = _Run(lambda primals: function(*primals), tuple(primals), "argument")
    directions = tree.flatten(tuple(tangents), "argument")
    if directions.names != run.argument.names:
        raise ValueError(f"the primals have the leaves {run.argument.names}, but the tangents {directions.names}")
    born = now()
    values = [leaf.node.value if isinstance(leaf, Tensor) else leaf for leaf in run.outputs.leaves]
    dummies = [Tensor(np.zeros_like(value)) for value in values]
    along = _Pullback(run.pull(dummies), dummies, born)(directions.leaves)
    return run.value(), run.outputs.rebuild(along)


def grad(function: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
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

    def gradient(*args: Any, **settings: Any) -> Any:
        value, found = differentiate(*args, **settings)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(function: Function, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Function:
    """As `grad`, but of (value, gradient); with `has_aux`, of ((value, more), gradient).

    The gradient has the form, the shapes and the dtypes of the argument; its arrays are the caller's own. Raises
    ValueError if the function returns more than one number, TypeError for a leaf that is not of floats.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """

    def differentiate(*args: Any, **settings: Any) -> Any:
        arguments = list(args)

        def of_chosen(chosen: Any) -> Any:
            if isinstance(argnums, int):
                arguments[argnums] = chosen
            else:
                for position, argument in zip(argnums, chosen, strict=True):
                    arguments[position] = argument
            return function(*arguments, **settings)

        chosen = args[argnums] if isinstance(argnums, int) else tuple([args[i] for i in argnums])
        run = _Run(of_chosen, chosen, "" if isinstance(argnums, int) else "argument", has_aux)
        if len(run.outputs.leaves) != 1:
            raise TypeError(
                f"the function returned {len(run.outputs.leaves)} results, but a gradient is that of one number; "
                "to return more beside it, use has_aux=True and return (number, more)"
            )
        return run.value(), run.argument.rebuild(run.pull([None]))

    return differentiate


class _Run:
    """One call of a function of one argument, with Tensors in the place of its leaves, and what came of it."""

    def __init__(self, function: Function, argument: Any, name: str, has_aux: bool = False) -> None:
        born = now()
        self.argument = tree.flatten(argument, name)
        was_recording = recording.get()
        token = recording.set(True)
        try:
            inputs = [_input(leaf, path) for leaf, path in zip(self.argument.leaves, self.argument.names, strict=True)]
            result = function(self.argument.rebuild(list(inputs)))
        finally:
            recording.reset(token)
        self.aux: tuple[Any, ...] = ()
        if has_aux:
            result, *self.aux = result
        self.outputs = tree.flatten(result)
        self.pull = _Pullback(self.outputs.leaves, inputs, born, recorded=was_recording)

    def value(self) -> Any:
        """What the function returned: arrays, but Tensors where it depends on Tensors from without."""
        value: Any = self.outputs.rebuild([self._value_of(leaf) for leaf in self.outputs.leaves])
        return (value, tree.map(self._value_of, self.aux[0])) if self.aux else value

    def _value_of(self, leaf: Any) -> Any:
        return leaf.node.value if isinstance(leaf, Tensor) and not self.pull.recorded else leaf


class _Pullback:
    """From cotangents of `outputs` to those of `inputs`, which are younger than `born`.

    recorded  the outputs also depend on Tensors from without, and so will what the pullback gives: what it does is
              recorded, to be differentiated in its turn (unless this is not wanted)
    """

    def __init__(self, outputs: list[Any], inputs: list[Tensor], born: int, recorded: bool = True) -> None:
        self.outputs = outputs
        self.wrt = [tensor.node for tensor in inputs]
        results = [output.node for output in outputs if isinstance(output, Tensor)]
        self.path, outside = ancestors(results, self.wrt, born)
        outside = outside or any(node.primitive is not None for node in self.wrt)
        self.recorded = outside and recorded

    def __call__(self, cotangents: list[Any]) -> list[Array]:
        seeds: dict[Node, Array] = {}
        for output, cotangent in zip(self.outputs, cotangents, strict=True):
            if isinstance(output, Tensor):
                begin = seed(output.node, cotangent)
                seeds[output.node] = seeds[output.node] + begin if output.node in seeds else begin
            elif cotangent is None and np.size(output) != 1:
                raise ValueError(f"the function returned an array of shape {np.shape(output)}, and not one number")
        found = pull_back(seeds, self.path, Tensor if self.recorded else None)
        taken = {id(cotangent) for cotangent in seeds.values()}
        own = []
        for node in self.wrt:
            cotangent = found.get(node)
            if cotangent is None:
                cotangent = np.zeros_like(node.value)
            elif isinstance(cotangent, np.ndarray):
                # The receiver may write to it: it must be neither a view nor what another receives.
                if cotangent.base is not None or id(cotangent) in taken or not cotangent.flags.writeable:
                    cotangent = cotangent.copy()
                taken.add(id(cotangent))
            own.append(cotangent if cotangent.shape else cotangent[()])
        return own


@primitive
def _same(x: Array, /) -> Array:
    return x


_same.vjp(lambda g, out, x: g)


def _input(leaf: Any, path: str) -> Tensor:
    """A new Tensor for a leaf of an argument, so that a gradient with respect to just this use of it can be taken."""
    if isinstance(leaf, Tensor):
        tensor: Tensor = _same(leaf)
        tensor.node.name = path or leaf.name
        return tensor
    if isinstance(leaf, float) or (isinstance(leaf, _ARRAYS) and leaf.dtype.kind == "f"):
        return Tensor(leaf, path or None)
    given = f"an array of {leaf.dtype}" if isinstance(leaf, np.ndarray) else f"{leaf!r}, of type {type(leaf).__name__}"
    raise TypeError(f"{path or 'the argument'} is {given}: gradients are for floats only")
