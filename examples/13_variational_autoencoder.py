"""A variational autoencoder of circles, squares and triangles: what lies between a circle and a square?

It is trained on the project's drawings, rotated, scaled and shifted at random, and compresses each to two numbers.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tinygrad_cnn import nn, train
from tinygrad_cnn.circle_square.data import bundled
from tinygrad_cnn.circle_square.ink import as_input, ink
from tinygrad_cnn.circle_square.tasks import TASKS
from tinygrad_cnn.train.augmentation import affine

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--epochs", type=int, default=100)
arguments = parser.parse_args()

drawings, names = [], []
for task in TASKS.values():
    data = bundled(task)
    for part in (data.train, data.test):
        drawings += list(part.grey)
        names += [data.classes[int(target)] for target in part.y[:, 0]]
x, names = as_input(ink(drawings)), np.array(names)  # (56, 1, 28, 28) float32 from 0 to 1, bright strokes in the middle

encode = nn.Sequential(nn.Flatten(), nn.Linear(None, 256), nn.relu, nn.Linear(None, 4))
decode = nn.Sequential(nn.Linear(2, 256), nn.relu, nn.Linear(None, 784))
rng = np.random.default_rng(0)
model = {"encode": encode.init(rng, x), "decode": decode.init(rng, x[:, 0, 0, :2])}


def encoded(model, x):
    """The normal distribution of the two numbers of each image: mean (batch, 2), logarithm of the variance."""
    both = model["encode"](x)
    return both[:, :2], both[:, 2:]


def loss(model, x, target, rng):
    """Minus the evidence lower bound, per image."""
    mean, log_variance = encoded(model, x)
    noise = rng.standard_normal(mean.shape, dtype=np.float32)
    logits = model["decode"](mean + np.exp(log_variance / 2) * noise)
    pixels = nn.binary_cross_entropy_with_logits(logits, target.reshape(len(x), -1), reduction="sum")
    divergence = 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance)  # from the standard normal
    return (pixels + divergence) / len(x)


def varied(batch, rng):
    images = affine(batch.x, rng, degrees=15, scale=0.1, stretch=0.15, shear=0.1, shift=1)
    return images, images


many = np.repeat(x, 20, axis=0)
loader = train.DataLoader(many, many, batch_size=64, transform=varied)
optimiser = nn.Adam(nn.one_cycle_schedule(0.005, steps=arguments.epochs * len(loader)))
fitted = train.fit(model, loss, loader, optimiser, epochs=arguments.epochs)
model = fitted.model
losses = fitted.history["loss"]
print(f"minus the evidence lower bound, per image: {losses[0]:.1f} -> {losses[-1]:.1f} nats")

# Drawings of one shape lie together, though the model was given no names.
z, _ = encoded(model, x)
distances = np.linalg.norm(z[:, None] - z, axis=-1)
np.fill_diagonal(distances, np.inf)
same = names[np.argmin(distances, axis=1)] == names
print(f"the nearest drawing is of the same shape for {np.sum(same)} of {len(same)} drawings ({np.mean(same):.0%})")


def decoded(z):
    """Images (..., 28, 28) of points (..., 2)."""
    z = np.asarray(z, np.float32)
    return nn.sigmoid(model["decode"](z.reshape(-1, 2))).reshape(*z.shape[:-1], 28, 28)


figure = Figure(figsize=(10, 5.2), layout="constrained")
grid = figure.add_gridspec(2, 2, height_ratios=[4, 1])
axes = figure.add_subplot(grid[0, 0])
for name in np.unique(names):
    axes.plot(*z[names == name].T, "o", label=name)
axes.set(xlabel="first number", ylabel="second number", title="Where the drawings lie")
axes.legend()

steps = np.linspace(-2, 2, 12)
plane = decoded(np.stack(np.meshgrid(steps, steps[::-1]), axis=-1))  # (12, 12, 28, 28)
axes = figure.add_subplot(grid[0, 1])
axes.imshow(plane.transpose(0, 2, 1, 3).reshape(12 * 28, -1), cmap="gray_r", extent=(-2.2, 2.2, -2.2, 2.2))
axes.set(xlabel="first number", ylabel="second number", title="What is drawn there")

middles = [np.median(z[names == name], axis=0) for name in ("circle", "square", "triangle", "circle")]
way = np.concatenate([np.linspace(a, b, 7)[:-1] for a, b in itertools.pairwise(middles)])
axes = figure.add_subplot(grid[1, :])
axes.imshow(np.concatenate(list(decoded(way)), axis=1), cmap="gray_r")
axes.set_title("From a circle to a square, to a triangle, and back")
axes.axis("off")

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "13_variational_autoencoder.png", dpi=120)
print("picture:", out / "13_variational_autoencoder.png")
