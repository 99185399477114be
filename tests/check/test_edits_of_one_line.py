"""Two edits of one line, and factors moved into or out of a sum: each line is repaired by itself, at two data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_cnn.check.deadline import Effort
from tinygrad_cnn.check.diagnose.edits.repair import Repair, Trial, repairs
from tinygrad_cnn.check.diagnose.edits.statements import Source

Array = np.ndarray[Any, Any]
Outputs = dict[str, Array]
Line = Callable[[Array, Array, Array], Outputs]
Right = Callable[[Array, Array, Array], Array]


def data(seed: int, rows: int = 4) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 3)), rng.normal(size=(rows, 3)), rng.normal(size=(3, 3))


def squared_slope_and_plus(g: Array, h: Array, w: Array) -> Outputs:
    result = (g + h) * (1 - h)
    return {"g": result}


def after_the_sum(g: Array, h: Array, w: Array) -> Outputs:
    result = h * np.sum(g, axis=1, keepdims=True)
    return {"g": result}


def within_the_sum(g: Array, h: Array, w: Array) -> Outputs:
    result = np.sum(g * h, axis=1, keepdims=True)
    return {"g": result}


def product_of_matrices(g: Array, h: Array, w: Array) -> Outputs:
    result = g * (h @ w)
    return {"g": result}


def repaired(line: Line, right: Right, in_pairs: bool = False, rows: int = 4) -> list[Repair]:
    """The repairs of a line, of data of so many rows."""
    here, elsewhere = data(0, rows), data(1, rows)
    expected = right(*here)
    trial = Trial(
        source=Source(lambda: line(*here), ()),
        run=lambda: line(*here),
        wrong=["g"],
        right=[],
        is_right=lambda x: False,
        agrees=lambda _, x: x.shape == expected.shape and bool(np.allclose(x, expected, rtol=1e-9)),
        factor=lambda _, x: None,
        confirm=lambda run, _: (
            (found := run(lambda: line(*elsewhere))) is not None and np.allclose(found["g"], right(*elsewhere))
        ),
        effort=Effort(2e6),
        lines=2,
        in_pairs=in_pairs,
    )
    return repairs(trial)


# a line, and what it should compute
PAIRS: list[tuple[Line, Right]] = [
    (squared_slope_and_plus, lambda g, h, w: (g - h) * (1 - h**2)),
    (product_of_matrices, lambda g, h, w: (g * h) @ w.T),
]


@pytest.mark.parametrize(("line", "right"), PAIRS)
def test_two_edits_of_one_line_are_found_together_where_one_is_not_enough(line: Line, right: Right) -> None:
    before = line(*data(0))["g"]
    assert repaired(line, right) == []
    (repair,) = repaired(line, right, in_pairs=True)
    assert repair.cause.right is not None
    namespace: dict[str, Any] = {"np": np, **dict(zip("ghw", data(2), strict=True))}
    exec(repair.cause.right, namespace)
    np.testing.assert_allclose(namespace["result"], right(*data(2)))
    assert " and " in repair.cause.words
    np.testing.assert_array_equal(line(*data(0))["g"], before)  # nothing of an edit stays


def test_two_edits_are_not_believed_of_fewer_than_four_different_elements() -> None:
    line, right = PAIRS[0]
    assert repaired(line, right, in_pairs=True, rows=1) == []


def test_two_edits_that_do_not_hold_at_other_data_are_none() -> None:
    line, right = PAIRS[0]
    here = right(*data(0))
    assert repaired(line, lambda g, h, w: here, in_pairs=True) == []


MOVED: list[tuple[Line, Right, str]] = [
    (
        after_the_sum,
        lambda g, h, w: np.sum(h * g, axis=1, keepdims=True),
        "result = np.sum(h * g, axis=1, keepdims=True)",
    ),
    (
        within_the_sum,
        lambda g, h, w: h * np.sum(g, axis=1, keepdims=True),
        "result = h * np.sum(g, axis=1, keepdims=True)",
    ),
    (product_of_matrices, lambda g, h, w: (g * h) @ w, "result = g * h @ w"),
]


@pytest.mark.parametrize(("line", "right", "written"), MOVED)
def test_a_factor_is_moved_into_or_out_of_a_sum(line: Line, right: Right, written: str) -> None:
    found = [repair.cause.right for repair in repaired(line, right)]
    assert found == [written]
