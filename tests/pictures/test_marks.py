"""Marks: what another tool wants to be seen at single steps."""

from __future__ import annotations

import numpy as np
import pytest
from render_graphs import diagram_of, named, small

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
from tinygrad_cnn.pictures.write.colours import SEVERITY


def node_of(loss, primitive: str):
    return next(n for n in ancestors([loss.node])[0] if n.primitive and n.primitive.__name__ == primitive)


def test_a_mark_colours_its_step_by_severity_and_says_its_note() -> None:
    _, loss = small()
    for severity, colour in ((0.0, SEVERITY[0]), (1.0, SEVERITY[-1])):
        text = tg.render(loss, marks={node_of(loss, "tanh"): tg.Mark(severity, "8.9e-01 apart")}).dot
        line = next(line for line in text.splitlines() if "8.9e-01 apart" in line)
        assert f'fillcolor="{colour}"' in line


def test_severities_are_darker_the_worse() -> None:
    def luminance(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    brightness = [luminance(colour) for colour in SEVERITY]
    assert brightness == sorted(brightness, reverse=True)


def test_a_flag_gives_a_thick_border_and_a_sign() -> None:
    _, loss = small()
    text = tg.render(loss, marks={node_of(loss, "tanh"): tg.Mark(0.7, "first wrong step", flag=True)}).dot
    assert "penwidth=3.0" in text
    assert "▶ first wrong step" in text


def test_in_a_picture_of_a_gradient_marks_are_on_cotangents() -> None:
    _, loss = small()
    marks = {node_of(loss, "tanh"): tg.Mark(0.5, "here")}
    diagram = diagram_of(loss, backward=True, marks=marks)
    assert named(diagram, "∂L/∂hidden").mark.note == "here"
    assert named(diagram, "hidden").mark is None
    assert named(diagram_of(loss, marks=marks), "hidden").mark.note == "here"


def test_a_closed_scope_shows_the_worst_mark_in_it_and_a_flag_before_all() -> None:
    x = tg.Tensor(0.5, "x")
    with tg.scope("inner"):
        a = np.sin(x)
        b = np.cos(a)
    diagram = diagram_of(b, marks={a.node: tg.Mark(0.9, "worse"), b.node: tg.Mark(0.2, "first", flag=True)})
    drawn = with_closed(diagram, groups_to_close(diagram, 1))
    assert next(box.mark.note for box in drawn.boxes.values() if box.kind == "scope") == "first"


@pytest.mark.parametrize("severity", [-0.1, 1.1, float("nan"), "much"])
def test_a_severity_is_a_number_from_0_to_1(severity) -> None:
    with pytest.raises(ValueError, match=r"expected a number from 0 to 1"):
        tg.Mark(severity)


def test_a_mark_on_a_node_of_another_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a node of this graph"):
        tg.render(small()[1], marks={small()[1].node: tg.Mark(0.5)})
