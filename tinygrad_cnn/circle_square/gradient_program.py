"""The article's gradient as a program: what the engine computes, beside the hand-derived gradient."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any, NamedTuple

from numpy.typing import NDArray

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square import hand_derived
from tinygrad_cnn.circle_square.gradient_check import NAMES
from tinygrad_cnn.circle_square.model import Parameters, forward, loss_shifted

Array = NDArray[Any]


def loss(p: Parameters, x: Array, y: Array) -> Any:
    """The loss that the article's gradient is the gradient of, with its conventions at ties and at 0.

    x: images (batch, 28, 28); y: targets (batch, 1).
    """
    return loss_shifted(forward(x, p, ties="all", at_zero=1.0).sigma, y)


def gradient_program(p: Parameters, x: Array, y: Array) -> tg.Program:
    """The loss and its gradient, as a program for images of this number."""
    return tg.program(tg.value_and_grad(loss))(p, x, y)


class Step(NamedTuple):
    """A statement of the program and the one of the hand-derived gradient that computes the same.

    Or all statements, a line each, that one or both need in between.
    """

    program: str
    derived: str


def beside_hand_derived(program: tg.Program) -> tuple[list[Step], list[Step]]:
    """The steps of the forward pass and of the gradient, in the order of the hand-derived gradient.

    What has no counterpart, such as the columns of im2col, stands before what needs it.
    """
    printed, derived = _assignments(program.source()), _assignments(inspect.getsource(hand_derived.hand_derived))
    ours = {name: f"dL_d{NAMES[name]}" if name in NAMES else name for name in derived if _is_of_model(name)}
    order = list(printed)
    alone = [name for name in printed if name not in ours.values()]
    needed: list[str] = []  # of the hand-derived gradient, in between
    steps: list[Step] = []
    for name, statement in derived.items():
        if name not in ours:
            needed.append(statement)
            continue
        before = [x for x in alone if order.index(x) < order.index(ours[name])]
        alone = [x for x in alone if x not in before]
        if before or needed:
            steps.append(Step("\n".join([printed[x] for x in before]), "\n".join(needed)))
        steps.append(Step(printed[ours[name]], statement))
        needed = []
    if alone:
        steps.append(Step("\n".join([printed[x] for x in alone]), ""))
    first = next(k for k, step in enumerate(steps) if step.derived.startswith("dL_d"))
    return steps[:first], steps[first:]


def _is_of_model(name: str) -> bool:
    """Whether it is a step that both have, if under another name."""
    return name.startswith("dL_d") or name in ("conv", "relu", "max_pool", "flatten", "fc", "sigma")


def _assignments(source: str) -> dict[str, str]:
    """The statements of the last function of a source that assign to a variable, by its name, as they are written."""
    source = textwrap.dedent(source)
    *_, function = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {
        statement.targets[0].id: ast.get_source_segment(source, statement) or ast.unparse(statement)
        for statement in function.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
