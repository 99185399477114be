"""Training, by two recipes: as the article does it, and so that it works."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.hand_derived import hand_derived
from tinygrad_cnn.circle_square.model import Forward, Parameters, forward, loss_as_printed, loss_on_logits, loss_shifted

Floats = NDArray[np.float64]
Gradient = Literal["auto", "hand"]
RecipeName = Literal["published", "robust"]

PUBLISHED_SEED = 230129


@dataclass(frozen=True)
class Epoch:
    """One pass over the images: the parameters before it, what they predicted, and the parameters after it.

    loss        the loss that is reported: the printed one, or with the robust recipe the one that is trained
    steps       every step of the forward pass, in the order of `order`
    order       which image stood where in the batch
    accuracy    the share of images, 0..1, on the right side of 1/2
    trouble     why training cannot go on from here, or None
    """

    number: int
    loss: float
    steps: Forward
    order: NDArray[np.intp]
    accuracy: float
    before: Parameters
    after: Parameters
    trouble: str | None


def accuracy(sigma: Floats, y: Floats) -> float:
    """The share of predictions (1, batch) on the same side of 1/2 as the targets (batch, 1)."""
    return float(np.mean((sigma > 0.5) == (y.T > 0.5)))


def published_start(random: np.random.RandomState) -> Parameters:
    """The article's initial parameters, in the order in which it draws them."""
    return Parameters(Wc=random.randn(3, 3), Bc=random.randn(1, 1), Wf=random.randn(1, 196), Bf=random.randn(1, 1))


def train_as_published(
    x: Floats,
    y: Floats,
    learning_rate: float = 0.01,
    epochs: int = 500,
    seed: int = PUBLISHED_SEED,
    gradient: Gradient = "auto",
    eager: bool = False,
) -> Iterator[Epoch]:
    """The article's loop, down to the random draws: `epochs` + 1 times, a shuffle and one step on the whole batch.

    x: images (batch, 28, 28), y: targets (batch, 1). gradient: "hand", the one derived by hand, or "auto", that of the
    shifted loss with the article's conventions, by automatic differentiation. The loss that is reported is in both the
    one that the article prints. The random numbers are those of NumPy's old generator, as in the article.
    eager: whether autodiff records and differentiates anew at each step, instead of running a compiled program.
    """
    random = np.random.RandomState(seed)
    p = published_start(random)
    random.shuffle(np.arange(len(x)))  # the article shuffles once to show what shuffling does
    step, gradient_at = tg.SGD(learning_rate).step, gradient_of("published", gradient, eager)
    for number in range(epochs + 1):
        order = np.arange(len(x))
        random.shuffle(order)
        batch, targets = x[order], y[order]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the shifted loss beyond its pole
            steps, gradients = gradient_at(batch, targets, p)
        loss = float(loss_as_printed(steps.sigma, targets))
        after = step(p, gradients)
        yield Epoch(number, loss, steps, order, accuracy(steps.sigma, targets), p, after, _trouble(loss, steps, after))
        p = after


def hand_derived_gradient(x: Floats, y: Floats, p: Parameters) -> tuple[Forward, Parameters]:
    """The steps of the model, and the article's gradient, derived by hand."""
    by_hand = hand_derived(x, y, p)
    return forward(x, p), Parameters(by_hand.dL_dWc, by_hand.dL_dBc, by_hand.dL_dWf, by_hand.dL_dBf)


def published_gradient(x: Floats, y: Floats, p: Parameters) -> tuple[Forward, Parameters]:
    """The steps of the model, and the same gradient by autodiff: the shifted loss with the article's conventions."""

    def loss(p: Parameters) -> tuple[Any, Forward]:
        steps = forward(x, p, ties="all", at_zero=1.0)
        return loss_shifted(steps.sigma, y), steps

    gradients, steps = tg.grad(loss, has_aux=True)(p)
    return steps, gradients


def robust_gradient(x: Floats, y: Floats, p: Parameters) -> tuple[Any, Forward, Parameters]:
    """The mean loss on logits, the steps of the model, and the gradient by autodiff."""

    def loss(p: Parameters) -> tuple[Any, Forward]:
        steps = forward(x, p)
        return loss_on_logits(steps.fc, y), steps

    (value, steps), gradients = tg.value_and_grad(loss, has_aux=True)(p)
    return value, steps, gradients


compiled = functools.cache(tg.compile)  # so that every training with the same shapes runs the same program


def gradient_of(recipe: RecipeName, gradient: Gradient, eager: bool) -> Callable[..., Any]:
    """What computes the gradient at each step of a recipe."""
    if recipe == "robust":
        return robust_gradient if eager else compiled(robust_gradient)
    if gradient == "hand":
        return hand_derived_gradient
    return published_gradient if eager else compiled(published_gradient)


def robust_start(rng: np.random.Generator) -> Parameters:
    """He initialisation, of a filter that lets something through.

    Of a filter and its negative it takes the one whose weights have a positive sum: the responses to an image sum to
    that times the sum of its pixels, so that some of them are positive, and the ReLU is not dead before it starts.
    """
    Wc = tg.he_normal(rng, (3, 3), fan_in=9)
    Wf = tg.he_normal(rng, (1, 196))
    return Parameters(Wc=Wc if Wc.sum() > 0 else -Wc, Bc=np.zeros((1, 1)), Wf=Wf, Bf=np.zeros((1, 1)))


def start_of(recipe: RecipeName, seed: int) -> Parameters:
    """The parameters that a recipe begins with."""
    if recipe == "robust":
        return robust_start(np.random.default_rng(seed))
    return published_start(np.random.RandomState(seed))


def train_robustly(
    x: Floats, y: Floats, learning_rate: float = 0.01, epochs: int = 300, seed: int = 0, eager: bool = False
) -> Iterator[Epoch]:
    """The same model, made to train: He initialisation, the mean loss on logits, and Adam.

    x: images (batch, 28, 28), y: targets (batch, 1). Each epoch, 0 to `epochs`, is one step on the whole batch.
    eager: as in `train_as_published`.
    """
    p = robust_start(np.random.default_rng(seed))
    step, gradient_at = tg.Adam(learning_rate).step, gradient_of("robust", "auto", eager)
    for number in range(epochs + 1):
        value, steps, gradients = gradient_at(x, y, p)
        loss, after = float(value), step(p, gradients)
        order, right = np.arange(len(x)), accuracy(steps.sigma, y)
        yield Epoch(number, loss, steps, order, right, p, after, _trouble(loss, steps, after))
        p = after


def _trouble(loss: float, steps: Forward, after: Parameters) -> str | None:
    """What has gone wrong for good, in a sentence; None if training can go on."""
    if not steps.relu.any():
        return (
            "every ReLU output is zero, on every image: no gradient reaches the filter any more, so it stays as it is, "
            "and all predictions are the same"
        )
    if not (np.isfinite(loss) and all(np.isfinite(x).all() for x in (after.Wc, after.Bc, after.Wf, after.Bf))):
        return f"the training has diverged: the loss is {loss}, and the parameters are not finite"
    return None
