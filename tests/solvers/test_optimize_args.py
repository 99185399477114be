"""tg.optimize_args: what scipy.optimize.minimize is given to minimise a function of arrays or trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


X0 = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


@pytest.mark.parametrize(
    ("method", "second"),
    [
        ("BFGS", {}),
        ("L-BFGS-B", {}),
        ("CG", {}),
        ("SLSQP", {}),
        ("Newton-CG", {"hessp": True}),
        ("trust-ncg", {"hessp": True}),
        ("trust-exact", {"hess": True}),
    ],
)
def test_methods_converge_with_exact_derivatives(method: str, second: dict[str, bool]) -> None:
    begin = np.full(5, 0.9)
    result = optimize.minimize(**tg.optimize_args(rosenbrock, begin, **second), method=method, tol=1e-8)
    assert result.success
    np.testing.assert_allclose(result.x, np.ones(5), atol=1e-5)


def test_the_derivatives_are_scipys_own_of_the_rosenbrock_function() -> None:
    given = tg.optimize_args(rosenbrock, hess=True, hessp=True)
    value, gradient = given["fun"](X0)
    assert given["jac"] is True
    np.testing.assert_allclose(value, optimize.rosen(X0), rtol=1e-14)
    np.testing.assert_allclose(gradient, optimize.rosen_der(X0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(given["hess"](X0), optimize.rosen_hess(X0), rtol=1e-12)
    np.testing.assert_allclose(given["hessp"](X0, X0), optimize.rosen_hess_prod(X0, X0), rtol=1e-12)


def test_a_tree_keeps_its_structure_shapes_and_dtypes() -> None:
    x0 = {"W": np.zeros((2, 2), np.float32), "layers": [0.0, np.zeros(3)]}
    target = {"W": np.arange(4.0).reshape(2, 2), "layers": [7.0, np.ones(3)]}

    def distance(p: Any, weight: Any) -> Any:
        assert all(leaf.dtype == np.float64 for leaf in tg.tree.flatten(p).leaves)
        squares = tg.tree.map(lambda a, b: np.sum((a - b) ** 2), p, target)
        return weight * sum(tg.tree.flatten(squares).leaves)

    given = tg.optimize_args(distance, x0, hessp=True)
    assert given["x0"].dtype == np.float64
    assert given["x0"].shape == (8,)
    found = given.unflatten(optimize.minimize(**given, args=(3.0,), method="trust-ncg").x)
    assert found["W"].dtype == np.float32
    assert found["W"].shape == (2, 2)
    tg.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, target)
    np.testing.assert_allclose(given["hessp"](given["x0"], np.arange(8.0), 3.0), 6 * np.arange(8.0))


def test_a_matrix_and_a_number_as_x0() -> None:
    matrix = tg.optimize_args(lambda x: np.sum((x - np.eye(2)) ** 2), np.zeros((2, 2)))
    np.testing.assert_allclose(matrix.unflatten(optimize.minimize(**matrix).x), np.eye(2), atol=1e-7)
    number = tg.optimize_args(lambda x: (x - 2) ** 2, 0.0)
    assert np.shape(number.unflatten(optimize.minimize(**number).x)) == ()


def test_float32_is_minimised_in_float64() -> None:
    given = tg.optimize_args(rosenbrock, X0.astype(np.float32))
    result = optimize.minimize(**given, method="L-BFGS-B", tol=1e-12)
    assert result.success
    np.testing.assert_allclose(result.x, np.ones(5), atol=1e-6)
    assert given.unflatten(result.x).dtype == np.float32
    assert given["fun"](X0.astype(np.float32))[1].dtype == np.float64  # SciPy's compiled methods take no other


def test_the_function_is_differentiable_itself() -> None:
    given = tg.optimize_args(lambda x, a: a * np.sum(x**3), np.ones(2))
    assert tg.grad(lambda a: given["fun"](np.ones(2), a)[0])(5.0) == 2.0
    np.testing.assert_array_equal(tg.jacobian(lambda x: given["fun"](x, 5.0)[1])(np.ones(2)), 30 * np.eye(2))


@pytest.mark.parametrize(
    ("function", "x0", "error", "message"),
    [
        (np.sum, np.arange(3), TypeError, "optimize_args: x0 has dtype int64; expected floats. Write 1.0 for 1"),
        (np.sum, {"a": 1}, TypeError, r"optimize_args: x0.a is 1 \(int\)"),
        (np.sum, {"a": "b"}, TypeError, r"optimize_args: x0.a is 'b' \(str\); expected an array"),
        (np.sin, np.ones(3), ValueError, r"optimize_args: .*shape \(3,\)"),
        (lambda x: "x", np.ones(3), TypeError, "optimize_args: the function returned 'x'"),
    ],
)
def test_bad_input(function: Any, x0: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        optimize.minimize(**tg.optimize_args(function, x0))


def test_a_vector_of_another_length() -> None:
    with pytest.raises(ValueError, match=r"optimize_args: x has shape \(2,\); expected \(3,\)"):
        tg.optimize_args(np.sum, np.ones(3))["fun"](np.ones(2))
