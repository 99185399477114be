"""The article's gradient as a program: what the engine computes, beside the hand-derived gradient."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

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


def beside_hand_derived(program: tg.Program) -> list[tuple[str, str, str]]:
    """For each cotangent that the article derives: its name, how the program computes it, and how the article does."""
    printed, derived = _assignments(program.source()), _assignments(inspect.getsource(hand_derived.hand_derived))
    steps = []
    for name, expression in derived.items():
        if name.startswith("dL_d"):
            ours = f"dL_d{NAMES[name]}" if name in NAMES else name
            steps.append((name, printed.get(ours, ""), expression))
    return steps


def _assignments(source: str) -> dict[str, str]:
    """The expression that each variable of the last function of a source is assigned."""
    *_, function = [node for node in ast.parse(textwrap.dedent(source)).body if isinstance(node, ast.FunctionDef)]
    return {
        statement.targets[0].id: ast.unparse(statement.value)
        for statement in function.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
