"""Debug mode: who made the first NaN or Inf, forward or backward, and whether a new rule is right."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextvars import Token
from types import TracebackType
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array, Mode, Node, recording, source_line


class debug:  # noqa: N801 (used as a word, like no_grad)
    """Within, the first NaN or Inf raises FloatingPointError, and a rule that is declared is held against differences.

    The error says which primitive made it, of what, and on which line it was called. What is checked: results, and the
    cotangents that rules give. An Inf that comes in from outside is let pass (a mask of -inf is no mistake), a NaN is
    not. A rule is checked on the `example` that its declaration gives, or on a matrix and on a number if there is none.
    A RuntimeWarning says where a rule loses its digits, as that of eigenvectors of eigenvalues that are nearly equal.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> with tg.debug():
    ...     np.log(tg.Tensor([1.0, 0.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
      ...
    FloatingPointError: log made the first inf: element (1,) is -inf, of operand 0.0
        in <module>, line 2 of <...>
    """

    def __init__(self) -> None:
        self._open: list[tuple[Token[Any], np.errstate]] = []

    def __enter__(self) -> None:
        errors = np.errstate(all="ignore")  # what NumPy would warn of is said here, and better
        errors.__enter__()
        self._open.append((recording.set(_Watch()), errors))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        token, errors = self._open.pop()
        errors.__exit__(kind, error, at)
        recording.reset(token)


class _Watch(Mode):
    """What the engine tells of in debug mode: a node made, a cotangent passed on, rules declared."""

    def made(self, node: Node) -> None:
        """Raise if the value of `node` has the first NaN or Inf."""
        name = node.primitive.__name__
        value: Any
        operands: Sequence[Any]
        if node.primitive.overwriting is not None:
            value, operands = node.operands[1], ()  # only this part is new, and the whole is not to be looked at
        else:
            value, operands = node.value, node.operands
        bad = _first_bad(value)
        if bad is None:
            return
        index, kind = bad
        tainted = [x for x in operands if _is_bad(x)]
        if tainted and kind == "inf":
            return
        came = "a constant, or a Tensor made by hand, brought in" if tainted or not operands else f"{name} made"
        what = f"element {index} of the result of {name} is {np.asarray(value)[index]}"
        if not tainted and operands:
            inputs = [np.asarray(x)[index] for x in operands if np.shape(x) == np.shape(value)]
            what = f"element {index} is {np.asarray(value)[index]}" + (
                f", of operand{'s' if len(inputs) > 1 else ''} {', '.join(map(str, inputs))}" if inputs else ""
            )
        raise FloatingPointError(f"{came} the first {kind}: {what}\n    {_place(node)}")

    def passed(self, node: Node, position: int, g: Array, cotangent: Array) -> None:
        """Raise if the cotangent that a rule gave has the first NaN or Inf; warn if the primitive doubts it."""
        if node.primitive.doubt is not None:
            values = [_value(x) for x in node.operands]
            doubt = node.primitive.doubt(_value(g), node.value, *values, **node.settings)
            if doubt:
                warnings.warn(f"{doubt}\n    {_place(node)}", RuntimeWarning, stacklevel=2)
        bad = _first_bad(_value(cotangent))
        if bad is None or _is_bad(_value(g)):
            return
        index, kind = bad
        operand = node.operands[position]
        at = f" {np.asarray(operand)[index]}" if np.shape(operand) == np.shape(cotangent) else ""
        raise FloatingPointError(
            f"backward, the rule of {node.primitive.__name__} for operand {position} made the first {kind}: element "
            f"{index} of its cotangent, where the operand is{at or ' of another shape'}\n    {_place(node)}"
        )

    def declared(self, primitive: Any, example: Sequence[Any] | None) -> None:
        """Hold the rules of `primitive` against central differences, and raise ValueError where they differ."""
        rng = np.random.default_rng(0)
        examples: list[Sequence[Any]] = [example] if example is not None else []
        if example is None:
            arity = 2 if primitive.arity is None else primitive.arity
            for shape in ((2, 3), (3, 3), (3,), ()):
                drawn = [rng.uniform(0.2, 0.8, shape) for _ in range(arity)]
                try:
                    primitive.forward(*drawn)
                except Exception:
                    continue
                examples.append(drawn)
        if not examples:
            raise ValueError(
                f"debug mode has no operands to check the rules of {primitive.__name__} on: "
                "give them, as in .defvjp(rule, example=(np.ones((2, 3)), 1))"
            )
        for operands in examples:
            _check(primitive, list(operands), rng)


_STENCIL = {-3: -1 / 60, -2: 3 / 20, -1: -3 / 4, 1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
_STEP = 1e-3


def _check(primitive: Any, args: list[Any], rng: np.random.Generator) -> None:
    arity = len(args) if primitive.arity is None else primitive.arity
    operands = [np.array(x, float) for x in args[:arity]]
    for x in operands:
        x.flags.writeable = False
    settings = dict(zip(primitive.settings, args[arity:], strict=False))
    out = np.asarray(primitive.forward(*operands, **settings))
    g = rng.standard_normal(out.shape)
    g.flags.writeable = False  # what writes into what it was given raises
    for position, rule in enumerate([primitive.rules[k] for k in range(arity)]):
        if rule is None:
            continue
        name, direction = f"{primitive.__name__} for operand {position}", rng.standard_normal(operands[position].shape)

        def moved(t: float, position: int = position, direction: Array = direction) -> Array:
            shifted = [x + t * direction if k == position else x for k, x in enumerate(operands)]
            return np.asarray(primitive.forward(*shifted, **settings))

        slope = sum(weight * moved(k * _STEP) for k, weight in _STENCIL.items()) / _STEP
        expected = float(np.sum(g * slope))
        cotangent = np.asarray(rule(g, out[()], *operands, **settings))
        if not primitive.broadcasts and cotangent.shape != operands[position].shape:
            raise ValueError(
                f"the rule of {name} gave a cotangent of shape {cotangent.shape}, but the operand has shape "
                f"{operands[position].shape}"
            )
        found = float(np.sum(cotangent * direction))
        if not abs(found - expected) <= 1e-6 * max(1.0, abs(expected)):
            raise ValueError(
                f"the rule of {name} is not its derivative: along a random direction, at operands of shape "
                f"{operands[position].shape}, it gives {found:.9g}, but differences give {expected:.9g}"
            )


def _value(x: Any) -> Any:
    return x.node.value if hasattr(x, "node") else x


def _is_bad(x: Any) -> bool:
    return isinstance(x, float | np.ndarray | np.generic) and not np.all(np.isfinite(x))


def _first_bad(x: Any) -> tuple[tuple[int, ...], str] | None:
    if not _is_bad(x):
        return None
    x = np.asarray(x)
    nan = np.isnan(x)
    where = np.argwhere(nan if nan.any() else ~np.isfinite(x))[0]
    return tuple(int(i) for i in where), "nan" if nan.any() else "inf"


def _place(node: Node) -> str:
    file, rest = source_line(node).rsplit(":", 1)
    line, name = rest.split(" in ", 1)
    return f"in {name}, line {line} of {file}"
