"""Threads share the work of a step: with the same results however many there are, and whoever calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from lowering.c.in_c import needs_a_compiler

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.c.plan import CPlan
from tinygrad_cnn.lowering.passes import optimised
from tinygrad_cnn.lowering.trace import leaves_of, traced

needs_a_compiler()
pytestmark = pytest.mark.skipif(os.name != "posix", reason="threads are those of POSIX")


def loss(w, v, x):
    h = tg.max_pool2d(tg.relu(tg.conv2d(x, w, padding=1)), 2)
    h = h - h.mean(axis=0)
    logits = h.reshape(len(x), -1) @ v
    return np.mean(logits**2) + np.max(np.abs(logits)) + np.sum(h * h, axis=(0, 2, 3)).mean() + np.min(h, axis=1).mean()


def arguments(seed: int, dtype=np.float64, batch: int = 256) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in [(4, 2, 3, 3), (4 * 49, 9), (batch, 2, 14, 14)]]


def function(*args):
    return tg.value_and_grad(loss, argnums=(0, 1, 2))(*args)


def run(plan: CPlan, given: list[np.ndarray]) -> list[np.ndarray]:
    return plan(leaves_of(function, tuple(given), {}).leaves)


def plan_with(threads: str, monkeypatch, given: list[np.ndarray]) -> CPlan:
    monkeypatch.setenv("TINYGRAD_CNN_THREADS", threads)
    return CPlan(optimised(traced(function, tuple(given), {})))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_do_not_depend_on_the_number_of_threads(dtype, monkeypatch) -> None:
    given = arguments(0, dtype)
    plan = plan_with("1", monkeypatch, given)
    assert plan.split is None
    assert plan.source.text.count("split(step_") >= 8
    expected = run(plan, given)
    for threads in ("2", "5"):
        plan = plan_with(threads, monkeypatch, given)
        for _ in range(20):
            for a, b in zip(run(plan, given), expected, strict=True):
                np.testing.assert_array_equal(a, b)


def test_results_of_parts_are_those_of_the_function(monkeypatch) -> None:
    given = arguments(1)
    expected, slopes = function(*given)
    value, *found = run(plan_with("3", monkeypatch, given), given)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for a, b in zip(found, slopes, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12 * np.abs(b).max())


def test_what_is_small_is_not_divided(monkeypatch) -> None:
    plan = plan_with("2", monkeypatch, arguments(0, batch=1))
    assert "split(step_" not in plan.source.text


def test_several_python_threads_call_a_divided_step(monkeypatch) -> None:
    inputs = [arguments(seed) for seed in range(4)]
    plan = plan_with("3", monkeypatch, inputs[0])
    expected = [run(plan, given) for given in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(30):
            for found, wanted in zip(pool.map(lambda given: run(plan, given), inputs), expected, strict=True):
                for a, b in zip(found, wanted, strict=True):
                    np.testing.assert_array_equal(a, b)


FORKED = """
import os, sys
import numpy as np
import tinygrad_cnn as tg
sys.path[:0] = sys.argv[1:]
from lowering.c.test_threads import arguments, function

given = arguments(0)
step = tg.compile(function, backend="c")
value, _ = step(*given)
child = os.fork()
again = [step(*given)[0] for _ in range(20)]
assert all(x == value for x in again)
if not child:
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_has_threads_of_its_own() -> None:
    tests = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    done = subprocess.run(
        [sys.executable, "-c", FORKED, tests, os.path.join(tests, "support")], capture_output=True, text=True,
        timeout=300, check=False, env={**os.environ, "TINYGRAD_CNN_THREADS": "3"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["TINYGRAD_CNN_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5"])
def test_a_number_of_threads_that_is_none(name, value, monkeypatch) -> None:
    monkeypatch.delenv("TINYGRAD_CNN_THREADS", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"compile: {name} is '{value}'; expected the number of threads, at least 1"):
        tg.compile(np.sin, backend="c")(np.ones(3))
