"""The names that instructions have from the source: variables of the user's, locals of rules, and cotangents."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from tinygrad_cnn.engine.graph import Node
from tinygrad_cnn.lowering.instructions import Instruction
from tinygrad_cnn.lowering.recorder import Call, Recorder
from tinygrad_cnn.names import variable


class Names(NamedTuple):
    """The names of an instruction: see `Origin`."""

    name: str | None
    local: str | None
    key: int | None
    of: int | None


def names_of(
    recorder: Recorder, nodes: Sequence[tuple[Node, Instruction]], cotangents: dict[Node, Instruction]
) -> dict[Instruction, Names]:
    """The names of each instruction."""
    executions = _executions(recorder)
    last: dict[Any, Instruction] = {}  # of the instructions that one execution recorded, the last gives its result
    for x, calls in executions.items():
        for call in calls if x.operation != "copy" else ():
            last[call] = x
    users: dict[Instruction, str] = {}
    local: dict[Instruction, str] = {}
    for x, calls in executions.items():
        for call in calls:
            name = variable(*call[0].place) if last.get(call) is x else None
            if name is not None:
                (users if call[0].by_user else local).setdefault(x, name)
    of = dict(nodes)
    for node, x in of.items():
        if node.name is not None:
            users[x] = node.name
    keys = {x: number for number, x in enumerate(dict.fromkeys([*users, *of.values()]))}
    of_values: dict[Instruction, int | None] = {}
    for node, x in cotangents.items():
        value = of.get(node)
        name = (node.name if node.name and node.name[0] != "[" else None) or (
            users.get(value) if value is not None else _argument(node)
        )
        if name is not None and x not in users:
            users[x] = cotangent_name(name)
            of_values[x] = keys.get(value) if value is not None else None
        elif value is not None and x not in users:
            of_values.setdefault(x, keys[value])
    outside = {x: Names(name, None, None, None) for x, name in recorder.outside_names.items()}
    return outside | {x: Names(users.get(x), local.get(x), keys.get(x), of_values.get(x)) for x in recorder.places}


def _executions(recorder: Recorder) -> dict[Instruction, list[tuple[Call, int]]]:
    """The calls within which each instruction was recorded, with a number for each time that a call was made.

    In a loop the same call is made again: then another one in its frame came in between, or it begins anew.
    """
    found: dict[Instruction, list[tuple[Call, int]]] = {}
    latest: dict[int, tuple[Call, Call | None, int]] = {}  # by frame: the call, the one within it, and the number
    count = 0
    for x, calls in recorder.places.items():
        numbered = []
        for call, within in zip(calls, [*calls[1:], None], strict=False):
            before = latest.get(call.frame)
            goes_on = before is not None and before[0].place == call.place and _goes_on(before[1], within)
            count += 1
            number = before[2] if before is not None and goes_on else count
            latest[call.frame] = (call, within, number)
            numbered.append((call, number))
        found[x] = numbered
    return found


def _goes_on(before: Call | None, now: Call | None) -> bool:
    """Whether what was recorded within a call, and then within that one, may be of one execution."""
    if before is None or now is None:
        return False
    (code, instruction), (other, later) = before.place, now.place
    return code is not other or later >= instruction


def _argument(node: Node) -> str | None:
    """The name of the argument that a leaf is, if it is one."""
    x = getattr(node.like, "instruction", None)
    while x is not None and x.operation in ("copy", "call", "getitem") and len(x.operands) == 1:  # as numbers enter
        x = x.operands[0]
    return x.parameters["name"] if x is not None and x.operation == "input" else None


def cotangent_name(name: str) -> str:
    """What the derivative of the loss with respect to `name` is called."""
    return f"dL_d{identifier(name)}"


def identifier(name: str) -> str:
    """A name as Python takes it, whatever it was: "layers[0].W" is layers_0_W."""
    made = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "x"
    if made[0].isdigit() or keyword.iskeyword(made) or keyword.issoftkeyword(made):
        made = f"x_{made}"
    return made


def fresh(name: str, taken: Counter[str]) -> str:
    """`name`, or one like it that is not in use. taken: how many there are of each name, this one counted after it."""
    while True:
        taken[name] += 1
        found = name if taken[name] == 1 else f"{name}_{taken[name]}"
        if found == name or found not in taken:
            taken[found] = max(taken[found], 1)
            return found
