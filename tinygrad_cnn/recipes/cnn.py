"""The recipe `cnn`: a small CNN, trained on many variants of few drawings.

With 24 drawings, the article's network fits what it is shown and fails on what it is not: each of its 196 weights has a
place in the picture, and a drawing of 17 pixels may be in any. Here nothing is learnt that can be said instead:

- where, how large and how bold something is drawn does not matter: the network sees `ink`;
- in which direction, how wide and how steady does not matter either: each drawing is trained on in many variants;
- a corner is a corner wherever it is: small filters, whose largest and mean responses are all that counts;
- most pictures are none of the classes: on scribbles, the network is trained to answer that all are equally likely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.circle_square.ink import Grey, as_input, ink
from tinygrad_cnn.circle_square.varied import draw_scribble
from tinygrad_cnn.train import augmentation

VARIANTS, SCRIBBLES = 4800, 800  # how many of each it is trained on, in each epoch
EPOCHS, BATCH = 8, 64
RATE = 0.004  # the largest of a cycle
SURE = 0.95  # the probability that a target gives to its class; the others share the rest


def network(classes: int, seed: int = 0, filters: int = 12) -> nn.Sequential:
    """The network before training: (batch, 1, 28, 28) to logits (batch, classes); with 12 filters 13,500 numbers."""
    layers = nn.Sequential(
        nn.Conv2d(1, filters, 3, padding="same"),
        nn.relu,
        nn.MaxPool2d(2),
        nn.Conv2d(None, 24, 3, padding="same"),
        nn.relu,
        nn.MaxPool2d(2),
        nn.Conv2d(None, 48, 3, padding="same"),
        nn.relu,
        mean_and_largest,
        nn.Linear(None, classes),
    )
    return layers.init(np.random.default_rng(seed), np.zeros((1, 1, 28, 28), np.float32))


def mean_and_largest(x: Any) -> Any:
    """The mean and the largest response of each filter: (batch, filters, height, width) to (batch, 2 filters)."""
    return np.concatenate([nn.global_avg_pool2d(x), nn.global_max_pool2d(x)], axis=-1)


def loss(model: nn.Sequential, x: Any, y: Any) -> Any:
    """The mean cross-entropy; y: a row of probabilities for each image."""
    return nn.softmax_cross_entropy(model(x), y)


def probabilities(model: nn.Sequential, inks: Grey, average: bool = False) -> NDArray[np.float64]:
    """The probability of each class for ink (batch, 56, 56): (batch, classes).

    average: the mean over the drawing and seven variants of it.
    """
    if average:
        rng = np.random.default_rng(0)
        several = [probabilities(model, x) for x in (inks, *[variants(inks, rng) for _ in range(7)])]
        return np.asarray(np.mean(several, axis=0))
    batches = [as_input(inks[start : start + 256]) for start in range(0, len(inks), 256)]
    return np.concatenate([np.asarray(nn.softmax(model(x)), float) for x in batches])


def variants(inks: Grey, rng: np.random.Generator) -> Grey:
    """Each drawing in any direction, up to 1.4 times as wide or as high, leaning, and drawn less steadily."""
    roomy = np.pad(inks, ((0, 0), (20, 20), (20, 20)))
    changed = augmentation.affine(roomy, rng, degrees=180, stretch=1, shear=0.15)
    return ink(augmentation.elastic(changed, rng, pixels=1))


def examples(inks: Grey, labels: Any, classes: int, rng: np.random.Generator, varied: bool = True) -> tuple[Any, Any]:
    """What it is trained on: images (batch, 1, 28, 28), and the probabilities to answer (batch, classes).

    varied: whether each drawing is changed, or only repeated.
    """
    repeated = np.tile(np.arange(len(inks)), -(-VARIANTS // len(inks)))[:VARIANTS]
    answers = np.full((VARIANTS + SCRIBBLES, classes), (1 - SURE) / (classes - 1))
    answers[np.arange(VARIANTS), np.asarray(labels)[repeated]] = SURE
    answers[VARIANTS:] = 1 / classes
    scribbles = ink([draw_scribble(rng) for _ in range(SCRIBBLES)])
    drawings = variants(inks[repeated], rng) if varied else inks[repeated]
    return as_input(np.concatenate([drawings, scribbles])), answers.astype(np.float32)


def fit(
    x: Any,
    y: Any,
    *,
    seed: int = 0,
    epochs: int = EPOCHS,
    filters: int = 12,
    callbacks: Sequence[Callable[[tg.train.Epoch], Any]] = (),
    checkpoints: Path | None = None,
    resume: bool | None = None,
    progress: bool | None = False,
    devices: int | None = None,
) -> tg.train.Fitted:
    """Train a new network on examples."""
    optimiser = nn.AdamW(nn.one_cycle_schedule(RATE, epochs * -(-len(x) // BATCH)), weight_decay=0.01)
    return tg.train.fit(
        network(y.shape[1], seed, filters),
        loss,
        (x, y),
        optimiser,
        epochs=epochs,
        batch_size=BATCH,
        seed=seed,
        callbacks=callbacks,
        checkpoints=checkpoints,
        resume=resume,
        progress=progress,
        devices=devices,
    )


def train(inks: Grey, labels: Any, classes: int, *, seed: int = 0, varied: bool = True, **how: Any) -> tg.train.Fitted:
    """Train on the ink of drawings (batch, 56, 56), whose labels are 0 to classes - 1; `how`: see `fit`."""
    x, y = examples(inks, labels, classes, np.random.default_rng(seed), varied)
    return fit(x, y, seed=seed, **how)
