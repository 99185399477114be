"""Two graphs in one picture."""

from __future__ import annotations

import re

import numpy as np
from render_graphs import circle_square, diagram_of, edges, named

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.view.difference import compare
from tinygrad_cnn.pictures.view.thumbnails import TILE


def changes(diagram) -> dict[str, set[str]]:
    """What the boxes that were added and removed are called."""
    found: dict[str, set[str]] = {"added": set(), "removed": set()}
    for box in diagram.boxes.values():
        if box.change:
            found[box.change].add(box.title)
    return found


def model(x, W, activation):
    hidden = W @ x
    if activation is not None:
        hidden = activation(hidden)
    return tg.named(np.sum(hidden * hidden), "out")


def compared(first, second, **options):
    x, W = np.ones(2), tg.Tensor(np.eye(2), "W")
    return compare(diagram_of(model(x, W, second), **options), diagram_of(model(x, W, first), **options))


def test_the_same_graph_has_no_changes() -> None:
    diagram = compared(np.tanh, np.tanh, backward=True)
    assert changes(diagram) == {"added": set(), "removed": set()}
    assert {edge.change for edge in diagram.edges} == {None}
    assert diagram.notes == ["the same structure; before → now"]


def test_a_step_that_was_added_is_added_with_its_edges_and_its_cotangent() -> None:
    diagram = compared(None, np.tanh, backward=True)
    assert [box.title for box in diagram.boxes.values() if box.change and box.kind == "primitive"] == ["hidden₂"]
    assert changes(diagram)["removed"] == set()
    assert "∂out/∂hidden₂" in changes(diagram)["added"]
    assert any(edge.change == "added" for edge in diagram.edges if edge.flow == "forward")
    assert any(edge.change == "removed" for edge in diagram.edges if edge.flow == "forward")


def test_a_step_that_was_exchanged_is_removed_and_added() -> None:
    diagram = compared(np.tanh, np.sin)
    assert [(box.primitive, box.change) for box in diagram.boxes.values() if box.change] == [
        ("sin", "added"), ("tanh", "removed"),
    ]  # fmt: skip
    assert ("hidden₂", "multiply") in edges(diagram)


def test_values_stand_side_by_side() -> None:
    before, now = circle_square("robust", 0), circle_square("robust", 1)
    diagram = compare(diagram_of(now, values=True, inputs="x"), diagram_of(before, values=True, inputs="x"))
    loss, x = named(diagram, "loss"), named(diagram, "x")
    assert loss.before.number != loss.value.number
    conv = named(diagram, "conv")
    assert conv.value.picture.height > 1.3 * TILE  # two rows
    assert x.before is None  # the same
    text = tg.render(now, against=before, values="thumbnails", inputs="x", depth=1).dot
    assert f"{loss.before.number}  →  {loss.value.number}" in text


def test_the_model_before_and_after_training_fits_on_a_screen() -> None:
    svg = tg.render(
        circle_square("robust", 1), against=circle_square("robust", 0), values="thumbnails", backward=True,
        inputs="x", depth=2,
    ).svg  # fmt: skip
    size = re.search(r'<svg width="([\d.]+)" height="([\d.]+)"', svg)
    assert size is not None
    assert float(size[1]) <= 1440
    assert float(size[2]) <= 860  # 900, less what a browser takes


def test_changes_are_drawn_in_colours_and_borders_of_their_own() -> None:
    x, W = np.ones(2), tg.Tensor(np.eye(2), "W")
    text = tg.render(model(x, W, np.sin), against=model(x, W, np.tanh)).dot
    added = next(line for line in text.splitlines() if line.startswith('"n') and "sin" in line)
    removed = next(line for line in text.splitlines() if line.startswith('"xn'))
    assert 'color="#1a7f37"' in added
    assert "dashed" in removed
    assert 'color="#b00021"' in removed


def test_a_scope_of_the_other_graph_is_drawn_too() -> None:
    def f(x, in_scope: bool):
        h = np.sin(x)
        if in_scope:
            with tg.scope("extra"):
                h = np.exp(np.cos(h))
        return h

    x = tg.Tensor(1.0, "x")
    diagram = compare(diagram_of(f(x, False)), diagram_of(f(x, True)))
    assert [g.name for g in diagram.groups.values()] == ["extra"]
    assert all(box.group in diagram.groups for box in diagram.boxes.values() if box.group)


def test_the_rule_of_a_removed_cotangent_needs_what_was_removed_with_it() -> None:
    diagram = compared(np.tanh, np.sin, backward=True, explained=True)
    removed = next(box for box in diagram.boxes.values() if box.kind == "cotangent" and box.change == "removed")
    assert [(diagram.boxes[id].primitive, diagram.boxes[id].change) for id in removed.rule.needs] == [
        ("tanh", "removed")
    ]
