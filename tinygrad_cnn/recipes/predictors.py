"""Trained models of every recipe, asked in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn.circle_square import weights
from tinygrad_cnn.circle_square.class_folders import Labelled
from tinygrad_cnn.circle_square.errors import InputError
from tinygrad_cnn.circle_square.model import forward
from tinygrad_cnn.recipes import cnn, runs, training
from tinygrad_cnn.recipes.evaluation import Evaluation


@dataclass(frozen=True)
class Predictor:
    """A trained model. probabilities: of grey drawings (batch, 28, 28) and their ink, (batch, classes).

    recipe: "cnn" or "synthetic"; None for the article's model, whose weights do not say it
    trained_on: the checksums of the ink that it was trained on, if that is known
    """

    recipe: training.Name | None
    classes: tuple[str, ...]
    probabilities: Callable[[Any, Any], Any]
    trained_on: frozenset[int] = frozenset()

    def evaluate(self, drawings: Labelled) -> Evaluation:
        """Its predictions for drawings."""
        found = self.probabilities(drawings.grey, drawings.ink)
        return Evaluation(found, drawings.labels, drawings.names, self.classes)


def read(run: Path, average: bool = False) -> Predictor:
    """The model of a run; average: its predictions are means over variants of a drawing, which `cnn` alone knows.

    Raises InputError.
    """
    trained = runs.read(run)
    if trained is not None:
        recipe: training.Name = "synthetic" if trained.recipe == "synthetic" else "cnn"
        network = trained.model
        return Predictor(
            recipe, trained.classes, lambda _, ink: cnn.probabilities(network, ink, average), trained.trained_on
        )
    of_article = weights.read_weights(run)
    if average:
        raise InputError(f"{run}: --average needs a run of the recipe cnn or synthetic, which are trained on variants")

    def probabilities(grey: Any, ink: Any) -> Any:
        sigma = forward(of_article.scaling(grey), of_article.parameters).sigma[0]
        return np.stack([1 - sigma, sigma], axis=1)

    return Predictor(None, of_article.classes, probabilities)


def trained_on(drawings: Labelled, test: Labelled, classes: tuple[str, ...], seed: int, average: bool) -> Evaluation:
    """The predictions for `test` of a network that the recipe cnn trains on `drawings`."""
    model = cnn.train(drawings.ink, drawings.labels, len(classes), seed=seed).model
    return training.evaluated(model, test, classes, average)
