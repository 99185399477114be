"""The programs of a live page, traced from the model and written as JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.engine.transforms import value_and_grad
from tinygrad_cnn.lowering.javascript import source
from tinygrad_cnn.lowering.programs import program
from tinygrad_cnn.pictures.live_page.model import LiveModel, Recording
from tinygrad_cnn.pictures.live_page.places import Alive

WHOLE, BATCH = 64, 32  # images: up to so many are one batch, and more are batches of so many


@dataclass(frozen=True)
class Programs:
    """What a page runs, each a definition of a function in JavaScript, by its name.

    forward    (p, x, y, knobs): the probabilities, the loss, and what flows in each place forward
    backward   the same, and what flows back
    answer     (p, x): the probabilities
    learn      (p, x, y, knobs) of a batch: the loss, the reported loss, the probabilities, the largest absolute value
               of each activation, and the gradients
    learn_one  the same of one image
    move       (p, g, state, rate): the new parameters and the new state, of those that are trained
    """

    sources: dict[str, str]
    activations: list[str]
    batch: int


def programs_of(model: LiveModel, picture: Alive) -> Programs:
    """The programs of a model, of whose loss this is the picture."""
    knobs = [knob.value for knob in model.knobs]
    forward = sorted({place.number for place in picture.places if not place.backward})

    def flowing(p: Any, x: Any, y: Any, knobs: Any) -> tuple[Recording, list[Any]]:
        loss, _, scores = model.recorded(p, x, y, knobs)
        return Recording.of(loss), [model.probabilities(_value(scores)), _value(loss)]

    def forwards(p: Any, x: Any, y: Any, knobs: Any) -> list[Any]:
        recording, found = flowing(p, x, y, knobs)
        return [*found, *(picture.sources[i](recording) for i in forward)]

    def both(p: Any, x: Any, y: Any, knobs: Any) -> list[Any]:
        recording, found = flowing(p, x, y, knobs)
        return [*found, *(read(recording) for read in picture.sources)]

    def answer(p: Any, x: Any) -> Any:
        return model.probabilities(model.scores_of(p, x))

    leaves = list(model.flat.leaves)
    image = [leaves, model.example, model.targets[:1], knobs]
    sources = {
        "forward": written("forward", forwards, *image),
        "backward": written("backward", both, *image),
        "answer": written("answer", answer, leaves, model.example),
    }
    if model.is_sum is None:
        return Programs(sources, [], 0)
    activations: list[str] = []
    learn = _learning(model, activations)
    sources["learn_one"] = written("learn_one", learn, *image)
    batch = 0
    if model.data is not None:
        batch = len(model.data) if len(model.data) <= WHOLE else BATCH
        sources["learn"] = written("learn", learn, leaves, model.data.x[:batch], model.data.y[:batch], knobs)
    trained, state = [leaves[i] for i in model.free], tree.flatten(model.first_state).leaves
    sources["move"] = written("move", model.updated, trained, trained, state, model.learning_rate)
    return Programs(sources, activations, batch)


def _learning(model: LiveModel, activations: list[str]) -> Callable[..., list[Any]]:
    """The function that `learn` is traced from; notes in `activations` what these are called."""

    def learn(p: Any, x: Any, y: Any, knobs: Any) -> list[Any]:
        leaves = list(p)

        def loss_of(trained: list[Any]) -> tuple[Any, Any]:
            for place, leaf in zip(model.free, trained, strict=True):
                leaves[place] = leaf
            loss, reported, scores = model.loss_of(leaves, x, y, knobs)
            active = [
                node for node in ancestors([loss.node])[0]
                if node.primitive is not None and node.primitive.kind == "activation"
            ]  # fmt: skip
            activations[:] = [node.primitive.__name__ for node in active]
            largest = [np.max(np.abs(node.value)) for node in active]
            return loss, [_value(reported), model.probabilities(_value(scores)), *largest]

        (loss, others), gradients = value_and_grad(loss_of, has_aux=True)([leaves[i] for i in model.free])
        return [loss, *others, *gradients]

    return learn


def written(name: str, function: Callable[..., Any], *given: Any) -> str:
    """The definition of the function `name` in JavaScript, traced with these arguments."""
    with np.errstate(all="ignore"):
        listing = program(function)(*given).listing
    return source(listing, name, exported=False)


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Tensor) else x
