"""Errors about what others' code does with a Tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_cnn.advice.callers import Caller, calls_into_engine


class Refusal:
    """The text of an error, as the only argument of the exception: worked out when somebody reads it.

    That reads the source of the call, which takes milliseconds, while most of these errors are caught by a library
    that goes on in another way. Until then it refers to the frames of the call, as a traceback does.
    """

    __slots__ = ("_calls", "_details", "_explain", "_text")

    def __init__(self, explain: Callable[..., str], *details: Any) -> None:
        self._explain, self._details = explain, details
        self._calls: list[Caller] = calls_into_engine()
        self._text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._explain(self._calls, *self._details)
            self._calls, self._details = [], ()
        return self._text

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> Any:
        return str, (str(self),)
