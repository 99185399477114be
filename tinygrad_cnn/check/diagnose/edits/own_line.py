"""The line that somebody wrote, and the smallest edit that makes it right."""

from __future__ import annotations

import ast
import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits.arrays import Arrays
from tinygrad_cnn.check.diagnose.edits.edit import Context
from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program
from tinygrad_cnn.check.diagnose.edits.executed import Executed
from tinygrad_cnn.check.diagnose.edits.numbers import Numbers
from tinygrad_cnn.check.diagnose.edits.own_program import (
    ADD_AT,
    EVERYWHERE,
    SET_AT,
    Maker,
    OwnProgram,
    Written,
    as_line,
    evaluate,
    makers,
    own_program,
)
from tinygrad_cnn.check.diagnose.edits.rerun import Correction, rewritten
from tinygrad_cnn.check.diagnose.edits.search import Found, smallest
from tinygrad_cnn.check.diagnose.edits.terms import Term, in_order, replaced
from tinygrad_cnn.check.diagnose.edits.textbook import alike
from tinygrad_cnn.check.diagnose.edits.wording import LONG, in_words, mended_by
from tinygrad_cnn.check.diagnose.explanations.case import LARGE, Case
from tinygrad_cnn.check.diagnose.source_files import is_somebodys
from tinygrad_cnn.check.results import Cause
from tinygrad_cnn.engine.graph import Array

ASIDE = 0.5  # what an edit of an argument of somebody's own function costs more: the mistake is likelier in there
MAKERS = 3  # statements that made the same array, of which the first ones are looked at


@dataclass
class OtherRun:
    """The same at another point: what was executed, what should come out, what does, and a context with its data."""

    run: Sequence[Executed]
    expected: Array
    hand_derived: Array
    data: Callable[[], AbstractContextManager[None]]


@dataclass
class OwnSource:
    """What a hand-derived gradient executed, and which arrays are right.

    known   arrays that are no part of the mistake: values of the graph, and cotangents that are given
    mends   whether the gradient is mended if it is computed within a context, which gives whether it could be made;
            None if that cannot be found out
    """

    run: Sequence[Executed]
    known: Sequence[Arrays]
    others: Callable[[], Sequence[OtherRun]]
    mends: Callable[[AbstractContextManager[bool]], bool | None]

    def is_known(self, x: Any) -> bool:
        """Whether an array is one of those that are no part of the mistake."""
        if isinstance(x, list):
            return bool(x) and all(map(self.is_known, x))
        if not isinstance(x, np.ndarray):
            return not isinstance(x, np.generic)
        return any(x in arrays for arrays in self.known)


def line_of(case: Case, source: OwnSource) -> str | None:
    """The line that made a cotangent, as "model.py:12"."""
    for maker in makers(source.run, case.hand_derived, case.name):
        x = source.run[maker.number]
        return place_of(x.code.co_filename, x.statement)
    return None


def place_of(filename: str, statement: ast.stmt) -> str:
    """Where a statement is written, as "model.py:12"."""
    return f"{os.path.basename(filename)}:{statement.lineno}"


def corrected(case: Case, source: OwnSource, numbers: Numbers, effort: Effort, whole: bool) -> Correction | None:
    """The smallest edit of the line that made a cotangent. whole: or of a line before it."""
    for maker in makers(source.run, case.hand_derived, case.name)[:MAKERS]:
        if effort.deadline.is_over():
            return None
        statement = source.run[maker.number].statement
        if not whole and (added := _accumulated(case, source.run, maker)) is not None:
            return Correction(added, 1.0)

        def inlined(x: Executed, now: Any, statement: ast.stmt = statement) -> bool:
            return x.statement is statement or (whole and not source.is_known(now))

        own = own_program(source.run, maker, case.hand_derived, inlined)
        if own is None or (whole and len(own.written) < 2):
            continue
        scope = _Scope(source.run, own)
        confirmed = _Confirmed(case, own, scope, source)
        in_scope, accounts = scope.at(maker.number), functools.partial(_agrees, case=case)
        context = Context(own.program, in_scope, case.expected, accounts, numbers, scope.at, confirmed.points)
        found = smallest(context, confirmed, effort)
        if found is not None:
            aside = ASIDE if any(_within_a_call(x, own.program) for x in found.exchanged()) else 0.0
            return _correction(found, own, found.cost + aside, source.run)
    return None


def _within_a_call(x: Term, program: Program) -> bool:
    """Whether a term is part of an argument of a function of somebody's own."""
    calls = [y for y in program.above(x) if y.op == "call"]
    codes = [getattr(program.values[y.args[0]], "__code__", None) for y in calls if y.args[0] not in EVERYWHERE]
    return any(code is not None and is_somebodys(code.co_filename) for code in codes)


def _accumulated(case: Case, run: Sequence[Executed], maker: Maker) -> Cause | None:
    """Whether what is assigned in each iteration of a loop should be added up."""
    last = run[maker.number]
    if not isinstance(last.statement, ast.Assign) or maker.stored is not None:
        return None
    times = [x for x in run if x.statement is last.statement and x.frame == last.frame]
    if len(times) < 2:
        return None
    try:
        total = np.sum([evaluate(maker.value, x) for x in times], axis=0)
    except Exception:  # whatever somebody's expression raises when it is evaluated again
        return None
    if not _agrees(total, case):
        return None
    you = as_line(maker.target, ast.unparse(maker.value))
    words = sentences.EDITS_OF_LINES["accumulated"].format(n=len(times))
    return Cause(
        words, "accumulated", you, you.replace(" =", " +=", 1), place_of(last.code.co_filename, last.statement)
    )


def _agrees(x: Any, case: Case) -> bool:
    try:
        return case.agrees(np.asarray(x, float))
    except (TypeError, ValueError):
        return False


class _Scope:
    """What somebody had variables for, in each execution of a statement."""

    def __init__(self, run: Sequence[Executed], own: OwnProgram) -> None:
        self.run, self.own = run, own
        self._known: dict[int, list[Term]] = {}
        self._named = {(leaf.data, id(own.program.values[leaf])): leaf for leaf in own.leaves}

    def at(self, k: int) -> list[Term]:
        """The leaves that were in scope."""
        if k not in self._known:
            x, found = self.run[k], list(EVERYWHERE)
            names = [name for name in x.code.co_names if name in x.globals]
            for name in (*x.before, *names):
                value = x.before.get(name, x.globals.get(name))
                if isinstance(value, np.ndarray | np.generic | float) and np.size(value) < LARGE:
                    found.append(self._leaf(ast.Name(name, ast.Load()), name, value, k))
                elif name == "self" and hasattr(value, "__dict__"):
                    for attribute, y in vars(value).items():
                        if isinstance(y, np.ndarray) and y.size < LARGE:
                            node = ast.Attribute(ast.Name(name, ast.Load()), attribute, ast.Load())
                            found.append(self._leaf(node, f"self.{attribute}", y, k))
            self._known[k] = found
        return self._known[k]

    def _leaf(self, node: ast.expr, text: str, value: Any, k: int) -> Term:
        key = (text, id(value))
        if key not in self._named:
            leaf = Term("name", (), text)
            self._named[key] = leaf
            self.own.program.values[leaf] = value
            self.own.leaves[leaf] = (k, node)
        return self._named[key]


@dataclass
class _Confirmed:
    """Whether an edit gives the right numbers at a second point too, and does so in the source."""

    case: Case
    own: OwnProgram
    scope: _Scope
    source: OwnSource

    def __call__(self, exchanged: Mapping[Term, Term]) -> bool:
        if not all(self._at(other, program, exchanged) for other, program in self._programs if program is not None):
            return False
        lines = _lines(self.own, exchanged)
        if lines is None:
            return True
        there = [(self.scope.run[w.number], right) for w, _, right in lines]
        return self.source.mends(rewritten(there)) is not False

    @property
    def points(self) -> int:
        """At how many points the program is what was executed too, and another value is right, which is evidence."""
        return sum(
            program is not None and not alike(other.expected, self.case.expected, 1e-6)
            for other, program in self._programs
        )

    @functools.cached_property
    def _programs(self) -> list[tuple[OtherRun, Program | None]]:
        return [(other, self._program(other)) for other in self.source.others()]

    def _program(self, other: OtherRun) -> Program | None:
        """The program at another point; None if that went another way there."""
        mine = self.scope.run
        if len(mine) != len(other.run) or any(
            a.statement is not b.statement for a, b in zip(mine, other.run, strict=True)
        ):
            return None
        try:
            with other.data(), np.errstate(all="ignore"):
                there = {leaf: evaluate(node, other.run[k]) for leaf, (k, node) in self.own.leaves.items()}
                program = Program(self.own.program.root, {**self.own.program.leaves, **EVERYWHERE, **there})
        except (*FAILURES, NameError):
            return None
        return program if alike(program.value, other.hand_derived, 1e-9) else None

    def _at(self, other: OtherRun, program: Program, exchanged: Mapping[Term, Term]) -> bool:
        value = program.edited(exchanged)
        if value is None or np.shape(value) != other.expected.shape:
            return False
        size = max(np.max(np.abs(other.expected), initial=0.0), np.max(np.abs(program.value), initial=0.0))
        here = float(np.max(np.abs(self.case.expected), initial=0.0)) or 1.0
        within = max(64 * self.case.rounding / here, 1e-10) * size
        with np.errstate(invalid="ignore"):
            return bool(np.all(np.abs(value - other.expected) <= within))


def _lines(own: OwnProgram, exchanged: Mapping[Term, Term]) -> list[tuple[Written, str, str]] | None:
    """The statements that an edit changes, as they are and as they should be; None if some iterations are left out."""
    touched = [w for w in own.written if exchanged.keys() & set(in_order([w.term]))]
    lines = {id(w.statement): w for w in _innermost(touched, own)}
    for written in lines.values():
        times = [w for w in own.written if w.statement is written.statement]
        if sum(w.statement is written.statement for w in touched) < len(times):  # it is right in the others
            return None
    return [
        (w, _as_written(own, w, w.term), _as_written(own, w, replaced(w.term, dict(exchanged)))) for w in lines.values()
    ]


def _correction(found: Found, own: OwnProgram, cost: float, run: Sequence[Executed]) -> Correction:
    exchanged = found.exchanged()
    words, kinds = (
        in_words(found.edits, own.program, bool(found.others), of_a_line=True),
        mended_by(found.kind()),
    )
    touched = [w for w in own.written if exchanged.keys() & set(in_order([w.term]))]
    statements = {id(w.statement): w for w in _innermost(touched, own)}
    lines = _lines(own, exchanged)
    made = functools.partial(rewritten, [(run[w.number], right) for w, _, right in lines or ()])
    if len(statements) != 1:
        return Correction(Cause(words, kinds), cost, made)
    (written,) = statements.values()
    at = place_of(run[written.number].code.co_filename, written.statement)
    if lines is None:
        times = [w for w in own.written if w.statement is written.statement]
        return Correction(Cause(sentences.IN_ONE_ITERATION.format(mistake=words, n=len(times)), kinds, line=at), cost)
    _, you, right = lines[0]
    if max(len(you), len(right)) > LONG or you == right or right.startswith("("):  # no target of an assignment
        return Correction(Cause(words, kinds, line=at), cost, made)
    return Correction(Cause(words, kinds, you, right, at), cost, made)


def _innermost(touched: Sequence[Written], own: OwnProgram) -> list[Written]:
    """Of statements that take from each other those in which the edit is itself."""
    return [w for w in touched if not any(other.term in set(in_order([w.term])) - {w.term} for other in touched)]


def _as_written(own: OwnProgram, written: Written, x: Term) -> str:
    """A statement with `x` for its right side, and the names of what other statements assigned."""
    inner = set(in_order([written.term])) - {written.term}
    x = replaced(x, {w.term: Term("name", (), _variable(w.target)) for w in own.written if w.term in inner})
    if x.op == "call" and x.args[0] is ADD_AT:
        return f"np.add.at({', '.join(map(str, x.args[1:]))})"
    if x.op == "call" and x.args[0] is SET_AT:
        here, stored = x.args[1], x
        while stored.op == "call" and stored.args[0] is SET_AT:
            here, stored = Term("index", [here, stored.args[2]]), stored.args[3]
        if stored.op in "+-*/" and str(stored.args[0]) == str(here):
            return f"{here} {stored.op}= {stored.args[1]}"
        return f"{here} = {stored}"
    return as_line(written.target, x)


def _variable(target: str) -> str:
    """The variable of a target: dW of "dW[:, k] +="."""
    return re.split(r"[^\w.]", target.strip())[0]
