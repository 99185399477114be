"""What steps cost: operations by the table of `cost.py`, times as measured, bytes as the arrays have them."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from render_graphs import circle_square, diagram_of, named

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.read import cost
from tinygrad_cnn.pictures.view import labels
from tinygrad_cnn.pictures.write.colours import LIGHT


def flops(make) -> float | None:
    return cost.flops(make(tg.Tensor(np.ones((4, 6, 6)))).node)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (np.exp, 144),
        (lambda t: t + 1, 144),
        (tg.sigmoid, 144),
        (tg.relu, 144),
        (lambda t: t @ np.ones((6, 5)), 2 * 4 * 6 * 6 * 5),
        (np.sum, 144),
        (lambda t: np.max(t, axis=0), 144),
        (lambda t: tg.max_pool2d(t, 2), 144),
        (lambda t: tg.avg_pool2d(t, (3, 2)), 144),
        (lambda t: t.reshape(-1), 0),
        (lambda t: tg.im2col(t, 3), 0),
        (lambda t: t[1], 0),
        (lambda t: np.fft.fft(t), None),
    ],
)
def test_operations_are_counted_by_the_table(make, expected) -> None:
    assert flops(make) == expected


@pytest.mark.parametrize("recipe", ["published", "robust"])
def test_the_operations_of_every_step_of_the_model_are_known(recipe) -> None:
    boxes = diagram_of(circle_square(recipe), measure=True).boxes.values()
    assert [box.primitive for box in boxes if box.cost is not None and box.cost.flops is None] == []


def test_a_slow_step_is_seen_to_be_slow_forward_and_backward() -> None:
    @tg.primitive
    def slow(x, /):
        time.sleep(0.004)
        return x * 1.0

    @slow.defvjp
    def rule(g, out, x):
        time.sleep(0.008)
        return g * 1.0

    y = np.sum(np.exp(slow(tg.Tensor(np.ones(3), "x"))))
    diagram = diagram_of(y, backward=True, measure=True)
    costs = {box.primitive: box.cost for box in diagram.boxes.values() if box.kind == "primitive"}
    assert costs["slow"].forward >= 0.004
    assert costs["slow"].backward >= 0.008
    assert max(costs["exp"].forward, costs["exp"].backward) < 0.004
    assert (
        named(diagram, "∂L/∂x" if "∂L/∂x" in {b.name for b in diagram.boxes.values()} else "∂y/∂x").cost.backward
        >= 0.008
    )


def test_bytes_are_what_is_read_and_written() -> None:
    y = np.sum(tg.Tensor(np.ones((3, 4)), "x") * np.ones(4))
    diagram = diagram_of(y, measure=True)
    assert {box.primitive: box.cost.bytes for box in diagram.boxes.values() if box.kind == "primitive"} == {
        "multiply": 8 * (12 + 4 + 12), "sum": 8 * (12 + 1),
    }  # fmt: skip


def test_a_scope_costs_what_its_steps_cost_together() -> None:
    diagram = diagram_of(circle_square(), measure=True, inputs="x")
    conv = next(g for g in diagram.groups.values() if g.name == "conv")
    steps = [b.cost for b in diagram.boxes.values() if b.cost and conv in diagram.ancestors(b.group)]
    assert len(steps) == 6
    assert conv.cost.forward == pytest.approx(sum(c.forward for c in steps))
    assert conv.cost.flops == 2 * 24 * 784 * 9 + 24 * 784


def test_what_is_drawn_as_one_costs_what_all_of_it_costs() -> None:
    h = tg.Tensor(np.ones(10), "x")
    for _ in range(20):
        h = np.sin(h)
    diagram = diagram_of(h, measure=True, fold=True)
    assert named(diagram, "h").cost.flops == 200


def test_measuring_colours_the_steps_by_their_time() -> None:
    text = tg.render(circle_square(), measure=True, backward=True, inputs="x").dot
    assert "#7a0f0f" in text  # the dearest
    assert "kflop" in text


def test_a_folded_loop_whose_first_iteration_takes_a_constant_is_measured_with_its_gradient() -> None:
    W, state = tg.Tensor(np.eye(3), "W"), np.zeros(3)
    for x in np.ones((6, 3)):
        state = np.tanh(W @ state + x)
    diagram = diagram_of(np.sum(state), backward=True, measure=True, fold=True)
    assert all(box.cost is not None and box.cost.backward > 0 for box in diagram.boxes.values() if box.name == "∂L/∂W")


def test_a_time_is_printed_once() -> None:
    """The time of a rule stands at the cotangent that it gives, if that is drawn, and else at the step."""
    x = tg.Tensor(np.ones((50, 50)), "x")
    y = np.sum(np.exp(x))
    both, alone, poster = (
        tg.render(y, measure=True, backward=backward, depth=depth).dot
        for backward, depth in ((True, "all"), (False, "all"), (True, "layers"))
    )
    assert re.findall(r'class="(\w+)".*back \d', both) == ["cotangent", "cotangent"]
    assert re.findall(r'class="(\w+)".*back \d', alone) == ["primitive", "primitive"]
    assert len(re.findall(r"back \d", poster)) == 2


def test_the_scale_of_the_colours_is_drawn() -> None:
    y = np.sum(np.exp(tg.Tensor(np.ones((50, 50)), "x")))
    picture = tg.render(y, measure=True, depth="all")
    card = tg.render(y, measure=True).diagram
    assert all(box.cost is not None for box in card.boxes.values() if box.kind in ("primitive", "scope"))
    most = max(box.cost.forward for box in picture.diagram.boxes.values() if box.cost is not None)
    caption = picture.dot.splitlines()[1]
    assert all(colour in caption for colour, _ in LIGHT.heat)
    assert labels.seconds(most) in caption
