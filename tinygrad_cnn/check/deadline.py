"""How long a check may take. One object is passed down; nothing else looks at the clock.

What a verdict needs is done however long it takes. All else is done `until` the time is over: where it gets on by a
node, a line or a call, it asks whether there is `time_left`, and ends if there is none.
"""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any


class TimeOverError(BaseException):
    """The time is over. It is no Exception, so that user code that catches any Exception lets it pass."""


class Deadline:
    """When the time is over: so many seconds from now; None for never."""

    def __init__(self, seconds: float | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds, self.clock, self.began = math.inf if seconds is None else seconds, clock, clock()

    def passed(self) -> float:
        """The seconds since the beginning."""
        return self.clock() - self.began

    def left(self) -> float:
        """The seconds until it is over."""
        return self.seconds - self.passed()

    def is_over(self) -> bool:
        """Whether the time is over."""
        return self.seconds < math.inf and self.left() <= 0

    def share(self, part: float) -> Deadline:
        """The end of the first part of the time."""
        found = Deadline(self.seconds * part, self.clock)
        found.began = self.began
        return found


@contextlib.contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """Within it, `time_left` ends what is done when the time is over. Within `until(NEVER)`, nothing is ended."""
    token = _deadline.set(deadline if deadline.seconds < math.inf else None)
    try:
        yield
    except TimeOverError:
        pass
    finally:
        _deadline.reset(token)


def time_left(seconds: float = 0.0) -> None:
    """End what is done `until` a deadline, if no more than so many seconds are left."""
    deadline = _deadline.get()
    if deadline is not None and deadline.left() <= seconds:
        raise TimeOverError


def timed(function: Callable[..., Any], deadline: Deadline) -> Callable[..., Any]:
    """A function that is not called when less time is left than its last call took."""
    took = 0.0

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        nonlocal took
        time_left(took)
        began = deadline.passed()
        result = function(*args, **keywords)
        took = deadline.passed() - began
        return result

    return call


NEVER = Deadline()

_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Effort:
    """How much may be tried: so many operations of NumPy on small arrays, until a deadline.

    They are counted, so that what is found does not depend on what else a machine is running.
    """

    def __init__(self, operations: float, deadline: Deadline | None = None, of: Effort | None = None) -> None:
        self.operations, self.deadline, self.of = operations, deadline or Deadline(), of
        self.spent = 0.0
        self.ended = False

    def spend(self, operations: float) -> None:
        """Count operations."""
        self.spent += operations
        if self.of is not None:
            self.of.spend(operations)

    def is_over(self, share: float = 1.0) -> bool:
        """Whether nothing more may be tried; of a share of it."""
        over = self.spent >= share * self.operations or self.deadline.is_over()
        self.ended = self.ended or over
        return over

    def part(self, operations: float, at_least: float = 0.0) -> Effort:
        """So much of it, if there is as much left; a little there always is, until the deadline."""
        return Effort(max(at_least, min(operations, self.operations - self.spent)), self.deadline, self)
