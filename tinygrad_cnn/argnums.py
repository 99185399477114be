"""Which arguments a derivative is with respect to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tinygrad_cnn.advice.arguments import wrong_argnums

Function = Callable[..., Any]
ArgNums = int | tuple[int, ...]  # one, or several


def with_respect_to(
    argnums: ArgNums, function: Function, args: tuple[Any, ...], keywords: dict[str, Any], caller: str
) -> tuple[Function, Any, str, str]:
    """`function` as a function of its argument(s) `argnums` alone; these arguments; and two names for error messages.

    The names are that of the argument and that of the transform, `caller`.
    """
    places = places_of(argnums, len(args), caller)
    if not isinstance(argnums, tuple | list):
        (place,) = places
        return lambda x: function(*args[:place], x, *args[place + 1 :], **keywords), args[place], "", caller

    def of_chosen(chosen: Any) -> Any:
        arguments = list(args)
        for place, argument in zip(places, chosen, strict=True):
            arguments[place] = argument
        return function(*arguments, **keywords)

    return of_chosen, tuple([args[place] for place in places]), "argument", caller


def places_of(argnums: ArgNums, count: int, caller: str) -> list[int]:
    """`argnums` as places among `count` arguments, none of them negative."""
    if isinstance(argnums, int) and 0 <= argnums < count:
        return [argnums]
    if not count:
        raise ValueError(f"{caller}: no positional argument was given; expected one to differentiate with respect to")
    try:
        given = [operator.index(i) for i in (argnums if isinstance(argnums, tuple | list) else [argnums])]
    except TypeError:
        raise TypeError(f"{caller}: argnums is {argnums!r}; expected an integer or a tuple of integers") from None
    places = [i + count if i < 0 else i for i in given]
    if len(set(places)) < len(places) or not all(0 <= place < count for place in places):
        raise ValueError(wrong_argnums(caller, argnums, count))
    return places
