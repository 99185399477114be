"""tg.compile: when a program is made, what it returns, and that threads and interrupts do it no harm."""

from __future__ import annotations

import gc
import os
import signal
import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn.lowering.planned.convolutions import with_large_convolutions

RNG = np.random.default_rng(0)
P = {"W": RNG.normal(size=(3, 3)), "b": RNG.normal(size=(1, 1)), "f": RNG.normal(size=(36,))}
IMAGES = RNG.normal(size=(5, 12, 12))


def loss(p, x):
    conv = tg.conv2d(x, p["W"], padding=1) + p["b"]
    pool = tg.max_pool2d(tg.relu(conv), 2)
    return np.mean(np.tanh(pool.reshape(len(x), -1) @ p["f"]) ** 2)


def counted(function):
    """The function, and an array that grows by one for each time that it is run."""
    runs = array("b")  # of a type that is not compared: a list that grows is a new program

    def counting(*args):
        runs.append(1)
        return function(*args)

    return counting, runs


def test_the_results_of_a_call_stay_after_the_next() -> None:
    step = tg.compile(tg.value_and_grad(loss))
    first = step(P, IMAGES)
    kept = tg.tree.map(np.copy, first)
    step(P, IMAGES * 2)
    for a, b in zip(tg.tree.flatten(first).leaves, tg.tree.flatten(kept).leaves, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_results_are_the_callers_own() -> None:
    step = tg.compile(lambda x: (x, x.T, x[0], np.zeros_like(x), x + 1, (x + 1).reshape(-1)))
    x = np.ones((2, 3))
    for _ in range(2):
        results = step(x)
        for a in results:
            a += 7
        np.testing.assert_array_equal(x, np.ones((2, 3)))
    np.testing.assert_array_equal(step(x)[4], np.full((2, 3), 2.0))


def test_another_shape_dtype_or_structure_is_another_program() -> None:
    function, runs = counted(lambda p: p["x"] * 2)
    step = tg.compile(function)
    for x in (np.ones(3), np.ones(4), np.ones(3, np.float32), np.ones((3, 1)), 1.0, 1):
        np.testing.assert_array_equal(step({"x": x}), x * 2)
        np.testing.assert_array_equal(step({"x": x}), x * 2)
    assert len(runs) == 2 * 6
    step({"x": np.ones(3), "y": np.ones(3)})
    assert len(runs) == 2 * 7


class Left(NamedTuple):
    x: np.ndarray


class Right(NamedTuple):
    x: np.ndarray


A, B = np.ones(2), np.full(2, 3.0)
GRADIENT = tg.grad(lambda p: np.sum(p[0] * p[1]))


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (GRADIENT, [[A, B], (A, B), {0: A, 1: B}]),
        (lambda p: p.x * (2 if isinstance(p, Right) else 1), [Left(A), Right(A)]),
        (lambda p: next(iter(p.values())) * 2, [{"a": A, "b": B}, {"b": B, "a": A}]),
        (lambda p: A if p is None else B, [None, [], {}]),
        (lambda p: A * len(p), [[2.0, None], [2.0], [2.0, []], [2.0, None, None]]),
        (lambda p: B[p], [slice(1), slice(2), slice(1, 2)]),
        (lambda p: B * len(p), [{1}, {1, 2}, range(3), range(4), "a", b"ab"]),
        (lambda p: B * p, [2, 2.0, True, np.float32(2), np.float64(2), 1j]),
    ],
)
def test_arguments_of_another_kind_are_another_program(function, given) -> None:
    step = tg.compile(function, backend="numpy")
    for p in [*given, *given]:
        found, expected = step(p), function(p)
        assert type(found) is type(expected)
        for a, b in zip(tg.tree.flatten(found).leaves, tg.tree.flatten(expected).leaves, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


def test_a_parameter_that_is_left_out_is_not_one_that_is_none() -> None:
    def scaled(x, by=5.0):
        return x if by is None else x * by

    step = tg.compile(scaled, backend="numpy")
    np.testing.assert_array_equal(step(A), A * 5)
    np.testing.assert_array_equal(step(A, None), A)
    np.testing.assert_array_equal(step(A, by=2.0), A * 2)
    with pytest.raises(TypeError, match="multiple values for argument 'x'"):
        step(A, x=A)


@pytest.mark.parametrize(
    "given",
    [
        np.ones((1, 1)).view(np.matrix),
        np.ma.array([1.0], mask=[True]),
        np.array([2**80]),
        np.array(["2020"], "M8[Y]"),
        2**63,
    ],
)
@pytest.mark.parametrize("make", [lambda f: tg.compile(f, backend="numpy"), tg.program])
def test_what_is_no_array_of_numbers_is_refused(given, make) -> None:
    step = make(lambda x: x * 2)
    step(1 if isinstance(given, int) else np.ones(given.shape))
    with pytest.raises(TypeError, match="program: argument x"):
        step(given)


def test_an_argument_that_is_no_array_chooses_the_program() -> None:
    step = tg.compile(lambda x, mode: x + 1 if mode == "add" else x * 2)
    np.testing.assert_array_equal(step(np.ones(2), "add"), [2, 2])
    np.testing.assert_array_equal(step(np.full(2, 3.0), "double"), [6, 6])
    np.testing.assert_array_equal(step(np.full(2, 3.0), "add"), [4, 4])


def test_a_bounded_number_of_programs_is_kept() -> None:
    function, runs = counted(lambda x: x + 1)
    step = tg.compile(function)
    for n in range(40):
        step(np.zeros(n))
    step(np.zeros(39))
    assert len(runs) == 2 * 40
    step(np.zeros(0))  # which has been given up
    assert len(runs) == 2 * 41
    for n in range(100, 115):
        step(np.zeros(39))  # which is used again and again, and so is kept
        step(np.zeros(n))
    step(np.zeros(39))
    assert len(runs) == 2 * (41 + 15)


class Pair(NamedTuple):
    left: np.ndarray
    right: np.ndarray


def test_results_have_the_structure_of_the_functions() -> None:
    step = tg.compile(lambda p: {"sum": [p.left + p.right, None], "pair": p, "number": 3})
    found = step(Pair(np.ones(2), np.zeros(2)))
    assert list(found) == ["sum", "pair", "number"]
    assert found["sum"][1] is None
    assert isinstance(found["pair"], Pair)
    assert found["number"] == 3
    assert type(found["number"]) is int


def test_a_changed_number_that_the_function_closes_over_is_a_new_program() -> None:
    rate = 1.0
    step = tg.compile(lambda x: x * rate)
    np.testing.assert_array_equal(step(np.ones(2)), [1, 1])
    rate = 3.0
    np.testing.assert_array_equal(step(np.ones(2)), [3, 3])


def test_verify_compares_each_call_with_the_engine(monkeypatch) -> None:
    monkeypatch.setenv("HIDDEN", "1")  # which is not looked into
    step = tg.compile(lambda x: x * float(os.environ["HIDDEN"]), verify=True)
    step(np.ones(2))
    monkeypatch.setenv("HIDDEN", "0")
    with pytest.raises(RuntimeError, match="compile: the program's result"):
        step(np.ones(2))


def test_threads_call_one_step() -> None:
    step = tg.compile(tg.value_and_grad(loss))
    inputs = [IMAGES * (1 + k / 10) for k in range(8)]
    expected = [tg.value_and_grad(loss)(P, x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            for found, (value, gradient) in zip(pool.map(lambda x: step(P, x), inputs), expected, strict=True):
                np.testing.assert_allclose(found[0], value, rtol=1e-12)
                np.testing.assert_allclose(found[1]["W"], gradient["W"], rtol=1e-10)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer that interrupts")
def test_an_interrupt_leaves_the_step_usable() -> None:
    step = tg.compile(tg.value_and_grad(loss))
    value, gradient = step(P, IMAGES)

    class InterruptedError(Exception):
        pass

    def interrupt(*_):
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for k in range(40):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (k + 1))
                while True:
                    step(P, IMAGES * (2 + k))
            except InterruptedError:
                pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    again, its_gradient = step(P, IMAGES)
    assert again == value
    np.testing.assert_array_equal(its_gradient["W"], gradient["W"])


def test_an_error_of_numpys_leaves_the_step_usable() -> None:
    step = tg.compile(lambda a: np.linalg.inv(a) @ a)
    np.testing.assert_allclose(step(np.eye(2) * 3), np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        step(np.zeros((2, 2)))
    np.testing.assert_allclose(step(np.eye(2) * 5), np.eye(2))


def test_a_thread_that_traces_does_not_disturb_another_that_does_not() -> None:
    done = threading.Event()
    faults = []

    def train():
        while not done.is_set():
            gradient = tg.grad(loss)(P, IMAGES)
            if type(gradient["W"]) is not np.ndarray:
                faults.append(gradient)

    thread = threading.Thread(target=train)
    thread.start()
    for n in range(1, 6):
        tg.compile(tg.grad(loss))(P, IMAGES[:n])
    done.set()
    thread.join()
    assert not faults


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_convolutions_are_planned_without_their_columns(stride: int, dtype) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 6, 17, 16)).astype(dtype)
    weights = [rng.normal(size=(6, 6, 3, 3)).astype(dtype) for _ in range(2)]

    def loss(x, weights):
        for weight in weights:
            x = np.tanh(tg.conv2d(x, weight, padding=1, stride=stride))
        return np.sum(x * x)

    step = tg.value_and_grad(loss, argnums=(0, 1))
    listing = with_large_convolutions(tg.program(step)(x, weights).listing)
    operations = [x.operation for x in listing.instructions]
    assert operations.count("conv2d") == operations.count("conv2d_image_gradient") == 2
    assert "im2col" not in operations
    compiled = tg.compile(step, backend="numpy")
    for images in (x, x[::-1].copy()):
        found, expected = (tg.tree.flatten(f(images, weights)).leaves for f in (compiled, step))
        for a, b in zip(found, expected, strict=True):
            tolerance = 1e-12 if dtype == np.float64 else 1e-4
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())


def test_the_garbage_collector_is_as_it_was_after_a_program_is_made() -> None:
    for switch in (gc.disable, gc.enable):
        switch()
        before = gc.isenabled()
        tg.compile(lambda x: x + 1, backend="numpy")(np.ones(3))
        assert gc.isenabled() is before
    with pytest.raises(TypeError):
        tg.compile(lambda x: 1 if x > 0 else 2, backend="numpy")(1.0)
    assert gc.isenabled()
