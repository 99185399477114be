"""Programs as JavaScript: models, published losses, and what a module promises."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lowering import elements
from lowering.javascript.in_javascript import Case, case, evaluate, faults
from lowering.test_printing import ALL

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.circle_square.training import PUBLISHED_SEED, published_start, train_as_published
from tinygrad_cnn.lowering.javascript import source

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
    model = ALL["article"]
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


def test_the_functions_of_scipy_are_scipys_near_their_poles_and_far_out() -> None:
    special = pytest.importorskip("scipy.special")
    near = np.array([0.0, -0.0, 1.0, 2.0, 1e-300, 1e-9, 0.5, 1.5, 1.9, 2.1, 3.5, 11.9, 12.1, 26.0, 170.7, 1e6])
    odd = np.array([np.inf, np.nan, -np.inf, -0.5, -1.5, -2.25, -7.75, -30.5, -1e-9, -1e-300])
    x = np.concatenate([near, odd])
    left, right = [a.ravel() for a in np.meshgrid(x, x)]
    of_one = [lambda x, f=getattr(special, name): f(x) for name in ("expit", "erf", "erfc", "gammaln", "psi")]
    of_two = [lambda x, y, f=getattr(special, name): f(x, y) for name in ("xlogy", "xlog1py")]
    with np.errstate(all="ignore"):
        cases = [case(str(k), f, tg.program(f)(x).listing, [(x,)]) for k, f in enumerate(of_one)]
        cases += [case(str(k), f, tg.program(f)(left, right).listing, [(left, right)]) for k, f in enumerate(of_two)]
        assert not faults(cases)


# What a module promises.

MODULE = tg.program(lambda p, x: (np.sum(p["w"] * x), {"w": p["w"] - 0.5 * x, "n": x[0] > 0}))(
    {"w": np.arange(6.0).reshape(2, 3)}, np.ones((3,))
).source(to="js")


def called(scripts: Sequence[str], *modules: str, given: Any = None) -> list[Any]:
    """What each script returns, a function of modules that may use what is given; or the message of its error."""
    safe = [
        f"() => {{ try {{ return ({script})(...modules); }} catch (e) {{ return String(e); }} }}" for script in scripts
    ]
    every = f"(modules, given) => [{', '.join(safe)}].map((script) => script())"
    return list(evaluate(every, modules, given))


ARGUMENTS = "{ p: { w: [[0, 1, 2], [3, 4, 5]] }, x: Float64Array.of(1, 2, 4) }"


CALLS: list[tuple[str, Any]] = [
        (f"({{ step }}) => step({ARGUMENTS})[0]", 0 + 2 + 8 + 3 + 8 + 20),
        (f"({{ step }}) => step({ARGUMENTS})[1].n", True),
        (f"({{ step }}) => Array.from(step({ARGUMENTS})[1].w)", [-0.5, 0, 0, 2.5, 3, 3]),
        ("({ shapes }) => shapes", {"given": {"p": {"w": [2, 3]}, "x": [3]}, "result": [[], {"w": [2, 3], "n": []}]}),
        (  # an argument is updated in place, and what is not given is new at each call
            """({ step }) => {
              const w = new Float64Array(6), x = Float64Array.of(2, 4, 6);
              const first = step({ p: { w }, x }), second = step({ p: { w }, x }, [undefined, { w }]);
              const third = step({ p: { w }, x });
              return [second[1].w === w, Array.from(w), Array.from(first[1].w), first[1].w === third[1].w];
            }""",
            [True, [-1, -2, -3, -1, -2, -3], [-1, -2, -3, -1, -2, -3], False],
        ),
        (  # a result may be written over any argument
            "({ step }) => { const x = [1, 2, 4], w = new Float64Array(6); "
            "return step({ p: { w }, x }, [null, { w: new Float32Array(6) }]); }",
            "TypeError: into[1].w is no Float64Array of 6, which the result is",
        ),
        (
            "({ step }) => step({ p: { w: [[1, 2, 3]] }, x: [1, 2, 3] })",
            "TypeError: p.w is of another shape; expected float64 of shape [2,3], as a Float64Array of 6 numbers or as "
            "nested arrays",
        ),
        (
            "({ step }) => step({ x: [1, 2, 3] })",
            "TypeError: p.w is missing; expected float64 of shape [2,3], as a Float64Array of 6 numbers or as nested "
            "arrays",
        ),
        (
            "({ step }) => step({ p: { w: new Float64Array(5) }, x: [1, 2, 3] })",
            "TypeError: p.w has 5 elements; expected float64 of shape [2,3], as a Float64Array of 6 numbers or as "
            "nested arrays",
        ),
        (
            "({ step }) => step({ p: { w: new Float64Array(6) }, x: [1, 2, '3'] })",
            "TypeError: x has the element 3; expected float64 of shape [3], as a Float64Array of 3 numbers or as "
            "nested arrays",
        ),
    ]  # fmt: skip


def test_a_module_takes_and_returns_trees_and_says_what_is_wrong() -> None:
    assert called([script for script, _ in CALLS], MODULE) == [expected for _, expected in CALLS]


COUNTS = tg.program(lambda n, x: (n * n + 1, x[n[0]], x * n[1]))(np.array([1, 2]), np.array([1.5, 2.5])).source(to="js")


OF_COUNTS: list[tuple[str, Any]] = [
        ("[1, 3]", [[2, 10], 2.5, [4.5, 7.5]]),
        ("BigInt64Array.of(-1n, 2n)", [[2, 5], 2.5, [3, 5]]),
        ("[0, 94906265]", [[1, 94906265**2 + 1], 1.5, [1.5 * 94906265, 2.5 * 94906265]]),
        ("[0, 94906267]", f"RangeError: an integer is about {float(94906267**2):.0f}; expected at most 2^53"),
        ("[2, 0]", "RangeError: index 2 is out of bounds for axis 0 with size 2"),
        ("[0.5, 0]", "TypeError: n has the element 0.5; expected int64 of shape [2], as a Float64Array of 2 numbers or "
                     "as nested arrays"),
        ("BigInt64Array.of(1n, 9007199254740993n)", "TypeError: n has the element 9007199254740993; expected int64 of "
                                                   "shape [2], as a Float64Array of 2 numbers or as nested arrays"),
    ]  # fmt: skip


def test_integers_are_exact_or_refused() -> None:
    scripts = [
        f"({{ step }}) => step({{ n: {n}, x: [1.5, 2.5] }}).map((x) => x.length ? Array.from(x) : x)"
        for n, _ in OF_COUNTS
    ]
    assert called(scripts, COUNTS) == [expected for _, expected in OF_COUNTS]


def test_several_programs_stand_in_one_script_and_give_any_value_within() -> None:
    def loss(w, x):
        h = np.tanh(w * x)
        return np.sum(h * h)

    listing = tg.program(tg.value_and_grad(loss))(np.ones(3), np.ones(3)).listing
    inner = [x for x in listing.instructions if x.origin.name is not None and x.operands]
    names = [x.origin.name for x in inner]
    shown = listing.with_(outputs=tuple(inner), structure={name: k for k, name in enumerate(names)})
    both = f"{source(listing, 'step', exported=False)}\n{source(shown, 'values', exported=False)}"
    w, x = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, -1.0])
    script = f"() => {{ {both}\n return [step(given), values(given)]; }}"
    (((value, gradient), values),) = called([script], given={"w": w, "x": x})
    expected, slope = tg.value_and_grad(loss)(w, x)
    assert value == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(gradient, slope, rtol=1e-13)
    assert set(names) >= {"h", "dL_dh", "dL_dw"}
    np.testing.assert_allclose(values["h"], np.tanh(w * x), rtol=1e-14)
    np.testing.assert_allclose(values["dL_dh"], 2 * np.tanh(w * x), rtol=1e-14)
    np.testing.assert_allclose(values["dL_dw"], slope, rtol=1e-13)


def test_draws_are_arguments() -> None:
    def dropped(x, rng):
        return np.sum(x * (rng.random(x.shape) < 0.5))

    listing = tg.program(dropped)(np.ones(4), np.random.default_rng(0)).listing
    calls = [(np.arange(4.0), np.random.default_rng(seed)) for seed in (1, 2)]
    assert not faults([case("dropped", dropped, listing, calls)])
    assert "rng_random_0" in source(listing, "step")


def test_steps_that_are_alike_are_one_function() -> None:
    model = ALL["lstm"]
    function = tg.value_and_grad(model.loss)
    xs = np.zeros((40, 8, 4))
    text = tg.program(function)(model.parameters, xs).source(to="js")
    assert len(re.findall("^function compute_", text, re.MULTILINE)) < 60
    assert len(re.findall("^  compute_", text, re.MULTILINE)) > 400


def test_what_the_user_names_ends_no_comment_and_takes_no_name_of_javascripts() -> None:
    space: dict[str, Any] = {"np": np}
    names = "new, function_, Math, memory, step, given, into, result, array, _, λ, __proto__"
    code = compile(f"def f({names}):\n    return {{'a\\u2028b\"`${{}}': {names.replace(', ', ' + ')}, 'class': new}}\n",
                   "a*/\u2028b.py", "exec")  # fmt: skip
    exec(code, space)
    arguments = tuple([np.full(2, float(k)) for k in range(len(names.split(", ")))])
    listing = tg.program(space["f"])(*arguments).listing
    assert not faults([case("names", space["f"], listing, [arguments])])


# What is refused.

REFUSED: dict[str, tuple[Any, tuple[Any, ...], str]] = {
    "an operation": (
        lambda x: np.linalg.svd(x)[1], (np.eye(3),), r"numpy\.linalg\.svd \(.*:\d+ in .*\) of float64 \(3, 3\)",
    ),
    "a complex value": (lambda x: np.abs(np.fft.fft(x)), (np.ones(3),), r"numpy\.fft\.fft \(.*\) is complex128"),
    "float16": (lambda x: x + x, (np.ones(3, np.float16),), "argument x is float16"),
    "a primitive of the user's": (
        lambda x: _cube_root_sum(x), (np.ones(3),), r"cube_root_sum \(.*\) of float64 \(3,\) has no form in JavaScript",
    ),
    "an integer beyond 2^53": (lambda x: x + 2**60, (np.arange(3),), "1152921504606846976"),
}  # fmt: skip


@tg.primitive(opaque=True)
def _cube_root_sum(x, /):
    return np.sum(np.cbrt(np.asarray(x)))


@pytest.mark.parametrize("name", REFUSED)
def test_what_javascript_lacks_is_refused_by_name_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    function, arguments, message = REFUSED[name]
    program = tg.program(function)(*arguments)
    with pytest.raises(NotImplementedError, match=message):
        program.save(tmp_path / "step.js")
    assert not list(tmp_path.iterdir())
