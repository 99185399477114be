"""From a graph to what a picture of it shows: the one place where nodes become boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.pictures.read import cost
from tinygrad_cnn.pictures.read.backward_half import draw_backward
from tinygrad_cnn.pictures.read.cotangents import sweep
from tinygrad_cnn.pictures.read.forward_half import draw_forward
from tinygrad_cnn.pictures.read.recorded import Reading, read
from tinygrad_cnn.pictures.read.rule_source import explain
from tinygrad_cnn.pictures.view import labels as words
from tinygrad_cnn.pictures.view.closing import draw_closed
from tinygrad_cnn.pictures.view.marks import Mark
from tinygrad_cnn.pictures.view.view import Shown, View


def view_of(
    result: Any,
    *,
    backward: bool = False,
    inputs: Any = (),
    values: bool = False,
    explained: bool = False,
    measure: bool = False,
    fold: bool | None = None,
    marks: Mapping[Node, Mark] | None = None,
) -> View:
    """What a picture of the graph of `result` shows. See `render` for the arguments.

    explained: with the documentation and the rule of each step, for the page.
    """
    reading = read(result, inputs, fold)
    view = View(
        notes=list(reading.notes),
        steps=sum(node.primitive is not None for node in reading.nodes),
        parameters=sum(node.primitive is None and node not in reading.inputs for node in reading.nodes),
    )
    draw_forward(view, reading, values)
    back = sweep(reading.roots, reading.nodes, reading.inputs) if backward or measure else None
    if backward and back is not None:
        draw_backward(view, reading, back, values)
    if measure and back is not None:
        cost.put(view, reading, back)
    _put_home(view)
    view.dtype = Counter(box.dtype for box in view.boxes.values()).most_common(1)[0][0]
    named = [words.clean(reading.names[root]) for root in reading.roots if root in reading.names]
    view.title = ", ".join(named[:3]) + (" …" if len(named) > 3 else "") or "result"
    if marks:
        _put_marks(view, reading, marks)
    if explained:
        explain(view, reading, back)
    draw_closed(view)
    return view


def _put_home(view: View) -> None:
    """Put what comes from outside into the group of all that take it, and cotangents of such beside it."""
    takers: dict[str, set[str | None]] = {}
    for edge in view.edges:
        if edge.flow == "forward" and view.boxes[edge.tail].stays:
            takers.setdefault(edge.tail, set()).add(view.boxes[edge.head].group)
    for id, groups in takers.items():
        box = view.boxes[id]
        if box.kind == "input":
            continue
        paths = [[group.id for group in view.ancestors(one)][::-1] for one in groups]
        common = [same[0] for same in zip(*paths, strict=False) if len(set(same)) == 1]
        home = common[-1] if common else None
        if box.count == 1:  # what is the same in every turn of a loop stands before the loop
            around = [group for group in view.ancestors(home) if group.kind == "loop"]
            home = around[-1].parent if around else home
        box.group = home
        g = view.boxes.get(f"g{id[1:]}") if box.kind == "parameter" else None
        if g is None:
            continue
        rule = view.groups.get(g.group or "")
        if rule is not None and rule.backward == g.id:
            rule.parent = home
        else:
            g.group = home


def _put_marks(view: View, reading: Reading, marks: Mapping[Node, Mark]) -> None:
    """Put marks on cotangents in a picture of a gradient, else on values; of several on one box, the worst is shown."""
    for node, mark in marks.items():
        id = reading.ids.get(node)
        if id is None:
            raise ValueError(f"marks: {node!r} is not in this graph")
        box = view.boxes.get(f"g{id[1:]}", view.boxes[id])
        if box.mark is None or (mark.flag, mark.severity) > (box.mark.flag, box.mark.severity):
            box.mark = Shown(mark.severity, words.clean(mark.note), mark.flag)
