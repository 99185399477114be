"""tg.adopt: functions that functools and numba have wrapped, also where somebody has held them since before."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

FUNCTOOLS = """
import functools
import math
import numpy as np

@functools.singledispatch
def energy(x):
    return 7.0

@energy.register
def _(x: np.ndarray, convert=np.asarray):
    return np.sum(convert(x) ** 2)

@energy.register
def _(x: float):
    return math.exp(x)

class Shape:
    @functools.singledispatchmethod
    def size(self, x):
        return 1.0

    @size.register
    def _(self, x: np.ndarray):
        return np.sum(np.array([x[0], x[1] ** 2]))

    @size.register
    @classmethod
    def _(cls, x: float):
        return float(x) ** 3

    @functools.lru_cache
    def root(self, x, k=2.0):
        return math.sqrt(x) * k

@functools.lru_cache(maxsize=None)
def rotation(angle):
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])

def corner(angle):
    return rotation(angle)[0, 0] * rotation(0.3)[0, 1]
"""

NUMBA = """
import math
import numba
import numpy as np

@numba.njit
def root(x, k=2.0):
    return math.sqrt(x) * k

@numba.njit
def roots(x, k=3.0):
    found = np.zeros(2)
    for i in range(2):
        found[i] = root(x[i]) * k
    return found.sum()
"""


@pytest.fixture
def wrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def write(text: str) -> ModuleType:
        (tmp_path / "held_by_others.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "held_by_others", raising=False)
        return importlib.import_module("held_by_others")

    yield write
    tg.adopt.undo()


X = np.array([0.7, 1.3])


def test_functions_that_go_by_a_class_go_by_that_of_the_value(wrapped: Any) -> None:
    module = wrapped(FUNCTOOLS)
    energy, shape, before = module.energy, module.Shape(), module.energy.dispatch
    for _ in range(2):
        with tg.adopt(module):
            np.testing.assert_allclose(tg.grad(energy)(X), 2 * X)
            assert tg.grad(energy)(0.7) == pytest.approx(np.exp(0.7))
            np.testing.assert_allclose(tg.grad(shape.size)(X), [1.0, 2 * X[1]])
            assert tg.grad(shape.size)(0.7) == pytest.approx(3 * 0.7**2)
            assert [energy("text"), energy(np.ones(2)), shape.size("text")] == [7.0, 2.0, 1.0]
        assert energy.dispatch is before
        assert [energy("text"), energy(np.ones(2)), shape.size(2.0)] == [7.0, 2.0, 8.0]


def test_a_cache_is_passed_by_for_tensors(wrapped: Any) -> None:
    module = wrapped(FUNCTOOLS)
    original, shape = module.rotation, module.Shape()
    with tg.adopt(module):
        assert tg.grad(module.corner)(0.7) == pytest.approx(np.sin(0.7) * np.sin(0.3))
        assert tg.grad(module.Shape().root)(0.7) == pytest.approx(0.7**-0.5)
        assert tg.grad(lambda x: shape.root(0.7, k=x))(2.0) == pytest.approx(0.7**0.5)
        assert module.rotation.cache_info().currsize == 1
        assert module.rotation(0.3) is module.rotation(0.3)
    assert module.rotation is original


@pytest.mark.filterwarnings("ignore")  # numba's own
def test_what_numba_compiled_takes_tensors_from_whoever_holds_it(wrapped: Any) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    module = wrapped(NUMBA)
    root, roots = module.root, module.roots
    for _ in range(2):  # before anything is compiled, and after
        with tg.adopt(module):
            assert tg.grad(root)(0.7) == pytest.approx(0.7**-0.5)
            np.testing.assert_allclose(tg.grad(roots)(X), 3 * X**-0.5)
            assert tg.grad(lambda k: roots(X, k))(2.0) == pytest.approx(np.sum(2 * X**0.5))
            assert roots(X.astype(np.float32)) == pytest.approx(np.sum(6 * X**0.5), rel=1e-6)
        assert "_compile_for_args" not in vars(roots)
        assert roots(X) == pytest.approx(np.sum(6 * X**0.5))
        assert roots.signatures


FILLING = """
import numpy as np

def filled(x):
    y = np.zeros(2)
    y[0], y[1] = x[0] ** 2, x[0] * x[1]
    return np.sum(y ** 2)
"""


def test_arrays_that_are_made_while_a_checkpoint_or_a_check_runs_take_tensors(wrapped: Any) -> None:
    filled = wrapped(FILLING).filled
    expected = np.array([4 * X[0] ** 3 + 2 * X[0] * X[1] ** 2, 2 * X[0] ** 2 * X[1]])
    with tg.adopt(sys.modules["held_by_others"]):
        np.testing.assert_allclose(tg.grad(tg.checkpoint(filled))(X), expected)
        np.testing.assert_allclose(
            tg.jacobian(tg.checkpoint(lambda x: filled(x) * x))(X)[0, 0], filled(X) + expected[0] * X[0]
        )
        assert tg.check.gradients(filled, X).ok


QUESTIONS = """
import numbers
import numpy as np
from collections.abc import Iterable, Sized
from typing import Union

def has_length(x):
    return x[0] ** 2 if not hasattr(x[0], "__len__") and hasattr(x, "__len__") else x[1]

def is_iterable(x):
    return np.sum(x**2) if isinstance(x, Iterable) and not isinstance(x[0], (Iterable, Sized)) else x[1]

def is_a_union(x):
    return x[0] ** 2 if isinstance(x[0], numbers.Real | int) and not isinstance(x[0], Union[list, Sized]) else x[1]

def has_a_value(x):
    return np.sum((x.value if hasattr(x, "value") else x) ** 2)

def gets_a_value(x):
    return np.sum(getattr(x, "value", x) ** 2)

def makes_a_number(x):
    kinds = [np.dtype(np.float64), np.zeros(1, np.float64).dtype, np.finfo(np.float64).dtype]
    same = all(kind == x.dtype == np.float64 for kind in kinds) and np.issubdtype(x.dtype, np.float64)
    return np.float64(x[0]) * np.float64(3) ** x[1] if same else 0.0

def matches_an_array(x):
    match x:
        case np.ndarray():
            return np.sum(x**2)
    return x[1]

def matches_a_number(x):
    match x[0], x[1]:
        case [np.ndarray(), _]:
            return x[1]
        case [np.number() as a, np.floating() as b]:
            return a * b
    return x[1]

def tries_a_value(x):
    try:
        x = x.value
    except AttributeError:
        pass
    return np.sum(x**2)
"""


@pytest.mark.parametrize("name", [x[4:-1].partition("(")[0] for x in QUESTIONS.splitlines() if x.startswith("def ")])
def test_what_adopted_code_asks_is_answered_for_the_value(wrapped: Any, name: str) -> None:
    """Also `x.value`, which is an attribute of quantities with units there, and would lose the gradient."""
    module = wrapped(QUESTIONS)
    ask = getattr(module, name)
    expected = [(ask(X + h) - ask(X - h)) / 2e-6 for h in np.eye(2) * 1e-6]
    with tg.adopt(module):
        np.testing.assert_allclose(tg.grad(ask)(X), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "text",
    [
        "import tinygrad_cnn as tg\n\ndef f(x):\n    return x * (x.value if hasattr(x, 'value') else 0.0)\n",
        "from tinygrad_cnn import Tensor\n\ndef f(x):\n    return x * x.value if isinstance(x, Tensor) else 0.0\n",
        "def f(x):\n    import tinygrad_cnn as tg\n    return x * x.value if isinstance(x, tg.Tensor) else 0.0\n",
    ],
)
def test_a_module_that_imports_the_package_may_read_values(wrapped: Any, text: str) -> None:
    module = wrapped(text)
    with tg.adopt(module):
        assert tg.grad(module.f)(3.0) == 3.0
