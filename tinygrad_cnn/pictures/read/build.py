"""From a graph to the diagram that a picture shows: the two halves, and what is added to both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.names import names_of
from tinygrad_cnn.pictures.read import cost, faults
from tinygrad_cnn.pictures.read.backward_half import draw_backward
from tinygrad_cnn.pictures.read.cotangents import sweep
from tinygrad_cnn.pictures.read.followed import follow, pixel_of
from tinygrad_cnn.pictures.read.forward_half import draw_forward
from tinygrad_cnn.pictures.read.links import arrays_of, links_of
from tinygrad_cnn.pictures.read.reading import Reading, line_of, primitive_of, read_graph
from tinygrad_cnn.pictures.read.rule_source import explain
from tinygrad_cnn.pictures.view import labels, parts
from tinygrad_cnn.pictures.view.closed_groups import add_group_boxes
from tinygrad_cnn.pictures.view.diagram import Box, Diagram, Mark
from tinygrad_cnn.pictures.view.layers import join
from tinygrad_cnn.pictures.view.packed import packed
from tinygrad_cnn.pictures.view.values import describe


def diagram_of(
    result: Any,
    *,
    backward: bool = False,
    inputs: Any = (),
    values: bool = False,
    explained: bool = False,
    layers: bool = False,
    rules: bool = True,
    cut: bool = False,
    measure: bool = False,
    fold: bool | None = None,
    marks: Mapping[Node, Mark] | None = None,
    pixel: Any = None,
) -> Diagram:
    """The diagram of the graph of `result`. See `render` for the arguments.

    explained: with the documentation and the rule of each step, for the page. layers: with what is written outside of a
    layer's group and belongs to it, such as its bias, in that group. rules: with what each rule computes. cut: what
    nothing divides is cut into parts.
    """
    reading = read_graph(result, inputs, fold)
    diagram = Diagram(
        title=_title(reading),
        notes=list(reading.notes),
        steps=sum(node.primitive is not None for node in reading.nodes),
        parameters=sum(node.primitive is None and node not in reading.inputs for node in reading.nodes),
    )
    draw_forward(diagram, reading, values)
    back = sweep(reading.roots, reading.nodes, reading.inputs) if backward or measure else None
    if backward and back is not None:
        draw_backward(diagram, reading, back, values, rules)
    if layers:
        join(diagram)
    if cut:
        parts.cut(diagram)
    if measure and back is not None:
        cost.put(diagram, reading, back)
    if values:
        faults.put(diagram, reading, back)
    _move_what_comes_from_outside(diagram)
    parts.share(diagram)
    diagram.dtype = Counter(box.dtype for box in diagram.boxes.values()).most_common(1)[0][0]
    _add_marks(diagram, reading, marks or {})
    if explained:
        explain(diagram, reading, back)
        diagram.influence = packed(links_of(diagram, reading), arrays_of(diagram, reading, back))
        diagram.pixel = None if pixel is None else pixel_of(diagram, reading, pixel)
    elif pixel is not None:
        follow(diagram, reading, back, pixel)
    add_group_boxes(diagram)
    return diagram


def box_of(node: Node) -> Box:
    """The box of a single node, without the graph that it is computed from."""
    name, is_leaf = names_of([node]).get(node), node.primitive is None
    return Box(
        "n0",
        "parameter" if is_leaf else "primitive",
        None if name is None else labels.clean(name),
        "" if is_leaf else primitive_of(node),
        labels.shape(node.like.shape),
        str(node.like.dtype),
        node.like.nbytes,
        0,
        axes=node.like.shape,
        line="" if is_leaf else line_of(node),
        value=describe(node.value, flows=not is_leaf),
    )


def _title(reading: Reading) -> str:
    names = [labels.clean(reading.names[root]) for root in reading.roots if root in reading.names]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "") or "result"


def _move_what_comes_from_outside(diagram: Diagram) -> None:
    """Put parameters and constants into the innermost group of all that take them, and cotangents beside them."""
    takers: dict[str, set[str | None]] = {}
    for edge in diagram.edges:
        if edge.flow == "forward" and diagram.boxes[edge.tail].stays:
            takers.setdefault(edge.tail, set()).add(diagram.boxes[edge.head].group)
    boxes = {id: box for id, box in diagram.boxes.items() if id in takers and box.kind != "input"}
    diagram.put({id: _home(diagram, takers[id], box.count) for id, box in boxes.items()})


def _home(diagram: Diagram, groups: set[str | None], count: int) -> str | None:
    """The innermost group that all of `groups` are in; what is one for all iterations of a loop stands before it."""
    paths = [[group.id for group in diagram.ancestors(one)][::-1] for one in groups]
    common = [same[0] for same in zip(*paths, strict=False) if len(set(same)) == 1]
    home = common[-1] if common else None
    if count > 1:
        return home
    loops = [group for group in diagram.ancestors(home) if group.kind == "loop"]
    return loops[-1].parent if loops else home


def _add_marks(diagram: Diagram, reading: Reading, marks: Mapping[Node, Mark]) -> None:
    """Mark the cotangents in a picture of a gradient, else the values; of several on one box, the worst is shown."""
    cotangents = diagram.cotangents()
    for node, mark in marks.items():
        id = reading.ids.get(node)
        if id is None:
            raise ValueError(f"marks: {node!r} is not a node of this graph")
        box = diagram.boxes[cotangents.get(id, id)]
        if box.mark is None or mark.rank > box.mark.rank:
            box.mark = Mark(mark.severity, labels.clean(mark.note), mark.flag, mark.link)
