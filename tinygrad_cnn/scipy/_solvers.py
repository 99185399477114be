"""How a solver of SciPy's is called: without recording, by a function that notes whether its caller's uses Tensors.

A Tensor mostly reaches a solver by way of the function that it is given, which closes over it. So while something is
being differentiated, that function is called with recording on until it returns a Tensor; from then on SciPy is given
numbers.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.conversions import GradientLostError
from tinygrad_cnn.engine.graph import no_grad, recording
from tinygrad_cnn.engine.primitive import operand
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.implicit_functions import without_graph
from tinygrad_cnn.recordings import node_of
from tinygrad_cnn.replacements import register

_PLAIN = (float, int, str, np.ndarray, FunctionType, MethodType)  # what has no leaves to look at


class Call:
    """One call of a function of SciPy's, and its arguments by name.

    original   SciPy's function
    name       as which users know it
    arguments  what it was called with, which may hold Tensors
    """

    def __init__(self, original: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.original = original
        self.name = public_name(original)
        signature, self.defaults = _signature(original)
        self.arguments = signature.bind(*args, **keywords).arguments  # raises as SciPy's function does

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name, self.defaults.get(name))

    @property
    def extra(self) -> tuple[Any, ...]:
        """The argument `args`, as a tuple."""
        given = self["args"]
        return given if isinstance(given, tuple) else () if given is None else (given,)

    @property
    def unpacked(self) -> tuple[Any, ...]:
        """The argument `args` of a function that unpacks it, whatever it is."""
        return () if self["args"] is None else tuple(self["args"])

    def watched(self, name: str) -> Watched:
        """The function that is the argument `name`, as SciPy may call it."""
        watched = Watched(self[name])
        watched.uses_tensors = has_tensor(self["args"]) or has_tensor(self["kwargs"])
        return watched

    def run(self, **instead: Any) -> Any:
        """What SciPy's function returns, of plain arguments; nothing is recorded, but by functions in `instead`."""
        arguments = {name: without_tensors(x) for name, x in self.arguments.items()} | instead
        bound = inspect.BoundArguments(_signature(self.original)[0], arguments)
        return self.original(*bound.args, **bound.kwargs)

    def refuse(self, *names: str) -> None:
        """Raise for an argument of `names` that was given."""
        for name in names:
            given, default = self[name], self.defaults.get(name)
            if given is not default and not (np.isscalar(given) and given == default) and np.size(given):
                raise NotImplementedError(
                    f"{self.name}: {name} is not supported where the function that it is given uses Tensors; expected "
                    f"{default!r}"
                )

    def check_tensors(self, takes: Collection[str]) -> None:
        """Raise for a Tensor in an argument that is not one of `takes`."""
        for name, x in self.arguments.items():
            if name not in takes and has_tensor(x):
                raise NotImplementedError(
                    f"{self.name}: {name} holds a Tensor, with respect to which there is no derivative; expected plain "
                    "numbers. If none is wanted, pass tg.stop_gradient(...)"
                )


def public_name(original: Callable[..., Any]) -> str:
    """The name by which users know a function: scipy.optimize.root for scipy.optimize._root.root."""
    package, module = original.__module__.split(".")[:2]
    return f"{package}.{module}.{original.__name__}"


@functools.cache
def _signature(original: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """The signature of a function, and its defaults."""
    signature = inspect.signature(original)
    return signature, {p.name: p.default for p in signature.parameters.values() if p.default is not p.empty}


class Watched:
    """A function of the caller's that is given and returns plain arrays, and notes whether it computes Tensors."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)  # SciPy may ask for its signature
        self.function = function
        self.uses_tensors = False

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        if self.uses_tensors:
            with no_grad():
                return without_tensors(self.function(*args, **keywords))
        result = self.function(*args, **keywords)
        self.uses_tensors = not isinstance(result, float | np.ndarray) and has_tensor(result)
        return without_tensors(result)


def plain(function: Any) -> Any:
    """A function of the caller's that SciPy may call besides, such as `jac`; anything else is returned as it is."""
    if not callable(function):
        return function

    def called(*args: Any, **keywords: Any) -> Any:
        with no_grad():
            return without_tensors(function(*args, **keywords))

    return called


def has_tensor(x: Any, constants: bool = False) -> bool:
    """Whether there is a Tensor with a gradient to lose among the leaves of `x`; with `constants`, any Tensor."""
    if x is None or isinstance(x, _PLAIN):
        return False
    if isinstance(x, Tensor):
        return constants or not x.node.constant
    if isinstance(x, tuple | list):
        return any(has_tensor(item, constants) for item in x)
    if isinstance(x, dict) or dataclasses.is_dataclass(x):
        return any(has_tensor(leaf, constants) for leaf in tree.flatten(x).leaves)
    return False


def without_tensors(x: Any) -> Any:
    """`x` with the values of the Tensors in it."""
    return tree.map(without_graph, x) if has_tensor(x, constants=True) else x


def solves(
    original: Callable[..., Any], takes: Collection[str]
) -> Callable[[Callable[[Call], Any]], Callable[..., Any]]:
    """Make the decorated function, which takes a `Call` of `original`, its counterpart for functions that use Tensors.

    takes: the arguments that may hold Tensors. It is differentiated with respect to them, or does not depend on them,
    as on a first guess.

    Whether there is a Tensor in play, only the function that SciPy is to call can show. Much of SciPy is Python code,
    so Tensors could get through it and lose their gradient: it is given none.
    """

    def decorate(on_call: Callable[[Call], Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def counterpart(*args: Any, **keywords: Any) -> Any:
            if not recording.get():
                return original(*without_tensors(args), **without_tensors(keywords))
            call = Call(original, args, keywords)
            call.check_tensors(takes)
            return on_call(call)

        counterpart.__doc__ = f"As `{public_name(original)}`: {on_call.__doc__}"
        del counterpart.__wrapped__
        counterpart.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
        register(original, counterpart)
        return counterpart

    return decorate


def vector(x: Any) -> Any:
    """What a function returned, also a list of Tensors, as one axis."""
    if isinstance(x, list | tuple) and any(isinstance(item, Tensor) for item in x):
        x = np.stack(x)  # which `operand` would find out from an error
    return np.reshape(operand(x), -1)


def undifferentiable(value: Any, of: Any, name: str) -> Any:
    """`value`, which depends on what the Tensor `of` depends on, by a derivative that is not known.

    It can be compared and printed. A gradient through it raises.
    """
    value = np.asarray(value)
    if value.dtype.kind != "f" or not isinstance(of, Tensor):
        return value

    def cotangents(g: Any, out: Any, *operands: Any) -> list[Any]:
        raise GradientLostError(
            f"{name} has no derivative, and the result depends on it. Use its value, tg.stop_gradient(...), if it is "
            "to be constant"
        )

    return node_of(value[()], [of], cotangents, name)


def with_value(value: Any, result: Any, name: str) -> Any:
    """The Tensor `result` with the `value` that SciPy computed of it, which differs by rounding or by its accuracy."""
    if not isinstance(result, Tensor):
        return value
    return node_of(np.asarray(value, result.dtype)[()], [result], lambda g, out, x: [g], name)


def mark(result: dict[str, Any], of: Any, name: str, but: tuple[str, ...] = ()) -> None:
    """Let a gradient through what else SciPy returned, such as hess_inv, raise: it depends on Tensors too."""
    for key, value in list(result.items()):
        if key in but:
            continue
        if hasattr(value, "matvec"):
            del result[key]  # a linear operator would be used without any conversion
        elif isinstance(value, float | np.ndarray):
            result[key] = undifferentiable(value, of, f"{name}'s {key}")


def marked(results: Sequence[Any], of: Any, name: str) -> Sequence[Any]:
    """`results`, with the arrays among them, and in the dicts among them, marked."""
    for result in results:
        if isinstance(result, dict):
            mark(result, of, name)
    return [undifferentiable(x, of, f"{name}'s output") if isinstance(x, np.ndarray) else x for x in results]
