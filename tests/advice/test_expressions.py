"""The expression that an error names is the one that was evaluated; without its source, there is the line."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

PROGRAM = """\
import math
import numpy as np

class Body:
    def __init__(self, x):
        self.state = [x, 2 * x]

def nested(x):
    return np.exp(math.exp(np.sum(x)))

def on_one_line(x): y = np.asarray(x.copy()); return y

def of_a_chain(x):
    return (
        np.eye(2)
        .copy()
        .dot(
            x,
        )
    )

def with_other_letters(größe):
    return "ä" * 0 or np.asarray(größe)

def of_an_attribute(x):
    body = Body(x)
    return np.array(body.state)

def in_a_comprehension(x):
    return [math.exp(v) for v in x]

def long(x):
    return np.array([x[0] * 1.5, x[0] * 2.5, x[0] * 3.5, x[0] * 4.5, x[0] * 5.5, x[0] * 6.5, x[0]])

def in_a_target(x):
    rows = {"a": [np.zeros(2)]}
    rows["a"][0][:], other = x, 1

def after_the_name_was_bound_again(x):
    try:
        np.asarray(x)
    except TypeError as error:
        x = 1.0
        return error
"""

SEEN = {
    "nested": "line 9 of orbit.py: `math.exp(np.sum(x))` would lose the gradient of np.sum(x)",
    "on_one_line": "line 11 of orbit.py: `np.asarray(x.copy())` would lose the gradient of x.copy()",
    "of_a_chain": "line 15 of orbit.py: `np.eye(2) .copy() .dot( x, )` would lose the gradient of x",
    "with_other_letters": "line 23 of orbit.py: `np.asarray(größe)` would lose the gradient of größe",
    "of_an_attribute": (
        "line 27 of orbit.py: `np.array(body.state)` would lose the gradient of the Tensors in body.state"
    ),
    "in_a_comprehension": "line 30 of orbit.py: `math.exp(v)` would lose the gradient of v",
    "long": (
        "line 33 of orbit.py: `np.array([x[0] * 1.5, x[0] * 2.5, x[0] * 3.5, x[0] * 4.5, x[0] * 5.5, x[0] * ...` "
        "would lose the gradient of the Tensors in the list"
    ),
    "in_a_target": (
        'line 37 of orbit.py: `rows["a"][0][:], other = x, 1` would lose the gradient of a Tensor, as rows["a"][0] is'
    ),
}


def orbit(folder: Path) -> Any:
    file = folder / "orbit.py"
    file.write_text(PROGRAM, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("orbit", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusal(function: Callable[..., Any]) -> str:
    with pytest.raises(tg.GradientLostError) as raised:
        tg.grad(function)(np.array([1.0, 2.0]))
    return str(raised.value)


@pytest.mark.parametrize("name", SEEN)
def test_it_is_the_one_that_was_evaluated(name: str, tmp_path: Path) -> None:
    assert refusal(vars(orbit(tmp_path))[name]).startswith(SEEN[name])


def test_a_name_that_was_bound_again_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    error = orbit(tmp_path).after_the_name_was_bound_again(tg.Tensor([1.0, 2.0]))
    assert str(error).startswith("line 41 of orbit.py: `np.asarray(x)` would lose the gradient of x: ")


def test_where_the_file_has_changed_there_is_the_line_alone(tmp_path: Path) -> None:
    module = orbit(tmp_path)
    (tmp_path / "orbit.py").write_text("def f(:\n", encoding="utf-8")
    assert refusal(module.nested).startswith(
        f"{tmp_path / 'orbit.py'}:9 in nested: a Tensor would become a Python float"
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "lambda x: np.asarray(x)",
            "a Tensor would become an array, and lose its gradient: write `import tinygrad_cnn.numpy as np`",
        ),
        (
            "lambda x: x * math.exp(x)",
            "a Tensor would become a Python float, and lose its gradient: use NumPy's functions, or tinygrad_cnn.math. "
            "For the number without its gradient, write t.value",
        ),
        (
            "lambda x: np.left_shift(x, 1)",
            "np.left_shift does not support Tensors yet. To add it:",
        ),
    ],
)
def test_where_there_is_no_source_there_is_the_line_alone(code: str, text: str) -> None:
    program = f"import math, numpy as np, tinygrad_cnn as tg\ntg.grad({code})(1.0)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if sys.version_info < (3, 13):  # which knows the source of -c
        assert f"<string>:2 in <lambda>: {text}" in done.stderr
    else:
        assert "line 2 of <string>: `" in done.stderr
