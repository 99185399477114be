"""A loss that is run again near a point takes from the first run what it may, and nothing else."""

from __future__ import annotations

import array
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn import tree
from tinygrad_cnn.check.witnesses.incremental_evaluation import IncrementalLoss, alike
from tinygrad_cnn.check.witnesses.replay import replay
from tinygrad_cnn.check.witnesses.trace import trace
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed
from tinygrad_cnn.primitives import windows

pytestmark = pytest.mark.slow

Array = Any


def branching(p: Any) -> Any:
    if p["b"][0] > 0:
        return np.sum(p["a"] * 2 * p["b"])
    return np.sum(np.abs(p["a"] * 2) + p["b"] ** 2)


def assigning(p: Any) -> Any:
    u = np.zeros_like(p["a"])
    for i in range(3):
        u[i] = p["a"][i] * p["b"][2 - i]
    p["b"][1] = u[0] * 3
    u[u.value > 0] *= 2
    return np.sum(u**2) + np.sum(p["b"])


def with_gradients_within(p: Any) -> Any:
    slope = tg.grad(lambda a: np.sum(np.tanh(a) ** 2))(p["a"])
    return np.sum(slope * p["b"]) + tg.grad(lambda b: np.sum(b**3))(p["b"])[0]


def with_a_checkpoint(p: Any) -> Any:
    return np.sum(tg.checkpoint(lambda a: np.sin(a) * p["b"])(p["a"]))


def by_way_of_values(p: Any) -> Any:
    return np.sum(p["a"] * np.sign(p["b"].value)) + np.sum(p["a"] * (p["b"].value > 0))


def with_views(p: Any) -> Any:
    part = p["a"][1:]
    part *= p["b"][0]
    return np.sum(p["a"] ** 2) + np.max(p["b"].reshape(3, 1).T)


def without_a_graph(p: Any) -> Any:
    with tg.no_grad():
        scale = np.exp(p["a"] * 2)
    return np.sum(p["b"] / scale)


def writing_in_one_branch(p: Any) -> Any:
    if p["b"][0] > 0:
        p["a"][1:] = 5.0
    else:
        p["b"][1:] = 5.0
    return np.sum(p["a"][...]) + np.sum(p["b"][...])


def with_more_beside_a_gradient(p: Any) -> Any:
    _, more = tg.grad(lambda x: (np.sum(x**2), p["a"] * 2), has_aux=True)(np.ones(3))
    more *= 2
    return np.sum(more * p["b"])


LOSSES = [
    branching, assigning, with_gradients_within, with_a_checkpoint, by_way_of_values, with_views, without_a_graph,
    writing_in_one_branch, with_more_beside_a_gradient,
]  # fmt: skip
numbers = st.lists(st.sampled_from([-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0]), min_size=3, max_size=3).map(np.array)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@given(a=numbers, b=numbers, a2=numbers, b2=numbers, which=st.sampled_from(["a", "b", "both", "none"]))
def test_a_rerun_is_a_run(loss: Callable[[Any], Any], a: Array, b: Array, a2: Array, b2: Array, which: str) -> None:
    form, there = tree.flatten({"a": a, "b": b}), [a, b]
    incremental = IncrementalLoss(loss, form, there)
    moved = [a2 if which in ("a", "both") else a, b2 if which in ("b", "both") else b]
    value, branches = incremental.at(moved)
    expected = trace(loss, form, moved)
    np.testing.assert_array_equal(value, expected.value)
    assert branches.same(expected.branches())
    assert branches.same(incremental.first.branches()) == expected.branches().same(trace(loss, form, there).branches())


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@given(a=numbers, b=numbers, a2=numbers, b2=numbers, which=st.sampled_from(["a", "b", "both", "none"]))
def test_a_replay_is_a_run(loss: Callable[[Any], Any], a: Array, b: Array, a2: Array, b2: Array, which: str) -> None:
    form, there = tree.flatten({"a": a, "b": b}), [a, b]
    first = trace(loss, form, there)
    program = replay(loss, form, there, first)
    assert (program is None) == (loss in (branching, assigning, writing_in_one_branch))
    if program is not None:
        moved = [a2 if which in ("a", "both") else a, b2 if which in ("b", "both") else b]
        value, branches = program.at(moved)
        expected = trace(loss, form, moved)
        np.testing.assert_array_equal(value, expected.value)
        same, as_it_is_run = branches.same(program.at(there)[1]), expected.branches().same(first.branches())
        # Whether a constant is a mask, all zeros and ones, is decided where the program is traced.
        assert same == as_it_is_run or (loss is by_way_of_values and same)


def test_a_loss_that_catches_what_tracing_raises_is_run_as_it_is_written() -> None:
    def loss(p: Any) -> Any:
        try:
            return np.sum(p * 2) if np.sum(p.value) > 0 else np.sum(p * 3)
        except TypeError:
            return np.sum(p * 4)

    x = np.ones(2)
    form = tree.flatten(x)
    assert replay(loss, form, [x], trace(loss, form, [x])) is None


def test_what_is_before_the_change_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    poolings: list[tuple[int, ...]] = []
    pool = windows.max_pool2d.compute

    def counted(x: Array, *args: Any, **settings: Any) -> Array:
        poolings.append(x.shape)
        return pool(x, *args, **settings)

    rng = np.random.default_rng(0)
    x, y = rng.random((5, 28, 28)), np.array([[0.0], [1], [0], [1], [1]])
    p = Parameters(*[rng.standard_normal(shape) for shape in ((3, 3), (1, 1), (1, 196), (1, 1))])
    form = tree.flatten(p)
    incremental = IncrementalLoss(lambda p: loss_as_printed(forward(x, p).sigma, y), form, form.leaves)
    monkeypatch.setattr(windows.max_pool2d, "compute", counted)
    incremental.at([p.Wc, p.Bc, p.Wf + 1, p.Bf])
    incremental.at([p.Wc, p.Bc, p.Wf, p.Bf + 1])
    assert poolings == []
    incremental.at([p.Wc, p.Bc + 1, p.Wf, p.Bf])
    assert poolings == [(5, 28, 28)]


def test_a_primitive_of_somebody_elses_is_computed_each_time() -> None:
    """Its function may look at what it is not given: then numbers have to show what autodiff cannot see."""
    seen: dict[str, Any] = {}

    @tg.primitive
    def scaled(x: Array, /) -> Array:
        return x * seen["b"]

    scaled.defvjp(lambda g, out, x: g * seen["b"])

    def loss(p: Any) -> Any:
        seen["b"] = p["b"].value
        return np.sum(scaled(p["a"])) + 0 * np.sum(p["b"])

    report = tg.check.gradients(loss, {"a": np.ones(2), "b": np.ones(2)})
    assert not report.ok
    assert report.parameters[1].autodiff_vs_differences.verdict == "differ"


def test_constants_that_change_are_seen() -> None:
    calls: list[int] = []

    def loss(w: Any) -> Any:
        calls.append(1)
        return np.sum(w * np.full(3, float(len(calls))))

    w = np.ones(3)
    incremental = IncrementalLoss(loss, tree.flatten(w), [w])
    assert [incremental.at([w])[0] for _ in range(3)] == [6, 9, 12]


@pytest.mark.parametrize(
    "made",
    [
        lambda: [1.0, 2.0, 3.0],
        lambda: ([1.0, 2.0, 3.0],),
        lambda: array.array("d", [1.0, 2.0, 3.0]),
        lambda: memoryview(array.array("d", [1.0, 2.0, 3.0])),
        lambda: np.array([1.0, 2.0, 3.0]),
    ],
    ids=["list", "tuple of a list", "array.array", "memoryview", "ndarray"],
)
def test_what_a_constant_was_made_of_may_change_with_the_parameters(made: Callable[[], Any]) -> None:
    constant = made()
    inner = constant[0] if isinstance(constant, tuple) else constant

    def loss(p: Any) -> Any:
        inner[0] = float(tg.stop_gradient(p["b"])[0])
        return np.sum(np.multiply(p["a"], constant))

    form, there = tree.flatten({"a": np.ones(3), "b": np.ones(3)}), [np.ones(3), np.ones(3)]
    incremental = IncrementalLoss(loss, form, there)
    assert [incremental.at([there[0], np.full(3, first)])[0] for first in (4.0, 5.0)] == [9, 10]


def test_the_elements_of_an_array_of_another_kind_are_not_all_there_is_to_it() -> None:
    x = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    assert not alike(x, np.ma.masked_array([1.0, 2.0], mask=[False, True]))


def test_of_a_run_no_more_is_held_than_what_the_loss_came_from() -> None:
    """So a loss may train something within, or measure it, at no cost in memory."""
    seen: list[weakref.ref[Any]] = []

    def noted(t: Any) -> Any:
        seen.append(weakref.ref(t.node.value))
        return t

    def loss(p: Any) -> Any:
        w = np.ones(3)
        for _ in range(5):
            w = w - 0.1 * tg.grad(lambda w: np.sum(noted(np.tanh(w)) ** 2))(w)
        np.mean(noted(np.sin(p)))
        return np.sum(p * w)

    there = [np.ones(3)]
    incremental = IncrementalLoss(loss, tree.flatten(there[0]), there)
    incremental.at([np.zeros(3)])
    assert [ref() for ref in seen] == [None] * 12


def test_a_loss_that_assigns_to_its_arguments_is_checked_at_what_it_was_given() -> None:
    def loss(w: Any) -> Any:
        w *= 2
        w[0] = w[1] * 3
        return np.sum(w**2)

    report = tg.check.gradients(loss, np.array([1.0, 2, 3]), lambda w: np.array([0, 80 * w[1], 8 * w[2]]))
    assert report.ok


@pytest.mark.parametrize(
    ("x", "y", "same"),
    [
        (0.0, -0.0, False),
        (1, 1.0, False),
        (1, True, False),
        (np.nan, np.nan, True),
        (np.array([0.0, 1]), np.array([-0.0, 1]), False),
        (np.array([0.0, 1]), np.array([0.0, 1]), True),
        (np.array([0, 1]), np.array([0.0, 1]), False),
        (np.array([[1, 2]]), np.array([1, 2]), False),
        (np.float64(2), np.float64(2), True),
        (np.longdouble(-0.0), np.longdouble(0.0), False),
        ((1, [2, None]), (1, [2, None]), True),
        ((1, [2, None]), (1, (2, None)), False),
        (slice(1, None), slice(1, None), True),
        (slice(1, None), slice(2, None), False),
        ({"axis": (0, 1)}, {"axis": (0, 1)}, True),
        ({"axis": 0}, {"axes": 0}, False),
        (np.sin, np.sin, True),
        (lambda: 0, lambda: 0, False),
        (np.dtype("f4"), np.dtype("f8"), False),
        ("constant", "edge", False),
        (Ellipsis, None, False),
    ],
)
def test_constants_are_alike_when_nothing_tells_them_apart(x: Any, y: Any, same: bool) -> None:
    assert alike(x, y) is same


def test_what_is_declared_or_checkpointed_within_a_loss_is_the_same_way_each_time() -> None:
    def declared_within(p: Any) -> Any:
        @tg.primitive
        def cube(x: Array, /) -> Array:
            return x**3

        cube.defvjp(lambda g, out, x: 3 * g * x**2)
        return np.sum(cube(p["a"]) * p["b"])

    for loss in (declared_within, with_a_checkpoint):
        report = tg.check.gradients(loss, {"a": np.arange(1, 4.0), "b": np.ones(3)})
        assert report.ok
        assert [p.autodiff_vs_differences.verdict for p in report.parameters] == ["agree", "agree"]


def test_what_is_within_a_checkpoint_is_no_call_of_the_run() -> None:
    there = [np.ones(3), np.ones(3)]
    incremental = IncrementalLoss(with_a_checkpoint, tree.flatten({"a": there[0], "b": there[1]}), there)
    names = [call.primitive.__name__ for call in incremental.calls if call is not None]
    assert len(incremental.calls) == 4  # of the whole, of its part, of that in its shape, and of the sum
    assert names == ["getitem", "reshape", "sum"]
