"""How long a check may take. One object is passed down; nothing else looks at the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


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
