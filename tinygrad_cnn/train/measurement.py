"""What is measured after each epoch: the validation loss and the metrics."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_cnn.train.data import DataLoader
from tinygrad_cnn.train.steps import Loss, Runner, plain

Metric = Callable[..., Any]


class Measurement:
    """The validation loss, if there are validation data, and metrics: means over the examples."""

    def __init__(
        self, loss: Loss, metrics: dict[str, Metric], data: DataLoader, held_out: DataLoader | None, compiled: bool
    ) -> None:
        self.functions: dict[str, Metric] = {}
        if held_out is not None:
            value = Runner(loss, compiled)
            self.functions["validation_loss"] = lambda model, state, x, y: value(model, state, x, y, None)[0]
        for name, metric in metrics.items():
            self.functions[name] = metric if loss.takes_state else _without_state(metric)
        self.data = _as_they_are(data) if held_out is None else held_out

    def __call__(self, model: Any, state: Any) -> dict[str, float]:
        """The means, by name."""
        if not self.functions:
            return {}
        sums, examples = dict.fromkeys(self.functions, 0.0), 0
        for x, y in self.data.batches(epoch=0):
            examples += len(x)
            for name, function in self.functions.items():
                value = plain(function(model, state, x, y))
                if np.shape(value):
                    raise ValueError(f"fit: {name} has shape {np.shape(value)}; expected one number for a batch")
                sums[name] += float(value) * len(x)
        return {name: total / examples for name, total in sums.items()}


def _without_state(metric: Metric) -> Metric:
    return lambda model, state, x, y: metric(model, x, y)


def _as_they_are(data: DataLoader) -> DataLoader:
    """The training data in their order, without a transform."""
    same = copy.copy(data)
    same.shuffle, same.transform, same.drop_last = False, None, False
    return same
