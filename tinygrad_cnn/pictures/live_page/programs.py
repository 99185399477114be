"""The programs of a live page, traced from the model and written as JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import tree
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.engine.tensor import Tensor
from tinygrad_cnn.engine.transforms import value_and_grad
from tinygrad_cnn.lowering.programs import program
from tinygrad_cnn.lowering.targets import TARGETS
from tinygrad_cnn.pictures.live_page.model import LiveModel, Recording
from tinygrad_cnn.pictures.live_page.places import Alive

WHOLE, BATCH = 64, 32  # images: up to so many are one batch, and more are batches of so many


@dataclass(frozen=True)
class Programs:
    """What a page runs, each a module of JavaScript that exports `step`, of arrays one after the other.

    forward   parameters, image, target, knobs: the probabilities, the loss, and what flows in each place forward
    backward  the same, and what flows back
    answer    parameters, image: the probabilities
    learn     parameters, images, targets, knobs: the loss, the reported loss, the probabilities, the largest absolute
              value of each activation, and the gradients; of a batch
    learn_one the same of one image
    move      parameters, gradients, state, learning rate: the new parameters and the new state
    """

    sources: dict[str, str]
    activations: list[str]
    batch: int


def programs_of(model: LiveModel, picture: Alive) -> Programs:
    """The programs of a model, of whose loss this is the picture."""
    leaves, count = model.flat.leaves, len(model.flat.leaves)
    knobs = [knob.value for knob in model.knobs]
    forward = {place.number for place in picture.places if not place.backward}

    def flowing(*given: Any) -> tuple[Recording, Any, Any]:
        loss, _, scores = model.recorded(given[:count], given[count], given[count + 1], given[count + 2 :])
        return Recording.of(loss), model.probabilities(_value(scores)), _value(loss)

    def forwards(*given: Any) -> list[Any]:
        recording, probabilities, loss = flowing(*given)
        return [probabilities, loss, *(picture.sources[i](recording) for i in sorted(forward))]

    def both(*given: Any) -> list[Any]:
        recording, probabilities, loss = flowing(*given)
        return [probabilities, loss, *(source(recording) for source in picture.sources)]

    def answer(*given: Any) -> list[Any]:
        return [model.probabilities(model.scores_of(given[:count], given[count]))]

    image = [*leaves, model.example, model.targets[:1], *knobs]
    sources = {
        "forward": written(forwards, image),
        "backward": written(both, image),
        "answer": written(answer, [*leaves, model.example]),
    }
    if model.is_sum is None:
        return Programs(sources, [], 0)
    activations: list[str] = []
    sources["learn_one"] = written(_learning(model, activations), image)
    batch = 0
    if model.data is not None:
        batch = len(model.data) if len(model.data) <= WHOLE else BATCH
        given = [*leaves, model.data.x[:batch], model.data.y[:batch], *knobs]
        sources["learn"] = written(_learning(model, activations), given)
    trained = [leaves[i] for i in model.free]
    kept = tree.flatten(model.first_state).leaves

    def move(*given: Any) -> list[Any]:
        n = len(trained)
        return model.updated(given[:n], given[n : 2 * n], given[2 * n : -1], given[-1])

    sources["move"] = written(move, [*trained, *trained, *kept, float(model.learning_rate)])
    return Programs(sources, activations, batch)


def _learning(model: LiveModel, activations: list[str]) -> Callable[..., list[Any]]:
    """The function that `learn` is traced from; notes in `activations` what these are called."""
    count = len(model.flat.leaves)

    def learn(*given: Any) -> list[Any]:
        leaves, (x, y, *knobs) = list(given[:count]), given[count:]

        def loss_of(trained: list[Any]) -> tuple[Any, Any]:
            for place, leaf in zip(model.free, trained, strict=True):
                leaves[place] = leaf
            loss, reported, scores = model.loss_of(leaves, x, y, knobs)
            nodes = ancestors([loss.node])[0] if isinstance(loss, Tensor) else []
            active = [node for node in nodes if node.primitive is not None and node.primitive.kind == "activation"]
            activations[:] = [node.primitive.__name__ for node in active]
            largest = [np.max(np.abs(node.value)) for node in active]
            return loss, [_value(reported), model.probabilities(_value(scores)), *largest]

        trained = [leaves[i] for i in model.free]
        (loss, others), gradients = value_and_grad(loss_of, has_aux=True)(trained)
        return [loss, *others, *gradients]

    return learn


def written(function: Callable[..., list[Any]], given: Sequence[Any]) -> str:
    """The function, traced with these arguments, as an expression of JavaScript whose value is the function."""
    with np.errstate(all="ignore"):
        listing = program(function)(*given).listing
    text = TARGETS["js"].written(listing, "step")
    module = re.sub(r"^export (default )?", "", text if isinstance(text, str) else text.decode(), flags=re.MULTILINE)
    return f"(() => {{\n{module}\nreturn step;\n}})()"


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Tensor) else x


