"""Programs as JavaScript: models, published losses, and what a module promises."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from lowering import elements
from lowering.javascript.in_javascript import Case, case, evaluate, faults
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


def test_it_runs_in_a_browser() -> None:
    model = ALL["The article's model"] if "The article's model" in ALL else next(iter(ALL.values()))
    function = tg.value_and_grad(model.loss)
    listing = tg.program(function)(model.parameters, *model.data).listing
    assert not faults([case(model.title, function, listing, [(model.parameters, *model.other)])], browser=True)


# Elements.

SMALL = np.array([-7, -2, -1, 1, 2, 3, 100, 127, -128])
OF_ONE = {
    **elements.OF_ONE,
    "reciprocal": lambda x: 1 / x, "sinh": np.sinh, "arcsinh": np.arcsinh, "exp2": np.exp2, "log2": np.log2,
    "trunc": np.trunc, "ceil": np.ceil, "round": lambda x: np.round(x, 1), "isclose": lambda x: np.isclose(x, 1.0),
    "erfc": lambda x: tg.nn.gelu(x), "argmax": lambda x: np.argmax(x[3:]), "sort": np.sort, "cumsum": np.cumsum,
    "nan_to_num": np.nan_to_num, "clip": lambda x: np.clip(x, -1, 2),
}  # fmt: skip
OF_TWO = {
    **elements.OF_TWO, "remainder": np.remainder, "fmod": np.fmod, "floor_divide": np.floor_divide, "fmax": np.fmax,
    "fmin": np.fmin, "logaddexp": np.logaddexp, "logaddexp2": np.logaddexp2, "heaviside": np.heaviside,
    "float_power": np.float_power,
}  # fmt: skip
OF_INTEGERS = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "negative": lambda x, y: -x, "less": np.less,
    "remainder": np.remainder, "floor_divide": np.floor_divide, "maximum": np.maximum, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "invert": lambda x, y: ~x, "absolute": lambda x, y: np.abs(x),
    "square": lambda x, y: np.square(x), "sum": lambda x, y: np.sum(x), "product": lambda x, y: np.prod(x[:3]),
    "as bool": lambda x, y: x.astype(bool), "as int8": lambda x, y: (x * y).astype(np.int8),
    "sign": lambda x, y: np.sign(x),
    "as uint8": lambda x, y: np.abs(x).astype(np.uint8), "as float32": lambda x, y: x.astype(np.float32),
    "mean": lambda x, y: np.mean(x), "largest": lambda x, y: np.max(x), "divide": np.divide,
    "cumsum": lambda x, y: np.cumsum(x), "square of a sum": lambda x, y: (x + y) ** 2,
}  # fmt: skip


def elementwise_cases() -> list[Case]:
    """Every function, of special values, of two dtypes; and integers of all sizes."""
    found = []

    def add(name: str, function: Any, *operands: np.ndarray) -> None:
        listing = tg.program(function)(*operands).listing
        found.append(case(name, function, listing, [operands], operands[0].dtype == np.float32))

    a, b = [x.ravel() for x in np.meshgrid(elements.SPECIAL, elements.SPECIAL)]
    for dtype in (np.float64, np.float32):
        for name, function in OF_ONE.items():
            add(f"{name} of {dtype.__name__}", function, elements.SPECIAL.astype(dtype))
        for name, function in OF_TWO.items():
            add(f"{name} of {dtype.__name__}", function, a.astype(dtype), b.astype(dtype))
    a, b = [x.ravel() for x in np.meshgrid(SMALL, SMALL)]
    for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        x, y = (np.abs(a), np.abs(b)) if dtype[0] == "u" else (a, b)
        for name, function in OF_INTEGERS.items():
            if dtype[0] == "u" and name in ("negative", "subtract", "invert") and dtype == "u8":
                continue  # beyond 2^53
            if (name == "square of a sum" and dtype != "i8") or (name == "divide" and dtype in ("i1", "u1")):
                continue  # refused: a power of small integers, and float16
            add(f"{name} of {dtype}", function, x.astype(dtype), y.astype(dtype))
    return found


def test_each_operation_is_numpys_for_special_values_and_for_integers_of_all_sizes() -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = elementwise_cases()
    assert not faults(cases)
