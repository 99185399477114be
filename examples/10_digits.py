"""Handwritten digits of 8 x 8 pixels, with an MLP and with a small CNN: layers, `train.fit`, augmentation.

    python examples/10_digits.py              # one split of the images
    python examples/10_digits.py --folds 5    # cross-validation: each image is tested once

The images are scikit-learn's: pip install 'tinygrad-cnn[examples]'.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tinygrad_cnn import nn, train
from tinygrad_cnn.train.augmentation import affine

try:
    from sklearn.datasets import load_digits
except ModuleNotFoundError:
    sys.exit("10_digits.py needs scikit-learn, which is not installed. Run pip install 'tinygrad-cnn[examples]'")

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--folds", type=int, default=1, choices=range(1, 6), help="how many of the 5 folds to test")
parser.add_argument("--epochs", type=int, default=30)
arguments = parser.parse_args()

digits = load_digits()
x, y = (digits.images[:, None] / 16).astype(np.float32), digits.target  # (1797, 1, 8, 8) from 0 to 1, (1797,)
fold = np.random.default_rng(0).permutation(len(x)) % 5

MODELS = {
    "MLP": nn.Sequential(nn.Flatten(), nn.Linear(None, 128), nn.relu, nn.Dropout(0.2), nn.Linear(None, 10)),
    "CNN": nn.Sequential(
        nn.Conv2d(None, 32, 3, padding="same"), nn.relu,
        nn.Conv2d(None, 32, 3, padding="same"), nn.relu, nn.MaxPool2d(2),  # (batch, 32, 4, 4)
        nn.Conv2d(None, 64, 3, padding="same"), nn.relu, nn.MaxPool2d(2),  # (batch, 64, 2, 2)
        nn.Flatten(), nn.Dropout(0.4), nn.Linear(None, 64), nn.relu, nn.Linear(None, 10),
    ),
}  # fmt: skip


def loss(model, x, y, rng):
    logits, _ = model.train(x, rng=rng)
    return nn.softmax_cross_entropy(logits, y)


def varied(batch, rng):
    """As someone else might have written them: slanted otherwise, larger, half a pixel further up."""
    return affine(batch.x, rng, degrees=8, scale=0.08, shear=0.1, shift=0.5), batch.y


def fitted(model, tested):
    """The model trained on the images that are not tested, and its history."""
    loader = train.DataLoader(x[~tested], y[~tested], batch_size=64, transform=varied)
    optimiser = nn.AdamW(nn.one_cycle_schedule(0.004, steps=arguments.epochs * len(loader)))
    return train.fit(model.init(np.random.default_rng(0), x[:1]), loss, loader, optimiser, epochs=arguments.epochs)


figure = Figure(figsize=(10, 3.5), layout="constrained")
curves, mistakes = figure.subfigures(1, 2, width_ratios=[1, 1.4])
axes = curves.subplots()
axes.set(xlabel="epoch", ylabel="training loss", yscale="log")
for name, model in MODELS.items():
    predicted, shares = np.full(len(x), -1), []
    for k in range(arguments.folds):
        tested = fold == k
        result = fitted(model, tested)
        predicted[tested] = np.argmax(result.model(x[tested]), axis=-1)
        right = predicted[tested] == y[tested]
        shares.append(np.mean(right))
        print(f"{name}, fold {k + 1}: {np.sum(right)} of {len(right)} test images right", flush=True)
    print(f"{name}: {np.mean(shares):.2%} right, mean of {arguments.folds} of 5 folds")
    axes.plot(result.history["epoch"], result.history["loss"], label=name)
axes.legend()

print(result.model)  # the CNN: a line for each layer
mistakes.suptitle("What the CNN gets wrong")
places = mistakes.subplots(2, 5).ravel()
for axes, k in zip(places, np.flatnonzero((predicted >= 0) & (predicted != y)), strict=False):
    axes.imshow(x[k, 0], cmap="gray_r")
    axes.set_title(f"{y[k]}, taken for {predicted[k]}", fontsize=8)
for axes in places:
    axes.axis("off")

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
figure.savefig(out / "10_digits.png", dpi=120)
print("picture:", out / "10_digits.png")
