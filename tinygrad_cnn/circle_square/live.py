"""The model on a live page: to draw for it, and to watch it learn."""

from __future__ import annotations

import collections
import functools
from typing import Any

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import DataSet, Scaling
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_as_printed
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_on_logits, loss_shifted
from tinygrad_cnn.circle_square.tasks import Task
from tinygrad_cnn.circle_square.training import (
    PUBLISHED_SEED,
    RecipeName,
    start_of,
    train_as_published,
    train_robustly,
)

SEEDS = 40  # beside the article's
EPSILON = (1e-4, 1e-12, 0.3)  # the article's, and between which it can be moved


def trained(drawings: DataSet, scaling: Scaling, recipe: RecipeName, task: Task) -> Parameters:
    """The parameters that a recipe ends with."""
    x, y = scaling(drawings.train.grey), drawings.train.y
    epochs = train_robustly(x, y) if recipe == "robust" else train_as_published(x, y, task.learning_rate, task.epochs)
    (last,) = collections.deque(epochs, maxlen=1)
    return last.after


def live_page(
    drawings: DataSet,
    scaling: Scaling,
    p: Parameters,
    recipe: RecipeName,
    task: Task,
    language: str = "en",
    theme: str = "auto",
) -> Any:
    """The page of the model at parameters p, which a recipe trains: on drawings, and on those that are drawn there."""
    published = recipe == "published"
    seeds = [*([PUBLISHED_SEED] if published else []), *range(SEEDS)]
    recipe_options: dict[str, Any] = (
        {"loss": losses, "probability": _itself, "knobs": {"article_epsilon": EPSILON},
         "optimiser": tg.SGD(task.learning_rate), "epochs": task.epochs + 1}
        if published
        else {"loss": loss_on_logits, "optimiser": tg.Adam(0.01), "epochs": 301}
    )  # fmt: skip
    return tg.live(
        functools.partial(score, recipe),
        classes=drawings.classes,
        parameters=p,
        data=(scaling(drawings.train.grey), drawings.train.y),
        test=(scaling(drawings.test.grey), drawings.test.y),
        starts={seed: start_of(recipe, seed) for seed in seeds},
        ink=(0, scaling.top) if scaling.invert else (scaling.top, 0),
        language=language,
        theme=theme,
        **recipe_options,
    )


def score(recipe: RecipeName, p: Parameters, x: Any) -> Any:
    """What the loss of a recipe takes: the output sigma, with the article's conventions, or what the sigmoid takes."""
    if recipe == "published":
        return forward(x, p, ties="all", at_zero=1.0).sigma
    return forward(x, p).fc


def losses(sigma: Any, y: Any, article_epsilon: Any) -> tuple[Any, Any]:
    """The loss that the article's gradient is the gradient of, and the one that it prints."""
    return loss_shifted(sigma, y, article_epsilon), np.sum(binary_cross_entropy_as_printed(sigma, y.T))


def _itself(sigma: Any) -> Any:
    return sigma
