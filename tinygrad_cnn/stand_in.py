"""What stands for an array while a function is traced: see `lowering/`, which the engine knows by this alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


# What runs the rules of a reverse sweep while a function is traced, or None.
tracing: ContextVar[Any] = ContextVar("tracing", default=None)


class StandIn:
    """Stands for an array or a number: it has NumPy's interface, and no elements.

    example: an array or a number with its shape, dtype and layout
    To `isinstance` it is what it stands for, so that rules and forward functions take it for that.
    """

    __slots__ = ()
    example: Any

    def lift(self, x: Any) -> Any:
        """What stands for `x`, an array or a number, in the same trace."""
        raise NotImplementedError

    def call(self, primitive: Any, forward: Any, operands: Sequence[Any], static_args: dict[str, Any]) -> Any:
        """The result of `forward`, that of a primitive which is traced as one instruction."""
        raise NotImplementedError


def is_known(condition: Any) -> bool:
    """Whether a condition holds for the elements of an array. Of what is traced nothing is known: False."""
    return not isinstance(condition, StandIn) and bool(condition)


def as_one(primitive: Any, forward: Callable[P, R]) -> Callable[P, R]:
    """The forward function of an opaque primitive: called on a StandIn, it is one instruction."""

    @functools.wraps(forward)
    def called(*operands: P.args, **static_args: P.kwargs) -> R:
        for x in operands:
            if isinstance(x, StandIn):
                return x.call(primitive, forward, operands, static_args)  # type: ignore[no-any-return]
        return forward(*operands, **static_args)

    return called
