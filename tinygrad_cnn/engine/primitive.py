"""What a primitive is: a NumPy function and, for each operand, a vector-Jacobian product written in plain NumPy.

    @primitive
    def softplus(x, /):
        return np.logaddexp(0, x)

    softplus.defvjp(lambda g, out, x: g * sigmoid(x))

A rule is given the cotangent `g` of the result, the result `out`, and then exactly what the forward function was given;
it returns the cotangent of one operand. Because Tensors take NumPy's functions, a rule has no need to know whether it
is run on arrays (an ordinary gradient: nothing is recorded, at full speed) or on Tensors (a gradient that will itself
be differentiated). So there is one rule, not two, and derivatives of every order follow from it.

A rule is straight-line code: it may branch on shapes and static arguments, not on the numbers in an array. Neither it
nor the forward function writes into an array that it was given, for others have that array too: a value or a cotangent
that is given to a user's primitive is read-only.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, Unpack, overload

import numpy as np

from tinygrad_cnn.advice.arguments import no_plain_array, static_tensor
from tinygrad_cnn.advice.refusals import Refusal
from tinygrad_cnn.declarations import Declarations, Declared
from tinygrad_cnn.engine.graph import Array, Constant, Handle, Node, differentiating, recording
from tinygrad_cnn.stand_in import StandIn, as_one

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Rule = Callable[..., Array]

# From a NumPy function, as a user calls it, to what computes it on Tensors: a primitive, or an ordinary function that
# is written in terms of primitives. A ufunc's method has the key (ufunc, "reduce").
implementations: dict[Any, Callable[..., Any]] = {}
# What calls a "ufunc" or a "function" with keywords such as out=; `numpy_functions/keywords.py` fills it in.
keyword_calls: dict[str, Callable[..., Any]] = {}
# Asked for a ufunc that is not among them, of a package that is not ours to import. They declare it, or give None.
finders: list[Callable[[np.ufunc], Callable[..., Any] | None]] = []

_FLOAT64 = np.dtype(np.float64)
_FIXED = frozenset([int, float, bool, str, slice, type(None), type(Ellipsis), type, np.dtype])
_NUMBERS = (float, int, np.generic, StandIn)
_NEVER_COPIED = _FIXED | {np.float64}
_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.negative: operator.neg,
}  # fmt: skip
OPERANDS = (np.ndarray, Handle, *_NUMBERS)  # what needs to be made no array of
_new, _ndarray, _float64 = object.__new__, np.ndarray, np.float64


class Primitive(Declarations, Generic[P, R]):
    """A function whose derivative is known. Call it as the function that it is.

    Operands, which gradients flow to, are the arguments before the `/` of the forward function's signature (all of
    them where it takes `*arrays`). What stands behind the `/` is a static argument: a number, a shape, an axis.

    What anything else has to know of it is declared beside its forward function, and looked up here by every tool:

        primitive(...)   whether it is elementwise, pure, ...
        defvjp           its rules
        defkink          where it is not differentiable
        defflops         how many floating-point operations it takes
        defdoubt         where its rule loses its digits
        defmistake       wrong rules that people write
    """

    def __init__(self, forward: Callable[P, R], name: str | None = None, **declared: Unpack[Declared]) -> None:
        functools.update_wrapper(self, forward)
        self.__name__ = name or forward.__name__.lstrip("_")  # what is private is so to code, not to a reader
        self.arity, self.static_args, self.defaults = _signature(forward)
        self.rules: Sequence[Rule | None] = _Undeclared(self.__name__)
        self._declare(declared)
        self.forward = as_one(self, forward) if self.opaque else forward
        # Of numbers, the operator takes a tenth of the time of the ufunc.
        self.compute: Callable[..., Any] = _OPERATORS.get(forward, self.forward)
        # Whether it picks from an array or writes to it in part. Such have one rule more: see `sweep.py`.
        self.in_part = False
        self.adding: Rule | None = None
        self.overwriting: Rule | None = None

    def defvjp(
        self, *rules: Rule | None, example: Sequence[Any] | None = None, factors: Sequence[str] = ()
    ) -> Rule | None:
        """Declare the rules, one for each operand in order; None where an operand has no derivative.

        example: arguments to check the rules on, in debug mode. factors: if it is elementwise, how a text writes the
        derivative by each operand, which a rule multiplies the cotangent by, such as "out (1 - out)".
        """
        if len(rules) != self.arity:
            raise TypeError(
                f"{self.__name__}.defvjp: {len(rules)} rules given for {self.arity} operands; expected one for each"
            )
        self.rules, self.factors = rules, factors
        self._tell_that_it_is_declared(example)
        return rules[0]

    def defvjp_argnum(self, rule: Rule, example: Sequence[Any] | None = None) -> Rule:
        """Declare one rule for all operands of a primitive of `*arrays`; its first argument says which is meant."""
        self.rules = OfEach(rule)
        self._tell_that_it_is_declared(example)
        return rule

    def _tell_that_it_is_declared(self, example: Sequence[Any] | None) -> None:
        mode = recording.get()
        if mode and mode is not True:
            mode.declared(self, example)

    def defvjp_in_part(self, adding: Rule | None = None, overwriting: Rule | None = None) -> None:
        """Declare how the sweep goes through a primitive that picks from its operand 0 (adding) or writes to it."""
        self.in_part, self.adding, self.overwriting = True, adding, overwriting

    def __call__(self, *operands: P.args, **static_args: P.kwargs) -> R:
        """The result: an array if all operands are, else a Tensor, whose node is recorded here."""
        if len(operands) != self.arity and self.arity is not None:
            operands = self._bind(operands, static_args)  # type: ignore[assignment]
        handle: Any = None
        values: list[Any] = []
        sources = []
        plain = []  # positions of what may have to be copied
        kind = Node
        for position, x in enumerate(operands):
            if isinstance(x, Handle):
                handle, node = x, x.node
                sources.append((position, node))
                if node.constant:
                    kind = Constant
                x = node.value
            elif type(x) not in _NEVER_COPIED:
                plain.append(position)
                if type(x) is not _ndarray and not isinstance(x, _NUMBERS):
                    x = operand(x)
                    if isinstance(x, Handle):  # made of a list of Tensors
                        return self(*map(operand, operands), **static_args)
            values.append(x)
        if handle is None:
            return self.forward(*values, **static_args)
        mode = recording.get()
        value: Any
        if mode is not True and mode and (before := mode.before(self, values, sources, static_args)) is not None:
            values, static_args, value = before.operands, before.static_args, before.value
        else:
            if not self.pure:  # of ours none writes to an operand
                for _, node in sources:
                    node.value.setflags(write=False)
            value = self.compute(*values, **static_args) if static_args else self.compute(*values)
            if not mode:
                if isinstance(value, np.ndarray) and value.base is not None and _may_share(value, values):
                    value.flags.writeable = False  # it may be a view of what a node holds
                return value  # type: ignore[no-any-return]
            for position in plain:
                values[position] = constant(values[position])
            if static_args:
                for name, x in static_args.items():
                    if type(x) not in _FIXED:
                        if isinstance(x, Handle):
                            raise TypeError(static_tensor(self.__name__, name))
                        static_args[name] = fixed(x)
            if type(value) is not _float64 and (type(value) is not _ndarray or value.dtype is not _FLOAT64):
                value = _floats(value, self)
        if kind is Constant:
            live = [source for source in sources if not source[1].constant]
            if live:
                kind, sources = Node, live
            elif not differentiating.get():  # it outlived the transform in which it was made
                return value.copy() if value.base is not None else value  # type: ignore[no-any-return]
        result = _new(type(handle))
        result.node = kind(self, values, sources, static_args, value)
        result._view = None
        if mode is not True:
            mode.made(result.node)
        if len(values) == 1 and value.base is not None and (self.view_or_copy or is_part(value, values[0])):
            return handle.follow(result)  # type: ignore[no-any-return]
        return result  # type: ignore[no-any-return]

    def _bind(self, operands: tuple[Any, ...], static_args: dict[str, Any]) -> tuple[Any, ...]:
        """The operands alone: what was passed by position behind them goes to `static_args`, by its name."""
        for name, x in zip(self.static_args, operands[self.arity :], strict=False):
            if name in static_args:
                raise TypeError(f"{self.__name__}() got multiple values for argument {name!r}")
            static_args[name] = x
        most = self.arity + len(self.static_args)  # type: ignore[operator]
        if len(operands) > most:
            raise TypeError(f"{self.__name__}() takes at most {most} arguments, but {len(operands)} were given")
        return operands[: self.arity]

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}{_written(self.forward)}>"


class OfEach(Sequence[Rule]):
    """The rules of a primitive that takes any number of operands."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __getitem__(self, position: Any) -> Any:
        return functools.partial(self.rule, position)

    def __len__(self) -> int:
        return sys.maxsize


class _Undeclared(Sequence[Rule]):
    """The rules of a primitive that has none yet."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, position: Any) -> Any:
        raise NotImplementedError(
            f"{self.name}: no VJP has been declared. Declare a rule for each operand, in order:\n"
            f"    {self.name}.defvjp(lambda g, out, ...: ...)"
        )

    def __len__(self) -> int:
        return 0


@overload
def primitive(forward: Callable[P, R], /) -> Primitive[P, R]: ...
@overload
def primitive(
    *, name: str | None = ..., **declared: Unpack[Declared]
) -> Callable[[Callable[P, R]], Primitive[P, R]]: ...
def primitive(
    forward: Callable[..., Any] | None = None, /, *, name: str | None = None, **declared: Unpack[Declared]
) -> Any:
    """Declare a primitive by its forward function, which is written in plain NumPy; its `defvjp` declares the rules.

    name          its name in pictures and reports; by default that of the function
    broadcasts    its operands broadcast: the cotangent that a rule returns is summed over the broadcast axes
    elementwise   each element of the result depends on one element of each operand; the operands broadcast
    singular      its slope is infinite or undefined at some finite operands, as that of a square root at 0
    moves         it only moves, repeats or drops elements
    bilinear      it is linear in each of its two operands, like a product
    windowed      it takes windows of the last two axes, given by its arguments `window` and `stride`
    complex       its rules are valid for complex numbers too
    pure          its result depends on its arguments alone, so the cross-check can reuse it
    view_or_copy  it returns a view or a copy of its operand, depending on the memory layout of that
    opaque        its forward function cannot be traced: in a program (`tg.program`) it is one instruction
    implied       names of static arguments that follow from shapes: the short label in a picture omits them
    kind          what it is in a network, which gives it its colour in a picture: "convolution", "activation",
                  "pooling", "linear", "normalisation" or "loss"

    Its methods `defkink` and `defflops` declare where it is not differentiable, and how many operations it costs.

    The result is a new array, or a view of the only operand, such as x[1:]: that one changes with its base. If the
    forward function returns an operand itself, or a view of one of several, the result is treated as a copy of it.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> @tg.primitive
    ... def softplus(x, /):
    ...     return np.logaddexp(0, x)
    >>> _ = softplus.defvjp(lambda g, out, x: g * tg.sigmoid(x))
    >>> float(tg.grad(softplus)(0.0))
    0.5
    >>> @tg.primitive(elementwise=True, pure=True)
    ... def squared_error(x, y, /):
    ...     return (x - y) ** 2
    >>> _ = squared_error.defvjp(lambda g, out, x, y: 2 * g * (x - y), lambda g, out, x, y: 2 * g * (y - x))
    >>> tg.grad(lambda x: np.sum(squared_error(x, np.ones((4, 2)))))(np.array([1.0, 2.0]))
    array([0., 8.])
    """
    if forward is None:
        return functools.partial(Primitive, name=name, **declared)
    return Primitive(forward, name, **declared)


def implements(*functions: Any) -> Callable[[F], F]:
    """Register the decorated function or primitive as the implementation of NumPy's `functions` for Tensors.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> @tg.implements(np.polymul)
    ... def polymul(a1, a2):
    ...     return np.convolve(a1, a2)
    >>> tg.grad(lambda a: np.polymul(a, [1.0, 2.0])[1])(np.array([3.0, 1.0]))
    array([2., 1.])
    """

    def register(implementation: F) -> F:
        for function in functions:
            implementations[function] = implementation
        return implementation

    return register


def elementwise(
    ufunc: np.ufunc, *rules: Rule | None, factors: Sequence[str] = (), **declared: Unpack[Declared]
) -> Primitive[..., Array]:
    """The primitive of a ufunc, from one rule for each operand; broadcasting is undone for every rule."""
    declared["elementwise"] = declared["pure"] = True
    made: Primitive[..., Array] = Primitive(ufunc, **declared)
    made.defvjp(*rules, factors=factors)
    implementations[ufunc] = made
    return made


def operand(x: Any) -> Any:
    """`x`, but as an array if it is a list, a tuple, or something else of which NumPy's functions make an array.

    Such is a column of pandas, or a tensor of another library. Tensors in lists are stacked to one Tensor. Raises
    TypeError for an array of a kind that means something else by its elements, or by its operators.
    """
    if type(x) is _ndarray or isinstance(x, (Handle, *_NUMBERS)):
        return x
    if isinstance(x, np.ndarray):
        if not isinstance(x, np.memmap) and not (isinstance(x, np.ma.MaskedArray) and not np.any(x.mask)):
            raise TypeError(Refusal(no_plain_array, type(x)))
    elif isinstance(x, list | tuple):
        return _of_list(x)
    elif not hasattr(x, "__array__"):
        return x
    try:
        return np.asarray(x)
    except ValueError:
        held = x.__array__()  # an array that adopted code made within a transform is a Tensor
        if isinstance(held, Handle):
            return held
        raise


def _of_list(x: Any) -> Any:
    try:
        return np.asarray(x)
    except TypeError:  # as a Tensor in it raises
        items = [operand(item) for item in x]
        if not any(isinstance(item, Handle) for item in items):
            raise
    return implementations[np.array](x)


def constant(x: Any) -> Any:
    """`x` as a constant of the graph: a copy, so that a change of what was given afterwards changes nothing here.

    An array that cannot be written to, and is not a view of another, is taken as it is: setting
    `x.flags.writeable = False` saves the copy of a large one.
    """
    if isinstance(x, np.ndarray):
        if x.flags.writeable or x.base is not None:
            x = x.copy("K")
            x.setflags(write=False)
    elif isinstance(x, list | tuple) or (hasattr(x, "__setitem__") and not isinstance(x, StandIn)):
        x = np.array(x)  # also of an `array.array`, and of a table of another library
        x.setflags(write=False)
    return x


def fixed(x: Any) -> Any:
    """A copy of a static argument, with the arrays, lists and dicts in it, that later changes do not affect."""
    if type(x) is tuple and _FIXED.issuperset(map(type, x)):  # a shape, axes
        return x
    if isinstance(x, np.ndarray):
        return constant(x)
    if isinstance(x, list) or type(x) is tuple:
        return type(x)([fixed(item) for item in x])
    if isinstance(x, dict):
        return {name: fixed(item) for name, item in x.items()}
    return x


def is_part(value: Any, of: Any) -> bool:
    """Whether the memory of `value`, an array with a base, is that of the array `of` too."""
    return value.base is of or (isinstance(of, np.ndarray) and value.base is of.base)


def _may_share(value: Any, operands: Sequence[Any]) -> bool:
    return any(isinstance(x, np.ndarray) and np.may_share_memory(value, x) for x in operands)


def to_values(x: Any) -> Any:
    """`x` with every Tensor in it, also within lists and tuples, replaced by its value."""
    if isinstance(x, Handle):
        return x.node.value
    if isinstance(x, list | tuple) and any(isinstance(item, Handle | list | tuple) for item in x):
        return type(x)([to_values(item) for item in x])
    return x


def checked(value: Any, primitive: Any) -> Any:
    """The value of a primitive, as a node may hold it."""
    if type(value) is _float64 or (type(value) is _ndarray and value.dtype is _FLOAT64):
        return value
    return _floats(value, primitive)


def _floats(value: Any, made_by: Any) -> Any:
    """`value` as a node may hold it, an array or NumPy scalar of floats, or an error that says why it cannot."""
    if isinstance(value, list | tuple | Handle):  # a Tensor: of a closure, or within a static argument
        raise TypeError(
            f"{made_by.__name__}: the forward function returned a {type(value).__name__}; expected one array"
        )
    if not isinstance(value, np.ndarray | np.generic):
        value = np.asarray(value)
    if value.dtype.kind == "f":
        return value
    if value.dtype.kind == "c" and getattr(made_by, "complex", False):
        return value
    why = "the primitive is not declared with complex=True" if value.dtype.kind == "c" else "gradients need floats"
    raise TypeError(f"{made_by.__name__}: the result for a Tensor has dtype {value.dtype}; expected floats, as {why}")


def _written(function: Callable[..., Any]) -> str:
    """The parameters of `function` as they are written, without types; of a ufunc, whose `out` is not ours, ""."""
    if isinstance(function, np.ufunc):
        return ""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in inspect.signature(function).parameters.values()]
    return str(inspect.Signature(bare))


def _signature(function: Callable[..., Any]) -> tuple[int | None, tuple[str, ...], dict[str, Any]]:
    """The number of operands of `function` (None: any number), the names of its static arguments, their defaults."""
    if isinstance(function, np.ufunc):
        return function.nin, (), {}
    parameters = inspect.signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None, (), defaults
    arity = sum(p.kind is p.POSITIONAL_ONLY for p in parameters)
    if not arity:
        raise TypeError(
            f"primitive: {function.__name__} has no operands; expected a / after the arguments that gradients flow to, "
            "as in def f(x, /, axis)"
        )
    return arity, tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD), defaults
