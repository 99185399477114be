"""What repeats is drawn once, and nothing else is."""

from __future__ import annotations

import re
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_graphs import diagram_of, edges

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.write.geometry import overlapping, places


def counts(diagram) -> dict[str, list[int]]:
    """How many nodes are drawn as each box, by primitive."""
    found: dict[str, list[int]] = {}
    for box in diagram.boxes.values():
        if box.kind == "primitive":
            found.setdefault(box.primitive, []).append(box.count)
    return found


def loops(diagram) -> list[tuple[str, str | None]]:
    """The loops, each with what it is in."""
    return [
        (g.name, diagram.groups[g.parent].name if g.parent else None)
        for g in diagram.groups.values()
        if g.kind == "loop"
    ]


def test_the_turns_of_a_loop_are_drawn_once() -> None:
    h = x = tg.Tensor(np.ones(3), "x")
    for _ in range(24):
        h = np.tanh(h * x)
    diagram = diagram_of(h, fold=True)
    assert counts(diagram) == {"multiply": [24], "tanh": [24]}
    assert loops(diagram) == [("× 24", None)]
    assert edges(diagram) == {("x", "multiply"), ("multiply", "h")}
    assert edges(diagram, "again") == {("h", "multiply")}
    assert diagram.notes == ["49 nodes are drawn as 3: each iteration of a loop is the same, and is drawn once"]


def test_loops_in_loops_are_groups_in_groups() -> None:
    total = x = tg.Tensor(1.0, "x")
    for _ in range(5):
        h = x
        for _ in range(7):
            h = np.sin(h)
        total = total + h
    diagram = diagram_of(total, fold=True)
    assert counts(diagram) == {"sin": [35], "add": [5]}
    assert loops(diagram) == [("× 5", None), ("× 7", "× 5")]


def test_an_inner_loop_of_changing_length_is_one_too() -> None:
    total = x = tg.Tensor(1.0, "x")
    for n in range(2, 6):
        h = x
        for _ in range(n):
            h = np.sin(h)
        total = total + np.exp(h)
    diagram = diagram_of(total, fold=True)
    assert counts(diagram) == {"sin": [14], "exp": [4], "add": [4]}
    assert loops(diagram) == [("× 4", None), ("× 2…5", "× 4")]


def test_a_first_turn_that_differs_belongs_to_the_loop() -> None:
    x = tg.Tensor(np.ones((6, 2)), "x")
    out = None
    for i in range(6):
        row = np.exp(x[i])
        out = row.copy() if out is None else np.concatenate((out, row))
    diagram = diagram_of(out, fold=True)
    assert counts(diagram) == {"getitem": [6], "exp": [6], "copy": [1], "concatenate": [5]}
    assert loops(diagram) == [("× 6", None)]
    assert next(box.shape for box in diagram.boxes.values() if box.primitive == "concatenate") == "4…12"


def test_two_loops_over_the_same_function_are_two() -> None:
    def step(h):
        return np.sin(h)

    h = tg.Tensor(1.0, "x")
    for _ in range(5):
        h = step(h)
    h = np.exp(h)
    for _ in range(3):
        h = step(h)
    diagram = diagram_of(h, fold=True)
    assert counts(diagram) == {"sin": [5, 3], "exp": [1]}


def test_a_model_in_layers_is_drawn_as_one_layer_with_all_parameters_as_one() -> None:
    layers = [(tg.Tensor(np.eye(2), f"W{i}"), tg.Tensor(np.ones(2), f"b{i}")) for i in range(8)]
    h = np.ones(2)
    for W, b in layers:
        with tg.scope("layer"):
            h = tg.relu(W @ h + b)
    diagram = diagram_of(h, fold=True)
    assert {box.name: box.count for box in diagram.boxes.values() if box.kind == "parameter"} == {
        "W0 … W7": 8, "b0 … b7": 8,
    }  # fmt: skip
    assert [g.name for g in diagram.groups.values()] == ["× 8", "layer"]


def test_what_does_not_repeat_is_not_folded() -> None:
    x = tg.Tensor(1.0, "x")
    y = np.sin(x) + np.sin(x)
    z = np.sin(y) + np.sin(y)
    diagram = diagram_of(z, fold=True)
    assert counts(diagram) == {"sin": [1, 1, 1, 1], "add": [1, 1]}
    assert diagram.notes == []


def test_a_small_graph_is_folded_only_when_asked() -> None:
    h = tg.Tensor(1.0, "x")
    for _ in range(10):
        h = np.sin(h)
    assert counts(diagram_of(h)) == {"sin": [1] * 10}
    for _ in range(200):
        h = np.sin(h)
    assert counts(diagram_of(h)) == {"sin": [10, 200]}
    assert len(diagram_of(h, fold=False).boxes) == 211


def test_what_has_no_order_is_drawn_once_for_each_line_when_it_is_large() -> None:
    rng = np.random.default_rng(0)
    h = tg.Tensor(1.0, "x")
    steps = [lambda h: np.sin(h), lambda h: np.cos(h), lambda h: np.tanh(h), lambda h: np.exp(-h)]
    for k in rng.integers(0, 4, 3000):
        h = steps[k](h)
    diagram = diagram_of(h)
    assert set(counts(diagram)) == {"sin", "cos", "tanh", "negative", "exp"}
    assert len(diagram.boxes) == 6
    assert diagram.notes[1] == "what one instruction computed is drawn once, in whatever order it came"


def test_the_gradient_is_folded_as_the_graph_is() -> None:
    h = x = tg.Tensor(np.ones(3), "x")
    for _ in range(24):
        h = np.tanh(h * x)
    diagram = diagram_of(np.sum(h), backward=True, fold=True)
    assert {box.name: box.count for box in diagram.boxes.values() if box.kind == "cotangent"} == {
        "∂L/∂sum": 1, "∂L/∂h": 24, "∂L/∂multiply": 24, "∂L/∂x": 1,
    }  # fmt: skip
    assert edges(diagram, "backward") == {
        ("∂L/∂sum", "∂L/∂h"), ("∂L/∂h", "∂L/∂multiply"), ("∂L/∂multiply", "∂L/∂x"),
    }  # fmt: skip
    assert edges(diagram, "earlier") == {("∂L/∂multiply", "∂L/∂h")}  # through time


def test_a_gradient_that_was_recorded_is_folded_too() -> None:
    def f(x):
        h = x
        for _ in range(30):
            h = np.tanh(h * x)
        return h

    slope = tg.grad(f)(tg.Tensor(0.5, "x"))
    diagram = diagram_of(slope, fold=True)
    assert len(diagram.boxes) < 40
    assert sum(box.count for box in diagram.boxes.values() if box.kind != "constant") > 150


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(2, 5))
@settings(max_examples=50, deadline=None)
def test_folding_keeps_every_node_and_every_connection(lengths: list[int], outer: int) -> None:
    total = x = tg.Tensor(0.5, "x")
    for _ in range(outer):
        for n in lengths:
            h = total
            for _ in range(n):
                h = np.sin(h) * x
            total = total + h
    plain, drawn = diagram_of(total, fold=False), diagram_of(total, fold=True)
    assert sum(box.count for box in drawn.boxes.values() if box.kind != "constant") == len(plain.boxes)
    assert sum(edge.count for edge in drawn.edges) == len(plain.edges)
    assert {box.primitive for box in drawn.boxes.values()} == {box.primitive for box in plain.boxes.values()}
    assert sum(box.is_result for box in drawn.boxes.values()) == 1


@pytest.fixture
def on_tensors(listing: ModuleType) -> ModuleType:
    """The listing, with its parameters for Tensors."""
    for name in ("Wc", "Bc", "Wf", "Bf"):
        setattr(listing, name, tg.Tensor(getattr(listing, name), name))
    return listing


def test_the_published_forward_is_drawn_with_its_loops(on_tensors) -> None:
    rng = np.random.default_rng(0)
    x = tg.Tensor(10 * rng.random((24, 28, 28)) * (rng.random((24, 28, 28)) < 0.2), "x")
    loss = on_tensors.forward(x, (np.arange(24) % 2).reshape(24, 1) * 1.0)[0]
    picture = tg.render(loss, backward=True, values="thumbnails", inputs="x")
    svg = picture.svg
    assert loops(picture.diagram) == [("× 24", None), ("× 784", "× 24"), ("× 24", None), ("× 196", "× 24")]
    assert len(picture.diagram.boxes) < 110
    assert "nodes are drawn as" in picture.notes[0]
    assert "× 784" in svg
    assert overlapping(places(svg)) == []
    assert float(re.findall('<svg width="([^"]*)"', svg)[0]) < 720  # the width of a page's column


def test_what_flows_to_another_iteration_is_named_and_not_drawn_across_the_loop() -> None:
    h, x = tg.Tensor(np.ones(2), "start"), tg.Tensor(np.ones(2), "x")
    for _ in range(6):
        h = np.tanh(h * x)
    picture = tg.render(np.sum(h), backward=True, fold=True)
    crossing = [(e.tail, e.head) for e in picture.diagram.edges if e.flow in ("again", "earlier")]
    assert len(crossing) == 2
    assert not [ends for ends in crossing if re.search(f'"{ends[0]}" -> "{ends[1]}".*dashed', picture.dot)]
    written = ["↻ h, of the iteration before", "↺ ∂L/∂multiply, of the iteration after"]
    assert re.findall("[↻↺] [^<]*", picture.dot) == written
    every = tg.render(np.sum(h), backward=True, fold=True, depth="all")
    assert re.findall("[↻↺] [^<]*", every.dot) == ["↻ h", "↺ ∂L/∂multiply"]
