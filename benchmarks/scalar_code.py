"""Small scalar programs: what a gradient costs beside the plain call, and beside HIPS autograd.

    pip install -e '.[bench]'
    python benchmarks/scalar_code.py

Each is written as scientific code is, in numbers, short vectors and matrices of a few rows, so that what is measured is
the cost of an operation and not that of its arithmetic. The plain call is NumPy's; the gradient of this engine is taken
of the same text with `tinygrad_cnn.numpy` in place of NumPy, as for code that was adopted. All gradients are compared
first. Then the three take turns, in blocks and in a new order each round; medians of the CPU time of a call, and of the
ratios within each round.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy
from results import save

import tinygrad_cnn as tg
import tinygrad_cnn.numpy

Program = Callable[[Any, Any], Any]  # of a NumPy namespace and the argument
PROGRAMS: dict[str, tuple[Program, Any]] = {}


def program(argument: Any, name: str | None = None) -> Callable[[Program], Program]:
    def add(function: Program) -> Program:
        PROGRAMS[name or function.__name__.replace("_", " ")] = function, argument
        return function

    return add


@program(numpy.array([0.1, -0.4, 0.7, 0.3, -0.2, 0.5]))
def forward_kinematics(np: Any, q: Any) -> Any:
    """The height of the hand of an arm of six joints (Denavit and Hartenberg)."""
    pose = np.eye(4)
    for i in range(6):
        c, s = np.cos(q[i]), np.sin(q[i])
        ca, sa = np.cos(0.3 * i), np.sin(0.3 * i)
        pose = pose @ np.array(
            [[c, -s * ca, s * sa, 0.4 * c], [s, c * ca, -c * sa, 0.4 * s], [0.0, sa, ca, 0.1], [0.0, 0.0, 0.0, 1.0]]
        )
    return pose[2, 3] + pose[0, 3] ** 2


def potential(np: Any, x: Any) -> Any:
    """The energy of bodies that attract each other."""
    d = x[:, None] - x
    return -np.sum(1.0 / np.sqrt(np.sum(d * d, axis=2) + 0.01))


for _bodies in (3, 50):
    program(numpy.random.default_rng(0).normal(size=(_bodies, 3)), f"N-body of {_bodies}")(potential)


@program(0.7)
def kepler_by_newton(np: Any, mean_anomaly: Any) -> Any:
    E = mean_anomaly
    for _ in range(6):
        E = E - (E - 0.3 * np.sin(E) - mean_anomaly) / (1 - 0.3 * np.cos(E))
    return E


@program(numpy.array([100.0, 95.0, 0.5, 0.02, 0.3]))
def black_scholes(np: Any, p: Any) -> Any:
    spot, strike, years, rate, sigma = p[0], p[1], p[2], p[3], p[4]
    d1 = (np.log(spot / strike) + (rate + 0.5 * sigma**2) * years) / (sigma * np.sqrt(years))
    d2 = d1 - sigma * np.sqrt(years)
    normal = lambda x: 1 / (1 + np.exp(-1.5976 * x - 0.07056 * x**3))
    return spot * normal(d1) - strike * np.exp(-rate * years) * normal(d2)


@program(numpy.array([0.5, 0.0]))
def pendulum_by_runge_kutta(np: Any, state: Any) -> Any:
    f = lambda angle, speed: (speed, -9.81 * np.sin(angle) - 0.1 * speed)
    x, v, h = state[0], state[1], 0.01
    for _ in range(100):
        k1, l1 = f(x, v)
        k2, l2 = f(x + h / 2 * k1, v + h / 2 * l1)
        k3, l3 = f(x + h / 2 * k2, v + h / 2 * l2)
        k4, l4 = f(x + h * k3, v + h * l3)
        x, v = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), v + h / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
    return x


@program(1.3)
def horner(np: Any, x: Any) -> Any:
    y = 0.0
    for c in (1.0, -0.5, 0.25, 3.0, -2.0, 0.125, 0.7, 1.5, -0.3, 0.9):
        y = y * x + c
    return y


@program(numpy.array([0.1, 1.0]))
def kalman_step(np: Any, x: Any) -> Any:
    F, H = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    P, Q, R = np.eye(2), 0.01 * np.eye(2), np.array([[0.1]])
    for z in (0.2, 0.3):
        x, P = F @ x, F @ P @ F.T + Q * np.exp(x[0])
        K = P @ H.T @ np.linalg.inv(H @ P @ H.T + R)
        x, P = x + K @ (z - H @ x), (np.eye(2) - K @ H) @ P
    return np.sum(x) + np.trace(P)


@program(numpy.array([0.9, 0.1, -0.3, 0.2]))
def rotation_by_a_quaternion(np: Any, q: Any) -> Any:
    def product(p: Any, q: Any) -> Any:
        return np.array(
            [
                p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3],
                p[0] * q[1] + p[1] * q[0] + p[2] * q[3] - p[3] * q[2],
                p[0] * q[2] - p[1] * q[3] + p[2] * q[0] + p[3] * q[1],
                p[0] * q[3] + p[1] * q[2] - p[2] * q[1] + p[3] * q[0],
            ]
        )

    q = q / np.sqrt(np.sum(q * q))
    return product(product(q, np.array([0.0, 1.0, 2.0, 3.0])), q * np.array([1.0, -1.0, -1.0, -1.0]))[2]


@program(numpy.array([0.8, -1.3]))
def spherical_distance(np: Any, place: Any) -> Any:
    latitude, longitude = place
    a = np.sin((latitude - 0.6) / 2) ** 2
    b = np.cos(latitude) * np.cos(0.6) * np.sin((longitude + 1.1) / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(a + b))


@program(650.0)
def saturation_pressure(np: Any, T: Any) -> Any:
    """Of water (Wagner and Pruss)."""
    tau = 1 - T / 647.096 + 0.01
    terms = zip((-7.85951783, 1.84408259, -11.7866497, 22.6807411), (1.0, 1.5, 3.0, 3.5), strict=True)
    return 22.064 * np.exp(647.096 / T * sum(a * tau**n for a, n in terms))


def gradients() -> dict[str, dict[str, Callable[[], Any]]]:
    """For each program, what is timed: the plain call, our gradient, and that of HIPS autograd."""
    from autograd import grad
    from autograd import numpy as hips

    found = {}
    for name, (function, argument) in PROGRAMS.items():
        ours, theirs = tg.grad(lambda x, f=function: f(tinygrad_cnn.numpy, x)), grad(lambda x, f=function: f(hips, x))
        calls = {
            "plain": lambda f=function, x=argument: f(numpy, x),
            "ours": lambda g=ours, x=argument: g(x),
            "HIPS autograd": lambda g=theirs, x=argument: g(x),
        }
        numpy.testing.assert_allclose(calls["ours"](), calls["HIPS autograd"](), rtol=1e-9)
        found[name] = calls
    return found


def microseconds(call: Callable[[], Any], repeat: int) -> float:
    start = time.process_time()
    for _ in range(repeat):
        call()
    return (time.process_time() - start) / repeat * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--block", type=float, default=20.0, help="milliseconds")
    rounds, block = (arguments := parser.parse_args()).rounds, arguments.block
    rows, ratios = [], {"ours": [], "HIPS autograd": []}
    for name, calls in gradients().items():
        times: dict[str, list[float]] = {of: [] for of in calls}
        repeat = {of: max(1, int(block * 1000 / microseconds(call, 3))) for of, call in calls.items()}
        for _ in range(rounds):
            for of in random.sample(list(calls), len(calls)):
                times[of].append(microseconds(calls[of], repeat[of]))
        medians = {of: statistics.median(column) for of, column in times.items()}
        for of in ratios:
            ratios[of].append(statistics.median(x / y for x, y in zip(times[of], times["plain"], strict=True)))
        rows.append([name, *[f"{medians[of]:.1f}" for of in calls], *[f"{ratios[of][-1]:.1f}" for of in ratios]])
    rows.append(["median", "", "", "", *[f"{statistics.median(column):.1f}" for column in ratios.values()]])
    header = ["program", "plain, µs", "gradient, µs", "HIPS autograd, µs", "gradient / plain", "HIPS / plain"]
    save("scalar_code", header, rows, rounds=rounds, block=block)


if __name__ == "__main__":
    main()
