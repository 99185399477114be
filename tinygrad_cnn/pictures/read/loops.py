"""What repeats is drawn once: the iterations of a loop, and of a loop within a loop.

The user does not mark loops. A node knows the instruction that asked for it, so the nodes in order of creation are a
trace of the program, and a loop is a stretch of it that repeats. The trace is read once; its end is folded as soon as
it repeats what stands before it, innermost loops first, as in A. Ketterlin and P. Clauss, "Prediction and trace
compression of data access addresses through nested loop recognition", 2008, with one addition: the iteration before the
first repetition belongs to the loop too if it differs in a few steps only, because programs begin a loop with
`if first: out = x.copy()`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from tinygrad_cnn.engine.graph import Node, Scope

FEW = 150  # nodes that are drawn without folding, unless it is asked for
MOST = 500  # boxes that are drawn; beyond that, everything that one instruction made is one of them
LONGEST = 512  # steps in one iteration of a loop, after the loops within it are folded
TRIED = 32  # places where the last step stood before, at which an iteration may have ended


class Loop:
    """A loop, which is drawn once.

    parent      the loop around it, or None
    depth       how many of the scopes that its steps are in were open before it began
    iterations  how many it made, each time that it was run
    """

    __slots__ = ("depth", "iterations", "parent")

    def __init__(self, parent: Loop | None, depth: int) -> None:
        self.parent = parent
        self.depth = depth
        self.iterations: list[int] = []


class Folded(NamedTuple):
    """What is drawn as one: the nodes of each box, oldest first; the loop that it is in; notes on what was folded."""

    classes: list[list[Node]]
    loops: list[Loop | None]
    notes: list[str]


def unfolded(nodes: Sequence[Node]) -> Folded:
    """Each node a box of its own."""
    return Folded([[node] for node in nodes], [None] * len(nodes), [])


def folded(nodes: Sequence[Node], names: dict[Node, str]) -> Folded:
    """`nodes`, in order of creation, with what repeats in one class."""
    kinds = _kinds(nodes)
    computed = [node for node in nodes if node.primitive is not None]
    classes: dict[Any, list[Node]] = {}
    loop_of: dict[Any, Loop | None] = {}
    for key, loop, node in _walk(_compressed(computed, kinds)):
        classes.setdefault(key, []).append(node)
        loop_of[key] = loop
    notes: list[str] = []
    if len(classes) > MOST:
        by_line: dict[Any, list[Node]] = {}
        for node in computed:
            by_line.setdefault(kinds[node], []).append(node)
        if len(by_line) < len(classes):
            classes, loop_of = by_line, dict.fromkeys(by_line)
            notes.append("what one instruction computed is drawn once, in whatever order it came")
    leaves = _leaves([node for node in nodes if node.primitive is None], classes, names)
    for key in leaves:
        loop_of[key] = None
    every = [(members[0].order, members, loop_of[key]) for key, members in (*classes.items(), *leaves.items())]
    every.sort(key=lambda item: item[0])
    drawn = Folded([members for _, members, _ in every], [loop for _, _, loop in every], notes)
    if len(drawn.classes) < len(nodes):
        note = f"{len(nodes):,} nodes are drawn as {len(drawn.classes)}"
        if not notes:
            note += ": each iteration of a loop is the same, and is drawn once"
        notes.insert(0, note)
    return drawn


def _kinds(nodes: Sequence[Node]) -> dict[Node, Any]:
    """Which step of the program each node is: the same for each time that the step was done.

    What a rule computed is identified by the step whose rule it is, and by its place among what that rule computed.
    """
    kinds: dict[Node, Any] = {}
    # Where in the source an instruction stands. Its number is not always the same: Python rewrites a loop's
    # instructions while it runs.
    places: dict[Any, Any] = {}
    paths: dict[Scope | None, Any] = {None: ()}
    seen: dict[Scope, int] = {}
    for node in nodes:
        scope = node.scope
        if scope is not None and scope.rule_of is not None:
            place = seen[scope] = seen.get(scope, 0) + 1
            kinds[node] = (node.primitive, kinds.get(scope.rule_of), place)
            continue
        path = paths.get(scope)
        if path is None:
            assert scope is not None
            path = paths[scope] = scope.path()
        at = places.get(node.source)
        if at is None:
            code, instruction = node.source
            at = places[node.source] = (code, next(itertools.islice(code.co_positions(), instruction // 2, None)))
        kinds[node] = (node.primitive, at, path)
    return kinds


# The trace, compressed. An entry is a step, which is a node, or a loop, which is a list of iterations of entries. Each
# has a key; entries with one key are the same step, or the same loop.


class _Repeat:
    """A loop in the trace: the keys of the steps in an iteration, and its iterations, the first of which may differ."""

    __slots__ = ("body", "iterations")

    def __init__(self, body: tuple[int, ...], iterations: list[list[tuple[int, Any]]]) -> None:
        self.body = body
        self.iterations = iterations


class _Stack:
    """The compressed trace while it is read, as (key, entry), with tables of where loops may be, so that none is
    searched for.

    keys    the keys of the entries, which are compared as lists
    places  where on the stack each key stands
    due     the loops of which one more iteration would end at a height of the stack
    """

    def __init__(self) -> None:
        self.entries: list[tuple[int, Any]] = []
        self.keys: list[int] = []
        self.places: dict[int, list[int]] = {}
        self.due: dict[int, list[int]] = {}

    def push(self, key: int, entry: Any) -> None:
        place = len(self.entries)
        self.places.setdefault(key, []).append(place)
        if isinstance(entry, _Repeat):
            self.due.setdefault(place + 1 + len(entry.body), []).append(place)
        self.entries.append((key, entry))
        self.keys.append(key)

    def pop(self, count: int) -> list[tuple[int, Any]]:
        top = self.entries[-count:]
        for key, entry in reversed(top):
            place = self.places[key].pop()
            if isinstance(entry, _Repeat):
                self.due[place + 1 + len(entry.body)].remove(place)
        del self.entries[-count:], self.keys[-count:]
        return top

    def loop_that_goes_on(self) -> int | None:
        """The place of the loop of which the top of the stack is one more iteration."""
        for place in reversed(self.due.get(len(self.entries), ())):
            if self.entries[place][1].body == tuple(self.keys[place + 1 :]):
                return place
        return None


def _compressed(nodes: Sequence[Node], kinds: dict[Node, Any]) -> list[tuple[int, Any]]:
    """The trace as (key, entry)."""
    numbers: dict[Any, int] = {}  # a key for each kind of step and of loop
    stack = _Stack()
    for node in nodes:
        stack.push(numbers.setdefault(kinds[node], len(numbers)), node)
        while True:
            place = stack.loop_that_goes_on()
            if place is not None:
                stack.entries[place][1].iterations.append(stack.pop(len(stack.entries) - 1 - place))
                continue
            length = _repeated(stack.keys, stack.places[stack.keys[-1]])
            if not length:
                break
            second, first = stack.pop(length), stack.pop(length)
            body = _keys(second)
            before = _first_iteration(stack.keys, body)
            iterations = ([stack.pop(before)] if before else []) + [first, second]
            kind = ("loop", body, _keys(iterations[0]))
            stack.push(numbers.setdefault(kind, len(numbers)), _Repeat(body, iterations))
    return stack.entries


def _keys(entries: list[tuple[int, Any]]) -> tuple[int, ...]:
    return tuple(key for key, _ in entries)


def _repeated(keys: list[int], places: list[int]) -> int:
    """How many keys at the top of the stack are the same as those beneath them; 0 if none are."""
    top = len(keys) - 1
    for place in places[-2 : -2 - TRIED : -1]:
        length = top - place
        if length > LONGEST or 2 * length > len(keys):
            return 0
        # A few are compared first, for where the same steps come in no order most differ at once.
        near = min(length, 8)
        if keys[top - near + 1 :] == keys[place - near + 1 : place + 1] and (
            near == length or keys[-length:] == keys[-2 * length : -length]
        ):
            return length
    return 0


def _first_iteration(keys: list[int], body: tuple[int, ...]) -> int:
    """How many keys at the top of the stack are a first iteration of a loop of this `body`, but for a few steps."""
    length, steps = len(body), set(body)
    for count in (length, length - 1, length + 1):
        first = keys[-count:] if 0 < count <= len(keys) else []
        if first and first[0] == body[0] and 2 * len(steps.intersection(first)) >= length + 1:
            return count
    return 0


def _walk(trace: list[tuple[int, Any]]) -> list[tuple[Any, Loop | None, Node]]:
    """Each node with the key of its class, and the loop that it is in, in the order of the trace."""
    loops: dict[Any, Loop] = {}
    found: list[tuple[Any, Loop | None, Node]] = []
    waiting: list[tuple[list[tuple[int, Any]], Any, Loop | None]] = [(trace, (), None)]
    while waiting:
        entries, context, loop = waiting.pop()
        counted: dict[int, int] = {}
        for key, entry in entries:
            place = counted[key] = counted.get(key, 0) + 1  # the same step may stand twice in one iteration
            if not isinstance(entry, _Repeat):
                found.append(((context, key, place), loop, entry))
                continue
            inner = (context, key, place)
            known = loops.get(inner)
            if known is None:
                known = loops[inner] = Loop(loop, _common_depth(entry))
            known.iterations.append(len(entry.iterations))
            waiting.extend((iteration, inner, known) for iteration in reversed(entry.iterations))
    found.sort(key=lambda item: item[2].order)
    return found


def _common_depth(repeat: _Repeat) -> int:
    """How many scopes all steps of a loop have in common: those that it lies in."""
    common: tuple[Scope, ...] | None = None
    waiting: list[Any] = [repeat]
    seen: set[Scope | None] = set()
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, _Repeat):
            waiting.extend(inner for iteration in entry.iterations for _, inner in iteration)
        elif entry.scope not in seen:
            seen.add(entry.scope)
            path = scopes_of(entry)
            if common is not None:
                same = itertools.takewhile(lambda two: two[0] is two[1], zip(common, path, strict=False))
                path = tuple(scope for scope, _ in same)
            common = path
    return len(common or ())


def scopes_of(node: Node) -> tuple[Scope, ...]:
    """The scopes that a node is in, the outermost first."""
    path, scope = [], node.scope
    while scope is not None:
        path.append(scope)
        scope = scope.parent
    return tuple(reversed(path))


def _leaves(leaves: list[Node], classes: dict[Any, list[Node]], names: dict[Node, str]) -> dict[Any, list[Node]]:
    """Leaves in classes: those that the same steps take as the same operands, and that have names but for numbers."""
    takers: dict[Node, set[tuple[Any, int]]] = {leaf: set() for leaf in leaves}
    for key, members in classes.items():
        for node in members:
            for position, x in node.sources:
                if x.primitive is None:
                    takers[x].add((key, position))
    found: dict[Any, list[Node]] = {}
    for leaf in leaves:
        name = names.get(leaf)
        plain = None if name is None else "".join("#" if c.isdigit() else c for c in name)
        found.setdefault(("leaf", frozenset(takers[leaf]), plain, name if plain == name else None), []).append(leaf)
    return found
