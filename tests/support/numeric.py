"""Derivatives by differences, for tests to hold the rules against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_cnn as tg

# A stencil of seven points: the error is of the order of step^6, so this step leaves eleven or twelve digits of a
# smooth function, and is too short for elements that lie apart to change places.
STENCIL = {-3: -1 / 60, -2: 3 / 20, -1: -3 / 4, 1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
STEP = 2e-3


def slope(f: Callable[[float], Any], at: float = 0.0) -> float:
    """df/dt at `at`, of a smooth function of one number."""
    return sum(weight * float(f(at + k * STEP)) for k, weight in STENCIL.items()) / STEP


def along(f: Callable[..., Any], operands: list[np.ndarray], rng: np.random.Generator) -> Callable[[Any], Any]:
    """t -> sum(u * f(operands + t * directions)), for random directions and a random u.

    Its derivatives by t are those of f in a random direction, seen through a random cotangent: if a rule for any
    operand is wrong anywhere, they are wrong.
    """
    directions = [rng.standard_normal(np.shape(x)) for x in operands]
    cotangent = rng.standard_normal(np.shape(f(*operands)))

    def of_t(t: Any) -> Any:
        return np.sum(cotangent * f(*[x + t * v for x, v in zip(operands, directions, strict=True)]))

    return of_t


def derivatives_agree(f: Callable[..., Any], operands: list[np.ndarray], order: int, seed: int = 0) -> None:
    """Assert that the first to `order`-th derivatives of f are those that differences of the one before give."""
    of_t = along(f, operands, np.random.default_rng(seed))
    for n in range(order):
        derivative = tg.grad(of_t)
        found, expected = float(derivative(0.0)), slope(of_t)
        assert found == _near(expected), f"derivative {n + 1}: {found!r}, but differences give {expected!r}"
        of_t = derivative


def _near(expected: float) -> Any:
    import pytest

    return pytest.approx(expected, rel=1e-7, abs=1e-8)
