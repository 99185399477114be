"""What primitives declare, and that every tool looks it up there: kinks, operations, purity, mistakes, labels."""

from __future__ import annotations

import gc
import html
import importlib
import json
import pkgutil
import re
from typing import Any

import numpy as np
import pytest
from paths import ROOT

import tinygrad_cnn as tg
from tinygrad_cnn.check.witnesses.branches import branches_of
from tinygrad_cnn.engine.primitive import Primitive, implementations
from tinygrad_cnn.primitives import elementwise, windows

Array = Any

LAYERS = ("engine.mutation", "primitives", "numpy_functions", "nn", "circle_square")
for layer in LAYERS:
    package = importlib.import_module(f"tinygrad_cnn.{layer}")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)

OURS = {
    made.__name__: made
    for made in gc.get_objects()
    if issubclass(type(made), Primitive)  # not isinstance, which asks the objects of other packages
    and (
        isinstance(made.forward, np.ufunc)
        or made.forward.__module__.startswith(tuple(f"tinygrad_cnn.{layer}." for layer in LAYERS))
    )
}
OF_UNKNOWN_COST = {
    "cholesky", "det", "eig", "eigh", "einsum", "fft", "ifft", "inv", "irfft", "logabsdet", "pinv", "qr", "rfft",
    "singular_values", "solve", "svd",
}  # fmt: skip


def test_every_primitive_declares_its_operations_but_those_where_they_are_unknown() -> None:
    assert len(OURS) > 100
    assert {name for name, made in OURS.items() if made.flops is None} == OF_UNKNOWN_COST


def test_every_primitive_of_ours_is_pure() -> None:
    assert {name for name, made in OURS.items() if not made.pure} == set()


def test_no_primitive_has_declarations_that_exclude_each_other() -> None:
    """What only moves elements computes nothing, and what is elementwise takes no window."""
    assert {name for name, made in OURS.items() if made.moves and (made.elementwise or made.bilinear)} == set()
    assert {name for name, made in OURS.items() if made.elementwise and made.windowed} == set()


KINKS = [
    (np.maximum, [[1.0, 2.0], [2.0, 2.0]], [False, True]),
    (np.minimum, [[1.0, 2.0], [2.0, 2.0]], [False, True]),
    (np.fmax, [[1.0, 2.0], [2.0, 2.0]], [False, True]),
    (np.fmin, [[1.0, 2.0], [2.0, 2.0]], [False, True]),
    (np.abs, [[-1.0, 0.0]], [False, True]),
    (np.fabs, [[-1.0, 0.0]], [False, True]),
    (np.copysign, [[-1.0, 0.0], [1.0, 1.0]], [False, True]),
    (np.hypot, [[0.0, 0.0], [1.0, 0.0]], [False, True]),
    (np.remainder, [[1.0, 4.0], [2.0, 2.0]], [False, True]),
    (np.fmod, [[1.0, 4.0], [2.0, 2.0]], [False, True]),
    (lambda x: np.modf(x)[0], [[0.5, 2.0, 0.0]], [False, True, False]),
    (tg.relu, [[-1.0, 0.0]], [False, True]),
    (elementwise.root_of_squares, [[1.0, 0.0]], [False, True]),
    (lambda x: np.max(x, axis=1), [[[3.0, 3.0], [2.0, 1.0]]], [True, False]),
    (lambda x: np.min(x, axis=1, keepdims=True), [[[3.0, 3.0], [2.0, 1.0]]], [[True], [False]]),
    (lambda x: tg.max_pool2d(x, (2, 1)), [[[3.0, 2.0], [3.0, 1.0]]], [[True, False]]),
    (lambda x, y: np.where([True, False], x, y), [[1.0, 2.0], [1.0, 3.0]], [True, False]),
]


@pytest.mark.parametrize(("function", "operands", "expected"), KINKS)
def test_a_kink_is_declared_where_the_rule_takes_a_convention(function, operands, expected) -> None:
    node = function(*[tg.Tensor(x) for x in operands]).node
    found = node.primitive.kink.meeting(node.value, *node.operands, **node.static_args)
    np.testing.assert_array_equal(found, expected)


def test_no_primitive_has_a_kink_that_is_not_in_the_table() -> None:
    tested = {function(*[tg.Tensor(x) for x in operands]).node.primitive for function, operands, _ in KINKS}
    assert {made for made in OURS.values() if made.kink is not None and not made.moves} == tested


def test_every_kink_stands_in_the_table_of_conventions() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## Conventions where a derivative does not exist")[2].partition("\n## ")[0]
    called = {"root_of_squares": "np.linalg.norm", "fraction": "modf"}
    names = [called.get(name, name) for name, made in OURS.items() if made.kink is not None and not made.moves]
    assert [name for name in names if not re.search(rf"`{re.escape(name)}\b", table)] == []


def test_elements_that_a_condition_moves_elsewhere_are_another_branch() -> None:
    def branches(condition: list[bool]) -> Any:
        return branches_of([np.select([condition], [tg.Tensor([1.0, 2.0])], np.zeros(2)).node])

    assert branches([True, False]).same(branches([True, False]))
    assert not branches([True, False]).same(branches([True, True]))


def test_a_user_may_call_a_static_argument_as_one_of_ours_is_called() -> None:
    @tg.primitive
    def scaled(x, /, run, window=2):
        return x * run * window

    scaled.defvjp(lambda g, out, x, run, window=2: g * run * window)
    assert tg.check.gradients(lambda x: np.sum(scaled(x, run=3.0)), np.ones(2), lambda x: np.full(2, 6.0)).ok


def softshrink() -> Any:
    """A user's own primitive: 0 within -1..1, and beyond it x moved towards 0 by 1."""

    @tg.primitive(elementwise=True, pure=True, name="soft_shrink")
    def shrink(x, /):
        return np.sign(x) * np.maximum(np.abs(x) - 1, 0)

    def passed(at_one: float):
        return lambda g, out, x: g * ((np.abs(x) > 1) + at_one * (np.abs(x) == 1))

    shrink.defvjp(passed(0.0))
    shrink.defkink(
        lambda out, x: [x > 1, x < -1],
        lambda out, x: np.abs(x) == 1,
        conventions={"the cotangent is passed on": [passed(1.0)]},
    )
    shrink.defflops(lambda out, x: 4 * x.size)
    shrink.defmistake("what is below -1 is forgotten", lambda g, out, x: g * (x > 1))
    return shrink


def test_a_kink_that_a_user_declares_is_in_the_table_of_kinks() -> None:
    shrink = softshrink()
    x = np.array([-2.0, -1.0, 0.5, 1.0, 1.0, 3.0])
    report = tg.check.gradients(lambda x: np.sum(shrink(x) ** 3), x)
    assert report.ok
    assert [(kink.primitive, kink.elements) for kink in report.kinks] == [("soft_shrink", 3)]


def test_a_convention_and_a_mistake_that_a_user_declares_explain_a_gradient() -> None:
    shrink = softshrink()

    def loss(x: Array) -> Any:
        return np.sum(shrink(x) * np.array([2.0, 3.0, 4.0]))

    def explained(x: list[float], slopes: list[float]) -> str:
        report = tg.check.gradients(loss, np.array(x), lambda x: np.array(slopes) * [2.0, 3.0, 4.0], evaluations=0)
        return str(report.conclusions)

    assert "the cotangent is passed on" in explained([1.0, 0.5, 3.0], [1.0, 0.0, 1.0])
    assert "what is below -1 is forgotten" in explained([-3.0, 0.5, 3.0], [0.0, 0.0, 1.0])


def test_a_cost_that_a_user_declares_is_in_the_picture() -> None:
    shrink = softshrink()
    y = np.sum(shrink(tg.Tensor(np.ones(10), "x")))
    graph = json.loads(tg.graph(y, measure=True).json())
    costs = {box["primitive"]: box["cost"]["flops"] for box in graph["boxes"] if box.get("cost")}
    assert costs == {"soft_shrink": 40, "sum": 10}


def test_a_pure_primitive_is_not_computed_again_for_the_slope_of_what_it_does_not_depend_on() -> None:
    def calls(pure: bool) -> int:
        seen: list[float] = []

        @tg.primitive(pure=pure)
        def doubled(x, /):
            seen.append(float(x))
            return 2 * x

        doubled.defvjp(lambda g, out, x: 2 * g)
        tg.check.gradients(lambda p: doubled(p["a"]) * p["b"], {"a": 1.0, "b": 3.0})
        return seen.count(1.0)

    assert calls(pure=True) < calls(pure=False)


def test_the_short_label_in_a_picture_omits_parameters_that_are_implied() -> None:
    @tg.primitive(moves=True, implied=("sizes",))
    def filled(x, /, sizes, order="C"):
        return np.full(sizes, x, order=order)

    filled.defvjp(lambda g, out, x, sizes, order="C": np.sum(g))
    x = tg.Tensor(2.0, "x")
    assert "<B>filled</B>(·, order='F')<" in html.unescape(tg.graph(filled(x, (2, 3), order="F")).dot())


def test_declarations_are_those_of_the_primitive_and_not_of_its_name() -> None:
    @tg.primitive
    def matmul(x, /):
        return np.tanh(x)

    matmul.defvjp(lambda g, out, x: g * (1 - out * out))
    graph = json.loads(tg.graph(np.sum(matmul(tg.Tensor(np.ones(3), "x"))), measure=True).json())
    assert {box["primitive"]: box["cost"]["flops"] for box in graph["boxes"] if box.get("cost")}["matmul"] is None


def test_a_layout_of_windows_is_looked_up_by_declaration() -> None:
    assert {name for name, made in OURS.items() if made.windowed} == {"avg_pool2d", "im2col", "max_pool2d"}
    assert windows.im2col.moves
    assert implementations[np.matmul].bilinear
