"""Programs as JavaScript: models, published losses, and what a module promises."""

from __future__ import annotations

import numpy as np
from lowering.javascript.in_javascript import case, evaluate, faults
from lowering.test_printing import ALL

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, published_start, train_as_published

DATA = bundled(TASKS["circle-square"])
X, Y = Scaling()(DATA.train.grey), DATA.train.y  # (24, 28, 28), (24, 1)


def test_every_model_has_the_loss_and_the_gradient_of_the_interpreter() -> None:
    cases = []
    for name, model in ALL.items():
        function = tg.value_and_grad(model.loss)
        listing = tg.program(function)(model.parameters, *model.data).listing
        cases.append(case(name, function, listing, [(model.parameters, *data) for data in (model.data, model.other)]))
    assert not faults(cases)


# The published training.


def training_step(p: Parameters, x: np.ndarray, y: np.ndarray):
    """The loss that the article prints, and the parameters after a step."""

    def loss(p: Parameters):
        steps = forward(x, p, ties="all", at_zero=1.0)
        return loss_shifted(steps.sigma, y), steps

    gradients, steps = tg.grad(loss, has_aux=True)(p)
    return loss_as_printed(steps.sigma, y), tg.tree.map(lambda a, g: a - 0.01 * g, p, gradients)


def start_and_orders() -> tuple[Parameters, list[np.ndarray]]:
    """What the article draws: the parameters, and the order of the images in each epoch."""
    random = np.random.RandomState(PUBLISHED_SEED)
    p = published_start(random)
    random.shuffle(np.arange(len(X)))
    orders = [np.arange(len(X)) for _ in range(501)]
    for order in orders:
        random.shuffle(order)
    return p, orders


TRAIN = """([{ step }], { p, x, y, orders }) => {
  const images = new Float64Array(x.length), targets = new Float64Array(y.length), losses = [];
  for (const order of orders) {
    order.forEach((from, to) => {
      images.set(x.subarray(from * 784, from * 784 + 784), to * 784);
      targets[to] = y[from];
    });
    losses.push(step({ p, x: images, y: targets }, [undefined, p])[0]);
  }
  return [losses, p];
}"""


def test_it_repeats_the_published_losses() -> None:
    p, orders = start_and_orders()
    module = tg.program(training_step)(p, X, Y).source(to="js")
    orders = [order.astype(np.int32) for order in orders]
    losses, after = evaluate(TRAIN, [module], {"p": p, "x": X, "y": Y, "orders": orders})
    expected = [*train_as_published(X, Y)]
    np.testing.assert_allclose(losses, [epoch.loss for epoch in expected], rtol=1e-12)
    for name, made in vars(expected[-1].after).items():
        np.testing.assert_allclose(after[name], made.ravel(), rtol=1e-10)
