"""A Tensor turns into no Python number by itself, in whichever way it is asked, and wherever the code came from."""

from __future__ import annotations

import array
import bisect
import cmath
import copy
import functools
import math
import operator
import pickle
import random
import statistics
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

TABLE = {"exp": math.exp}

# Each takes a Tensor of one number, and would give what has no gradient.
WAYS_OUT: dict[str, Callable[[Any], Any]] = {
    "x * math.exp(x)": lambda x: x * math.exp(x),
    "table['exp'](x)": lambda x: TABLE["exp"](x),
    "map(math.exp, [x])": lambda x: sum(map(math.exp, [x])),
    "functools.partial(math.exp, x)": lambda x: functools.partial(math.exp, x)(),
    "math.hypot": lambda x: math.hypot(x, 1.0),
    "math.fsum": lambda x: math.fsum([x, x]),
    "cmath.exp": lambda x: abs(cmath.exp(x)),
    "complex": lambda x: abs(complex(x)),
    "complex of two": lambda x: abs(complex(1.0, x)),
    "2 * float": lambda x: 2 * float(x),
    "round": lambda x: round(x, 2),
    "int": lambda x: int(x * 10) / 10,
    "math.floor": lambda x: x * math.floor(x),
    "math.ceil": lambda x: x * math.ceil(x),
    "math.trunc": lambda x: x * math.trunc(x),
    "operator.index": lambda x: operator.index(x),
    "range": lambda x: sum(range(x)),
    "list index": lambda x: [1.0, 2.0, 3.0][x],
    "slice": lambda x: np.sum(np.arange(5.0)[:x]),
    "numpy index": lambda x: np.arange(5.0)[x],
    "shape": lambda x: np.sum(np.ones(x)),
    "struct.pack": lambda x: struct.unpack("d", struct.pack("d", x))[0],
    "array.array": lambda x: sum(array.array("d", [x])),
    "bytes": lambda x: float(len(bytes(x))),
    "percent": lambda x: float("%f" % x),  # noqa: UP031
    "statistics.fmean": lambda x: statistics.fmean([x, x]),
    "random.uniform of floats": lambda x: random.Random(0).uniform(0.0, float(x)),
    "np.float64": lambda x: np.float64(x),
    "np.fromiter": lambda x: np.sum(np.fromiter([x, x], float)),
    "np.asarray": lambda x: np.sum(np.asarray(x)),
    "ndarray.fill": lambda x: np.zeros(2).fill(x),
    "ndarray.sum(initial=)": lambda x: np.ones(2).sum(initial=x),
    "np.max(initial=)": lambda x: np.max(np.ones(2), initial=x),
    "array[i] = x": lambda x: assigned(x, 0),
    "array[:] = x": lambda x: assigned(x, slice(None)),
    "array[mask] = x": lambda x: assigned(x, np.array([True, False])),
    "array.flat[i] = x": lambda x: operator.setitem(np.zeros(2).flat, 0, x),
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
}


def assigned(x: Any, index: Any) -> Any:
    made = np.zeros(2)
    made[index] = x
    return np.sum(made)


@pytest.mark.parametrize("way", WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_way_out_of_the_graph_raises_cold_and_after_many_plain_calls(way: Callable[[Any], Any]) -> None:
    """CPython specialises the instructions of a function that has run a few times; no answer may depend on that."""
    with pytest.raises((TypeError, ValueError, struct.error)):
        tg.grad(way)(1.5)
    for _ in range(50):
        try:
            way(1.5)
        except (TypeError, IndexError):  # not every way takes a float either
            break
    with pytest.raises((TypeError, ValueError, struct.error)):
        tg.grad(way)(1.5)
    x = tg.Tensor(1.5)
    with pytest.raises((TypeError, ValueError, struct.error)):
        way(x * 1.0)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("2 * float", "`float(x)` would lose the gradient of x: delete this call"),
        ("x * math.exp(x)", "`math.exp(x)` would lose the gradient of x: write np.exp"),
        ("array[i] = x", "`made[index] = x` would lose the gradient of x, as made is a plain array: create it with"),
        ("array[mask] = x", "`made[index] = x` would lose the gradient of x, as made is a plain array: create it with"),
        ("int", "`int(x * 10)` needs a plain number, as an integer has no gradient: write int(t.value), a constant"),
        ("round", "`round(x, 2)` needs a plain number, as a rounded number has no gradient: write np.round(x, 2)"),
    ],
)
def test_the_error_says_what_it_was_and_what_to_write(name: str, what: str) -> None:
    with pytest.raises(tg.GradientLostError) as raised:
        tg.grad(WAYS_OUT[name])(1.5)
    assert f" of {Path(__file__).name}: {what}" in str(raised.value)


def test_the_traceback_of_an_assignment_leads_to_it() -> None:
    with pytest.raises(tg.GradientLostError) as raised:
        tg.grad(WAYS_OUT["array[i] = x"])(1.5)
    assert raised.traceback[-1].name == "assigned"


PROGRAM = "import math, tinygrad_cnn as tg; print(tg.grad(lambda x: x * math.exp(x))(1.0))"


@pytest.mark.parametrize("how", ["-c", "standard input", "file", "exec"])
def test_it_raises_from_wherever_the_code_comes(how: str, tmp_path: Path) -> None:
    if how == "exec":
        with pytest.raises(tg.GradientLostError):
            exec(PROGRAM, {})
        return
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    arguments = {"-c": ["-c", PROGRAM], "standard input": ["-"], "file": [str(file)]}[how]
    done = subprocess.run([sys.executable, *arguments], input=PROGRAM, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "GradientLostError" in done.stderr


def test_libraries_that_ask_for_numbers_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    integrate, optimize = pytest.importorskip("scipy.integrate"), pytest.importorskip("scipy.optimize")
    for function in (
        lambda t: pd.Series([t, t]).mean(),
        lambda t: pd.Series([t, t], dtype=float).sum(),
        lambda t: integrate.quad(lambda s: np.exp(-s * t), 0, 1)[0],
        lambda t: optimize.brentq(lambda s: s * s - t, 0, 5),
    ):
        with pytest.raises(TypeError):
            tg.grad(function)(1.5)


def test_outside_of_a_record_there_is_no_gradient_to_lose() -> None:
    t = tg.Tensor(2.5)
    with tg.no_grad():
        assert [float(t), int(t), complex(t), round(t), round(t, 1)] == [2.5, 2, 2.5, 2, 2.5]
        assert [math.exp(t), math.floor(t), math.ceil(t), math.trunc(t)] == [math.exp(2.5), 2, 3, 2]
        assert t.item() == t.tolist() == 2.5
    assert float(t.value) == float(tg.stop_gradient(t)) == 2.5


@pytest.mark.parametrize("method", ["item", "tolist"])
def test_item_and_tolist_warn_of_what_is_being_differentiated(method: str) -> None:
    def loss(x: Any) -> Any:
        return x * getattr(x, method)()

    with pytest.warns(tg.GradientLostWarning, match=rf"tg\.stop_gradient\(t\)\.{method}\(\)") as caught:
        assert tg.grad(loss)(3.0) == 3.0
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
    assert tg.grad(lambda x: x * getattr(tg.stop_gradient(x), method)())(3.0) == 3.0  # without a warning


def test_after_backward_the_numbers_may_be_taken() -> None:
    x = tg.Tensor(3.0)
    loss = x * x
    loss.backward()
    assert [loss.item(), x.tolist()] == [9.0, 3.0]


def test_a_copy_within_the_process_keeps_its_place_in_the_graph() -> None:
    x = tg.Tensor([1.0, 2.0])
    twice = copy.deepcopy(x * 2)
    np.sum(twice * copy.copy(x)).backward()
    np.testing.assert_array_equal(x.grad, [4, 8])


def test_comparing_and_choosing_stay_as_they_are() -> None:
    t = tg.Tensor([1.0, 3.0, 2.0])
    assert max(t).value == 3.0
    assert [x.value for x in sorted(t)] == [1, 2, 3]
    assert bisect.bisect([1.0, 2.0, 3.0], t[2]) == 2
    assert sum(t).value == math.prod(t).value == 6.0
