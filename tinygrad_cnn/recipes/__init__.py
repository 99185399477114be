"""Recipes: ways to train a model on drawings that work, each a module that can be read in a minute.

`robust`, `cnn` and `synthetic` are the recipes; `CATALOGUE` says what each reaches on real drawings, and which command
measured it. The other modules are what the command line needs: runs, evaluations, experiments, pictures and a report.
"""

from __future__ import annotations

from typing import NamedTuple


class Recipe(NamedTuple):
    """What a person should know of a recipe before using it.

    reaches  accuracies on drawings by people that it was not trained on, with 95 % intervals
    measure  for each the command that measured it; DIR has a folder for each class
    """

    name: str
    what: str
    reaches: tuple[str, ...]
    measure: tuple[str, ...]


_RECIPES = "tinygrad-cnn experiment recipes --data DIR"

CATALOGUE: tuple[Recipe, ...] = (
    Recipe(
        "published",
        "the article's: one filter, 207 numbers, gradient descent on the summed loss",
        (
            "50.0 % of circles and squares from 12 + 12 drawings (49.8 to 50.3 %, mean of 200 draws); 182 of 200 "
            "trainings died, 6 fitted all 24 drawings",
        ),
        (_RECIPES,),
    ),
    Recipe(
        "robust",
        "the same model, with He initialisation, Adam and the mean loss on logits",
        (
            "56.7 % of circles and squares from 12 + 12 drawings (56.0 to 57.4 %, mean of 200 draws); none of 200 "
            "trainings died, all fitted all 24 drawings",
        ),
        (_RECIPES,),
    ),
    Recipe(
        "cnn",
        "a small CNN with 13,500 parameters, trained on the ink of drawings, in many variants",
        (
            "99.9 % of circles and squares from 12 + 12 drawings (99.6 to 100 %, mean of 10 draws)",
            "100 % of circles, squares and triangles, 150 of 150 in 10 folds (97.5 to 100 %)",
        ),
        ("tinygrad-cnn experiment draws --data DIR", "tinygrad-cnn experiment folds --data DIR"),
    ),
    Recipe(
        "synthetic",
        "the same network, trained on shapes that the package draws, and no real drawing",
        ("99.3 % of 150 circles, squares and triangles (98.0 to 100 %, mean of 3 seeds)",),
        ("tinygrad-cnn experiment synthetic --data DIR",),
    ),
)
