"""Debug mode: which step produces the first NaN or Inf, forward or backward, and whether a new rule is right."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any

import numpy as np

from tinygrad_cnn.check.witnesses.rule_check import rule_slope
from tinygrad_cnn.engine.graph import Array, Mode, Node, recording, source_line


class debug:  # noqa: N801 (used as a word, like no_grad)
    """A context in which the first NaN or Inf raises FloatingPointError, and newly declared rules are checked.

    The error names the primitive that produced it, its operands and the line of the call. Results are checked, and the
    cotangents that rules return. A NaN in a constant or a leaf raises too; an Inf does not, because a mask of -inf is
    no mistake. A rule is compared with finite differences when it is declared, on the `example` of its declaration, or
    on matrices, a vector and a number if there is none. A RuntimeWarning reports a loss of precision in a rule, such as
    that of eigenvectors when eigenvalues are nearly equal.

    >>> import numpy as np, tinygrad_cnn as tg
    >>> with tg.debug():
    ...     np.log(tg.Tensor([1.0, 0.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
      ...
    FloatingPointError: log produced the first inf: element (1,) is -inf, for operand 0.0
        in <module>, line 2 of <...>
    """

    def __init__(self) -> None:
        self._open: list[tuple[Token[Any], np.errstate]] = []

    def __enter__(self) -> None:
        errors = np.errstate(all="ignore")  # debug mode reports what NumPy would warn of, with the line
        errors.__enter__()
        self._open.append((recording.set(_Watch()), errors))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        token, errors = self._open.pop()
        errors.__exit__(kind, error, at)
        recording.reset(token)


class _Watch(Mode):
    """The events that debug mode checks: a node made, a cotangent passed on, rules declared."""

    def made(self, node: Node) -> None:
        """Raise if the value of `node` has the first NaN or Inf."""
        name = node.primitive.__name__
        value: Any
        operands: Sequence[Any]
        if node.primitive.overwriting is not None:
            value, operands = node.operands[1], ()  # only these elements are new; to look at all would be slow
        else:
            value, operands = node.value, node.operands
        bad = _first_bad(value)
        if bad is None:
            return
        index, kind = bad
        tainted = [x for x in operands if _is_bad(x)]
        if tainted and kind == "inf":
            return
        came = "a constant or a leaf introduced" if tainted or not operands else f"{name} produced"
        what = f"element {index} of the result of {name} is {np.asarray(value)[index]}"
        if not tainted and operands:
            inputs = [np.asarray(x)[index] for x in operands if np.shape(x) == np.shape(value)]
            what = f"element {index} is {np.asarray(value)[index]}" + (
                f", for operand{'s' if len(inputs) > 1 else ''} {', '.join(map(str, inputs))}" if inputs else ""
            )
        raise FloatingPointError(f"{came} the first {kind}: {what}\n    {_place(node)}")

    def passed(self, node: Node, position: int, g: Array, cotangent: Array) -> None:
        """Raise if the cotangent that a rule returned has the first NaN or Inf; warn if it is inaccurate."""
        if node.primitive.doubt is not None:
            values = [_value(x) for x in node.operands]
            doubt = node.primitive.doubt(_value(g), node.value, *values, **node.static_args)
            if doubt:
                warnings.warn(f"{doubt}\n    {_place(node)}", RuntimeWarning, stacklevel=2)
        bad = _first_bad(_value(cotangent))
        if bad is None or _is_bad(_value(g)):
            return
        index, kind = bad
        operand = node.operands[position]
        at = f" {np.asarray(operand)[index]}" if np.shape(operand) == np.shape(cotangent) else ""
        raise FloatingPointError(
            f"backward: the rule of {node.primitive.__name__} for operand {position} produced the first {kind}: "
            f"element {index} of its cotangent, where the operand is{at or ' of another shape'}\n    {_place(node)}"
        )

    def declared(self, primitive: Any, example: Sequence[Any] | None) -> None:
        """Compare the rules of `primitive` with finite differences, and raise ValueError where they differ."""
        rng = np.random.default_rng(0)
        conclusive = isinstance(primitive.rules, tuple) and not any(primitive.rules)  # without a rule, none is wrong
        for args in [example] if example is not None else _examples(primitive, rng):
            arity = len(args) if primitive.arity is None else primitive.arity
            operands = [np.array(x, float) for x in args[:arity]]
            for x in operands:
                x.flags.writeable = False  # what writes to what it was given raises
            static_args = dict(zip(primitive.static_args, args[arity:], strict=False))
            for position in range(arity):
                if primitive.rules[position] is None:
                    continue
                slope = rule_slope(primitive, operands, static_args, position, rng)
                conclusive = conclusive or slope is not None
                if slope is not None and not slope.agree:
                    raise ValueError(
                        f"the rule of {primitive.__name__} for operand {position} is not its derivative: at operands "
                        f"of shape {operands[position].shape}, {slope}"
                    )
        if not conclusive:
            raise ValueError(
                f"debug: the rules of {primitive.__name__} take none of the default operands, so they were not "
                "checked. Pass operands, as in .defvjp(rule, example=(np.ones((2, 3)), 1))"
            )


def _examples(primitive: Any, rng: np.random.Generator) -> Iterator[Sequence[Any]]:
    """Operands of several shapes that the primitive takes."""
    for shape in ((2, 3), (3, 3), (3,), ()):
        drawn = [rng.uniform(0.2, 0.8, shape) for _ in range(2 if primitive.arity is None else primitive.arity)]
        try:
            primitive.forward(*drawn)
        except Exception:
            continue
        yield drawn


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
