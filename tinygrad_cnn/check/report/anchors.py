"""The fragments of the page's address by which its steps and parameters are reached: "#step-dz-39"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tinygrad_cnn.check.report.iterations import by_iteration, step_of_loop
from tinygrad_cnn.check.results import Parameter, Results, Step


class Anchors:
    """An id for each step, for each loop of steps, and for each parameter of a report; no two are the same."""

    def __init__(self, report: Results) -> None:
        self._steps = _ids("step", (step.name for step in report.steps))
        loops = [step_of_loop(group[0]) for group in by_iteration(report.steps) if len(group) > 1]
        self._loops = _ids("loop", loops)
        self._parameters = _ids("parameter", (p.name for p in report.parameters))
        self._of_node = {p.node: self._parameters[p.name] for p in report.parameters if p.node is not None}

    def of(self, row: Step | Parameter) -> str:
        """The id of a row; a step for a parameter is in the row of that parameter."""
        if row.node in self._of_node:
            return self._of_node[row.node]
        return (self._steps if isinstance(row, Step) else self._parameters)[row.name]

    def of_all(self, steps: list[Step]) -> str:
        """The id of the row of a step, or of the steps of all iterations of a loop."""
        return self.of(steps[0]) if len(steps) == 1 else self._loops[step_of_loop(steps[0])]


def _ids(kind: str, names: Iterable[str]) -> dict[str, str]:
    """An id for each of these names, of letters, digits and hyphens alone."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        word = "-".join([kind, *re.findall(r"\w+", name, re.ASCII)])
        while word in taken:
            word += "-"
        found.setdefault(name, word)
        taken.add(word)
    return found
