"""Experiments: what the article asks, or leaves open, answered with means over many draws of drawings.

An experiment has conditions, and each condition is tried on several draws; a trial depends on nothing but the two and
the drawings, so that trials run in any order, in as many processes as there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn.circle_square.class_folders import Labelled
from tinygrad_cnn.circle_square.data import Scaling
from tinygrad_cnn.circle_square.model import Parameters, forward
from tinygrad_cnn.circle_square.starts import train_from_starts
from tinygrad_cnn.circle_square.training import accuracy, train_as_published, train_robustly
from tinygrad_cnn.recipes import cnn, synthetic, training
from tinygrad_cnn.recipes.evaluation import folds_of, mean_interval, wilson


class Trial(NamedTuple):
    """What one training came to: right of so many test drawings, and whether every ReLU was dead at the end.

    fitted  the share of training drawings that are right
    seed    of the random start; None is the recipe's own
    """

    condition: str
    draw: int
    right: int
    of: int
    died: bool = False
    fitted: float = 1.0
    seed: int | None = None


@dataclass(frozen=True)
class Experiment:
    """A question, and how it is answered.

    conditions  by name, functions of drawings and the number of a draw that train, test, and give a `Trial`
    draws       how many, unless a person asks for another number
    classes     how many classes of drawings it takes; None for all that there are
    whole       whether the trials of a condition test each drawing once, so that they are one test
    seeds       how many random starts each draw is tried from; None for one, the recipe's own
    """

    question: str
    conditions: dict[str, Callable[[Labelled, int, str], Trial]]
    draws: int
    classes: int | None = 2
    whole: bool = False
    seeds: int | None = None

    @property
    def has_starts(self) -> bool:
        """Whether its trainings can be tried from other random starts."""
        return all(isinstance(condition, _ArticleTrial) for condition in self.conditions.values())


def drawn(drawings: Labelled, each: int, draw: int) -> tuple[Labelled, Labelled]:
    """`each` drawings of every class, by a permutation from the seed `draw`, and all others."""
    rng = np.random.default_rng(draw)
    train, test = [], []
    for k in np.unique(drawings.labels):
        order = rng.permutation(np.flatnonzero(drawings.labels == k))
        train += [*order[:each]]
        test += [*order[each:]]
    return drawings.chosen(train), drawings.chosen(test)


def _of_article(
    recipe: Any = train_as_published, scaling: Scaling | None = None
) -> Callable[[Labelled, int, str], Trial]:
    """The article's model on 12 drawings of each class."""
    return _ArticleTrial(recipe, scaling or Scaling())


@dataclass(frozen=True)
class _ArticleTrial:
    recipe: Any
    scaling: Scaling

    def __call__(self, drawings: Labelled, draw: int, condition: str, seed: int | None = None) -> Trial:
        train, test = drawn(drawings, 12, draw)
        how = {} if seed is None else {"seed": seed}
        last = None
        with np.errstate(all="ignore"):
            for last in self.recipe(self.scaling(train.grey), _targets(train), **how):
                if last.trouble:
                    break
            assert last is not None
        right = self.right_of(last.before if last.trouble else last.after, test)
        return Trial(condition, draw, right, len(test), not last.steps.relu.any(), float(last.accuracy), seed)

    def from_starts(self, drawings: Labelled, draw: int, condition: str, seeds: Sequence[int]) -> Iterator[Trial]:
        """A trial for each of `seeds`, in the order in which they end."""
        if self.recipe is not train_as_published:
            yield from [self(drawings, draw, condition, seed) for seed in seeds]
            return
        train, test = drawn(drawings, 12, draw)
        for ending in train_from_starts(self.scaling(train.grey), _targets(train), seeds):
            right = self.right_of(ending.final, test)
            yield Trial(condition, draw, right, len(test), ending.died, ending.accuracy, ending.seed)

    def right_of(self, p: Parameters, test: Labelled) -> int:
        """How many of the test drawings are right."""
        with np.errstate(all="ignore"):
            sigma = forward(self.scaling(test.grey), p).sigma
        return round(accuracy(sigma, _targets(test)) * len(test))


def _targets(drawings: Labelled) -> Any:
    return drawings.labels[:, None].astype(float)


@dataclass(frozen=True)
class _CnnTrial:
    """The recipe cnn on `each` drawings of every class, with some of its settings changed."""

    each: int = 12
    settings: tuple[tuple[str, Any], ...] = ()
    average: bool = False

    def __call__(self, drawings: Labelled, draw: int, condition: str) -> Trial:
        return _trial(condition, draw, *drawn(drawings, self.each, draw), dict(self.settings), self.average)


@dataclass(frozen=True)
class _FoldTrial:
    """The recipe cnn on all drawings but one part of `parts`, the part with the number of the draw."""

    parts: int

    def __call__(self, drawings: Labelled, draw: int, condition: str) -> Trial:
        train, test = folds_of(drawings.labels, self.parts)[draw % self.parts]
        return _trial(condition, draw, drawings.chosen(train), drawings.chosen(test), {}, False)


def _trial(
    condition: str, draw: int, train: Labelled, test: Labelled, settings: dict[str, Any], average: bool
) -> Trial:
    count = class_count(train)
    model = cnn.train(train.ink, train.labels, count, seed=draw, **settings).model
    names = tuple(str(k) for k in range(count))
    found = training.evaluated(model, test, names, average)
    fitted = training.evaluated(model, train, names)
    return Trial(condition, draw, found.right, len(test), False, fitted.right / len(train))


def class_count(drawings: Labelled) -> int:
    """How many classes drawings are of."""
    return int(drawings.labels.max()) + 1


@dataclass(frozen=True)
class _SyntheticTrial:
    """The recipe synthetic, tested with all drawings: circles, squares and triangles, in this order."""

    def __call__(self, drawings: Labelled, draw: int, condition: str) -> Trial:
        shapes = synthetic.shapes_of(("circle", "square", "triangle")[: class_count(drawings)])
        model = synthetic.train(shapes, seed=draw).model
        found = training.evaluated(model, drawings, tuple(shapes))
        return Trial(condition, draw, found.right, len(drawings))


EXPERIMENTS = {
    "inversion": Experiment(
        "Is it learnt without the inversion, from dark strokes on white?",
        {
            "published, inverted": _of_article(),
            "published, not inverted": _of_article(scaling=Scaling(invert=False)),
            "robust, inverted": _of_article(train_robustly),
            "robust, not inverted": _of_article(train_robustly, Scaling(invert=False)),
        },
        draws=50,
    ),
    "scaling": Experiment(
        "Is it learnt from pixels of 0 to 1 (1/255) instead of 0 to 10?",
        {
            "published, 0 to 10": _of_article(),
            "published, 0 to 1": _of_article(scaling=Scaling(top=1.0)),
            "robust, 0 to 10": _of_article(train_robustly),
            "robust, 0 to 1": _of_article(train_robustly, Scaling(top=1.0)),
        },
        draws=50,
    ),
    "recipes": Experiment(
        "On how many draws of 12 + 12 drawings does the article's model train at all, and what does it learn?",
        {"published": _of_article(), "robust": _of_article(train_robustly)},
        draws=200,
    ),
    "starts": Experiment(
        "From how many random starts does the article's recipe train at all, and what does it learn?",
        {"published": _of_article()},
        draws=1,
        seeds=1000,
    ),
    "draws": Experiment(
        "What does cnn reach from 12 + 12 drawings?", {"cnn": _CnnTrial()}, draws=10
    ),
    "averaging": Experiment(
        "What does averaging over variants of a test drawing add?",
        {"one look": _CnnTrial(), "mean of eight": _CnnTrial(average=True)},
        draws=10,
    ),
    "filters": Experiment(
        "How many filters does the first layer need?",
        {f"{n} filter{'s' if n > 1 else ''}": _CnnTrial(settings=(("filters", n),)) for n in (1, 2, 4, 12)},
        draws=5,
    ),
    "drawings": Experiment(
        "How many drawings of each class does it take?",
        {f"{n} a class": _CnnTrial(each=n) for n in (3, 6, 12, 24, 40)},
        draws=5,
    ),
    "augmentation": Experiment(
        "What do variants of the drawings add?",
        {"variants": _CnnTrial(), "drawings as they are": _CnnTrial(settings=(("varied", False),))},
        draws=5,
    ),
    "folds": Experiment(
        "What does cnn reach on all classes, tested on each drawing once?",
        {"cnn": _FoldTrial(10)},
        draws=10,
        classes=None,
        whole=True,
    ),
    "synthetic": Experiment(
        "What does synthetic reach, trained on no real drawing?", {"synthetic": _SyntheticTrial()}, draws=3, classes=3
    ),
}  # fmt: skip


AT_A_TIME = 125  # random starts that are one task of a process


def run(experiment: Experiment, drawings: Labelled, draws: int, jobs: int, seeds: int | None = None) -> Iterator[Trial]:
    """The trials, in the order in which they end. seeds: each draw is tried from the random starts 0 to seeds - 1."""
    starts = [None] if seeds is None else [range(seeds)[k : k + AT_A_TIME] for k in range(0, seeds, AT_A_TIME)]
    tasks = [
        (experiment, name, drawings, draw, some)
        for draw in range(draws)
        for some in starts
        for name in experiment.conditions
    ]
    if jobs == 1:
        for task in tasks:
            yield from _tried(task)
        return
    # Threads of BLAS in each of several processes would be more than there are processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for trials in pool.map(_all_tried, tasks):
            yield from trials


Task = tuple[Experiment, str, Labelled, int, "range | None"]


def _tried(task: Task) -> Iterator[Trial]:
    experiment, name, drawings, draw, seeds = task
    condition: Any = experiment.conditions[name]
    if seeds is None:
        yield condition(drawings, draw, name)
    else:
        yield from condition.from_starts(drawings, draw, name, seeds)


def _all_tried(task: Task) -> list[Trial]:
    return list(_tried(task))


@dataclass(frozen=True)
class Row:
    """What the trials of a condition came to: accuracies over draws, and how many trainings died or fitted.

    quartiles  of the accuracies: a quarter, half and three quarters of the trials have no more
    """

    condition: str
    mean: float
    interval: tuple[float, float]
    least: float
    most: float
    trials: int
    died: int
    fitted: int
    quartiles: tuple[float, float, float]


def rows(experiment: Experiment, trials: Sequence[Trial]) -> list[Row]:
    """A row for each condition that has trials.

    The interval is that of the mean over draws; of one test in parts, or of draws that are all alike, Wilson's.
    """
    found = []
    for name in experiment.conditions:
        of_name = [trial for trial in trials if trial.condition == name]
        if not of_name:
            continue
        shares = [trial.right / trial.of for trial in of_name]
        right, of = sum(trial.right for trial in of_name), sum(trial.of for trial in of_name)
        alike = len(set(shares)) == 1
        low, high = wilson(right, of) if experiment.whole or alike else mean_interval(shares)
        found.append(
            Row(
                name,
                right / of,
                (low, min(high, 1.0)),
                min(shares),
                max(shares),
                len(of_name),
                sum(trial.died for trial in of_name),
                sum(trial.fitted == 1 for trial in of_name),
                tuple(np.quantile(shares, [0.25, 0.5, 0.75]).tolist()),
            )
        )
    return found
