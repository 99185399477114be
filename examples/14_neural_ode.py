"""A neural ODE learns a vector field from a few orbits, and continues them: gradients through Runge-Kutta steps.

The orbits are those of hares and lynxes (Lotka and Volterra). The network is given no equation, only populations over
time; it is the right-hand side of the differential equation.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tinygrad_cnn import nn, train

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--epochs", type=int, default=300)
arguments = parser.parse_args()

STEP, SHORT = 0.1, 10  # the time of a Runge-Kutta step; how many steps of an orbit are learnt at once


def orbit(field, start, steps):
    """States at times 0, STEP, 2 STEP, ...: from (..., 2) to (..., steps + 1, 2), by the Runge-Kutta method."""
    states = [start]
    for _ in range(steps):
        y = states[-1]
        k1 = field(y)
        k2 = field(y + STEP / 2 * k1)
        k3 = field(y + STEP / 2 * k2)
        k4 = field(y + STEP * k3)
        states.append(y + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.stack(states, axis=-2)


def populations(y):
    """The true field, of the logarithms of the numbers of hares and lynxes."""
    hares, lynxes = np.exp(y[..., 0]), np.exp(y[..., 1])
    return np.stack([1.0 - lynxes, hares - 1.0], axis=-1)


rng = np.random.default_rng(0)
starts = np.stack([np.linspace(0.2, 1.2, 6), np.zeros(6)], axis=-1)
measured = orbit(populations, starts, 70)  # (6, 71, 2): about one round each
measured += 0.01 * rng.normal(size=measured.shape)
pieces = np.concatenate([measured[:, k : k + SHORT + 1] for k in range(70 - SHORT + 1)])  # (366, 11, 2)

network = nn.Sequential(nn.Linear(2, 32), np.tanh, nn.Linear(None, 32), np.tanh, nn.Linear(None, 2))
network = network.init(rng, starts)


def loss(network, first, piece):
    return nn.mse(orbit(network, first, SHORT), piece)


optimiser = nn.Adam(nn.cosine_schedule(0.01, steps=arguments.epochs * -(-len(pieces) // 64)))
fitted = train.fit(network, loss, (pieces[:, 0], pieces), optimiser, epochs=arguments.epochs, batch_size=64)
network = fitted.model
print(f"loss {fitted.history['loss'][0]:.2g} -> {fitted.history['loss'][-1]:.2g}, run by {fitted.backend}")

# An orbit between those that were measured, and three times as long.
new = np.array([0.7, 0.0])
truth, found = orbit(populations, new, 210), orbit(network, new, 210)
error = np.max(np.linalg.norm(found - truth, axis=-1)) / np.max(np.linalg.norm(truth, axis=-1))
print(f"an orbit that was not measured, three rounds: never more than {error:.1%} of its size away from the truth")

figure = Figure(figsize=(10, 4.2), layout="constrained")
axes, beside = figure.subplots(1, 2, width_ratios=[1, 1.3])
axes.plot(*np.exp(measured).T, ".", color="grey", markersize=2)
hares, lynxes = np.meshgrid(np.linspace(*axes.get_xlim(), 22)[1:-1], np.linspace(*axes.get_ylim(), 22)[1:-1])
numbers = np.maximum(np.stack([hares, lynxes], axis=-1), 0.05)
axes.quiver(hares, lynxes, *np.moveaxis(numbers * network(np.log(numbers)), -1, 0), color="tab:blue", angles="xy")
axes.set(xlabel="hares", ylabel="lynxes", title="Measured orbits, and the field that is learnt")
times = STEP * np.arange(211)
for k, (name, colour) in enumerate((("hares", "tab:orange"), ("lynxes", "tab:blue"))):
    beside.plot(times, np.exp(truth[:, k]), color="grey", linewidth=4, alpha=0.4)
    beside.plot(times, np.exp(found[:, k]), color=colour, label=name)
beside.axvspan(0, STEP * SHORT, alpha=0.15, label="length of what it learns from")
beside.set(xlabel="time", title="An orbit that was not measured (grey: the truth)")
beside.legend(loc="upper right")

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "14_neural_ode.png", dpi=120)
print("picture:", out / "14_neural_ode.png")
