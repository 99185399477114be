"""One call of a function on Tensors in place of its arguments, and its pullback: what every transform begins with."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.engine import tree
from tinygrad_cnn.engine.conversions import GradientLostError, numbers_taken
from tinygrad_cnn.engine.graph import Array, Node, ancestors, differentiating, handle_on, now, recording
from tinygrad_cnn.engine.primitive import operand, primitive
from tinygrad_cnn.engine.sweep import pull_back, seed
from tinygrad_cnn.engine.tensor import Tensor, leaf_tensor

Function = Callable[..., Any]
ArgNums = int | tuple[int, ...]  # which arguments a derivative is with respect to: one, or several

_ARRAYS = (np.ndarray, np.generic)


def with_respect_to(
    argnums: ArgNums, function: Function, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Function, Any, str]:
    """`function` as one of its argument(s) `argnums` alone; what these are among `args`; and what errors call them."""
    places = places_of(argnums, len(args))
    if isinstance(argnums, int):
        (place,) = places
        return lambda x: function(*args[:place], x, *args[place + 1 :], **keywords), args[place], ""

    def of_chosen(chosen: Any) -> Any:
        arguments = list(args)
        for place, argument in zip(places, chosen, strict=True):
            arguments[place] = argument
        return function(*arguments, **keywords)

    return of_chosen, tuple([args[place] for place in places]), "argument"


def places_of(argnums: ArgNums, count: int) -> list[int]:
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


class Run:
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
            inputs = [
                input_on(leaf, path) for leaf, path in zip(self.argument.leaves, self.argument.names, strict=True)
            ]
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
        self.pull = Pullback(self.outputs.leaves, wrt, born, recorded=was_recording)
        # What is returned beside may depend on Tensors from without where the number does not.
        self.aux_recorded = has_aux and Pullback(tree.flatten(self.aux).leaves, wrt, born, was_recording).recorded

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
        raise TypeError(f"the function returned {described(leaf)}, but {wanted}")
    if not isinstance(leaf, float) and (isinstance(leaf, int) or leaf.dtype.kind not in "fc"):
        raise TypeError(
            f"the function returned {described(leaf)}, which has no derivative, but {wanted}. If it is meant as a "
            "constant, return it as a float"
        )
    if type(leaf) is float and numbers_taken.get() > born:
        raise TypeError(
            f"the function returned {leaf!r}, a Python float, after taking the numbers of a Tensor by .value, .item() "
            "or .tolist(): its gradient is lost. Return the Tensor itself; or np.float64(...) of the number, if it is "
            "meant as a constant"
        )


def _value_of(leaf: Any, recorded: bool) -> Any:
    return leaf.node.value if isinstance(leaf, Tensor) and not recorded else leaf


class Pullback:
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
        """The cotangents of `wrt`, from those of the outputs; None begins with 1."""
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


def input_on(leaf: Any, path: str) -> Tensor:
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
    raise TypeError(f"{path or 'the argument'} is {described(leaf)}: gradients are for floats only{instead}")


def described(x: Any) -> str:
    """What `x` is, in a few words."""
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}"
    of_type = f"of type {type(x).__name__}"
    return of_type if hasattr(x, "__array__") else f"{reprlib.repr(x)}, {of_type}"
