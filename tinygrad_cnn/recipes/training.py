"""One training by a recipe: what it is made of, and everything that a person may want to know of how it went."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square import class_folders, data
from tinygrad_cnn.circle_square.class_folders import Classes, Labelled
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.ink import Grey, ink
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.varied import draw_scribble
from tinygrad_cnn.recipes import cnn, synthetic
from tinygrad_cnn.recipes.evaluation import Evaluation

Name = Literal["cnn", "synthetic"]
SHOWN = 12  # drawings of each class that `synthetic` shows of those that it is trained on
NONE = 200  # scribbles that it is asked about


@dataclass(frozen=True)
class Plan:
    """What decides the result of a training, beside the drawings themselves.

    folder: of the drawings; None for the bundled ones, of the task with that name
    """

    recipe: Name
    task: str = "circle-square"
    folder: str | None = None
    classes: tuple[str, ...] | None = None
    split: str | None = None
    split_seed: int = 0
    seed: int = 0
    epochs: int = cnn.EPOCHS

    def drawings(self) -> Classes:
        """The drawings. Those of a folder are what `synthetic` is tested with. Raises InputError."""
        task = TASKS[self.task]
        names = self.classes or (None if self.folder else task.shapes)
        folder = Path(self.folder) if self.folder else data.bundled_folder(task)
        if self.recipe == "cnn":
            found = class_folders.load(folder, names, self.split, self.split_seed)
            return found if self.folder else replace(found, source=data.BUNDLED)
        if names is None:
            names = class_folders.files_of(folder, None)[1]
        shapes = synthetic.shapes_of(names)
        test, source = class_folders.load_all(folder, names)
        grey, inks, labels = synthetic.drawings(shapes, SHOWN, np.random.default_rng([self.seed, 2]))
        drawn = Labelled(grey, inks, labels, [f"drawn {i + 1}" for i in range(len(labels))], [])
        return Classes(drawn, test, names, f"shapes drawn by the package; tested with {source}")


def checksum(drawings: Classes) -> int:
    """A number that differs if the drawings to train on do."""
    return zlib.crc32(drawings.train.ink.tobytes() + drawings.train.labels.astype("<i8").tobytes())


@dataclass
class Result:
    """What came of a training.

    before, model      the network before training and after
    losses             of every epoch
    accuracies         of the drawings to train on, and to test with, after each epoch that was trained in this process
    train, test        the predictions of the trained network; test is None without drawings to test with
    none               the probabilities for scribbles that it was not trained on, which are none of the classes
    """

    plan: Plan
    data: Classes
    before: nn.Sequential
    model: nn.Sequential
    losses: list[float]
    stopped: str | None
    backend: str
    seconds: float
    accuracies: dict[int, tuple[float, float | None]]
    train: Evaluation
    test: Evaluation | None
    none: Any = field(repr=False)


def evaluated(model: nn.Sequential, drawings: Labelled, classes: tuple[str, ...], average: bool = False) -> Evaluation:
    """The predictions of a network for drawings."""
    found = cnn.probabilities(model, drawings.ink, average)
    return Evaluation(found, drawings.labels, drawings.names, classes)


def run(
    plan: Plan,
    drawings: Classes,
    watch: Callable[[int, float, float, float | None], None] = lambda *epoch: None,
    *,
    checkpoints: Path | None = None,
    resume: bool | None = None,
    progress: bool | None = False,
    devices: int | None = None,
) -> Result:
    """Train; `watch` gets each epoch's number and loss, and the accuracies of training and test drawings after it.

    checkpoints, resume, progress, devices: see `fit`. Raises InputError for checkpoints of another training, without a
    whole one, or for devices that cannot share a batch.
    """
    accuracies: dict[int, tuple[float, float | None]] = {}

    def note(epoch: tg.train.Epoch) -> None:
        of_parts = [
            None if part is None else evaluated(epoch.model, part, drawings.names)
            for part in (drawings.train, drawings.test)
        ]
        trained, tested = (None if found is None else found.right / len(found.labels) for found in of_parts)
        assert trained is not None
        accuracies[epoch.number] = trained, tested
        watch(epoch.number, epoch.loss, trained, tested)

    began = time.perf_counter()
    how: Any = {"seed": plan.seed, "epochs": plan.epochs, "callbacks": [note], "checkpoints": checkpoints}
    how |= {"resume": resume, "progress": progress, "devices": devices}
    try:
        if plan.recipe == "cnn":
            fitted = cnn.train(drawings.train.ink, drawings.train.labels, len(drawings.names), **how)
        else:
            fitted = synthetic.train(synthetic.shapes_of(drawings.names), **how)
    except ValueError as error:
        if checkpoints is None:
            raise
        raise InputError(" ".join(str(error).split())) from None
    seconds = time.perf_counter() - began
    rng = np.random.default_rng([plan.seed, 3])
    scribbles: Grey = ink([draw_scribble(rng) for _ in range(NONE)])
    return Result(
        plan=plan,
        data=drawings,
        before=cnn.network(len(drawings.names), plan.seed),
        model=fitted.model,
        losses=fitted.history.get("loss", []),
        stopped=fitted.stopped,
        backend=fitted.backend,
        seconds=seconds,
        accuracies=accuracies,
        train=evaluated(fitted.model, drawings.train, drawings.names),
        test=None if drawings.test is None else evaluated(fitted.model, drawings.test, drawings.names),
        none=cnn.probabilities(fitted.model, scribbles),
    )
