"""Python's collector of cyclic garbage, asked to run seldom while many small objects are made that live on.

A graph of ten thousand nodes makes it search all of them again and again, for a third of the time of a cross-check.
Nodes that nobody needs are freed by their reference counts.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 200_000  # objects more than were freed, before it runs; Python's own threshold is 700 to 2,000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it, the collector runs seldom; a threshold that is larger already, or 0 for never, stays."""
    before = gc.get_threshold()
    if 0 < before[0] < SELDOM:
        gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
