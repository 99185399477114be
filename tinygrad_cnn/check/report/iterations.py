"""Steps of a loop belong together: `dz[39]`, ..., `dz[0]` are one step, once for each iteration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tinygrad_cnn.check import sentences
from tinygrad_cnn.check.results import Cause, Step

_INDEX = re.compile(r"\[\d+\]")
_IN_LOOP = re.compile(re.escape(sentences.IN_ALL_ITERATIONS.format(mistake="", n="N")).replace("N", r"\d+"))


def step_of_loop(step: Step) -> str:
    """The name of a step without the number of its iteration: "dz" for dz[39]."""
    return _INDEX.sub("", step.name)


def by_iteration(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps, those of one loop in one list, in the order of the first of each."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step_of_loop(step), []).append(step)
    return list(groups.values())


def mistakes(steps: Sequence[Step]) -> list[list[Step]]:
    """The wrong steps, those in one list that make the same mistake in several iterations of a loop.

    A step without an explanation makes the mistake of the others of its loop, as far as is known.
    """
    found: list[list[Step]] = []
    for group in by_iteration([step for step in steps if step.wrong]):
        alike: dict[str, list[Step]] = {}
        for step in group:
            alike.setdefault("" if step.cause is None else mistake_of_loop(step.cause), []).append(step)
        unexplained = alike.pop("", [])
        kinds = list(alike.values()) or [[]]
        kinds[0] += unexplained
        found += [sorted(kind, key=steps.index) for kind in kinds]
    return sorted(found, key=lambda alike: steps.index(alike[0]))


def mistake_of_loop(cause: Cause) -> str:
    """The words of a cause without the numbers of iterations."""
    return _IN_LOOP.sub("", _INDEX.sub("", cause.words))


def cause_of(steps: Sequence[Step]) -> Cause | None:
    """What explains the same mistake in several iterations best: a line of somebody's source, else two lines of code.

    In how many iterations it was found is left out: the report says how many of them are wrong.
    """
    causes = [step.cause for step in steps if step.cause is not None]
    best = min(causes, key=lambda cause: (cause.line is None, cause.you is None), default=None)
    if best is None or len(steps) == 1:
        return best
    return replace(best, words=_IN_LOOP.sub("", best.words))


def named(steps: Sequence[Step]) -> str:
    """The steps of a loop in a word: "dz[39] to dz[0]"."""
    return steps[0].name if len(steps) == 1 else f"{steps[0].name} to {steps[-1].name}"
