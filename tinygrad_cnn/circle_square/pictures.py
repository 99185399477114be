"""The model as a graph, with parameters and images as Tensors, to be drawn."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.experiment import Result
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_on_logits, loss_shifted
from tinygrad_cnn.circle_square.training import RecipeName

Floats = NDArray[np.float64]

INPUTS = ("x",)  # which leaves of the graph are data
DEPTH = 2  # of scopes: what the picture that fits on a screen closes, which is what is within conv, pool, fc and loss


def graph_of(x: Floats, y: Floats | None, p: Parameters, recipe: RecipeName = "published") -> Any:
    """The loss, recorded: of images x (batch, 28, 28) with targets y (batch, 1), at parameters p.

    It is the loss whose gradient a recipe goes down: the shifted one, or the mean cross-entropy on logits. Without
    targets, it is the output sigma.
    """
    tensors = {field.name: tg.Tensor(getattr(p, field.name), field.name) for field in fields(p)}
    return _recorded(x, y, Parameters(**tensors), recipe)


def _recorded(x: Floats, y: Floats | None, p: Parameters, recipe: RecipeName) -> Any:
    """As `graph_of`, at parameters that are Tensors."""
    with np.errstate(all="ignore"):  # the shifted loss is NaN beyond its pole, which the picture then says
        steps = forward(tg.Tensor(x, INPUTS[0]), p)
        if y is None:
            return steps.sigma
        return tg.named(loss_on_logits(steps.fc, y) if recipe == "robust" else loss_shifted(steps.sigma, y), "loss")


def film_of(result: Result) -> Any:
    """The picture of a training: the loss, forward and backward, whose values play through the epochs."""
    x, y, recipe = result.settings.scaling(result.data.train.grey), result.data.train.y, result.settings.recipe
    moments: dict[int | str, Parameters] = {**dict(enumerate(result.history)), "trained": result.final}
    return tg.render(lambda p: _recorded(x, y, p, recipe), backward=True, inputs=INPUTS, frames=moments)


def compact_svg(x: Floats, y: Floats, p: Parameters, recipe: RecipeName) -> str:
    """The picture that fits on a screen, forward and backward, as SVG."""
    loss = graph_of(x, y, p, recipe)
    return tg.render(loss, backward=True, values="thumbnails", depth=DEPTH, inputs=INPUTS).svg
