"""What the rules of special functions have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn.engine.graph import Array
from tinygrad_cnn.engine.primitive import Primitive, Rule

# One rule for each operand; of a ufunc of several outputs, one such tuple for each of them.
Rules = tuple[Any, ...]


def unsupported(function: str, argument: str) -> Rule:
    """The rule for an operand by which the derivative has no closed form: it raises NotImplementedError."""

    def rule(g: Array, out: Array, *operands: Array, **static_args: Any) -> Array:
        raise NotImplementedError(
            f"scipy.special.{function}: the derivative with respect to {argument} has no closed form and is not "
            f"supported. Pass {argument} as a plain number or array"
        )

    return rule


def outputs(ufunc: np.ufunc, rules: Sequence[Sequence[Rule]]) -> Callable[..., tuple[Any, ...]]:
    """The implementation of a ufunc of several outputs: a primitive for each of them."""

    def output(k: int) -> Primitive[..., Array]:
        def of_one(x: Array, /) -> Array:
            return ufunc(x)[k]

        def of_two(x: Array, y: Array, /) -> Array:
            return ufunc(x, y)[k]

        made: Primitive[..., Array] = Primitive(
            of_one if ufunc.nin == 1 else of_two, ufunc.__name__, elementwise=True, singular=True, pure=True
        )
        made.defvjp(*rules[k])
        return made

    made = [output(k) for k in range(ufunc.nout)]
    return lambda *operands: tuple([each(*operands) for each in made])
