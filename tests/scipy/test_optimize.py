"""scipy.optimize: roots and minima have SciPy's values, and the derivatives of what their equations define."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from alone import check_alone

import tinygrad_cnn as tg

scipy_optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")
from tinygrad_cnn.scipy import optimize  # noqa: E402

E = 0.3  # what is differentiated with respect to
T = np.linspace(0, 1, 12)
Y = np.exp(-1.3 * T) + 0.05 * np.sin(40 * T)
TIGHT = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}


def slope(function: Callable[[float], Any], x: float, h: float = 1e-3) -> Any:
    """The derivative by a sixth-order difference."""
    weights = {1: 45.0, 2: -9.0, 3: 1.0}
    return sum(w * (function(x + k * h) - function(x - k * h)) for k, w in weights.items()) / (60 * h)


def kepler(e: Any) -> Callable[[Any], Any]:
    return lambda anomaly: anomaly - e * np.sin(anomaly) - 0.7


def kepler_of_arguments(anomaly: Any, e: Any, mean_anomaly: float = 0.7) -> Any:
    return anomaly - e * np.sin(anomaly) - mean_anomaly


def quartic(e: Any) -> Callable[[Any], Any]:
    """Its minimum is at (e, e**2)."""
    return lambda x: (x[0] - e) ** 4 + (x[0] - e) ** 2 + (x[1] - x[0] * e) ** 2


def system(x: Any, e: Any) -> Any:
    return [x[0] * np.cos(x[1]) - 4 * e, x[0] * x[1] - x[1] - 5]


def decay(p: Any, e: Any) -> Any:
    return p[0] * np.exp(-p[1] * T) - Y**e


def model(x: Any, a: Any, b: Any) -> Any:
    return a * np.exp(-b * x)


# Functions of (the module, e). Each result is accurate to 1e-9 or better, so that differences can judge it.
ROOTS: dict[str, Callable[[Any, Any], Any]] = {
    "brentq": lambda o, e: o.brentq(kepler(e), 0, 3),
    "brentq, keywords": lambda o, e: o.brentq(f=kepler(e), b=3, a=0, maxiter=50),
    "brentq, arguments": lambda o, e: o.brentq(kepler_of_arguments, 0, 3, (e, 0.7)),
    "brentq, one argument": lambda o, e: o.brentq(kepler_of_arguments, 0, 3, args=e),
    "brentq, a full output": lambda o, e: o.brentq(kepler(e), 0, 3, full_output=True)[0],
    "brentq, the root of the full output": lambda o, e: o.brentq(kepler(e), 0, 3, full_output=True)[1].root,
    "brenth": lambda o, e: o.brenth(kepler(e), 0, 3),
    "bisect": lambda o, e: o.bisect(kepler(e), 0, 3, xtol=1e-15),
    "ridder": lambda o, e: o.ridder(kepler(e), 0, 3, xtol=1e-15),
    "toms748": lambda o, e: o.toms748(kepler(e), 0, 3),
    "a bracket of e": lambda o, e: o.brentq(lambda x: x * x - 2 * e, 0, 3 + e),
    "newton": lambda o, e: o.newton(kepler(e), 0.7, tol=1e-12),
    "newton with a derivative": lambda o, e: o.newton(kepler(e), 0.7, fprime=lambda x: 1 - e * np.cos(x)),
    "newton, a list of arguments": lambda o, e: o.newton(kepler_of_arguments, 0.7, args=[e, 0.6], tol=1e-12),
    "fixed_point, a list of arguments": lambda o, e: o.fixed_point(lambda x, a: np.cos(a * x), 1.0, [e], xtol=1e-13),
    "newton of an array": lambda o, e: np.sum(
        o.newton(kepler_of_arguments, T, tol=1e-12, args=(e, T)) ** 2 * np.arange(12)
    ),
    "root_scalar": lambda o, e: o.root_scalar(kepler(e), bracket=[0, 3]).root,
    "root_scalar, secant": lambda o, e: o.root_scalar(kepler(e), x0=0.7, x1=1.0).root,
    "root_scalar, f and its derivative": lambda o, e: (
        o.root_scalar(lambda x: (kepler(e)(x), 1 - e * np.cos(x)), x0=0.7, fprime=True).root
    ),
    "fixed_point": lambda o, e: o.fixed_point(lambda x: np.cos(e * x), 1.0, xtol=1e-13),
    "fsolve": lambda o, e: np.sum(o.fsolve(lambda x: system(x, e), [1, 1], xtol=1e-13) ** 2),
    "fsolve, arguments": lambda o, e: o.fsolve(system, [1, 1], args=(e,), xtol=1e-13)[1],
    "fsolve, a full output": lambda o, e: o.fsolve(system, [1, 1], (e,), full_output=True, xtol=1e-13)[0][1],
    "broyden1": lambda o, e: np.sum(o.broyden1(lambda x: x + e * x**3 - T, T, f_tol=1e-13) ** 2),
    "newton_krylov": lambda o, e: np.sum(o.newton_krylov(lambda x: x + e * x**3 - T, T, f_tol=1e-13) ** 2),
    "root": lambda o, e: o.root(lambda x: system(x, e), [1, 1], tol=1e-13).x[0],
    "root, lm": lambda o, e: o.root(lambda x: system(x, e), [1, 1], tol=1e-13, method="lm").x[0],
    "root, a matrix": lambda o, e: np.sum(
        o.root(lambda x: x @ x - e * np.array([[2.0, 1], [1, 3]]), np.eye(2), method="krylov", tol=1e-12).x ** 3
    ),
    "root, f and its derivative": lambda o, e: o.root(lambda x: (x**3 - e, 3 * x**2), [1.0], jac=True, tol=1e-13).x[0],
}
MINIMA: dict[str, Callable[[Any, Any], Any]] = {
    "least_squares": lambda o, e: o.least_squares(lambda p: decay(p, e), [1.0, 1.0], **TIGHT).x[1],
    "least_squares, arguments": lambda o, e: o.least_squares(decay, [1.0, 1.0], args=[e], **TIGHT).x[1],
    "least_squares, cost": lambda o, e: o.least_squares(decay, [1.0, 1.0], args=(e,), **TIGHT).cost,
    "leastsq": lambda o, e: o.leastsq(decay, [1.0, 1.0], args=(e,), ftol=1e-14, xtol=1e-14)[0][1],
    "curve_fit": lambda o, e: np.sum(o.curve_fit(model, T, Y**e, **TIGHT)[0]),
    "curve_fit, x and sigma": lambda o, e: np.sum(o.curve_fit(model, T ** (1 + e), Y, sigma=1 + e * T, **TIGHT)[0]),
    "curve_fit, a covariance of the data": lambda o, e: np.sum(
        o.curve_fit(model, T, Y, sigma=np.eye(12) + e * np.outer(T, T), **TIGHT)[0]
    ),
    "curve_fit, pcov": lambda o, e: np.sum(o.curve_fit(model, T, Y**e, **TIGHT)[1]),
    "curve_fit, absolute sigma": lambda o, e: np.sum(
        o.curve_fit(model, T, Y, sigma=1 + e * T, absolute_sigma=True, **TIGHT)[1]
    ),
    "minimize, fun": lambda o, e: o.minimize(lambda x: quartic(e)(x) + e**3 * x[0], [0.1, 0.1], tol=1e-9).fun,
}


@pytest.mark.parametrize("name", [*ROOTS, *MINIMA])
def test_a_derivative_of_the_first_and_second_order(name: str) -> None:
    function = lambda e: (ROOTS | MINIMA)[name](optimize, e)
    # SciPy's minimisers are accurate to the root of the precision, and so is a difference of their values.
    first, second = ({"rtol": 1e-8}, 1e-8) if name in ROOTS else ({"rtol": 1e-4, "atol": 1e-5}, 1e-5)
    np.testing.assert_allclose(tg.grad(function)(E), slope(function, E), **first)
    np.testing.assert_allclose(tg.grad(tg.grad(function))(E), slope(tg.grad(function), E), rtol=second)


@pytest.mark.parametrize("name", [*ROOTS, *MINIMA])
def test_the_value_is_scipys_bit_for_bit(name: str) -> None:
    function = (ROOTS | MINIMA)[name]
    expected = function(scipy_optimize, E)
    assert function(optimize, E) == expected
    assert tg.value_and_grad(lambda e: function(optimize, e))(E)[0] == expected
    with tg.no_grad():
        assert function(optimize, tg.Tensor(E)) == expected


@pytest.mark.parametrize("name", ["brentq", "newton", "fsolve", "root", "least_squares", "curve_fit, pcov"])
def test_backward_without_a_transform(name: str) -> None:
    e = tg.Tensor(E)
    (ROOTS | MINIMA)[name](optimize, e).backward()
    np.testing.assert_allclose(e.grad, tg.grad(lambda e: (ROOTS | MINIMA)[name](optimize, e))(E), rtol=1e-13)


@pytest.mark.parametrize("minimiser", ["golden", "brent", "minimize_scalar"])
def test_a_minimiser_that_only_compares_values_loses_no_gradient_outside_transforms(minimiser: str) -> None:
    e = tg.Tensor(E)
    found = getattr(optimize, minimiser)(lambda x: np.exp(x) - e * x)
    (found.x if minimiser == "minimize_scalar" else found).backward()
    np.testing.assert_allclose(e.grad, 1 / E, rtol=1e-9)


METHODS = ["Nelder-Mead", "Powell", "CG", "BFGS", "L-BFGS-B", "TNC", "COBYLA", "SLSQP", "trust-constr"]


@pytest.mark.parametrize("method", METHODS)
def test_minimize(method: str) -> None:
    """The minimum is at (e, e**2), whatever the accuracy of the method."""
    function = lambda e: optimize.minimize(quartic(e), [0.1, 0.1], method=method).x
    np.testing.assert_allclose(tg.jacobian(function)(E), [1, 2 * E], rtol=1e-7)
    np.testing.assert_allclose(tg.jacobian(tg.jacobian(function))(E), [0, 2], atol=1e-3)


OLDER: dict[str, dict[str, Any]] = {
    "fmin": {"disp": False},
    "fmin_powell": {"disp": False},
    "fmin_bfgs": {"disp": False},
    "fmin_cg": {"disp": False},
    "fmin_l_bfgs_b": {"approx_grad": True},
    "fmin_ncg": {"disp": False},
}


@pytest.mark.parametrize("minimiser", OLDER)
@pytest.mark.parametrize("full_output", [False, True])
def test_the_older_minimisers(minimiser: str, full_output: bool) -> None:
    def minimum(e: Any) -> Any:
        given = dict(OLDER[minimiser])
        if minimiser == "fmin_ncg":
            given["fprime"] = tg.grad(quartic(e))
        if full_output and minimiser != "fmin_l_bfgs_b":
            given["full_output"] = True
        found = getattr(optimize, minimiser)(quartic(e), [0.1, 0.1], **given)
        return found[0] if isinstance(found, tuple) else found

    np.testing.assert_allclose(tg.jacobian(minimum)(E), [1, 2 * E], rtol=1e-7)


@pytest.mark.parametrize("minimiser", ["brent", "golden", "fminbound"])
def test_the_older_minimisers_of_one_variable(minimiser: str) -> None:
    limits = (-2.0, 2.0) if minimiser == "fminbound" else ()
    minimum = lambda e: getattr(optimize, minimiser)(lambda x: np.exp(x) - e * x, *limits, full_output=True)
    np.testing.assert_allclose(tg.grad(lambda e: minimum(e)[0])(E), 1 / E, rtol=1e-9)
    np.testing.assert_allclose(tg.grad(lambda e: minimum(e)[1])(E), -np.log(E), rtol=1e-7)


def test_elementwise_roots_and_minima() -> None:
    pytest.importorskip("scipy.optimize.elementwise", reason="SciPy has it since 1.15")
    c = np.array([1.0, 8.0])
    root = lambda c: optimize.elementwise.find_root(lambda x, c: x**3 - c, (0.0, 4.0), args=(c,)).x
    np.testing.assert_array_equal(
        root(c), scipy_optimize.elementwise.find_root(lambda x, c: x**3 - c, (0.0, 4.0), args=(c,)).x
    )
    np.testing.assert_allclose(tg.jacobian(root)(c), np.diag([1 / 3, 1 / 12]), rtol=1e-12)
    curve = lambda x, c: (x - c**2) ** 2 + (x - c**2) ** 4 + c
    minimum = lambda c: optimize.elementwise.find_minimum(curve, (-100.0, 2.0, 100.0), args=(c,))
    np.testing.assert_allclose(tg.grad(lambda c: minimum(c).x)(1.3), 2.6, rtol=1e-9)
    np.testing.assert_allclose(tg.grad(tg.grad(lambda c: minimum(c).x))(1.3), 2.0, rtol=1e-7)
    np.testing.assert_allclose(tg.grad(lambda c: minimum(c).f_x)(1.3), 1.0, rtol=1e-6)
    with pytest.raises(tg.GradientLostError, match="find_minimum's bracket has no derivative"):
        tg.grad(lambda c: minimum(c).bracket[1])(1.3)


def test_minimize_with_derivatives_of_the_callers() -> None:
    pair = lambda x, e: (np.sum((x - e) ** 4 + (x - e) ** 2), 4 * (x - e) ** 3 + 2 * (x - e))
    found = tg.jacobian(lambda e: optimize.minimize(pair, [0.1, 0.2], args=(e,), jac=True).x)(E)
    np.testing.assert_allclose(found, [1, 1], rtol=1e-12)
    second = {"jac": lambda x, e: pair(x, e)[1], "hess": lambda x, e: np.diag(12 * (x - e) ** 2 + 2)}
    found = tg.jacobian(
        lambda e: (
            optimize.minimize(
                lambda x, e: pair(x, e)[0], np.array([0.1, 0.2]), args=(e,), method="trust-exact", **second
            ).x
        )
    )(E)
    np.testing.assert_allclose(found, [1, 1], rtol=1e-12)


def test_minimize_of_optimize_args_is_differentiated_too() -> None:
    def weights(penalty: Any) -> Any:
        given = tg.optimize_args(lambda w: np.sum((w - T) ** 2) + penalty * np.sum(w * w), T)
        return optimize.minimize(**given).x

    np.testing.assert_allclose(tg.jacobian(weights)(0.5), -T / 1.5**2, rtol=1e-9, atol=1e-15)


def test_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    ridge = lambda y, penalty: optimize.minimize(lambda w: np.sum((X @ w - y) ** 2) + penalty * (w @ w), np.zeros(3)).x
    normal = X.T @ X + 0.5 * np.eye(3)
    by_y, by_penalty = tg.jacobian(ridge, argnums=(0, 1))(y, 0.5)
    np.testing.assert_allclose(by_y, np.linalg.solve(normal, X.T), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(by_penalty, -np.linalg.solve(normal, np.linalg.solve(normal, X.T @ y)), rtol=1e-9)


def test_minimize_scalar() -> None:
    function = lambda e, **how: optimize.minimize_scalar(lambda x: np.exp(x) - e * x, **how).x  # at log(e)
    np.testing.assert_allclose(tg.grad(function)(E), 1 / E, rtol=1e-9)
    np.testing.assert_allclose(tg.grad(function)(E, bounds=(-3, 3)), 1 / E, rtol=1e-7)
    assert tg.grad(lambda e: optimize.minimize_scalar(lambda x: (x - 2) ** 2 + e**2).fun)(E) == 2 * E


def test_an_element_at_a_bound_stays_there() -> None:
    """The minimum of (x - e)**2 + (y - x - 2)**2 for y <= 1, which is y = 1, x = (e - 1) / 2."""
    function = lambda e, bounds: (
        optimize.minimize(lambda x: (x[0] - e) ** 2 + (x[1] - x[0] - 2) ** 2, [0.1, 0.1], bounds=bounds).x
    )
    for bounds in ([(None, None), (None, 1)], optimize.Bounds([-np.inf, -np.inf], [np.inf, 1])):
        np.testing.assert_allclose(tg.jacobian(function)(E, bounds), [0.5, 0], rtol=1e-9)


SIGMA = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.16]])
MU = np.array([0.05, 0.08, 0.12])


def markowitz(mu: Any, target: Any, sigma: Any = SIGMA) -> Any:
    """The weights of the portfolio of least variance that has a mean return."""
    system = np.zeros((5, 5)) if not isinstance(mu, tg.Tensor) else np.zeros((5, 5), like=mu)
    system[:3, :3], system[:3, 3], system[3, :3], system[:3, 4], system[4, :3] = 2 * sigma, mu, mu, 1, 1
    return np.linalg.solve(system, np.stack([0.0 * target, 0.0, 0.0, target, 1.0]))[:3]


def portfolio(mu: Any, target: Any, **how: Any) -> Any:
    constraints = [
        {"type": "eq", "fun": lambda w: np.sum(w) - 1},
        {"type": "eq", "fun": lambda w, mu: w @ mu - target, "args": (mu,)},
    ]
    given = {"method": "SLSQP", "constraints": constraints, "tol": 1e-12, **how}
    return optimize.minimize(lambda w: w @ SIGMA @ w, np.full(3, 1 / 3), **given).x


def test_equality_constraints() -> None:
    np.testing.assert_allclose(portfolio(MU, 0.08), markowitz(MU, 0.08), rtol=1e-6)
    for argnum in (0, 1):
        found, expected = (tg.jacobian(f, argnums=argnum)(MU, 0.08) for f in (portfolio, markowitz))
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
    variance = lambda weights: lambda target: weights(MU, target) @ SIGMA @ weights(MU, target)
    found, expected = (tg.grad(tg.grad(variance(f)))(0.08) for f in (portfolio, markowitz))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_inequality_constraints_and_bounds() -> None:
    """Of (x - e)**2 + (y - 2)**2 with x + y <= 2, x <= 5 and y <= 1.5: (0.5, 1.5) as a rule."""
    constraints = [{"type": "ineq", "fun": lambda x: 2 - x[0] - x[1]}, {"type": "ineq", "fun": lambda x: 5 - x[0]}]
    minimum = lambda e, bounds: (
        optimize.minimize(
            lambda x: (x[0] - e) ** 2 + (x[1] - 2) ** 2, [0.0, 0.0], constraints=constraints, bounds=bounds
        ).x
    )
    no_bounds = [(None, None), (None, None)]
    np.testing.assert_allclose(tg.jacobian(minimum)(1.0, no_bounds), [0.5, -0.5], atol=1e-9)  # on x + y = 2
    np.testing.assert_allclose(tg.jacobian(minimum)(-1.0, no_bounds), [1, 0], atol=1e-9)  # no constraint is active
    np.testing.assert_allclose(tg.jacobian(minimum)(0.2, [(None, None), (None, 1.5)]), [1, 0], atol=1e-9)  # y = 1.5
    np.testing.assert_allclose(tg.jacobian(minimum)(2.0, [(None, None), (1.2, None)]), [0, 0], atol=1e-9)  # both


def test_a_constraint_that_uses_a_tensor_alone() -> None:
    circle = lambda r: {"type": "eq", "fun": lambda x: x @ x - r**2, "jac": lambda x: 2 * x}
    nearest = lambda r: optimize.minimize(lambda x: np.sum((x - [3.0, 4.0]) ** 2), [1.0, 1.0], constraints=circle(r))
    np.testing.assert_allclose(tg.jacobian(lambda r: nearest(r).x)(2.0), [0.6, 0.8], rtol=1e-9)
    np.testing.assert_allclose(tg.grad(lambda r: nearest(r).fun)(2.0), -6.0, rtol=1e-6)  # of (5 - r)**2


def test_curve_fit_and_least_squares_at_a_bound() -> None:
    """With b fixed at 1.1, the best a is linear in y."""
    basis = np.exp(-1.1 * T)
    popt = lambda y: optimize.curve_fit(model, T, y, p0=[1, 1], bounds=([0, 0], [2, 1.1]))[0]
    np.testing.assert_allclose(tg.jacobian(popt)(Y), [basis / (basis @ basis), np.zeros(12)], rtol=1e-6, atol=1e-12)
    lsq = lambda y: optimize.least_squares(lambda p: model(T, *p) - y, [1, 1], bounds=([0, 0], [2, 1.1])).x
    np.testing.assert_allclose(tg.jacobian(lsq)(Y), tg.jacobian(popt)(Y), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("loss", ["linear", "soft_l1", "huber", "cauchy", "arctan"])
def test_the_losses_of_least_squares(loss: str) -> None:
    """The derivative of the location of data is found by moving one of them, with the accuracy of SciPy's solution."""
    data = np.array([0.1, 0.5, -0.3, 3.0, 0.8])
    location = lambda y: optimize.least_squares(lambda p: p - y, [0.5], loss=loss, f_scale=0.7, **TIGHT).x[0]
    moved = lambda x: location(np.array([0.1, x, -0.3, 3.0, 0.8]))
    np.testing.assert_allclose(tg.grad(location)(data)[1], slope(moved, 0.5, 1e-2), rtol=1e-5)


def test_float32() -> None:
    gradient = tg.grad(lambda e: optimize.brentq(kepler(e), 0, 3))(np.float32(E))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, tg.grad(lambda e: optimize.brentq(kepler(e), 0, 3))(E), rtol=1e-6)


def test_trees_as_arguments() -> None:
    found = tg.grad(lambda p: optimize.brentq(lambda x, p: x**2 - p["a"] * p["b"], 0, 9, args=(p,)))
    tg.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-14),
        found({"a": 2.0, "b": 8.0}),
        {"a": 1.0, "b": 0.25},
    )


def test_a_solver_in_a_solver() -> None:
    inner = lambda y, e: optimize.brentq(lambda x: x**3 - y * e, 0, 9)  # (y e)^(1/3)
    outer = lambda e: optimize.brentq(lambda y: inner(y, e) - 2.0, 0.1, 90)  # y = 8 / e
    np.testing.assert_allclose(tg.grad(outer)(E), -8 / E**2, rtol=1e-9)
    np.testing.assert_allclose(tg.grad(tg.grad(outer))(E), 16 / E**3, rtol=1e-9)


def test_a_closure_in_a_loop() -> None:
    def total(ps: Any) -> Any:
        return sum(optimize.brentq(lambda x: x * x - ps[i], 0, 9) for i in range(3))

    np.testing.assert_allclose(tg.grad(total)(np.array([1.0, 4.0, 9.0])), [1 / 2, 1 / 4, 1 / 6], rtol=1e-9)


def test_scipys_own_errors() -> None:
    for e in (E, tg.Tensor(E)):
        with pytest.raises(ValueError, match="must have different signs"):
            optimize.brentq(kepler(e), 2, 3)
        with pytest.raises(RuntimeError, match="Failed to converge after 3 iterations"):
            optimize.bisect(kepler(e), 0, 3, maxiter=3)
        with pytest.raises(TypeError, match="missing"):
            optimize.brentq(kepler(e), 0)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (
            lambda e: optimize.bisect(kepler(e), 0, 3, maxiter=3, disp=False),
            ValueError,
            r"scipy\.optimize\.bisect: x is not a solution.*a solver that converged",
        ),
        (
            lambda e: optimize.root(lambda x: x * x + e, [1.0]).x[0],
            ValueError,
            r"scipy\.optimize\.root: (x is not a solution|the Jacobian)",
        ),
        (
            lambda e: optimize.brentq(lambda x: e * x**3, -1, 1),
            np.linalg.LinAlgError,
            r"scipy\.optimize\.brentq: the Jacobian .*is singular",
        ),
        (
            lambda e: optimize.minimize_scalar(lambda x: e * x, bounds=(0, 1)).x,
            ValueError,
            r"scipy\.optimize\.minimize_scalar: the residual returned .*which does not depend on x|singular",
        ),
        (
            lambda e: optimize.minimize(
                quartic(e), [0.1, 0.1], constraints=optimize.LinearConstraint([[1, 1]], 1, 1)
            ).x[0],
            NotImplementedError,
            r"scipy\.optimize\.minimize: constraints of type LinearConstraint are not supported",
        ),
        (
            lambda e: optimize.minimize(
                quartic(e),
                [0.5, 0.5],
                constraints=[{"type": "eq", "fun": lambda x: np.stack([x[0] + x[1] - 1, 2 * x[0] + 2 * x[1] - 2])}],
                method="trust-constr",
            ).x[0],
            np.linalg.LinAlgError,
            r"scipy\.optimize\.minimize: the Jacobian .* is singular",
        ),
        (
            lambda e: optimize.minimize(quartic(e), [0.1, 0.1], bounds=[(e, 1), (0, 1)]).x[0],
            NotImplementedError,
            r"scipy\.optimize\.minimize: bounds holds a Tensor",
        ),
        (
            lambda e: optimize.minimize(quartic(e), [0.1, 0.1]).hess_inv[0, 0],
            tg.GradientLostError,
            r"scipy\.optimize\.minimize's hess_inv has no derivative",
        ),
        (
            lambda e: optimize.least_squares(
                lambda p: decay(p, e), [1.0, 1.0], loss=lambda z: np.stack([z, 0 * z + 1, 0 * z])
            ).x[0],
            NotImplementedError,
            r"scipy\.optimize\.least_squares: loss is a function",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Singular Jacobian")
def test_what_has_no_derivative_raises(function: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(function)(E)


def two_solvers(e: Any) -> Any:
    return optimize.root(system, [1, 1], args=(e,), tol=1e-13).x[1] + optimize.brentq(kepler(e), 0, 3)


def test_tools_read_the_node_of_a_solver() -> None:
    function = two_solvers
    gradient = tg.grad(function)(E)
    check_alone("test_optimize", "two_solvers", E)
    assert "scipy.optimize.brentq" in str(tg.graph(function(tg.Tensor(E))))
    with tg.debug():
        assert tg.grad(function)(E) == gradient
    assert tg.grad(tg.checkpoint(function))(E) == gradient


def test_a_jvp() -> None:
    function = lambda e: optimize.brentq(kepler(e), 0, 3)
    np.testing.assert_allclose(tg.jvp(function, [E], [2.0])[1], 2 * tg.grad(function)(E), rtol=1e-14)
    np.testing.assert_allclose(tg.hvp(function, E, 2.0), 2 * tg.grad(tg.grad(function))(E), rtol=1e-14)


def test_results_can_be_printed() -> None:
    def shown(e: Any) -> Any:
        result = optimize.minimize(quartic(e), [0.1, 0.1])
        assert "hess_inv" in str(result)
        return result.x[0]

    np.testing.assert_allclose(tg.grad(shown)(E), 1, rtol=1e-9)
