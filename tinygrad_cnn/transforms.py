"""Functions made into other functions: vjp, jvp, grad, value_and_grad.

An argument, and what the function returns, may be any nesting of dict, list, tuple, namedtuple and dataclass with
arrays of floats as its leaves; a derivative comes back in the same form. The transforms compose: a gradient that is
taken within another function is differentiated like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.backward import pull_back, route, seed
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
    run = _Run(function, primals, [_argument_name(i) for i in range(len(primals))])

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        given = tree.flatten(cotangent)
        if given.names != run.outputs.names:
            raise ValueError(f"the value has the leaves {run.outputs.names}, but the cotangent {given.names}")
        return tuple(run.rebuild(run.pull(given.leaves)))

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
    run = _Run(function, primals, [_argument_name(i) for i in range(len(primals))])
    directions = tree.flatten(list(tangents))
    if directions.names != tree.flatten(list(primals)).names:
        raise ValueError("the tangents do not have the form of the primals")
    born = now()
    dummies = [Tensor(np.zeros_like(_value_of(output))) for output in run.outputs.leaves]
    along = _Pullback(run.pull(dummies), dummies, born, run.outside)(directions.leaves)
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
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    names = [""] if isinstance(argnums, int) else [_argument_name(i) for i in chosen]

    def differentiate(*args: Any, **settings: Any) -> Any:
        def of_chosen(*replaced: Any) -> Any:
            arguments = list(args)
            for position, argument in zip(chosen, replaced, strict=True):
                arguments[position] = argument
            return function(*arguments, **settings)

        run = _Run(of_chosen, [args[i] for i in chosen], names, has_aux)
        found = run.rebuild(run.pull([None]))
        return run.value(), found[0] if isinstance(argnums, int) else found

    return differentiate


class _Run:
    """One call of a function with Tensors in the place of its arguments' leaves, and what came of it."""

    def __init__(self, function: Function, arguments: Sequence[Any], names: list[str], has_aux: bool = False) -> None:
        born = now()
        self.arguments = [tree.flatten(argument, name) for argument, name in zip(arguments, names, strict=True)]
        was_recording = recording.get()
        token = recording.set(True)
        try:
            inputs = [_input(leaf, path) for f in self.arguments for leaf, path in zip(f.leaves, f.names, strict=True)]
            result = function(*self.rebuild(inputs))
        finally:
            recording.reset(token)
        self.aux: list[Any]
        result, *self.aux = result if has_aux else (result,)
        self.outputs = tree.flatten(result)
        # If anything here was computed from Tensors from without, so must the value and the gradient be.
        without = any(tensor.node.primitive is not None for tensor in inputs)
        self.pull = _Pullback(self.outputs.leaves, inputs, born, without)
        self.outside = self.pull.outside = self.pull.outside and was_recording

    def value(self) -> Any:
        """What the function returned: arrays, but Tensors where it depends on Tensors from without."""
        values = [leaf if self.outside else _value_of(leaf) for leaf in self.outputs.leaves]
        if not self.aux:
            return self.outputs.rebuild(values)
        return self.outputs.rebuild(values), self.aux[0] if self.outside else tree.map(_value_of, self.aux[0])

    def rebuild(self, leaves: list[Any]) -> list[Any]:
        """One tree for each argument, of the `leaves` of all of them."""
        trees, start = [], 0
        for flat in self.arguments:
            end = start + len(flat.leaves)
            trees.append(flat.rebuild(leaves[start:end]))
            start = end
        return trees


class _Pullback:
    """From cotangents of `outputs` to those of `inputs`, which are younger than `born`.

    outside  the outputs depend on Tensors that are older than `born`: the pullback is recorded, to be differentiated
    """

    def __init__(self, outputs: list[Any], inputs: list[Tensor], born: int, outside: bool) -> None:
        self.outputs = outputs
        self.wrt = _nodes(inputs)
        nodes, older = ancestors(_nodes(outputs), self.wrt, born)
        self.path = route(nodes, self.wrt)
        self.outside = older or outside

    def __call__(self, cotangents: list[Any]) -> list[Array]:
        seeds: dict[Node, Array] = {}
        for output, cotangent in zip(self.outputs, cotangents, strict=True):
            if isinstance(output, Tensor):
                begin = seed(output.node, cotangent)
                seeds[output.node] = seeds[output.node] + begin if output.node in seeds else begin
        found = pull_back(seeds, self.path, self.wrt, Tensor if self.outside else None)
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


def _argument_name(position: int) -> str:
    return f"argument {position}"


def _nodes(leaves: Iterable[Any]) -> list[Node]:
    return [leaf.node for leaf in leaves if isinstance(leaf, Tensor)]


def _value_of(x: Any) -> Any:
    return x.node.value if isinstance(x, Tensor) else x
