"""A pendulum with friction, fitted to noisy measurements with SciPy: BFGS with gradients, Newton-CG with tg.hvp.

The model is a differential equation and its solution by Runge-Kutta steps, in NumPy. The derivatives are exact.
"""

import time
from pathlib import Path

import numpy as np
import scipy.optimize
from matplotlib.figure import Figure

import tinygrad_cnn as tg

STEPS, SECONDS = 50, 5.0
h = SECONDS / STEPS
times = np.linspace(0, SECONDS, STEPS + 1)
NAMES = ("g / length", "friction", "first angle", "first speed")


def pendulum(p):
    """The angle at each time; its second derivative is -g / length * sin(angle) - friction * speed."""
    stiffness, friction, angle, speed = p

    def slope(state):
        angle, speed = state
        return np.stack([speed, -stiffness * np.sin(angle) - friction * speed])

    state, angles = np.stack([angle, speed]), [angle]
    for _ in range(STEPS):
        k1 = slope(state)
        k2 = slope(state + h / 2 * k1)
        k3 = slope(state + h / 2 * k2)
        k4 = slope(state + h * k3)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        angles.append(state[0])
    return np.stack(angles)


rng = np.random.default_rng(0)
true = np.array([9.81, 0.15, 2.0, 0.0])
noise = 0.05
measured = pendulum(true) + noise * rng.normal(size=STEPS + 1)


def loss(p):
    """Minus the log-likelihood of normal noise, without its constant."""
    return np.sum((pendulum(p) - measured) ** 2) / (2 * noise**2)


def hessian_times(p, v):
    return tg.hvp(loss, p, v)


start = np.array([9.0, 0.1, 1.5, 0.5])
for method, derivatives in (("BFGS", {}), ("Newton-CG", {"hessp": hessian_times})):
    began = time.perf_counter()
    fit = scipy.optimize.minimize(tg.value_and_grad(loss), start, jac=True, method=method, **derivatives)
    products = f", {fit.nhev} products with the Hessian" if "hessp" in derivatives else ""
    print(
        f"{method}: -log-likelihood {fit.fun:.6f} after {fit.nfev} values with gradients{products}, "
        f"{time.perf_counter() - began:.1f} s"
    )

errors = np.sqrt(np.diag(np.linalg.inv(tg.hessian(loss)(fit.x))))  # the curvature says how sure the fit is
for name, found, error, value in zip(NAMES, fit.x, errors, true, strict=True):
    print(f"  {name:12} {found:7.3f} +- {error:.3f}   (true: {value})")
print(f"all within {np.max(np.abs(fit.x - true) / errors):.1f} standard errors of the truth")

figure = Figure(figsize=(10, 3.5), layout="constrained")
axes, beside = figure.subplots(1, 2, width_ratios=[2, 1])
axes.plot(times, measured, ".", label="measured")
axes.plot(times, pendulum(start), "--", color="grey", label="where the fit begins")
axes.plot(times, pendulum(fit.x), label="fitted")
axes.set(xlabel="time, s", ylabel="angle, rad")
axes.legend()
beside.errorbar((fit.x - true) / errors, range(len(NAMES)), xerr=1, fmt="o")
beside.axvline(0, color="grey", linestyle=":")
beside.set(xlabel="fitted - true, standard errors", yticks=range(len(NAMES)), yticklabels=NAMES)

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "12_physics_fit.png", dpi=120)
print("picture:", out / "12_physics_fit.png")
