"""The published recipe from many random starts at once: a step is one of all of them, by tg.vmap.

Each epoch is a step on the whole batch, and the article shuffles it before. That changes nothing but the order of sums:
so the batch is the same array for all starts here, and the results are those of `train_as_published` to rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.model import Parameters, loss_as_printed
from tinygrad_cnn.circle_square.training import Floats, published_gradient, published_start

AT_ONCE = 16  # trainings, whose arrays fit in the processor's second cache


class Ending(NamedTuple):
    """How the training from a start ended.

    number    the last epoch: training ends before the last one if it can come to nothing more
    final     the last parameters, or those before them if the last are not finite or can change no more
    accuracy  the share of training images that were right before the last step
    died      whether every ReLU output was zero
    """

    seed: int
    number: int
    final: Parameters
    accuracy: float
    died: bool


class _Step(NamedTuple):
    after: Parameters
    accuracy: Any
    alive: Any  # whether some ReLU output is not zero
    finite: Any  # whether the loss and the parameters are


def _step(step: Callable[..., Parameters], p: Parameters, x: Floats, y: Floats) -> _Step:
    """One epoch of `train_as_published`, of one training. step: that of the optimiser."""
    steps, gradients = published_gradient(x, y, p)
    after = step(p, gradients)
    finite = np.isfinite(loss_as_printed(steps.sigma, y))
    for weights in vars(after).values():
        finite = finite & np.all(np.isfinite(weights))
    right = np.mean((steps.sigma > 0.5) == (y.T > 0.5))
    return _Step(after, right, np.any(steps.max_pool != 0), finite)


@functools.lru_cache(maxsize=4)
def _steps(learning_rate: float) -> Callable[..., _Step]:
    """One epoch of several trainings."""
    return tg.compile(tg.vmap(functools.partial(_step, tg.SGD(learning_rate).step), in_axes=(0, None, None)))


def train_from_starts(
    x: Floats, y: Floats, seeds: Sequence[int], learning_rate: float = 0.01, epochs: int = 500
) -> Iterator[Ending]:
    """The trainings from the starts of `seeds`, in the order in which they end.

    x: images (batch, 28, 28), y: targets (batch, 1). The next takes the place of one that has ended.
    """
    step, waiting = _steps(learning_rate), iter(seeds)
    training = [seed for _, seed in zip(range(AT_ONCE), waiting, strict=False)]
    starts = [vars(published_start(np.random.RandomState(seed))) for seed in training]
    p = Parameters(**{name: np.stack([start[name] for start in starts]) for name in starts[0]}) if starts else None
    numbers, running = np.zeros(len(training), int), np.ones(len(training), bool)
    while running.any():
        with np.errstate(all="ignore"):  # the shifted loss beyond its pole
            after, accuracy, alive, finite = step(p, x, y)
        passed = alive & finite
        for k in np.flatnonzero(running & ~(passed & (numbers < epochs))):
            final = Parameters(**{name: w[k].copy() for name, w in vars(after if passed[k] else p).items()})
            yield Ending(training[k], int(numbers[k]), final, float(accuracy[k]), not bool(alive[k]))
            following = next(waiting, None)
            if following is None:  # it goes on, and is not looked at
                running[k] = False
                continue
            training[k], numbers[k] = following, -1
            start = vars(published_start(np.random.RandomState(following)))
            for name, w in vars(after).items():
                w[k] = start[name]
        p, numbers = after, numbers + 1
