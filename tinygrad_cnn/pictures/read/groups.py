"""Groups: the scopes that nodes are in, with loops among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_cnn.engine.graph import Node, Scope
from tinygrad_cnn.pictures.read import loops as folding
from tinygrad_cnn.pictures.read.recorded import Reading
from tinygrad_cnn.pictures.view import labels as words
from tinygrad_cnn.pictures.view.view import Group, View


class Groups:
    """The groups of a view, made as boxes come to be put into them."""

    def __init__(self, view: View, reading: Reading) -> None:
        self.view, self.reading = view, reading
        self.known: dict[Any, str] = {}

    def of(self, members: Sequence[Node], loop: folding.Loop | None) -> str | None:
        """The innermost group of what is drawn as one; a loop stands within the scopes that were open around it."""
        if loop is None and members[0].scope is None:
            return None
        loops = []
        while loop is not None:
            loops.append(loop)
            loop = loop.parent
        scopes = folding.scopes_of(members[0])
        group: str | None = None
        for depth in range(len(scopes) + 1):
            while loops and loops[-1].depth <= depth:
                group = self._loop(loops.pop(), group, members[0])
            if depth < len(scopes):
                group = self._scope(scopes[depth], group, members, depth)
        return group

    def _loop(self, loop: folding.Loop, parent: str | None, node: Node) -> str:
        if loop not in self.known:
            least, most = min(loop.turns), max(loop.turns)
            times = f"× {least:,}" if least == most else f"× {least:,}…{most:,}"
            line, function = self.reading.line(node).rsplit(" in ", 1)
            self.known[loop] = new_group(self.view, "loop", times, parent, f"the turns of a loop in {function}, {line}")
        return self.known[loop]

    def _scope(self, scope: Scope, parent: str | None, members: Sequence[Node], depth: int) -> str:
        """The group of a scope; in a loop, each turn enters one of its own, and they are drawn as one."""
        same = [scope]
        if len(members) > 1:
            same = [path[depth] for path in map(folding.scopes_of, members) if len(path) > depth]
        known = next((self.known[parent, s] for s in same if (parent, s) in self.known), None)
        if known is None:
            kind = "scope" if scope.rule_of is None else "rule"
            known = new_group(self.view, kind, words.clean(scope.name) or "scope", parent)
        for s in same:
            self.known[parent, s] = known
        return known


def new_group(view: View, kind: Any, name: str, parent: str | None, says: str = "") -> str:
    """Add a group to `view`; its id."""
    id = f"s{len(view.groups)}"
    depth = 1 if parent is None else view.groups[parent].depth + (kind != "loop")
    view.groups[id] = Group(id, kind, name, parent, depth, says)
    return id
