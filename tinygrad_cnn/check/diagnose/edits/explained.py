"""Why a step is wrong: the smallest edit of its right program that gives the hand-derived numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits.closed_forms import closed_forms
from tinygrad_cnn.check.diagnose.edits.edit import Context
from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program
from tinygrad_cnn.check.diagnose.edits.numbers import Numbers
from tinygrad_cnn.check.diagnose.edits.right_program import LONGEST, RightProgram
from tinygrad_cnn.check.diagnose.edits.search import Found, smallest
from tinygrad_cnn.check.diagnose.edits.terms import Term, constant
from tinygrad_cnn.check.diagnose.edits.textbook import alike, textbook
from tinygrad_cnn.check.diagnose.edits.wording import in_words, lines, says_nothing
from tinygrad_cnn.check.diagnose.explanations.case import LARGE, SAFETY, Case, differing
from tinygrad_cnn.check.diagnose.second_point import SecondPoint
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.engine.graph import Array, Node
from tinygrad_cnn.lowering.numpy_source import helpers
from tinygrad_cnn.names import operands_of

CHEAP = 1.5  # an edit of a closed form that costs less is not looked for in the rules
FEW = 3  # elements from which nothing is concluded
MANY = 400  # nodes of a step whose program is written out
BRANCHING = (SyntaxError, RecursionError)


@dataclass(frozen=True)
class Upstream:
    """What a step begins with.

    given    cotangents, by node
    names    what somebody calls them
    result   the node of the loss
    """

    given: Mapping[Node, Array]
    names: Mapping[Node, str]
    result: Node | None


def explained(
    case: Case,
    node: Node,
    upstream: Upstream,
    second: Callable[[], Sequence[SecondPoint]],
    effort: Effort,
) -> tuple[float, Cause] | None:
    """The smallest edit of the right program that gives the hand-derived numbers, and its cost, if there is one."""
    if not case.hand_derived.size or not np.all(np.isfinite(case.hand_derived)):
        return None
    program, stands_for = _right_program(case, node, upstream)
    scope = _in_scope(case, node, upstream, stands_for, program)

    def confirmed(one: Program, part: Part | None = None) -> _Confirmed:
        of, block = (case, ()) if part is None else (part.case, part.block)
        return _Confirmed(of, node, one, stands_for, second, bool(upstream.given), block)

    program = program.with_leaves(scope)
    elsewhere = confirmed(program).holds
    with np.errstate(all="ignore"):
        program = next(
            (one for one in (textbook(program), textbook(program, for_all=True)) if confirmed(one).holds == elsewhere),
            program,
        )
    numbers = _numbers_of(case, program)
    best: tuple[float, Cause] | None = None
    cotangents = [x for x, of in stands_for.items() if of is not None and of[0] == "given"]
    values = [x for x, of in stands_for.items() if of is not None and of[0] != "given"]
    with np.errstate(all="ignore"):
        programs = [*(() if effort.is_over() else closed_forms(program, cotangents, values, numbers)), program]
    points = confirmed(program).points
    for one in programs:
        other = confirmed(one)
        if other.holds < elsewhere:  # it has the right value by accident
            continue
        context = Context(
            one, list(scope), case.hand_derived, lambda x: case.accounts(_floats(x)), numbers, points=points
        )
        found = smallest(context, other, effort)
        if found is not None and (best is None or found.cost < best[0]):
            cause = _cause(found, case, one, other)
            best = best if cause is None else (found.cost, cause)
        if best is not None and best[0] < CHEAP:
            break
    if best is not None:
        return best
    block = differing(case.hand_derived, case.expected, SAFETY * case.rounding)
    if block is None or case.hand_derived[block].size < FEW:
        return None
    part = Part(case, program, block)
    accounts = part.case.accounts
    context = Context(
        part.program, list(scope), part.case.hand_derived, lambda x: accounts(_floats(x)), numbers, points=points
    )
    found = smallest(context, confirmed(part.program, part), effort)
    if found is None:
        return None
    words = in_words(found.edits, part.program, bool(found.others))
    if says_nothing(words) or found.kind() in ("nothing", "block"):  # no cause
        return None
    words = sentences.IN_BLOCK.format(block=sentences.in_brackets(block), explanation=words)
    return found.cost + 0.5, Cause(words, found.kind())


class Part:
    """The only block of the elements that differs, as a case of its own."""

    def __init__(self, case: Case, program: Program, block: tuple[slice, ...]) -> None:
        self.block = block
        self.case = replace(case, hand_derived=case.hand_derived[block], expected=case.expected[block])
        bounds = [Term("slice", [constant(s.start), constant(s.stop)], (True, True, False)) for s in block]
        self.program = Program(Term("index", [program.root, Term("tuple", bounds)]), program.leaves)


def _floats(x: Any) -> Array:
    return np.asarray(x, float) if np.asarray(x).dtype.kind in "iub" else np.asarray(x)


def _cause(found: Found, case: Case, program: Program, confirmed: _Confirmed) -> Cause | None:
    root, edited = program.root, found.applied(program.root)
    with contextlib.suppress(*FAILURES):
        plain = textbook(Program(edited, program.leaves)).root
        everywhere = confirmed.are_alike(plain, edited)  # y - t is y where t is 0, but not elsewhere
        edited = plain if everywhere else textbook(Program(edited, program.leaves), for_all=True).root
    you, right = lines(case.name, root, edited)
    words = in_words(found.edits, program, bool(found.others))
    return Cause(words, found.kind(), you, right) if right is not None or not says_nothing(words) else None


def _right_program(case: Case, node: Node, upstream: Upstream) -> tuple[Program, dict[Term, Any]]:
    """The program of a step; where it cannot be written out, the right cotangent as it is."""
    if 0 < len(case.step) <= MANY:
        seeds = {} if upstream.result is None else {upstream.result: np.ones_like(upstream.result.like)}
        traced = RightProgram(case.names, upstream.given, upstream.names)
        try:
            with np.errstate(all="ignore"):
                program, stands_for = traced.of(node, case.step, seeds)
            if case.agrees(program.value):
                return program, stands_for
        except (*FAILURES, *BRANCHING):
            pass
    name = Term("name", (), "the right " + case.name)
    return Program(name, {name: case.expected}), {}


def _in_scope(
    case: Case, node: Node, upstream: Upstream, stands_for: dict[Term, Any], program: Program
) -> dict[Term, Any]:
    """Values that may stand in the place of others. Adds to what leaves stand for."""
    known = set(stands_for.values())
    found = dict(program.leaves)

    def add(name: str, value: Any, of: Any) -> None:
        if of not in known and np.size(value) < LARGE:
            known.add(of)
            leaf = Term("name", (), name)
            found[leaf], stands_for[leaf] = value, of

    for other, name in case.names.items():
        add(name, other.value, ("value", other))
    for other, array in upstream.given.items():
        if other.order > node.order:  # what is computed from this one is no operand of it
            add(upstream.names[other], array, ("given", other))
    for other in case.step:
        for place, text in operands_of(other, longest=LONGEST).items():
            x = other.operands[place] if place < len(other.operands) else None
            if isinstance(x, np.ndarray) and place not in dict(other.sources):
                add(text, x, ("constant", id(x)))
    add("set_at", helpers.set_at, None)
    return found


def _numbers_of(case: Case, program: Program) -> Numbers:
    """The numbers that mean something in a case: lengths, and constants of its step."""
    shapes = [(name, node.like.shape) for node, name in case.names.items() if node.primitive is not None]
    shapes += [(name, node.like.shape) for node, name in case.names.items() if node.primitive is None]
    constants: list[tuple[str, float]] = []
    for x, value in program.values.items():
        if isinstance(value, float | np.floating) and x.op in ("constant", "name"):
            constants.append((str(x), float(value)))
    for node in case.step:
        constants += [(f"{x:.6g}", float(x)) for x in node.operands if isinstance(x, float)]
    return Numbers(shapes, constants)


@dataclass
class _Confirmed:
    """Whether an edit gives the hand-derived numbers at a second point too."""

    case: Case
    node: Node
    program: Program
    stands_for: Mapping[Term, Any]
    second: Callable[[], Sequence[SecondPoint]]
    step_by_step: bool
    block: tuple[slice, ...] = ()
    _there: dict[int, Program | None] = field(default_factory=dict)

    def __call__(self, exchanged: Mapping[Term, Term]) -> bool:
        return all(self._at(point, exchanged) for point in self.second())

    @property
    def holds(self) -> int:
        """At how many points the program is the right one, too."""
        return sum(self._at_point(point) is not None for point in self.second())

    @property
    def points(self) -> int:
        """At how many of them it has another value, which is evidence."""
        programs = [self._at_point(point) for point in self.second()]
        return sum(one is not None and not alike(one.value, self.program.value, 1e-6) for one in programs)

    def are_alike(self, x: Term, y: Term) -> bool:
        """Whether two terms have the same value at each other point."""
        programs = [self._at_point(point) for point in self.second()]
        return all(one is None or alike(one.of(x), one.of(y), 1e-8) for one in programs)

    def _at_point(self, point: SecondPoint) -> Program | None:
        if self.node not in point.hand_derived or not self.stands_for:
            return None
        if id(point) not in self._there:
            self._there[id(point)] = self._program(point)
        return self._there[id(point)]

    def _at(self, point: SecondPoint, exchanged: Mapping[Term, Term]) -> bool:
        there = self._at_point(point)
        if there is None:
            return True
        value, target = there.edited(exchanged), np.asarray(point.hand_derived[self.node], float)[self.block]
        if value is None or np.shape(value) != target.shape:
            return False
        size = max(np.max(np.abs(target), initial=0.0), np.max(np.abs(there.value), initial=0.0))
        here = float(np.max(np.abs(self.case.expected), initial=0.0)) or 1.0
        within = max(8 * SAFETY * self.case.rounding / here, 1e-10) * size
        with np.errstate(invalid="ignore"):
            return bool(np.all(np.abs(value - target) <= within))

    def _program(self, point: SecondPoint) -> Program | None:
        """The right program at another point; None if it is another one there."""
        leaves = {}
        for leaf, of in self.stands_for.items():
            kind, x = ("constant", None) if of is None else of[:2]
            if kind == "constant" and x in point.constants:
                leaves[leaf] = point.constants[x]
            elif kind == "value" and isinstance(x, Node):
                leaves[leaf] = point.value(x)
            elif kind == "given" and isinstance(x, Node) and x in point.hand_derived:
                leaves[leaf] = point.hand_derived[x]
        expected = point.expected(self.node, step_by_step=self.step_by_step)
        try:
            with np.errstate(all="ignore"):
                there = self.program.with_leaves(leaves)
        except FAILURES:
            return None
        right = None if expected is None else np.asarray(expected)[self.block]
        return there if right is not None and alike(there.value, right, 1e-8) else None
