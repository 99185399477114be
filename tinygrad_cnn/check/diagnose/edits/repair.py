"""The smallest edits of somebody's own source that make the gradient right: it is run again with each.

A statement can only be what is wrong if everything that is wrong depends on it, and it is likelier if nothing that is
right does. So every statement's value is disturbed first, to see what comes out differently; then the edits of those
that are left are tried, cheapest first. Where no one edit makes everything right, the one that mends what is wrong
first stays, and the rest is looked for with it in place.
"""

from __future__ import annotations

import ast
import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Effort, TimeOverError, time_left
from tinygrad_cnn.check.diagnose.edits.placeholder import Placeholder, Value
from tinygrad_cnn.check.diagnose.edits.source_edits import edits, structural
from tinygrad_cnn.check.diagnose.edits.source_edits.edit import SourceEdit
from tinygrad_cnn.check.diagnose.edits.source_edits.missing import factor_of
from tinygrad_cnn.check.diagnose.edits.source_edits.scope import Scope
from tinygrad_cnn.check.diagnose.edits.source_edits.trees import parsed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change, Changes, Codes, Source, Statement
from tinygrad_cnn.check.diagnose.edits.wording import LONG, MENDS
from tinygrad_cnn.check.results import Cause

Array = Any
Outputs = Mapping[Any, Array]  # what comes out of a gradient, by whatever it is known by
DISTURBED = "({}) * 1.37 + 0.0113"  # another value than a statement computes, also where that is 0
REVERSED = "({}) * -1.37 - 0.0113"  # and one of which the largest element is another one
TOUCHES_WHAT_IS_RIGHT = 0.4  # what an edit costs more of a statement on which something right depends,
IS_RIGHT = 0.4  # of one that makes a value of the graph or a right cotangent,
RETURNED = 0.3  # and of one that returns what others have computed
ELSEWHERE = 0.06  # of one that does not make what is wrong first, where one does,
NEARLY = 0.1  # what an edit may cost more that mends more
AS_GOOD = 0.03  # by how much the costs of edits differ that are given as "for instance"
EVIDENCE = 4  # different elements without which two edits of a statement are not believed
LIKELY, FIRST = 1.5, 300  # what the first of two edits of a statement may cost, and how many are tried
OF_SEVERAL_LINES = ("later", "after_the_loop", "line_missing")  # edits that cannot be shown as one line
MUCH = 10**7  # elements that are kept of what edits gave
COMPILING, OF_A_VALUE = 500, 100  # operations of NumPy that take as long as compiling a function, and an expression


@dataclass(frozen=True)
class Repair:
    """An edit, what it costs, and what it makes right."""

    cause: Cause
    cost: float
    mends: frozenset[Any]


@dataclass
class Trial:
    """How a gradient is run, and what is known of what should come out.

    source   the source, whose trees are changed
    run      gives what comes out, in other arrays each time
    wrong    what is not as it should be, the first wrong step first
    right    what is
    is_right whether an array is a value of the graph, or a cotangent as it should be
    agrees   whether an array is what should come out
    factor   what an array has to be multiplied by to be that, if there is such a number
    confirm  whether what an edit mends is right at other points too; it is given a function that runs another with the
             edit in place
    effort   what may still be tried
    lines    how many lines are executed
    in_pairs whether two edits of one statement are tried, instead of one
    shorter  the same where less is executed: only what mends something there is tried here
    """

    source: Source
    run: Callable[[], Outputs]
    wrong: Sequence[Any]
    right: Sequence[Any]
    is_right: Callable[[Array], bool]
    agrees: Callable[[Any, Array], bool]
    factor: Callable[[Any, Array], float | None]
    confirm: Callable[[Callable[[Callable[[], Any]], Any], Sequence[Any]], bool]
    effort: Effort
    lines: int
    shorter: Trial | None = None
    in_pairs: bool = False


class _Tried:
    """The edits that were tried for one wrong cotangent, and what they gave: most are tried for the next one too."""

    def __init__(self) -> None:
        self._edits: dict[Statement, list[SourceEdit]] = {}
        self._outputs: dict[int, Outputs | None] = {}  # by the `id` of an edit, which `_edits` keeps
        self._elements = 0

    def edits_of(self, statement: Statement) -> list[SourceEdit]:
        """The edits of a statement, made once."""
        if statement not in self._edits:
            self._edits[statement] = edits(statement)
        return self._edits[statement]

    def outputs(self, edit: SourceEdit, run: Callable[[], Outputs | None]) -> Outputs | None:
        """What comes out with an edit; it is kept as long as that is not much."""
        if id(edit) in self._outputs:
            return self._outputs[id(edit)]
        found = run()
        if self._elements < MUCH:
            self._outputs[id(edit)] = found
            self._elements += sum(x.size for x in (found or {}).values())
        return found


def repairs(trial: Trial) -> list[Repair]:
    """The edits, one after the other, that make right what can be made right."""
    found: list[Repair] = []
    kept: list[tuple[Changes, Statement]] = []
    tried = _Tried()
    trial.source.careful = True
    trial.source.careful = trial.source.run(trial.run, ()) is not None
    remaining, right = list(trial.wrong), list(trial.right)
    try:
        while remaining and not trial.effort.is_over():
            search = _Search(trial, remaining, right, [x for _, x in kept], tried)
            best = search.best()
            if best is None:
                if trial.in_pairs:
                    break
                remaining.pop(0)
                continue
            kept.append((best.change.apply(), best.statement))
            tried = _Tried()
            found.append(Repair(best.cause(search.alternatives), best.cost, frozenset(best.mends)))
            right += best.mends
            remaining = [x for x in remaining if x not in best.mends]
    finally:
        for change, _ in reversed(kept):
            change.apply()
    return found


@dataclass
class _Mending:
    """An edit that mends something."""

    statement: Statement
    edit: SourceEdit
    cost: float
    mends: list[Any]
    you: str
    right: str
    more: SourceEdit | None = None

    @property
    def change(self) -> Changes:
        """All that is changed."""
        return Changes([x.change for x in (self.edit, self.more) if x is not None])

    def cause(self, others: Sequence[_Mending]) -> Cause:
        """It in words, and as two lines of code."""
        words = sentences.EDITS_OF_LINES[self.edit.sentence].format(**_shortened(self.edit.words))
        if self.more is not None:
            more = sentences.EDITS_OF_LINES[self.more.sentence].format(**_shortened(self.more.words))
            words = sentences.AND.format(one=words, other=more)
        if others:
            words = sentences.FOR_INSTANCE.format(mistake=words)
        kind = MENDS.get(self.edit.sentence, self.edit.sentence)
        at = self.statement.place_written
        if self.you == self.right or max(len(self.you), len(self.right)) > LONG or not self.right:
            return Cause(words, kind, line=at)
        return Cause(words, kind, self.you, self.right, at)


def _shortened(words: Mapping[str, str]) -> dict[str, str]:
    return {name: x if len(x) <= LONG else f"{x[: LONG - 4]} ..." for name, x in words.items()}


class _Search:
    """The search for one edit that mends the first of what is wrong, and as much of the rest as one edit can."""

    def __init__(
        self, trial: Trial, wrong: Sequence[Any], right: Sequence[Any], kept: Sequence[Statement], tried: _Tried
    ) -> None:
        self.trial, self.wrong, self.right, self.kept, self.tried = trial, wrong, right, kept, tried
        self.alternatives: list[_Mending] = []
        self.is_scaled = False  # whether the first of what is wrong is so by a factor alone
        self._placeholders: dict[Statement, tuple[Placeholder, Codes] | None] = {}

    def best(self) -> _Mending | None:
        """The edit that mends most of those that are cheap; others that are as good are in `alternatives`."""
        found: list[_Mending] = []
        with contextlib.suppress(TimeOverError):  # what was found until then is what there is
            found.extend(self._of_two_edits() if self.trial.in_pairs else self._mendings())
        found.sort(key=lambda x: (-len(x.mends), x.cost))
        for x in found[1:]:
            as_good = len(x.mends) == len(found[0].mends) and x.cost <= found[0].cost + AS_GOOD
            if as_good and x.right != found[0].right:
                self.alternatives.append(x)
        return found[0] if found else None

    def _mendings(self) -> Iterator[_Mending]:
        """Those that are cheap."""
        found: list[_Mending] = []
        for cost, statement, edit in self._edits():
            cheapest = min((x.cost for x in found), default=math.inf)
            if cost > cheapest + NEARLY or self.trial.effort.is_over():
                break
            mending = self._tried(statement, edit, cost)
            if mending is not None:
                found.append(mending)
                yield mending

    def _of_two_edits(self) -> Iterator[_Mending]:
        """Two edits of the statement that made what is wrong first: the value of each pair of them is computed alone.

        What is as it should be there is tried in the function.
        """
        trial, first = self.trial, self.wrong[0]
        before = None if trial.shorter is not None else self._outputs(trial)
        if before is None or first not in before or len(np.unique(before[first])) < EVIDENCE:
            return
        for statement in trial.source.statements:
            made = any(np.array_equal(x, before[first]) for x in statement.makes)
            if not made or not Placeholder.is_for(statement) or trial.effort.is_over():
                continue
            value, scope = Value(statement), Scope(statement)
            if not np.array_equal(value.now(), before[first]):
                continue  # variables have changed since
            place = Placeholder(statement)
            for one in [made_now(x) for x in edits(statement, scope) if x.cost <= LIKELY and place.holds(x.change)][
                :FIRST
            ]:
                back = one.change.apply()
                inner = Placeholder(statement)
                seconds = [x for x in structural(statement, scope) if inner.holds(x.change)]
                pairs = []
                for other in seconds:
                    trial.effort.spend(OF_A_VALUE)
                    other = made_now(other)
                    undo = other.change.apply()
                    x = value.now()
                    undo.apply()
                    if x is not None and trial.agrees(first, x):
                        pairs.append(other)
                back.apply()
                for other in pairs:
                    mending = self._tried(statement, one, one.cost + other.cost, other)
                    if mending is not None:
                        yield mending
                        return
                if trial.effort.is_over():
                    return

    def _edits(self) -> Iterator[tuple[float, Statement, SourceEdit]]:
        suspects = list(self._suspects())
        every: list[tuple[float, int, SourceEdit]] = []
        for k, (more, x) in enumerate(suspects):
            time_left()
            every += [(edit.cost + more, k, edit) for edit in self.tried.edits_of(x)]
        for cost, k, edit in sorted(every, key=lambda x: x[:2]):
            yield cost, suspects[k][1], edit

    def _suspects(self) -> Iterator[tuple[float, Statement]]:
        """The statements on which the first wrong thing depends, with what an edit of them costs more."""
        trial = self.trial.shorter or self.trial
        before = self._outputs(trial)
        if before is None:
            return
        first = self.wrong[0]
        self.is_scaled = first not in before or self.trial.factor(first, before[first]) is not None
        makers = sum(self._makes_first(x, before) for x in self.trial.source.statements)
        for statement in self.trial.source.statements:
            if self.trial.effort.is_over():
                return
            aside = ELSEWHERE * (makers > 0 and not self._makes_first(statement, before))
            change = _disturbance(statement.node, DISTURBED)
            if change is None:
                more = RETURNED if _collects(statement.node) else IS_RIGHT * self._makes_what_is_right(statement)
                yield more + aside, statement
                continue
            after = self._disturbed(trial, statement, change)
            if after is None:
                yield 0.1 + aside, statement
                continue
            touched = _different(before, after)
            if first not in touched and (change := _disturbance(statement.node, REVERSED)) is not None:
                touched |= _different(before, self._disturbed(trial, statement, change) or before)
            if self.wrong[0] in touched:
                spoils = any(x in touched for x in self.right)
                leaves = any(x not in touched for x in self.wrong)
                is_right = not self._makes_first(statement, before) and self._makes_what_is_right(statement)
                yield TOUCHES_WHAT_IS_RIGHT * spoils + 0.1 * leaves + IS_RIGHT * is_right + aside, statement

    def _disturbed(self, trial: Trial, statement: Statement, change: Change) -> Outputs | None:
        back = change.apply()
        try:
            return self._outputs(trial, statement)
        finally:
            back.apply()

    def _makes_first(self, statement: Statement, outputs: Outputs) -> bool:
        """Whether a statement makes what is wrong first, and nothing else."""
        first = outputs.get(self.wrong[0])
        return first is not None and bool(statement.makes) and all(np.array_equal(x, first) for x in statement.makes)

    def _makes_what_is_right(self, statement: Statement) -> bool:
        makes = statement.makes
        return bool(makes) and all(map(self.trial.is_right, makes))

    def _outputs(self, trial: Trial, *changed: Statement) -> Outputs | None:
        trial.effort.spend(trial.lines + COMPILING)
        found: Outputs | None = trial.source.run(trial.run, [*self.kept, *changed])
        return found

    def _placeholder(self, statement: Statement) -> tuple[Placeholder, Codes] | None:
        """What stands for the value of a statement, and the codes with it; None where there can be none."""
        if statement not in self._placeholders:
            self._placeholders[statement] = None
            if Placeholder.is_for(statement):
                one = Placeholder(statement)
                back = one.put().apply()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", SyntaxWarning)  # of a text that is called
                    codes = self.trial.source.compiled([*self.kept, statement])
                back.apply()
                if codes is not None:
                    self._placeholders[statement] = one, {old: one.within(new) for old, new in codes.items()}
        return self._placeholders[statement]

    def _mends_by_value(self, statement: Statement, edit: SourceEdit) -> bool:
        """Whether an edit, which is in place, may mend anything: as far as is known where it is of the value alone."""
        trial, first, pair = self.trial.shorter or self.trial, self.wrong[0], self._placeholder(statement)
        if pair is None or not pair[0].holds(edit.change):
            return True
        place, codes = pair

        def run() -> Outputs | None:
            if not place.compile():
                return None
            trial.effort.spend(trial.lines + OF_A_VALUE)
            outputs: Outputs | None = trial.source.run_with(trial.run, codes)
            return outputs

        found = self.tried.outputs(edit, run)
        if found is None:
            return False
        if first in found and not trial.agrees(first, found[first]):
            return not self.is_scaled and trial.factor(first, found[first]) is not None
        return all(x in found and trial.agrees(x, found[x]) for x in (first, *self.right))

    def _tried(
        self, statement: Statement, edit: SourceEdit, cost: float, more: SourceEdit | None = None
    ) -> _Mending | None:
        trial, first, right = self.trial, self.wrong[0], ""
        self._placeholder(statement)  # made of the statement as it is, before the edit
        back = Changes([x.change for x in (edit, more) if x is not None]).apply()
        try:
            if more is None and not self._mends_by_value(statement, edit):
                return None
            found: Outputs | None = None
            for one in [x for x in (trial.shorter, trial) if x is not None]:
                found = self._outputs(one, statement)
                if more is None and found is not None and first in found and not one.agrees(first, found[first]):
                    if self.is_scaled:
                        return None
                    more = factor_of(statement, one.factor(first, found[first]))
                    if more is None:
                        return None
                    back, cost = Changes([more.change.apply(), *back.each]), cost + more.cost
                    found = self._outputs(one, statement)
                if found is None or not all(x in found and one.agrees(x, found[x]) for x in (first, *self.right)):
                    return None
            if found is None:
                return None
            mends = [x for x in self.wrong if self._agrees(found, x)]
            if not trial.confirm(lambda run: trial.source.run(run, [*self.kept, statement]), mends):
                return None
            right = "" if edit.sentence in OF_SEVERAL_LINES else text(statement.node)
        finally:
            back.apply()
        return _Mending(statement, edit, cost, mends, text(statement.node), right, more)

    def _agrees(self, found: Outputs, x: Any) -> bool:
        return x in found and self.trial.agrees(x, found[x])


def made_now(edit: SourceEdit) -> SourceEdit:
    """An edit whose part of the tree is made once, so that another edit can be within it."""
    change = edit.change
    return replace(edit, change=replace(change, new=change.new())) if callable(change.new) else edit


def _collects(node: ast.stmt) -> bool:
    """Whether a statement only puts together what others have computed."""
    return isinstance(node, ast.Return) or isinstance(getattr(node, "value", None), ast.Dict)


def _returns_what_it_computes(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and isinstance(node.value, ast.BinOp | ast.UnaryOp | ast.Call)


def _different(before: Outputs, after: Outputs) -> set[Any]:
    return {x for x in before if x not in after or not np.array_equal(before[x], after[x])}


def _disturbance(node: ast.stmt, disturbed: str) -> Change | None:
    """Something else than what a statement gives."""
    if _returns_what_it_computes(node):
        return Change(node, "value", parsed(disturbed.format(ast.unparse(node.value)), node.value))  # type: ignore[attr-defined]
    if not isinstance(node, ast.Assign | ast.AugAssign) or isinstance(node.value, ast.Tuple | ast.List | ast.Dict):
        return None
    if isinstance(node, ast.Assign) and any(isinstance(x, ast.Tuple | ast.List) for x in node.targets):
        return None
    return Change(node, "value", parsed(disturbed.format(ast.unparse(node.value)), node.value))
