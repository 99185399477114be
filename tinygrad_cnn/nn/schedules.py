"""Schedules: learning rates as functions of the step, counted from 0. An optimiser takes one as its learning rate.

A step may be a number or an array, such as the count in the state of an optimiser in a compiled function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Schedule = Callable[[Any], Any]


def constant_schedule(rate: float) -> Schedule:
    """The same rate at every step.

    >>> import tinygrad_cnn as tg
    >>> tg.nn.constant_schedule(0.1)(1000)
    0.1
    """
    return lambda step: rate


def step_schedule(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """`rate`, multiplied by `factor` after each `every` steps. Raises ValueError if `every` is not positive.

    >>> import tinygrad_cnn as tg
    >>> [float(tg.nn.step_schedule(8.0, every=10, factor=0.5)(step)) for step in (0, 9, 10, 25)]
    [8.0, 8.0, 4.0, 2.0]
    """
    _positive("step_schedule", "every", every)
    return lambda step: rate * factor ** (step // every)


def cosine_schedule(rate: float, steps: int, final: float = 0.0) -> Schedule:
    """From `rate` to `final` in `steps` steps along half a cosine, and `final` after that.

    Raises ValueError if `steps` is not positive.

    Source: I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> import tinygrad_cnn as tg
    >>> [round(float(tg.nn.cosine_schedule(1.0, steps=10)(step)), 3) for step in (0, 5, 10, 99)]
    [1.0, 0.5, 0.0, 0.0]
    """
    _positive("cosine_schedule", "steps", steps)
    return lambda step: _half_cosine(rate, final, step / steps)


def warmup_schedule(rate: float | Schedule, steps: int) -> Schedule:
    """A line from rate / steps to `rate` in the first `steps` steps, and then `rate`.

    rate: a number, or a schedule, which counts the steps from the end of the line.

    Raises ValueError if `steps` is not positive.

    Source: P. Goyal et al., "Accurate, large minibatch SGD", 2017.

    >>> import tinygrad_cnn as tg
    >>> [float(tg.nn.warmup_schedule(1.0, steps=4)(step)) for step in (0, 1, 3, 9)]
    [0.25, 0.5, 1.0, 1.0]
    """
    _positive("warmup_schedule", "steps", steps)
    after = rate if callable(rate) else constant_schedule(rate)
    return lambda step: np.minimum((step + 1) / steps, 1.0) * after(np.maximum(step - steps, 0))


def one_cycle_schedule(
    peak: float, steps: int, rising: float = 0.3, first: float | None = None, final: float | None = None
) -> Schedule:
    """From `first` to `peak` in the part `rising` of the steps, and then to `final`, each along half a cosine.

    first: peak / 25 by default, final: first / 10000. Raises ValueError if `steps` is not positive, or `rising` not
    between 0 and 1.

    Source: L. Smith and N. Topin, "Super-convergence", 2018.

    >>> import tinygrad_cnn as tg
    >>> [round(float(tg.nn.one_cycle_schedule(1.0, steps=10)(step)), 3) for step in (0, 3, 10)]
    [0.04, 1.0, 0.0]
    """
    _positive("one_cycle_schedule", "steps", steps)
    if not 0 < rising < 1:
        raise ValueError(f"one_cycle_schedule: rising is {rising!r}; expected a number between 0 and 1")
    start = peak / 25 if first is None else first
    end = start / 10000 if final is None else final
    top = rising * steps

    def schedule(step: Any) -> Any:
        up, down = _half_cosine(start, peak, step / top), _half_cosine(peak, end, (step - top) / (steps - top))
        return np.where(step < top, up, down)

    return schedule


def _half_cosine(start: float, end: float, part: Any) -> Any:
    """`start` where `part` is at most 0, `end` where it is at least 1, and half a cosine between."""
    part = np.minimum(np.maximum(part, 0.0), 1.0)
    return end + (start - end) * 0.5 * (1 + np.cos(math.pi * part))


def _positive(name: str, what: str, steps: Any) -> None:
    if not steps > 0:
        raise ValueError(f"{name}: {what} is {steps!r}; expected a positive number of steps")
