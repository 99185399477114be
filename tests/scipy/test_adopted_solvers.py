"""Code that was written for SciPy's solvers alone, adopted as it is."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_cnn as tg

pytest.importorskip("scipy", reason="SciPy is not installed")

MECHANICS = """
import math
import numpy as np
import scipy.optimize as so
from scipy import integrate
from scipy.integrate import odeint, quad, simpson, solve_ivp
from scipy.optimize import brentq, minimize


def anomaly(M, e):
    def f(E):
        return E - e * math.sin(E) - M

    return brentq(f, 0.0, 2 * math.pi)


def period(amplitude):
    k = math.sin(amplitude / 2)
    value, error = quad(lambda phi: 1.0 / math.sqrt(1 - k**2 * math.sin(phi) ** 2), 0, math.pi / 2)
    assert error < 1e-8
    return 4 * value


class Pendulum:
    def __init__(self, g=9.81, L=1.0, b=0.1):
        self.g, self.L, self.b = float(g), float(L), float(b)

    def rhs(self, t, y):
        theta, omega = y
        dydt = np.zeros(2)
        dydt[0] = omega
        dydt[1] = -self.b * omega - self.g / self.L * math.sin(theta)
        return dydt

    def angle(self, theta0, T):
        sol = solve_ivp(self.rhs, [0, T], [theta0, 0.0], rtol=1e-9, atol=1e-9)
        return sol.y[0][-1]

    def mean_angle(self, theta0, T):
        t = np.linspace(0, T, 21)
        y = odeint(lambda y, t: self.rhs(t, y), np.array([theta0, 0.0]), t, rtol=1e-10, atol=1e-10)
        return simpson(y[:, 0], x=t) / T


def equilibrium(a):
    def equations(v):
        x, y = v
        return [x + 2 * y - a, x**2 + math.exp(-y) - 2]

    x, y = so.fsolve(equations, (1.0, 0.5))
    return x * y


def mean(mu):
    density = lambda x: math.exp(-((x - mu) ** 4))
    Z = integrate.quad(density, -np.inf, np.inf)[0]
    return integrate.quad(lambda x: x * density(x), -np.inf, np.inf)[0] / Z


def arc_lengths(a):
    return np.sum([quad(lambda u: math.sqrt(1 + (a * math.cos(u)) ** 2), x, x + a)[0] for x in np.linspace(0, 1, 3)])
"""


@pytest.fixture(scope="module")
def mechanics(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    path: Path = tmp_path_factory.mktemp("foreign") / "mechanics.py"
    path.write_text(MECHANICS, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mechanics", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "brentq": lambda m, x: m.anomaly(0.7, x),
    "quad": lambda m, x: m.period(x),
    "solve_ivp, a parameter": lambda m, x: m.Pendulum(L=1 + x).angle(0.5, 2.0),
    "solve_ivp, the beginning": lambda m, x: m.Pendulum().angle(x, 2.0),
    "solve_ivp, the end": lambda m, x: m.Pendulum().angle(0.5, 1 + x),
    "odeint and simpson": lambda m, x: m.Pendulum(b=x).mean_angle(0.5, 2.0 + x),
    "fsolve": lambda m, x: m.equilibrium(2 + x),
    "quad over all numbers": lambda m, x: m.mean(x),
    "quad with limits in a loop": lambda m, x: m.arc_lengths(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gradient_is_that_of_differences(mechanics: ModuleType, name: str) -> None:
    function = lambda x: FUNCTIONS[name](mechanics, x)
    h, weights = 1e-3, {1: 45.0, 2: -9.0, 3: 1.0}
    slope = sum(w * (function(0.4 + k * h) - function(0.4 - k * h)) for k, w in weights.items()) / (60 * h)
    with tg.adopt(mechanics):
        gradient = tg.grad(function)(0.4)
    np.testing.assert_allclose(gradient, slope, rtol=1e-7)
