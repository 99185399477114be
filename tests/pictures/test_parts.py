"""What nothing else divides is cut into parts: consecutive steps, between cuts where the fewest values are alive."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_models import tangled

import tinygrad_cnn as tg
from tinygrad_cnn.pictures.read.build import diagram_of
from tinygrad_cnn.pictures.view import parts
from tinygrad_cnn.pictures.view.closed_groups import groups_to_close, with_closed
from tinygrad_cnn.pictures.view.diagram import Diagram
from tinygrad_cnn.pictures.view.poster import poster_of


@functools.cache
def cut(steps: int, seed: int) -> Diagram:
    return diagram_of(tangled(steps, seed), backward=True, layers=True, cut=True, fold=False)


GRAPHS = [(26, 0), (60, 1), (200, 2), (700, 3), (3000, 4)]


def steps_of(diagram: Diagram) -> list[Any]:
    return [box for box in diagram.boxes.values() if box.kind == "primitive"]


@pytest.mark.parametrize(("steps", "seed"), GRAPHS)
def test_each_step_is_in_one_part_of_each_level_and_parts_are_stretches_of_the_order(steps: int, seed: int) -> None:
    diagram = cut(steps, seed)
    boxes = steps_of(diagram)
    assert len(boxes) == steps
    paths = [[group.id for group in diagram.ancestors(box.group)][::-1] for box in boxes]
    assert all(len(set(path)) == len(path) > 0 for path in paths)
    for depth in range(max(map(len, paths))):
        runs = [id for id, _ in itertools.groupby(path[depth] if depth < len(path) else None for path in paths)]
        assert max(Counter(id for id in runs if id is not None).values()) == 1


@pytest.mark.parametrize(("steps", "seed"), GRAPHS)
def test_no_level_has_more_boxes_than_the_rule_says(steps: int, seed: int) -> None:
    diagram = cut(steps, seed)
    cut_up = [group for group in diagram.groups.values() if group.kind == "part"]
    inside = Counter(box.group for box in steps_of(diagram)) + Counter(group.parent for group in cut_up)
    assert max(inside.values()) <= parts.MOST
    shared = Counter(box.group for box in diagram.boxes.values() if box.kind in ("parameter", "constant"))
    assert all(shared[group.parent] <= parts.SHARED for group in cut_up)


@pytest.mark.parametrize(("steps", "seed"), GRAPHS)
def test_values_go_from_a_part_to_later_ones_only(steps: int, seed: int) -> None:
    diagram = cut(steps, seed)
    drawn = with_closed(diagram, groups_to_close(diagram, "layers"))
    place = {box.id: i for i, box in enumerate(sorted(drawn.boxes.values(), key=lambda box: box.order))}
    crossing = [e for e in drawn.edges if e.flow == "forward" and not drawn.boxes[e.tail].stays]
    assert crossing
    assert all(place[e.tail] < place[e.head] for e in crossing)


@given(st.lists(st.integers(0, 30), min_size=26, max_size=34))
@settings(max_examples=60, deadline=None)
def test_the_fewest_values_are_alive_at_the_cuts(alive: list[int]) -> None:
    """Of all ways to cut a level into parts between two thirds and four thirds of the average."""
    n = len(alive)
    found = parts.cuts(alive)
    sizes = np.diff([0, *found, n])
    least = int(2 * n**0.5 / 3)  # 26 to 34 steps are cut once
    assert least <= sizes.min()
    assert sizes.max() <= 2 * least
    best = {0: 0}
    for end in range(1, n + 1):
        before = [best[begin] for begin in range(end - 2 * least, end - least + 1) if begin in best]
        if before:
            best[end] = min(before) + (alive[end] if end < n else 0)
    assert sum(alive[i] for i in found) == best[n]


def test_values_that_are_alive_are_counted_as_in_the_definition() -> None:
    diagram = diagram_of(tangled(40, 5), fold=False)
    takers = diagram.takers()
    level = parts._level(diagram, None, takers)
    place = {id: i for i, id in enumerate(level.items)}
    for begin, end in [(0, len(level.items)), (7, 31)]:
        counted = [
            sum(begin <= place[id] < at and any(at <= place[t] for t in takers.get(id, ())) for id in level.items)
            for at in range(begin, end)
        ]
        assert level.alive(begin, end).tolist() == counted


def test_the_same_graph_is_cut_in_the_same_way() -> None:
    one, other = (diagram_of(tangled(300, 6), cut=True, fold=False) for _ in range(2))
    assert one.groups == other.groups
    assert [box.group for box in one.boxes.values()] == [box.group for box in other.boxes.values()]


def test_a_network_of_many_layers_in_a_column_is_not_cut() -> None:
    def network(layers: int) -> Any:
        h = tg.Tensor(np.ones(3), "x")
        for _ in range(layers):
            h = np.tanh(h) + h
        return h

    assert not diagram_of(network(60), cut=True, fold=False).groups
    assert {g.kind for g in diagram_of(network(90), cut=True, fold=False).groups.values()} == {"part"}  # 180 steps


def test_a_scope_without_structure_is_cut_within_the_scope() -> None:
    with tg.scope("encoder"):
        h = tangled(80, 7)
    diagram = diagram_of(np.sin(h), cut=True, fold=False)
    (scope,) = (g for g in diagram.groups.values() if g.kind == "scope")
    within = [g for g in diagram.groups.values() if g.kind == "part"]
    assert within
    assert {(g.parent, g.depth) for g in within} == {(scope.id, 2)}


def test_depth_says_how_far_parts_are_open() -> None:
    loss = tangled(600, 8)
    drawn = {depth: tg.render(loss, depth=depth, fold=False).diagram for depth in ("layers", 1, 2, "all")}
    closed = {depth: [b.primitive for b in d.boxes.values() if b.kind == "scope"] for depth, d in drawn.items()}
    assert closed["layers"] == closed[1] == [f"part {i + 1}" for i in range(len(closed[1]))]
    assert {name.split(".")[0] for name in closed[2]} == set(closed[1])
    assert len(closed[2]) > len(closed[1])
    assert closed["all"] == []
    assert not drawn["all"].groups
    steps = [b.summary.replace(",", "") for b in drawn[1].boxes.values() if b.kind == "scope"]
    assert sum(int(text.split()[0]) for text in steps) == 600


def test_a_closed_part_has_all_that_stands_in_it() -> None:
    values, names = [tg.Tensor(np.ones(2), "x")], [f"w{i}" for i in range(60)]
    weights = [tg.Tensor(np.full(2, 0.1 * i), name) for i, name in enumerate(names)]
    rng = np.random.default_rng(9)
    for weight in weights:
        values.append(values[rng.integers(len(values))] * weight)
    loss = sum(values[1:])
    diagram = tg.render(loss, backward=True, fold=False).diagram
    outside = {box.title for box in diagram.boxes.values() if box.kind == "parameter"}
    assert "x" in outside
    assert len(outside) <= 1 + parts.SHARED
    assert all(len(card.within) <= parts.SHARED for card in poster_of(diagram).cards.values())
    opened = tg.render(loss, backward=True, fold=False, depth="all").diagram
    assert {box.title for box in opened.boxes.values() if box.kind == "parameter"} == {"x", *names}


def test_scopes_of_a_long_poster_are_closed_from_the_inside_out() -> None:
    def loss(blocks: int) -> Any:
        h = tg.Tensor(np.ones(3), "x")
        for i in range(blocks):
            with tg.scope(f"block{i}"):
                for j in range(3):
                    with tg.scope(f"unit{j}"):
                        h = np.sin(np.tanh(h))
        return h

    def drawn(blocks: int) -> Counter[str]:
        diagram = tg.render(loss(blocks), fold=False).diagram
        return Counter(box.primitive[:4] for box in diagram.boxes.values() if box.kind != "parameter")

    assert drawn(20) == {"tanh": 60, "sin": 60}
    assert drawn(26) == {"unit": 78}
    assert drawn(60) == {"bloc": 60}
