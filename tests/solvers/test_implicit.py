"""tg.implicit: any solver, differentiated by the equation that it solves."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

rng = np.random.default_rng(0)


def eccentric_anomaly(mean_anomaly: Any, e: Any) -> Any:
    """Kepler's equation by Newton's method, which is given no Tensor."""
    assert not isinstance(mean_anomaly, tg.Tensor)
    assert not isinstance(e, tg.Tensor)
    anomaly = mean_anomaly
    for _ in range(30):
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - mean_anomaly) / (1 - e * np.cos(anomaly))
    return anomaly


kepler = tg.implicit(eccentric_anomaly, residual=lambda E, M, e: E - e * np.sin(E) - M)
solve = tg.implicit(lambda p: np.linalg.solve(p["A"], p["b"]), residual=lambda x, p: p["A"] @ x - p["b"])
P = {"A": rng.normal(size=(3, 3)) + 3 * np.eye(3), "b": rng.normal(size=3)}


def slope(function: Any, x: float, h: float = 1e-3) -> float:
    """The derivative by a sixth-order difference."""
    weights = {1: 45.0, 2: -9.0, 3: 1.0}
    return sum(w * (function(x + k * h) - function(x - k * h)) for k, w in weights.items()) / (60 * h)


def test_the_value_is_the_solvers() -> None:
    assert kepler(0.7, 0.3) == eccentric_anomaly(0.7, 0.3)
    assert type(kepler(0.7, 0.3)) is type(eccentric_anomaly(0.7, 0.3))
    assert tg.value_and_grad(kepler)(0.7, 0.3)[0] == eccentric_anomaly(0.7, 0.3)


def test_the_derivatives_of_keplers_equation() -> None:
    anomaly = eccentric_anomaly(0.7, 0.3)
    by_mean_anomaly, by_eccentricity = tg.grad(kepler, argnums=(0, 1))(0.7, 0.3)
    np.testing.assert_allclose(by_mean_anomaly, 1 / (1 - 0.3 * np.cos(anomaly)), rtol=1e-14)
    np.testing.assert_allclose(by_eccentricity, np.sin(anomaly) / (1 - 0.3 * np.cos(anomaly)), rtol=1e-14)


def test_derivatives_of_higher_order() -> None:
    derivative: Any = lambda e: kepler(0.7, e)
    for _ in range(4):
        lower, derivative = derivative, tg.grad(derivative)
        np.testing.assert_allclose(derivative(0.3), slope(lower, 0.3), rtol=1e-9)


def test_a_jvp_of_the_first_and_second_order() -> None:
    function = lambda e: kepler(0.7, e)
    np.testing.assert_allclose(tg.jvp(function, [0.3], [2.0])[1], 2 * tg.grad(function)(0.3), rtol=1e-14)
    np.testing.assert_allclose(
        tg.jvp(tg.grad(function), [0.3], [2.0])[1], 2 * tg.grad(tg.grad(function))(0.3), rtol=1e-14
    )


@pytest.mark.parametrize("derivative", [tg.grad, tg.hessian], ids=["gradient", "Hessian"])
def test_a_tree_of_parameters_has_the_derivatives_of_the_solution_that_is_recorded(derivative: Any) -> None:
    found = derivative(lambda p: np.sum(solve(p) ** 3))(P)
    expected = derivative(lambda p: np.sum(np.linalg.solve(p["A"], p["b"]) ** 3))(P)
    tg.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12), found, expected)


def test_a_jacobian() -> None:
    found = tg.jacobian(solve)(P)["b"]
    np.testing.assert_allclose(found, np.linalg.inv(P["A"]), rtol=1e-12)


def test_a_fixed_point() -> None:
    def iterate(a: Any) -> Any:
        x = 1.0
        for _ in range(100):
            x = np.cos(a * x)
        return x

    fixed = tg.implicit(iterate, residual=lambda x, a: np.cos(a * x) - x)
    np.testing.assert_allclose(tg.grad(fixed)(0.8), slope(iterate, 0.8), rtol=1e-9)


def test_a_minimum_by_the_gradient_of_its_objective() -> None:
    """Ridge regression: the derivative of the weights with respect to the penalty has a closed form."""
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    objective = lambda w, penalty: np.sum((X @ w - y) ** 2) + penalty * np.sum(w * w)

    def descend(penalty: Any) -> Any:
        w, rate = np.zeros(3), 0.5 / np.linalg.norm(X.T @ X + penalty * np.eye(3), 2)
        for _ in range(2000):
            w = w - rate * tg.grad(objective)(w, penalty)
        return w

    ridge = tg.implicit(descend, residual=tg.grad(objective))
    normal = X.T @ X + 0.5 * np.eye(3)
    w = np.linalg.solve(normal, X.T @ y)
    np.testing.assert_allclose(tg.jacobian(ridge)(0.5), -np.linalg.solve(normal, w), rtol=1e-8)


def test_tensors_that_the_residual_closes_over_have_gradients() -> None:
    def anomaly(e: Any) -> Any:
        twice = 2 * e
        return tg.implicit(lambda: eccentric_anomaly(0.7, 0.6), lambda E: E - twice * np.sin(E) - 0.7)()

    expected = lambda e: kepler(0.7, 2 * e)
    assert tg.grad(anomaly)(0.3) == tg.grad(expected)(0.3)
    np.testing.assert_allclose(tg.grad(tg.grad(anomaly))(0.3), tg.grad(tg.grad(expected))(0.3), rtol=1e-14)


def test_a_residual_in_a_loop_is_that_of_its_own_iteration() -> None:
    """The graph of the residual is kept: what a closure refers to later does not matter."""

    def total(ps: Any) -> Any:
        found = 0.0
        for i in range(3):
            found = found + tg.implicit(lambda: np.sqrt(ps[i]), lambda x: x * x - ps[i])()
        return found

    np.testing.assert_allclose(tg.grad(total)(np.array([1.0, 4.0, 9.0])), [1 / 2, 1 / 4, 1 / 6], rtol=1e-14)


def test_a_closure_over_a_tensor_and_one_that_it_was_computed_from() -> None:
    """Each of the two has its own share, also if a gradient is taken with respect to one of them alone."""

    def outer(x: Any) -> Any:
        def inner(k: Any) -> Any:
            return tg.implicit(lambda: x * k, lambda y: y - x * k)()

        return tg.grad(inner)(x)

    assert tg.grad(outer)(2.0) == 1.0


def test_backward_without_a_transform() -> None:
    e = tg.Tensor(0.3)
    kepler(0.7, e).backward()
    assert e.grad == tg.grad(kepler, argnums=1)(0.7, 0.3)


def test_an_argument_that_only_the_solver_uses_has_no_gradient() -> None:
    root = tg.implicit(lambda p, guess: np.sqrt(p), residual=lambda x, p, guess: x * x - p)
    assert tg.grad(root, argnums=(0, 1))(4.0, 1.0) == (0.25, 0.0)


def test_float32_stays_float32() -> None:
    root = tg.implicit(np.sqrt, residual=lambda x, p: x * x - p)
    gradient = tg.grad(lambda p: np.sum(root(p)))(np.array([4.0, 9.0], np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, [1 / 4, 1 / 6], rtol=1e-6)


def test_nothing_is_evaluated_without_recording() -> None:
    def residual(x: Any, p: Any) -> Any:
        raise AssertionError

    with tg.no_grad():
        assert tg.implicit(np.sqrt, residual)(4.0) == 2.0


def test_the_graph_is_freed_with_the_solution() -> None:
    gc.disable()  # reference counting suffices
    try:
        data = np.full(3, 2.0)
        data.setflags(write=False)  # so that the graph keeps it, and not a copy
        root = tg.implicit(lambda p, data: np.sqrt(p), lambda x, p, data: x * x - p * data / 2)(
            tg.Tensor(np.ones(3)), data
        )
        np.sum(root).backward()
        kept = weakref.ref(data)
        del data
        assert kept() is not None
        del root
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("solver", "residual", "error", "message"),
    [
        (lambda p: 0 * p, lambda x, p: p * x * x, np.linalg.LinAlgError, r"implicit: the Jacobian .* is singular"),
        (lambda p: 0 * p, lambda x, p: p * np.sqrt(x), np.linalg.LinAlgError, r"implicit: the Jacobian .* not finite"),
        (lambda p: p, lambda x, p: x * x - p, ValueError, r"implicit: x is not a solution.*the residual there is 2"),
        (
            lambda p: p,
            lambda x, p: np.stack([x, x]) * p,
            ValueError,
            r"an array of shape \(2,\); expected .*shape \(\)",
        ),
        (lambda p: p, lambda x, p: (x, x), ValueError, "the residual returned 2 arrays; expected one"),
        (lambda p: p, lambda x, p: 1.0, ValueError, "does not depend on x; expected a function of x"),
        (lambda p: [p, p], lambda x, p: x, TypeError, "the solver returned .*expected one array or number"),
        (lambda p: "2", lambda x, p: x, TypeError, "the solver returned '2'"),
        (lambda p: None, lambda x, p: x, TypeError, "the solver returned None"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_input(solver: Any, residual: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(tg.implicit(solver, residual))(2.0)


def test_a_matrix_that_is_singular_up_to_rounding() -> None:
    A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    system = tg.implicit(lambda b: np.array([1.0, 1.0, 1.0]), lambda x, b: A @ x - b)
    with pytest.raises(np.linalg.LinAlgError, match="not unique"):
        tg.grad(lambda b: np.sum(system(b)))(A @ np.ones(3))


def test_units_do_not_make_a_system_singular() -> None:
    units = np.array([1e-12, 1.0, 1e12])
    system = tg.implicit(lambda b: b / units, lambda x, b: units * x - b)
    np.testing.assert_allclose(tg.grad(lambda b: np.sum(system(b)))(np.ones(3)), 1 / units, rtol=1e-14)
