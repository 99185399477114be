"""One call of a function on Tensors in place of its arguments, and its pullback: what every transform begins with."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.advice.arguments import lost_gradient, no_derivative, not_one_number
from tinygrad_cnn.advice.hints import add_hint
from tinygrad_cnn.argnums import Function
from tinygrad_cnn.engine.conversions import GradientLostError, numbers_taken
from tinygrad_cnn.engine.graph import Array, Node, ancestors, differentiating, handle_on, now, recording
from tinygrad_cnn.engine.primitive import operand, primitive
from tinygrad_cnn.engine.sweep import pull_back, seed
from tinygrad_cnn.engine.tensor import Tensor, leaf_tensor
from tinygrad_cnn.stand_in import StandIn

_ARRAYS = (np.ndarray, np.generic)


class Run:
    """One call of a function of one argument, with Tensors in place of its leaves, and the result.

    name    of the argument, in error messages
    caller  the transform that calls the function, in error messages
    """

    def __init__(self, function: Function, argument: Any, name: str, caller: str, has_aux: bool = False) -> None:
        self.caller = caller
        self.argument = tree.flatten(argument, name)
        for leaf in self.argument.leaves:
            if isinstance(leaf, Tensor):
                _ = leaf.node  # brings a view up to date, which is not part of the function
        self.born = born = now()
        was_recording = recording.get()
        token, within = recording.set(was_recording or True), differentiating.set(True)
        try:
            inputs = [
                input_on(leaf, path, caller)
                for leaf, path in zip(self.argument.leaves, self.argument.names, strict=True)
            ]
            wrt = [tensor.node for tensor in inputs]  # now, for the function may assign to its arguments
            result = function(self.argument.rebuild(list(inputs)))
        except Exception as error:
            # `array[i] = t`: NumPy gives our advice as the cause of "setting an array element with a sequence".
            if isinstance(error.__cause__, GradientLostError):
                raise error.__cause__.with_traceback(error.__traceback__) from None
            add_hint(error)
            raise
        finally:
            differentiating.reset(within)
            recording.reset(token)
        self.aux: tuple[Any, ...] = ()
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(
                    f"{caller}: the function returned {described(result)}; expected a pair (value, aux), as has_aux "
                    "is True"
                )
            result, self.aux = result[0], result[1:]
        self.outputs = tree.flatten(result)
        self.pull = Pullback(self.outputs.leaves, wrt, born, recorded=was_recording, caller=caller)
        # The auxiliary output may depend on Tensors that the function closes over where the number does not.
        self.aux_recorded = has_aux and Pullback(tree.flatten(self.aux).leaves, wrt, born, was_recording).recorded

    def value(self) -> Any:
        """What the function returned: arrays, or Tensors if it depends on Tensors that the function closes over."""
        value: Any = self.outputs.rebuild([_value_of(leaf, self.pull.recorded) for leaf in self.outputs.leaves])
        return (value, tree.map(lambda x: _value_of(x, self.aux_recorded), self.aux[0])) if self.aux else value

    def only(self, wanted: str, for_more: str) -> Any:
        """The one array or number that the function returned. Raises TypeError if there is not one, or no gradient."""
        leaves = self.results(wanted)
        if len(leaves) > 1:
            raise TypeError(
                f"{self.caller}: the function returned {len(leaves)} arrays; expected {wanted}. To return more, "
                f"{for_more}"
            )
        return leaves[0]

    def results(self, wanted: str) -> list[Any]:
        """The arrays and numbers that the function returned, of which there is at least one. Raises as `only`."""
        if not self.outputs.leaves:
            raise TypeError(f"{self.caller}: the function returned no array; expected {wanted}")
        for leaf in self.outputs.leaves:
            if not isinstance(leaf, Tensor):
                _check_constant(leaf, wanted, self.born, self.caller)
        return self.outputs.leaves


def _check_constant(leaf: Any, wanted: str, born: int, caller: str) -> None:
    """Raise TypeError for a result that is not a Tensor, unless it is a floating-point constant.

    A Python float may have been computed from a Tensor whose values were read since `born`, when the run began.
    """
    if not isinstance(leaf, (*_ARRAYS, int, float)):
        raise TypeError(f"{caller}: the function returned {described(leaf)}; expected {wanted}")
    if not isinstance(leaf, float) and (isinstance(leaf, int) or leaf.dtype.kind not in "fc"):
        raise TypeError(no_derivative(caller, described(leaf), wanted))
    if type(leaf) is float and numbers_taken.get() > born:
        raise TypeError(lost_gradient(caller, leaf, wanted))


def _value_of(leaf: Any, recorded: bool) -> Any:
    return leaf.node.value if isinstance(leaf, Tensor) and not recorded else leaf


class Pullback:
    """From cotangents of `outputs` to those of the nodes `wrt`, which are newer than `born`.

    recorded  whether to record the sweep, so that it can be differentiated: only if the outputs also depend on Tensors
              that the function closes over, and the caller wants it
    caller    the transform, in error messages
    """

    def __init__(
        self, outputs: list[Any], wrt: list[Node], born: int, recorded: bool = True, caller: str = "pullback"
    ) -> None:
        self.caller = caller
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
                begin = seed(output.node, cotangent, self.caller)
                seeds[output.node] = seeds[output.node] + begin if output.node in seeds else begin
            elif cotangent is None and np.size(output) != 1:
                raise ValueError(not_one_number(self.caller, np.shape(output)))
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
def same(x: Array, /) -> Array:
    """`x` itself."""
    return x


same.defvjp(lambda g, out, x: g)


def input_on(leaf: Any, path: str, caller: str) -> Tensor:
    """A new Tensor for a leaf of an argument, so that a gradient with respect to just this use of it can be taken."""
    if isinstance(leaf, np.ndarray):
        leaf = operand(leaf)
        if leaf.dtype.kind == "f":
            return leaf_tensor(leaf, path or None)
    elif isinstance(leaf, Tensor) and leaf.node.constant:
        return leaf_tensor(leaf.node.value, path or None)
    elif isinstance(leaf, Tensor):
        # A handle of its own, even if it shares memory with the one outside, which does not follow it.
        tensor: Tensor = handle_on(same(leaf).node)
        tensor.node.like = leaf.node.like
        tensor.node.name = path or leaf.name
        return tensor
    elif isinstance(leaf, float) or (isinstance(leaf, np.generic) and leaf.dtype.kind == "f"):
        as_array: Any = np.copy if isinstance(leaf, StandIn) else np.asarray
        return leaf_tensor(as_array(leaf)[()], path or None)
    if isinstance(leaf, int | np.ndarray | np.generic):
        instead = ". Write 1.0 for 1, or use .astype(float)"
    else:
        instead = ". Convert it with np.asarray" if hasattr(leaf, "__array__") else ""
    raise TypeError(f"{caller}: {path or 'the argument'} is {described(leaf)}; expected floats{instead}")


def described(x: Any) -> str:
    """What `x` is, in a few words."""
    if isinstance(x, np.ndarray):
        return f"an array of dtype {x.dtype}"
    if isinstance(x, Tensor):
        return f"a Tensor of shape {x.shape}"
    kind = type(x).__name__
    return f"an object of type {kind}" if hasattr(x, "__array__") else f"{reprlib.repr(x)} ({kind})"
