"""Loops that the user wrote are loops of the printed program."""

from __future__ import annotations

import re

import numpy as np
import pytest
from lowering.comparing import leaves, printed

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.numpy_source.loops import Rolling, Statement

RNG = np.random.default_rng(0)


def descend(p, x):
    for _ in range(8):
        value, gradient = tg.value_and_grad(lambda p: np.sum(np.tanh(x @ p) ** 2))(p)
        p = p - 0.1 * gradient
    return value, p


def lstm(p, xs):
    h = np.zeros_like(p["b"][:4])
    c = np.zeros_like(h)
    for t in range(len(xs)):
        z = xs[t] @ p["Wx"] + h @ p["Wh"] + p["b"]
        i, f, o, g = tg.sigmoid(z[:4]), tg.sigmoid(z[4:8]), tg.sigmoid(z[8:12]), np.tanh(z[12:])
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.sum(h * h)


def deep(ws, x):
    for w in ws:
        x = np.tanh(x @ w)
    return np.sum(x)


def filled(x):
    h = np.zeros_like(x)
    for t in range(1, len(x)):
        h[t] = np.sin(h[t - 1]) + x[t]
    return np.sum(h * h)


def all_states(xs):
    h, states = xs[0], []
    for t in range(1, 9):
        h = np.sin(h) * xs[t]
        states.append(h)
    return states


def every_other(xs):
    h = xs[0]
    for t in range(2, 17, 2):
        h = np.sin(h) * xs[t] + xs[t - 1]
    return h


def from_the_end(xs):
    h, total = xs[0], xs[-1]
    for t in range(1, 8):
        h = np.sin(h) * xs[t] + t * xs[-1 - t]
    return h + total


def two_loops(xs):
    h = xs[0]
    for t in range(1, 6):
        h = np.sin(h) * xs[t]
    for t in range(6):
        h = np.cos(h) + xs[t] * h
    return h


def array(*shape):
    return RNG.normal(size=shape)


# The function, its arguments, how many loops there are, and how many lines at most without helpers.
CASES = {
    "steps of gradient descent": (descend, (array(4, 4), array(3, 4)), 1, 18),
    "an LSTM": (
        tg.value_and_grad(lstm), ({"Wx": array(3, 16), "Wh": array(4, 16), "b": array(16)}, array(12, 3)), 2, 85,
    ),
    "layers in a list": (tg.value_and_grad(deep), ([array(4, 4) for _ in range(10)], array(2, 4)), 2, 30),
    "an array that is filled": (tg.value_and_grad(filled), (array(12),), 2, 40),
    "results of all iterations": (all_states, (array(9, 3),), 1, 12),
    "a step of two": (every_other, (array(17, 3),), 1, 10),
    "indices from the end": (from_the_end, (array(9, 3),), 1, 12),
    "one loop after the other": (two_loops, (array(6, 3),), 2, 12),
    "the gradient of two loops": (tg.grad(lambda xs: np.sum(two_loops(xs))), (array(6, 3),), 4, 60),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_loop_is_printed_as_one_and_computes_the_same(name) -> None:
    function, arguments, loops, lines = CASES[name]
    program = tg.program(function)(*arguments)
    source = program.source()
    body = source[source.index("def step") :]
    assert len(re.findall(r"^    for (?:t|_) in (?:range|reversed)\(", body, re.MULTILINE)) == loops
    assert len(body.splitlines()) <= lines
    other = tg.tree.map(lambda x: x * 0.7 + 0.1, arguments)
    for a, b in zip(leaves(printed(program.listing)(*other)), leaves(function(*other)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def rolled(*lines: str) -> list[str]:
    statements = [Statement(*line.split(" = ", 1)) if " = " in line else Statement("", line) for line in lines]
    taken = {statement.target for statement in statements}

    def fresh(name: str) -> str:
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    return Rolling(statements, fresh, {"x", "np"}).lines("")


def test_three_repetitions_are_a_loop_and_two_are_not() -> None:
    assert rolled("h = x", "h_2 = f(h, 0)", "h_3 = f(h_2, 1)", "return h_3")[1:3] == [
        "h_2 = f(h, 0)",
        "h_3 = f(h_2, 1)",
    ]
    lines = rolled("h = x", "h_2 = f(h, 0)", "h_3 = f(h_2, 1)", "h_4 = f(h_3, 2)", "return h_4")
    assert lines == ["h = x", "for t in range(3):", "    h = f(h, t)", "return h"]


def test_a_number_that_changes_is_put_in_parentheses_where_it_is_an_operand() -> None:
    lines = rolled(
        "h = x",
        *[f"h_{k + 1} = f(h{f'_{k}' if k > 1 else ''}[-{k + 1}], {2 * k + 1} * x, x[{k + 3}:])" for k in (1, 2, 3)],
        "return h_4",
    )
    assert lines[1:3] == ["for t in range(2, 5):", "    h = f(h[-t], (2 * t - 1) * x, x[t + 2:])"]
    lines = rolled(
        "h = x", *[f"h_{k} = f(h{f'_{k - 1}' if k > 2 else ''}, {k}, -{k + 3})" for k in (2, 3, 4)], "return h_4"
    )
    assert lines[1:3] == ["for t in range(2, 5):", "    h = f(h, t, -(t + 3))"]


def test_what_changes_otherwise_than_evenly_is_no_loop() -> None:
    lines = ["h = x", "h_2 = f(h, 0)", "h_3 = f(h_2, 1)", "h_4 = f(h_3, 3)", "return h_4"]
    assert rolled(*lines) == lines


def test_a_name_within_a_string_or_an_attribute_is_no_variable() -> None:
    lines = rolled(
        "h = x", *[f'h_{k + 1} = f(h_{k} if {k - 1} else h, p["h_2"], q.h, 1e-05)' for k in range(1, 5)], "return h_5"
    )
    assert all('p["h_2"], q.h, 1e-05' in line for line in lines if "f(" in line)


def test_a_parameter_is_never_assigned_to() -> None:
    lines = rolled("x_2 = f(x, 0)", "x_3 = f(x_2, 1)", "x_4 = f(x_3, 2)", "x_5 = f(x_4, 3)", "return x_5 + x")
    assert not any(line.strip().startswith("x =") for line in lines)


def test_a_loop_that_reads_no_number_has_no_variable() -> None:
    def repeated(x, w):
        for _ in range(5):
            x = np.tanh(x @ w)
        return np.sum(x)

    source = tg.program(repeated)(np.ones(3), np.ones((3, 3))).source()
    assert "for _ in range(5):" in source
