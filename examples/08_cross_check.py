"""8. Which step of a hand-derived gradient is wrong, and why: the article's own, and one with a mistake in it."""

from __future__ import annotations

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.gradient_check import NAMES
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import published_start

data = bundled(TASKS["circle-square"])
x, y = Scaling()(data.train.grey), data.train.y
p = published_start(np.random.RandomState(230129))


def printed(p: Parameters) -> object:
    return loss_as_printed(forward(x, p).sigma, y)


def shifted(p: Parameters) -> object:
    return loss_shifted(forward(x, p).sigma, y)


def shifted_as_the_article_counts(p: Parameters) -> object:
    return loss_shifted(forward(x, p, ties="all", at_zero=1.0).sigma, y)


def with_a_mistake(p: Parameters) -> object:
    """The derivative of the sigmoid is forgotten, and everything after it is computed from that."""
    steps, hand = forward(x, p), hand_derived(x, y, p)
    dL_dfc = hand.dL_dsig
    return {
        "dL_dsig": hand.dL_dsig,
        "dL_dfc": dL_dfc,
        "dL_dWf": dL_dfc @ steps.flatten,
        "dL_dBf": np.sum(dL_dfc, keepdims=True),
        "dL_dWc": hand.dL_dWc,
        "dL_dBc": hand.dL_dBc,
    }


print("The article's gradient, against the loss that it prints:\n")
print(tg.check.gradients(printed, p, lambda p: hand_derived(x, y, p), names=NAMES, losses={"the shifted one": shifted}))
print("\nAgainst the shifted loss, with the article's conventions:\n")
print(tg.check.gradients(shifted_as_the_article_counts, p, lambda p: hand_derived(x, y, p), names=NAMES))
print("\nWith a mistake:\n")
print(tg.check.gradients(shifted_as_the_article_counts, p, with_a_mistake, names=NAMES))
