"""One experiment: a recipe on a data set, and everything that a person may want to know of how it went."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn.circle_square.data import DataSet, Scaling
from tinygrad_cnn.circle_square.gradient_check import CheckedLoss, check_losses
from tinygrad_cnn.circle_square.model import Forward, Parameters, forward
from tinygrad_cnn.circle_square.tasks import Task
from tinygrad_cnn.circle_square.training import (
    PUBLISHED_SEED,
    Epoch,
    Gradient,
    RecipeName,
    accuracy,
    gradient_of,
    train_as_published,
    train_robustly,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """How to train. Where learning_rate, epochs or seed is None, the recipe's own is meant.

    eager: whether autodiff records and differentiates at each step anew, instead of running a compiled program.
    """

    task: Task
    recipe: RecipeName = "published"
    gradient: Gradient = "auto"
    learning_rate: float | None = None
    epochs: int | None = None
    seed: int | None = None
    scaling: Scaling = field(default_factory=Scaling)
    eager: bool = False

    def resolved(self) -> dict[str, Any]:
        """learning_rate, epochs and seed as they are used."""
        published = self.recipe == "published"
        own = {
            "learning_rate": self.task.learning_rate if published else 0.01,
            "epochs": self.task.epochs if published else 300,
            "seed": PUBLISHED_SEED if published else 0,
        }
        given = {"learning_rate": self.learning_rate, "epochs": self.epochs, "seed": self.seed}
        return own | {name: value for name, value in given.items() if value is not None}


class Curve(NamedTuple):
    """What was measured of some images at every epoch, before its step: both of shape (epochs,).

    loss   the mean cross-entropy
    right  the share of images on the right side of 1/2
    """

    loss: Floats
    right: Floats


@dataclass
class Result:
    """What came of it.

    losses, accuracies       of every epoch, before its step
    history                  the parameters of every epoch, before its step
    start, final             the parameters before training, and after it
    first_order              the shuffle of the first epoch
    stopped                  why training ended early, or None; interrupted: a person stopped it
    backend                  how the gradient was computed: "c" or "numpy", if it was compiled, or None
    before, after            the steps of the model on the training images, in their own order
    test                     the steps of the model on the test images
    """

    settings: Settings
    data: DataSet
    losses: list[float]
    accuracies: list[float]
    history: list[Parameters]
    final: Parameters
    first_order: NDArray[np.intp]
    stopped: str | None
    interrupted: bool
    seconds: float
    backend: Literal["c", "numpy"] | None
    before: Forward
    after: Forward
    test: Forward

    @property
    def start(self) -> Parameters:
        """The parameters before training."""
        return self.history[0]

    @property
    def train_accuracy(self) -> float:
        """The share of training images that the final parameters have right."""
        return accuracy(self.after.sigma, self.data.train.y)

    @property
    def test_accuracy(self) -> float:
        """The share of test images that the final parameters have right."""
        return accuracy(self.test.sigma, self.data.test.y)

    @functools.cached_property
    def curves(self) -> tuple[Curve, Curve]:
        """The curve of the training images, and that of the test images."""
        train, test = self.data.train, self.data.test
        x = self.settings.scaling(np.concatenate([train.grey, test.grey]))
        y = np.concatenate([train.y, test.y])[:, 0]
        with np.errstate(all="ignore"):
            fc = np.array([forward(x, p).fc[0] for p in self.history])  # (epochs, training and test images)
            losses, right = np.logaddexp(0, fc) - y * fc, (fc > 0) == (y > 0.5)
        parts = slice(len(train)), slice(len(train), None)
        of_training, of_test = (Curve(losses[:, part].mean(axis=1), right[:, part].mean(axis=1)) for part in parts)
        return of_training, of_test

    @functools.cached_property
    def checked_losses(self) -> list[CheckedLoss]:
        """The gradient at the final parameters, cross-checked on the training images."""
        return check_losses(self.settings.scaling(self.data.train.grey), self.data.train.y, self.final)


def epochs_of(settings: Settings, data: DataSet) -> Iterator[Epoch]:
    """The epochs of training, one by one."""
    x, y, how = settings.scaling(data.train.grey), data.train.y, settings.resolved()
    if settings.recipe == "robust":
        return train_robustly(x, y, **how, eager=settings.eager)
    return train_as_published(x, y, **how, gradient=settings.gradient, eager=settings.eager)


@np.errstate(all="ignore")  # an overflow is reported by `Result.stopped`, once
def run(
    settings: Settings,
    data: DataSet,
    watch: Callable[[Epoch], None] = lambda epoch: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Train, and gather what is to be known. `watch` is called with each epoch; `stop` says whether it was the last.

    An interruption (by `stop`, or KeyboardInterrupt) ends training and keeps what was trained; so does trouble that
    cannot pass.
    """
    losses, accuracies, history, stopped, interrupted = [], [], [], None, False
    first: Epoch | None = None
    last: Epoch | None = None
    began = time.perf_counter()
    try:
        for epoch in epochs_of(settings, data):
            first, last = first or epoch, epoch
            losses.append(epoch.loss)
            accuracies.append(epoch.accuracy)
            history.append(epoch.before)
            watch(epoch)
            if epoch.trouble:
                stopped = f"epoch {epoch.number}: {epoch.trouble}"
                break
            if stop():
                interrupted = epoch.number < settings.resolved()["epochs"]
                break
    except KeyboardInterrupt:
        interrupted = True
        if last is None:
            raise
    if first is None or last is None:
        raise ValueError("training had no epoch")
    final = last.before if _diverged(last) else last.after
    x = settings.scaling(data.train.grey)
    return Result(
        settings=settings,
        data=data,
        losses=losses,
        accuracies=accuracies,
        history=history,
        final=final,
        first_order=first.order,
        stopped=stopped,
        interrupted=interrupted,
        seconds=time.perf_counter() - began,
        backend=getattr(gradient_of(settings.recipe, settings.gradient, settings.eager), "backend", None),
        before=forward(x, first.before),
        after=forward(x, final),
        test=forward(settings.scaling(data.test.grey), final),
    )


def _diverged(epoch: Epoch) -> bool:
    """Whether the step of this epoch gave parameters that are not finite."""
    return not all(np.isfinite(x).all() for x in vars(epoch.after).values())
