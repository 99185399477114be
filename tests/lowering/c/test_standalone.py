"""A C file that is saved: it has the program's memory and constants, and runs without Python."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lowering.test_printing import ALL

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.c.compiler import CompilerError, compiler, library


@pytest.fixture(autouse=True)
def _compiler() -> None:
    try:
        compiler()
    except CompilerError:
        pytest.skip("there is no C compiler")


def called(text: str, name: str, arguments: Any, result: Any) -> list[np.ndarray]:
    """The leaves of the result of the function, from the leaves of its arguments."""
    given = [np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x for x in tg.tree.flatten(arguments).leaves]
    out = [np.full(np.shape(x), 7, np.asarray(x).dtype) for x in tg.tree.flatten(result).leaves]
    pointers = [x.ctypes.data_as(ctypes.c_void_p) for x in out]
    passed = [x.ctypes.data_as(ctypes.c_void_p) if isinstance(x, np.ndarray) else ctypes.c_double(x) for x in given]
    getattr(library(text), name)(*passed, *pointers)
    return out


@pytest.mark.parametrize("name", ["article", "recurrent", "lstm"])
def test_value_and_gradient_of_a_model_are_those_of_the_program(name: str, tmp_path: Path) -> None:
    model = ALL[name]
    program = tg.program(tg.value_and_grad(model.loss))(model.parameters, *model.data)
    program.save(tmp_path / "step.c")
    arguments = (model.parameters, *model.other)
    expected = program(*arguments)
    found = called((tmp_path / "step.c").read_text(), "step", arguments, expected)
    for a, b in zip(found, tg.tree.flatten(expected).leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_views_arguments_and_constants_are_copied_to_the_results() -> None:
    table = np.array([[1.5, np.inf, -np.inf], [np.nan, 1e-320, 0.1]])

    def function(p: Any, x: Any, n: Any) -> Any:
        h = np.tanh(x @ p["W"])
        return np.sum(h * n), {
            "turned": h.T,
            "part": x[::-1, 1],
            "table": table + 0 * x[0, 0],
            "given": x,
            "above": x > 0,
        }

    arguments = ({"W": np.arange(6.0).reshape(3, 2) / 7}, np.random.default_rng(0).normal(size=(4, 3)), 2.5)
    text = tg.program(function)(*arguments).source("f", to="c")
    expected = function(*arguments)
    for a, b in zip(called(text, "f", arguments, expected), tg.tree.flatten(expected).leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_what_c_lacks_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    program = tg.program(lambda x: np.linalg.eigvalsh(x + x.T))(np.eye(3))
    with pytest.raises(NotImplementedError, match=r"eigvalsh of float64 has no form in C \(.*test_standalone\.py:"):
        program.save(tmp_path / "step.c")
    assert not list(tmp_path.iterdir())
