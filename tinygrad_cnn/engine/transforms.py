"""Functions made into other functions: vjp, jvp, grad, value_and_grad, jacobian, hessian, hvp, elementwise_grad.

An argument, and what the function returns, may be any nesting of dict, list, tuple, namedtuple and dataclass with
arrays of floats as its leaves; a derivative comes back in the same form. The transforms compose: a gradient that is
taken within another function is differentiated like everything else.
"""

from __future__ import annotations

import functools
import math
import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine import tree
from tinygrad_cnn.engine.conversions import GradientLostError, numbers_taken
from tinygrad_cnn.engine.graph import (
    Array,
    Mode,
    Node,
    ancestors,
    differentiating,
    handle_on,
    now,
    recording,
)
from tinygrad_cnn.engine.primitive import OfEach, Primitive, fixed, operand, primitive
from tinygrad_cnn.engine.sweep import pull_back, seed
from tinygrad_cnn.engine.tensor import Tensor, leaf_on, leaf_tensor

Function = Callable[..., Any]
ArgNums = int | tuple[int, ...]  # which arguments a derivative is with respect to: one, or several

_ARRAYS = (np.ndarray, np.generic)


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
    run = _Run(lambda primals: function(*primals), primals, "argument")
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
    run = _Run(lambda primals: function(*primals), tuple(primals), "argument")
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
    along = _Pullback(run.pull(dummies), [dummy.node for dummy in dummies], born, run.pull.recorded)(directions.leaves)
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

    def gradient(*args: Any, **settings: Any) -> Any:
        value, found = differentiate(*args, **settings)
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

    def differentiate(*args: Any, **settings: Any) -> Any:
        run = _Run(*_with_respect_to(argnums, function, args, settings), has_aux)
        run.only("a gradient is that of one number", "use has_aux=True and return (number, more)")
        return run.value(), run.argument.rebuild(run.pull([None]))

    return differentiate


def _with_respect_to(
    argnums: ArgNums, function: Function, args: tuple[Any, ...], settings: dict[str, Any]
) -> tuple[Function, Any, str]:
    """`function` as one of its argument(s) `argnums` alone; what these are among `args`; and what errors call them."""
    places = _places(argnums, len(args))
    if isinstance(argnums, int):
        (place,) = places
        return lambda x: function(*args[:place], x, *args[place + 1 :], **settings), args[place], ""

    def of_chosen(chosen: Any) -> Any:
        arguments = list(args)
        for place, argument in zip(places, chosen, strict=True):
            arguments[place] = argument
        return function(*arguments, **settings)

    return of_chosen, tuple([args[place] for place in places]), "argument"


def _places(argnums: ArgNums, count: int) -> list[int]:
    """`argnums` as places among `count` arguments, none of them negative."""
    if isinstance(argnums, int) and 0 <= argnums < count:
        return [argnums]
    given = [argnums] if isinstance(argnums, int) else list(argnums)
    places = [i + count if i < 0 else i for i in given]
    if not count:
        raise ValueError("a derivative is with respect to an argument that is passed by position, and there is none")
    if len(set(places)) < len(places) or not all(0 <= place < count for place in places):
        raise ValueError(f"argnums is {argnums!r}, which are not different ones of {count} positional arguments")
    return places


def jacobian(function: Function, argnums: ArgNums = 0) -> Function:
    """The derivatives of each element of what `function` returns by each element of the argument(s) `argnums`.

    For a value and an argument that are arrays it is an array of shape value.shape + argument.shape. Where the value is
    a tree, there is one such block for each of its leaves, in a tree like the value; where the argument is a tree, or
    `argnums` a tuple, each block is in its turn a tree like the argument. It takes one sweep back for each element of
    the value, and two where the value is complex, as its block then is.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.jacobian(lambda x: x[1:] * x[:-1])(np.array([1.0, 2.0, 3.0]))
    array([[2., 1., 0.],
           [0., 3., 2.]])
    >>> tg.jacobian(lambda x, y: {"sum": x + y, "product": x * y}, argnums=(0, 1))(2.0, 3.0)["product"]
    (np.float64(3.0), np.float64(2.0))
    """

    def derivative(*args: Any, **settings: Any) -> Any:
        run = _Run(*_with_respect_to(argnums, function, args, settings))
        leaves = run.results("a Jacobian is that of arrays")
        return run.outputs.rebuild([run.argument.rebuild(_blocks(run, leaf)) for leaf in leaves])

    return derivative


def _blocks(run: _Run, value: Any) -> list[Array]:
    """The derivatives of `value`, one of the results of `run`, by each leaf of its argument."""
    shape, dtype = np.shape(value), np.result_type(value.dtype if hasattr(value, "dtype") else float)
    pull = _Pullback([value], run.pull.wrt, run.born, run.pull.recorded)
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
    """The second derivatives of `function`, which returns one number, by the elements of the argument(s) `argnums`.

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


def hvp(function: Function, primal: Any, tangent: Any, *others: Any, argnums: ArgNums = 0, **settings: Any) -> Any:
    """The product of the Hessian of `function` at `primal` and `tangent`, in the form of both.

    primal   the argument `argnums` of the function, or a tuple of them, if `argnums` is one
    others   its other arguments, in their order, and `settings` by name

    The Hessian is not made: it costs about as much as four gradients, whatever the size of the argument.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.hvp(lambda x: x[0] ** 2 * x[1], np.array([3.0, 5.0]), np.array([1.0, 0.0]))
    array([10.,  6.])
    >>> tg.hvp(lambda scale, x: scale * x**3, 2.0, 1.0, 5.0, argnums=1)
    np.float64(60.0)
    """
    primals = [primal] if isinstance(argnums, int) else primal
    if not isinstance(primals, list | tuple) or (not isinstance(argnums, int) and len(primals) != len(argnums)):
        raise TypeError(f"hvp: argnums is {argnums!r}, so primal has to be a tuple with one for each")
    places = _places(argnums, len(primals) + len(others))
    rest = iter(others)
    args = tuple([None if i in places else next(rest) for i in range(len(primals) + len(others))])
    gradient, _, _ = _with_respect_to(argnums, grad(function, argnums), args, settings)
    return jvp(gradient, [primal], [tangent])[1]


def elementwise_grad(function: Function, argnums: ArgNums = 0) -> Function:
    """The derivative of a function of each element, such as np.tanh, at each element of the argument(s) `argnums`.

    It is the gradient of the sum of what `function` returns, and so means what it says only if an element of the
    result depends on that element of the argument alone.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> tg.elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return grad(lambda *args, **settings: np.sum(function(*args, **settings)), argnums)


def stop_gradient(tree_of_tensors: Any) -> Any:
    """The same values as constants, read-only: no gradient flows through them, of whatever order.

    >>> import tinygrad_cnn as tg
    >>> tg.grad(lambda x: x * tg.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return tree.map(lambda x: x.value if isinstance(x, Tensor) else x, tree_of_tensors)


def checkpoint(function: Function) -> Function:
    """`function`, of whose graph nothing is kept but its arguments: it is run again when its derivative is needed.

    That takes one more run of it, and gives back the memory of all that lies between arguments and result. What it
    takes and returns may be trees; Tensors that it takes from without (a closure's) have their gradients too. Raises
    RuntimeError if it does not compute the same thing again, as with random numbers that are drawn within, and
    NotImplementedError if it assigns to an argument.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> layer = tg.checkpoint(lambda x, W: np.tanh(W @ np.tanh(W @ x)))
    >>> tg.grad(lambda W: np.sum(layer(np.ones(2), W)))(np.eye(2)).round(3)
    array([[0.695, 0.695],
           [0.695, 0.695]])
    """

    @functools.wraps(function)
    def kept_small(*args: Any, **settings: Any) -> Any:
        if not recording.get():
            return function(*args, **settings)
        return _Checkpoint(function, args, settings).result()

    return kept_small


class _Checkpoint:
    """One call of a checkpointed function: its operands, and how to run it again.

    outer   the nodes that the function took from without
    flat    what it returned, in a row, which the second run has to compute again
    last    the cotangent that the rule was last asked for, and those of all operands that follow from it
    """

    def __init__(self, function: Function, args: Any, settings: Any) -> None:
        self.function = function
        self.given = tree.flatten((args, settings))
        self.places = [k for k, leaf in enumerate(self.given.leaves) if isinstance(leaf, Tensor)]
        self.leaves = [fixed(leaf) for leaf in self.given.leaves]
        self.outer: list[Node] = []
        self.flat: Array = np.zeros(0)
        self.last: tuple[Any, list[Any]] | None = None

    def result(self) -> Any:
        """What the function returns, each leaf a part of one node."""
        tensors = [self.leaves[k] for k in self.places]
        _, outputs, self.outer = self.run(tensors)
        made = [(k, x) for k, x in enumerate(outputs.leaves) if isinstance(x, Tensor)]
        if not made:
            return outputs.rebuild(outputs.leaves)
        self.flat = _in_a_row([x for _, x in made])
        operands = [*tensors, *[handle_on(node) for node in self.outer]]
        again: Any = Primitive(lambda *operands: self.flat, "checkpoint")
        again.rules = OfEach(self.rule)
        whole, start, leaves = again(*operands), 0, list(outputs.leaves)
        for k, x in made:
            part = whole[start : start + x.size].reshape(x.shape)
            part = part if part.dtype.kind == x.dtype.kind else np.real(part)
            leaves[k] = _laid_out(part.astype(x.dtype, copy=False), x.node.like)
            start += x.size
        return outputs.rebuild(leaves)

    def run(self, tensors: list[Any]) -> tuple[list[Node], tree.Flat, list[Node]]:
        """The function on new copies of `tensors`: their nodes, what it returned, and the nodes from without."""
        born, mode = now(), recording.get()
        token = recording.set(mode.within_checkpoint() if isinstance(mode, Mode) else True)
        try:
            inputs = [_input(x, "") for x in tensors]
            wrt = [x.node for x in inputs]
            leaves = list(self.leaves)
            for place, x in zip(self.places, inputs, strict=True):
                leaves[place] = x
            args, settings = self.given.rebuild(leaves)
            outputs = tree.flatten(self.function(*args, **settings))
        finally:
            recording.reset(token)
        if any(x.node is not node for x, node in zip(inputs, wrt, strict=True)):
            raise NotImplementedError(
                "a checkpointed function assigned to its argument, which its caller would not see: let it assign to a "
                "copy, x = x.copy(), and return that"
            )
        results = [x.node for x in outputs.leaves if isinstance(x, Tensor)]
        inner = {node for node in ancestors(results, wrt, born)[0] if node.order > born}.union(wrt)
        used = {x for node in inner.difference(wrt) for _, x in node.sources}
        outer = used.union(results).difference(inner)
        # What the function took from without: of that a gradient is wanted too.
        return wrt, outputs, sorted(outer, key=lambda node: node.order)

    def rule(self, position: int, g: Any, out: Any, *operands: Any) -> Any:
        """The cotangent of one operand; those of all are computed when the first is asked for."""
        if self.last is None or self.last[0] is not g:
            self.last = (g, self.cotangents(g, operands))
        found = self.last[1][position]
        if not position:  # the sweep asks for it last
            self.last = None
        return found

    def cotangents(self, g: Any, operands: Any) -> list[Any]:
        """The cotangents of all operands, from that of the result."""
        recorded = isinstance(g, Tensor) or any(isinstance(x, Tensor) for x in operands)
        inputs, outputs, outer = self.run(list(operands[: len(self.places)]))
        made = [x for x in outputs.leaves if isinstance(x, Tensor)]
        if outer != self.outer or not made or not np.array_equal(_in_a_row(made), self.flat, equal_nan=True):
            raise RuntimeError(
                "a checkpointed function computed something else when it was run again for its derivative: it draws "
                "random numbers, or takes from without what has changed since. Draw or copy that before, and pass it in"
            )
        wrt = [*inputs, *self.outer]
        seeds: dict[Node, Any] = {}
        start = 0
        for x in made:
            part = g[start : start + x.size].reshape(x.shape)
            seeds[x.node] = seeds[x.node] + part if x.node in seeds else part
            start += x.size
        path, _ = ancestors(seeds, wrt)
        found = pull_back(seeds, path, recorded)
        return [found[node] if node in found else np.zeros_like(node.like) for node in wrt]


def _laid_out(part: Tensor, like: Any) -> Any:
    """`part`, whose elements lie row by row, as a number or in the memory order of `like`."""
    if isinstance(like, np.generic):
        return part[()]
    axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])
    if axes == sorted(axes):
        return part
    return np.transpose(np.copy(np.transpose(part, axes), "C"), np.argsort(axes))


def _in_a_row(tensors: list[Tensor]) -> Array:
    return np.concatenate([x.node.value.reshape(-1) for x in tensors])


class _Run:
    """One call of a function of one argument, with Tensors in the place of its leaves, and what came of it."""

    def __init__(self, function: Function, argument: Any, name: str, has_aux: bool = False) -> None:
        self.argument = tree.flatten(argument, name)
        for leaf in self.argument.leaves:
            if isinstance(leaf, Tensor):
                _ = leaf.node  # a view of what has changed looks again: that is no part of the function
        self.born = born = now()
        was_recording = recording.get()
        token, within = recording.set(was_recording or True), differentiating.set(True)
        try:
            inputs = [_input(leaf, path) for leaf, path in zip(self.argument.leaves, self.argument.names, strict=True)]
            wrt = [tensor.node for tensor in inputs]  # now, for the function may assign to its arguments
            result = function(self.argument.rebuild(list(inputs)))
        except ValueError as error:
            # `array[i] = t`: NumPy gives our advice as the cause of "setting an array element with a sequence".
            if isinstance(error.__cause__, GradientLostError):
                raise error.__cause__ from None
            raise
        finally:
            differentiating.reset(within)
            recording.reset(token)
        self.aux: tuple[Any, ...] = ()
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError("with has_aux=True the function has to return a pair: (number, more)")
            result, self.aux = result[0], result[1:]
        self.outputs = tree.flatten(result)
        self.pull = _Pullback(self.outputs.leaves, wrt, born, recorded=was_recording)
        # What is returned beside may depend on Tensors from without where the number does not.
        self.aux_recorded = has_aux and _Pullback(tree.flatten(self.aux).leaves, wrt, born, was_recording).recorded

    def value(self) -> Any:
        """What the function returned: arrays, but Tensors where it depends on Tensors from without."""
        value: Any = self.outputs.rebuild([_value_of(leaf, self.pull.recorded) for leaf in self.outputs.leaves])
        return (value, tree.map(lambda x: _value_of(x, self.aux_recorded), self.aux[0])) if self.aux else value

    def only(self, wanted: str, for_more: str) -> Any:
        """The one array or number that the function returned. Raises TypeError if it is none, or was cut off."""
        leaves = self.results(wanted)
        if len(leaves) > 1:
            raise TypeError(
                f"the function returned {len(leaves)} results, but {wanted}; to return more beside it, {for_more}"
            )
        return leaves[0]

    def results(self, wanted: str) -> list[Any]:
        """The arrays and numbers that the function returned, of which there is at least one. Raises as `only`."""
        if not self.outputs.leaves:
            raise TypeError(f"the function returned nothing, but {wanted}")
        for leaf in self.outputs.leaves:
            if not isinstance(leaf, Tensor):
                _check_constant(leaf, wanted, self.born)
        return self.outputs.leaves


def _check_constant(leaf: Any, wanted: str, born: int) -> None:
    """Raise TypeError for a result that is no Tensor, unless it is a constant of floats.

    A Python float may have been computed from a Tensor whose numbers were taken since `born`, when the run began.
    """
    if not isinstance(leaf, (*_ARRAYS, int, float)):
        raise TypeError(f"the function returned {_described(leaf)}, but {wanted}")
    if not isinstance(leaf, float) and (isinstance(leaf, int) or leaf.dtype.kind not in "fc"):
        raise TypeError(
            f"the function returned {_described(leaf)}, which has no derivative, but {wanted}. If it is meant as a "
            "constant, return it as a float"
        )
    if type(leaf) is float and numbers_taken.get() > born:
        raise TypeError(
            f"the function returned {leaf!r}, a Python float, after taking the numbers of a Tensor by .value, .item() "
            "or .tolist(): its gradient is lost. Return the Tensor itself; or np.float64(...) of the number, if it is "
            "meant as a constant"
        )


def _zeros_of_floats(value: Any) -> Any:
    """Zeros of the shape of a result, from which a cotangent can be varied."""
    zeros = np.zeros_like(value)
    if zeros.dtype.kind not in "fc":
        raise TypeError(f"the function returned {_described(value)}: gradients are for floats only")
    return zeros


def _value_of(leaf: Any, recorded: bool) -> Any:
    return leaf.node.value if isinstance(leaf, Tensor) and not recorded else leaf


class _Pullback:
    """From cotangents of `outputs` to those of the nodes `wrt`, which are younger than `born`.

    recorded  the outputs also depend on Tensors from without, and so will what the pullback gives: what it does is
              recorded, to be differentiated in its turn (unless this is not wanted)
    """

    def __init__(self, outputs: list[Any], wrt: list[Node], born: int, recorded: bool = True) -> None:
        self.outputs = outputs
        self.wrt = wrt
        results = [output.node for output in outputs if isinstance(output, Tensor)]
        self.path, outside = ancestors(results, self.wrt, born)
        outside = outside or any(node.primitive is not None for node in self.wrt)
        self.recorded = bool(outside and recorded)

    def __call__(self, cotangents: list[Any]) -> list[Array]:
        seeds: dict[Node, Array] = {}
        for output, cotangent in zip(self.outputs, cotangents, strict=True):
            if isinstance(output, Tensor):
                begin = seed(output.node, cotangent)
                seeds[output.node] = seeds[output.node] + begin if output.node in seeds else begin
            elif cotangent is None and np.size(output) != 1:
                raise ValueError(f"the function returned an array of shape {np.shape(output)}, and not one number")
        found = pull_back(seeds, self.path, self.recorded)
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


@primitive(moves=True)
def _same(x: Array, /) -> Array:
    return x


_same.defvjp(lambda g, out, x: g)


def _input(leaf: Any, path: str) -> Tensor:
    """A new Tensor for a leaf of an argument, so that a gradient with respect to just this use of it can be taken."""
    if isinstance(leaf, np.ndarray):
        leaf = operand(leaf)
        if leaf.dtype.kind == "f":
            return leaf_tensor(leaf, path or None)
    elif isinstance(leaf, Tensor):
        # A handle of its own, even where the memory is that of the one outside: it is moved without that.
        tensor: Tensor = handle_on(_same(leaf).node)
        tensor.node.like = leaf.node.like
        tensor.node.name = path or leaf.name
        return tensor
    elif isinstance(leaf, float) or (isinstance(leaf, np.generic) and leaf.dtype.kind == "f"):
        return leaf_tensor(np.asarray(leaf)[()], path or None)
    if isinstance(leaf, int | np.ndarray | np.generic):
        instead = "; write 1.0 for 1, or .astype(float)"
    else:
        instead = "; hand over np.asarray of it" if hasattr(leaf, "__array__") else ""
    raise TypeError(f"{path or 'the argument'} is {_described(leaf)}: gradients are for floats only{instead}")


def _described(x: Any) -> str:
    """What `x` is, in a few words."""
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}"
    of_type = f"of type {type(x).__name__}"
    return of_type if hasattr(x, "__array__") else f"{reprlib.repr(x)}, {of_type}"
