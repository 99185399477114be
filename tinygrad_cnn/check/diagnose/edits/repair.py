"""The smallest edits of somebody's own source that make the gradient right: it is run again with each.

A statement can only be what is wrong if everything that is wrong depends on it, and it is likelier if nothing that is
right does. So every statement's value is disturbed first, to see what comes out differently; then the edits of those
that are left are tried, cheapest first. Where no one edit makes everything right, the one that mends what is wrong
first stays, and the rest is looked for with it in place.
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.deadline import Effort, TimeOverError, time_left
from tinygrad_cnn.check.diagnose.edits.source_edits import SourceEdit, edits, parsed, text
from tinygrad_cnn.check.diagnose.edits.statements import Change, Source, Statement
from tinygrad_cnn.check.diagnose.edits.wording import LONG, mended_by
from tinygrad_cnn.check.results import Cause

Array = Any
Outputs = Mapping[Any, Array]  # what comes out of a gradient, by whatever it is known by
DISTURBED = "({}) * 1.37 + 0.0113"  # a value in place of that of a statement, other than 0 too
TOUCHES_WHAT_IS_RIGHT = 0.4  # what an edit costs more of a statement on which something right depends
NEARLY = 0.1  # what an edit may cost more that mends more
OF_SEVERAL_LINES = ("later", "after_the_loop", "line_missing")  # edits that one line does not show
COMPILING = 500  # operations of NumPy that take as long as to compile a function
AS_GOOD = 0.03  # by how much the costs of edits differ that are given as "for instance"
RETURNED = 0.3  # what an edit costs more of what is returned, where nothing is computed


@dataclass(frozen=True)
class Repair:
    """An edit, and what it makes right."""

    cause: Cause
    mends: frozenset[Any]


@dataclass
class Trial:
    """How a gradient is run, and what is known of what should come out.

    source   the source, whose trees are changed
    run      gives what comes out
    wrong    what is not as it should be, the first wrong step first
    right    what is
    agrees   whether an array is what should come out
    confirm  whether what an edit mends is right at other points too; it is given a function that runs another with the
             edit in place
    effort   what may still be tried
    lines    how many lines are executed
    shorter  the same where less is executed: only what mends something there is tried here
    """

    source: Source
    run: Callable[[], Outputs]
    wrong: Sequence[Any]
    right: Sequence[Any]
    agrees: Callable[[Any, Array], bool]
    confirm: Callable[[Callable[[Callable[[], Any]], Any], Sequence[Any]], bool]
    effort: Effort
    lines: int
    shorter: Trial | None = None


def repairs(trial: Trial) -> list[Repair]:
    """The edits, one after the other, that make right what can be made right."""
    found: list[Repair] = []
    kept: list[tuple[Change, Statement]] = []
    trial.source.careful = True
    trial.source.careful = trial.source.run(trial.run, ()) is not None
    remaining, right = list(trial.wrong), list(trial.right)
    try:
        while remaining and not trial.effort.is_over():
            search = _Search(trial, remaining, right, [x for _, x in kept])
            best = search.best()
            if best is None:
                remaining.pop(0)
                continue
            kept.append((best.edit.change.apply(), best.statement))
            found.append(Repair(best.cause(search.alternatives), frozenset(best.mends)))
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

    def cause(self, others: Sequence[_Mending]) -> Cause:
        """It in words, and as two lines of code."""
        words = sentences.EDITS_OF_LINES[self.edit.sentence].format(**_shortened(self.edit.words))
        if others:
            words = sentences.FOR_INSTANCE.format(mistake=words)
        kind = mended_by(self.edit.sentence)
        at = f"{os.path.basename(self.statement.file)}:{self.statement.node.lineno}"
        if self.you == self.right or max(len(self.you), len(self.right)) > LONG or not self.right:
            return Cause(words, kind, line=at)
        return Cause(words, kind, self.you, self.right, at)


def _shortened(words: Mapping[str, str]) -> dict[str, str]:
    return {name: x if len(x) <= LONG else f"{x[: LONG - 4]} ..." for name, x in words.items()}


class _Search:
    """The search for one edit that mends the first of what is wrong, and as much of the rest as one edit can."""

    def __init__(self, trial: Trial, wrong: Sequence[Any], right: Sequence[Any], kept: Sequence[Statement]) -> None:
        self.trial, self.wrong, self.right, self.kept = trial, wrong, right, kept
        self.alternatives: list[_Mending] = []

    def best(self) -> _Mending | None:
        """The edit that mends most of those that are cheap; others that are as good are in `alternatives`."""
        found: list[_Mending] = []
        with contextlib.suppress(TimeOverError):  # what was found until then is what there is
            found.extend(self._mendings())
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
            if (found and cost > found[0].cost + NEARLY) or self.trial.effort.is_over():
                break
            mending = self._tried(statement, edit, cost)
            if mending is not None:
                found.append(mending)
                yield mending

    def _edits(self) -> Iterator[tuple[float, Statement, SourceEdit]]:
        suspects = list(self._suspects())
        every: list[tuple[float, int, SourceEdit]] = []
        for k, (more, x) in enumerate(suspects):
            time_left()
            every += [(edit.cost + more, k, edit) for edit in edits(x)]
        for cost, k, edit in sorted(every, key=lambda x: x[:2]):
            yield cost, suspects[k][1], edit

    def _suspects(self) -> Iterator[tuple[float, Statement]]:
        """The statements on which the first wrong thing depends, with what an edit of them costs more."""
        trial = self.trial.shorter or self.trial
        before = self._outputs(trial)
        if before is None:
            return
        for statement in self.trial.source.statements:
            if self.trial.effort.is_over():
                return
            change = _disturbance(statement.node)
            if change is None:
                yield RETURNED if isinstance(statement.node, ast.Return) else 0.0, statement
                continue
            back = change.apply()
            try:
                after = self._outputs(trial, statement)
            finally:
                back.apply()
            if after is None:
                yield 0.1, statement
                continue
            touched = {x for x in before if x not in after or not np.array_equal(before[x], after[x])}
            if self.wrong[0] in touched:
                spoils = any(x in touched for x in self.right)
                leaves = any(x not in touched for x in self.wrong)
                yield (TOUCHES_WHAT_IS_RIGHT if spoils else 0.0) + (0.1 if leaves else 0.0), statement

    def _outputs(self, trial: Trial, *changed: Statement) -> Outputs | None:
        trial.effort.spend(trial.lines + COMPILING)
        found: Outputs | None = trial.source.run(trial.run, [*self.kept, *changed])
        return found

    def _tried(self, statement: Statement, edit: SourceEdit, cost: float) -> _Mending | None:
        you, trial = text(statement.node), self.trial
        back = edit.change.apply()
        try:
            if trial.shorter is not None and self._mending(trial.shorter, statement) is None:
                return None
            found = self._mending(trial, statement)
            if found is None:
                return None
            mends = [x for x in self.wrong if self._agrees(found, x)]
            if not trial.confirm(lambda run: trial.source.run(run, [*self.kept, statement]), mends):
                return None
            right = "" if edit.sentence in OF_SEVERAL_LINES else text(statement.node)
            return _Mending(statement, edit, cost, mends, you, right)
        finally:
            back.apply()

    def _mending(self, trial: Trial, statement: Statement) -> Outputs | None:
        """What comes out with a statement as it is, if the first of what is wrong is right then, and what was right."""
        found = self._outputs(trial, statement)
        if found is None or not all(x in found and trial.agrees(x, found[x]) for x in (self.wrong[0], *self.right)):
            return None
        return found

    def _agrees(self, found: Outputs, x: Any) -> bool:
        return x in found and self.trial.agrees(x, found[x])


def _disturbance(node: ast.stmt) -> Change | None:
    """Something else than what a statement gives."""
    if not isinstance(node, ast.Assign | ast.AugAssign) or isinstance(node.value, ast.Tuple | ast.List | ast.Dict):
        return None
    if isinstance(node, ast.Assign) and any(isinstance(x, ast.Tuple | ast.List) for x in node.targets):
        return None
    return Change(node, "value", parsed(DISTURBED.format(ast.unparse(node.value)), node.value))
