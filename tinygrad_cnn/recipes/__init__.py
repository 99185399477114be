"""Recipes: ways to train a model on drawings that work, each a module that can be read in a minute.

`robust`, `cnn` and `synthetic` are the recipes; `CATALOGUE` says what each reaches on real drawings, and which command
measured it. The other modules are what the command line needs: runs, evaluations, experiments, pictures and a report.
"""

from __future__ import annotations

from typing import NamedTuple


class Recipe(NamedTuple):
    """What a person should know of a recipe before using it.

    reaches  accuracies on drawings by people that it was not trained on, with 95 % intervals
    measure  the command that measured them; DIR has a folder for each class
    """

    name: str
    what: str
    reaches: str
    measure: str


CATALOGUE: tuple[Recipe, ...] = (
    Recipe("published", "the article's: one filter, 207 numbers, gradient descent on the summed loss", "", ""),
    Recipe("robust", "the same model, with He initialisation, Adam and the mean loss on logits", "", ""),
    Recipe("cnn", "a small CNN with 13,500 parameters, trained on the ink of drawings, in many variants", "", ""),
    Recipe("synthetic", "the same network, trained on shapes that the package draws, and no real drawing", "", ""),
)
