"""Marks: what another tool wants to be seen at single steps."""

from __future__ import annotations

import numpy as np
import pytest
from render_graphs import diagram_of, named, small

import tinygrad_cnn as tg
from tinygrad_cnn.engine.graph import ancestors
from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
from tinygrad_cnn.pictures.write.colours import DARK, LIGHT, exchanged


def node_of(loss, primitive: str):
    return next(n for n in ancestors([loss.node])[0] if n.primitive and n.primitive.__name__ == primitive)


def test_a_mark_colours_its_step_by_severity_and_says_its_note() -> None:
    _, loss = small()
    for severity, colour in ((0.0, LIGHT.severity[0][0]), (1.0, LIGHT.severity[-1][0])):
        text = tg.render(loss, marks={node_of(loss, "tanh"): tg.Mark(severity, "8.9e-01 apart")}).dot
        line = next(line for line in text.splitlines() if "8.9e-01 apart" in line)
        assert f'fillcolor="{colour}"' in line


def luminance(colour: str) -> float:
    """The relative luminance of WCAG."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("scale", ["severity", "heat"])
def test_what_is_worse_stands_out_more_from_the_paper_and_can_be_read(palette, scale: str) -> None:
    fills, inks = zip(*getattr(palette, scale), strict=True)
    apart = [contrast(fill, palette.paper) for fill in fills]
    assert apart == sorted(apart)
    assert apart[0] < 1.3
    assert apart[-1] > 8
    assert all(contrast(fill, ink) > 4.5 for fill, ink in zip(fills, inks, strict=True))


def test_no_colour_of_the_light_theme_stands_for_two_things() -> None:
    scales = [colour for scale in (LIGHT.heat, LIGHT.severity) for pair in scale for colour in pair]
    looks = [colour for look in (*LIGHT.kinds.values(), *LIGHT.layers.values()) for colour in look]
    single = [colour for colour in LIGHT if isinstance(colour, str)]
    colours = [*scales, *looks, *single, *LIGHT.changes.values()]
    assert len(set(colours)) == len(colours) == len(exchanged())


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
