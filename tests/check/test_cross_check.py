"""The cross-check: its verdicts, where it looks, and what it says."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_cnn as tg
from tinygrad_cnn.check import GradientsDifferError
from tinygrad_cnn.check.report.anchors import Anchors
from tinygrad_cnn.check.report.heat_maps import side_by_side
from tinygrad_cnn.check.report.marked_graph import marks_of
from tinygrad_cnn.circle_square.findings import investigate
from tinygrad_cnn.circle_square.gradient_check import NAMES, cross_check
from tinygrad_cnn.circle_square.hand_derived import hand_derived, max_pool_gradient
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_as_printed, loss_shifted
from tinygrad_cnn.circle_square.training import published_start, robust_start

pytestmark = pytest.mark.slow

check = tg.check.gradients


def drawings(n: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Strokes on a flat background, in which windows tie."""
    rng = np.random.default_rng(seed)
    x = 10 * rng.random((n, 28, 28)) * (rng.random((n, 28, 28)) < 0.2)
    return x, np.repeat([0.0, 1.0], n // 2)[:, None]


# Verdicts.


def test_right_gradients_agree_and_wrong_ones_differ() -> None:
    w = np.array([0.5, -1.0, 2.0])
    right = check(lambda w: np.sum(np.sin(w)), w, np.cos(w))
    assert right.ok
    assert right.conclusions == []
    right.raise_if_wrong()
    wrong = check(lambda w: np.sum(np.sin(w)), w, np.cos(w) + 1e-9)
    assert not wrong.ok
    with pytest.raises(GradientsDifferError, match="hand-derived"):
        wrong.raise_if_wrong()


def test_the_error_is_estimated_not_given() -> None:
    """A gradient that is off by rounding agrees, however large it is; one that is off by a little more does not."""
    w = np.array([1.0, 2.0])
    for size in (1e-8, 1.0, 1e12):

        def loss(w: Any, size: float = size) -> Any:
            return size * np.sum(np.exp(w))

        gradient = size * np.exp(w)
        assert check(loss, w, gradient * (1 + 2e-16)).ok
        assert not check(loss, w, gradient * (1 + 1e-12)).ok


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(100, 30_000), st.booleans())
def test_sums_in_another_order_agree(seed: int, n: int, at_the_least: bool) -> None:
    """Numbers that are given, and so cannot be computed more precisely; at a minimum all is cancellation."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n))
    a = float(x @ y / (x @ x)) if at_the_least else 1.7

    def loss(a: Any) -> Any:
        return np.mean((a * x - y) ** 2)

    one_by_one = sum(2 * (a * xi - yi) * xi for xi, yi in zip(x.tolist(), y.tolist(), strict=True)) / n
    multiplied_out = 2 * (a * (x @ x) - x @ y) / n
    for gradient in (one_by_one, multiplied_out):
        assert check(loss, a, gradient, evaluations=0).parameters[0].hand_derived_vs_autodiff.verdict == "agree"
        wrong = check(loss, a, gradient + 1e-10, evaluations=0)
        assert wrong.parameters[0].hand_derived_vs_autodiff.verdict == "differ"


def test_float32_on_the_way_has_the_rounding_of_float32() -> None:
    x, w = np.random.default_rng(0).standard_normal((10, 3)), np.array([0.3, -1.0, 2.0])

    def loss(w: Any) -> Any:
        return np.sum((x @ w).astype(np.float32) ** 2)

    exact = 2 * x.T @ (x @ w)
    report = check(loss, w, exact)
    assert report.ok, str(report)
    assert report.parameters[0].hand_derived_vs_autodiff.difference > 1e-9
    assert not check(loss, w, exact * (1 + 1e-4)).ok


def test_without_a_hand_derived_gradient_autodiff_is_compared_with_finite_differences() -> None:
    report = check(lambda p: np.sum(p["a"] * np.tanh(p["b"][0])), {"a": np.ones(3), "b": [np.arange(3.0)]})
    assert report.ok
    assert [p.name for p in report.parameters] == ["a", "b[0]"]
    assert all(p.hand_derived_vs_autodiff is None for p in report.parameters)
    assert report.precision == "long double"


def test_parameters_may_be_a_number_or_any_tree() -> None:
    @dataclass
    class Layer:
        W: Any
        b: Any

    Pair = namedtuple("Pair", "first second")
    p = Pair(Layer(np.ones((2, 2)), 0.5), (Layer(2.0, np.ones(1)),))

    def loss(p: Any) -> Any:
        return np.sum(p.first.W @ np.ones(2)) * p.first.b + p.second[0].W * np.sum(p.second[0].b)

    report = check(loss, p, tg.grad(loss))
    assert report.ok
    assert [q.name for q in report.parameters] == ["first.W", "first.b", "second[0].W", "second[0].b"]
    assert check(np.exp, 1.5, np.exp).ok


def test_a_rule_that_is_wrong_is_named_with_its_line() -> None:
    @tg.primitive
    def cube(x, /):
        return x**3

    cube.defvjp(lambda g, out, x: 2 * g * x**2)
    report = check(lambda w: np.sum(tg.checkpoint(np.exp)(cube(w))), np.array([0.5, 1.0]))
    assert report.parameters[0].autodiff_vs_differences.verdict == "differ"
    assert "The rule of cube for operand 0 (" in report.conclusions[1]
    assert "test_cross_check.py:" in report.conclusions[1]
    assert len(report.conclusions) == 2  # the checkpoint and the sum are not blamed


def test_a_value_that_was_cut_off_from_its_history_is_named() -> None:
    for cut in (tg.stop_gradient, lambda t: t.value if isinstance(t, tg.Tensor) else t):
        report = check(lambda w, cut=cut: np.sum(np.exp(w) * cut(w)), np.array([0.5, 1.0]))
        assert not report.ok
        assert "is a constant to autodiff, but it changes with the parameters" in report.conclusions[1]


@pytest.mark.parametrize(
    ("absolute", "made_by"),
    [
        (np.abs, "absolute"),
        (lambda x: np.maximum(x, -x), "multiply"),
        (lambda x: tg.relu(x) + tg.relu(-x), "multiply"),
    ],
    ids=["abs", "maximum", "relu"],
)
def test_a_mask_that_leaves_out_a_nan_leaves_it_in_the_gradient_and_that_is_reported(
    absolute: Any, made_by: str
) -> None:
    data = np.array([[1.0, np.nan], [-2.0, 0.5], [4.0, 3.0]])

    def loss(w: Any) -> Any:
        return np.nansum(absolute(data * w))

    w = np.array([0.5, -1.5])
    by_hand = np.nansum(np.sign(data * w) * data, axis=0)
    report = check(loss, w, by_hand)
    assert report.ok
    (found,) = report.parameters
    assert found.autodiff_vs_differences.verdict == "inconclusive"
    assert found.hand_derived_vs_differences.verdict == "agree"
    assert found.hand_derived_vs_differences.error < 1e-9  # a NaN takes the same way each time
    for wrong in np.eye(2):
        assert check(loss, w, by_hand + wrong).parameters[0].hand_derived_vs_differences.verdict == "differ"
    assert len(report.conclusions) == 2
    assert f"In the backward pass {made_by} (test_cross_check.py:" in report.conclusions[1]
    assert "makes the first nan" in report.conclusions[1]
    assert not check(loss, w).ok
    before = check(lambda w: np.sum(absolute(np.nan_to_num(data) * w)), w, by_hand)
    assert before.ok


def test_a_value_that_was_cut_off_is_named_where_a_parameter_keeps_its_dtype() -> None:
    def loss(w: Any) -> Any:
        t = w * np.float32(1)
        t *= np.array([0.3, 0.7])  # of float64: it is rounded to the dtype of t
        return np.sum(t * tg.stop_gradient(w))

    report = check(loss, np.array([0.5, 1.0], np.float32))
    assert "is a constant to autodiff, but it changes with the parameters" in report.conclusions[1]


def test_numbers_that_differ_are_written_with_so_many_digits_that_one_sees_it() -> None:
    report = check(lambda w: np.sum(w**2), np.array([1.0, 2.0]), np.array([2.0, 4 + 4e-9]))
    assert "Element (1,) is 4.000000004 and should be 4." in report.conclusions[0]


def test_a_report_calls_no_primitive_by_a_private_name() -> None:
    def loss(p: Any) -> Any:
        a = p["s"] @ p["s"].T + np.eye(2)
        return np.sum(np.linalg.cholesky(a)) + np.linalg.slogdet(a)[1]

    report = check(loss, {"s": np.array([[1.0, 2.0], [0.5, 3.0]])}, lambda p: {"a": np.eye(2), "s": np.eye(2)})
    names = [name for step in report.steps for name, _ in step.through]
    assert {"cholesky", "logabsdet"} <= set(names)


def test_a_check_within_no_grad_is_a_check() -> None:
    with tg.no_grad():
        report = check(lambda w: np.sum(w**2), np.array([1.0, 2.0]), lambda w: 2 * w, order=2)
    assert report.ok
    np.testing.assert_array_equal(report.parameters[0].autodiff, [2, 4])


def test_an_infinite_parameter_is_inconclusive_and_warns_of_nothing() -> None:
    report = check(np.sum, np.array([np.inf, -np.inf, 1.0]))
    assert report.verdict == "The check is inconclusive."


@pytest.mark.parametrize("seed", [-1, 1.5, "0"])
def test_a_seed_that_is_none_is_said_to_be_none(seed: Any) -> None:
    with pytest.raises(ValueError, match=rf"seed is {seed!r}; expected a non-negative integer"):
        check(np.sum, np.ones(3), seed=seed)


def test_a_loss_that_returns_more_than_a_number_is_reported_so() -> None:
    with pytest.raises(ValueError, match=r"the loss returned an array of shape \(2,\).*expected one real number"):
        check(lambda w: (np.sum(w), 1.0), np.ones(3))


def test_a_loss_that_autodiff_cannot_follow_is_checked_by_numbers_alone() -> None:
    def loss(w: Any) -> float:
        return float(np.sum(np.fromiter((float(x) ** 2 for x in np.asarray(w)), float)))

    w = np.array([1.0, 2.0])
    assert check(loss, w, 2 * w).ok
    report = check(loss, w, 3 * w)
    assert report.parameters[0].hand_derived_vs_differences.verdict == "differ"
    assert report.parameters[0].autodiff_vs_differences is None
    assert "autodiff cannot follow this loss" in report.notes[0]
    assert not report.ok


def test_a_loss_that_does_not_depend_on_a_parameter_says_so() -> None:
    report = check(lambda p: p["a"] ** 2, {"a": 1.0, "unused": np.ones(2)})
    assert report.ok
    np.testing.assert_array_equal(report.parameters[1].autodiff, [0, 0])
    assert "does not depend on the parameters" in check(lambda w: 3.0, 1.0).notes[0]


def test_a_loss_that_is_not_finite_is_inconclusive() -> None:
    report = check(lambda w: np.sum(np.log(w)), np.array([1.0, -1.0]))
    assert report.parameters[0].autodiff_vs_differences.verdict == "inconclusive"
    assert not report.ok
    assert "the loss is not finite there" in str(report)


def test_at_a_kink_every_slope_between_is_right_and_others_are_not() -> None:
    w = np.array([-1.0, 0.0, 2.0])
    for slope, right in [(0.0, True), (0.5, True), (1.0, True), (1.5, False), (-0.1, False)]:
        report = check(lambda w: np.sum(np.maximum(0, w)), w, np.array([0.0, slope, 1.0]))
        assert report.ok == right
        assert report.parameters[0].kinks == 1
        assert [(k.primitive, k.elements) for k in report.kinks] == [("maximum", 1)]
    passed_on = check(lambda w: np.sum(np.maximum(0, w)), w, (w >= 0) * 1.0)
    assert "both are right" in passed_on.parameters[0].hand_derived_vs_autodiff.note


def test_ties_that_move_together_are_no_kink_and_counting_them_twice_is_wrong() -> None:
    """max(b, b) has slope 1 in b. Each element alone may have any share of it, but together they have the whole."""

    def loss(b: Any) -> Any:
        return np.max(np.zeros(4) + b)

    assert check(loss, 1.0, 1.0).ok
    report = check(loss, 1.0, 4.0)
    assert report.parameters[0].kinks == 0
    assert report.parameters[0].hand_derived_vs_differences.verdict == "differ"


@pytest.mark.parametrize("n", [2, 3, 5, 6, 7, 20])
def test_any_one_of_many_that_tie_may_get_the_whole_cotangent_and_no_two(n: int) -> None:
    for one in np.eye(n):
        assert check(lambda x: np.max(x), np.ones(n), one).ok
    assert not check(lambda x: np.max(x), np.ones(n), np.eye(n)[0] + np.eye(n)[1]).ok


def test_in_float32_rounding_is_that_of_float32() -> None:
    w = np.random.default_rng(0).standard_normal(20).astype(np.float32)
    x = np.random.default_rng(1).standard_normal((50, 20)).astype(np.float32)

    def loss(w: Any) -> Any:
        return np.sum(np.tanh(x @ w) ** 2)

    exact = tg.grad(lambda w: np.sum(np.tanh(x.astype(float) @ w) ** 2))(w.astype(float))
    assert check(loss, w, exact.astype(np.float32)).ok
    assert not check(loss, w, exact * (1 + 1e-4)).ok


# Large parameters and budgets.


def test_of_a_large_parameter_some_elements_are_measured_those_that_differ_first() -> None:
    w = np.random.default_rng(0).standard_normal(3000)
    by_hand = 2 * w
    by_hand[1234] += 1e-3
    report = check(lambda w: np.sum(w * w), w, by_hand)
    assert 24 <= report.parameters[0].measured < 100
    assert report.parameters[0].hand_derived_vs_differences.index == (1234,)
    assert "of 3000 elements, and along 4 random directions" in report.notes[0]


def test_a_large_parameter_is_wrong_somewhere_and_a_direction_shows_it() -> None:
    """An element that is neither large nor among those that are measured: without autodiff nobody would look there."""
    w = np.random.default_rng(0).standard_normal(3000)

    def loss(w: Any) -> float:
        return float(np.sum(np.asarray(w) ** 2))  # which autodiff cannot follow

    by_hand = 2 * w
    by_hand[np.argmin(np.abs(w))] = 0.5
    report = check(loss, w, by_hand)
    assert report.parameters[0].hand_derived_vs_differences.verdict == "differ"
    assert "Along a random direction it is" in report.conclusions[0]
    assert check(loss, w, 2 * w).ok


def test_a_budget_is_kept_and_what_is_left_out_is_said() -> None:
    report = check(lambda w: np.sum(w**3), np.ones(100), evaluations=200)
    assert report.evaluations == 200
    assert 0 < report.parameters[0].measured < 100
    assert f"before finite differences of {100 - report.parameters[0].measured} elements were taken" in report.notes[0]
    report = check(lambda w: np.sum(w**3), np.ones(100), seconds=0.0)
    assert report.parameters[0].measured == 0
    assert report.parameters[0].autodiff_vs_differences is None
    assert not report.ok


def test_beside_the_graph_a_check_takes_four_copies_of_the_parameters_at_most() -> None:
    w = np.random.default_rng(0).standard_normal(2_500_000)

    def loss(w: Any) -> Any:
        return np.sum(np.sin(w))

    def peak(action: Callable[[], Any]) -> float:
        tracemalloc.start()
        action()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / w.nbytes

    check(loss, w[:10], np.cos, evaluations=0)  # what is imported and remembered
    graph_and_gradient = peak(lambda: tg.value_and_grad(loss)(w))
    assert peak(lambda: check(loss, w, np.cos, evaluations=60)) < graph_and_gradient + 4.1


def test_the_seed_chooses_the_elements() -> None:
    def measured(seed: int) -> set[int]:
        report = check(lambda w: np.sum(np.sin(w)), np.zeros(5000), seed=seed)
        return set(np.flatnonzero(~np.isnan(report.parameters[0].low)))

    assert measured(1) == measured(1)
    assert measured(1) != measured(2)


# Steps on the way.


def test_the_first_wrong_step_is_found_and_the_others_are_cleared() -> None:
    x, y = drawings()
    p = robust_start(np.random.default_rng(0))

    def broken(p: Parameters) -> Any:
        found = hand_derived(x, y, p)
        wrong = found.dL_dflatten * 1.5
        dL_dmax = wrong.reshape(found.dL_dmax.shape)
        dL_drelu = np.where(found.dL_dmax.repeat(2, 1).repeat(2, 2) == 0, 0, found.dL_drelu) * 1.5
        dL_dconv = np.where(forward(x, p).conv >= 0, dL_drelu, 0)
        return found._replace(dL_dflatten=wrong, dL_dmax=dL_dmax, dL_drelu=dL_drelu, dL_dconv=dL_dconv)

    report = check(lambda p: loss_shifted(forward(x, p, "all", 1.0).sigma, y), p, broken, names=NAMES, evaluations=0)
    assert report.first_wrong.name == "dL_dflatten"
    assert report.first_wrong.explanation == "there is a factor 1.5 too many"
    assert {name for name, _ in report.first_wrong.through} == {"add", "matmul", "transpose"}
    wrong = {step.name for step in report.steps if step.given_upstream.verdict == "differ"}
    assert wrong == {"dL_dflatten", "dL_dWc", "dL_dBc"}  # the last two were not computed from what was made wrong


def test_names_that_the_graph_does_not_have_are_reported_with_those_that_it_has() -> None:
    x, y = drawings()
    p = robust_start(np.random.default_rng(0))
    report = check(lambda p: loss_shifted(forward(x, p).sigma, y), p, lambda p: hand_derived(x, y, p), evaluations=0)
    assert "no value of the graph is called dL_dsig, dL_dmax" in report.notes[0]
    assert "conv, fc, flatten, losses, max_pool, relu, sigma" in report.notes[0]


def test_a_loop_of_many_values_is_reported_in_few_words() -> None:
    def loss(p: Any) -> Any:
        total = 0.0
        for x in np.linspace(-1, 1, 60):
            h = np.maximum(p["w"] * x, 0)
            total = total + h * np.abs(h)
        return total

    report = check(loss, {"w": 0.0}, {"dL_dw": 0.0, "dL_dz": 0.0}, evaluations=0)
    assert "it has h[0] to h[59], total[0] to total[59]: pass" in report.notes[0]
    assert [(kink.name, kink.primitive, kink.elements) for kink in report.kinks] == [
        ("h[0] to h[59]", "maximum", 60),
        ("", "absolute", 60),
    ]
    wrong = check(loss, {"w": 1.0}, {"dL_dw": -1.0, "dL_dtotal": [1.0] * 60}, evaluations=0)
    assert wrong.first_wrong.name == "dL_dw"
    through = r"through (add, multiply, absolute|multiply, absolute) \(test_cross_check.py:\d+\), maximum, multiply \("
    assert re.search(through, wrong.conclusions[0])


@pytest.mark.parametrize("name", ["dL_dh", "dh", "d_h", "grad_h", "h_grad", "h", "dloss_dh", "dJ_dh"])
def test_a_cotangent_may_be_called_as_people_call_it(name: str) -> None:
    w, x = np.array([0.3, 0.7]), np.array([1.0, 2.0])

    def loss(w: Any) -> Any:
        h = np.tanh(w * x)
        return np.sum(h * h)

    def by_hand(w: Any) -> Any:
        h = np.tanh(w * x)
        return {name: 2 * h, "dL_dw": 2 * h * (1 - h * h) * x}

    report = check(lambda p: loss(p["w"]), {"w": w}, lambda p: by_hand(p["w"]))
    assert [step.value for step in report.steps] == ["h", "w"]
    assert report.ok


def test_a_recurrence_is_walked_back_iteration_by_iteration() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 4))
    p = {"W": rng.standard_normal((4, 3)), "U": 0.5 * rng.standard_normal((4, 4)), "b": np.zeros(4)}

    def loss(p: Any) -> Any:
        h, total = np.zeros(4), 0.0
        for t in range(5):
            z = p["W"] @ x[t] + p["U"] @ h + p["b"]
            h = np.tanh(z)
            total = total + np.sum((h - y[t]) ** 2)
        return total

    def by_hand(p: Any, wrong_at: int | None) -> Any:
        h = [np.zeros(4)]
        for t in range(5):
            h.append(np.tanh(p["W"] @ x[t] + p["U"] @ h[-1] + p["b"]))
        dh, dz, later = [None] * 5, [None] * 5, np.zeros(4)
        for t in reversed(range(5)):
            dh[t] = 2 * (h[t + 1] - y[t]) + later
            dz[t] = dh[t] * (1 - h[t + 1] ** 2) if t != wrong_at else dh[t] * (1 - h[t + 1])
            later = p["U"].T @ dz[t]
        dW, dU = sum(np.outer(d, v) for d, v in zip(dz, x)), sum(np.outer(d, v) for d, v in zip(dz, h))
        return {"dW": dW, "dU": dU, "db": sum(dz), "dh": dh, "dz": dz}

    assert check(loss, p, lambda p: by_hand(p, None)).ok
    report = check(loss, p, lambda p: by_hand(p, 2), evaluations=0)
    assert [step.name for step in report.steps if step.wrong] == ["dz[2]"]
    assert re.fullmatch(r"1 - h\[(.*)\] stands where 1 - h\[\1\] \*\* 2 should", report.first_wrong.explanation)


def test_values_of_the_same_name_are_numbered_in_their_order() -> None:
    def loss(w: Any) -> Any:
        h = w
        for _ in range(3):
            h = np.sin(h)
        return np.sum(h)

    w = np.array([0.5])
    h1, h2 = np.sin(w), np.sin(np.sin(w))
    cotangents = {"dh": [np.cos(h1) * np.cos(h2), np.cos(h2), np.ones(1)], "dw": np.cos(h1) * np.cos(h2) * np.cos(w)}
    report = check(lambda p: loss(p["w"]), {"w": w}, cotangents)
    assert [step.name for step in report.steps] == ["dh[2]", "dh[1]", "dh[0]", "dw"]
    assert report.ok


def test_a_gradient_that_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"by_hand returned dL_da, but no gradient of b; .* as dL_db|by name: dL_db"):
        check(lambda p: p["a"] * p["b"], {"a": 1.0, "b": 2.0}, lambda p: {"dL_da": 2.0})


def test_a_loss_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"the loss returned an array of shape \(3,\)"):
        check(lambda w: w * 2, np.ones(3))
    with pytest.raises(TypeError, match="params has dtype int64; expected floats"):
        check(lambda w: np.sum(w), np.arange(3))
    with pytest.raises(ValueError, match="order is 3; expected 1, for gradients, or 2"):
        check(lambda w: np.sum(w), np.ones(3), order=3)


def test_an_error_of_the_loss_itself_comes_through() -> None:
    def loss(w: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check(loss, 1.0)


# Gradients from elsewhere.


def test_gradients_of_pytorch_and_jax_are_taken() -> None:
    w = np.array([0.5, 1.0, 2.0])
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def by_torch(w: Any) -> Any:
        t = torch.tensor(w, requires_grad=True)
        (t.sin() * t).sum().backward()
        return t.grad

    assert check(lambda w: np.sum(np.sin(w) * w), w, by_torch).ok
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jax.config.update("jax_enable_x64", True)
    assert check(lambda w: np.sum(np.sin(w) * w), w, jax.grad(lambda w: jax.numpy.sum(jax.numpy.sin(w) * w))).ok


# Second order.


def test_the_second_derivative_is_checked_too() -> None:
    w = np.array([0.5, 1.0, -0.3])
    report = check(lambda w: np.sum(np.tanh(w) ** 3), w, lambda w: 3 * np.tanh(w) ** 2 * (1 - np.tanh(w) ** 2), order=2)
    assert report.ok
    assert len(report.directions) == 1
    assert report.directions[0].measured == 3
    assert "Second derivatives, along a random vector" in str(report)


def test_a_rule_whose_own_derivative_is_wrong_is_found_with_order_2() -> None:
    @tg.primitive
    def square(x, /):
        return x * x

    square.defvjp(lambda g, out, x: 2 * g * tg.stop_gradient(x))  # right to first order alone
    w = np.array([0.5, 1.0])
    assert check(lambda w: np.sum(square(w)), w).ok
    assert not check(lambda w: np.sum(square(w)), w, order=2).ok


# The article's gradient.


def test_against_the_printed_loss_the_articles_gradient_is_wrong_at_the_first_step() -> None:
    x, y = drawings()
    p = published_start(np.random.RandomState(230129))
    report = cross_check(loss_as_printed, x, y, p, {"the shifted one": loss_shifted}, evaluations=0)
    assert report.first_wrong.name == "dL_dsig"
    assert report.another_loss == "the shifted one"
    assert not report.ok


def test_against_the_shifted_loss_it_is_right_where_nothing_ties() -> None:
    x, y = drawings()
    x = x + np.random.default_rng(0).uniform(0, 1e-3, x.shape)
    p = robust_start(np.random.default_rng(1))
    report = cross_check(loss_shifted, x, y, p)
    assert report.ok
    for row in report.parameters:
        assert row.hand_derived_vs_autodiff.difference <= 1e-10 * np.abs(row.autodiff).max()
        assert row.autodiff_vs_differences.verdict == "agree"


def test_every_fact_of_the_article_is_found_by_measurement() -> None:
    x, y = drawings()
    found = investigate(x, y, published_start(np.random.RandomState(230129)))
    assert [f.found for f in found.findings] == [True] * 6
    loss, pole, ties, at_zero, assigned, overflow = found.findings
    assert loss.numbers["from_shifted"] < 1e-10 < 0.1 < loss.numbers["from_printed"]
    assert pole.numbers["sigma"] == pytest.approx(1 - 1e-4, abs=1e-12)
    assert pole.numbers["fc"] == pytest.approx(np.log((1 - 1e-4) / 1e-4))
    assert pole.numbers["least_loss"] == pytest.approx(-4 * np.log(2))
    assert ties.numbers["times_counted"] == 4
    assert ties.numbers["four_tied"] > 0
    assert (
        f"At these parameters elements tie and pass a cotangent on in {ties.numbers['tied_here']} of 784 win"
        in ties.says
    )
    assert "ties are counted in full" in ties.says
    assert ">= instead of >" in at_zero.says
    assert assigned.numbers["apart_at_stride_2"] < 1e-12 < 0.1 < assigned.numbers["apart_at_stride_1"]
    assert overflow.numbers["fc"] == pytest.approx(-np.log(np.finfo(float).max), abs=1e-5)


def test_a_fact_that_is_not_there_is_not_found() -> None:
    """On images without a background, and a filter that makes every window's elements different, nothing ties."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1, 2, (4, 28, 28)), np.repeat([0.0, 1.0], 2)[:, None]
    p = Parameters(
        rng.uniform(0.1, 1, (3, 3)), np.array([[0.1]]), 1e-3 * rng.standard_normal((1, 196)), np.zeros((1, 1))
    )
    ties = investigate(x, y, p).findings[2]
    assert not ties.found
    assert ties.numbers["tied"] == 0
    assert "changes nothing" in ties.says


def test_the_articles_way_back_through_pooling_is_hand_deriveds_where_windows_lie_apart() -> None:
    x, y = drawings()
    p = published_start(np.random.RandomState(3))
    steps, hand = forward(x, p), hand_derived(x, y, p)
    np.testing.assert_array_equal(max_pool_gradient(hand.dL_dmax, steps.relu, steps.max_pool), hand.dL_drelu)


# In a test suite.

SUITE = """
import numpy as np, pytest

def test_right(check_gradients):
    report = check_gradients(lambda w: np.sum(np.sin(w)), np.ones(3), by_hand=np.cos)
    assert report.ok

def test_wrong(check_gradients):
    check_gradients(lambda w: np.sum(np.sin(w)), np.ones(3), by_hand=lambda w: -np.cos(w))

def test_of_something_else():
    assert True
"""


def run_pytest(folder: Path, *options: str) -> tuple[int, str]:
    (folder / "test_mine.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "test_mine.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_fixture_fails_with_the_report(tmp_path: Path) -> None:
    code, out = run_pytest(tmp_path, "-W", "error")
    assert code == 1
    assert "1 failed, 2 passed" in out
    assert "Hand-derived gradients" in out
    assert "Why: the sign is wrong." in out
    assert "(--gradcheck-seed=0)" in out
    # The summary; pytest cuts it to one line, but not where the variable CI is set.
    assert "Failed: The hand-derived gradient of" in out.rpartition("short test summary info")[2]
    assert "in check" not in out  # the fixture's own frames are hidden


def test_tests_that_use_it_are_marked_and_the_seed_can_be_given(tmp_path: Path) -> None:
    code, out = run_pytest(tmp_path, "-m", "gradients", "--strict-markers", "--gradcheck-seed", "7")
    assert code == 1
    assert "1 failed, 1 passed, 1 deselected" in out
    assert "(--gradcheck-seed=7)" in out


# The page.


def test_the_page_has_everything_in_it_and_loads_nothing(tmp_path: Path) -> None:
    x, y = drawings()
    p = published_start(np.random.RandomState(230129))
    report = cross_check(loss_as_printed, x, y, p, {"the shifted one": loss_shifted}, evaluations=400)
    report.to_html(tmp_path / "check.html")
    page = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", page)
    assert len(re.findall(r'<img[^>]* src="data:image/png;base64,', page)) == page.count("<img") >= 12
    for words in ("dL_dsig", "the shifted one", "ties are counted in full", "max_pool2d", "By parameter"):
        assert words in page


def test_a_hostile_name_is_no_script() -> None:
    evil = "<script>alert(1)</script>"
    report = check(
        lambda p: np.sum(np.maximum(tg.named(p[evil] * 1.0, evil), 0)), {evil: np.zeros(3)}, {evil: np.ones(3)}
    )
    assert evil not in report.to_html()
    assert "&lt;script&gt;" in report.to_html()


def test_arrays_of_any_shape_have_a_picture() -> None:
    for shape in ((), (1,), (0, 3), (5,), (2, 3), (2, 3, 4), (2, 2, 3, 3), (2, 1, 2, 3, 2)):
        w = np.full(shape, 0.5)
        assert "By parameter" in check(lambda w: np.sum(np.sin(w)), w, np.cos(w)).to_html()
    broken = np.array([np.nan, np.inf, 1.0])
    assert "2 not finite" in check(lambda w: np.sum(np.sin(w)), np.ones(3), broken).to_html()


def test_what_was_not_measured_is_not_called_infinite() -> None:
    slopes = np.ma.masked_invalid([[1.0, np.nan, -2.0, np.nan]])
    measured, difference = side_by_side(slopes, np.array([[0.0, np.inf, 1.0, np.nan]]))
    assert measured.caption == "-2 to 1, 2 not measured"
    assert difference.caption == "0 to 1, 2 not finite"


# Bad input.


def test_gradients_by_hand_that_are_no_gradients_are_named() -> None:
    p = {"W": np.ones((2, 3)), "b": np.ones(2)}

    def loss(p: Any) -> Any:
        return np.sum(p["W"] @ np.ones(3) * p["b"])

    right = tg.grad(loss)(p)
    report = check(loss, p, {**right, "W": np.ones((3, 2))})
    assert "The hand-derived gradient of W is wrong. It has shape (3, 2) instead of (2, 3)." in report.conclusions[0]
    report = check(loss, p, {**right, "b": np.array([np.nan, 3.0])})
    assert report.parameters[1].hand_derived_vs_autodiff.verdict == "differ"
    assert "Element (0,) is nan and should be 3" in report.conclusions[0]
    with pytest.raises(TypeError, match="by_hand returned W with dtype complex128; expected real numbers"):
        check(loss, p, {**right, "W": right["W"] * 1j})
    with pytest.raises(TypeError, match="by_hand returned b with dtype <U1; expected real numbers"):
        check(loss, p, {**right, "b": np.array(["x", "y"])})
    with pytest.raises(ValueError, match=r"a list of 4; expected 2, one gradient for each of W, b, in this order"):
        check(loss, p, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="by_hand returned None, but no gradient of W, b"):
        check(loss, p, lambda p: None)
    assert check(loss, p, {**right, "c": 1.0}).notes[0].startswith("no value of the graph is called c")


def test_whole_numbers_are_taken_as_floats() -> None:
    assert check(lambda w: np.sum(3 * w), np.ones(2), np.array([3, 3])).ok


def test_a_loss_that_is_not_the_same_twice_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="the loss is not deterministic: at the same parameters it was"):
        check(lambda w: np.sum(w * rng.random(3)), np.ones(3))
    with pytest.raises(ValueError, match="not deterministic"):
        check(lambda w: float(np.asarray(w).sum() * rng.random()), np.ones(3))


def test_parameters_are_left_as_they_were() -> None:
    w = np.array([1.0, 2.0])
    before = w.copy()

    def loss_that_breaks(w: Any) -> Any:
        if float(w[0]) > 1.0001:
            raise OverflowError("too far")
        return np.sum(w * w)

    with pytest.raises(OverflowError, match="too far"):
        check(loss_that_breaks, w)
    np.testing.assert_array_equal(w, before)

    def rude(v: Any) -> Any:
        v *= 7
        return 2 * v / 7

    assert check(lambda w: np.sum(w * w), w, rude).ok
    np.testing.assert_array_equal(w, before)


def test_a_loss_of_arrays_may_do_with_them_what_it_likes() -> None:
    def rude(p: Any) -> float:
        p["v"] += p["w"]
        p["w"] *= 3
        return float((np.asarray(p["v"]) @ np.asarray(p["w"])).item())  # 3 (v + w) w

    p = {"v": np.array([1.0, -2.0]), "w": np.array([0.5, 2.0])}
    by_hand = {"v": 3 * p["w"], "w": 3 * p["v"] + 6 * p["w"]}
    opaque = check(lambda p: rude({k: np.asarray(x).copy() for k, x in p.items()}), p, by_hand)
    assert "autodiff cannot follow" in opaque.notes[0]
    assert opaque.ok, str(opaque)
    report = check(lambda p: rude({k: np.asarray(x) for k, x in p.items()}), p, by_hand)
    assert report.ok, str(report)


def test_a_hand_derived_gradient_that_changes_the_parameters_behind_the_checks_back_is_reported() -> None:
    w = np.array([1.0, 2.0])

    def rude(_: Any) -> Any:
        gradient = 2 * w
        w[:] = 0
        return gradient

    report = check(lambda v: np.sum(v * v), w, rude)
    assert report.parameters[0].hand_derived_vs_autodiff.verdict == "agree"
    assert report.notes == ["params was changed in place by the loss or by_hand; the check used the original values"]


def test_the_page_shows_the_graph_with_the_first_wrong_step_marked() -> None:
    x, y = drawings()
    p = published_start(np.random.RandomState(230129))
    report = cross_check(loss_as_printed, x, y, p, evaluations=0)
    anchors = Anchors(report)
    marks = {step.name: marks_of(report, anchors)[step.node] for step in report.steps}
    assert [name for name, mark in marks.items() if mark.flag] == ["dL_dsig"]
    assert marks["dL_dsig"].severity > 0.9 > marks["dL_dfc"].severity > 0
    assert marks["dL_dfc"].note.endswith("because of upstream")
    page = report.to_html()
    assert "<svg" in page
    assert "off by" in page
    right = cross_check(loss_shifted, x + 1e-3 * np.random.default_rng(0).random(x.shape), y, p, evaluations=0)
    marks = marks_of(right, Anchors(right))
    assert {mark.severity for node, mark in marks.items() if node in right_nodes(right)} == {0.0}


def right_nodes(report: Any) -> set[Any]:
    return {p.node for p in report.parameters}


def test_a_gradient_of_a_parameter_that_the_loss_does_not_use_is_0() -> None:
    report = check(
        lambda p: np.sum(p["a"] ** 2), {"a": np.ones(3), "b": np.ones(2)}, {"a": 2 * np.ones(3), "b": np.ones(2)}
    )
    assert report.conclusions[0].startswith(
        "The hand-derived gradient of b is wrong. Element (0,) is 1 and should be 0."
    )


def test_a_variable_of_a_parameters_name_does_not_take_it_away() -> None:
    def loss(p: Any) -> Any:
        L = np.tril(p["L"])
        return np.sum(L**2)

    L = np.arange(1.0, 10.0).reshape(3, 3)
    assert check(loss, {"L": L}, lambda p: {"dL_dL": 2 * np.tril(p["L"]), "dL_dL[1]": 2 * np.tril(p["L"])}).ok


def test_where_autodiff_is_wrong_the_hand_is_not_called_wrong() -> None:
    def loss(p: Any) -> Any:
        h = np.sin(p["w"])
        return np.sum(h * tg.stop_gradient(h))

    w = np.array([0.3, 1.1])
    dL_dw = 2 * np.sin(w) * np.cos(w)
    report = check(loss, {"w": w}, {"dL_dh": 2 * np.sin(w), "dL_dw": dL_dw})
    assert not report.ok
    assert "is wrong" not in " ".join(report.conclusions)
    assert report.conclusions[0].startswith(
        "The hand-derived gradient and autodiff diverge at dL_dh, through sum, multiply"
    )
    assert "on w. Element" in report.conclusions[1]
    assert report.conclusions[1].endswith("The hand-derived gradient agrees with finite differences.")
    assert re.match(r"In multiply \(test_cross_check.py:\d+\) tg.stop_gradient\(h\) is a", report.conclusions[2])
    assert "cut it off from its history" in report.conclusions[2]


def test_a_hand_derived_gradient_that_writes_into_what_it_is_given_is_reported() -> None:
    def by_hand(p: Any) -> Any:
        p["w"] *= 2
        return {"w": 2 * p["w"]}

    report = check(lambda p: np.sum(p["w"] ** 2), {"w": np.ones(3)}, by_hand)
    assert not report.ok
    assert report.notes[0].startswith("by_hand changes w in place")


def test_of_a_loss_that_autodiff_cannot_follow_a_wrong_hand_is_explained_by_numbers() -> None:
    def loss(w: Any) -> float:
        return float(np.sum(np.asarray(w) ** 3))

    w = np.random.default_rng(0).standard_normal((3, 2))
    for wrong, words in (
        (-3 * w**2, "Why: the sign is wrong."),
        (3 * w.T**2, "It has shape (2, 3) instead of (3, 2). Why: it is transposed"),
    ):
        report = check(loss, w, wrong)
        assert words in report.conclusions[0]
        assert "t.value" not in report.notes[0]  # the note says what is in the way, without advice to cut it off
    with pytest.raises(ValueError, match="order=2 needs a loss that autodiff can follow"):
        check(loss, w, 3 * w**2, order=2)


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_the_second_derivative_at_a_kink_lies_between_those_to_either_side(at_zero: float) -> None:
    w = np.array([0.0, 1.0, -1.0])
    assert check(lambda w: np.sum(tg.relu(w, at_zero=at_zero) ** 2), w, lambda w: 2 * np.maximum(w, 0), order=2).ok
    wrong = check(lambda w: np.sum(tg.relu(w, at_zero=at_zero) ** 2), w, lambda w: 2 * np.maximum(w, 0) + w**2, order=2)
    assert wrong.directions[0].hand_derived_vs_autodiff.verdict == "differ"
    report = check(lambda w: np.sum(tg.relu(w, at_zero=at_zero)), w, order=2)  # whose slope jumps
    assert report.ok
    assert (
        "x: 1 of 3 slopes are inconclusive: finite differences do not converge there, however short the steps"
        in report.notes
    )


def test_second_derivatives_in_float32_have_the_rounding_of_float32() -> None:
    w = np.random.default_rng(0).standard_normal(4).astype(np.float32)
    assert check(lambda w: np.sum(np.tanh(w) ** 3), w, order=2).ok


def test_a_second_derivative_that_differs_is_reported_in_a_sentence() -> None:
    report = check(lambda w: np.sum(w**3), np.ones(2), lambda w: 3 * w**2 + (w - 1), order=2)
    assert [p.hand_derived_vs_autodiff.verdict for p in report.parameters] == ["agree"]
    assert report.verdict == "The gradients contradict each other."
    contradict = "The hand-derived gradient and autodiff contradict each other on the second derivative of x"
    assert report.conclusions[0].startswith(contradict)


def test_a_loss_that_is_little_but_rounding_tells_nothing() -> None:
    hilbert = 1 / (np.arange(10)[:, None] + np.arange(10) + 1.0)  # of condition 1e13

    def by_hand(a: Any) -> Any:
        inverse = np.linalg.inv(a)
        return -inverse.T @ np.ones((10, 10)) @ inverse.T

    report = check(lambda a: np.sum(np.linalg.inv(a)), hilbert, by_hand)
    assert report.ok
    assert report.parameters[0].autodiff_vs_differences.verdict == "inconclusive"
    assert report.parameters[0].autodiff_vs_differences.note == "rounding is as large as the loss there"


def test_what_autodiff_gives_that_is_not_finite_is_reported_and_warns_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check(lambda w: np.sqrt(w[0]) + w[1], np.array([0.0, 1.0]))
    assert "x: autodiff gives inf at element (0,)" in report.notes


def test_of_elements_that_tie_several_may_not_each_have_it_all() -> None:
    w = np.array([2.0, 2.0, 1.0])
    assert check(np.max, w, np.array([0.0, 1.0, 0.0])).ok
    report = check(np.max, w, np.array([1.0, 1.0, 0.0]))
    assert not report.ok
    assert "Why: ties are counted in full" in report.conclusions[0]


def test_a_list_for_an_array_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueError, match="by_hand returned a list for w; expected an array"):
        check(lambda p: np.sum(p["w"]), {"w": np.ones(2)}, {"w": [1.0, 1.0]})
    with pytest.raises(ValueError, match="the loss returned None"):
        check(lambda w: None, np.ones(2))


def test_of_a_stack_the_slices_that_are_shown_are_those_with_most_in_them() -> None:
    x = np.zeros((7, 3, 3))
    x[[1, 4, 5, 6]] = 1.0
    by_hand, difference = side_by_side(x, np.zeros_like(x))  # where nothing differs, those that are not empty
    assert [m.index for m in by_hand.maps] == [m.index for m in difference.maps] == [(1,), (4,), (5,), (6,)]
    other = np.zeros_like(x)
    other[[0, 2]] = 0.5
    assert [m.index for m in side_by_side(x, other)[0].maps] == [(0,), (1,), (2,), (4,)]


@pytest.mark.parametrize("order", [1, 2])
def test_a_gradient_of_exactly_0_agrees_with_numbers(order: int) -> None:
    w = np.zeros((4, 4))
    for loss in (
        lambda w: np.sum(w**4),
        lambda w: np.sum(tg.max_pool2d(w, 2) ** 3),
    ):
        report = check(loss, w, order=order)
        assert report.ok, str(report)
        wrong = check(loss, w, 1e-6 * np.ones((4, 4)))
        assert wrong.parameters[0].hand_derived_vs_differences.verdict == "differ"


def test_the_difference_that_is_shown_is_the_largest_and_not_the_surest() -> None:
    scale = np.array([1e-6, 1e6])
    report = tg.check.gradients(
        lambda w: np.sum(scale * np.exp(w)), np.ones(2), lambda w: scale * np.exp(w) + np.array([1.0, 10.0])
    )
    numbers = report.parameters[0].hand_derived_vs_differences
    assert numbers.index == (1,)
    assert numbers.difference == pytest.approx(10, rel=1e-8)
