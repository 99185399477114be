"""What repeats, drawn once: the turns of a loop, and of a loop within a loop.

Nobody has to say where the loops are. A node knows the instruction that asked for it, so the nodes in the order of
their making are a trace of the program, and a loop is a stretch of it that repeats. The trace is read once; what stands
at its end is folded as soon as it is a repetition of what stands before it, innermost first, as in
A. Ketterlin and P. Clauss, "Prediction and trace compression of data access addresses through nested loop
recognition", 2008, but with one thing more: the turn before the first repetition belongs to the loop too if it differs
in a few steps only, because programs begin a loop with `if first: out = x.copy()`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from tinygrad_cnn.engine.graph import Node, Scope

FEW = 150  # nodes that are drawn without folding, unless it is asked for
MOST = 500  # boxes that are drawn; beyond that, everything that one instruction made is one of them
LONGEST = 512  # steps in one turn of a loop, after the loops within it are folded
TRIED = 32  # places where the last step stood before, at which a turn may have ended


class Loop:
    """A loop, drawn once: how many turns it took (each time that it was run), within which loop, and under which scope.

    depth  how many of the scopes that its steps are in were open before it began
    """

    __slots__ = ("depth", "parent", "turns")

    def __init__(self, parent: Loop | None, depth: int) -> None:
        self.parent = parent
        self.depth = depth
        self.turns: list[int] = []


class Folded(NamedTuple):
    """What is drawn as one: the nodes of each box, oldest first; the loop that it is in; in words, what was folded."""

    classes: list[list[Node]]
    loops: list[Loop | None]
    notes: list[str]


def unfolded(nodes: Sequence[Node]) -> Folded:
    """Each node a box of its own."""
    return Folded([[node] for node in nodes], [None] * len(nodes), [])


def folded(nodes: Sequence[Node], names: dict[Node, str]) -> Folded:
    """`nodes`, in the order of their making, with what repeats in one class."""
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
        said = f"{len(nodes):,} nodes are drawn as {len(drawn.classes)}"
        if not notes:
            said += ": each turn of a loop is the same, and is drawn once"
        notes.insert(0, said)
    return drawn


def _kinds(nodes: Sequence[Node]) -> dict[Node, Any]:
    """Which step of the program each node is: the same for each time that the step was done.

    What a rule computed is told apart by the step whose rule it is, and by its place among what that rule computed.
    """
    kinds: dict[Node, Any] = {}
    places: dict[Any, Any] = {}  # where in the source an instruction stands: its number is not always the same, for
    # Python 3.11 and later rewrite a loop's instructions while it runs
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


# The trace, compressed. An entry is a step, which is a node, or a loop, which is a list of turns of entries.


class _Repeat:
    """A loop in the trace: the keys of the steps in a turn of it, and its turns, the first of which may differ."""

    __slots__ = ("body", "turns")

    def __init__(self, body: tuple[int, ...], turns: list[list[tuple[int, Any]]]) -> None:
        self.body = body
        self.turns = turns


def _compressed(nodes: Sequence[Node], kinds: dict[Node, Any]) -> list[tuple[int, Any]]:
    """The trace as (key, entry); entries with one key are the same step, or the same loop."""
    numbers: dict[Any, int] = {}
    stack: list[tuple[int, Any]] = []
    keys: list[int] = []
    places: dict[int, list[int]] = {}  # where each key stands on the stack
    due: dict[int, list[int]] = {}  # from a height of the stack to the loops of which one more turn would end there

    def push(key: int, entry: Any) -> None:
        places.setdefault(key, []).append(len(stack))
        if isinstance(entry, _Repeat):
            due.setdefault(len(stack) + 1 + len(entry.body), []).append(len(stack))
        stack.append((key, entry))
        keys.append(key)

    def pop(count: int) -> list[tuple[int, Any]]:
        top = stack[-count:]
        for key, entry in reversed(top):
            place = places[key].pop()
            if isinstance(entry, _Repeat):
                due[place + 1 + len(entry.body)].remove(place)
        del stack[-count:], keys[-count:]
        return top

    def another_turn() -> int | None:
        """Where the loop stands of which the top of the stack is one more turn."""
        for place in reversed(due.get(len(stack), ())):
            if stack[place][1].body == tuple(keys[place + 1 :]):
                return place
        return None

    for node in nodes:
        push(numbers.setdefault(kinds[node], len(numbers)), node)
        while True:
            loop = another_turn()
            if loop is not None:
                stack[loop][1].turns.append(pop(len(stack) - 1 - loop))
                continue
            length = _repeated(keys, places[keys[-1]])
            if not length:
                break
            second, first = pop(length), pop(length)
            body = tuple([key for key, _ in second])
            before = _first_turn(keys, body)
            turns = ([pop(before)] if before else []) + [first, second]
            name = ("loop", body, tuple([key for key, _ in turns[0]]))
            push(numbers.setdefault(name, len(numbers)), _Repeat(body, turns))
    return stack


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


def _first_turn(keys: list[int], body: tuple[int, ...]) -> int:
    """How many keys at the top of the stack are a first turn of a loop of this `body`, with a few steps that differ."""
    length, steps = len(body), set(body)
    for count in (length, length - 1, length + 1):
        turn = keys[-count:] if 0 < count <= len(keys) else []
        if turn and turn[0] == body[0] and 2 * len(steps.intersection(turn)) >= length + 1:
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
            place = counted[key] = counted.get(key, 0) + 1  # the same step may stand twice in one turn
            if not isinstance(entry, _Repeat):
                found.append(((context, key, place), loop, entry))
                continue
            inner = (context, key, place)
            known = loops.get(inner)
            if known is None:
                known = loops[inner] = Loop(loop, _common_depth(entry))
            known.turns.append(len(entry.turns))
            waiting.extend((turn, inner, known) for turn in reversed(entry.turns))
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
            waiting.extend(inner for turn in entry.turns for _, inner in turn)
        elif entry.scope not in seen:
            seen.add(entry.scope)
            path = scopes_of(entry)
            if common is not None:
                path = tuple(
                    [a for a, _ in itertools.takewhile(lambda two: two[0] is two[1], zip(common, path, strict=False))]
                )
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
