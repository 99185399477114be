"""The model as an ordinary expression: conv, relu, max-pool, flatten, fc, sigmoid."""

from pathlib import Path

import numpy as np

import tinygrad_cnn as tg
from tinygrad_cnn.circle_square.data import Scaling, bundled
from tinygrad_cnn.circle_square.figures import montage, png
from tinygrad_cnn.circle_square.losses import binary_cross_entropy_as_printed
from tinygrad_cnn.circle_square.tasks import TASKS

data = bundled(TASKS["circle-square"])
x, y = Scaling()(data.train.grey), data.train.y  # (24, 28, 28), (24, 1)

# The article's initial parameters: 207 numbers.
random = np.random.RandomState(230129)
Wc, Bc, Wf, Bf = random.randn(3, 3), random.randn(1, 1), random.randn(1, 196), random.randn(1, 1)

# These are plain arrays, so nothing is recorded: tg.conv2d of arrays is an array. With Tensors for Wc, Bc, Wf and Bf
# the same lines would build a graph.
conv = tg.conv2d(x, Wc, padding=1) + Bc
relu = np.maximum(0, conv)
max_pool = tg.max_pool2d(relu, 2)
flatten = max_pool.reshape(len(x), -1)
fc = Wf @ flatten.T + Bf
sigma = tg.sigmoid(fc)
loss = np.sum(binary_cross_entropy_as_printed(sigma, y.T))

for name in ("conv", "relu", "max_pool", "flatten", "fc", "sigma", "loss"):
    value = globals()[name]
    print(f"{name:9} {np.shape(value)!s:14} from {np.min(value):9.4f} to {np.max(value):9.4f}")
right = np.sum((sigma > 0.5) == (y.T > 0.5))
print(f"{right} of 24 right, before training")

# conv2d is no mystery: each window becomes a column, and one product with the filter gives all places at once.
columns = tg.im2col(np.pad(x[0], 1), 3)  # (9, 784)
assert np.allclose(Wc.reshape(1, 9) @ columns + Bc, conv[0].reshape(1, 784))

out = Path("runs/examples")
out.mkdir(parents=True, exist_ok=True)
shown = [*conv[:12], *max_pool[:12]]
labels = ["conv"] * 12 + ["max-pool"] * 12
(out / "02_before_training.png").write_bytes(png(montage(shown, labels, "Twelve circles, before training")))
print("picture:", out / "02_before_training.png")
