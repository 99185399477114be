"""A program on a few places of its long axes: edits are tried there first, and on the whole only if they agree there.

All axes of one length are restricted to the same places: of x.T @ dz, a few rows of x.T and a few columns of dz. What
sums along such an axis is taken as it is; edits within that are for the whole program.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_cnn.check.diagnose.edits.edit import Context
from tinygrad_cnn.check.diagnose.edits.evaluation import FAILURES, Program, compute
from tinygrad_cnn.check.diagnose.edits.terms import NP, Term

Array = Any
LARGE = 4000  # elements of a value, from which on it pays
LONG = 24  # of an axis that is restricted
FEWEST = 7  # places of one
NEAR = 1e-7  # how near, relative to the largest, what agrees on the whole is


class Restricted(Program):
    """A program with its leaves at some places of each axis of a length."""

    def __init__(self, whole: Program, places: Mapping[int, Array]) -> None:
        self.whole, self.along = whole, places
        leaves = {x: self.part(value) for x, value in whole.leaves.items()}
        values = {NP: np, **leaves}
        for x in whole.order:
            if x not in values:
                values[x] = leaves[x] = self.part(whole.values[x])
                with contextlib.suppress(*FAILURES):
                    made = compute(x, [values[y] for y in x.args])
                    if not isinstance(made, np.ndarray) or _near(made, values[x]):
                        values[x] = made
                        del leaves[x]
        super().__init__(whole.root, leaves)

    def part(self, value: Any) -> Any:
        """A value at the places."""
        for axis, n in enumerate(value.shape if isinstance(value, np.ndarray) else ()):
            if n in self.along:
                value = value.take(self.along[n], axis=axis)
        return value

    def of(self, x: Term, now: Mapping[Term, Any] | None = None) -> Any:
        """See `Program.of`; of a leaf that the whole program got since."""
        if x.op == "name" and x not in self.values and x in self.whole.values:
            self.values[x] = self.part(self.whole.values[x])
        return super().of(x, now)


def restricted(c: Context) -> Context | None:
    """The same question on a few places; None if the program is small, or no axis can be restricted."""
    now, target = c.now, np.asarray(c.target)
    sizes = [value.size for x in c.program.order if isinstance(value := c.program.values[x], np.ndarray)]
    if max(sizes, default=0) < LARGE or now.shape != target.shape or not np.all(np.isfinite(now)):
        return None
    along: dict[int, Array] = {}
    for axis, n in enumerate(now.shape):
        if n >= LONG and n not in along:
            wrong = np.moveaxis(np.abs(target - now), axis, 0).reshape(n, -1)
            along[n] = _places(wrong, FEWEST + 2 * len(along))
    with np.errstate(all="ignore"):
        program = Restricted(c.program, along)
    if not along or program.root in program.leaves:
        return None
    part = program.part(target)
    return dataclasses.replace(c, program=program, target=part, accounts=lambda x: _near(x, part))


def _places(wrong: Array, count: int) -> Array:
    """Places along the first axis: where most is wrong, and others."""
    with np.errstate(invalid="ignore"):
        most = np.argsort(-np.nan_to_num(wrong.max(axis=1)), kind="stable")[: count // 2]
    others = np.setdiff1d(np.random.default_rng(0).permutation(len(wrong))[:count], most)
    return np.sort(np.concatenate([most, others[: count - len(most)]]))


def _near(x: Any, target: Array) -> bool:
    if np.shape(x) != target.shape:
        return False
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.abs(x - target) <= NEAR * np.max(np.abs(target), initial=0.0)))
