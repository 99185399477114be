"""A few boxes of a diagram, with edges for the ways between them."""

from __future__ import annotations

import numpy as np
from render_graphs import diagram_of, edges

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view.contracted import contracted
from tinygrad_cnn.pictures.view.diagram import Diagram


def of(diagram: Diagram, *names: str) -> Diagram:
    return contracted(diagram, {id for id, box in diagram.boxes.items() if (box.name or box.primitive) in names})


def test_what_lies_between_two_boxes_becomes_an_edge() -> None:
    x, w = tg.Tensor(np.ones(3), "x"), tg.Tensor(np.ones(3), "w")
    h = tg.named(np.exp(np.sin(x)) * w, "h")
    diagram = diagram_of(np.sum(np.cos(h)), backward=True)
    drawn = of(diagram, "x", "h", "sum", "∂L/∂x", "∂L/∂h", "∂L/∂sum")
    assert {box.title for box in drawn.boxes.values()} == {"x", "h", "sum", "∂L/∂x", "∂L/∂h", "∂L/∂sum"}
    assert edges(drawn) == {("x", "h"), ("h", "sum")}
    assert edges(drawn, "backward") == {("∂L/∂sum", "∂L/∂h"), ("∂L/∂h", "∂L/∂x")}
    assert drawn.notes[-1] == f"{len(diagram.boxes) - 6} boxes between these are not drawn"


def test_a_way_through_a_kept_box_is_none_of_its_own() -> None:
    x = tg.Tensor(np.ones(3), "x")
    a = tg.named(np.sin(x), "a")
    b = tg.named(np.exp(np.cos(a)), "b")
    assert edges(of(diagram_of(np.sum(b)), "x", "a", "b")) == {("x", "a"), ("a", "b")}


def test_a_way_to_the_next_iteration_stays_one() -> None:
    h = x = tg.Tensor(np.ones(3), "x")
    for _ in range(24):
        h = np.tanh(np.sin(h * x))
    drawn = of(diagram_of(h, backward=True, fold=True), "x", "h", "∂L/∂h", "∂L/∂x")
    assert edges(drawn) == {("x", "h")}
    assert edges(drawn, "again") == {("h", "h")}
    assert len(drawn.groups) == 1
