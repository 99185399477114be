"""A level of many boxes that nothing divides is cut into parts, which are groups as scopes are.

A level is what stands directly in one group, or in none: steps, and groups within it, each of which counts as one. Its
steps are in the order of execution, so a part is a stretch of it. A level is cut if it has more than `MOST` steps, and
more than `WIDE` values are alive at once somewhere in it, or if it has more than `LONG` steps: a network of many layers
in a column has a structure that a reader can follow. The cuts are where the fewest values are alive; parts have between
two thirds and four thirds of the same size, and are cut themselves until no level has more than `MOST` boxes.

What several parts take, such as a parameter, stands beside them if it is among the `SHARED` that most of them take,
and otherwise in the part that takes it first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_cnn.pictures.view.diagram import Diagram

MOST = 25  # boxes of a level that was cut
LONG = 150  # steps of a level that is not cut, however few values are alive in it
WIDE = 8  # values that are alive at once in a level that is not cut
AVERAGE = 16  # at most so many parts of a level, and steps of a part, if all were of one size
SHARED = 8  # values from outside that stand beside the parts that take them


@dataclass
class Level:
    """What stands in one group, in the order of execution.

    items      the steps, by the id of their box, and the groups, by their id
    intervals  of each value that a later item takes, the place of the item that has it, and of the last that takes it
    """

    items: list[str]
    intervals: np.ndarray

    def alive(self, begin: int, end: int) -> np.ndarray:
        """How many values of the items from `begin` to `end` cross a cut before each of these items."""
        first, last = self.intervals[:, 0], self.intervals[:, 1]
        inside = (first >= begin) & (first < end)
        born, last = first[inside] - begin, np.minimum(last[inside], end - 1) - begin
        change = np.bincount(born + 1, minlength=end - begin + 2) - np.bincount(last + 1, minlength=end - begin + 2)
        return np.cumsum(change)[: end - begin]


def cut(diagram: Diagram) -> None:
    """Put what stands in levels without structure into parts."""
    count: dict[str | None, int] = {}
    for box in diagram.boxes.values():
        if box.kind == "primitive":
            count[box.group] = count.get(box.group, 0) + 1
    for group in diagram.groups.values():
        count[group.parent] = count.get(group.parent, 0) + 1
    many = [level for level in (None, *diagram.groups) if count.get(level, 0) > MOST]
    if not many:
        return
    takers = diagram.takers()
    moves: dict[str, str | None] = {}
    known = len(diagram.groups)
    for parent in many:
        level = _level(diagram, parent, takers)
        n = len(level.items)
        if n > LONG or (n > MOST and level.alive(0, n).max() > WIDE):
            _cut(diagram, level, parent, 0, n, moves)
    for id, part in moves.items():
        if id in diagram.groups:
            diagram.groups[id].parent = part
    diagram.put({id: part for id, part in moves.items() if id in diagram.boxes})
    if len(diagram.groups) > known:
        diagram.sort_groups()
        diagram.notes.append("what nothing else divides is cut into parts, where the fewest values are alive")


def _level(diagram: Diagram, group: str | None, takers: Mapping[str, set[str]]) -> Level:
    """The level of what stands in `group`."""
    within: dict[str | None, str | None] = {group: None}  # the group of the level around each group, None for itself
    for g in diagram.groups.values():
        if g.parent in within and g.id != group:
            within[g.id] = within[g.parent] or g.id
    item_of = {
        box.id: within[box.group] or box.id
        for box in diagram.boxes.values()
        if box.kind == "primitive" and box.group in within
    }
    order: dict[str, int] = {}
    for id, item in item_of.items():
        order[item] = min(order.get(item, diagram.boxes[id].order), diagram.boxes[id].order)
    items = sorted(order, key=order.__getitem__)
    place = {item: i for i, item in enumerate(items)}
    intervals = []
    for id, item in item_of.items():
        last = max((place[item_of[taker]] for taker in takers.get(id, ()) if taker in item_of), default=0)
        if last > place[item]:
            intervals.append((place[item], last))
    return Level(items, np.array(intervals, int).reshape(-1, 2))


def _cut(
    diagram: Diagram,
    level: Level,
    parent: str | None,
    begin: int,
    end: int,
    moves: dict[str, str | None],
    number: str = "",
) -> None:
    """Cut the items from `begin` to `end`, which stand in `parent`, into parts within it."""
    ends = cuts(level.alive(begin, end))
    for i, (first, last) in enumerate(zip([0, *ends], [*ends, end - begin], strict=True), start=1):
        name = f"{number}{i}"
        says = f"{begin + first + 1:,} to {begin + last:,} of {len(level.items):,}, in the order of execution"
        part = diagram.add_group("part", f"part {name}", parent, says)
        if last - first > MOST:
            _cut(diagram, level, part.id, begin + first, begin + last, moves, f"{name}.")
        else:
            moves |= dict.fromkeys(level.items[begin + first : begin + last], part.id)


def cuts(alive: Sequence[int] | np.ndarray) -> list[int]:
    """Where to cut a level, of which so many values are alive before each item: the sum of these is the least.

    Of cuts that are alike in this, those into the most equal parts.
    """
    n = len(alive)
    depth = math.ceil(math.log(n) / math.log(AVERAGE))  # of the parts within parts
    average = n ** ((depth - 1) / depth)
    least = max(1, math.floor(2 * average / 3))
    sizes = np.arange(2 * least, least - 1, -1)  # any n is a sum of these
    unequal = (sizes - average) ** 2
    cost, before = np.full(n + 1, np.inf), np.zeros(n + 1, int)
    cost[0] = 0
    for place in range(least, n + 1):
        known = min(place, 2 * least)
        choices = cost[place - known : place - least + 1] + unequal[2 * least - known :]
        best = int(np.argmin(choices))
        cost[place] = choices[best] + (alive[place] * (n * average + 1) if place < n else 0)
        before[place] = place - known + best
    found = []
    place = int(before[n])
    while place:
        found.append(place)
        place = int(before[place])
    return found[::-1]


def share(diagram: Diagram) -> None:
    """Put what several parts take into the first that takes it, but for the `SHARED`, which stand beside them."""
    parts = [group for group in diagram.groups.values() if group.kind == "part"]
    if not parts:
        return
    takers = diagram.takers()
    leaves = [box.id for box in diagram.boxes.values() if box.stays and box.kind in ("parameter", "constant")]
    for level in dict.fromkeys(group.parent for group in parts):
        here = [id for id in leaves if diagram.boxes[id].group == level]
        here.sort(key=lambda leaf: -len(takers.get(leaf, ())))
        moves: dict[str, str | None] = {}
        for id in here[SHARED:]:
            first = min(takers[id], key=lambda taker: diagram.boxes[taker].order)
            around = [
                g for g in diagram.ancestors(diagram.boxes[first].group) if g.kind == "part" and g.parent == level
            ]
            if around:
                moves[id] = around[0].id
        diagram.put(moves)
