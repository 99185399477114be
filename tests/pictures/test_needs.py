"""Which values a rule needs, as the page says it."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, Case
from render_graphs import circle_square, diagram_of

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.pictures.read.cotangents import sweep
from tinygrad_cnn.pictures.read.reading import values
from tinygrad_cnn.pictures.read.rule_needs import RESULT, read


def needs(loss, **options) -> dict[str, set[str]]:
    """What the rules of each cotangent need, by titles."""
    diagram = diagram_of(loss, backward=True, explained=True, **options)
    return {
        box.title.split("/∂")[1]: {diagram.boxes[id].title for id in box.rule.needs}
        for box in diagram.boxes.values()
        if box.kind == "cotangent" and box.rule is not None
    }


def test_a_rule_needs_what_it_reads_elements_of() -> None:
    found = needs(circle_square("robust"), inputs="x")
    assert found["fc"] == {"sigma"}
    assert found["relu"] == {"relu", "max_pool"}  # where in each window the largest stands
    assert found["conv"] == {"conv"}
    assert found["sigma"] == {"sigma", "y.T"}
    assert found["Wf"] == {"transpose"}
    assert found["Bf"] == found["max_pool"] == found["losses"] == set()  # only a shape, or nothing


def test_a_rule_needs_constants_and_masks() -> None:
    x, c = tg.Tensor([[-1.0, 2.0]], "x"), np.array([[2.0], [3.0]])
    kept = np.where(x > 0, x, 7.0)
    assert needs(tg.named(np.sum(kept @ c), "y")) == {"matmul": set(), "kept": {"c"}, "x": {"x > 0"}}


def test_what_several_rules_of_one_cotangent_need_is_said_together() -> None:
    x = tg.Tensor([1.0, 2.0], "x")
    assert needs(np.sum(np.exp(x) * np.sin(x)))["x"] == {"exp", "x"}


def test_a_rule_that_asks_what_it_is_given_is_taken_to_need_all() -> None:
    @tg.primitive
    def halved(x, /):
        return x / 2

    @halved.defvjp
    def _halved_x(g, out, x):
        assert isinstance(x, tg.Tensor | np.ndarray)
        return g / 2

    assert needs(np.sum(halved(tg.Tensor([1.0, 2.0], "x"))))["x"] == {"x", "halved"}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_a_rule_does_not_need_may_be_anything(case: Case) -> None:
    result = case.function(*[tg.Tensor(x) for x in case.operands()])
    nodes, _ = ancestors([result.node])
    back = sweep([result.node], nodes, ())
    for node in nodes:
        for position, x in node.sources:
            rule = node.primitive.rules[position]
            if rule is None or node not in back.values or x not in back.values:
                continue
            operands = {at: value for at, value in enumerate(values(node)) if isinstance(value, np.ndarray)}
            seen = read(node, position, back.values[node], operands)
            operands[RESULT] = node.value
            other = {at: value if at in seen else np.full_like(value, -123) for at, value in operands.items()}
            given = [other.get(at, value) for at, value in enumerate(values(node))]
            with np.errstate(all="ignore"):
                expected = rule(back.values[node], node.value, *values(node), **node.static_args)
                found = rule(back.values[node], other[RESULT], *given, **node.static_args)
            np.testing.assert_array_equal(found, expected, strict=True)
