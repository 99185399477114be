"""The arguments of `fit` that are not data: checked before the training begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_LEAST = {"epochs": 0, "every": 1, "patience": 1, "seed": 0}
_TAKEN = ("epoch", "loss", "validation_loss", "seconds")  # names in the history


def check(**given: Any) -> None:
    """Raise TypeError or ValueError for arguments, by name, that are wrong or do not fit together."""
    for name, least in _LEAST.items():
        x = given[name]
        if not (isinstance(x, int | np.integer) and x >= least) and not (name == "patience" and x is None):
            raise ValueError(f"fit: {name} is {x!r}; expected an integer of at least {least}")
    optimiser, metrics, callbacks = given["optimiser"], given["metrics"], given["callbacks"]
    if isinstance(optimiser, type) or not (hasattr(optimiser, "init") and hasattr(optimiser, "update")):
        raise TypeError(f"fit: optimiser is {optimiser!r}; expected an optimiser, such as nn.Adam(0.001)")
    if not isinstance(metrics, dict):
        raise TypeError(f"fit: metrics is of type {type(metrics).__name__}; expected a dict of functions by name")
    if not isinstance(callbacks, Sequence):
        raise TypeError(f"fit: callbacks is of type {type(callbacks).__name__}; expected a list of functions")
    for name in _TAKEN:
        if name in metrics:
            raise ValueError(f"fit: a metric has the name {name!r}, which the history itself uses; choose another")
    for name, needed in (("patience", "validation"), ("resume", "checkpoints")):
        if given[name] and given[needed] is None:
            raise ValueError(
                f"fit: {name} is {given[name]}, but {needed} is None; expected {needed}= with it, or no {name}"
            )


def check_shares(batch_size: int, devices: int) -> None:
    """Raise ValueError for batches that devices cannot share equally; the last may be smaller."""
    if not (isinstance(devices, int | np.integer) and devices >= 1):
        raise ValueError(f"fit: devices is {devices!r}; expected a number of devices of at least 1, or None")
    if batch_size % devices:
        raise ValueError(
            f"fit: batch_size is {batch_size}, which {devices} devices cannot share equally; expected a multiple of "
            f"{devices}"
        )
