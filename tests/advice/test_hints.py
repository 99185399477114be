"""Errors of others in a function that is differentiated have a note with what to write; errors of its own have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg


def notes(function: Callable[[Any], Any], kind: type[Exception] = Exception) -> list[str]:
    with pytest.raises(kind) as raised:
        tg.grad(function)(np.array([1.0, 2.0]))
    return list(getattr(raised.value, "__notes__", ()))


def test_a_note_is_added_once_in_nested_derivatives() -> None:
    assert len(notes(lambda x: tg.grad(lambda y: {y[0]: y})(x), TypeError)) == 1


def failing(message: str, kind: type[Exception]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        raise kind(message)

    return function


@pytest.mark.parametrize(
    "function",
    [
        failing("the Tensor has rank 2", TypeError),
        failing("not a Tensor", ValueError),
        lambda x: x + None,
        lambda x: x[5],
        lambda x: x.nonsense,
        lambda x: np.left_shift(x, 1),
        lambda x: np.asarray(x),
    ],
)
def test_errors_of_ones_own_and_of_the_engine_have_none(function: Callable[[Any], Any]) -> None:
    assert notes(function) == []


def test_a_function_compiled_by_numba_names_what_it_was_compiled_from() -> None:
    numba = pytest.importorskip("numba")
    compiled = numba.njit(lambda x: 2 * x)
    (note,) = notes(lambda x: compiled(x))
    assert note.endswith(
        "`compiled(x)`: compiled is compiled by numba: call what it was compiled from, compiled.py_func"
    )
    assert tg.grad(lambda x: np.sum(compiled.py_func(x)))(np.ones(2)).tolist() == [2, 2]


def test_tensors_of_other_packages_are_not_made_of_ours() -> None:
    torch = pytest.importorskip("torch")
    (note,) = notes(lambda x: torch.tensor(x), TypeError)
    assert "`torch.tensor(x)` is of another package for automatic differentiation" in note
