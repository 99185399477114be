"""What can be traced, what raises, and what a program takes from outside."""

from __future__ import annotations

import contextlib
import re

import numpy as np
import pytest
from lowering.comparing import agrees_in_every_way

import tinygrad_cnn as tg

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
OTHER = X[:, ::-1] * 1.5 + 0.1


def summed(function):
    return tg.value_and_grad(lambda x: np.sum(function(x)))


# Data-dependent Python: each raises with the line at which it stands, and with what to do.

DEPENDING = {
    "a branch": lambda x: x if np.sum(x) > 0 else -x,
    "a while loop": lambda x: next(x for _ in iter(lambda: bool(np.all(x < 0)), True)),
    "float(x)": lambda x: x * float(np.sum(x > 0)),
    "int(x)": lambda x: x * int(np.argmax(x > 0)),
    "range(x)": lambda x: sum((x for _ in range(np.argmax(x > 0))), x),
    "np.asarray(x)": lambda x: x * np.asarray(x > 0),
    "x[mask]": lambda x: x[x > 0],
    "nonzero": lambda x: x[np.nonzero(x > 0)],
    "unique": lambda x: np.unique(x),
    "item": lambda x: x * np.sum(x > 0).item(),
    "tolist": lambda x: x * len(np.argsort(x.ravel()).tolist()),
    "a shape": lambda x: np.sum(x) * np.zeros(np.argmax(x > 0)),
    "an index of a list": lambda x: x * [1.0, 2.0][np.argmax(x > 0)],
    "a membership": lambda x: x if 1 in (x > 0) else -x,
}


# Integers that are arguments and decide a shape: they cannot be an input of a program.
DECIDING = {
    "a slice": lambda x, n: np.mean(x[:n] ** 2),
    "the begin of a slice": lambda x, n: np.mean(x[n:] ** 2),
    "an axis": lambda x, n: np.mean(np.sum(x, axis=n) ** 2),
    "an axis of a square": lambda x, n: np.mean(np.sum(x @ x.T, axis=n) ** 2),
    "repeat": lambda x, n: np.mean(np.repeat(x, n) ** 2),
    "tile": lambda x, n: np.mean(np.tile(x, n) ** 2),
    "pad": lambda x, n: np.mean(np.pad(x, n) ** 2),
    "diff": lambda x, n: np.mean(np.diff(x, n=n) ** 2),
    "a computed one": lambda x, n: np.mean(x[: n * 2 - 1] ** 2),
    "a window": lambda x, n: np.mean(tg.max_pool2d(x, n) ** 2),
    "concatenate": lambda x, n: np.mean(np.concatenate([x, x], axis=n) ** 2),
    "the key of a dict": lambda x, n: np.mean({1: x}[n]),
}


@pytest.mark.parametrize("name", DECIDING)
def test_an_integer_that_decides_a_shape_raises(name) -> None:
    with pytest.raises(tg.TracingError, match=r"\(.*test_tracing\.py:\d+ in "):
        tg.program(tg.grad(DECIDING[name]))(X, 1)
    if name == "an axis of a square":  # which decides no shape, where no gradient is taken
        np.testing.assert_allclose(tg.program(DECIDING[name])(X, 1)(OTHER, 0), DECIDING[name](OTHER, 0))
        return
    with pytest.raises(tg.TracingError, match=r"Close over the number \(.*test_tracing\.py:\d+ in "):
        tg.program(DECIDING[name])(X, 1)


def test_an_integer_that_decides_no_shape_is_an_input() -> None:
    def function(x, n):
        return np.mean(x[n] ** 2) + np.sum(np.roll(x, n) * x) * n + np.sum(x[0, n - 1] ** n)

    step = tg.compile(tg.grad(function), backend="numpy")
    for n in (0, 1, -1):
        np.testing.assert_allclose(step(X, n), tg.grad(function)(X, n), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("exponents", [(2, 3, 1, 0, -1), (2.5, 0.0, 1.0, -0.5)])
@pytest.mark.parametrize("order", [1, 2])
def test_an_exponent_that_is_an_argument_is_an_input(dtype, exponents, order) -> None:
    gradient = lambda x, n: x**n
    for _ in range(order):
        gradient = tg.grad(lambda x, n, inner=gradient: np.sum(inner(x, n)))
    x = np.array([0.5, 2.0, 0.0, np.inf, np.nan], dtype)
    with np.errstate(all="ignore"):
        step = tg.compile(gradient, backend="numpy")
        for n in exponents:
            np.testing.assert_allclose(step(x, n), gradient(x, n), rtol=1e-6, strict=True)


@pytest.mark.parametrize("result", [lambda x: f"{x}", lambda x: {"a": [x, "b"]}, lambda x: (y for y in x)])
def test_a_result_that_is_no_array_raises(result) -> None:
    with pytest.raises(TypeError, match=r"program: the function returns .*; expected arrays and numbers"):
        tg.program(result)(X)


def assigned_by_functions(x):
    h = np.zeros_like(x)
    np.copyto(h, x * x, where=x > 0)
    np.put(h, [0, 4], x[0, :2])
    np.fill_diagonal(h, x[1, 1] ** 2)
    np.put_along_axis(h, np.array([[2], [0]]), x[:, :1] * 3, axis=1)
    np.putmask(h, x > 1.5, x**3)
    np.place(h, x < -0.9, 0.5)
    return h


@pytest.mark.parametrize("name", DEPENDING)
def test_what_depends_on_elements_raises_with_the_line_and_with_advice(name) -> None:
    with pytest.raises(
        tg.TracingError, match=r"^(program|np\.\w+): .*; expected .*\. \w+.* \(.*test_tracing\.py:\d+ in .*\)$"
    ):
        tg.program(summed(DEPENDING[name]))(X)


# What a program takes.

TAKEN = {
    "interpolation": lambda x: (
        np.interp(x, [-1.0, 0.0, 2.0], [1.0, 3.0, 2.0]) + np.interp([0.1, 0.4, 0.9], [0, 1], x[0, :2])
    ),
    "nodes of an interpolation": lambda x: np.interp([-0.5, 0.3, 0.7], np.cumsum(x**2, axis=1)[0], x[1]),
    "np.take by traced indices": lambda x: np.take(x, np.argmax(x, axis=1), axis=1) ** 2,
    "np.piecewise of numbers": lambda x: x * np.piecewise(x, [x < 0, x >= 0], [-1, 1]),
    "np.bincount of known places": lambda x: np.bincount([0, 1, 1], weights=x[0] ** 2),
    "np.histogram of known edges": lambda x: x * np.histogram(x, bins=[-1.0, 0.0, 3.0])[0][0],
    "np.array, like": lambda x: np.array([x[0], x[1] ** 2], like=x) + np.array([1.0, 2.0, 3.0], like=x),
    "functions that assign": lambda x: assigned_by_functions(x),
    "int, a static loop": lambda x: sum(x[:, i] * i for i in range(x.shape[1])),
    "assignment to parts": lambda x: assigned(x),
    "a view that is written to": lambda x: through_a_view(x),
    "in place": lambda x: in_place(x),
    "a sort": lambda x: np.sort(x, axis=1) ** 2,
    "argmax as an index": lambda x: x[np.arange(2), np.argmax(x, axis=1)] ** 2,
    "integers": lambda x: x * (np.arange(3) % 2) * np.sum(x > 0, axis=0),
    "a gradient within": lambda x: tg.grad(lambda y: np.sum(np.sin(y) * x))(x) * x,
    "a jvp": lambda x: tg.jvp(np.tanh, [x], [x * x])[1],
    "a Hessian-vector product": lambda x: tg.hvp(lambda y: np.sum(y**3), x, x),
    "a Hessian-vector product of parts": lambda x: tg.hvp(lambda y: y[0, 1] ** 2 * y[1, 0] + np.sum(y[0] ** 3), x, x),
    "a Jacobian": lambda x: tg.jacobian(lambda y: np.cumsum(y) ** 2)(x[0]),
    "checkpoint": lambda x: tg.checkpoint(lambda y: np.tanh(y) ** 2)(x * x),
    "stop_gradient": lambda x: x * tg.stop_gradient(x),
    "complex numbers": lambda x: np.abs(np.fft.fft(x, axis=1)) ** 2,
    "several results": lambda x: np.linalg.qr(x)[1] ** 2,
    "where with a mask of its own": lambda x: np.where(np.isnan(np.where(x > 1, np.nan, x)), 0, x * x),
}


def assigned(x):
    h = np.zeros_like(x)
    for i in range(x.shape[1]):
        h[:, i] = x[:, i] * (h[:, i - 1] if i else 1)
    return h


def through_a_view(x):
    h = x * 1.0
    row = h[1]
    row[1:] = row[:-1] * x[0, 1:]
    row += 1
    return h**2


def in_place(x):
    h = np.exp(x)
    h *= x
    h[0] -= h[1]
    return h


@pytest.mark.parametrize("name", TAKEN)
def test_a_program_has_the_engines_results_for_other_arguments(name) -> None:
    agrees_in_every_way(summed(TAKEN[name]), [X], [OTHER])


def test_a_training_step_with_its_optimiser_and_its_loop_is_a_program() -> None:
    def descend(p, x):
        for _ in range(3):
            value, gradient = tg.value_and_grad(lambda p: np.sum(np.tanh(x @ p["W"] + p["b"]) ** 2))(p)
            p = tg.SGD(0.1).step(p, gradient)
        return value, p

    start = {"W": np.ones((3, 2)), "b": np.zeros(2)}
    agrees_in_every_way(descend, [start, X], [{"W": np.full((3, 2), 0.3), "b": np.ones(2)}, OTHER])


@pytest.mark.parametrize("value", [X[:, ::2], X.T, np.asfortranarray(X), X[::-1], np.zeros((0, 3)), np.array(2.0)])
def test_strided_empty_and_0_d_arguments(value) -> None:
    agrees_in_every_way(tg.grad(lambda x: np.sum(np.sin(x) * x)), [value], [np.copy(value) + 0.5])


SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0])


@pytest.mark.parametrize(
    "function",
    [np.abs, np.sqrt, lambda x: x * 0, lambda x: x - 0.0, lambda x: x * 1.0, lambda x: np.maximum(x, -x), tg.relu],
)  # fmt: skip
def test_nan_infinities_and_the_signs_of_zeros_are_kept(function) -> None:
    with np.errstate(all="ignore"):
        expected = tg.vjp(function, SPECIAL)
        program = tg.compile(lambda x, g: (tg.vjp(function, x)[0], tg.vjp(function, x)[1](g)))
        found = program(SPECIAL, np.ones(6))
        for a, b in zip((found[0], *found[1]), (expected[0], *expected[1](np.ones(6))), strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


# Infinite slopes, where nothing depends on the result.

AT_ZERO = np.array([0.0, -1.0, 4.0])
GUARDED = {
    "a root": lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 0)), 0),
    "a logarithm": lambda x: np.where(x > 0, np.log(np.abs(x)), x),
    "a quotient": lambda x: np.where(x != 0, np.sin(x) / np.where(x == 0, 0.0, x), 1),
    "a power": lambda x: np.where(x > 0, np.abs(x) ** 0.5, 0),
    "a root that is picked from": lambda x: np.sqrt(np.abs(x))[1:],
    "a root that is masked": lambda x: np.sqrt(np.abs(x)) * (x > 0),
}


@pytest.mark.parametrize("name", GUARDED)
def test_an_infinite_slope_passes_on_0_as_it_does_in_the_engine(name) -> None:
    with np.errstate(all="ignore"):
        agrees_in_every_way(tg.grad(lambda x: np.sum(GUARDED[name](x))), [AT_ZERO], [AT_ZERO[::-1] * 2])


def test_masks_are_left_out_where_a_slope_is_known_to_be_finite() -> None:
    def loss(x):
        h = x * (x > 0)
        return np.sum(h / np.sqrt(np.mean(h * h) + 1e-5))

    assert not {x.operation for x in tg.program(tg.grad(loss))(X).listing.instructions} & {"masked", "isnan"}


# What comes from outside.


def test_hidden_randomness_is_found() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(tg.TracingError, match=r"a second time.*random numbers"):
        tg.program(lambda x: x * rng.random(x.shape))(X)


def test_a_growing_list_is_found() -> None:
    seen = []

    def remembers(x):
        seen.append(1)
        return x * len(seen)

    with pytest.raises(tg.TracingError, match="a second time"):
        tg.program(remembers)(X)


def test_a_side_effect_on_an_argument_or_on_an_outer_array_raises() -> None:
    outer = np.zeros(2)

    def writes_outside(x):
        outer[:] += 1
        return x + outer

    with pytest.raises(tg.TracingError, match=r"a second time|side effects"):
        tg.program(writes_outside)(np.ones(2))
    with pytest.raises(tg.TracingError, match=r"assigned to.*side effects"):
        tg.program(lambda x: x.__setitem__(0, 1.0))(np.ones(2))


def test_an_array_that_the_function_closes_over_is_read_at_each_call() -> None:
    outer = np.ones((2, 3))
    step = tg.compile(tg.grad(lambda x: np.sum(x * x * outer)))
    np.testing.assert_array_equal(step(X), 2 * X)
    outer *= 3
    np.testing.assert_array_equal(step(X), 6 * X)


def test_what_python_computes_of_an_outer_array_is_computed_again_when_that_changes() -> None:
    outer = np.arange(6.0).reshape(2, 3)
    step = tg.compile(tg.grad(lambda x: np.sum(x * x * (1 - outer))))
    np.testing.assert_array_equal(step(X), 2 * X * (1 - outer))
    outer[0, 0] = 5
    np.testing.assert_array_equal(step(X), 2 * X * (1 - outer))


class Model:
    """Parameters as attributes, one of which the loss uses as a number."""

    def __init__(self) -> None:
        self.W = np.arange(6.0).reshape(2, 3)

    def loss(self, x):
        return np.sum(np.tanh(x * self.W.sum() / 10))


def test_what_a_method_reads_of_its_object_may_change_or_be_replaced() -> None:
    model = Model()
    step = tg.compile(tg.grad(model.loss))
    for change in (lambda: None, lambda: model.W.__setitem__(0, 3.0), lambda: setattr(model, "W", np.ones((2, 3)))):
        change()
        np.testing.assert_allclose(step(X), tg.grad(model.loss)(X), rtol=1e-13)


def test_a_tensor_that_the_function_closes_over_may_be_assigned_to() -> None:
    outer = tg.Tensor([1.0, 2.0, 3.0])
    step = tg.compile(tg.grad(lambda x: np.sum(x * x * outer)))
    np.testing.assert_array_equal(step(X), 2 * X * [1.0, 2.0, 3.0])
    outer[0] = 5.0
    np.testing.assert_array_equal(step(X), 2 * X * [5.0, 2.0, 3.0])


def test_another_function_under_the_same_name_is_another_program() -> None:
    chosen = np.sin
    step = tg.compile(lambda x: chosen(x))
    np.testing.assert_array_equal(step(X), np.sin(X))
    chosen = np.cos
    np.testing.assert_array_equal(step(X), np.cos(X))


def test_the_state_of_an_optimiser_that_is_closed_over_is_found() -> None:
    optimiser = tg.Adam(0.1)
    with pytest.raises(tg.TracingError, match=r"kept from an earlier run.*Pass the state as an argument"):
        tg.compile(lambda p: optimiser.step(p, p * p))(np.ones(3))


def test_an_outer_array_that_cannot_be_written_to_is_a_constant() -> None:
    outer = np.ones((2, 3))
    outer.flags.writeable = False
    listing = tg.program(lambda x: x * (outer + 1))(X).listing
    assert {x.operation for x in listing.instructions} <= {"input", "constant", "full", "add", "multiply"}


def test_numbers_that_are_arguments_are_inputs() -> None:
    traces = []

    def scaled(x, step, rate):
        traces.append(step)
        return x * rate / (1 + step)

    step = tg.compile(scaled)
    for k, rate in ((0, 0.5), (1, 0.25), (7, 2.0)):
        np.testing.assert_array_equal(step(X, k, rate), X * rate / (1 + k))
    assert len(traces) == 2  # of one program


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_python_number_leaves_the_dtype_of_an_array_as_it_is(dtype) -> None:
    x = X.astype(dtype)
    found = tg.compile(lambda x, rate: (x * rate, x * np.sin(rate)))(x, 0.1)
    expected = (x * 0.1, x * np.sin(0.1))
    assert [a.dtype for a in found] == [a.dtype for a in expected]
    np.testing.assert_array_equal(found[0], expected[0])


def test_a_tensor_as_an_argument_is_part_of_what_it_is_used_in() -> None:
    square = tg.compile(lambda x: x * x)
    np.testing.assert_array_equal(tg.grad(lambda x: np.sum(square(x)))(X), 2 * X)


def test_a_trace_that_fails_leaves_nothing_behind() -> None:
    with contextlib.suppress(tg.TracingError):
        tg.program(lambda x: bool(x > 0))(np.float64(1.0))
    assert isinstance(tg.Tensor(X) * 2, tg.Tensor)
    assert not re.search("Traced", repr(tg.grad(np.sum)(X)))


def test_numpys_functions_that_assign_do_so_to_a_traced_array_alone() -> None:
    agrees_in_every_way(assigned_by_functions, [X], [OTHER])

    def assigned_to_a_plain_one(x):
        h = np.zeros((2, 3))
        np.copyto(h, x)
        return h

    with pytest.raises(tg.TracingError, match=r"^np\.copyto: .*; expected .*zeros_like.*test_tracing\.py:\d+ in "):
        tg.program(assigned_to_a_plain_one)(X)
    with pytest.raises(ValueError, match="broadcast"):  # NumPy's own error
        tg.program(lambda x: np.copyto(x * 1, np.ones(7)))(X)
