"""Names of values: given, or those of the variables that they were assigned to."""

from __future__ import annotations

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.names import names_of, operands_of


def names_in(result: tg.Tensor) -> list[str]:
    """The names of all values that `result` was computed from, in the order of their making."""
    nodes, _ = ancestors([result.node])
    names = names_of(nodes)
    return [names[node] for node in nodes if node in names]


def test_a_value_has_the_name_of_the_variable_that_it_was_assigned_to() -> None:
    W, b = tg.Tensor(np.ones((2, 2)), "W"), tg.Tensor(1.0, "b")
    fc = W @ np.ones(2) + b
    sigma: tg.Tensor = tg.sigmoid(fc)
    left, right = np.exp(sigma), np.log(sigma)
    total = np.sum(left + right)
    assert names_in(total) == ["W", "b", "fc", "sigma", "left", "right", "total"]


def test_of_what_a_composite_makes_only_the_result_has_the_name() -> None:
    weight = tg.Tensor(np.ones((3, 3)), "weight")
    conv = tg.conv2d(np.ones((1, 4, 4)), weight)
    assert names_in(conv) == ["weight", "conv"]
    nodes, _ = ancestors([conv.node])
    assert len(nodes) > 3
    assert names_of(nodes)[conv.node] == "conv"


def test_a_name_that_was_given_stands_before_a_variables() -> None:
    t = tg.named(np.exp(tg.Tensor(1.0, "x")), "growth")
    assert names_in(t) == ["x", "growth"]


def test_a_part_of_an_expression_has_no_name() -> None:
    x = tg.Tensor(1.0, "x")
    y = np.exp(np.sin(x) + 1)
    assert names_in(y) == ["x", "y"]


def test_a_variable_of_a_loop_names_the_value_of_every_turn() -> None:
    h = x = tg.Tensor(np.ones(2), "x")
    for _ in range(3):
        h = np.tanh(x * h)
    assert names_in(h) == ["x", "h", "h", "h"]
    for _ in range(2):
        x = np.sin(x)
    assert names_in(x) == ["x", "x", "x"]


def test_a_loop_over_one_call_names_the_value_of_every_turn() -> None:
    h = tg.Tensor(np.ones(2), "x")
    for _ in range(3):
        h = np.tanh(h)
    for _ in range(2):
        h = tg.linear(h, np.eye(2), np.ones(2))
    assert names_in(h) == ["x", "h", "h", "h", "h", "h"]


def test_of_what_a_gradient_makes_only_the_result_has_the_name() -> None:
    slope = tg.grad(lambda x: tg.sigmoid(x) * x * x)(tg.Tensor(0.5, "x"))
    assert names_in(slope) == ["x", "x", "slope"]


def test_the_operands_of_an_operator_or_a_call_are_called_as_they_are_written() -> None:
    x, W = np.ones(2), tg.Tensor(np.eye(2), "W")
    assert operands_of((W @ x).node) == {0: "W", 1: "x"}
    assert operands_of((x.T - W[0]).node) == {0: "x.T", 1: "W[0]"}
    assert operands_of(np.maximum(0, W).node) == {1: "W"}
    assert operands_of(np.dot(W, x).node) == {0: "W", 1: "x"}
    assert operands_of(tg.binary_cross_entropy_with_logits(W, x[:, None] * 1.0).node) == {0: "W", 1: "x[:, None] * 1.0"}


def test_the_operands_within_a_composite_have_no_names_of_its_call() -> None:
    y = tg.linear(tg.Tensor(np.ones(2), "x"), np.eye(2))
    assert y.node.primitive.__name__ == "matmul"
    assert operands_of(y.node) == {}


def test_attributes_and_walruses_are_names_too() -> None:
    class Model:
        pass

    model, x = Model(), tg.Tensor(2.0, "x")
    model.hidden = x * x
    if (squared := model.hidden * 2) > 0:
        assert names_in(squared) == ["x", "hidden", "squared"]


def test_without_source_there_are_no_names_but_those_given() -> None:
    space = {"np": np, "x": tg.Tensor(1.0, "x")}
    exec("y = np.exp(x)", space)
    assert names_in(space["y"]) == ["x"]


def test_naming_an_array_does_nothing() -> None:
    x = np.ones(2)
    assert tg.named(x, "x") is x


def test_what_a_rule_computes_is_in_a_scope_that_knows_of_which_node_it_is() -> None:
    x = tg.Tensor(0.5, "x")
    slope = tg.grad(lambda y: np.tanh(y) * x)(x)
    nodes, _ = ancestors([slope.node])
    of_rules = [node for node in nodes if node.scope is not None]
    assert {node.scope.name for node in of_rules} == {"vjp of tanh", "vjp of multiply"}
    assert {node.scope.rule_of.primitive.__name__ for node in of_rules} == {"tanh", "multiply"}
