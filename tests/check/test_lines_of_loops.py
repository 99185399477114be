"""The line of a long loop that is wrong, of a gradient that returns those of the parameters alone."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

STEPS = 60
rng = np.random.default_rng(0)
X, TARGET = rng.normal(size=(STEPS, 4, 3)), rng.normal(size=(STEPS, 4))
P = {"Wx": rng.normal(size=(3, 5)), "Wh": rng.normal(size=(5, 5)) / 5, "b": np.zeros(5), "v": rng.normal(size=5)}


def loss(p: Any) -> Any:
    h, total = np.zeros((4, 5)), 0.0
    for t in range(STEPS):
        h = np.tanh(X[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
        total = total + np.sum((h @ p["v"] - TARGET[t]) ** 2)
    return total / STEPS


def states(p: Any) -> list[Any]:
    found = [np.zeros((4, 5))]
    for t in range(STEPS):
        found.append(np.tanh(X[t] @ p["Wx"] + found[-1] @ p["Wh"] + p["b"]))
    return found


def start(p: Any) -> tuple[list[Any], dict[str, Any], Any]:
    return states(p), {name: np.zeros_like(x) for name, x in p.items()}, np.zeros((4, 5))


def add(d: dict[str, Any], t: int, before: Any, dz: Any) -> None:
    d["Wx"] += X[t].T @ dz
    d["Wh"] += before.T @ dz
    d["b"] += dz.sum(axis=0)


def other_derivative(p: Any) -> Any:
    hs, d, dh = start(p)
    for t in reversed(range(STEPS)):
        h = hs[t + 1]
        error = 2 * (h @ p["v"] - TARGET[t]) / STEPS
        d["v"] += h.T @ error
        dz = (dh + error[:, None] * p["v"]) * (1 - h)
        add(d, t, hs[t], dz)
        dh = dz @ p["Wh"].T
    return d


def slope_twice(p: Any) -> Any:
    hs, d, dh = start(p)
    for t in reversed(range(STEPS)):
        h = hs[t + 1]
        error = 2 * (h @ p["v"] - TARGET[t]) / STEPS
        d["v"] += h.T @ error
        slope = 1 - h**2
        dz = (dh + error[:, None] * p["v"]) * slope
        add(d, t, hs[t], dz)
        dh = (dz * slope) @ p["Wh"].T
    return d


def two_lines(p: Any) -> Any:
    hs, d, dh = start(p)
    for t in reversed(range(STEPS)):
        h = hs[t + 1]
        error = (h @ p["v"] - TARGET[t]) ** 3 / STEPS
        d["v"] += h.T @ error
        dz = (dh + error[:, None] * p["v"]) * np.cos(h + t)
        add(d, t, hs[t], dz)
        dh = dz @ p["Wh"]
    return d


@pytest.mark.parametrize(
    ("by_hand", "you", "right"),
    [
        (other_derivative, "* (1 - h)", "* (1 - h ** 2)"),
        (slope_twice, "dh = dz * slope @ p['Wh'].T", "dh = dz @ p['Wh'].T"),
    ],
)
def test_the_line_is_named_with_what_it_should_be(by_hand: Any, you: str, right: str) -> None:
    code = by_hand.__code__
    report = tg.check.gradients(loss, P, lambda p: by_hand(p), evaluations=0)
    causes = [p.cause for p in report.parameters if p.name != "v"]
    assert all(cause is not None and cause.you.endswith(you) and cause.right.endswith(right) for cause in causes)
    assert {cause.line.partition(":")[0] for cause in causes} == {"test_lines_of_loops.py"}
    assert by_hand.__code__ is code  # it was run with the edit in it, and is as it was


def test_where_no_edit_of_one_line_mends_a_gradient_none_is_named() -> None:
    report = tg.check.gradients(loss, P, two_lines, evaluations=0)
    assert {p.name: p.cause is None for p in report.parameters} == {"Wx": True, "Wh": True, "b": True, "v": False}
    assert report.parameters[-1].cause.line == f"test_lines_of_loops.py:{line_of(two_lines, 'error = ')}"


def line_of(function: Any, text: str) -> int:
    """The number of the line of a function that begins with a text."""
    lines, first = inspect.getsourcelines(function)
    return next(first + k for k, line in enumerate(lines) if line.strip().startswith(text))


def in_lists(p: Any) -> Any:
    hs, dh = states(p), np.zeros((4, 5))
    dzs = []
    for t in reversed(range(STEPS)):
        dh = dh + 2 * (hs[t + 1] @ p["v"] - TARGET[t])[:, None] / STEPS * p["v"]
        dzs.append(dh * (1 - hs[t + 1]))
        dh = dzs[-1] @ p["Wh"].T
    d = {name: np.zeros_like(x) for name, x in p.items()}
    for t, dz in zip(reversed(range(STEPS)), dzs, strict=True):
        d["Wx"] += X[t].T @ dz
        d["Wh"] += hs[t].T @ dz
        d["b"] += dz.sum(axis=0)
        d["v"] += 2 * hs[t + 1].T @ (hs[t + 1] @ p["v"] - TARGET[t]) / STEPS
    return d


def test_a_line_that_appends_to_a_list_is_one_and_is_the_cause_of_all_parameters() -> None:
    report = tg.check.gradients(loss, P, in_lists, evaluations=0)
    (cause,) = {p.cause for p in report.parameters if p.name != "v"}
    assert cause.you == "dzs.append(dh * (1 - hs[t + 1]))"
    assert cause.right == "dzs.append(dh * (1 - hs[t + 1] ** 2))"
    (conclusion,) = report.conclusions
    assert conclusion.count("should be") == 1
    assert "are wrong by the same mistake" in conclusion


def test_what_changes_something_is_not_evaluated_again() -> None:
    callers = []

    def counted(x: Any) -> Any:
        callers.append(sys._getframe(1).f_code.co_filename)
        return 2.0 * x

    def by_hand(p: Any) -> Any:
        h = np.tanh(p["w"])
        dh = counted(h)
        return {"w": dh * (1 - h)}

    given = {"w": np.array([0.5, -1.0, 0.2, 0.9])}
    report = tg.check.gradients(lambda p: np.sum(np.tanh(p["w"]) ** 2), given, by_hand, evaluations=0)
    assert report.parameters[0].cause is not None
    assert by_hand.__code__.co_filename in callers  # as often as the whole function is called
    assert "<expression>" not in callers  # where an expression is that is evaluated by itself
