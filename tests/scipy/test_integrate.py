"""scipy.integrate: integrals and initial value problems have SciPy's values, and the derivatives of their equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from alone import check_alone

import tinygrad_cnn as tg

scipy_integrate = pytest.importorskip("scipy.integrate", reason="SciPy is not installed")
from tinygrad_cnn.scipy import integrate  # noqa: E402

K = 0.3  # what is differentiated with respect to
TIGHT = {"rtol": 1e-10, "atol": 1e-12}
OSCILLATOR = lambda t, y, w: [y[1], -w * w * y[0]]


def slope(function: Callable[[float], Any], x: float, h: float = 1e-3) -> Any:
    """The derivative by a sixth-order difference."""
    weights = {1: 45.0, 2: -9.0, 3: 1.0}
    return sum(w * (function(x + k * h) - function(x - k * h)) for k, w in weights.items()) / (60 * h)


def ivp(o: Any, fun: Any, span: Any, y0: Any, **options: Any) -> Any:
    return o.solve_ivp(fun, span, y0, method="DOP853", **TIGHT, **options)


INTEGRALS: dict[str, Callable[[Any, Any], Any]] = {
    "a closure": lambda o, k: o.quad(lambda u: np.exp(-k * u), 0, 1)[0],
    "an argument": lambda o, k: o.quad(lambda u, k: np.exp(-k * u), 0, 1, args=(k,))[0],
    "one argument": lambda o, k: o.quad(lambda u, k: np.exp(-k * u), 0, 1, k)[0],
    "to infinity": lambda o, k: o.quad(lambda u: np.exp(-k * u * u), 0, np.inf)[0],
    "over all numbers": lambda o, k: o.quad(lambda u: np.exp(-k * u * u), -np.inf, np.inf)[0],
    "limits": lambda o, k: o.quad(lambda u: np.exp(-u * u), k, k * k)[0],
    "limits and a closure": lambda o, k: o.quad(lambda u: np.exp(-k * u * u), k, k * k)[0],
    "from k to infinity": lambda o, k: o.quad(lambda u: np.exp(-u * u), k, np.inf)[0],
    "a weight": lambda o, k: o.quad(lambda u: np.exp(-k * u), 0, 1, weight="cos", wvar=3.0)[0],
    "points": lambda o, k: o.quad(lambda u: np.abs(u - 0.2) * k**2, 0, 1, points=[0.2])[0],
    "a singular derivative": lambda o, k: o.quad(lambda u: np.power(u, k), 0, 1)[0],
    "branches": lambda o, k: o.quad(lambda u: k * u if u < 0.5 else k**2 * u * u, 0, 1, points=[0.5])[0],
    "a full output": lambda o, k: o.quad(lambda u: np.exp(-k * u), 0, 1, full_output=True)[0],
    "an integral of an integral": lambda o, k: o.quad(
        lambda x: o.quad(lambda y: np.exp(-k * x * y), 0, x * k)[0], 0, 1
    )[0],
    "dblquad": lambda o, k: o.dblquad(lambda y, x: np.exp(-k * x * y), 0, 1, 0, 2)[0],
    "dblquad, functions as limits": lambda o, k: o.dblquad(
        lambda y, x: np.exp(-k * x * y), 0, k, lambda x: x * k, lambda x: 1.0
    )[0],
    "quad_vec": lambda o, k: np.sum(o.quad_vec(lambda u: np.exp(-k * u * np.arange(3)), 0, 1)[0] ** 2),
    "quad_vec, limits": lambda o, k: np.sum(o.quad_vec(lambda u: np.exp(-k * u * np.arange(3)), k, 2 * k)[0] ** 2),
    "fixed_quad": lambda o, k: o.fixed_quad(lambda u: np.exp(-k * u * u), k, 1 + k**2, n=7)[0],
}
EQUATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a closure": lambda o, k: np.sum(ivp(o, lambda t, y: -k * y, (0, 2), [1.0], t_eval=[0.5, 1, 2]).y ** 2),
    "y0": lambda o, k: np.sum(ivp(o, lambda t, y: -y * y, (0, 2), [k], t_eval=[0.5, 1, 2]).y ** 2),
    "args and y0": lambda o, k: np.sum(ivp(o, OSCILLATOR, (0, 2), [1.0, k], args=(k,)).y[:, -1] ** 2),
    "t_span": lambda o, k: ivp(o, lambda t, y: -k * y * t, (k, 1 + k * k), [1.0]).y[0, -1],
    "the end": lambda o, k: ivp(o, lambda t, y: -y * t, (0, 1 + k), [1.0]).y[0, -1],
    "t_eval": lambda o, k: np.sum(ivp(o, lambda t, y: -k * y * t, (0, 1), [1.0], t_eval=np.array([0.5, 0.7]) * k).y),
    "backwards": lambda o, k: ivp(o, lambda t, y: -k * y * y, (1, 0), [0.5]).y[0, -1],
    "tolerances of each element": lambda o, k: np.sum(
        o.solve_ivp(OSCILLATOR, (0, 2), [1.0, k], "DOP853", args=(k,), rtol=1e-10, atol=[1e-12, 1e-11]).y[:, -1] ** 2
    ),
    "a stiff method with its Jacobian": lambda o, k: np.sum(
        o.solve_ivp(
            OSCILLATOR,
            (0, 1),
            [1.0, k],
            args=(k,),
            method="Radau",
            jac=lambda t, y, w: [[0, 1], [-w * w, 0]],
            rtol=1e-7,
            atol=1e-9,
        ).y[:, -1]
    ),
    "odeint": lambda o, k: np.sum(
        o.odeint(lambda y, t, w: OSCILLATOR(t, y, w), [1.0, k], np.linspace(0, 2, 5), (k,), rtol=1e-11, atol=1e-11)
    ),
    "odeint, times": lambda o, k: np.sum(
        o.odeint(OSCILLATOR, [1.0, k], np.linspace(0, 2, 5) * k + k * k, (k,), tfirst=True, rtol=1e-11, atol=1e-11)
    ),
    "odeint, a number": lambda o, k: np.sum(
        o.odeint(lambda y, t: -k * y, 1.0, [0.0, 1.0, 2.0], full_output=True, rtol=1e-11, atol=1e-11)[0]
    ),
}
ALL = {**{f"quad: {name}": f for name, f in INTEGRALS.items()}, **{f"ivp: {name}": f for name, f in EQUATIONS.items()}}


@pytest.mark.parametrize("name", ALL)
def test_a_derivative_of_the_first_and_second_order(name: str) -> None:
    function = lambda k: ALL[name](integrate, k)
    first, second = (1e-9, 1e-7) if name.startswith("quad") else (1e-5, 1e-5) if "stiff" in name else (1e-6, 1e-6)
    np.testing.assert_allclose(tg.grad(function)(K), slope(function, K), rtol=first)
    np.testing.assert_allclose(tg.grad(tg.grad(function))(K), slope(tg.grad(function), K), rtol=second)


@pytest.mark.parametrize("name", ALL)
def test_the_value_is_scipys_bit_for_bit(name: str) -> None:
    function = ALL[name]
    if "times" in name or "an integral of an integral" in name:
        pytest.skip("of Tensors, NumPy rounds otherwise than Python")
    expected = function(scipy_integrate, np.float64(K))
    assert function(integrate, np.float64(K)) == expected
    assert tg.value_and_grad(lambda k: function(integrate, k))(K)[0] == expected
    with tg.no_grad():
        assert function(integrate, tg.Tensor(K)) == expected


def test_backward_without_a_transform() -> None:
    for name in ("quad: a closure", "quad: limits", "ivp: a closure", "ivp: args and y0", "ivp: odeint"):
        k = tg.Tensor(K)
        ALL[name](integrate, k).backward()
        np.testing.assert_allclose(k.grad, tg.grad(lambda k: ALL[name](integrate, k))(K), rtol=1e-12)


def test_the_integral_of_exp() -> None:
    gradient = tg.grad(lambda a, b: integrate.quad(np.exp, a, b)[0], argnums=(0, 1))(0.5, 2.0)
    assert gradient == (-np.exp(0.5), np.exp(2.0))


def test_tplquad() -> None:
    function = lambda k, o=integrate: o.tplquad(lambda z, y, x: k * x * y * z, 0, 1, 0, lambda x: x, 0, 1)[0]
    value, gradient = tg.value_and_grad(function)(K)
    assert value == function(K, scipy_integrate)
    np.testing.assert_allclose(gradient, 1 / 16, rtol=1e-12)


def test_the_moments_of_a_normal_distribution() -> None:
    """A Hessian, and the third derivative, of log of the integral of exp(k u - u**2 / 2): k**2 / 2 plus a constant."""
    generate = lambda k: np.log(integrate.quad(lambda u: np.exp(k[0] * u - k[1] * u * u / 2), -np.inf, np.inf)[0])
    k = np.array([0.3, 1.7])
    mean, variance = k[0] / k[1], 1 / k[1]
    np.testing.assert_allclose(tg.grad(generate)(k), [mean, -(variance + mean**2) / 2], rtol=1e-8)
    np.testing.assert_allclose(
        tg.hessian(generate)(k),
        [[variance, -mean * variance], [-mean * variance, variance**2 / 2 + mean**2 * variance]],
        rtol=1e-6,
    )


@pytest.mark.parametrize("method", ["RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"])
def test_the_harmonic_oscillator(method: str) -> None:
    """Its solution cos(w t) + v / w sin(w t), by w and v, at the accuracy that was asked for."""
    t = np.array([0.5, 1.0, 2.0])
    solution = lambda p: integrate.solve_ivp(
        lambda t, y: np.stack([y[1], -(p["w"] ** 2) * y[0]]),
        (0, 2),
        np.stack([1.0, p["v"]]) if isinstance(p["v"], tg.Tensor) else [1.0, p["v"]],
        method=method,
        t_eval=t,
        rtol=1e-8,
        atol=1e-10,
    ).y[0]
    found = tg.jacobian(solution)({"w": 1.7, "v": 0.4})
    w, v = 1.7, 0.4
    by_w = -t * np.sin(w * t) + v * (t * np.cos(w * t) / w - np.sin(w * t) / w**2)
    np.testing.assert_allclose(found["w"], by_w, rtol=1e-4)
    np.testing.assert_allclose(found["v"], np.sin(w * t) / w, rtol=1e-4)


def test_lotka_volterra() -> None:
    """The gradient with respect to all parameters and the initial populations, beside differences."""
    t = np.linspace(0, 5, 7)

    def model(t: Any, y: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return [a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]]

    def total(p: Any, y0: Any) -> Any:
        sol = integrate.solve_ivp(model, (0, 5), y0, args=tuple(p), t_eval=t, method="DOP853", rtol=1e-11, atol=1e-11)
        return np.sum(np.log(sol.y))

    p, y0 = np.array([1.5, 1.0, 3.0, 1.0]), np.array([10.0, 5.0])
    by_p, by_y0 = tg.grad(total, argnums=(0, 1))(p, y0)
    for i in range(4):
        moved = lambda x: total(np.where(np.arange(4) == i, x, p), y0)
        np.testing.assert_allclose(by_p[i], slope(moved, p[i]), rtol=1e-6)
    for i in range(2):
        moved = lambda x: total(p, np.where(np.arange(2) == i, x, y0))
        np.testing.assert_allclose(by_y0[i], slope(moved, y0[i]), rtol=1e-6)


def test_what_an_ivp_returns_besides() -> None:
    def both(k: Any) -> Any:
        sol = ivp(integrate, lambda t, y: -k * y, (0, 1 + k), [1.0])
        assert sol.success
        assert sol.nfev > 0
        return sol.t[-1] * sol.y[0, -1]

    exact = lambda k: (1 + k) * np.exp(-k * (1 + k))
    np.testing.assert_allclose(tg.grad(both)(K), tg.grad(exact)(K), rtol=1e-8)


def falling(t: float, y: Any, g: Any) -> Any:
    return [y[1], -g]


def ground(t: float, y: Any, g: Any) -> Any:
    return y[0]


ground.terminal = True  # type: ignore[attr-defined]
ground.direction = -1  # type: ignore[attr-defined]


def test_the_time_of_an_event() -> None:
    """A stone that is thrown up with velocity v is back at 2 v / g, with velocity -v; it was at 1 before that."""

    def thrown(v: Any, g: Any) -> Any:
        sol = ivp(integrate, falling, (0, 100), [0.0, v], args=(g,), events=[ground, lambda t, y, g: y[0] - 1.0])
        assert sol.status == 1
        (back,), passes = sol.t_events[0], sol.t_events[1]
        return np.stack([back, sol.y_events[0][0, 1], sol.t[-1], sol.y[1, -1], *passes])

    def exact(v: Any, g: Any) -> Any:
        root = np.sqrt(v * v - 2 * g)
        return np.stack([2 * v / g, -v, 2 * v / g, -v, (v - root) / g, (v + root) / g])

    for argnum in (0, 1):
        found, expected = (tg.jacobian(f, argnums=argnum)(7.0, 9.81) for f in (thrown, exact))
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    second, expected = (tg.hessian(lambda v, f=f: np.sum(f(v, 9.81) ** 2))(7.0) for f in (thrown, exact))
    np.testing.assert_allclose(second, expected, rtol=1e-6)


def test_an_event_that_uses_a_tensor_alone() -> None:
    level = lambda h: ivp(integrate, lambda t, y: -y, (0, 9), [1.0], events=lambda t, y: y[0] - h).t_events[0][0]
    np.testing.assert_allclose(tg.grad(level)(K), -1 / K, rtol=1e-8)  # at -log(h)


def test_a_dense_solution() -> None:
    t = np.array([1.5, 0.5, 1.0])
    dense = lambda k, t: ivp(integrate, lambda t, y: -k * y, (0, 2), [1.0], dense_output=True).sol(t)
    np.testing.assert_array_equal(
        tg.vjp(lambda k: dense(k, t), K)[0],
        ivp(scipy_integrate, lambda t, y: -K * y, (0, 2), [1.0], dense_output=True).sol(t),
    )
    np.testing.assert_allclose(tg.jacobian(lambda k: dense(k, t)[0])(K), -t * np.exp(-K * t), rtol=1e-6)
    np.testing.assert_allclose(tg.grad(lambda s: dense(K, s)[0])(0.7), -K * np.exp(-K * 0.7), rtol=1e-6)
    backward = lambda k: ivp(integrate, lambda t, y: -k * y, (2, 0), [1.0], dense_output=True).sol(t)[0]
    np.testing.assert_allclose(tg.jacobian(backward)(K), (2 - t) * np.exp(K * (2 - t)), rtol=1e-6)


def test_a_closure_in_a_loop_is_that_of_its_iteration() -> None:
    def total(ks: Any) -> Any:
        integrals = [integrate.quad(lambda u: np.exp(-ks[i] * u), 0, 1)[0] for i in range(3)]
        flows = [ivp(integrate, lambda t, y: -ks[i] * y, (0, 1), [1.0]).y[0, -1] for i in range(3)]
        return sum(integrals) + sum(flows)

    ks = np.array([0.5, 1.0, 2.0])
    exact = lambda ks: np.sum((1 - np.exp(-ks)) / ks + np.exp(-ks))
    np.testing.assert_allclose(tg.grad(total)(ks), tg.grad(exact)(ks), rtol=1e-8)


def test_a_method_has_the_attributes_that_its_object_had() -> None:
    class Decay:
        def __init__(self, k: Any) -> None:
            self.k = k

        def integrand(self, u: float) -> Any:
            return np.exp(-self.k * u)

        def total(self) -> Any:
            found = 0.0
            for _ in range(3):
                self.k = 2 * self.k
                found = found + integrate.quad(self.integrand, 0, 1)[0]
            return found

    exact = lambda k: sum((1 - np.exp(-c * k)) / (c * k) for c in (2, 4, 8))
    np.testing.assert_allclose(tg.grad(lambda k: Decay(k).total())(K), tg.grad(exact)(K), rtol=1e-10)


def test_arrays_that_the_function_makes_can_be_assigned_to() -> None:
    """As code that was adopted, in which np is tinygrad_cnn.numpy, does."""
    import tinygrad_cnn.numpy as tnp

    def oscillator(t: float, y: Any, w: Any) -> Any:
        slopes = tnp.zeros(2)
        slopes[0] = y[1]
        slopes[1] = -(w**2) * y[0]
        return slopes

    function = lambda w: ivp(integrate, oscillator, (0, 2), [1.0, 0.0], args=[w]).y[0, -1]
    np.testing.assert_allclose(tg.grad(function)(K), -2 * np.sin(2 * K), rtol=1e-8)
    assert ivp(integrate, oscillator, (0, 2), [1.0, 0.0], args=[K]).y[0, -1] == tg.value_and_grad(function)(K)[0]


def test_jvps_and_tools() -> None:
    for name in ("quad: limits and a closure", "ivp: args and y0"):
        function = lambda k: ALL[name](integrate, k)
        np.testing.assert_allclose(tg.jvp(function, [K], [2.0])[1], 2 * tg.grad(function)(K), rtol=1e-12)
        np.testing.assert_allclose(tg.hvp(function, K, 2.0), 2 * tg.grad(tg.grad(function))(K), rtol=1e-12)
        check_alone("test_integrate", f"lambda k: ALL[{name!r}](integrate, k)", K)
        assert tg.grad(tg.checkpoint(function))(K) == tg.grad(function)(K)


def test_float32() -> None:
    gradient = tg.grad(lambda k: integrate.quad(lambda u: np.exp(-k * u), 0, 1)[0])(np.float32(K))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, slope(lambda k: (1 - np.exp(-k)) / k, K), rtol=1e-6)


def changing() -> Callable[[Any], Any]:
    """A function that returns something else at each call."""
    calls = np.zeros(1)

    class Counter:
        def __call__(self, u: Any) -> Any:
            calls[0] += 1
            return u + 1e-9 * calls[0]

    return Counter()


COUNTING = changing()


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (
            lambda k: integrate.solve_ivp(lambda t, y: -k * COUNTING(y), (0, 1), [1.0]).y[0, -1],
            RuntimeError,
            r"scipy\.integrate\.solve_ivp: the function that it was given returned something else when",
        ),
        (
            lambda k: integrate.quad(lambda u: np.exp(-k * u), 0, 1)[1],
            tg.GradientLostError,
            r"scipy\.integrate\.quad's estimate of the error has no derivative",
        ),
        (
            lambda k: integrate.quad(lambda u: np.exp(-u), 0, k, weight="cos", wvar=3.0)[0],
            NotImplementedError,
            r"scipy\.integrate\.quad: b holds a Tensor",
        ),
        (
            lambda k: integrate.quad(lambda u: np.exp(-u), 0, 1, weight="cos", wvar=k)[0] * k,
            NotImplementedError,
            r"scipy\.integrate\.quad: wvar holds a Tensor",
        ),
        (
            lambda k: integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], method="BDF", vectorized=True).y[0, -1],
            NotImplementedError,
            r"scipy\.integrate\.solve_ivp: vectorized is not supported",
        ),
    ],
)
def test_what_has_no_derivative_raises(function: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tg.grad(function)(K)


def test_scipys_own_errors() -> None:
    for k in (K, tg.Tensor(K)):
        with pytest.raises(ValueError, match="Values in `t_eval` are not within `t_span`"):
            integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], t_eval=[2.0])
        with pytest.warns(scipy_integrate.IntegrationWarning):
            integrate.quad(lambda u: k / u, 0, 1)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["trapezoid", "simpson", "cumulative_trapezoid"])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_integrals_of_samples(name: str, count: int) -> None:
    theirs, ours = getattr(scipy_integrate, name), getattr(integrate, name)
    y, x = RNG.normal(size=(3, count)), np.sort(RNG.normal(size=count))
    for given in ({}, {"dx": 0.3}, {"x": x}, {"x": np.stack([x, 2 * x, x**3])}):
        np.testing.assert_array_equal(ours(y, **given), theirs(y, **given))
        np.testing.assert_allclose(ours(tg.Tensor(y), **given).value, theirs(y, **given), rtol=1e-12)
    weights = np.sum(theirs(np.eye(count), x=x).reshape(count, -1), axis=1)  # an integral is linear in y
    np.testing.assert_allclose(tg.grad(lambda y: np.sum(ours(y, x=x)))(y), np.tile(weights, (3, 1)), rtol=1e-9)
    np.testing.assert_allclose(ours(tg.Tensor(y.T), x=x, axis=0).value, theirs(y.T, x=x, axis=0), rtol=1e-12)
    by_x = tg.grad(lambda x: np.sum(ours(y, x=x)))(x)
    moved = slope(lambda e: np.sum(theirs(y, x=x + e * np.eye(count)[0])), 0.0, 1e-4)
    np.testing.assert_allclose(by_x[0], moved, rtol=1e-6)


def test_integrals_of_samples_that_are_linear_in_them() -> None:
    y, x = RNG.normal(size=(3, 9)), np.sort(RNG.normal(size=9))
    for ours, theirs, given in (
        (integrate.romb, scipy_integrate.romb, {"dx": 0.3}),
        (integrate.cumulative_simpson, scipy_integrate.cumulative_simpson, {"x": x}),
        (integrate.cumulative_simpson, scipy_integrate.cumulative_simpson, {"dx": 0.3, "initial": 2.0}),
    ):
        np.testing.assert_array_equal(ours(y, **given), theirs(y, **given))
        np.testing.assert_allclose(ours(tg.Tensor(y), **given).value, theirs(y, **given), rtol=1e-12)
        np.testing.assert_allclose(
            ours(tg.Tensor(y.T.copy()), axis=0, **given).value, theirs(y.T, axis=0, **given), rtol=1e-12
        )
        found = tg.grad(lambda y: np.sum(ours(y, **given)))(y)
        moved = lambda e: np.sum(theirs(y + e * np.eye(3, 9), **given))
        np.testing.assert_allclose(np.trace(found), slope(moved, 0.0), rtol=1e-9)
    with pytest.raises(NotImplementedError, match="x is to be a plain array of one axis"):
        integrate.cumulative_simpson(tg.Tensor(y), x=tg.Tensor(x))


def test_cumulative_trapezoid_from_zero() -> None:
    y = RNG.normal(size=(2, 5))
    found = integrate.cumulative_trapezoid(tg.Tensor(y), initial=0)
    np.testing.assert_allclose(found.value, scipy_integrate.cumulative_trapezoid(y, initial=0), rtol=1e-14)
