"""A training, as far as it has come: all that a checkpoint has to hold."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinygrad_cnn import tree

History = dict[str, list[Any]]


class Best(NamedTuple):
    """The model that is returned, and the epoch after which it was so."""

    epoch: int
    model: Any
    state: Any


@dataclass
class Run:
    """Where a training is, and what it has found.

    memory   the state of the optimiser, whose number of steps is the position of a schedule
    epoch    how many epochs are complete
    batch    how many batches of the next one are done, with the sum of their `losses` over `examples`, in `seconds`
    stopped  why a callback has ended it
    ways     how its steps were run ("c", "numpy", "eager"); rounding is not the same in each
    resumed  whether it continues from a checkpoint
    """

    model: Any
    state: Any
    memory: Any
    best: Best
    epoch: int = 0
    batch: int = 0
    losses: float = 0.0
    examples: int = 0
    seconds: float = 0.0
    history: History = field(default_factory=dict)
    stopped: str | None = None
    ways: list[str] = field(default_factory=list)
    resumed: bool = False

    def note_backend(self, backend: str) -> None:
        """Note how a step was run, and warn if the training that is resumed was not run so."""
        way = backend.split(":")[0]
        if way not in self.ways:
            if self.resumed and self.ways:
                warnings.warn(
                    f"fit: the training that is resumed was run by {' and '.join(self.ways)}, and is now by "
                    f"{way}: its weights will differ by rounding from those of one that was not interrupted",
                    RuntimeWarning,
                    stacklevel=3,
                )
            self.ways.append(way)

    def after_step(self, value: float, examples: int, model: Any, state: Any, memory: Any) -> None:
        """Go on by one batch."""
        self.model, self.state, self.memory = model, state, memory
        self.losses += value * examples
        self.examples += examples
        self.batch += 1

    def after_epoch(self, measured: dict[str, float]) -> None:
        """Go on by one epoch, after which this was measured."""
        self.epoch += 1
        row = {"epoch": self.epoch, "loss": self.losses / self.examples, **measured, "seconds": self.seconds}
        for name, value in row.items():
            self.history.setdefault(name, []).append(value)
        self.batch, self.losses, self.examples, self.seconds = 0, 0.0, 0, 0.0
        if self.best_epoch() == self.epoch:
            self.best = Best(self.epoch, self.model, self.state)

    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, or 0; without validation the last one."""
        losses = self.history.get("validation_loss")
        if losses is None:
            return self.epoch
        lowest = min(filter(math.isfinite, losses), default=None)
        return 0 if lowest is None else 1 + losses.index(lowest)

    def over(self, patience: int | None) -> str | None:
        """Why no further epoch follows, if it does not."""
        losses = self.history.get("validation_loss", [])
        if losses and math.isnan(losses[-1]):
            return f"the validation loss is nan after epoch {self.epoch}"
        best = self.best_epoch()
        if patience is not None and self.epoch - best >= patience:
            lowest = f"; it was {losses[best - 1]:.6g} after epoch {best}" if best else ""
            return f"the validation loss has not improved for {self.epoch - best} epochs{lowest}"
        return self.stopped


def is_finite(tree_: Any) -> bool:
    """Whether all floats of a tree are finite."""
    leaves = tree.flatten(tree_).leaves
    return all(bool(np.isfinite(x).all()) for x in leaves if getattr(x, "dtype", np.dtype(type(x))).kind in "fc")
