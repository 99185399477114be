"""A statement whose value is evaluated by itself gives what the function gives when it is compiled with the edit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tinygrad_cnn.check.diagnose.edits.placeholder import Placeholder
from tinygrad_cnn.check.diagnose.edits.source_edits import edits
from tinygrad_cnn.check.diagnose.edits.statements import Source

X = np.random.default_rng(0).normal(size=(4, 3))
WEIGHTS = np.array([0.3, -0.2, 0.7])
HALF = 0.5


def plain() -> Any:
    z = X @ WEIGHTS
    dz = np.cos(z) * HALF
    return X.T @ dz


def with_an_inner_function() -> Any:
    scale = 2.0

    def back(g: Any) -> Any:
        h = g * scale
        return h - np.sin(g)

    total = np.zeros(3)
    for row in X:
        total += back(row * WEIGHTS)
    return total


def with_a_comprehension() -> Any:
    scale = 2.0
    rows = [scale * row for row in X]
    return np.stack([np.tanh(row) * scale for row in rows], axis=1)


@pytest.mark.parametrize("function", [plain, with_an_inner_function, with_a_comprehension])
def test_an_edit_of_a_value_gives_what_the_edited_function_gives(function: Any) -> None:
    source, compared = Source(function, ()), 0
    for statement in source.statements:
        if not Placeholder.is_for(statement):
            continue
        one = Placeholder(statement)
        back = one.put().apply()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            codes = {old: one.within(new) for old, new in (source.compiled([statement]) or {}).items()}
        back.apply()
        for edit in edits(statement):
            if not one.holds(edit.change):
                continue
            taken_back = edit.change.apply()
            expected = source.run(function, [statement])
            found = source.run_with(function, codes) if one.compile() else None
            taken_back.apply()
            assert (found is None) == (expected is None), edit
            np.testing.assert_array_equal(found, expected, err_msg=str(edit))
            compared += 1
    assert compared > 10
    np.testing.assert_array_equal(function(), source.run(function, ()))


def assigns_within() -> Any:
    y = (z := X @ WEIGHTS) * 2
    return y + z


def test_there_is_none_for_what_means_something_in_the_function_alone() -> None:
    source = Source(assigns_within, ())
    assert [Placeholder.is_for(x) for x in source.statements] == [True, False]  # the latest first
