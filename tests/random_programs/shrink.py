"""The shortest program, of those that are left of one when parts of it are taken away, that fails in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from .oracle import Verdict, judged
from .program import Program


def shrunk(program: Program, verdict: Verdict, thorough: bool = False, most: int = 300) -> tuple[Program, Verdict]:
    """A program that gets a verdict of the same kind, from which nothing more can be taken away."""
    tried = 0
    found = True
    while found:
        found = False
        for smaller in _smaller(program):
            tried += 1
            if tried > most:
                return program, verdict
            new = _judged(smaller, thorough)
            if new.kind == verdict.kind:
                program, verdict, found = smaller, new, True
                break
    return program, verdict


def _judged(program: Program, thorough: bool) -> Verdict:
    try:
        return judged(program, thorough)
    except SyntaxError:
        return Verdict("not run")


def _smaller(program: Program) -> Iterator[Program]:
    for k in reversed(range(len(program.lines))):
        if len(program.lines) > 1:
            yield replace(program, lines=program.lines[:k] + program.lines[k + 1 :])
    for k in range(len(program.results)):
        if len(program.results) > 1:
            yield replace(program, results=program.results[:k] + program.results[k + 1 :])
    if len(program.results) == 1:  # an earlier variable may show it as well
        names = re.findall(r"^(\w+) =", "\n".join(program.lines), re.MULTILINE)
        for name in names[: names.index(program.results[0])] if program.results[0] in names else ():
            yield replace(program, results=(name,))
    used = set(re.findall(r"\w+", "\n".join((*program.lines, *program.results))))
    for k, x in enumerate(program.constants):
        if x.name not in used:
            yield replace(program, constants=program.constants[:k] + program.constants[k + 1 :])
    for k, x in enumerate(program.arguments):
        if x.name not in used and len(program.arguments) > 1:
            yield replace(program, arguments=program.arguments[:k] + program.arguments[k + 1 :])
    if program.form != "argnums":
        yield replace(program, form="argnums")
    for kind in ("arguments", "constants"):
        inputs = getattr(program, kind)
        for k, x in enumerate(inputs):
            simpler = []
            if x.lies != "buffer" and "broadcast_to" not in x.lies:
                simpler.append(replace(x, lies="buffer", drawn=_of_shape(x)))
            if "float32" in x.drawn:
                simpler.append(replace(x, drawn=x.drawn.replace("float32", "float64")))
            for other in simpler:
                yield replace(program, **{kind: (*inputs[:k], other, *inputs[k + 1 :])})


def _of_shape(x: object) -> str:
    """The numbers of an input drawn in its own shape, without the memory layout."""
    shape = x.view(x.buffer()).shape  # type: ignore[attr-defined]
    drawn = x.drawn  # type: ignore[attr-defined]
    start = drawn.rindex(", (") + 2
    end = drawn.index(")", start) + 1
    size = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    return drawn[:start] + size + drawn[end:]
